"""Pictures in between: where things are halfway, and what must not change."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from backend.core.between import Motion, between
from backend.core.color import Floats
from backend.core.matching import displaced, match

HEIGHT, WIDTH = 72, 96


def person(x: float, y: float, limb: float) -> Floats:
    """A patterned body with a thin limb that is ``limb`` pixels away from it, and a soft faint shadow."""
    rows, columns = np.mgrid[:HEIGHT, :WIDTH].astype(np.float32)
    layer = np.zeros((HEIGHT, WIDTH, 4), np.float32)
    shadow = 0.4 * np.exp(-(((columns - x - 8) / 12) ** 2) - ((rows - y - 24) / 3) ** 2)
    layer[..., 3] = np.clip(shadow - 0.02, 0, 1)
    for left, top, width, height, color in ((-8, -20, 16, 40, (0.8, 0.3, 0.2)), (limb, -4, 6, 24, (0.2, 0.3, 0.8))):
        inside = np.clip(width / 2 + 0.5 - np.abs(columns - x - left - width / 2), 0, 1)
        inside *= np.clip(height / 2 + 0.5 - np.abs(rows - y - top - height / 2), 0, 1)
        stripes = 0.75 + 0.25 * np.sin((rows - y) * 0.8)[..., None]
        painted = np.concatenate([np.array(color, np.float32) * stripes, np.ones_like(stripes)], -1)
        layer = inside[..., None] * painted + (1 - inside[..., None]) * layer
    return layer.astype(np.float32)


def error(a: Floats, b: Floats) -> float:
    return float(np.sqrt(np.mean((a - b) ** 2)))


def halfway(a: Floats, b: Floats, share: float = 0.5) -> Floats:
    return between(a, b, Motion(match(a, b), match(b, a)), share)


def test_a_limb_that_moves_further_than_it_is_wide() -> None:
    before, truth, after = (person(48 + 3 * t, 34, 10 + 8 * t) for t in (-1, 0, 1))
    made = halfway(before, after)
    assert error(made, truth) < 0.5 * error((before + after) / 2, truth)
    # No ghost: where there is nothing halfway, nothing is shown.
    assert made[truth[..., 3] == 0][:, 3].mean() < 0.02


def test_what_stands_still_stays() -> None:
    still = person(48, 34, 12)
    np.testing.assert_allclose(halfway(still, still), np.where(still[..., 3:] < 1 / 1024, 0, still), atol=0.02)


@pytest.mark.parametrize("share", [0.25, 0.75])
def test_the_share_tells_how_far_it_has_moved(share: float) -> None:
    made = halfway(person(40, 34, 12), person(48, 34, 12), share)
    assert error(made, person(40 + 8 * share, 34, 12)) < 0.03


def test_speed_changes_between_frames() -> None:
    # Thrown up and falling: at the same height in both frames, highest in between.
    heights = {t: 28 + 6 * t**2 for t in (-1.5, -0.5, 0, 0.5, 1.5)}
    frames = {t: person(48, y, 12) for t, y in heights.items()}
    before, after = frames[-0.5], frames[0.5]
    motion = Motion(match(before, after), match(after, before), match(before, frames[-1.5]), match(after, frames[1.5]))
    made = between(before, after, motion, 0.5)
    assert error(made, frames[0]) < 0.6 * error(halfway(before, after), frames[0])


def test_nothing_to_be_seen() -> None:
    nothing = np.zeros((20, 30, 4), np.float32)
    assert not halfway(nothing, nothing).any()


@pytest.mark.parametrize("size", [(1, 1), (3, 40), (40, 3), (9, 9)])
def test_any_size(size: tuple[int, int]) -> None:
    a = np.full((*size, 4), 0.5, np.float32)
    assert halfway(a, a).shape == a.shape


def test_motion_may_be_known_at_a_smaller_size() -> None:
    before, truth, after = (person(44 + x, 34, 12) for x in (0, 4, 8))
    small = [cv2.resize(layer, (WIDTH // 2, HEIGHT // 2), interpolation=cv2.INTER_AREA) for layer in (before, after)]
    made = between(before, after, Motion(match(*small), match(*small[::-1])), 0.5)
    assert error(made, truth) < 0.4 * error((before + after) / 2, truth)


def test_premultiplied_stays_premultiplied() -> None:
    made = halfway(person(40, 34, 12), person(52, 34, 20))
    assert made.min() >= 0
    assert made[..., 3].max() <= 1
    assert (made[..., :3] <= made[..., 3:] + 1e-3).all()


def test_displaced_reads_at_the_end_of_the_way() -> None:
    picture = np.arange(12, dtype=np.float32).reshape(3, 4, 1)
    flow = np.zeros((3, 4, 2), np.float32)
    flow[..., 0] = 1
    np.testing.assert_array_equal(displaced(picture, flow)[:, :3], picture[:, 1:])
    assert not displaced(picture, flow)[:, 3].any()

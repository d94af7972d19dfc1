"""The sun of a drawn clip is found again, and people who stand still take it from those who walk."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from backend.model.sunlight import CASTS, cast, find_sun, on_ground, on_wall

T, H, W = 6, 48, 80
TRUE_GROUND = (1.3, -0.3)


def walkers() -> Tensor:
    """One walks, one stands: (T, 2, H, W)."""
    masks = torch.zeros(T, 2, H, W)
    for t in range(T):
        masks[t, 0, 12:34, 6 + 5 * t : 12 + 5 * t] = 1
        masks[t, 0, 16:20, 2 + 5 * t : 16 + 5 * t] = 1
        masks[t, 1, 14:38, 50:56] = 1
    return masks


def true_shadows(masks: Tensor, sun: tuple[float, float]) -> Tensor:
    flat = masks.flatten(0, 1)
    feet = torch.tensor([33.0, 37.0]).repeat(T)
    return on_ground(flat, feet, torch.tensor(sun).expand(len(flat), 2)).reshape(masks.shape)


def overlap(a: Tensor, b: Tensor) -> float:
    return float((a * b).sum() / (a.norm() * b.norm()))


@pytest.mark.parametrize("sun", [TRUE_GROUND, (-0.9, 0.25), (0.1, -0.5)])
def test_who_stands_still_takes_the_sun_from_who_walks(sun: tuple[float, float]) -> None:
    masks = walkers()
    shadows = true_shadows(masks, sun)
    seen = 1 - masks.amax(1)
    # The one who stands has had the shadow burnt into the background: nothing is seen of it.
    found = find_sun(masks, 0.4 * shadows[:, 0], seen)
    assert float(found.trust[0]) > 0.6
    assert found.ground.tolist() == pytest.approx(sun, abs=0.1)
    assert overlap(cast(masks, found)[:, 1, 0], shadows[:, 1]) > 0.55


def test_a_shadow_on_a_wall_is_moved() -> None:
    masks = walkers()
    flat, sun = masks.flatten(0, 1), torch.tensor([0.35, 0.2])
    heights = torch.tensor([22.0, 24.0]).repeat(T)
    shadows = on_wall(flat, heights, sun.expand(len(flat), 2)).reshape(masks.shape)
    found = find_sun(masks, 0.4 * shadows.amax(1), 1 - masks.amax(1))
    best = cast(masks, found)[:, :, :2].amax(2)
    assert overlap(best.amax(1) * (1 - masks.amax(1)), shadows.amax(1) * (1 - masks.amax(1))) > 0.8


def test_a_move_by_whole_pixels_is_exact() -> None:
    mask = torch.zeros(1, 10, 12)
    mask[0, 2:5, 3:6] = 1
    moved = on_wall(mask, torch.tensor([4.0]), torch.tensor([[0.5, 0.25]]))
    torch.testing.assert_close(moved, mask.roll((1, 2), (1, 2)), atol=1e-5, rtol=0)


def test_the_mirror_hangs_at_the_feet() -> None:
    masks = torch.zeros(1, 1, 20, 12)
    masks[0, 0, 4:10, 5:7] = 1
    mirror = cast(masks, find_sun(masks, torch.zeros(1, 20, 12), torch.ones(1, 20, 12)))[0, 0, 2]
    assert mirror[10:14, 5:7].min() > 0.9 and not mirror[:9].any() and not mirror[16:].any()


def test_nobody_and_nothing_make_no_trouble() -> None:
    masks = torch.zeros(2, 1, 16, 20)
    found = find_sun(masks, torch.zeros(2, 16, 20), torch.ones(2, 16, 20))
    casts = cast(masks, found)
    assert casts.shape == (2, 1, CASTS, 16, 20) and not casts.any() and torch.isfinite(casts).all()

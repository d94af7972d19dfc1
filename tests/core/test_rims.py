from __future__ import annotations

import numpy as np
import pytest

from backend.core.color import Floats
from backend.core.opacity import FLOOR, with_density
from backend.core.rims import with_rims

HEIGHT, WIDTH = 64, 448
GROUND = np.full((HEIGHT, WIDTH, 3), 0.5, np.float32)
CALM = np.zeros((HEIGHT, WIDTH), np.float32)


def columns(first: int, last: int) -> Floats:
    """(HEIGHT, WIDTH): 1 in these columns."""
    area = np.zeros((HEIGHT, WIDTH), np.float32)
    area[:, first:last] = 1
    return area


def found(penumbra: Floats, masks: Floats, restless: Floats = CALM) -> Floats:
    """Mean densities (N, HEIGHT, WIDTH): a shadow in columns 100 to 150 is known, and one of .04 lies elsewhere."""
    shadow = 0.5 * columns(100, 150)[..., None].repeat(3, -1)
    plate = with_density(GROUND, shadow + 0.04 * penumbra[..., None])
    alone = np.stack([shadow, *[np.zeros_like(shadow)] * (len(masks) - 1)])
    return with_rims(alone, masks, (masks.max(0) == 0).astype(np.float32), plate, GROUND, restless).mean(-1)


def test_a_penumbra_beside_a_shadow_is_a_part_of_it() -> None:
    (mine,) = found(columns(150, 153), np.stack([CALM]))
    assert mine[:, 150:153] == pytest.approx(0.04, abs=1e-3)
    assert mine[:, 153:] == pytest.approx(0, abs=1e-6)


def test_what_a_lens_smears_around_a_body_is_the_bodys() -> None:
    mine, hers = found(columns(300, 303), np.stack([CALM, columns(280, 300)]))
    assert hers[:, 300:303] == pytest.approx(0.04, abs=1e-3)
    assert mine[:, 300:303] == pytest.approx(0, abs=1e-3)


@pytest.mark.parametrize(
    ("first", "flicker"),
    [pytest.param(200, 0.0, id="far from everything"), pytest.param(150, 0.03, id="where all flickers as much")],
)
def test_what_is_no_rim_stays_the_grounds(first: int, flicker: float) -> None:
    (mine,) = found(columns(first, first + 4), np.stack([CALM]), np.full_like(CALM, flicker))
    assert mine[:, 150:] == pytest.approx(0, abs=1e-6)


def test_what_is_hidden_by_a_body_is_no_rim() -> None:
    mine, hers = found(columns(150, 154), np.stack([CALM, columns(148, 160)]))
    assert np.stack([mine, hers])[:, :, 150:154] == pytest.approx(0, abs=1e-6)


def test_what_compression_leaves_in_the_dark_is_no_rim() -> None:
    masks, black = columns(280, 300)[None], np.full_like(GROUND, 0.01)
    plate = black + 0.003 * columns(300, 303)[..., None]
    seen = (masks[0] == 0).astype(np.float32)
    assert 0.003 / (0.01 + FLOOR) > 0.05
    (hers,) = with_rims(np.zeros((1, *GROUND.shape), np.float32), masks, seen, plate, black, CALM)
    assert hers == pytest.approx(0, abs=1e-6)

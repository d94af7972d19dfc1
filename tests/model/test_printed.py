"""A shadow that is in every frame is measured by its outline; where there is none, none is found."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from backend.model.printed import told_by_outlines
from tests.model.sunny_clip import T, ground, plate, shadows, walkers

LIGHT = (1.0, -0.5, 1.2, 0.0)


def densities(plate: Tensor, seen: Tensor, fall: Tensor, full: Tensor | None) -> Tensor:
    """(T, N, 3, h, w) of all frames."""
    printed = told_by_outlines(plate, seen, fall, full)
    return torch.stack([printed.densities(shadows) for shadows in fall])


def still() -> tuple[Tensor, Tensor, Tensor]:
    """Somebody who never moves, what is seen of the ground, and the shadow."""
    masks = walkers()[:1, 1:].expand(T, 1, -1, -1).contiguous()
    return masks, 1 - masks.amax(1), shadows(masks, LIGHT)


@pytest.mark.parametrize("density", [0.25, 0.6])
def test_a_shadow_that_never_moves_is_as_dark_as_it_is(density: float) -> None:
    masks, seen, fall = still()
    found = densities(plate(masks, fall, density), seen, fall, None)[:, 0]
    inside = (fall[:, 0] > 0.9) & (seen > 0)
    assert float(found.mean(1)[inside].median()) == pytest.approx(density, rel=0.3)
    assert not found.mean(1)[fall[:, 0] == 0].any()


def test_a_shadow_expected_a_little_beside_is_moved_there() -> None:
    masks, seen, fall = still()
    found = densities(plate(masks, fall, 0.5), seen, fall.roll((1, -2), (2, 3)), None)[:, 0]
    inside = (fall[:, 0] > 0.9) & (seen > 0)
    assert float(found.mean(1)[inside].median()) == pytest.approx(0.5, rel=0.3)


def test_where_no_shadow_is_none_is_found() -> None:
    _, seen, fall = still()
    bare = ground().expand(T, -1, -1, -1) * seen[:, None]
    assert float(densities(bare, seen, fall, None).max()) < 0.05


def test_nobody_has_none() -> None:
    masks, seen, fall = still()
    assert not densities(plate(masks, fall, 0.5), seen, torch.zeros_like(fall), None).any()


def test_the_clearest_shadow_tells_how_dark_all_are() -> None:
    masks, seen, fall = still()
    pictures = plate(masks, fall, 0.5)
    # Of the second shadow only half is there, as if things hid the rest.
    half = fall.roll(60, 3) * (torch.arange(fall.shape[-1]) % 8 < 4)
    both = torch.cat([fall, fall.roll(60, 3)], 1)
    lit = (pictures + 1 / 32) * torch.exp(-0.5 * half[:, 0])[:, None] - 1 / 32
    found = densities(lit, seen, both, None).amax((0, 3, 4)).mean(1)
    alone = densities(lit, seen, both[:, 1:], None).amax((0, 3, 4)).mean(1)
    assert float(found[0]) > 0.3
    assert float(alone[0]) < float(found[1]) <= float(found[0]) + 1e-5


def test_its_colour_is_that_of_shadows_of_known_ground() -> None:
    masks, seen, fall = still()
    bluish = torch.tensor([0.6, 0.5, 0.4])
    pictures = plate(masks, fall, 0.5)
    found = densities(pictures, seen, fall, bluish)[:, 0]
    inside = (fall[:, 0] > 0.9) & (seen > 0)
    color = found.movedim(1, -1)[inside].mean(0)
    assert float(color.mean()) == pytest.approx(0.5, rel=0.3)
    assert torch.allclose(color / color.mean(), bluish / bluish.mean(), atol=1e-4)


def test_where_one_casts_a_shadow_everybody_does() -> None:
    masks, seen, fall = still()
    # The second one's cannot be told from the ground: a tenth as deep as the first one's.
    both = torch.cat([fall, fall.roll(60, 3)], 1)
    lit = (plate(masks, fall, 0.5) + 1 / 32) * torch.exp(-0.05 * both[:, 1])[:, None] - 1 / 32
    first, second = densities(lit, seen, both, None).amax((0, 3, 4)).mean(1)
    assert float(densities(lit, seen, both[:, 1:], None).max()) < 0.1
    assert 0.7 * float(first) < float(second) <= float(first)


@pytest.mark.parametrize("printed", [0.35, 0.15])
def test_what_is_about_as_deep_as_a_full_shadow_is_one_and_what_is_much_fainter_is_none(printed: float) -> None:
    masks, seen, fall = still()
    full = 0.5
    pictures = plate(masks, fall, printed)
    alone, found = (float(densities(pictures, seen, fall, known).amax()) for known in (None, torch.full((3,), full)))
    assert alone == pytest.approx(printed, rel=0.3)
    assert found == pytest.approx(0.9 * full if printed > full / 2 else alone, rel=0.05)

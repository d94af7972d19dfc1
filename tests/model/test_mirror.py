"""A floor that shows people upside down is told from one on which their shadows lie."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from backend.core.camera import Camera
from backend.model.mirror import reflecting, upside_down, with_reflections
from backend.model.sunlight import MIRROR, PLACES, Sun, cast, mirrored, standing, trusted
from backend.stages.effects import TrainingBackground, somebody_near
from backend.stages.prior import sun_of, told_reflections
from backend.train.shot_data import ShotData, channels_first, channels_last, make_shot_data
from tests.model.sunny_clip import STILL, H, T, W, overlap, shadows, walkers

LIGHT = (1.0, -0.3, 1.2, 0.0)


def ground() -> Tensor:
    """(T, 3, H, W): a pattern in which nobody is."""
    pattern = np.random.default_rng(3).uniform(0.35, 0.5, (3, H, W)).astype(np.float32)
    return torch.from_numpy(pattern).expand(T, 3, H, W)


def below_feet(pictures: Tensor, masks: Tensor, who: int) -> Tensor:
    """Pictures (T, 3, H, W) of somebody as a floor would show them."""
    feet = standing(masks, STILL).feet[:, who]
    return torch.stack([mirrored(channel, feet) for channel in pictures.unbind(1)], 1)


def filmed(masks: Tensor, dark: Tensor, strength: float) -> tuple[Tensor, Tensor]:
    """Plate (T, 3, H, W) of people in red trousers and blue shirts, with shadows (T, N, H, W), and where floor is seen.

    The floor mirrors them with some strength; what it would mirror without them is left out for simplicity.
    """
    rows = torch.arange(H)[None, :, None]
    tops = torch.where(masks > 0.5, rows, H).flatten(2).amin(2)[..., None, None]
    shirt = (rows < tops + 12).float() * masks
    clothes = torch.stack([masks - shirt, 0.1 * masks, shirt], 2)
    plate = ground() * torch.exp(-0.4 * dark.amax(1))[:, None]
    for who in range(masks.shape[1]):
        seen_in_it = below_feet(clothes[:, who], masks, who)
        there = upside_down(masks, STILL)[:, who, None] * strength
        plate = plate * (1 - there) + seen_in_it * strength
    body = masks.amax(1)[:, None]
    return plate * (1 - body) + clothes.sum(1), 1 - masks.amax(1)


def told(masks: Tensor, dark: Tensor, strength: float) -> float:
    plate, seen = filmed(masks, dark, strength)
    return float(reflecting(plate, ground(), masks, STILL, seen))


def test_a_floor_that_takes_the_colours_of_clothes_reflects() -> None:
    masks = walkers()
    assert told(masks, torch.zeros_like(masks), 0.25) == 1
    assert told(masks, shadows(masks, LIGHT), 0.25) == 1


def test_a_trace_of_colour_makes_no_mirror() -> None:
    masks = walkers()
    assert told(masks, torch.zeros_like(masks), 0.02) == 0


@pytest.mark.parametrize("light", [LIGHT, (0.1, 0.6, 1.2, 0.0)])
def test_shadows_below_the_feet_make_no_mirror(light: tuple[float, ...]) -> None:
    masks = walkers()
    assert told(masks, shadows(masks, light), 0.0) == 0


def test_a_dark_body_above_its_shadow_makes_no_mirror() -> None:
    masks = walkers()
    dark = shadows(masks, (0.05, 0.9, 1.2, 0.0))
    plate, seen = filmed(masks, dark, 0.0)
    in_black = plate * seen[:, None] + 0.02 * masks.amax(1)[:, None]
    assert float(reflecting(in_black, ground(), masks, STILL, seen)) == 0


def test_what_the_ground_behind_the_bodies_explains_as_well_makes_no_mirror() -> None:
    masks = walkers()
    seen, floor = 1 - masks.amax(1), ground()
    # Nobody's clothes differ from what is behind them, so that they explain nothing on their own.
    shown = torch.stack([below_feet(floor * masks[:, who, None], masks, who) for who in range(2)]).amax(0)
    assert float(reflecting(floor + 0.2 * shown * seen[:, None], floor, masks, STILL, seen)) == 0


def test_a_floor_that_mostly_dims_reflects_all_the_same() -> None:
    masks = walkers()
    plate, seen = filmed(masks, torch.zeros_like(masks), 0.0)
    there = upside_down(masks, STILL)[:, :, None] * seen[:, None, None]
    shown = torch.stack([below_feet(plate * masks[:, who, None], masks, who) for who in range(2)]).amax(0)
    # What the floor shows of a wall when nobody is there goes, and a little of their clothes comes.
    dimmed = plate * (1 - 0.5 * there.amax(1)) + 0.1 * shown * there.amax(1)
    assert float(reflecting(dimmed, ground(), masks, STILL, seen)) == 1


def test_shoes_that_masks_leave_out_make_no_mirror() -> None:
    masks = walkers()
    plate, _ = filmed(masks, torch.zeros_like(masks), 0.0)
    cut = masks * masks.roll(-4, 2)
    assert float(reflecting(plate, ground(), cut, STILL, 1 - cut.amax(1))) == 0


def test_nobody_makes_no_mirror() -> None:
    masks = torch.zeros(2, 1, 16, 20)
    grey = torch.full((2, 3, 16, 20), 0.4)
    assert float(reflecting(grey, grey, masks, STILL, torch.ones(2, 16, 20))) == 0


def test_the_colours_of_bodies_tell_what_a_floor_shows_of_them() -> None:
    masks = walkers()
    plate, seen = filmed(masks, torch.zeros_like(masks), 0.25)
    shown = torch.stack(list(with_reflections(plate, ground(), masks, STILL, seen)))
    below = (upside_down(masks, STILL).amax(1) > 0) & (seen > 0)
    missed, all_of_it = (((plate - one).abs() * below[:, None]).sum() for one in (shown, ground()))
    assert missed < 0.1 * all_of_it


def first_seen(masks: Tensor) -> tuple[ShotData, TrainingBackground]:
    """People on a floor that shows them, and the background as it looks before anything is known."""
    plate, seen = filmed(masks, torch.zeros_like(masks), 0.25)
    whole, frames = masks.numpy(), channels_last(plate)
    data = make_shot_data(frames, whole, whole, frames)
    background = TrainingBackground(
        frames, seen.numpy() > 0, whole.max(1) > 0.5, somebody_near(data), Camera.static(T, (W, H))
    )
    data.background = channels_first(background.start())
    return data, background


def test_the_reflection_of_who_stays_is_taken_off_the_ground_by_what_those_of_others_tell() -> None:
    masks = walkers()
    data, background = first_seen(masks)
    below = (upside_down(masks, STILL)[:, 1] > 0.5) & (masks.amax(1) == 0)
    before = (data.background - ground()).abs().mean(1)[below].mean()
    assert told_reflections(data, background) == 1
    assert (data.background - ground()).abs().mean(1)[below].mean() < 0.5 * before


def test_reflections_say_nothing_of_the_sun() -> None:
    masks = walkers()
    dark = shadows(masks, LIGHT)
    plate, seen = filmed(masks, 0.3 * dark, 0.8)
    data = make_shot_data(*(each.numpy() for each in (plate.movedim(1, -1), masks, masks, ground().movedim(1, -1))))
    sun = sun_of(data, np.zeros(seen.shape, np.float32), torch.tensor(1.0))
    found = cast(masks, STILL, sun)[:, :, :PLACES].amax(2)
    assert overlap(found * seen[:, None], dark * seen[:, None]) > 0.8


def test_a_reflection_is_as_much_to_be_expected_as_a_shadow_where_the_ground_reflects() -> None:
    casts = cast(walkers(), STILL, Sun(torch.tensor(LIGHT), torch.tensor(0.5)))
    dull, glossy = (
        trusted(casts, Sun(torch.tensor(LIGHT), torch.tensor(0.5), torch.tensor(share))) for share in (0.0, 1.0)
    )
    below = casts[:, :, MIRROR] > 0.9
    assert torch.equal(dull[:, :, 0], 0.5 * casts[:, :, 0])
    assert glossy[:, :, 0][below].min() > 0.5 and torch.equal(glossy[:, :, 1:], dull[:, :, 1:])

from __future__ import annotations

import numpy as np
import pytest
import torch

from backend.core.camera import Camera
from backend.core.color import Floats
from backend.stages.effects import TrainingBackground, as_in_this_clip, somebody_near, with_burnt_in
from backend.stages.prior import printed_shadows, with_printed
from backend.train.shot_data import channels_first, make_shot_data
from tests.model.sunny_clip import plate, shadows, walkers

T, H, W = 6, 12, 20
SHADOW = np.s_[:, 4:8, 5:15]
BLUISH = np.array([0.39, 0.30, 0.21], np.float32)


def usual() -> Floats:
    """A grey shadow of density 0.4 as it would usually be."""
    densities = np.zeros((T, H, W, 3), np.float32)
    densities[SHADOW] = 0.4
    return densities


def test_shadows_take_the_depth_and_the_colour_that_they_have_in_the_clip() -> None:
    observed = np.zeros_like(usual())
    observed[SHADOW] = BLUISH
    found = as_in_this_clip(usual(), observed)
    np.testing.assert_allclose(found[SHADOW].mean((0, 1, 2)), BLUISH, atol=0.04)
    assert not found[:, :4].any()


def test_shadows_stay_as_usual_where_the_clip_tells_nothing() -> None:
    np.testing.assert_array_equal(as_in_this_clip(usual(), np.zeros_like(usual())), usual())


def test_a_brightening_keeps_its_colour() -> None:
    densities, observed = usual(), np.zeros_like(usual())
    densities[:, 0] = -0.3
    observed[SHADOW] = BLUISH
    np.testing.assert_array_equal(as_in_this_clip(densities, observed)[:, 0], densities[:, 0])


def burnt_in(darkest: float) -> tuple[Floats, Floats]:
    """Two people of whom nothing was learned, the first of whom usually casts the shadow."""
    alone = np.stack([usual(), np.zeros_like(usual())], 1)
    found = np.zeros_like(alone)
    return with_burnt_in(found, found.sum(1), usual(), alone, np.full((T, H, W), darkest, np.float32))


def test_a_shadow_that_never_leaves_its_place_goes_to_whom_it_usually_belongs() -> None:
    alone, together = burnt_in(darkest=0.0)
    np.testing.assert_allclose(alone[:, 0][SHADOW], 0.2, atol=1e-6)
    np.testing.assert_array_equal(together, alone[:, 0])
    assert not alone[:, 1].any()


def test_where_the_ground_was_seen_without_it_the_clip_is_believed() -> None:
    alone, together = burnt_in(darkest=0.4)
    assert not alone.any() and not together.any()


def test_what_is_printed_makes_a_usual_shadow_darker_and_no_reflection_fainter() -> None:
    alone, together = torch.full((2, 2, 3, 4, 5), 0.1), torch.full((2, 3, 4, 5), -0.2)
    printed = torch.zeros_like(alone)
    printed[:, 1, :, 2] = 0.4
    darker, all_together = with_printed(alone, together, printed)
    assert (darker[:, 1, :, 2] == 0.4).all() and (darker[:, 0] == 0.1).all()
    assert (all_together[:, :, 2] == 0.4).all() and (all_together[:, :, :2] == -0.2).all()


def test_the_printed_shadow_of_who_never_moves_is_found_only_where_it_never_leaves_the_ground() -> None:
    masks = walkers()
    fall = shadows(masks, (1.0, -0.5, 1.2, 0.0))
    pictures = plate(masks, fall, 0.5).permute(0, 2, 3, 1).numpy()
    data = make_shot_data(pictures, masks.numpy(), masks.numpy(), pictures)
    data.casts[:, :, 0] = fall
    seen = data.seen[:, 0].numpy() > 0
    camera = Camera.static(len(masks), (masks.shape[-1], masks.shape[-2]))
    background = TrainingBackground(pictures, seen, masks.amax(1).numpy() > 0.5, somebody_near(data), camera)
    data.background = channels_first(background.start())
    found = printed_shadows(data, background).mean(2)
    still = (fall[:, 1] > 0.9) & (fall[:, 0].amax(0) == 0) & (data.seen[:, 0] > 0)
    assert float(found[:, 1][still].median()) == pytest.approx(0.5, rel=0.3)
    left = (fall[:, 0] > 0.9) & (data.seen[:, 0] > 0)
    assert float(found[:, 0][left].mean()) < 0.1

from __future__ import annotations

import numpy as np

from backend.core.color import Floats
from backend.stages.effects import as_in_this_clip, with_burnt_in

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

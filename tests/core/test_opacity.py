from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from backend.core.color import Floats
from backend.core.opacity import (
    corrected,
    density,
    least_opacity,
    settled,
    stronger,
    with_density,
    without_density,
    without_specks,
)

H, W = 3, 4
pictures = npst.arrays(np.float32, (H, W, 3), elements=st.floats(0, 1, width=32))
densities = npst.arrays(np.float32, (H, W, 3), elements=st.floats(-3, 3, width=32))
# The logarithm is taken in 32 bits, and undoing a strong effect magnifies its rounding.
CLOSE = 2e-4


@given(pictures, pictures)
def test_a_density_turns_the_background_into_the_plate_and_back(plate: Floats, background: Floats) -> None:
    found = density(plate, background)
    np.testing.assert_allclose(with_density(background, found), plate, atol=CLOSE)
    np.testing.assert_allclose(without_density(plate, found), background, atol=CLOSE)


@given(pictures, densities)
def test_undoing_an_effect_is_its_inverse_where_nothing_is_clipped(background: Floats, signed: Floats) -> None:
    changed = with_density(background, signed)
    inside = (changed > 0) & (changed < 1)
    np.testing.assert_allclose(without_density(changed, signed)[inside], background[inside], atol=CLOSE)


@given(pictures, densities, densities)
def test_effects_of_one_kind_add_up(background: Floats, first: Floats, second: Floats) -> None:
    first, second = np.abs(first), np.abs(second)
    one_by_one = with_density(with_density(background, first), second)
    together = with_density(background, first + second)
    np.testing.assert_allclose(one_by_one, together, atol=1 / 32)
    dark = together > 0
    np.testing.assert_allclose(one_by_one[dark], together[dark], atol=CLOSE)


@given(pictures)
def test_no_density_changes_nothing(background: Floats) -> None:
    nothing = np.zeros_like(background)
    np.testing.assert_allclose(with_density(background, nothing), background, atol=1e-6)
    np.testing.assert_allclose(density(background, background), nothing, atol=1e-6)


def test_the_sign_tells_a_shadow_from_a_reflection() -> None:
    grey = np.full((1, 1, 3), 0.5, np.float32)
    assert (density(grey * 0.5, grey) > 0).all()
    assert (density(grey * 1.5, grey) < 0).all()


@given(pictures, pictures)
def test_the_least_opacity_gives_the_picture_back(solo: Floats, background: Floats) -> None:
    alpha, color = least_opacity(solo, background)
    assert alpha.min() >= 0 and alpha.max() <= 1
    assert color.min() >= 0 and color.max() <= 1
    a = alpha[..., None]
    np.testing.assert_allclose(a * color + (1 - a) * background, solo, atol=2e-3)


@given(pictures, pictures)
def test_with_any_less_opacity_no_colour_would_do(solo: Floats, background: Floats) -> None:
    alpha = least_opacity(solo, background)[0][..., None] - 0.01
    needed = (solo - (1 - alpha) * background) / np.maximum(alpha, 1e-6)
    impossible = ((needed < 0) | (needed > 1)).any(-1)
    assert impossible[alpha[..., 0] > 0].all()


ONES = np.ones((H, W), np.float32)
STRENGTHS = (0.2, -0.1, 0.5)


def effect(scale: float = 1.0) -> Floats:
    """One person's effect, darkening and brightening."""
    return np.broadcast_to(np.float32(STRENGTHS) * scale, (1, H, W, 3)).copy()


def shown(scale: float = 1.0) -> tuple[Floats, Floats]:
    """The plate with that effect on a grey background, and the background."""
    background = np.full((H, W, 3), 0.5, np.float32)
    return with_density(background, effect(scale)[0]), background


def test_a_perfect_prediction_is_left_as_it_is() -> None:
    np.testing.assert_allclose(corrected(effect(), effect()[0], *shown(), ONES), effect(), rtol=1e-4)


@pytest.mark.parametrize("scale", [0.5, 1.5, 2.0])
def test_the_evidence_tells_how_strong_an_effect_is(scale: float) -> None:
    found = corrected(effect(), effect()[0], *shown(scale), ONES)
    np.testing.assert_allclose(found, effect(scale), rtol=0.06)


def test_each_of_two_shadows_that_overlap_keeps_its_own_strength() -> None:
    both = np.concatenate([effect(), effect()])
    # A place in full shadow gets no darker by a second one.
    np.testing.assert_allclose(corrected(both, effect()[0], *shown(), ONES), both, rtol=1e-4)


def test_where_a_body_hides_the_background_the_prediction_counts() -> None:
    np.testing.assert_array_equal(corrected(effect(), effect()[0], *shown(2), 0 * ONES), effect())


def test_a_wild_measurement_is_not_believed() -> None:
    found = corrected(effect(), effect()[0], *shown(50), ONES)
    assert np.abs(found / effect()).max() < 10
    opposed = corrected(effect(), effect()[0], *shown(-1), ONES)
    assert (opposed * effect() >= 0).all()


def test_in_the_dark_compression_is_not_taken_for_a_stronger_effect() -> None:
    dark = np.full((H, W, 3), 0.03, np.float32)
    faint = np.full((1, H, W, 3), 0.06, np.float32)
    found = corrected(faint, faint[0], dark - 0.02, dark, ONES)
    assert found.max() < 0.12
    lit = np.full((H, W, 3), 0.5, np.float32)
    assert corrected(faint, faint[0], with_density(lit, 3 * faint[0]), lit, ONES).min() > 0.16


@pytest.mark.parametrize("seen", [ONES, 0 * ONES])
def test_strong_effects_stay_and_faint_ones_go(seen: Floats) -> None:
    np.testing.assert_array_equal(settled(effect(), seen, 0 * ONES[None]), effect())
    assert not settled(effect(0.004), seen, 0 * ONES[None]).any()


@pytest.mark.parametrize("seen", [ONES, 0 * ONES])
def test_a_place_is_left_to_those_who_really_reach_it(seen: Floats) -> None:
    alone = np.concatenate([effect(), effect(0.9), effect(0.04)])
    kept = settled(alone, seen, np.zeros(alone.shape[:3], np.float32))
    np.testing.assert_array_equal(kept[:2], alone[:2])
    assert not kept[2].any()


def test_of_two_densities_the_stronger_counts_whatever_its_sign() -> None:
    one, other = np.array([0.2, -0.5, 0.1, 0], np.float32), np.array([-0.1, 0.3, -0.4, 0], np.float32)
    np.testing.assert_array_equal(stronger(one, other), np.array([0.2, -0.5, -0.4, 0], np.float32))


def test_behind_somebody_a_faint_shadow_stays_however_deep_that_persons_own_is() -> None:
    alone, others = np.concatenate([effect(0.9), effect(0.06)]), np.stack([0 * ONES, ONES])
    np.testing.assert_array_equal(settled(alone, 0 * ONES, others), alone)


def test_a_speck_away_from_bodies_is_no_effect_and_a_shadow_is() -> None:
    effects, seen = np.zeros((2, 100, 160, 3), np.float32), np.ones((100, 160), np.float32)
    seen[10:40, 30:50] = 0
    effects[0, 40:60, 30:60] = 0.4
    effects[1, 80:90, 100:140] = -0.2
    effects[1, 41, 51] = 0.3
    spoilt = effects.copy()
    spoilt[0, 10, 100] = 0.4
    np.testing.assert_array_equal(without_specks(spoilt, seen), effects)

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from backend.core.composite import composite, over

H, W = 3, 4
units = st.floats(0, 1, width=32)
backgrounds = npst.arrays(np.float32, (H, W, 3), elements=units)


@st.composite
def layers(draw: st.DrawFn) -> np.ndarray:
    color = draw(npst.arrays(np.float32, (H, W, 3), elements=units))
    alpha = draw(npst.arrays(np.float32, (H, W, 1), elements=units))
    return np.concatenate([color * alpha, alpha], axis=2)


@given(layers(), layers(), layers())
def test_over_is_associative(a: np.ndarray, b: np.ndarray, c: np.ndarray) -> None:
    np.testing.assert_allclose(over(over(a, b), c), over(a, over(b, c)), atol=1e-6)


@given(backgrounds)
def test_an_empty_layer_changes_nothing(background: np.ndarray) -> None:
    np.testing.assert_array_equal(over(np.zeros((H, W, 4), np.float32), background), background)


@given(layers(), backgrounds)
def test_an_opaque_layer_hides_everything(layer: np.ndarray, background: np.ndarray) -> None:
    layer[..., 3] = 1
    np.testing.assert_array_equal(over(layer, background), layer[..., :3])


@given(layers(), layers())
def test_alpha_stays_within_0_and_1(a: np.ndarray, b: np.ndarray) -> None:
    alpha = over(a, b)[..., 3]
    assert alpha.min() >= 0
    assert alpha.max() <= 1 + 1e-6


@given(st.lists(layers(), max_size=3), backgrounds, st.floats(0.25, 4, width=32))
def test_exposure_commutes_with_compositing(stack: list[np.ndarray], background: np.ndarray, gain: float) -> None:
    brighter = [layer * np.array([gain, gain, gain, 1], np.float32) for layer in stack]
    expected = composite(background, stack) * np.float32(gain)
    np.testing.assert_allclose(composite(background * np.float32(gain), brighter), expected, atol=1e-5)


@given(st.lists(layers(), max_size=3), backgrounds)
def test_a_composite_of_colours_in_0_to_1_stays_there(stack: list[np.ndarray], background: np.ndarray) -> None:
    picture = composite(background, stack)
    assert picture.min() >= 0
    assert picture.max() <= 1 + 1e-6


def test_layers_are_given_from_back_to_front() -> None:
    red, blue = np.zeros((1, 1, 4), np.float32), np.zeros((1, 1, 4), np.float32)
    red[...] = (1, 0, 0, 1)
    blue[...] = (0, 0, 1, 1)
    assert composite(np.zeros((1, 1, 3), np.float32), [red, blue])[0, 0].tolist() == [0, 0, 1]

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from backend.core.color import (
    decode_layer,
    decode_residual,
    encode_layer,
    encode_residual,
    linear_to_srgb,
    srgb_to_linear,
    to_half,
)

# Half floats have 11 significant bits; the curve's slope of at most 12.92 near black costs nothing on the line.
HALF = 1e-3

values = npst.arrays(np.float32, 16, elements=st.floats(-2, 4, width=32))
pictures = npst.arrays(np.float32, (4, 4, 3), elements=st.floats(0, 1, width=32))
alphas = npst.arrays(np.float32, (4, 4), elements=st.floats(0, 1, width=32))


@given(values)
def test_there_and_back_is_the_identity_outside_0_to_1_too(x: np.ndarray) -> None:
    np.testing.assert_allclose(linear_to_srgb(srgb_to_linear(x)), x, atol=2e-6, rtol=2e-6)


@pytest.mark.parametrize(("display", "linear"), [(0.0, 0.0), (1.0, 1.0), (0.5, 0.21404114), (0.04045, 0.0031308)])
def test_the_curve_is_the_standard_one(display: float, linear: float) -> None:
    assert srgb_to_linear(display) == pytest.approx(linear, abs=1e-6)
    assert linear_to_srgb(linear) == pytest.approx(display, abs=1e-5)


def test_below_the_knee_the_curve_is_a_line_also_for_negatives() -> None:
    np.testing.assert_allclose(srgb_to_linear([-1.0, -0.5, 0.02]), np.array([-1.0, -0.5, 0.02]) / 12.92, rtol=1e-6)


def test_the_curve_never_falls() -> None:
    x = np.linspace(-1, 2, 100_001, dtype=np.float32)
    assert (np.diff(srgb_to_linear(x)) >= 0).all()


@given(pictures, alphas)
def test_premultiplying_and_back_is_the_identity_where_there_is_alpha(color: np.ndarray, alpha: np.ndarray) -> None:
    layer = decode_layer(encode_layer(color, alpha))
    # Where alpha is tiny a half holds few bits of colour, but there the colour hardly counts.
    np.testing.assert_allclose(layer[..., :3], color * layer[..., 3:], atol=HALF)
    np.testing.assert_allclose(layer[..., 3], alpha, atol=HALF)


@given(pictures)
def test_opaque_colour_survives_to_better_than_60_db_everywhere(color: np.ndarray) -> None:
    back = decode_layer(encode_layer(color, np.ones((4, 4))))
    assert np.abs(back[..., :3] - color).max() < HALF


def test_no_alpha_no_colour() -> None:
    assert not encode_layer(np.ones((2, 2, 3)), np.zeros((2, 2))).any()
    assert not decode_layer(np.array([[[0.5, 0.5, 0.5, 0.0]]], np.float32)).any()


@given(npst.arrays(np.float32, (2, 2, 3), elements=st.floats(-1, 1, width=32)))
def test_residual_keeps_its_sign_and_size(residual: np.ndarray) -> None:
    file = encode_residual(residual)
    assert (file[..., 3] == 1).all()
    np.testing.assert_allclose(decode_residual(file), residual, atol=HALF)


def test_what_a_half_cannot_hold_becomes_the_largest_one() -> None:
    assert to_half([1e9, -1e9]).tolist() == [65504.0, -65504.0]

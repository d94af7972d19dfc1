from __future__ import annotations

import cv2
import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from backend.core.color import Floats, linear_to_srgb, srgb_to_linear
from backend.core.composite import composite, over
from backend.core.matte import (
    body_color,
    edge_alpha,
    edge_neighbours,
    edges_as_seen,
    inner_color,
    join,
    softened,
    spread,
)

H, W = 32, 40
pictures = npst.arrays(np.float32, (3, 4, 3), elements=st.floats(0, 1, width=32))
mattes = npst.arrays(np.float32, (3, 4), elements=st.floats(0, 1, width=32))


def layer(alpha: Floats, color: Floats) -> Floats:
    return np.concatenate([color * alpha[..., None], alpha[..., None]], -1)


@given(mattes, pictures, mattes, pictures, pictures)
def test_two_layers_joined_look_as_one_over_the_other(
    front_alpha: Floats, front: Floats, back_alpha: Floats, back: Floats, background: Floats
) -> None:
    alpha, color = join(front_alpha, front, back_alpha, back)
    assert alpha.min() >= 0 and alpha.max() <= 1 + 1e-6
    assert color.min() >= 0 and color.max() <= 1
    one_by_one = over(layer(front_alpha, front), over(layer(back_alpha, back), background))
    np.testing.assert_allclose(over(layer(alpha, color), background), one_by_one, atol=1e-5)


def soft_body() -> Floats:
    """The matte (H, W) of a body with a soft edge."""
    hard = np.zeros((H, W), np.float32)
    hard[8:24, 10:28] = 1
    return cv2.GaussianBlur(hard, (0, 0), 1.5)


def test_the_colour_of_a_body_is_free_of_what_shines_through_its_edge() -> None:
    alpha = soft_body()
    body, behind = np.float32([0.8, 0.3, 0.2]), np.full((H, W, 3), (0.1, 0.9, 0.4), np.float32)
    plate = alpha[..., None] * body + (1 - alpha[..., None]) * behind
    color = body_color(plate, alpha, behind)
    # Weighted by how much of it is seen.
    assert (np.abs(color - body).max(-1) * alpha).max() < 0.05
    np.testing.assert_array_equal(color[alpha > 0.96], plate[alpha > 0.96])
    assert color.min() >= 0 and color.max() <= 1


def test_a_body_that_goes_elsewhere_leaves_behind_what_shines_through_its_edge() -> None:
    alpha = soft_body()
    body, behind = np.float32([0.8, 0.3, 0.2]), np.float32([0.1, 0.9, 0.4])
    plate = alpha[..., None] * body + (1 - alpha[..., None]) * behind
    color = inner_color(plate, alpha)
    # Weighted by how much of it is seen.
    assert (np.abs(color - body).max(-1) * alpha).max() < 0.07 < (np.abs(plate - body).max(-1) * alpha).max() / 2
    np.testing.assert_array_equal(color[alpha > 0.95], plate[alpha > 0.95])
    np.testing.assert_array_equal(color[alpha == 0], plate[alpha == 0])


def test_thin_fingers_have_the_colours_of_the_plate() -> None:
    plate = np.random.default_rng(4).uniform(0, 1, (H, W, 3)).astype(np.float32)
    np.testing.assert_array_equal(inner_color(plate, 0.6 * soft_body()), plate)


def test_where_somebody_stands_in_front_an_edge_is_mixed_with_his_colours() -> None:
    front = soft_body()
    body, other = np.float32([0.8, 0.3, 0.2]), np.float32([0.2, 0.2, 0.9])
    mask = (1 - front) * (np.arange(H) > 12)[:, None]
    ground = np.full((H, W, 3), 0.5, np.float32)
    plate = mask[..., None] * body + front[..., None] * other + (1 - mask - front)[..., None] * ground
    beside = edge_neighbours(plate, mask, front, ground)
    color = body_color(plate, mask, beside)
    assert (np.abs(color - body).max(-1) * mask).max() < 0.07
    assert (np.abs(body_color(plate, mask, ground) - body).max(-1) * mask).max() > 0.12
    # Away from him it is what lies behind.
    np.testing.assert_array_equal(beside[front == 0], ground[front == 0])
    assert edge_neighbours(plate, mask, np.zeros_like(front), ground) is ground


def hard_and_soft(body: tuple[float, float, float], ground: tuple[float, float, float]) -> tuple[Floats, ...]:
    """The matte of a body, the same with a hard edge, the plate and the ground."""
    alpha, behind = soft_body(), np.full((H, W, 3), ground, np.float32)
    plate = alpha[..., None] * np.float32(body) + (1 - alpha[..., None]) * behind
    return alpha, (alpha > 0.5).astype(np.float32), plate, behind


def test_a_hard_edge_becomes_as_soft_as_the_plate_shows_it() -> None:
    alpha, hard, plate, ground = hard_and_soft((0.8, 0.3, 0.2), (0.1, 0.9, 0.4))
    soft = softened(hard[None], plate, ground)[0]
    assert soft.min() >= 0 and soft.max() <= 1
    assert np.abs(soft - alpha).sum() < 0.5 * np.abs(hard - alpha).sum()
    # What is soft already stays as it is.
    np.testing.assert_allclose(softened(alpha[None], plate, ground)[0], alpha, atol=0.1)


def test_an_edge_stays_where_body_and_ground_are_alike_or_others_are_near() -> None:
    _, hard, plate, ground = hard_and_soft((0.5, 0.5, 0.52), (0.5, 0.52, 0.5))
    np.testing.assert_allclose(softened(hard[None], plate, ground)[0], hard, atol=1e-6)
    _, hard, plate, ground = hard_and_soft((0.8, 0.3, 0.2), (0.1, 0.9, 0.4))
    everywhere = np.stack([hard, 1 - hard])
    beside = cv2.dilate(1 - hard, np.ones((3, 3), np.uint8)) > 0
    np.testing.assert_array_equal(softened(everywhere, plate, ground)[0][beside], hard[beside])
    nobody = np.zeros((1, H, W), np.float32)
    np.testing.assert_array_equal(softened(nobody, plate, ground), nobody)


def test_an_edge_that_was_mixed_in_display_values_stays() -> None:
    alpha, body, behind = soft_body(), np.float32([0.8, 0.3, 0.2]), np.full((H, W, 3), 0.5, np.float32)
    plate = alpha[..., None] * body + (1 - alpha[..., None]) * behind
    np.testing.assert_allclose(edge_alpha(plate, alpha, behind), alpha, atol=1e-6)


def test_a_bright_edge_that_was_mixed_in_linear_light_is_explained() -> None:
    alpha, behind = soft_body(), np.full((H, W, 3), (0.2, 0.3, 0.25), np.float32)
    body = np.full((H, W, 3), (0.95, 0.9, 0.3), np.float32)
    linear = alpha[..., None] * srgb_to_linear(body) + (1 - alpha[..., None]) * srgb_to_linear(behind)
    plate = linear_to_srgb(linear)
    grown = edge_alpha(plate, alpha, behind)
    explained = over(layer(grown, body_color(plate, grown, behind)), behind)
    before = over(layer(alpha, body_color(plate, alpha, behind)), behind)
    assert np.abs(explained - plate).max() < 0.05 < 0.1 < np.abs(before - plate).max()


@given(pictures, mattes, pictures)
def test_no_body_grows_into_ground_that_it_does_not_cover_at_all(plate: Floats, alpha: Floats, behind: Floats) -> None:
    grown = edge_alpha(plate, alpha, behind)
    assert (grown >= alpha).all() and (grown <= np.minimum(1, 3 * alpha + 1e-6)).all()


@given(mattes, pictures, pictures, pictures)
def test_soft_edges_show_the_plate_and_solid_bodies_stay(
    alpha: Floats, color: Floats, background: Floats, plate: Floats
) -> None:
    told = edges_as_seen(plate, background, color[None], alpha[None], alpha[None], [0])[0]
    assert told.min() >= 0 and told.max() <= 1
    np.testing.assert_array_equal(told[(alpha == 0) | (alpha == 1)], color[(alpha == 0) | (alpha == 1)])
    before, after = (np.abs(composite(background, [layer(alpha, one)]) - plate) for one in (color, told))
    assert (after <= before + 1e-5).all()
    inside = ((told > 0) & (told < 1)).all(-1) & (alpha > 0.01) & (alpha < 1)
    assert after[inside].max(initial=0) < 1e-4


def test_somebody_elses_shadow_is_not_made_up_for_by_the_edge_that_it_lies_over() -> None:
    body, shadow = soft_body(), np.zeros((H, W), np.float32)
    shadow[:, 20:] = 0.5
    edge = (body > 0.01) & (body < 1)
    alpha, color = np.stack([body, shadow]), np.zeros((2, H, W, 3), np.float32)
    color[0] = 0.4
    plate, background = np.full((H, W, 3), 0.5, np.float32), np.full((H, W, 3), 0.6, np.float32)
    told = edges_as_seen(plate, background, color, alpha, np.stack([body, np.zeros_like(body)]), [0, 1])
    dark = shadow > 0
    np.testing.assert_array_equal(told[:, dark], color[:, dark])
    assert (told[0][edge & ~dark] != color[0][edge & ~dark]).all()


def test_a_body_without_a_solid_part_has_a_colour_all_the_same() -> None:
    plate = np.full((H, W, 3), 0.5, np.float32)
    for alpha in (np.zeros((H, W), np.float32), soft_body() * np.float32(0.4)):
        color = body_color(plate, alpha, plate)
        assert np.isfinite(color).all() and color.min() >= 0 and color.max() <= 1


def test_values_are_carried_outwards_unchanged() -> None:
    known = np.zeros((H, W), np.float32)
    known[8:24, 10:28] = 1
    values = np.where(known[..., None] > 0, np.float32([0.2, 0.5, 0.7]), np.float32(9))
    carried = spread(values, known, 2.0)
    near = cv2.dilate(known, np.ones((9, 9), np.uint8)) > 0
    np.testing.assert_allclose(carried[near], np.broadcast_to([0.2, 0.5, 0.7], carried[near].shape), atol=1e-4)


def test_what_is_far_from_a_body_does_not_matter_to_it() -> None:
    rng, border = np.random.default_rng(0), 40
    plate, behind = (rng.random((H + 2 * border, W + 2 * border, 3), np.float32) for _ in range(2))
    alpha, here = np.pad(soft_body(), border), (slice(20, -20), slice(20, -20))
    near = plate[here], alpha[here], behind[here]
    body = near[1][..., None] > 0
    np.testing.assert_allclose(body_color(plate, alpha, behind)[here] * body, body_color(*near) * body, atol=1e-5)
    np.testing.assert_allclose(edge_alpha(plate, alpha, behind)[here], edge_alpha(*near), atol=1e-5)
    soft = softened(alpha[None], plate, behind)[0]
    np.testing.assert_allclose(soft[here], softened(near[1][None], near[0], near[2])[0], atol=1e-5)

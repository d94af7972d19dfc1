from __future__ import annotations

from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from backend.core.color import Floats
from backend.core.opacity import with_density, without_density
from backend.stages.effects import Effects
from backend.stages.layers import FrameLayers, frame_layers

HEIGHT, WIDTH = 48, 64


def soft_disc(x: float, y: float, radius: float) -> Floats:
    """(HEIGHT, WIDTH) with an edge two pixels wide."""
    rows, columns = np.mgrid[:HEIGHT, :WIDTH]
    return np.clip((radius - np.hypot(columns - x, rows - y)) / 2 + 0.5, 0, 1).astype(np.float32)


def layers_of(
    plate: Floats,
    masks: Floats,
    ground: Floats,
    alone: Floats,
    together: Floats,
    on_people: float = 0.0,
    order_told: bool = True,
    touching: bool = False,
) -> FrameLayers:
    """The layers of a clip of one frame, people back to front as they are numbered."""
    people = len(masks)
    footage = SimpleNamespace(plate=lambda _: plate, masks=lambda _: masks.copy(), view=(WIDTH, HEIGHT))
    told = np.full((people, people), order_told)
    shot = SimpleNamespace(
        footage=footage,
        order=[list(range(people))],
        borrowed=[[None] * people],
        touching=[np.full((people, people), touching)],
        order_told=told,
    )
    clean = SimpleNamespace(frame=lambda _: ground, observed=lambda _: np.ones((HEIGHT, WIDTH), np.float32))
    still, half = np.zeros((1, HEIGHT, WIDTH), np.float16), np.float16
    fallen = np.full((1, people, HEIGHT, WIDTH), on_people, half)
    densities = alone[None].astype(half), together[None].astype(half), together[None].astype(half)
    effects = Effects(*densities, still > 1, still, fallen, sun_known=1.0)
    shades = SimpleNamespace(lay=lambda *_: None)
    return frame_layers(shot, effects, clean, shades, 0)  # type: ignore[arg-type]


def shown_over(layers: FrameLayers) -> Floats:
    """All layers of people back to front over the background."""
    picture = layers.background
    for color, alpha in zip(layers.color, layers.alpha, strict=True):
        picture = color * alpha[..., None] + picture * (1 - alpha[..., None])
    return picture


def test_the_shadow_that_shines_through_a_soft_edge_is_not_in_the_body_as_well() -> None:
    ground = np.full((HEIGHT, WIDTH, 3), 0.7, np.float32)
    body = np.array([0.8, 0.3, 0.2], np.float32)
    mask = cv2.GaussianBlur(soft_disc(30, 24, 10), (0, 0), 1.5)
    shadow = np.full_like(ground, 0.6)
    shaded = with_density(ground, shadow)
    plate = body * mask[..., None] + shaded * (1 - mask[..., None])
    layers = layers_of(plate, mask[None], ground, shadow[None], shadow)
    assert shown_over(layers) == pytest.approx(plate, abs=0.03)


def test_a_shadow_that_falls_on_a_body_is_in_the_layer_of_who_casts_it_and_not_in_the_body() -> None:
    ground, lit = np.full((HEIGHT, WIDTH, 3), 0.7, np.float32), np.array([0.8, 0.3, 0.2], np.float32)
    further, caster = soft_disc(20, 24, 9), soft_disc(52, 24, 8)
    shadow = np.where(soft_disc(24, 24, 20) > 0, 0.5, 0)[..., None].repeat(3, -1).astype(np.float32)
    shaded = with_density(ground, shadow)
    plate = lit * np.exp(-0.5) * further[..., None] + shaded * (1 - further[..., None])
    plate = 0.1 * caster[..., None] + plate * (1 - caster[..., None])
    alone = np.stack([np.zeros_like(shadow), shadow])
    layers = layers_of(plate, np.stack([further, caster]), ground, alone, shadow, on_people=1.0)
    inside = further > 0.99
    assert layers.color[0][inside].mean(0) == pytest.approx(lit, abs=0.03)
    assert layers.alpha[1][inside].min() > 0.3
    assert shown_over(layers) == pytest.approx(plate, abs=0.03)


def test_an_edge_beside_somebody_in_front_keeps_its_own_colours() -> None:
    ground, nothing = np.full((HEIGHT, WIDTH, 3), 0.5, np.float32), np.zeros((HEIGHT, WIDTH, 3), np.float32)
    own, other = np.float32([0.8, 0.3, 0.2]), np.float32([0.2, 0.2, 0.9])
    front = soft_disc(36, 24, 10)
    further = soft_disc(24, 24, 12) * (1 - front)
    plate = (further[..., None] * own + front[..., None] * other + (1 - further - front)[..., None] * ground).astype(
        "f4"
    )
    masks, seam = np.stack([further, front]), (further > 0.1) & (front > 0.1)
    alone = np.zeros((2, HEIGHT, WIDTH, 3), np.float32)
    apart, beside = (layers_of(plate, masks, ground, alone, nothing, touching=touching) for touching in (False, True))
    assert np.abs(beside.color[0] - own)[seam].mean() < np.abs(apart.color[0] - own)[seam].mean() / 2
    assert shown_over(beside) == pytest.approx(plate, abs=0.03)


def with_a_shadow_behind(own: Floats, order_told: bool = True) -> tuple[FrameLayers, Floats]:
    """Layers of somebody before whom another's shadow, which does not fall on her, goes on; and where she is."""
    ground = np.full((HEIGHT, WIDTH, 3), 0.7, np.float32)
    further, caster = soft_disc(20, 24, 9), soft_disc(52, 24, 8)
    shadow = np.full_like(ground, 0.5)
    plate = own * further[..., None] + with_density(ground, shadow) * (1 - further[..., None])
    plate = 0.1 * caster[..., None] + plate * (1 - caster[..., None])
    masks, alone = np.stack([further, caster]), np.stack([0 * shadow, shadow])
    return layers_of(plate, masks, ground, alone, shadow, order_told=order_told), further > 0.99


def test_half_of_a_shadow_behind_a_body_lies_over_it_and_half_of_that_is_made_up_for() -> None:
    own = np.array([0.7, 0.3, 0.2], np.float32)
    layers, inside = with_a_shadow_behind(own)
    quarter = np.full(3, 0.125, np.float32)
    assert layers.color[0][inside].mean(0) == pytest.approx(without_density(own, quarter), abs=0.01)
    assert shown_over(layers)[inside].mean(0) == pytest.approx(with_density(own, quarter), abs=0.01)


def test_nothing_is_made_up_for_where_the_order_is_a_guess() -> None:
    """In another order nothing would darken her, and she would be too bright."""
    own = np.array([0.7, 0.3, 0.2], np.float32)
    layers, inside = with_a_shadow_behind(own, order_told=False)
    assert layers.color[0][inside].mean(0) == pytest.approx(own, abs=0.01)


def test_less_of_it_lies_over_a_body_that_is_too_bright_to_make_up_for_it() -> None:
    white = np.ones(3, np.float32)
    layers, inside = with_a_shadow_behind(white)
    assert layers.color[0][inside].mean(0) == pytest.approx(white, abs=0.01)
    assert shown_over(layers)[inside].mean(0) == pytest.approx(
        with_density(white, np.full(3, 0.125, np.float32)), abs=0.01
    )

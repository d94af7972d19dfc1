from __future__ import annotations

from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from backend.core.color import Floats
from backend.core.opacity import with_density
from backend.stages.effects import Effects
from backend.stages.shade import Shades

FRAMES, HEIGHT, WIDTH = 12, 96, 112
SHADED = range(4, 8)
DEPTH = 0.5
BODY, CASTER = 0, 1


def box(top: int, bottom: int, left: int, right: int) -> Floats:
    mask = np.zeros((HEIGHT, WIDTH), np.float32)
    mask[top:bottom, left:right] = 1
    return mask


def masks(index: int) -> Floats:
    """Somebody who stands and sways a little, and somebody further in front who walks by at a distance."""
    sway = index % 2
    return np.stack([box(16, 90, 40 + sway, 60 + sway), box(20, 94, 70 + 2 * index, 84 + 2 * index)])


def lit(index: int) -> Floats:
    """The plate as it would be without the shadow that falls on the body."""
    texture = np.random.default_rng(0).uniform(0.3, 0.9, (HEIGHT // 4, WIDTH // 4, 3)).astype(np.float32)
    clothes = cv2.resize(texture, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC).clip(0.2, 0.95)
    body, caster = masks(index)
    moved = np.roll(clothes, index % 2, 1)
    picture = np.full((HEIGHT, WIDTH, 3), 0.6, np.float32)
    picture = np.where(body[..., None] > 0, moved, picture)
    return np.where(caster[..., None] > 0, np.float32(0.2), picture).astype(np.float32)


def shadow(index: int) -> Floats:
    """(HEIGHT, WIDTH) 0 or 1: where the shadow falls on the body."""
    return box(50, 96, 0, WIDTH) * masks(index)[BODY] * (index in SHADED)


def plate(index: int) -> Floats:
    return with_density(lit(index), (DEPTH * shadow(index))[..., None].repeat(3, -1))


def shades(sun_known: float = 1.0, order: tuple[int, int] = (BODY, CASTER)) -> Shades:
    footage = SimpleNamespace(masks=masks, view=(WIDTH, HEIGHT), names=("body", "caster"))
    footage = type("Footage", (SimpleNamespace,), {"__len__": lambda _: FRAMES})(**vars(footage))
    shot = SimpleNamespace(footage=footage, order=[list(order)] * FRAMES, evened=plate)
    fallen = np.zeros((FRAMES, 2, HEIGHT, WIDTH), np.float16)
    fallen[:, CASTER] = np.stack([shadow(index) for index in range(FRAMES)])
    none = np.zeros((FRAMES, HEIGHT, WIDTH), np.float16)
    effects = Effects(none[:, None, ..., None], none[..., None], none[..., None], none > 0, none, fallen, sun_known)
    return Shades(shot, effects)  # type: ignore[arg-type]


def error(picture: Floats, index: int) -> float:
    """The mean error on the body where it is in the shade."""
    return float(np.abs(picture - lit(index))[shadow(index) > 0].mean())


@pytest.mark.parametrize("index", [4, 6, 7])
def test_a_body_in_the_shade_is_shown_as_in_the_light(index: int) -> None:
    assert error(shades().lit(index, BODY), index) < 0.25 * error(plate(index), index)


def test_nothing_else_changes() -> None:
    found = shades()
    np.testing.assert_array_equal(found.lit(0, BODY), plate(0))
    np.testing.assert_array_equal(found.lit(5, CASTER), plate(5))
    above = box(0, 36, 0, WIDTH) > 0
    np.testing.assert_allclose(found.lit(5, BODY)[above], plate(5)[above], atol=0.02)


def test_without_a_sun_nothing_is_said() -> None:
    found = shades(sun_known=0.0)
    np.testing.assert_array_equal(found.lit(5, BODY), plate(5))
    on_bodies = np.ones((2, HEIGHT, WIDTH, 3), np.float32)
    found.lay(on_bodies, on_bodies, 5, masks(5))
    assert (on_bodies == 1).all()


def test_a_shadow_on_a_body_is_given_where_it_falls_on_the_ground_too_and_else_a_quarter() -> None:
    on_bodies, alone = np.zeros((2, HEIGHT, WIDTH, 3), np.float32), np.zeros((2, HEIGHT, WIDTH, 3), np.float32)
    alone[CASTER, 70:] = 0.5
    shades().lay(on_bodies, alone, 5, masks(5))
    both = (shadow(5) > 0) & (alone[CASTER, ..., 0] > 0)
    inside = cv2.erode(both.astype(np.uint8), np.ones((7, 7), np.uint8)) > 0
    assert on_bodies[CASTER][inside].mean() == pytest.approx(DEPTH, abs=0.1)
    elsewhere = cv2.erode((shadow(5) > 0).astype(np.uint8), np.ones((7, 7), np.uint8)) > 0
    elsewhere[66:] = False
    assert on_bodies[CASTER][elsewhere].mean() == pytest.approx(DEPTH / 4, abs=0.03)
    assert not on_bodies[CASTER][:, : WIDTH // 8].any() and not on_bodies[BODY].any()


def test_a_shadow_from_behind_is_left_in_the_body() -> None:
    on_bodies, alone = np.zeros((2, HEIGHT, WIDTH, 3), np.float32), np.ones((2, HEIGHT, WIDTH, 3), np.float32)
    shades(order=(CASTER, BODY)).lay(on_bodies, alone, 5, masks(5))
    assert not on_bodies.any()

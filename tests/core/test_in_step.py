"""What one frame borrows from another tells of the frames before and after both."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from backend.core.bending import Comparison, Shown, compare
from backend.core.borrowing import Borrowed
from backend.core.camera import Camera
from backend.core.color import Floats
from backend.core.in_step import Places, steadied, told_together
from tests.core.dressed import dressed

H, W = 120, 90
NOBODY = np.zeros((H, W), np.float32)


def test_a_walk_that_is_borrowed_in_step_goes_on_evenly() -> None:
    shifts = [(-56.0, 0.0), (-56.0, 0.0), (-54.0, 1.0), (-56.0, 0.0), (-57.0, 0.0)]
    walk = [Borrowed(20 + t, shift) for t, shift in enumerate(shifts)]
    assert steadied(walk, at_rest(30))[2] == Borrowed(22, (-56.0, 0.0))


def test_what_is_not_borrowed_in_step_stays_where_it_fits() -> None:
    jumps = [Borrowed(20, (-56.0, 0.0)), Borrowed(9, (8.0, 1.0)), None]
    assert steadied(jumps, at_rest(30)) == jumps


def test_a_hand_that_shakes_the_camera_is_no_unevenness() -> None:
    rng = np.random.default_rng(1)
    sways = rng.integers(-9, 10, (12, 2)).astype(np.float64)
    frames = np.stack([np.array([[1, 0, x], [0, 1, y], [0, 0, 1.0]]) for x, y in sways])
    places = Places(Camera.moving_over(frames, (W, H)), np.full((12, 2), 40.0))
    # On the ground everybody moves by the same; one is off by two pixels.
    true = [tuple(np.array([30.0, 0.0]) + sways[t] - sways[6 + t]) for t in range(5)]
    walk = [Borrowed(t, (float(x) + 2 * (t == 2), float(y))) for t, (x, y) in enumerate(true)]
    even = steadied([None] * 6 + list(walk), places)
    assert even[8] == Borrowed(2, true[2])
    assert places.borrowed(2, 8, places.moved(Borrowed(2, true[2]), 8)).shift == pytest.approx(true[2])


def test_what_this_frame_hides_the_next_one_tells() -> None:
    lent, mask = body()
    here = compared(waving(2, lent), waving(2, mask), (0, 60))
    after = compared(waving(2.2, lent), waving(2.2, mask), (60, 120))
    together = told_together(here, [(1, after)])
    assert error(together, lent, 2) < 0.6 * error(here, lent, 2)


def test_a_frame_that_differs_otherwise_tells_little() -> None:
    lent, mask = body()
    here = compared(waving(2, lent), waving(2, mask), (0, 40))
    other = compared(waving(-4, lent), waving(-4, mask), (90, 120))
    together = told_together(here, [(1, other)])
    assert error(together, lent, 2) < 1.1 * error(here, lent, 2)


def test_without_others_it_stays() -> None:
    lent, mask = body()
    here = compared(waving(2, lent), waving(2, mask), (0, 60))
    together = told_together(here, [])
    np.testing.assert_allclose(together.known, here.known)
    np.testing.assert_allclose(together.ways * here.known[..., None], here.ways * here.known[..., None], atol=1e-5)


def at_rest(frames: int) -> Places:
    return Places(Camera.static(frames, (W, H)), np.full((frames, 2), 40.0))


def body() -> tuple[Floats, Floats]:
    return dressed((H, W), slice(8, 112), slice(25, 65), 5)


def waving(by: float, picture: Floats) -> Floats:
    """The same, the upper half pushed to the right by up to so many pixels, the lower half to the left."""
    y, x = np.mgrid[:H, :W].astype(np.float32)
    return np.asarray(cv2.remap(picture, x - by * np.cos(np.pi * y / H), y, cv2.INTER_LINEAR), np.float32)


def compared(plate: Floats, mask: Floats, rows: tuple[int, int]) -> Comparison:
    """With somebody in front of these rows, beside the body that stands upright."""
    front = np.zeros_like(mask)
    front[slice(*rows)] = 1
    shown = Shown(np.where(front[..., None] > 0, np.float32(0.1), plate), mask * (1 - front), front)
    found = compare(shown, Shown(*body(), NOBODY))
    assert found is not None
    return found


def error(found: Comparison, lent: Floats, by: float) -> float:
    bend = found.bend()
    assert bend is not None
    inside = np.s_[14:106, 30:60]
    return float(np.abs(waving(by, lent) - bend.applied(lent))[inside].mean())

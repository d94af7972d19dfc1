"""A borrowed body is bent onto what is visible, also where it completes what is hidden."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from backend.core.bending import Bend, Shown, bend
from backend.core.borrowing import Borrowed, moved
from backend.core.color import Floats
from tests.core.dressed import dressed

H, W = 80, 60
NOBODY = np.zeros((H, W), np.float32)


def body() -> tuple[Floats, Floats]:
    return dressed((H, W), slice(10, 70), slice(20, 40), 4)


def leant(picture: Floats, by: float) -> Floats:
    """The same, leaning to the right: by so many pixels at the top and by none at the bottom."""
    y, x = np.mgrid[:H, :W].astype(np.float32)
    return np.asarray(cv2.remap(picture, x - by * (70 - y) / 60, y, cv2.INTER_LINEAR), np.float32)


def half_hidden(plate: Floats, mask: Floats) -> Shown:
    """Somebody stands in front of the left half."""
    front = np.zeros_like(mask)
    front[:, 15:29] = 1
    return Shown(np.where(front[..., None] > 0, np.float32(0.1), plate), mask * (1 - front), front)


@pytest.mark.parametrize("by", [-2.0, 2.5])
def test_what_is_hidden_is_bent_as_what_is_seen_tells(by: float) -> None:
    plate, mask = body()
    true = leant(mask, by)
    found = bend(half_hidden(leant(plate, by), true), Shown(plate, mask, NOBODY))
    assert found is not None
    inside = np.s_[16:64, 24:28]
    before, after = (np.abs(leant(plate, by) - guess)[inside].mean() for guess in (plate, found.applied(plate)))
    assert after < 0.4 * before
    assert np.abs(found.applied(mask) - true).mean() < 0.5 * np.abs(mask - true).mean()


def test_a_body_that_fits_stays_as_it_is() -> None:
    plate, mask = body()
    assert bend(half_hidden(plate, mask), Shown(plate, mask, NOBODY)) is None


def test_where_nothing_is_seen_nothing_is_bent() -> None:
    plate, mask = body()
    assert bend(Shown(plate, NOBODY, mask), Shown(plate, mask, NOBODY)) is None
    assert bend(Shown(plate, NOBODY, NOBODY), Shown(plate, NOBODY, NOBODY)) is None


def test_a_part_that_is_bent_is_read_beside_and_the_rest_stays() -> None:
    picture = np.random.default_rng(0).random((H, W, 3)).astype(np.float32)
    ways = np.tile(np.array([1, 2], np.float16), (10, 5, 1))
    part = Bend(slice(20, 60), slice(10, 30), ways)
    found = Borrowed(0, (3.0, 0.0), part).laid(picture)
    there = moved(picture, (3, 0))
    np.testing.assert_allclose(found[20:60, 10:30], there[22:62, 11:31], atol=1e-5)
    np.testing.assert_array_equal(found[60:], there[60:])
    np.testing.assert_array_equal(found[:, 30:], there[:, 30:])
    assert Borrowed(0, (3.0, 0.0), part).laid(picture[..., 0]).shape == (H, W)

from __future__ import annotations

import numpy as np
import pytest

from backend.core.silhouettes import alike, middles

NOBODY = np.zeros((60, 80), np.uint8)


def figure(x: int, y: int) -> np.ndarray:
    """A body with its feet on row y and one arm out."""
    body = NOBODY.copy()
    body[y - 24 : y, x : x + 8] = 255
    body[y - 18 : y - 14, x + 8 : x + 16] = 255
    return body


@pytest.mark.parametrize(("x", "y"), [(20, 50), (48, 40), (33, 47)])
def test_the_same_body_elsewhere_is_found_wholly_alike(x: int, y: int) -> None:
    found, shift = alike(figure(x, y), NOBODY, figure(30, 45))
    assert found == pytest.approx(1)
    assert shift == (x - 30, y - 45)


def test_what_somebody_hides_counts_for_nothing() -> None:
    other = NOBODY.copy()
    other[:, 28:40] = 255
    half = figure(20, 50)
    half[other > 0] = 0
    found, shift = alike(half, other, figure(30, 45))
    assert found == pytest.approx(1)
    assert shift == (-10, 5)


def test_another_pose_is_less_alike() -> None:
    arms = figure(20, 50)
    arms[22:26, 4:20] = 255
    assert 0.5 < alike(arms, NOBODY, figure(20, 50))[0] < 0.9


def test_nobody_is_like_nobody() -> None:
    assert alike(NOBODY, NOBODY, figure(20, 50)) == (0.0, (0, 0))
    assert alike(figure(20, 50), NOBODY, NOBODY) == (0.0, (0, 0))


def test_a_body_at_the_border_is_compared_all_the_same() -> None:
    assert alike(figure(70, 30)[:, :80], NOBODY, figure(2, 59))[0] > 0.6


def test_the_middle_of_a_body_is_that_of_all_its_pixels_and_of_nobody_that_of_the_picture() -> None:
    bodies = np.zeros((2, 2, 60, 80), np.float32)
    bodies[0, 1, 10:21, 30:35] = 0.5
    found = middles(bodies)
    np.testing.assert_allclose(found[0, 1], [32, 15])
    np.testing.assert_allclose(found[1], [[39.5, 29.5]] * 2)

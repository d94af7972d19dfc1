"""What others hide of somebody is borrowed, and no more of it than they hide."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np

from backend.core.borrowing import Borrowed
from backend.core.color import Floats
from backend.stages.survey import whole_bodies

HEIGHT, WIDTH = 12, 16


def shot_of(masks: Floats, borrowed: list[Borrowed | None]) -> SimpleNamespace:
    """Two frames (2, 2, H, W) of somebody and of who stands in front, the first of which borrows from the second."""
    footage = SimpleNamespace(masks=lambda t: masks[t])
    touching = [np.ones((2, 2), np.bool_)] * 2
    return SimpleNamespace(footage=footage, order=[[0, 1]] * 2, touching=touching, borrowed=[borrowed, [None, None]])


def crossing() -> Floats:
    """Somebody 8 columns wide, whole in the second frame; in the first the right half is hidden, an edge is shared."""
    masks = np.zeros((2, 2, HEIGHT, WIDTH), np.float32)
    masks[1, 0, 2:10, 2:10] = 1
    masks[0, 0, 2:10, 2:6] = 1
    masks[0, :, 2:10, 6] = [[0.4], [0.6]]
    masks[0, 1, 2:10, 7:9] = 1
    # The edge of who stands in front, beside which there is ground.
    masks[0, 1, 2:10, 9] = 0.3
    return np.asarray(masks, np.float32)


def test_what_is_hidden_is_whole() -> None:
    whole = whole_bodies(shot_of(crossing(), [Borrowed(1, (0.0, 0.0)), None]), 0)  # type: ignore[arg-type]
    assert (whole[0, 2:10, 2:9] == 1).all()


def test_ground_that_is_seen_is_nobodys() -> None:
    masks = crossing()
    whole = whole_bodies(shot_of(masks, [Borrowed(1, (0.0, 0.0)), None]), 0)  # type: ignore[arg-type]
    np.testing.assert_allclose(whole[0, 2:10, 9], 0.3)
    assert not whole[0, :2].any() and not whole[0, :, 10:].any()
    np.testing.assert_array_equal(whole[1], masks[0, 1])


def test_who_borrows_nothing_is_what_is_seen() -> None:
    masks = crossing()
    np.testing.assert_array_equal(whole_bodies(shot_of(masks, [None, None]), 0), masks[0])  # type: ignore[arg-type]

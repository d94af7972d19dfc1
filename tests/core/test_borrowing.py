from __future__ import annotations

import cv2
import numpy as np
import pytest

from backend.core.bending import Shown
from backend.core.borrowing import borrow, moved, refined
from backend.core.camera import Camera
from backend.core.color import Floats
from backend.core.occlusion import covered_by
from tests.core.dressed import dressed
from tests.core.two_walkers import BACK, FRONT, H, T, W, body, crossing, in_contact, pictures


def test_the_hidden_part_of_a_walker_comes_from_frames_in_which_it_is_seen() -> None:
    whole, visible = crossing()
    contact = in_contact(visible)
    front = covered_by(visible, contact, [[BACK, FRONT]] * T)
    found = borrow(pictures(whole), visible, front, Camera.static(T, (W, H)))
    for t in range(T):
        lent = found[t][BACK]
        assert found[t][FRONT] is None
        assert (lent is None) == (not contact[t, BACK, FRONT])
        hidden = whole[t, BACK] * whole[t, FRONT]
        if lent is None or hidden.sum() < 10:
            continue
        guess = np.minimum(moved(visible[lent.frame, BACK], lent.shift), front[t, BACK])
        agreement = np.minimum(guess, hidden).sum() / np.maximum(guess, hidden).sum()
        assert agreement > 0.75, (t, lent, agreement)


def test_the_borrowed_place_follows_the_camera() -> None:
    whole, visible = crossing()
    # The same walk, seen by a camera that follows the person behind.
    follow = np.stack([np.array([[1, 0, 3.0 * t - 20], [0, 1, 0], [0, 0, 1]]) for t in range(T)])
    visible, plate = visible.copy(), pictures(whole)
    for t in range(T):
        shift = (20 - 3.0 * t, 0)
        visible[t] = [moved(mask, shift) for mask in visible[t]]
        plate[t] = moved(plate[t], shift)
    contact = in_contact(visible)
    front = covered_by(visible, contact, [[BACK, FRONT]] * T)
    found = borrow(plate, visible, front, Camera.moving_over(follow, (W, H)))
    lent = [frame[BACK] for frame in found if frame[BACK] is not None]
    assert lent
    # Followed by the camera, the person stands still in the picture.
    assert all(abs(b.shift[0]) <= 2 and abs(b.shift[1]) <= 1 for b in lent)


def completed(whole: Floats, visible: Floats) -> list[float]:
    """How well the hidden part is found in each frame that hides one, 0..1 (intersection over union)."""
    contact = in_contact(visible)
    front = covered_by(visible, contact, [[BACK, FRONT]] * T)
    found = borrow(pictures(whole), visible, front, Camera.static(T, (W, H)))
    agreements = []
    for t in range(T):
        hidden, lent = whole[t, BACK] * whole[t, FRONT], found[t][BACK]
        if hidden.sum() > 30:
            assert lent is not None, t
            guess = np.minimum(moved(visible[lent.frame, BACK], lent.shift), front[t, BACK])
            agreements.append(float(np.minimum(guess, hidden).sum() / np.maximum(guess, hidden).sum()))
    return agreements


def test_the_hidden_part_of_someone_who_jumps_is_found_at_the_height_of_the_jump() -> None:
    whole, visible = crossing()
    contact = in_contact(visible)[:, BACK, FRONT]
    # In the air in every second frame while the other passes: between the frames that show all, nothing tells of it.
    for t in np.flatnonzero(contact)[::2]:
        whole[t, BACK] = moved(whole[t, BACK], (0, -14))
    visible = whole.copy()
    visible[:, BACK] *= 1 - whole[:, FRONT]
    assert np.mean(completed(whole, visible)) > 0.85


def test_who_is_hidden_at_the_end_of_the_clip_while_jumping_does_not_go_on_into_the_sky() -> None:
    whole, _ = crossing()
    rise = [2, 4, 5, 7, 9]
    for t in range(T):
        up = rise[t - 11] if 11 <= t < 16 else 0
        whole[t, BACK] = moved(body(40, 50), (0, -up))
        # Somebody comes before who has just jumped, and stays.
        whole[t, FRONT] = body(46, 52) if t >= 16 else 0
    visible = whole.copy()
    visible[:, BACK] *= 1 - whole[:, FRONT]
    assert np.mean(completed(whole, visible)) > 0.85


def test_someone_who_is_never_whole_borrows_from_frames_that_show_the_other_half() -> None:
    whole, _ = crossing()
    whole[:, FRONT] = np.stack([body(10 + 3 * t + (6 if t < T // 2 else -6), 52) for t in range(T)])
    visible = whole.copy()
    visible[:, BACK] *= 1 - whole[:, FRONT]
    assert in_contact(visible)[:, BACK, FRONT].all()
    assert np.mean(completed(whole, visible)) > 0.6


def test_the_only_frame_that_shows_somebody_lends_to_all_others_but_itself() -> None:
    whole, visible = crossing()
    front = np.zeros_like(visible)
    front[0, BACK, 0, 0] = 1
    # Somebody fills the picture from then on.
    front[1:, BACK] = 1
    visible[1:, BACK] = 0
    lent = [frame[BACK] for frame in borrow(pictures(whole), visible, front, Camera.static(T, (W, H)))]
    assert lent[0] is None and {b.frame for b in lent[1:] if b} == {0} and all(lent[1:])


@pytest.mark.parametrize("lies", [True, False])
def test_nothing_is_borrowed_from_another_pose(lies: bool) -> None:
    whole, _ = crossing()
    whole[:, FRONT] = 0
    whole[12, FRONT, :, :50] = 1
    if lies:
        whole[12, BACK] = 0
        whole[12, BACK, 42:50, 34:80] = 1
    visible = whole.copy()
    visible[:, BACK] *= 1 - whole[:, FRONT]
    front = covered_by(visible, in_contact(visible), [[BACK, FRONT]] * T)
    found = borrow(pictures(whole), visible, front, Camera.static(T, (W, H)))
    assert (found[12][BACK] is None) == lies


def test_who_was_carried_on_for_long_is_not_looked_for_beyond_the_picture() -> None:
    long = 60 * T
    visible, front = np.zeros((long, 1, H, W), np.float32), np.zeros((long, 1, H, W), np.float32)
    for t in range(6):
        visible[t, 0] = body(10 + 9 * t, 50)
    front[-2:] = 1
    found = borrow(np.zeros((long, H, W, 3), np.float32), visible, front, Camera.static(long, (W, H)))
    assert found[-1][0] is not None
    assert all(b is None or abs(b.shift[0]) <= W + 20 for frame in found for b in frame)


def test_nothing_is_borrowed_where_nobody_is_ever_seen() -> None:
    whole, visible = crossing()
    front = np.ones_like(visible)
    assert borrow(pictures(whole), 0 * visible, front, Camera.static(T, (W, H))) == [[None, None]] * T


def test_nothing_is_borrowed_where_nothing_is_covered() -> None:
    whole, _ = crossing()
    found = borrow(pictures(whole), whole, np.zeros_like(whole), Camera.static(T, (W, H)))
    assert found == [[None, None]] * T


@pytest.mark.parametrize("reach", [3, 4, 9])
@pytest.mark.parametrize("by", [(0, 0), (2, -3), (-9, 7)])
def test_a_rough_place_is_made_exact_within_the_reach(reach: int, by: tuple[int, int]) -> None:
    plate, mask = dressed((161, 121), slice(30, 130), slice(40, 80), 6)
    front = np.zeros_like(mask)
    front[:, 50:90] = 1
    visible = moved(mask, by) * (1 - front)
    here = Shown(moved(plate, by) * visible[..., None], visible, front)
    lent = Shown(plate, mask, np.zeros_like(mask))
    rough = float(by[0] - min(reach, 7)), float(by[1] + min(reach, 7))
    assert refined(here, lent, rough, reach) == by


def test_a_moved_picture_carries_its_border_on_and_a_mask_does_not() -> None:
    ramp = np.broadcast_to(np.arange(8, dtype=np.float32)[None, :, None], (5, 8, 3)).copy()
    np.testing.assert_allclose(moved(ramp, (2, 0))[2, :, 0], [0, 0, 0, 1, 2, 3, 4, 5])
    np.testing.assert_allclose(moved(np.ones((5, 8), np.float32), (2, 0))[2], [0, 0, 1, 1, 1, 1, 1, 1])
    np.testing.assert_allclose(moved(ramp, (0.5, 0))[2, 1:, 0], np.arange(7) + 0.5)
    mask = cv2.GaussianBlur(body(40, 50), (0, 0), 1)
    np.testing.assert_allclose(moved(moved(mask, (3, -2)), (-3, 2)), mask, atol=1e-6)

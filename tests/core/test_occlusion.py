from __future__ import annotations

import cv2
import numpy as np
import pytest

from backend.core.camera import Camera
from backend.core.color import Floats
from backend.core.occlusion import Borrowed, borrow, covered_by, estimate_order, moved, steadied, touching

T, H, W = 24, 60, 110
BACK, FRONT = 0, 1


def body(left: float, feet: int, height: int = 30) -> Floats:
    """A standing person (H, W): a head on a trunk that is broader than a leg."""
    mask = np.zeros((H, W), np.float32)
    x, top = round(left), feet - height
    mask[top : top + 7, max(0, x + 3) : max(0, x + 9)] = 1
    mask[top + 7 : top + 20, max(0, x) : max(0, x + 12)] = 1
    mask[top + 20 : feet, max(0, x + 2) : max(0, x + 10)] = 1
    return mask


def crossing(feet: tuple[int, int] = (50, 52), front: int = FRONT) -> tuple[Floats, Floats]:
    """Two people who walk past each other: whole bodies and visible parts, (T, 2, H, W)."""
    whole = np.stack([[body(10 + 3 * t, feet[0]), body(85 - 3 * t, feet[1])] for t in range(T)])
    visible = whole.copy()
    visible[:, 1 - front] *= 1 - whole[:, front]
    return whole, visible


def pictures(whole: Floats, front: int = FRONT) -> Floats:
    """(T, H, W, 3): both wear clothes with stripes that move with them."""
    out = np.full((T, H, W, 3), 0.5, np.float32)
    y, x = np.mgrid[:H, :W]
    for t in range(T):
        for person in (1 - front, front):
            left = 10 + 3 * t if person == 0 else 85 - 3 * t
            stripes = 0.5 + 0.4 * np.sin((x - left) / (2 + person) + y / 5)
            color = np.stack([stripes, 0.3 + 0.4 * person + 0 * stripes, 1 - stripes], -1)
            out[t] = np.where(whole[t, person][..., None] > 0, color, out[t])
    return out


def test_people_touch_while_they_cross() -> None:
    whole, visible = crossing()
    contact = touching(visible)
    assert contact.shape == (T, 2, 2)
    assert not contact[:, [0, 1], [0, 1]].any()
    np.testing.assert_array_equal(contact[:, 0, 1], contact[:, 1, 0])
    overlap = (whole[:, 0] * whole[:, 1]).sum((1, 2)) > 0
    assert contact[overlap, 0, 1].all()
    assert not contact[0].any() and not contact[-1].any()


@pytest.mark.parametrize("front", [0, 1])
@pytest.mark.parametrize("feet", [(50, 52), (52, 50), (50, 50)])
def test_who_loses_area_is_behind_wherever_the_feet_are(feet: tuple[int, int], front: int) -> None:
    whole, visible = crossing(feet, front)
    order = estimate_order(visible, touching(visible))
    hidden = (whole[:, 0] * whole[:, 1]).sum((1, 2)) > 0
    assert {tuple(order[t]) for t in np.flatnonzero(hidden)} == {(1 - front, front)}


def test_without_contact_lower_feet_are_nearer() -> None:
    masks = np.stack([[body(10, 55), body(50, 45), body(90, 50)]] * 3)
    order = estimate_order(masks, touching(masks))
    assert order == [[1, 2, 0]] * 3


def test_a_contact_in_which_nobody_loses_area_is_judged_by_the_feet() -> None:
    masks = np.stack([[body(20 + t, 50), body(38 + t, 56)] for t in range(4)])
    contact = np.ones((4, 2, 2), bool)
    assert estimate_order(masks, contact) == [[0, 1]] * 4


def test_everybody_has_a_place_also_who_is_out_of_the_picture() -> None:
    masks = np.stack([[body(10, 50), np.zeros((H, W), np.float32), body(60, 40)]] * 4)
    masks[0, 0] = 0
    for ranking in estimate_order(masks, touching(masks)):
        assert sorted(ranking) == [0, 1, 2]
    assert estimate_order(masks[:, :1], touching(masks[:, :1])) == [[0]] * 4


def test_the_cover_is_who_stands_in_front_and_touches() -> None:
    _, visible = crossing()
    contact = touching(visible)
    cover = covered_by(visible, contact, [[BACK, FRONT]] * T)
    assert not cover[:, FRONT].any()
    for t in range(T):
        np.testing.assert_array_equal(cover[t, BACK], visible[t, FRONT] * contact[t, BACK, FRONT])


def test_the_hidden_part_of_a_walker_comes_from_frames_in_which_it_is_seen() -> None:
    whole, visible = crossing()
    contact = touching(visible)
    front = covered_by(visible, contact, [[BACK, FRONT]] * T)
    found = borrow(pictures(whole), visible, front, Camera.static(T, (W, H)))
    for t in range(T):
        lent = found[t][BACK]
        assert found[t][FRONT] is None
        assert (lent is None) == (not contact[t, BACK, FRONT])
        hidden = whole[t, BACK] * whole[t, FRONT]
        if lent is None or hidden.sum() < 10:
            continue
        assert not contact[lent.frame, BACK, FRONT]
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
    contact = touching(visible)
    front = covered_by(visible, contact, [[BACK, FRONT]] * T)
    found = borrow(plate, visible, front, Camera.moving_over(follow, (W, H)))
    lent = [frame[BACK] for frame in found if frame[BACK] is not None]
    assert lent
    # Followed by the camera, the person stands still in the picture.
    assert all(abs(b.shift[0]) <= 2 and abs(b.shift[1]) <= 1 for b in lent)


def test_nothing_is_borrowed_where_nobody_was_ever_whole() -> None:
    whole, visible = crossing()
    always = np.repeat(whole[:, FRONT][:, None], 2, 1)
    always[:, FRONT] = 0
    always[:, BACK, 0, 0] = 1
    found = borrow(pictures(whole), visible, always, Camera.static(T, (W, H)))
    assert found == [[None, None]] * T


def test_nothing_is_borrowed_where_nothing_is_covered() -> None:
    whole, _ = crossing()
    found = borrow(pictures(whole), whole, np.zeros_like(whole), Camera.static(T, (W, H)))
    assert found == [[None, None]] * T


def test_a_walk_that_is_borrowed_in_step_goes_on_evenly() -> None:
    shifts = [(-56.0, 0.0), (-56.0, 0.0), (-54.0, 1.0), (-56.0, 0.0), (-57.0, 0.0)]
    walk: list[list[Borrowed | None]] = [[Borrowed(20 + t, shift)] for t, shift in enumerate(shifts)]
    assert steadied(walk)[2] == [Borrowed(22, (-56.0, 0.0))]


def test_what_is_not_borrowed_in_step_stays_where_it_fits() -> None:
    jumps: list[list[Borrowed | None]] = [[Borrowed(20, (-56.0, 0.0))], [Borrowed(9, (8.0, 1.0))], [None]]
    assert steadied(jumps) == jumps


def test_a_moved_picture_carries_its_border_on_and_a_mask_does_not() -> None:
    ramp = np.broadcast_to(np.arange(8, dtype=np.float32)[None, :, None], (5, 8, 3)).copy()
    np.testing.assert_allclose(moved(ramp, (2, 0))[2, :, 0], [0, 0, 0, 1, 2, 3, 4, 5])
    np.testing.assert_allclose(moved(np.ones((5, 8), np.float32), (2, 0))[2], [0, 0, 1, 1, 1, 1, 1, 1])
    np.testing.assert_allclose(moved(ramp, (0.5, 0))[2, 1:, 0], np.arange(7) + 0.5)
    mask = cv2.GaussianBlur(body(40, 50), (0, 0), 1)
    np.testing.assert_allclose(moved(moved(mask, (3, -2)), (-3, 2)), mask, atol=1e-6)

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from backend.core.color import Floats
from backend.core.occlusion import Figures, Flags, covered_by, estimate_order, figures, order_told
from tests.core.two_walkers import BACK, FRONT, H, T, W, body, crossing, in_contact

FPS = 24.0


def _figures(masks: Floats, contact: Flags | None = None) -> list[Figures]:
    """Of masks (T, N, h, w), as if just those (T, N, N) touched."""
    told = [figures(frame) for frame in masks]
    if contact is None:
        return told
    return [dataclasses.replace(frame, contact=touch) for frame, touch in zip(told, contact, strict=True)]


def test_people_touch_while_they_cross() -> None:
    whole, visible = crossing()
    contact = in_contact(visible)
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
    order = estimate_order(_figures(visible), FPS)
    hidden = (whole[:, 0] * whole[:, 1]).sum((1, 2)) > 0
    assert {tuple(order[t]) for t in np.flatnonzero(hidden)} == {(1 - front, front)}


def test_what_is_lost_to_a_third_person_does_not_tell_who_is_behind() -> None:
    masks = np.stack([[body(40, 48), body(52 + t % 2, 52), np.zeros((H, W), np.float32)] for t in range(T)])
    # The one who stands lower, in front, is hidden by a third one while both touch.
    for t in range(8, 16):
        masks[t, 2] = body(58, 56)
        masks[t, 1] *= 1 - masks[t, 2]
    contact = np.zeros((T, 3, 3), np.bool_)
    contact[8:16] = in_contact(masks)[8:16]
    assert contact[10, 0, 1] and contact[10, 1, 2]
    assert {tuple(order) for order in estimate_order(_figures(masks, contact), FPS)[8:16]} == {(0, 1, 2)}


@pytest.mark.parametrize("front", [0, 1])
def test_who_never_comes_apart_is_in_front_where_the_outline_goes_on(front: int) -> None:
    """Feet level, nobody ever whole: an arm that goes behind somebody ends at that body."""
    masks = np.zeros((T, 2, H, W), np.float32)
    for t in range(T):
        masks[t, 0], masks[t, 1] = body(40, 52), body(62 + t % 2, 52)
        masks[t, front, 31:36, 46:68] = 1
        masks[t, 1 - front] *= 1 - masks[t, front]
    assert in_contact(masks).all(0)[0, 1]
    assert {tuple(order) for order in estimate_order(_figures(masks), FPS)} == {(1 - front, front)}


def test_who_jumps_is_no_further_away_for_that() -> None:
    masks = np.stack([[body(20, 50), body(60, 52 - 8 * (4 < t < 12))] for t in range(16)])
    assert estimate_order(_figures(masks), FPS) == [[0, 1]] * 16


def test_without_contact_lower_feet_are_nearer() -> None:
    masks = np.stack([[body(10, 55), body(50, 45), body(90, 50)]] * 3)
    order = estimate_order(_figures(masks), FPS)
    assert order == [[1, 2, 0]] * 3


def test_a_contact_in_which_nobody_loses_area_is_judged_by_the_feet() -> None:
    masks = np.stack([[body(20 + t, 50), body(38 + t, 56)] for t in range(4)])
    contact = np.ones((4, 2, 2), bool)
    assert estimate_order(_figures(masks, contact), FPS) == [[0, 1]] * 4


def test_who_looks_larger_during_a_contact_is_not_in_front_for_that() -> None:
    masks = np.stack([[body(20 + t, 50, 30 if t < 6 else 38), body(38 + t, 56)] for t in range(12)])
    contact = np.zeros((12, 2, 2), bool)
    contact[6:] = True
    assert estimate_order(_figures(masks, contact), FPS) == [[0, 1]] * 12


def test_everybody_has_a_place_also_who_is_out_of_the_picture() -> None:
    masks = np.stack([[body(10, 50), np.zeros((H, W), np.float32), body(60, 40)]] * 4)
    masks[0, 0] = 0
    for ranking in estimate_order(_figures(masks), FPS):
        assert sorted(ranking) == [0, 1, 2]
    assert estimate_order(_figures(masks[:, :1]), FPS) == [[0]] * 4


def test_of_who_never_touch_only_feet_at_different_heights_tell_the_order() -> None:
    masks = np.stack([[body(12, 50), body(40, 50), body(68, 40)]] * 4)
    contact = np.zeros((4, 3, 3), np.bool_)
    told = order_told(_figures(masks, contact), FPS)
    assert not told[0, 1] and told[0, 2] and told[1, 2]
    contact[2, [0, 1], [1, 0]] = True
    assert order_told(_figures(masks, contact), FPS)[0, 1]


def test_the_cover_is_who_stands_in_front_and_touches() -> None:
    _, visible = crossing()
    contact = in_contact(visible)
    cover = covered_by(visible, contact, [[BACK, FRONT]] * T)
    assert not cover[:, FRONT].any()
    for t in range(T):
        np.testing.assert_array_equal(cover[t, BACK], visible[t, FRONT] * contact[t, BACK, FRONT])

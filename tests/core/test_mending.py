from __future__ import annotations

import numpy as np

from backend.core.color import Floats
from backend.core.mending import missed_parts, trimmed

H, W = 60, 80
BODY = np.s_[10:50, 30:50]
HAND = np.s_[25:30, 50:54]
AWAY = np.s_[5:9, 2:6]
CALM = np.zeros((H, W), np.float32)


def ground() -> Floats:
    rows, columns = np.mgrid[0:H, 0:W]
    return np.stack([0.4 + 0.1 * np.sin(rows / 7), 0.5 + 0.1 * np.sin(columns / 9), 0.45 + 0 * rows], -1).astype("f4")


def flags(*areas: tuple[slice, slice]) -> Floats:
    mask = np.zeros((H, W), np.float32)
    for area in areas:
        mask[area] = 1
    return mask


def filmed(*areas: tuple[slice, slice]) -> Floats:
    plate = ground()
    for area in areas:
        plate[area] = (0.9, 0.2, 0.1)
    return plate


def explained(mask: Floats, plate: Floats) -> Floats:
    return np.where(mask[..., None] > 0.5, plate, ground())


def test_a_hand_beside_the_mask_belongs_to_the_body() -> None:
    plate, mask = filmed(BODY, HAND, AWAY), flags(BODY)
    found = missed_parts(plate, explained(mask, plate), CALM, mask[None], mask[None])[0][0]
    assert found[HAND][:, :3].min() > 0.9
    assert not found[BODY].any(), "the body is in the mask"
    assert not found[AWAY].any(), "what touches nobody is nobody's"


def test_it_belongs_to_whom_it_is_nearest_to() -> None:
    other = np.s_[10:50, 58:70]
    plate = filmed(BODY, HAND, other)
    masks = np.stack([flags(BODY), flags(other)])
    found, _ = missed_parts(plate, explained(masks.max(0), plate), CALM, masks, masks)
    assert found[0][HAND].sum() > 5 * found[1][HAND].sum()


def test_what_shows_of_somebody_hidden_is_not_given_to_who_hides_her() -> None:
    plate, front = filmed(BODY, HAND), flags(BODY)
    behind = np.zeros((H, W), np.float32)
    whole = np.stack([front, flags(np.s_[15:45, 35:55])])
    found, _ = missed_parts(plate, explained(front, plate), CALM, np.stack([front, behind]), whole)
    assert found[1][HAND].min() > 0.9 and not found[0].any()


def test_waves_are_nobodys() -> None:
    plate, mask, restless = filmed(BODY), flags(BODY), np.full((H, W), 0.03, np.float32)
    plate[45:58, 50:64] += np.float32(0.09)
    assert missed_parts(plate, explained(mask, plate), restless, mask[None], mask[None])[0].max() < 0.02


def test_a_dark_shoe_is_a_part_too() -> None:
    plate, mask = filmed(BODY), flags(BODY)
    plate[46:50, 50:54] = (0.06, 0.05, 0.04)
    alpha, color = missed_parts(plate, explained(mask, plate), CALM, mask[None], mask[None])
    assert alpha[0][46:50, 50:53].min() > 0.8
    assert color[46:50, 50:53].max() < 0.1


def test_what_is_left_of_a_shadow_keeps_its_ground() -> None:
    plate, mask = filmed(BODY), flags(BODY)
    shade = np.s_[45:58, 50:64]
    plate[shade] *= 0.7
    alpha, color = missed_parts(plate, explained(mask, plate), CALM, mask[None], mask[None])
    assert alpha.max() < 0.35, "the ground shines through"
    a = alpha[0][..., None]
    over = color * a + (1 - a) * ground()
    np.testing.assert_allclose(over[46:49, 52:54], plate[46:49, 52:54], atol=0.01)


def test_without_anybody_nothing_is_missed() -> None:
    nobody = np.zeros((1, H, W), np.float32)
    assert not missed_parts(filmed(HAND), ground(), CALM, nobody, nobody)[0].any()


def test_ground_at_the_edge_of_a_mask_is_cut_off() -> None:
    plate, wide = filmed(BODY), flags(np.s_[8:52, 28:52])
    found = trimmed(wide[None], plate, ground(), np.ones((H, W), np.float32), CALM)[0]
    assert found[BODY].min() == 1
    assert found.sum() < flags(BODY).sum() + 0.5 * (wide.sum() - flags(BODY).sum())


def test_what_lies_deep_in_a_body_stays_whatever_its_colour() -> None:
    plate, mask = filmed(BODY), flags(BODY)
    plate[28:32, 38:42] = ground()[28:32, 38:42]
    np.testing.assert_array_equal(trimmed(mask[None], plate, ground(), np.ones((H, W), np.float32), CALM)[0], mask)


def test_where_the_ground_was_never_seen_a_mask_is_believed() -> None:
    wide = flags(np.s_[8:52, 28:52])
    np.testing.assert_array_equal(trimmed(wide[None], filmed(BODY), ground(), CALM, CALM)[0], wide)

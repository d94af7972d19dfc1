"""Who covers whom: proposed from masks, written beside them, and taken by what reads them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from backend.errors import MaskError
from backend.media.depth_file import ORDER_NAME, Standing, arranged, names_at, read_order, write_order
from backend.media.masks import open_masks
from backend.media.plates import open_plate
from backend.people.depth import proposed_order
from backend.people.reorder import completed
from backend.stages.shot import read_footage
from backend.stages.survey import survey
from tests.people.walkers import wall, write_frames

FRAMES = 16


def crossing(front: int) -> np.ndarray:
    """Masks (T, h, w, 2) of two who cross on the same ground, one of them covered by the other."""
    masks = np.zeros((FRAMES, 72, 128, 2), np.float32)
    for index in range(FRAMES):
        for person, left in enumerate((10 + 6 * index, 100 - 6 * index)):
            masks[index, 20:60, left : left + 16, person] = 1
        masks[index, ..., 1 - front] *= 1 - masks[index, ..., front]
    return masks


@pytest.mark.parametrize("front", [0, 1])
def test_who_is_covered_is_behind_for_the_whole_shot(front: int) -> None:
    masks = crossing(front)
    order = proposed_order(lambda index: masks[index], ("anna", "ben"), range(5, 5 + FRAMES), 24.0)
    assert order == (Standing(5, ("ben", "anna") if front == 0 else ("anna", "ben")),)


def test_each_contact_has_an_order_of_its_own() -> None:
    masks = np.concatenate([crossing(0), crossing(1)[::-1]])
    order = proposed_order(lambda index: masks[index], ("anna", "ben"), range(1, 1 + 2 * FRAMES), 24.0)
    assert [standing.names for standing in order] == [("ben", "anna"), ("anna", "ben")]
    assert order[0].first_frame == 1 and FRAMES < order[1].first_frame < 2 * FRAMES


def test_an_order_is_read_as_written(tmp_path: Path) -> None:
    order = (Standing(1, ("anna", "ben")), Standing(9, ("ben", "anna")))
    write_order(tmp_path, order)
    assert read_order(tmp_path) == order
    assert [names_at(order, frame)[0] for frame in (1, 8, 9, 30)] == ["anna", "anna", "ben", "ben"]


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[]",
        '{"format": "other/1", "order": []}',
        '{"format": "retime-people/order-1", "order": [{"first_frame": 0, "names": ["a"]}]}',
        '{"format": "retime-people/order-1", "order": [{"first_frame": 1, "names": ["a", "a"]}]}',
        '{"format": "retime-people/order-1", "order": '
        '[{"first_frame": 2, "names": ["a"]}, {"first_frame": 1, "names": ["a"]}]}',
    ],
)
def test_what_is_no_order_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / ORDER_NAME).write_text(text)
    with pytest.raises(MaskError, match=r"order\.json is no depth order"):
        read_order(tmp_path)


def test_those_who_are_left_out_stay_where_they_are() -> None:
    assert arranged(["a", "b", "c", "d"], ["d", "x", "a"]) == ["d", "b", "c", "a"]
    old, proposed = (
        (Standing(1, ("anna", "ben")),),
        (Standing(1, ("ben", "carl", "anna")), Standing(5, ("carl", "anna", "ben"))),
    )
    assert completed(old, proposed) == (Standing(1, ("anna", "carl", "ben")), Standing(5, ("carl", "anna", "ben")))


def test_a_shot_takes_the_order_that_is_written(tmp_path: Path) -> None:
    plate = open_plate(write_frames(tmp_path / "plate", [wall(128, 72)] * FRAMES))
    for person, name in enumerate(("anna", "ben")):
        write_frames(tmp_path / "masks" / name, list(crossing(0)[..., person]))
    seen = []
    for names in (("ben", "anna"), ("anna", "ben")):
        write_order(tmp_path / "masks", [Standing(1, ("ben", "anna")), Standing(9, names)])
        (tmp_path / names[0]).mkdir()
        footage = read_footage(
            plate, open_masks(tmp_path / "masks", plate.info), tmp_path / names[0], lambda _done: None
        )
        seen.append(survey(footage, lambda _done: None, lambda _text: None).order)
    assert seen == [[[1, 0]] * FRAMES, [[1, 0]] * 8 + [[0, 1]] * 8]


def test_an_order_of_strangers_is_refused(tmp_path: Path) -> None:
    plate = open_plate(write_frames(tmp_path / "plate", [wall(128, 72)] * FRAMES))
    write_frames(tmp_path / "masks" / "anna", list(crossing(0)[..., 0]))
    write_order(tmp_path / "masks", [Standing(1, ("anna", "bob"))])
    with pytest.raises(MaskError, match="names 'bob', who has no masks"):
        open_masks(tmp_path / "masks", plate.info)

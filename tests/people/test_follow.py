"""Where somebody is while she is covered or walks out of the picture, and which way through a clip counts."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from backend.people.detect import Figure
from backend.people.evidence import boxes_of, empty_scene
from backend.people.follow import Anchors, State, _at_the_end, _carried, _keep_pace, _outside, _steady, _together
from backend.people.segmenter import Place
from backend.people.track import Track
from backend.people.tracks import doubted
from tests.people.test_evidence import scene_of
from tests.people.walkers import wall

HEIGHT, SHAPE = 100.0, (144, 256)


def upright(x: float) -> np.ndarray:
    """A body 100 pixels high, as much of it as lies in the picture."""
    mask = np.zeros(SHAPE, np.float32)
    cv2.rectangle(mask, (round(x) - 10, 20), (round(x) + 10, 120), (1.0,), -1)
    return mask


def moved(state: State, prior: np.ndarray, pace: float) -> Place:
    flow = np.zeros((*SHAPE, 2), np.float32)
    flow[..., 0] = -pace
    at_rest = state.place
    place = _carried(state, prior, flow, at_rest)
    assert place is not None
    _keep_pace(state, prior, at_rest, place)
    return place


def test_who_walks_out_of_the_picture_is_gone() -> None:
    state = State(place=Place(20.0, 70.0, HEIGHT), usual=0.2)
    seen = []
    for step in range(1, 12):
        mask = upright(20 - 4 * step)
        if mask.sum() < 20:
            break
        state.place = moved(state, mask, -4)
        seen.append(_outside(state.place, SHAPE))
    assert state.place is not None and abs(state.place.x - (20 - 4 * len(seen))) < 5
    assert not seen[0] and _outside(Place(-25.0, 70.0, HEIGHT), SHAPE)
    assert not _outside(Place(128.0, 150.0, HEIGHT), SHAPE) and _outside(Place(128.0, 190.0, HEIGHT), SHAPE)


def test_a_covered_body_is_no_smaller_and_elsewhere() -> None:
    state = State(place=Place(100.0, 70.0, HEIGHT), usual=0.21)
    half = upright(100)
    half[:, :100] = 0
    half[:60] = 0
    place = moved(state, half, 3)
    assert abs(place.x - 103) < 2 and abs(place.height - HEIGHT) < 3
    whole = moved(state, upright(110), 3)
    assert whole.x > 106


def test_who_is_hidden_goes_on_as_before() -> None:
    state = State(place=Place(100.0, 70.0, HEIGHT), usual=0.21)
    for step in range(1, 13):
        state.place = moved(state, upright(100 + 4 * step), 4)
    scraps = upright(145)
    scraps[24:] = 0
    for _ in range(6):
        # What is still taken for her moves with the one who hides her.
        state.place = moved(state, scraps, -4)
    assert abs(state.place.x - 172) < 6


@pytest.mark.parametrize(("trust", "wanted"), [(0.5, 0.5), (0.9, 0.82), (0.1, 0.18)])
def test_the_way_that_has_seen_more_counts_more(trust: float, wanted: float) -> None:
    anchors = Anchors({}, [{0: Figure(100, 70, HEIGHT, 1.0), 4: Figure(100, 70, HEIGHT, 1.0)}])
    forth, back = upright(100)[..., None], 0.5 * upright(100)[..., None]
    merged = _together(forth, back, anchors, 2, np.array([trust]))
    assert merged.max() == pytest.approx(0.5 + 0.5 * wanted, abs=0.05)


def test_a_figure_beside_somebody_lost_is_doubted() -> None:
    stays = Track({i: Figure(100, 70, HEIGHT, 1.0) for i in range(40)})
    comes = Track({i: Figure(20 + 6 * i, 70, HEIGHT, 1.0) for i in range(11)})
    figures = doubted(stays, [stays, comes]).figures
    assert all(figures[i].score == 1 for i in range(11))
    assert all(figures[i].score == 0 for i in range(11, 23))
    assert figures[30].score == 1


def test_who_is_doubted_goes_on_evenly() -> None:
    walks = {i: Figure(20 + 6 * i, 70, HEIGHT, 1.0) for i in range(36)}
    stays = Track({i: Figure(100, 70, HEIGHT, 1.0) for i in range(11)})
    # Where the other is lost, she was seen instead of the walker, or nobody.
    seen = {i: Figure(100, 70, HEIGHT, 1.0) if i in (11, 12, 13) else figure for i, figure in walks.items()}
    seen[14] = Figure(100, 70, HEIGHT, 0.0)
    figures = doubted(Track(seen), [Track(seen), stays]).figures
    assert [figures[i].score for i in (10, 11, 14, 30)] == [1, 0, 0, 1]
    assert all(abs(figures[i].x - walks[i].x) < 0.1 for i in walks)


def test_who_jumps_is_not_thought_to_go_evenly() -> None:
    jumps = Track({i: Figure(100, 70 - 20 * (i % 4), HEIGHT, 1.0) for i in range(40)})
    stays = Track({i: Figure(100, 70, HEIGHT, 1.0) for i in range(11)})
    figures = doubted(jumps, [jumps, stays]).figures
    assert figures[13].score == 0 and all(figures[i].y == jumps.figures[i].y for i in range(40))


def test_a_body_that_never_moves_is_no_ground(tmp_path: Path) -> None:
    pictures = [wall().copy() for _ in range(12)]
    for picture in pictures:
        picture[40:120, 120:140] = (0.1, 0.2, 0.6)
    scene = scene_of(pictures, tmp_path)
    boxes = boxes_of([[Figure(130, 80, 80, 1.0)] if i < 8 else [] for i in range(12)], scene.size)

    def bodies(frame: int) -> tuple[np.ndarray, np.ndarray]:
        return np.ones(SHAPE, np.float32), boxes(frame)[1]

    certain = empty_scene(scene, bodies, lambda _done: None, outlined=True).certain
    assert certain[80, 130] == 0
    assert certain[80, 20] == 0.5


def test_what_has_come_to_light_is_not_remembered() -> None:
    """A strip 20 pixels wide goes 6 pixels to the right; the ground that it leaves was hidden by it."""
    here, there = np.zeros((40, 80, 2), np.float32), np.zeros((40, 80, 2), np.float32)
    here[:, 36:56, 0] = -6
    there[:, 30:50, 0] = 6
    steady = _steady(here, there)
    assert steady[20, 40:50].min() > 0.99 and steady[20, :28].min() > 0.99
    assert steady[20, 31:35].max() < 0.01


def test_the_way_back_begins_where_the_way_forth_has_ended() -> None:
    there = Place(40.0, 70.0, HEIGHT)
    assert _at_the_end(State(mask=upright(40), place=there)).place == there
    assert _at_the_end(State(mask=None, place=there)).place is None

"""Where people are: that what is asked of the network can be read back, in which units, and that it loads."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st

from backend.people.detect import Figure, overlap
from backend.people.evidence import boxes_of, empty_scene
from backend.people.presence import INPUTS, STRIDE, PresenceNet, figures_of, people_in, target_of
from backend.people.segmenter import place_of
from pretraining.outline_scenes import OutlineScene
from tests.people.test_evidence import scene_of

_SHAPE = (32, 56)


def _as_answer(target: np.ndarray) -> np.ndarray:
    likely = np.clip(target[0], 1e-3, 1 - 1e-3)
    return np.concatenate([np.log(likely / (1 - likely))[None], target[1:4]]).astype(np.float32)


@given(st.floats(10, 210), st.floats(10, 115), st.floats(20, 110))
@example(15.5, 15.5, 20.0)
@settings(max_examples=60, deadline=None)
def test_a_body_is_read_back_where_it_was(x: float, y: float, height: float) -> None:
    found = figures_of(_as_answer(target_of([Figure(x, y, height, 1.0)], _SHAPE)))
    assert len(found) == 1
    assert abs(found[0].x - x) < 0.01 and abs(found[0].y - y) < 0.01 and abs(found[0].height - height) < 0.01
    # Least where a small body's middle lies between four cells.
    assert found[0].score > 0.55


def test_two_side_by_side_are_two_and_nobody_is_nobody() -> None:
    both = [Figure(80.0, 60.0, 60.0, 1.0), Figure(105.0, 62.0, 55.0, 1.0)]
    found = sorted(figures_of(_as_answer(target_of(both, _SHAPE))), key=lambda f: f.x)
    assert [overlap(a, b) > 0.95 for a, b in zip(found, both, strict=True)] == [True, True]
    assert figures_of(_as_answer(target_of([], _SHAPE))) == []


def test_the_network_answers_for_every_cell() -> None:
    answer = PresenceNet()(torch.zeros(2, INPUTS, 128, 224))
    assert answer.shape == (2, 4, 128 // STRIDE, 224 // STRIDE)


def test_those_who_walk_or_dance_are_seen_without_the_detector(tmp_path: Path) -> None:
    hits: list[bool] = []
    for seed in range(8):
        drawn = OutlineScene(np.random.default_rng(seed), 1, (224, 128))
        if drawn.figures[0].manner == "stands":
            continue
        (folder := tmp_path / str(seed)).mkdir()
        frames = [drawn.drawn(t / 24) for t in range(-6, 7)]
        scene = scene_of([frame[0] for frame in frames], folder)
        backdrop = empty_scene(scene, boxes_of([[] for _ in frames], scene.size), lambda _done: None)
        for index, frame in enumerate(frames):
            place = place_of(frame[2][0])
            if place is not None and frame[2].sum() > 300:
                true = Figure(place.x, place.y, place.height, 1.0)
                hits.append(any(overlap(figure, true) > 0.4 for figure in people_in(scene, backdrop, index, [])))
    assert len(hits) > 30 and np.mean(hits) > 0.6


def test_nobody_is_seen_where_nothing_moves(tmp_path: Path) -> None:
    ground = OutlineScene(np.random.default_rng(3), 1, (224, 128)).ground
    scene = scene_of([ground] * 6, tmp_path)
    backdrop = empty_scene(scene, boxes_of([[]] * 6, scene.size), lambda _done: None)
    assert people_in(scene, backdrop, 3, []) == []

"""Drawn places to learn from how ground goes on: what a lesson holds, and that a little training ends in weights."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from backend.model.ground_net import INPUTS, ground_net
from backend.model.ground_net import SIDE as SQUARE
from pretraining.common import Run
from pretraining.ground_pictures import SIDE, ground_picture
from pretraining.grounds import draw_pictures, lesson, train_grounds


def test_a_lesson_and_a_little_training(tmp_path: Path) -> None:
    torch.set_num_threads(1)
    draw_pictures(tmp_path, 1, 2)
    picture = np.load(tmp_path / "001_00000.npy")
    assert picture.shape == (SIDE, SIDE, 3) and picture.dtype == np.uint8
    inputs, answer = lesson(np.random.default_rng(0), picture)
    assert inputs.shape == (INPUTS, SQUARE, SQUARE) and answer.shape == (4, SQUARE, SQUARE)
    holes, counts = inputs[3] > 0, answer[3] > 0
    assert 0.02 < counts.mean() < 0.5 and holes[counts].all()
    known = ((inputs[:3] + 1) / 2)[:, ~holes]
    assert np.abs(known - answer[:3, ~holes]).max() < 1e-3
    train_grounds(tmp_path, tmp_path / "ground.pt", Run(2, 1e-3, 2, 0))
    ground_net(tmp_path / "ground.pt")


def test_places_differ_and_come_out_the_same_again() -> None:
    places = [ground_picture(np.random.default_rng(seed)) for seed in (1, 1, 2)]
    assert np.array_equal(places[0], places[1])
    assert np.abs(places[0].astype(float) - places[2]).mean() > 10

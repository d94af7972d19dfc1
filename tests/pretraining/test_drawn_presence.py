"""Drawn shots from which it is learned where people are: what a lesson holds, and that training ends in weights."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from backend.people.presence import INPUTS, STRIDE, presence_net
from pretraining.common import Run
from pretraining.presence import lesson, shot, train_presence


def test_a_lesson_and_a_little_training(tmp_path: Path) -> None:
    torch.set_num_threads(1)
    stored, places = shot(np.random.default_rng([3, 2]))
    assert len(stored) == len(places) and places.shape[2] == 3 and (places[..., 2] > 0).any()
    clear = int((places[..., 2] > 0).any(1).argmax())
    inputs, target = lesson(np.random.default_rng(0), stored[clear], places[clear])
    assert inputs.shape[0] == INPUTS and target.shape == (5, inputs.shape[1] // STRIDE, inputs.shape[2] // STRIDE)
    assert np.isfinite(inputs).all()
    np.savez(tmp_path / "001_00000.npz", stored=stored, places=places)
    train_presence(tmp_path, tmp_path / "presence.pt", Run(2, 1e-3, 4, 0))
    presence_net(tmp_path / "presence.pt")


def test_a_mirrored_body_stays_where_it_is_seen() -> None:
    # The body is the only bright spot; wherever a lesson puts it, the target must have its peak there.
    stored = np.zeros((128, 224, 11), np.uint8)
    stored[50:70, 60:66, :3] = 255
    shown = 0
    for seed in range(12):
        inputs, target = lesson(np.random.default_rng(seed), stored, np.array([[62.5, 59.5, 20.0]], np.float32))
        if target[4].any():
            shown += 1
            rows, columns = np.nonzero(inputs[0] > -0.5)
            row, column = np.unravel_index(target[0].argmax(), target[0].shape)
            assert abs(columns.mean() - STRIDE * (column + 0.5)) < STRIDE
            assert abs(rows.mean() - STRIDE * (row + 0.5)) < STRIDE
    assert shown > 6

"""Drawn people to learn outlines from: what a lesson holds, and that a little training ends in weights that load."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from backend.people.outline import INPUTS, SIDE, outline_net
from pretraining.outlines import lesson, pictures_of, train_outlines


def test_a_lesson_and_a_little_training(tmp_path: Path) -> None:
    torch.set_num_threads(1)
    pictures = pictures_of(np.random.default_rng([3, 1]))
    assert pictures and all(picture.shape[2] == 12 for picture in pictures)
    inputs, truth = lesson(np.random.default_rng(0), pictures[0])
    assert inputs.shape == (INPUTS, SIDE, SIDE) and truth.shape == (SIDE, SIDE)
    assert np.isfinite(inputs).all() and truth.max() > 0.9 and truth.mean() < 0.6
    np.save(tmp_path / "001_00000.npy", np.stack(pictures))
    train_outlines(tmp_path, tmp_path / "outline.pt", 2, workers=0)
    outline_net(tmp_path / "outline.pt")

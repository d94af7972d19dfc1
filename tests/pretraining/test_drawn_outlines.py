"""Drawn people to learn outlines from: what a lesson holds, and that a little training ends in weights that load."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from backend.people.outline import INPUTS, SIDE, outline_net
from pretraining.common import Run
from pretraining.figures import EXTRAS, LIMBS
from pretraining.outline_pictures import BEHIND, CERTAIN, FOUND, OWN, PICTURE, Flaws, pictures_of
from pretraining.outline_scenes import SIDE as PICTURE_SIDE
from pretraining.outline_scenes import OutlineScene
from pretraining.outline_shots import pictures_of_shot
from pretraining.outlines import lesson, train_outlines


def test_a_lesson_and_a_little_training(tmp_path: Path) -> None:
    torch.set_num_threads(1)
    pictures = pictures_of(np.random.default_rng([3, 1]))
    assert pictures and all(picture.shape[2] == FOUND + 1 for picture in pictures)
    inputs, truth = lesson(np.random.default_rng(0), pictures[0])
    assert inputs.shape == (INPUTS, SIDE, SIDE) and truth.shape == (SIDE, SIDE)
    assert np.isfinite(inputs).all() and truth.max() > 0.9 and truth.mean() < 0.6
    np.save(tmp_path / "001_00000.npy", np.stack(pictures))
    train_outlines(tmp_path, tmp_path / "outline.pt", Run(2, 1e-3, 4, 0))
    outline_net(tmp_path / "outline.pt")


def test_who_never_moves_is_in_the_empty_scene(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pretraining.outline_shots._STAYS", 1.0)
    burnt = []
    for seed in range(4):
        for picture in pictures_of_shot(np.random.default_rng([5, seed])):
            assert picture.shape == (PICTURE_SIDE, PICTURE_SIDE, FOUND + 1)
            body = (picture[..., OWN] > 250) & (picture[..., CERTAIN] < 100)
            if body.sum() > 100:
                seen, behind = (picture[body][:, part].astype(float) for part in (PICTURE, BEHIND))
                burnt.append(float(np.median(np.abs(seen - behind).max(1))) < 16)
    assert len(burnt) > 20 and np.mean(burnt) > 0.3


def test_flaws_are_the_same_in_all_frames() -> None:
    scene = OutlineScene(np.random.default_rng(8), 1)
    scene.figures[0].stay(np.random.default_rng(1))
    flaws = Flaws(np.random.default_rng(0))
    flaws.lost, flaws.gap, flaws.spilt = [*LIMBS[3], *range(EXTRAS, EXTRAS + 8)], 0.0, np.zeros((0, 4))
    for seconds in (-0.5, 0.0, 0.5):
        mask = scene.drawn(seconds)[2]
        found = flaws.of(scene, seconds, 0, mask)
        assert (found <= mask[0]).all() and 0.4 < found.sum() / mask[0].sum() < 0.98
    flaws.lost, flaws.gap = [], 0.5
    filled = flaws.of(scene, 0.0, 0, mask)
    assert (filled >= mask[0]).all() and filled.sum() > 1.02 * mask[0].sum()
    flaws.gap, flaws.spilt, flaws.one_color = 0.0, np.array([[0.3, 0.0, 0.1, 0.2]]), False
    assert flaws.of(scene, 0.0, 0, mask).sum() > 1.02 * mask[0].sum()

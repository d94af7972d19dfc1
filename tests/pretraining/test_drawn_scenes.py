"""The scenes that the shipped weights were made with."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import torch

from backend.core.opacity import density
from backend.model.prior_net import PriorNet
from backend.stages.prior import prior_net
from pretraining.examples import Format, example, write_examples
from pretraining.scenes import draw_clip
from pretraining.train import Course, Examples, evidence, loss, train_prior

SIZE = (112, 64)


def test_a_clip_adds_up() -> None:
    clip = draw_clip(np.random.default_rng(5), SIZE, 3, 2)
    assert clip.plate.shape == (3, SIZE[1], SIZE[0], 3)
    assert clip.alone.shape == (3, 2, SIZE[1], SIZE[0], 3)
    for pictures in vars(clip).values():
        assert np.isfinite(pictures).all()
        assert pictures.min() >= -1e-3 and pictures.max() <= 1 + 1e-3
    # What is seen of a person is part of the person.
    assert (clip.visible <= clip.whole + 1e-3).all()


def test_one_person_alone_is_everybody_together() -> None:
    clip = draw_clip(np.random.default_rng(6), SIZE, 2, 1)
    assert np.allclose(clip.alone[:, 0], clip.together, atol=1e-6)


def test_the_same_seed_draws_the_same() -> None:
    first, second = (draw_clip(np.random.default_rng(7), SIZE, 2, 2) for _ in range(2))
    assert np.array_equal(first.plate, second.plate)


def test_training_takes_steps_and_leaves_weights(tmp_path: Path) -> None:
    write_examples(tmp_path / "clips", 1, 2, formats=[Format((48, 32), 6)], per_file=2)
    weights = tmp_path / "prior.pt"
    train_prior(tmp_path / "clips", weights, Course(2))
    stored = torch.load(weights, weights_only=True)
    assert stored.keys() == PriorNet().state_dict().keys()


def test_the_shipped_weights_find_shadows_in_scenes_they_have_not_seen(tmp_path: Path) -> None:
    write_examples(tmp_path, 99, 8, formats=[Format(SIZE, 6)], per_file=4)
    examples = Examples(tmp_path)
    assert examples.look() == 8
    found = nothing = 0.0
    batches = examples.batches(torch.Generator().manual_seed(0), 2)
    for batch in itertools.islice(batches, 8):
        with torch.no_grad():
            inputs = evidence(batch, torch.zeros(()))
            found += float(loss(*prior_net()(inputs.features()), batch))
            nothing += float(loss(torch.zeros_like(batch["alone"]), torch.zeros_like(batch["together"]), batch))
    assert found < 0.8 * nothing


def test_an_example_holds_what_is_asked_for() -> None:
    values = example(np.random.default_rng(8), Format((48, 32), 3), 2)
    assert values["alone"].shape == (3, 2, 32, 48, 3)
    found = density(values["plate"].astype(np.float32), values["background"].astype(np.float32))
    assert np.isfinite(found).all()

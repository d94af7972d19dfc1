"""Whose a pixel is where two people pass each other."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from backend.media.frame_store import FrameStore
from backend.people.recognised import recognised
from tests.people.test_evidence import scene_of
from tests.people.walkers import clip

FRAMES = 18


@pytest.fixture(scope="module")
def shot(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[np.ndarray], np.ndarray, Path]:
    pictures, masks = clip(FRAMES)
    return pictures, masks.transpose(1, 2, 3, 0), tmp_path_factory.mktemp("recognised")


def found_of(shot: tuple[list[np.ndarray], np.ndarray, Path], masks: np.ndarray, drawn: set[int]) -> np.ndarray:
    pictures, _, folder = shot
    store = FrameStore.create(folder / "found.raw", iter(np.round(masks * 255) / 255), FRAMES)
    told: list[float] = []
    out = recognised(scene_of(pictures, folder), store, drawn, folder / "out.raw", told.append)
    assert told == sorted(told) and told[0] == 0
    return np.stack([out.frame(index) for index in range(FRAMES)])


def overlap(one: np.ndarray, other: np.ndarray) -> float:
    a, b = one > 0.5, other > 0.5
    return float((a & b).sum() / max(1, (a | b).sum()))


def beside_each_other(masks: np.ndarray) -> int:
    """A frame in which the two touch and both are seen well."""
    touching = [index for index in range(FRAMES) if masks[index].sum((0, 1)).min() > 0.6 * masks[0].sum((0, 1)).min()]
    return min(touching, key=lambda index: abs(index - FRAMES // 2))


def test_what_was_taken_for_the_other_is_given_back(shot: tuple[list[np.ndarray], np.ndarray, Path]) -> None:
    truth = shot[1]
    at = beside_each_other(truth)
    wrong = truth.copy()
    # The front half of the one was taken for the other.
    middle = int(np.average(np.arange(truth.shape[2]), weights=truth[at, ..., 0].sum(0)))
    part = np.zeros(truth.shape[1:3], np.bool_)
    part[:, middle:] = truth[at, :, middle:, 0] > 0.5
    wrong[at, part] = wrong[at, part][:, ::-1]
    found = found_of(shot, wrong, set())
    before, after = (min(overlap(m[at, ..., p], truth[at, ..., p]) for p in (0, 1)) for m in (wrong, found))
    assert before < 0.75 and after > before + 0.1
    assert (np.abs(found.sum(-1) - wrong.sum(-1)) < 0.01).all()


def test_who_is_apart_or_drawn_stays(shot: tuple[list[np.ndarray], np.ndarray, Path]) -> None:
    truth = np.round(shot[1] * 255) / 255
    apart = [0, 1, FRAMES - 1]
    np.testing.assert_allclose(found_of(shot, truth, set())[apart], truth[apart], atol=1e-6)
    np.testing.assert_allclose(found_of(shot, truth, set(range(FRAMES))), truth, atol=1e-6)


def test_true_masks_stay_as_true_as_they_are(shot: tuple[list[np.ndarray], np.ndarray, Path]) -> None:
    truth = shot[1]
    found = found_of(shot, truth, set())
    for person in (0, 1):
        mean = np.mean([overlap(found[t, ..., person], truth[t, ..., person]) for t in range(FRAMES)])
        assert mean > 0.97


def test_people_who_are_never_apart_stay_as_found(shot: tuple[list[np.ndarray], np.ndarray, Path]) -> None:
    truth = np.round(shot[1] * 255) / 255
    together = np.repeat(truth[beside_each_other(truth)][None], FRAMES, 0)
    np.testing.assert_allclose(found_of(shot, together, set()), together, atol=1e-6)

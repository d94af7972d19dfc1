"""Outlines: the way into the square and back, what spoils masks, and what the network that ships makes of them."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from backend.people.evidence import contrasted
from backend.people.outline import INPUTS, SIDE, OutlineNet, View, clues, inputs_of, outline_net, outlined
from backend.people.refine import refined
from backend.people.roughen import roughened
from backend.people.segmenter import Place, body_place
from tests.people.walkers import clip, iou, wall


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


@pytest.mark.parametrize("height", [40.0, 110.0, 240.0])
def test_what_is_cut_comes_back_where_it_was(height: float) -> None:
    rows, columns = np.mgrid[:200, :300]
    disc = (np.hypot(rows - 90, columns - 140) < height / 4).astype(np.float32)
    view = View.around(Place(140.0, 90.0, height))
    square = view.cut(disc[..., None])[..., 0]
    assert square.shape == (SIDE, SIDE)
    assert iou(view.back(square, (300, 200), 0), disc) > 0.93
    rows, columns = np.nonzero(square > 0.5)
    assert abs(rows.mean() - (SIDE - 1) / 2) < 0.6 and abs(columns.mean() - (SIDE - 1) / 2) < 0.6


def seen(index: int = 3) -> tuple[np.ndarray, np.ndarray]:
    """The clues of one frame, and the true masks (2, h, w)."""
    pictures, masks = clip(8)
    behind, shape = wall(), wall().shape[:2]
    evidence = contrasted(pictures[index], behind, np.full(shape, 0.004, np.float32), np.ones(shape, np.float32))
    still = np.zeros(shape, np.float32)
    return clues(pictures[index], behind, evidence, still, still), masks[:, index]


def test_rough_masks_become_exact() -> None:
    look, truth = seen()
    rng = np.random.default_rng(1)
    gained = []
    for _ in range(4):
        rough = np.stack([roughened(rng, t, truth[1 - n], look[..., 6]) for n, t in enumerate(truth)], -1)
        exact = outlined([outline_net()] * 2, look, rough, [body_place(mask) for mask in rough.transpose(2, 0, 1)])
        assert exact.shape == rough.shape and exact.sum(2).max() < 1.001
        gained += [iou(exact[..., n], t) - iou(rough[..., n], t) for n, t in enumerate(truth)]
    assert np.mean(gained) > 0.02


def test_nobody_stays_nobody() -> None:
    look, truth = seen()
    rough = np.stack([truth[0], np.zeros_like(truth[0])], -1)
    exact = outlined([outline_net()] * 2, look, rough, [body_place(truth[0]), None])
    assert exact[..., 1].max() < 1e-6


class Doubtful(OutlineNet):
    """Takes everything rather for ground."""

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        return torch.full((len(inputs), SIDE, SIDE), -1.0)


@pytest.mark.parametrize(("shadow", "somebody"), [(0.0, True), (1.0, False)])
def test_what_is_no_ground_between_two_people_is_somebodys(shadow: float, somebody: bool) -> None:
    look = np.zeros((120, 160, INPUTS - 2), np.float32)
    look[..., 6], look[..., 7], look[..., 8] = 1.0, shadow, 1.0
    rough = np.zeros((120, 160, 2), np.float32)
    rough[20:100, 60:75, 0] = rough[20:100, 79:94, 1] = 0.6
    exact = outlined([Doubtful(), Doubtful()], look, rough, [body_place(mask) for mask in rough.transpose(2, 0, 1)])
    total = exact.sum(2)
    assert (total[60, 77] > 0.5) == somebody
    # Beside one of them alone, only the network says what is hers.
    assert total[60, 45] < 0.5


def test_drawn_masks_teach_a_network_of_each_person(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("backend.people.refine._STEPS_ALONE", 20)
    look, truth = seen()
    maps = np.concatenate([look, truth[0][..., None], truth[1][..., None]], -1)
    place = body_place(truth[0])
    assert place is not None
    square = View.around(place).cut(maps)
    inputs = torch.from_numpy(inputs_of(square[..., :-2], square[..., -2], square[..., -1]))[None]
    assert inputs.shape == (1, INPUTS, SIDE, SIDE)
    same = refined(1, {}, lambda _: look)[0](inputs)
    assert torch.equal(same, outline_net()(inputs))
    taught, _, stranger = refined(3, {0: {3: truth[0]}, 1: {3: truth[1]}}, lambda _: look)
    assert stranger is not taught
    wanted = torch.from_numpy((square[..., -2] > 0.5).astype(np.float32))[None]
    loss = torch.nn.functional.binary_cross_entropy_with_logits
    with torch.no_grad():
        assert loss(taught(inputs), wanted) < loss(outline_net()(inputs), wanted)


def test_spoiling_needs_a_body_and_is_repeatable() -> None:
    _, truth = seen()
    nothing = np.zeros_like(truth[0])
    assert roughened(np.random.default_rng(0), nothing, truth[1], truth[1]) is nothing
    first, again = (roughened(np.random.default_rng(2), truth[0], truth[1], truth[1]) for _ in range(2))
    assert np.array_equal(first, again) and first.min() >= 0 and first.max() <= 1

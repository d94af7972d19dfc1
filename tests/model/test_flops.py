"""Counting arithmetic."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from backend.model.flops import AnswerFlops
from backend.model.ground_net import INPUTS, SIDE, GroundNet
from backend.model.prior_net import FEATURES, PriorNet


@torch.no_grad()
@pytest.mark.parametrize(
    "net, seen",
    [(PriorNet(width=4), torch.rand(1, 2, 2, FEATURES, 32, 48)), (GroundNet(), torch.rand(1, INPUTS, SIDE, SIDE))],
)
def test_as_many_as_the_counter_of_torch_finds(net: nn.Module, seen: Tensor) -> None:
    with AnswerFlops() as ours:
        net(seen)
    with FlopCounterMode(display=False) as torchs:
        net(seen)
    assert ours.total == torchs.get_total_flops() > 0

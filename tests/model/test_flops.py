"""Counting arithmetic."""

from __future__ import annotations

import torch
from torch.utils.flop_counter import FlopCounterMode

from backend.model.flops import AnswerFlops
from backend.model.prior_net import FEATURES, PriorNet


@torch.no_grad()
def test_as_many_as_the_counter_of_torch_finds() -> None:
    net, features = PriorNet(width=4), torch.rand(1, 2, 2, FEATURES, 32, 48)
    with AnswerFlops() as ours:
        net(features)
    with FlopCounterMode(display=False) as torchs:
        net(features)
    assert ours.total == torchs.get_total_flops() > 0

"""Networks with the weights that ship with the product."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TypeVar

import torch
from torch import Tensor, nn

Net = TypeVar("Net", bound=nn.Module)


def with_weights(net: Net, weights: Path) -> Net:
    """The network ``net``, given weights that are stored in half precision, ready to answer."""
    net.load_state_dict(_stored(weights))
    return net.eval().to(memory_format=torch.channels_last)  # type: ignore[call-overload,no-any-return]


@cache
def _stored(weights: Path) -> dict[str, Tensor]:
    stored = torch.load(weights, map_location="cpu", weights_only=True)
    return {name: value.float() for name, value in stored.items()}

"""Counts the arithmetic of a network that only answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch.nn import functional as F
from torch.overrides import TorchFunctionMode
from torch.utils.flop_counter import addmm_flop, conv_flop, sdpa_flop


class AnswerFlops(TorchFunctionMode):
    """Counts by torch's own formulas what convolutions, linear layers and attention take on the way forward.

    ``FlopCounterMode`` counts the way back, too, but loads torch's compiler first, which takes longer than an answer.
    """

    def __init__(self) -> None:
        super().__init__()
        self.total = 0

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        out = func(*args, **(kwargs or {}))
        if func is F.conv2d:
            picture, weight = args[:2]
            self.total += conv_flop(picture, weight, None, None, None, None, False, out_val=out)
        elif func is F.linear:
            values, weight, bias = args
            self.total += addmm_flop(bias, values.flatten(0, -2), weight.T, out_val=out)
        elif func is F.scaled_dot_product_attention:
            self.total += sdpa_flop(*args[:3], out_val=out)
        return out

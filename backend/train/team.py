"""Several processes, started by torchrun, that share the frames of every training step."""

from __future__ import annotations

import contextlib
import datetime
import importlib
import os
from collections.abc import Iterable
from enum import IntEnum
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn

# The others wait while the first process reads the clip and cleans its background.
_PATIENCE = datetime.timedelta(hours=6)


class Order(IntEnum):
    """What the first process wants of the others next."""

    DISMISS = 0
    BEGIN = 1
    STEP = 2
    BACKGROUND = 3


class Team:
    """One process of several with the same weights; each sees some of a step's frames, and gradients are added up.

    The first leads: it alone reads, watches, estimates the background and writes. Alone, all of this does nothing.
    """

    def __init__(self, rank: int = 0, size: int = 1, local_rank: int = 0) -> None:
        self.rank, self.size, self._local_rank = rank, size, local_rank

    @classmethod
    def from_environment(cls) -> Team:
        """The team that torchrun has started this process in; nobody else without it."""
        size = int(os.environ.get("WORLD_SIZE", "1"))
        if size == 1:
            return cls()
        team = cls(int(os.environ["RANK"]), size, int(os.environ.get("LOCAL_RANK", "0")))
        # Its functions keep the group that is there when they are defined. Were the optimiser to import them later, the
        # group's threads would outlive the team, and Python now and then aborts when it ends with them running.
        importlib.import_module("torch.distributed.nn")
        # Orders and data travel over gloo, which takes tensors of the processor; gradients of a card over its own way.
        dist.init_process_group("cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo", timeout=_PATIENCE)
        return team

    @property
    def leads(self) -> bool:
        """True for the process that reads and writes."""
        return self.rank == 0

    def device(self, chosen: torch.device) -> torch.device:
        """This process's own card where there are several."""
        if chosen.type == "cuda" and self.size > 1:
            return torch.device("cuda", self._local_rank)
        return chosen

    def part(self, frames: Tensor) -> Tensor:
        """This process's share of a step's frames."""
        return frames[self.rank :: self.size]

    def order(self, order: Order = Order.DISMISS) -> Order:
        """Tell the others what comes next; whoever does not lead hears it."""
        if self.size == 1:
            return order
        told = torch.tensor([int(order)])
        dist.broadcast(told, 0)
        return Order(int(told))

    def share(self, content: Any = None) -> Any:
        """What the first process gives to everybody."""
        if self.size == 1:
            return content
        box = [content]
        dist.broadcast_object_list(box, 0)
        return box[0]

    def add_gradients(self, parameters: Iterable[nn.Parameter], share: float) -> None:
        """Add up everybody's gradients, so that all take the same step; this process counts by its share."""
        if self.size == 1:
            return
        gradients = [p.grad for p in parameters if p.grad is not None]
        flat = share * torch.cat([gradient.reshape(-1) for gradient in gradients])
        dist.all_reduce(flat)
        parts = torch.split(flat, [gradient.numel() for gradient in gradients])
        for gradient, part in zip(gradients, parts, strict=True):
            gradient.copy_(part.view_as(gradient))

    def add(self, value: Tensor) -> Tensor:
        """The sum of everybody's value."""
        if self.size > 1:
            dist.all_reduce(value)
        return value

    def leave(self) -> None:
        """Send the others home."""
        if self.size > 1:
            # After a fault of one, the others may have left already.
            with contextlib.suppress(RuntimeError):
                if self.leads:
                    self.order(Order.DISMISS)
            dist.destroy_process_group()

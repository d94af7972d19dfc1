"""The arithmetic of a training step, recorded on a CUDA card once and then played back."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Generic, TypeVar

import torch
from torch import Tensor

# Steps before the recording: by then everything that is made only once has been made.
_WARM_UP = 3

_log = logging.getLogger(__name__)

T = TypeVar("T")


class Recorded(Generic[T]):
    """Calls ``work(frames, far)``; from the fourth call on its kernels are played back as one CUDA graph.

    A step launches some six hundred small kernels and waits for the processor most of the time. ``work`` must read the
    same tensors and give results of the same shapes every time; what it gives is overwritten by the next call.
    Where a card or its driver can't record, every call does the work anew: slower, not wrong.
    """

    def __init__(self, work: Callable[[Tensor, Tensor], T]) -> None:
        self._work, self._calls, self._recordable = work, 0, True
        self._aside = torch.cuda.Stream()  # type: ignore[no-untyped-call]
        self._graph = torch.cuda.CUDAGraph()

    def __call__(self, frames: Tensor, far: Tensor) -> T:
        """As ``work``, for tensors of the same shapes every time."""
        self._calls += 1
        if not self._recordable:
            return self._work(frames, far)
        if self._calls <= _WARM_UP:
            # A recording is made aside, and gradients want to be added up where they were at first.
            self._aside.wait_stream(torch.cuda.current_stream())
            with torch.cuda.stream(self._aside):
                result = self._work(frames, far)
            torch.cuda.current_stream().wait_stream(self._aside)
            return result
        if self._calls == _WARM_UP + 1:
            self._frames, self._far = frames.clone(), far.clone()
            try:
                with torch.cuda.graph(self._graph, stream=self._aside):
                    self._result = self._work(self._frames, self._far)
            except torch.OutOfMemoryError:
                # Fewer frames at a time help with that.
                raise
            except RuntimeError:
                _log.warning("The graphics card could not record a step; going on without", exc_info=True)
                self._recordable = False
                return self._work(frames, far)
        self._frames.copy_(frames)
        self._far.copy_(far)
        self._graph.replay()
        return self._result

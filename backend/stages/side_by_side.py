"""Frames that don't depend on each other, worked on side by side."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

# Every frame in work needs its own memory.
_MOST_WORKERS = 4

T = TypeVar("T")


def in_order(work: Callable[[int], T], count: int) -> Iterator[T]:
    """The results of ``work(0)`` to ``work(count - 1)``, in this order, computed in a few threads.

    NumPy, OpenCV and OpenEXR let go of the interpreter while they compute. When the caller stops, or a frame fails,
    what is in work is finished and no more is begun.
    """
    workers = min(_MOST_WORKERS, os.cpu_count() or 1)
    pool = ThreadPoolExecutor(workers)
    waiting: deque[Future[T]] = deque()
    try:
        for index in range(count):
            waiting.append(pool.submit(work, index))
            if len(waiting) > workers:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)

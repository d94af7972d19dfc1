"""What does not depend on each other, such as frames, worked on side by side."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

# What all frames in work may take together.
_MEMORY = 4 << 30

S = TypeVar("S")
T = TypeVar("T")


def in_order(work: Callable[[int], T], count: int, memory: int = 0) -> Iterator[T]:
    """The results of ``work(0)`` to ``work(count - 1)``, see ``over``."""
    return over(work, range(count), memory)


def over(work: Callable[[S], T], items: Iterable[S], memory: int = 0) -> Iterator[T]:
    """The results of ``work`` for all items, in their order, computed in as many threads as there are cores.

    In fewer where they would need too much memory together: ``memory`` is what each needs at most, in bytes. NumPy,
    OpenCV and OpenEXR let go of the interpreter while they compute. When the caller stops, or an item fails, what is in
    work is finished and no more is begun.
    """
    workers = max(1, min(os.cpu_count() or 1, _MEMORY // max(1, memory)))
    pool = ThreadPoolExecutor(workers)
    waiting: deque[Future[T]] = deque()
    try:
        for item in items:
            waiting.append(pool.submit(work, item))
            if len(waiting) > workers:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)

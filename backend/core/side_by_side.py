"""What does not depend on each other, such as frames, worked on side by side."""

from __future__ import annotations

import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context, parent_process
from multiprocessing.process import BaseProcess
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


def in_processes(work: Callable[[S], T], items: Sequence[S]) -> list[T]:
    """The results of ``work`` for all items, each in a process of its own, as many at a time as there are cores.

    For what takes seconds and comes out differently when threads do it side by side. ``work`` is a module's function;
    it and the items are sent, so they should be small. Where no processes can be had, it is done here, one by one.
    """
    workers = min(os.cpu_count() or 1, len(items))
    if workers > 1:
        try:
            # Not forked: threads of the libraries of numbers do not survive that.
            with ProcessPoolExecutor(workers, get_context("spawn"), _settle_process) as pool:
                return list(pool.map(work, items))
        except (OSError, BrokenProcessPool):
            pass
    return [work(item) for item in items]


def _settle_process() -> None:
    """One thread for each process; and Ctrl-C is for the one that they work for."""
    os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", MKL_NUM_THREADS="1")
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with, args=[parent_process()], daemon=True).start()


def _end_with(parent: BaseProcess | None) -> None:
    """Or else, when that one is killed, its processes would wait for work for ever."""
    if parent is not None:
        parent.join()
        os._exit(1)

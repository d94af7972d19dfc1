"""What the libraries of numbers are told once, for the whole life of a process."""

from __future__ import annotations

import contextlib
import ctypes
import sys

# From malloc.h of the GNU C library, with the values that they get here: everything comes from one heap, blocks up to
# 1 GiB too, and as much of it is kept when it is freed.
_OPTIONS = {-8: 1, -3: 1 << 30, -1: 1 << 30}  # M_ARENA_MAX, M_MMAP_THRESHOLD, M_TRIM_THRESHOLD


def settle_libraries() -> None:
    """Let the libraries of numbers take and set what they need for their whole life."""
    import numpy as np
    import torch
    from threadpoolctl import threadpool_limits

    # NumPy warns when it looks at its numbers for the first time and finds the smallest of them gone.
    for kind in (np.float32, np.float64):
        np.finfo(kind)
    # Numbers too small to matter cost a hundred times the time of others in the processor.
    torch.set_flush_denormal(True)
    keep_freed_memory()
    # Frames are worked on side by side already. Where each has NumPy's linear algebra work in threads of its own, those
    # wait for one another: writing layers took 17 s instead of 11 on two cores.
    threadpool_limits(1, user_api="blas")
    # Linear algebra takes its memory at the first use; where there is none left by then, it waits for ever.
    np.linalg.solve(np.eye(2), np.eye(2))


def keep_freed_memory() -> None:
    """Let pictures that are freed make room for the next ones, where the GNU C library gives out the memory.

    Otherwise every large array comes from the system and goes back to it, page by page, which took 3 to 7 % of the time
    of a training step on two cores and 12 % of that of writing layers of 1920 x 1080; the peak is no higher.
    """
    if sys.platform != "linux":
        return
    # Other C libraries have no such function.
    with contextlib.suppress(OSError, AttributeError):
        mallopt = ctypes.CDLL(None).mallopt
        for option, value in _OPTIONS.items():
            mallopt(option, value)

"""What a decomposition has cost and how well it fits."""

from __future__ import annotations

import math
import sys


def peak_memory_bytes() -> int | None:
    """The most memory this process has held at once; None where the system does not tell."""
    if sys.platform == "win32":
        return None
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def psnr(mean_squared_error: float) -> float:
    """Peak signal-to-noise ratio in dB for display values 0..1; at most 99."""
    return min(99.0, -10 * math.log10(max(mean_squared_error, 1e-10)))

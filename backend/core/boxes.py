"""Boxes around what there is in a picture."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt


def box_of(flags: npt.NDArray[np.bool_], margin: int = 0) -> tuple[slice, slice]:
    """The rows and columns of (H, W) flags that hold all True, and so many more on all sides; empty where none is."""

    def span(there: npt.NDArray[np.bool_]) -> slice:
        found = np.flatnonzero(there)
        if not found.size:
            return slice(0)
        return slice(max(0, int(found[0]) - margin), min(len(there), int(found[-1]) + 1 + margin))

    return span(flags.any(1)), span(flags.any(0))

"""The frames in which somebody looks most as in another frame, told by small silhouettes."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from backend.core.borrowing import Borrowed
from backend.core.silhouettes import Bytes, alike, others

# Silhouettes are compared at this width.
_WIDTH = 112
# So many of the nearest frames are looked at; silhouettes that are this much the same are alike.
_LOOKED_AT, _ALIKE = 60, 0.6


def silhouette_size(size: tuple[int, int]) -> tuple[int, int]:
    """(w, h) at which silhouettes from pictures of ``size`` (W, H) are compared."""
    scale = min(1.0, _WIDTH / size[0])
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def lookalikes(
    bodies: Callable[[int], Bytes], person: int, index: int, frames: NDArray[np.intp], width: int, count: int
) -> list[Borrowed]:
    """From the given ``frames``, those that show somebody most as frame ``index`` does, moved onto it, best first.

    Args:
        bodies: gives the silhouettes (N, h, w) 0..255 of a frame.
        person: whose.
        index: the frame to look like.
        frames: the frames that may be taken.
        width: W of the pictures that are to be moved.
        count: how many frames at most.
    """
    nearest = frames[np.argsort(np.abs(frames - index), kind="stable")[:_LOOKED_AT]].tolist()
    here = bodies(index)
    mine, hiding = here[person], others(here, person)
    fits = sorted(((*alike(mine, hiding, bodies(s)[person]), s) for s in nearest if s != index), reverse=True)
    scale = width / mine.shape[1]
    return [Borrowed(s, (scale * dx, scale * dy)) for iou, (dx, dy), s in fits[:count] if iou > _ALIKE]

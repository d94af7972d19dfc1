"""Who covers whom, proposed from the masks that were found."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import cv2
import numpy as np

from backend.core.color import Floats
from backend.core.occlusion import estimate_order, figures
from backend.media.depth_file import Order, Standing, shortened

# Silhouettes are compared at this many pixels across.
_ANALYSIS_WIDTH = 224


def proposed_order(masks: Callable[[int], Floats], names: Sequence[str], frames: range, fps: float) -> Order:
    """The depth order of a shot in as few changes as the contacts between people ask for.

    Args:
        masks: gives the masks (h, w, N) of a frame by its index, 0..1.
        names: of the people, as in the masks.
        frames: numbers of the frames.
        fps: frames per second.
    """
    people = [figures(_small(masks(index))) for index in range(len(frames))]
    ranking = estimate_order(people, fps)
    found: list[Standing] = []
    now: list[int] | None = None
    for index, number in enumerate(frames):
        pairs = np.argwhere(people[index].contact)
        if len(pairs) and (now is None or any(_differ(now, ranking[index], a, b) for a, b in pairs.tolist())):
            now = ranking[index]
            # What the first contact asks for held before it too.
            found.append(Standing(number if found else frames[0], tuple(names[i] for i in now)))
    return shortened(found or [Standing(frames[0], tuple(names[i] for i in ranking[0]))])


def _differ(one: list[int], other: list[int], a: int, b: int) -> bool:
    return (one.index(a) < one.index(b)) != (other.index(a) < other.index(b))


def _small(masks: Floats) -> Floats:
    """Masks (N, h, w) at the size for the comparison."""
    scale = min(1.0, _ANALYSIS_WIDTH / masks.shape[1])
    size = max(1, round(masks.shape[1] * scale)), max(1, round(masks.shape[0] * scale))
    planes = [np.ascontiguousarray(plane) for plane in masks.transpose(2, 0, 1)]
    return np.stack([cv2.resize(plane, size, interpolation=cv2.INTER_AREA) for plane in planes])

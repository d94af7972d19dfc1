"""Which source frame is shown at which output frame, and where the camera would have seen it."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from backend.core.color import Floats

Times = npt.NDArray[np.float64]


class InvalidMap(ValueError):
    """A frame map that can't be followed; the text says which entry and why."""


def check_map(values: object, first: int, last: int) -> Times:
    """A frame map as an array: for each output frame the source frame, whole or fractional, ``first`` to ``last``.

    Raises:
        InvalidMap: not a list of numbers, empty, or with an entry outside the frames there are.
    """
    if not isinstance(values, list) or not values:
        raise InvalidMap("it is not a list of source frames with at least one entry")
    for position, value in enumerate(values, 1):
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise InvalidMap(f"entry {position} is {str(value)[:40]!r}, not a number")
        # Written as "not inside" so that NaN is refused too.
        if not first <= value <= last:
            raise InvalidMap(f"entry {position} is {str(value)[:40]}, but the frames are {first} to {last}")
    return np.array(values, np.float64)


def identity_map(first: int, last: int) -> Times:
    """The map that leaves every frame where it is."""
    return np.arange(first, last + 1, dtype=np.float64)


def camera_between(to_canvas: npt.ArrayLike, index: float) -> npt.NDArray[np.float64]:
    """The homography (3, 3) of a moment between two frames, on a smooth curve through the frames around it.

    People move on such curves too (see ``between``): on straight ways of the camera they would slide over the ground.

    Args:
        to_canvas: (T, 3, 3) homographies from the frames to the canvas.
        index: of the moment, 0..T-1, whole or fractional.
    """
    matrices = np.asarray(to_canvas, np.float64)
    before = min(int(index), len(matrices) - 1)
    share = index - before
    if share == 0:
        return np.asarray(matrices[before])
    # Homographies are only known up to a factor, which must not weigh.
    around = [matrices[i] / matrices[i][2, 2] for i in range(max(0, before - 1), min(len(matrices), before + 3))]
    near = around[min(before, 1)]
    step = around[min(before, 1) + 1] - near
    changes = np.diff(around, n=2, axis=0)
    if not len(changes):
        return np.asarray(near + share * step)
    # The first change of step is the one at the frame before, the last one at the frame after; at an end they are one.
    change = (1 - share) * changes[0] + share * changes[-1]
    return np.asarray(near + share * step - share * (1 - share) / 2 * change)


def carry(rgba: Floats, source_to_canvas: npt.ArrayLike, output_to_canvas: npt.ArrayLike) -> Floats:
    """Move a layer from the view of its source frame into the view of the output frame.

    Args:
        rgba: (H, W, 4) premultiplied display colour and alpha, as the source frame's camera saw it.
        source_to_canvas: (3, 3) homography of the source frame, in pixels.
        output_to_canvas: (3, 3) homography of the output frame.

    Returns:
        (H, W, 4); what lies outside the source frame is empty.
    """
    source, output = np.asarray(source_to_canvas, np.float64), np.asarray(output_to_canvas, np.float64)
    if np.array_equal(source, output):
        return rgba
    size = (rgba.shape[1], rgba.shape[0])
    moved = cv2.warpPerspective(rgba, np.linalg.solve(output, source), size, flags=cv2.INTER_LINEAR)
    return np.asarray(moved, np.float32)

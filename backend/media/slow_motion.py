"""A layer at any time of its clip: its own pictures at whole frames, pictures made in between elsewhere."""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache

import cv2
import numpy as np
import numpy.typing as npt

from backend.core.between import Motion, between
from backend.core.boxes import box_of
from backend.core.camera import Matrices
from backend.core.color import Floats, decode_layer, encode_layer
from backend.core.matching import match
from backend.core.timing import Times, camera_between
from backend.media.layer_set import BACKGROUND, LayerReader

_SEEN = 0.03
_EDGE = 12
"""How many pixels around what is seen are worked on."""
_MOTION_SIDE = 960
"""Larger frames are shrunk to about this to find out how people move; the pictures stay as large as they are."""
_KEPT_FRAMES, _KEPT_MOTIONS = 6, 8
_SEARCHES_AT_ONCE = 2
_BLUR_FRAMES = 0.2
"""Motion blur is the mean of moments about so many frames apart."""
_MOST_MOMENTS = 15

Box = tuple[int, int, int, int]
"""Top, left, bottom and right, the last two beyond the box."""


class LayerInTime:
    """One layer of a set at any source time; the background as well.

    A person moves along displacements found between the frames; the background moves as the camera does.
    """

    def __init__(self, reader: LayerReader, name: str) -> None:
        self._reader = reader
        self._name = name
        # People's motion is looked for on pictures smaller by this whole factor.
        self._step = max(1, round(max(reader.info.width, reader.info.height) / _MOTION_SIDE))
        self._decoded = lru_cache(_KEPT_FRAMES)(self._decode)
        self._small = lru_cache(_KEPT_FRAMES)(self._shrunk)
        self._box = lru_cache(_KEPT_MOTIONS)(self._find_box)
        self._flow = lru_cache(_KEPT_MOTIONS)(self._find_flow)

    def pixels(self, time: float) -> Floats:
        """The layer (H, W, 4) as its file would hold it; at whole times exactly what its file holds."""
        if float(time).is_integer():
            return self._reader.pixels(self._name, int(time))
        return _encoded(self.display(time))

    def blurred(self, time: float, span: float) -> Floats:
        """As ``pixels``, with the shutter open for so many source frames around that time."""
        info = self._reader.info
        count = min(_MOST_MOMENTS, 1 + math.ceil(abs(span) / _BLUR_FRAMES)) if span else 1
        if count == 1:
            return self.pixels(time)
        moments = time + (np.arange(count) / (count - 1) - 0.5) * abs(span)
        total = np.zeros((info.height, info.width, 4), np.float32)
        for moment in np.clip(moments, info.first_frame, info.last_frame):
            total += self.display(float(moment))
        return _encoded(total / count)

    def display(self, time: float) -> Floats:
        """The layer (H, W, 4) at a source time as premultiplied display colour and alpha."""
        before = math.floor(time)
        share = time - before
        if share == 0:
            return self._decoded(before)
        if self._name == BACKGROUND:
            return self._background(before, share)
        return self._person(before, share)

    def _person(self, before: int, share: float) -> Floats:
        step = self._step
        height, width = self._decoded(before).shape[:2]
        whole = np.zeros((-height % step + height, -width % step + width, 4), np.float32)
        box = _around(self._box(before), self._box(before + 1))
        if box is not None:
            large = (box[0] * step, box[1] * step, box[2] * step, box[3] * step)
            near, far = (_cut(self._padded(frame), large) for frame in (before, before + 1))
            _cut(whole, large)[:] = between(near, far, self._motion(before, box), share)
        return whole[:height, :width]

    def _background(self, before: int, share: float) -> Floats:
        near, far = self._decoded(before), self._decoded(before + 1)
        info = self._reader.info
        if info.camera.kind == "static":
            return np.asarray(near + share * (far - near), np.float32)
        first = info.first_frame
        here = camera_between(info.camera.to_canvas, before - first + share)
        moved = [
            _seen_from(frame, np.asarray(info.camera.to_canvas[number - first]), here)
            for frame, number in ((near, before), (far, before + 1))
        ]
        return np.asarray(moved[0] + share * (moved[1] - moved[0]), np.float32)

    def _motion(self, before: int, box: Box) -> Motion:
        info = self._reader.info
        after = before + 1
        ways = [(before, after), (after, before), (before, before - 1), (after, after + 1)]
        known = [way for way in ways if info.first_frame <= way[1] <= info.last_frame]
        for frame in {number for way in known for number in way}:
            self._box(frame)
        with ThreadPoolExecutor(_SEARCHES_AT_ONCE) as pool:
            found = dict(zip(known, pool.map(lambda way: _cut(self._flow(*way), box), known), strict=True))
        return Motion(found[ways[0]], found[ways[1]], found.get(ways[2]), found.get(ways[3]))

    def _find_flow(self, source: int, target: int) -> Floats:
        """Displacements over the small frame; where neither frame shows anything they are 0."""
        pictures = [self._small(frame) for frame in (source, target)]
        flow = np.zeros((*pictures[0].shape[:2], 2), np.float32)
        box = _around(self._box(source), self._box(target))
        if box is not None:
            _cut(flow, box)[:] = match(*(np.ascontiguousarray(_cut(picture, box)) for picture in pictures))
        return flow

    def _padded(self, number: int) -> Floats:
        """A frame whose sides are whole multiples of the step."""
        frame = self._decoded(number)
        height, width = frame.shape[:2]
        return np.pad(frame, ((0, -height % self._step), (0, -width % self._step), (0, 0)))

    def _shrunk(self, number: int) -> Floats:
        frame = self._padded(number)
        size = (frame.shape[1] // self._step, frame.shape[0] // self._step)
        return np.asarray(cv2.resize(frame, size, interpolation=cv2.INTER_AREA), np.float32)

    def _decode(self, number: int) -> Floats:
        return decode_layer(self._reader.pixels(self._name, number))

    def _find_box(self, number: int) -> Box | None:
        """Around all that is seen, in the small frame; None where nothing is."""
        seen = self._small(number)[..., 3] > _SEEN
        rows, columns = box_of(seen, _EDGE)
        return (rows.start, columns.start, rows.stop, columns.stop) if seen.any() else None


def open_spans(times: Times, degrees: float) -> npt.NDArray[np.float64]:
    """For how many source frames the shutter is open at each output frame, where that is more than at full speed.

    Args:
        times: source time of each output frame.
        degrees: of the shutter, 0..360; at 360 it is open from one output frame to the next.
    """
    steps = np.abs(np.diff(times))
    # The smaller one of both sides: a jump is no motion.
    speeds = np.minimum(np.append(steps[:1], steps), np.append(steps, steps[-1:])) if len(steps) else np.zeros(1)
    return np.where(speeds > 1, speeds * degrees / 360, 0.0)


def _encoded(display: Floats) -> Floats:
    alpha = display[..., 3]
    color = display[..., :3] / np.maximum(alpha, 1e-6)[..., None]
    return np.asarray(encode_layer(np.clip(color, 0, 1), alpha), np.float32)


def _seen_from(frame: Floats, source: Matrices, here: Matrices) -> Floats:
    moved = cv2.warpPerspective(
        frame,
        np.linalg.solve(here, source),
        (frame.shape[1], frame.shape[0]),
        flags=cv2.INTER_LANCZOS4,
        borderMode=cv2.BORDER_REPLICATE,
    )
    moved[..., 3] = 1
    return np.asarray(moved, np.float32)


def _around(a: Box | None, b: Box | None) -> Box | None:
    if a is None or b is None:
        return a or b
    return min(a[0], b[0]), min(a[1], b[1]), max(a[2], b[2]), max(a[3], b[3])


def _cut(picture: Floats, box: Box) -> Floats:
    return picture[box[0] : box[2], box[1] : box[3]]

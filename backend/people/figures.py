"""What the detector saw and what moves, weighed against each other: the figures that may be people."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt

from backend.people.detect import Figure
from backend.people.evidence import Evidence, Flags

# Smaller than this share of the picture's height is nobody.
_LEAST_HEIGHT = 0.1
_LEAST_SHAPE = 1.1
# What is worth a figure that moves like a person but that the detector does not know.
_UNKNOWN_SCORE = 0.15
# A figure that nothing speaks for but the detector must be this sure.
_SURE = 0.6
_LIKELY = 0.3
_APART = 0.3
_EDGE_FIT = 0.22
_DIFFERS, _LEAST_SHADE, _SHADE = 0.5, 0.15, 0.6

Labels = npt.NDArray[np.int32]


def weigh(evidence: Evidence, detections: Sequence[Figure]) -> list[Figure]:
    """The figures of one frame: blobs that moved, split where the detector sees several, and those who stand still."""
    detections = [figure for figure in detections if not _shadowy(evidence, figure)]
    count, labels, boxes = blobs(evidence.changed | _likely(evidence, detections))
    found: list[Figure] = []
    explained: set[int] = set()
    for label in range(1, count):
        inside = [f for f in detections if _share_in(labels, label, f) > 0.3]
        explained |= {id(f) for f in inside}
        found += _of_blob(labels == label, boxes[label], inside, evidence)
    for figure in detections:
        if id(figure) not in explained and figure.score > _SURE and _unsure(evidence, figure):
            found.append(figure)
    return found


def _likely(evidence: Evidence, detections: Sequence[Figure]) -> Flags:
    """Where the detector sees bodies and the empty scene is not known well enough to object."""
    likely = np.zeros(evidence.certain.shape, np.bool_)
    for figure in detections:
        if figure.score > _LIKELY:
            likely[core(figure, likely.shape)] = True
    return np.asarray(likely & (evidence.certain < 0.75))


def blobs(changed: Flags) -> tuple[int, Labels, npt.NDArray[np.int32]]:
    """Connected parts of what moved, gaps closed: their number (0 is the rest), a map of labels, and their boxes."""
    height = changed.shape[0]
    reach = max(3, round(height / 50)) | 1
    mask = cv2.morphologyEx(changed.astype(np.uint8), cv2.MORPH_OPEN, np.ones((2, 2), np.uint8))
    mask = cv2.morphologyEx(mask, cv2.MORPH_CLOSE, np.ones((2 * reach + 1, reach), np.uint8))
    count, labels, boxes, _ = cv2.connectedComponentsWithStats(mask)
    return count, np.asarray(labels, np.int32), np.asarray(boxes, np.int32)


def _of_blob(blob: Flags, box: npt.NDArray[np.int32], inside: Sequence[Figure], evidence: Evidence) -> list[Figure]:
    if box[3] < _LEAST_HEIGHT * blob.shape[0]:
        return []
    fitting = [f for f in inside if _fits(blob, f)]
    group: list[Figure] = []
    for figure in sorted(fitting, key=lambda f: -f.score):
        if figure.score > 0.1 and all(abs(figure.x - other.x) > _APART * other.height for other in group):
            group.append(figure)
    if len(group) > 1:
        return group
    whole = _outline(blob)
    alike = [f for f in inside if 0.6 < f.height / whole.height < 1.6 and abs(f.x - whole.x) < 0.4 * whole.height]
    if group and not alike and box[2] > box[3]:
        return group
    score = max((f.score for f in alike), default=max((0.5 * f.score for f in group), default=-1.0))
    if score <= 0 and box[3] < _LEAST_SHAPE * box[2]:
        return []
    return [Figure(whole.x, whole.y, whole.height, max(score, _UNKNOWN_SCORE))]


def _outline(blob: Flags) -> Figure:
    rows, columns = np.nonzero(blob)
    top, bottom = np.percentile(rows, (1, 99))
    return Figure(float(np.median(columns)), float((top + bottom) / 2), float(max(4.0, bottom - top + 1)), 0.0)


def _fits(blob: Flags, figure: Figure) -> bool:
    """Whether the blob reaches from about the figure's head to about its feet within the figure's own columns."""
    left, _, right, _ = (round(value) for value in figure.box(0.2))
    rows = np.flatnonzero(blob[:, max(0, left) : max(1, right)].mean(1) > 0.15)
    if not len(rows):
        return False
    _, top, _, bottom = figure.box()
    slack = _EDGE_FIT * figure.height
    return bool(abs(rows[-1] - bottom) < slack and abs(rows[0] - top) < 1.5 * slack)


def core(figure: Figure, shape: tuple[int, ...]) -> tuple[slice, slice]:
    """The part of a picture in which there is body if the figure is somebody."""
    left, top, right, bottom = (round(value) for value in figure.box(0.2, 0.8))
    y0, x0 = min(max(0, top), shape[0] - 1), min(max(0, left), shape[1] - 1)
    return slice(y0, max(y0 + 1, bottom)), slice(x0, max(x0 + 1, right))


def _share_in(labels: Labels, label: int, figure: Figure) -> float:
    return float((labels[core(figure, labels.shape)] == label).mean())


def _shadowy(evidence: Evidence, figure: Figure) -> bool:
    """Whether most of what differs in a figure is a shadow: shadows of people look like people."""
    trunk = core(figure, evidence.shadow.shape)
    differs = evidence.difference[trunk] > _DIFFERS
    return bool(differs.mean() > _LEAST_SHADE and evidence.shadow[trunk][differs].mean() > _SHADE)


def _unsure(evidence: Evidence, figure: Figure) -> bool:
    """Whether the empty scene says nothing about the figure's place."""
    return float(evidence.certain[core(figure, evidence.certain.shape)].mean()) < 0.6

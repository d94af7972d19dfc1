"""What is certain about whose a pixel is, before anything is learned and after."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import cv2
import numpy as np
import numpy.typing as npt

from backend.core.color import Floats
from backend.people.detect import Figure
from backend.people.evidence import Evidence, Flags
from backend.people.figures import blobs
from backend.people.segmenter import Place, place_of

Labels = npt.NDArray[np.int32]
"""(h, w): -1 unknown, 0 background, k + 1 person k."""

UNKNOWN, BACKGROUND = -1, 0
# Parts of a standing person in heights from the centre: (half width, top, bottom). There is always body there.
_CORE = ((0.07, -0.30, 0.12), (0.05, 0.12, 0.25))
# The head, where the detector is sure that somebody stands upright.
_HEAD = (0.03, -0.46, -0.38)
_UPRIGHT = 0.6
_AROUND = (0.95, 1.3)
_SURE = 0.9
_SURE_BACKGROUND = 0.08
# Pixels of a part within a body that make it the body's.
_HELD = 12
# So far beside a drawn body (in its heights) there is nothing of it.
_BESIDE = 0.15
_RIM = np.ones((3, 3), np.uint8)


def first_labels(evidence: Evidence, figures: Mapping[int, Figure]) -> Labels:
    """Labels of a frame from where people were seen and from what changed.

    Args:
        evidence: of the frame.
        figures: the people who can be told apart in this frame, by their number.
    """
    shape = evidence.difference.shape
    labels = np.full(shape, UNKNOWN, np.int32)
    around = np.zeros(shape, np.bool_)
    for figure in figures.values():
        around[area(figure, shape, *_AROUND)] = True
    changed = evidence.changed
    labels[evidence.empty | (~around & ~changed)] = BACKGROUND
    cores = {person: _core(figure, shape) & ~evidence.empty for person, figure in figures.items()}
    _, parts, _ = blobs(changed)
    for person, figure in figures.items():
        own = set(np.unique(parts[cores[person] & changed])) - {0}
        shared = {int(part) for other, core in cores.items() if other != person for part in np.unique(parts[core])}
        reach = np.zeros(shape, np.bool_)
        reach[area(figure, shape, 1.3, 1.5)] = True
        labels[np.isin(parts, sorted(own - shared)) & changed & reach] = person + 1
    for person, core in cores.items():
        labels[core] = person + 1
    return labels


def learned_labels(evidence: Evidence, probabilities: Floats) -> Labels:
    """Labels from masks (N, h, w) 0..1 that were found before, where these are sure and the evidence agrees."""
    total = probabilities.sum(0)
    labels = np.full(total.shape, UNKNOWN, np.int32)
    labels[(total < _SURE_BACKGROUND) & ~_large(evidence.changed & (total < 0.3))] = BACKGROUND
    for person, probability in enumerate(probabilities):
        # A rim that was taken for the body by mistake must not be learned.
        body = cv2.erode((probability > _SURE).astype(np.uint8), _RIM) > 0
        labels[body & ~evidence.empty] = person + 1
    _grow(labels, evidence, probabilities)
    labels[evidence.empty & (total < 0.8)] = BACKGROUND
    return labels


def _grow(labels: Labels, evidence: Evidence, probabilities: Floats) -> None:
    """Let what changed and hangs together with one body only belong to that body."""
    changed = evidence.changed & (evidence.certain > 0.75)
    count, parts, _ = blobs(changed)
    held = [np.bincount(parts[probability > 0.5], minlength=count) for probability in probabilities]
    for part in range(1, count):
        holders = [person for person, counts in enumerate(held) if counts[part] > _HELD]
        place = place_of(probabilities[holders[0]]) if len(holders) == 1 else None
        if place is not None:
            figure = Figure(place.x, place.y, place.height, 0.0)
            inside = np.zeros(labels.shape, np.bool_)
            inside[area(figure, labels.shape, 1.3, 1.5)] = True
            labels[(parts == part) & changed & inside] = holders[0] + 1


def hinted_labels(masks: Mapping[int, Floats], others: Iterable[Figure], everybody: bool) -> Labels:
    """Labels from drawn masks: the people by their number, what is around them background but where ``others`` are.

    When it is known of ``everybody`` where they are, all else is background.
    """
    shape = next(iter(masks.values())).shape
    labels = np.full(shape, BACKGROUND if everybody else UNKNOWN, np.int32)
    bodies = {person: (mask > 0.5).astype(np.uint8) for person, mask in masks.items()}
    for body in bodies.values():
        reach = 2 * round(_BESIDE * np.ptp(np.flatnonzero(body.any(1)))) + 3 if body.any() else 3
        labels[cv2.dilate(body, np.ones((reach, reach), np.uint8)) > 0] = BACKGROUND
    for figure in others:
        labels[area(figure, shape, 1.1, 1.3)] = UNKNOWN
    for body in bodies.values():
        labels[cv2.dilate(body, _RIM) > 0] = UNKNOWN
    for person, body in bodies.items():
        labels[cv2.erode(body, _RIM) > 0] = person + 1
    return labels


def place_from(figure: Figure) -> Place:
    """The place of a body from its figure."""
    return Place(figure.x, figure.y, figure.height)


def area(figure: Figure, shape: tuple[int, ...], wide: float, tall: float) -> tuple[slice, slice]:
    """The part of a picture inside a person's box."""
    left, top, right, bottom = (round(value) for value in figure.box(wide, tall))
    return slice(min(max(0, top), shape[0]), max(0, bottom)), slice(min(max(0, left), shape[1]), max(0, right))


def _core(figure: Figure, shape: tuple[int, ...]) -> Flags:
    core = np.zeros(shape, np.bool_)
    for half, top, bottom in (*_CORE, _HEAD) if figure.score > _UPRIGHT else _CORE:
        rows = slice(max(0, round(figure.y + top * figure.height)), max(0, round(figure.y + bottom * figure.height)))
        columns = slice(
            max(0, round(figure.x - half * figure.height)), max(0, round(figure.x + half * figure.height) + 1)
        )
        core[rows, columns] = True
    return core


def _large(flags: Flags) -> Flags:
    """Flags without specks."""
    return np.asarray(cv2.morphologyEx(flags.astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8)) > 0)

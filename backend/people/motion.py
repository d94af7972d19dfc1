"""People found from what one shot gives: what moves, what looks like a person, and who was where before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from backend.core.color import Floats
from backend.media.frame_store import FrameStore
from backend.people.clues import Clues, cleared
from backend.people.completed import completed
from backend.people.detect import Figure, detect_all
from backend.people.drawn import tracked_as
from backend.people.evidence import Backdrop, boxes_of, compare, empty_scene
from backend.people.figures import weigh
from backend.people.follow import Anchors, follow
from backend.people.lessons import Lessons
from backend.people.presence import people_in
from backend.people.recognised import recognised
from backend.people.refine import refined
from backend.people.scene import Scene, Tell
from backend.people.segmenter import Segmenter, Trainer
from backend.people.track import Track
from backend.people.tracks import track_all

# A detector that misses somebody for a moment must not burn her into the background.
_MISSED = 5
_DOUBTFUL = 0.1
_STEPS = (350, 350)
# Which share of the time for carrying everybody through the shot goes by before those who touch are told apart.
_FOLLOWED = 0.95

Hints = Mapping[int, Mapping[int, Floats]]
"""Drawn masks (h, w) by person and frame (0-based)."""


@dataclass(frozen=True)
class Found:
    """Masks (T, h, w, N) of the people at working size, and how they were tracked (none for those only drawn)."""

    masks: FrameStore
    tracks: Sequence[Track]


@dataclass(frozen=True)
class Stages:
    """Where to tell how far each stage is."""

    detect: Tell
    track: Tell
    follow: Tell


def find_by_motion(scene: Scene, hints: Hints, work: Path, stages: Stages) -> Found | None:
    """Find everybody, or carry the hinted people through the shot; None when there is nobody.

    Args:
        scene: the shot at working size.
        hints: drawn masks; when there are any, only those people are looked for.
        work: folder for what does not fit into memory.
        stages: where to tell how far the work is.
    """
    detections = detect_all(scene, stages.detect)
    near = [_around(detections, index) for index in range(len(scene))]
    backdrop = empty_scene(scene, boxes_of(near, scene.size), lambda done: stages.track(0.3 * done))
    figures = [weigh(compare(scene, backdrop, i), found) for i, found in enumerate(detections)]
    told = _told(scene, backdrop, detections, _part(stages.track, 0.3, 0.2))
    tracks = completed(
        _tracked(scene, backdrop, figures, _part(stages.track, 0.5, 0.1)),
        _tracked(scene, backdrop, told, _part(stages.track, 0.6, 0.1)),
    )
    if not tracks and not hints:
        return None
    near = [[t.figures[i] for t in tracks if i in t.figures] + boxes for i, boxes in enumerate(near)]
    backdrop = empty_scene(scene, boxes_of(near, scene.size), lambda done: stages.track(0.7 + 0.3 * done))
    people = tracked_as(list(hints.values()), tracks, len(scene)) if hints else [t.figures for t in tracks]
    return Found(_learn(scene, backdrop, Anchors(hints, people), work, stages.follow), [] if hints else tracks)


def _told(scene: Scene, backdrop: Backdrop, detections: Sequence[Sequence[Figure]], tell: Tell) -> list[list[Figure]]:
    """Whom the network sees in each frame."""
    found = []
    for index, seen in enumerate(detections):
        tell(index / len(scene))
        found.append(people_in(scene, backdrop, index, seen))
    return found


def _tracked(scene: Scene, backdrop: Backdrop, figures: Sequence[Sequence[Figure]], tell: Tell) -> list[Track]:
    return track_all(scene, figures, lambda i: compare(scene, backdrop, i).matter, tell)


def _around(detections: Sequence[Sequence[Figure]], index: int) -> list[Figure]:
    window = detections[max(0, index - _MISSED) : index + _MISSED + 1]
    return [figure for found in window for figure in found if figure.score > _DOUBTFUL]


def _learn(scene: Scene, backdrop: Backdrop, anchors: Anchors, work: Path, tell: Tell) -> FrameStore:
    """Train on what is certain, carry everybody through the shot, and once more with what that has shown.

    Then those who touch are told apart by how they look elsewhere.
    """
    masks: FrameStore | None = None
    for number, steps in enumerate(_STEPS):
        part = _part(tell, _FOLLOWED * number / len(_STEPS), _FOLLOWED / len(_STEPS))
        if masks is not None:
            backdrop = cleared(scene, masks)
        folder = work / f"round{number}"
        folder.mkdir(exist_ok=True)
        shot = Clues(scene, backdrop, folder / "clues.raw", _part(part, 0, 0.2))
        people = max(len(anchors.masks), len(anchors.figures))
        nets = refined(people, anchors.masks, shot.outline, alone=number + 1 == len(_STEPS))
        outlines = partial(shot.exact, nets)
        model = Segmenter(people)
        trainer = Trainer(model)
        Lessons(len(scene), anchors, masks, shot.evidence, shot.looks).teach(trainer)
        trainer.train(steps)
        masks = follow(scene, model, shot.looks_and_doubts, outlines, anchors, folder, _part(part, 0.4, 0.6))
    assert masks is not None
    drawn = {index for frames in anchors.masks.values() for index in frames}
    return recognised(scene, masks, drawn, work / "recognised.raw", _part(tell, _FOLLOWED, 1 - _FOLLOWED))


def _part(tell: Tell, start: float, share: float) -> Tell:
    """Tell of a part of a stage."""
    return lambda done: tell(start + share * done)

"""People found from what one shot gives: what moves, what looks like a pedestrian, and who was where before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from backend.core.color import Floats
from backend.media.frame_store import FrameStore
from backend.people.detect import Figure, detect_all
from backend.people.drawn import tracked_as
from backend.people.evidence import Backdrop, Evidence, boxes_of, compare, empty_scene
from backend.people.figures import weigh
from backend.people.follow import Anchors, follow
from backend.people.lessons import Lessons
from backend.people.scene import Scene, Tell
from backend.people.segmenter import Segmenter, Trainer, features
from backend.people.tracks import Track, track_all

# A detector that misses somebody for a moment must not burn her into the background.
_MISSED = 5
_DOUBTFUL = 0.1
_MAYBE = 0.15
# Around a body (share of the picture's width) there may be more of it.
_BODY_MARGIN = 0.03
_STEPS = (350, 350)
# Nats against a body where the empty scene is seen, or only darker.
_DOUBT = 2.5
# Nats for a body where something is that is not part of the empty scene.
_SUPPORT = 1.0

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
    tracks = track_all(
        scene, figures, lambda i: compare(scene, backdrop, i).matter, lambda done: stages.track(0.3 + 0.4 * done)
    )
    if not tracks and not hints:
        return None
    near = [[t.figures[i] for t in tracks if i in t.figures] + boxes for i, boxes in enumerate(near)]
    backdrop = empty_scene(scene, boxes_of(near, scene.size), lambda done: stages.track(0.7 + 0.3 * done))
    people = tracked_as(list(hints.values()), tracks, len(scene)) if hints else [t.figures for t in tracks]
    return Found(_learn(scene, backdrop, Anchors(hints, people), work, stages.follow), [] if hints else tracks)


def _around(detections: Sequence[Sequence[Figure]], index: int) -> list[Figure]:
    window = detections[max(0, index - _MISSED) : index + _MISSED + 1]
    return [figure for found in window for figure in found if figure.score > _DOUBTFUL]


class _Clues:
    """The evidence and the own motion of every frame, measured once and kept on disk."""

    def __init__(self, scene: Scene, backdrop: Backdrop, path: Path, tell: Tell) -> None:
        self._scene = scene
        frames = (self._measured(backdrop, index, tell) for index in range(len(scene)))
        self._store = FrameStore.create(path, frames, len(scene))

    def _measured(self, backdrop: Backdrop, index: int, tell: Tell) -> Floats:
        tell(index / len(self._scene))
        evidence = compare(self._scene, backdrop, index)
        other = index + 1 if index + 1 < len(self._scene) else index - 1
        motion = np.linalg.norm(self._scene.flow(index, other) - self._scene.camera_flow(index, other), axis=-1)
        maps = [evidence.difference / 4, evidence.shadow, evidence.certain, np.minimum(motion / 4, 1)]
        return np.asarray(np.round(np.clip(np.stack(maps, -1), 0, 1) * 255) / 255, np.float32)

    def evidence(self, index: int) -> Evidence:
        """What the frame tells against the empty scene."""
        maps = self._store.frame(index)
        return Evidence(maps[..., 0] * 4, maps[..., 1], maps[..., 2])

    def looks(self, index: int) -> Floats:
        """The features (h, w, F) of a frame."""
        return features(self._scene.picture(index), self.evidence(index), self._store.frame(index)[..., 3] * 4)

    def looks_and_doubts(self, index: int) -> tuple[Floats, Floats]:
        """The features, and what speaks against a body whatever it looks like: whether the scene is empty there."""
        evidence = self.evidence(index)
        doubts = np.maximum(evidence.shadow, np.clip(1 - 1.5 * evidence.difference, 0, 1))
        speaks = _DOUBT * doubts - _SUPPORT * evidence.changed
        return self.looks(index), np.asarray(speaks * (evidence.certain > 0.75), np.float32)


def _learn(scene: Scene, backdrop: Backdrop, anchors: Anchors, work: Path, tell: Tell) -> FrameStore:
    """Train on what is certain, carry everybody through the shot, and once more with what that has shown."""
    masks: FrameStore | None = None
    for number, steps in enumerate(_STEPS):
        part = _part(tell, number / len(_STEPS), 1 / len(_STEPS))
        if masks is not None:
            backdrop = _cleared(scene, masks)
        folder = work / f"round{number}"
        folder.mkdir(exist_ok=True)
        clues = _Clues(scene, backdrop, folder / "clues.raw", _part(part, 0, 0.2))
        model = Segmenter(max(len(anchors.masks), len(anchors.figures)))
        trainer = Trainer(model)
        Lessons(len(scene), anchors, masks, clues.evidence, clues.looks).teach(trainer)
        trainer.train(steps)
        masks = follow(scene, model, clues.looks_and_doubts, anchors, folder, _part(part, 0.4, 0.6))
    assert masks is not None
    return masks


def _part(tell: Tell, start: float, share: float) -> Tell:
    """Tell of a part of a stage."""
    return lambda done: tell(start + share * done)


def _cleared(scene: Scene, masks: FrameStore) -> Backdrop:
    """The empty scene once more, now that the people's outlines are known."""
    reach = 2 * round(_BODY_MARGIN * max(scene.size)) + 1
    margin = np.ones((reach, reach), np.uint8)

    def bodies(frame: int) -> tuple[Floats, Floats]:
        anybody = masks.frame(frame).max(2)
        near = cv2.dilate((anybody > _MAYBE).astype(np.float32), margin)
        return np.asarray(near, np.float32), (anybody > 0.5).astype(np.float32)

    return empty_scene(scene, bodies, lambda _done: None)

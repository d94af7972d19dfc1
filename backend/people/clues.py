"""What every frame tells against the empty scene, measured once and kept on disk."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from backend.core.color import Floats
from backend.media.frame_store import FrameStore
from backend.people.evidence import Backdrop, Evidence, behind, compare, empty_scene
from backend.people.outline import OutlineNet, clues, outlined
from backend.people.scene import Scene, Tell
from backend.people.segmenter import body_place, features
from backend.people.unrest import unrest

_MAYBE = 0.15
# Around a body (share of the picture's width) there may be more of it.
_BODY_MARGIN = 0.03
# Nats against a body where the empty scene is seen, or only darker.
_DOUBT = 2.5
# Nats for a body where something is that is not part of the empty scene.
_SUPPORT = 1.0


class Clues:
    """The evidence, the own motion and the unrest of every frame, measured once and kept on disk."""

    def __init__(self, scene: Scene, backdrop: Backdrop, path: Path, tell: Tell) -> None:
        self._scene = scene
        frames = (self._measured(backdrop, index, tell) for index in range(len(scene)))
        self._store = FrameStore.create(path, frames, len(scene))

    def _measured(self, backdrop: Backdrop, index: int, tell: Tell) -> Floats:
        tell(index / len(self._scene))
        evidence = compare(self._scene, backdrop, index)
        other = index + 1 if index + 1 < len(self._scene) else index - 1
        motion = self._scene.own_speed(index, other)
        single = [evidence.difference / 4, evidence.shadow, evidence.certain, np.minimum(motion / 4, 1)]
        single.append(4 * unrest(self._scene, index, backdrop.bluish))
        maps = np.concatenate([np.stack(single, -1), behind(self._scene, backdrop, index)], -1)
        return np.asarray(np.round(np.clip(maps, 0, 1) * 255) / 255, np.float32)

    def evidence(self, index: int) -> Evidence:
        """What the frame tells against the empty scene."""
        maps = self._store.frame(index)
        return Evidence(maps[..., 0] * 4, maps[..., 1], maps[..., 2])

    def _motion(self, index: int) -> tuple[Floats, Floats]:
        """How fast each pixel moves against the background, in pixels per frame, and how restless it is."""
        maps = self._store.frame(index)
        return maps[..., 3] * 4, maps[..., 4] / 4

    def looks(self, index: int) -> Floats:
        """The features (h, w, F) of a frame."""
        return features(self._scene.picture(index), self.evidence(index), *self._motion(index))

    def outline(self, index: int) -> Floats:
        """What tells outlines in a frame, see ``backend.people.outline.clues``."""
        maps = self._store.frame(index)
        return clues(self._scene.picture(index), maps[..., 5:], self.evidence(index), *self._motion(index))

    def exact(self, nets: Sequence[OutlineNet], index: int, rough: Floats) -> Floats:
        """Rough masks (h, w, N) of a frame brought to where the bodies end, by each person's network."""
        return outlined(nets, self.outline(index), rough, [body_place(mask) for mask in rough.transpose(2, 0, 1)])

    def looks_and_doubts(self, index: int) -> tuple[Floats, Floats]:
        """The features, and what speaks against a body whatever it looks like: whether the scene is empty there."""
        evidence = self.evidence(index)
        doubts = np.maximum(evidence.shadow, np.clip(1 - 1.5 * evidence.difference, 0, 1))
        speaks = _DOUBT * doubts - _SUPPORT * evidence.changed
        return self.looks(index), np.asarray(speaks * (evidence.certain > 0.75), np.float32)


def cleared(scene: Scene, masks: FrameStore) -> Backdrop:
    """The empty scene once more, now that the people's outlines are known."""
    reach = 2 * round(_BODY_MARGIN * max(scene.size)) + 1
    margin = np.ones((reach, reach), np.uint8)

    def bodies(frame: int) -> tuple[Floats, Floats]:
        anybody = masks.frame(frame).max(2)
        near = cv2.dilate((anybody > _MAYBE).astype(np.float32), margin)
        return np.asarray(near, np.float32), (anybody > 0.5).astype(np.float32)

    return empty_scene(scene, bodies, lambda _done: None, outlined=True)

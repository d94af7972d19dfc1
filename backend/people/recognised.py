"""Whose a pixel is where people touch: told by how everybody looks in frames in which they are apart."""

from __future__ import annotations

from collections.abc import Collection
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from backend.core.bending import Shown
from backend.core.borrowing import Borrowed
from backend.core.color import Floats
from backend.core.lookalikes import lookalikes, silhouette_size
from backend.core.silhouettes import Bytes, others
from backend.media.frame_store import FrameStore
from backend.people.scene import Scene, Tell, to_bytes

# People touch who are nearer than this to each other (in heights of the taller).
_TOUCH = 0.06
# A frame tells what somebody looks like who touches nobody and shows this share of the usual area.
_WHOLE = 0.6
# So many of the frames in which somebody is most alike tell.
_TOLD_BY = 8
# The same place of a body differs by so much (display values) from frame to frame, blurred by so many pixels.
_DIFFERS, _BLUR = 0.25, 0.8
# How much else may be in somebody's place, how much the masks count besides, in nats, and how far pixels hang together.
_DOUBT, _MEMORY, _SMOOTH = 0.05, 0.3, 0.7
# By so many nats one must be likelier than any other to be given a pixel.
_CLEARLY = 0.3
_KEPT = 24


def recognised(scene: Scene, masks: FrameStore, drawn: Collection[int], path: Path, tell: Tell) -> FrameStore:
    """Masks (T, h, w, N) in which those who touch have what looks like theirs.

    What is somebody's stays somebody's; only whose it is may change, and only between those who are ever apart.

    Args:
        scene: the pictures.
        masks: of everybody, as found.
        drawn: frames in which somebody was drawn, and nothing changes.
        path: where the new masks are written.
        tell: told how far the work is.
    """
    album = _Album(scene, masks, path.with_name("silhouettes.raw"))

    def frame(index: int) -> Floats:
        tell(index / len(scene))
        found = masks.frame(index)
        return found if index in drawn else album.settled(index, found)

    return FrameStore.create(path, (frame(index) for index in range(len(scene))), len(scene))


class _Album:
    """How everybody looks in every frame of a shot."""

    def __init__(self, scene: Scene, masks: FrameStore, path: Path) -> None:
        """Small silhouettes go to ``path``, since those of a long clip fill the memory."""
        self._scene, self._masks = scene, masks
        self._small = silhouette_size(scene.size)
        people = masks.shape[3]
        self._touching = np.zeros((len(scene), people, people), np.bool_)
        self._area = np.zeros((len(scene), people))
        self._silhouettes = FrameStore.create(path, map(self._surveyed, range(len(scene))), len(scene))
        usual = np.array([np.median(one[one > 0]) if one.any() else np.inf for one in self._area.T])
        self._tells = ~self._touching.any(2) & (self._area > _WHOLE * usual)
        self._shown = lru_cache(maxsize=_KEPT)(self._read)

    def _surveyed(self, index: int) -> Floats:
        """Silhouettes (h, w, N) of a frame; how large they are and who touches whom is noted."""
        masks = self._masks.frame(index)
        bodies = to_bytes(masks.transpose(2, 0, 1))
        self._area[index] = (bodies > 127).sum((1, 2))
        self._touching[index] = _touching(bodies)
        small = [cv2.resize(body, self._small, interpolation=cv2.INTER_AREA) for body in bodies]
        return np.asarray(np.stack(small, -1) / np.float32(255), np.float32)

    def _bodies(self, index: int) -> Bytes:
        """The silhouettes (N, h, w) of a frame, 0..255."""
        return np.ascontiguousarray(to_bytes(self._silhouettes.frame(index)).transpose(2, 0, 1))

    def settled(self, index: int, found: Floats) -> Floats:
        """The masks (h, w, N) of a frame, each pixel given to whom it looks like, where that is clear."""
        lent = {person: self._apart(index, person) for person in self._together(index)}
        known = {person: frames for person, frames in lent.items() if frames}
        if len(known) < 2:
            return found
        bodies, picture = found.transpose(2, 0, 1), self._scene.picture(index)
        odds = np.stack([self._odds(index, person, bodies, picture, frames) for person, frames in known.items()])
        ordered = np.sort(odds, axis=0)
        clear, best = ordered[-1] - ordered[-2] > _CLEARLY, odds.argmax(0)
        theirs = np.minimum(bodies[list(known)].sum(0), 1)
        settled = found.copy()
        for number, person in enumerate(known):
            settled[..., person] = np.where(clear, theirs * (best == number), bodies[person])
        return np.asarray(np.round(255 * settled) / 255, np.float32)

    def _together(self, index: int) -> list[int]:
        """Those who touch somebody."""
        return [int(person) for person in np.flatnonzero(self._touching[index].any(1))]

    def _apart(self, index: int, person: int) -> list[Borrowed]:
        """The frames that show somebody apart and most alike, moved to where she is."""
        frames = np.flatnonzero(self._tells[:, person])
        return lookalikes(self._bodies, person, index, frames, self._scene.size[0], _TOLD_BY)

    def _odds(self, index: int, person: int, bodies: Floats, picture: Floats, lent: list[Borrowed]) -> Floats:
        """(h, w): the logarithm of how much each pixel looks like somebody there."""
        target = Shown(picture, np.ascontiguousarray(bodies[person]), others(bodies, person))
        like = np.zeros(picture.shape[:2], np.float32)
        for one in lent:
            shown = self._shown(one.frame, person)
            there = one.bent_onto(target, shown)
            away = cv2.GaussianBlur(((there.laid(shown.plate) - picture) ** 2).mean(2), (0, 0), _BLUR)
            like += there.laid(shown.body) * np.exp(-away / (2 * _DIFFERS**2)) / len(lent)
        odds = np.log(_DOUBT + like) + _MEMORY * bodies[person]
        return np.asarray(cv2.GaussianBlur(odds, (0, 0), _SMOOTH), np.float32)

    def _read(self, index: int, person: int) -> Shown:
        masks = self._masks.frame(index).transpose(2, 0, 1)
        return Shown(self._scene.picture(index), np.ascontiguousarray(masks[person]), others(masks, person))


def _touching(bodies: Bytes) -> npt.NDArray[np.bool_]:
    """(N, N): whose bodies (N, h, w) 0..255 are near each other."""
    there = bodies > 127
    heights = [np.ptp(np.flatnonzero(body.any(1))) + 1 if body.any() else 0 for body in there]
    touching = np.zeros((len(bodies), len(bodies)), np.bool_)
    for a, b in zip(*np.triu_indices(len(bodies), 1), strict=True):
        if heights[a] and heights[b]:
            side = 2 * max(1, round(_TOUCH * max(heights[a], heights[b]))) + 1
            near = cv2.dilate(there[a].astype(np.uint8), np.ones((side, side), np.uint8)) > 0
            touching[a, b] = touching[b, a] = (near & there[b]).any()
    return touching

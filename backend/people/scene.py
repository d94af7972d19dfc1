"""A shot at the size in which people are looked for: small pictures on disk, and how they move."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from backend.core.camera import Camera
from backend.core.color import Floats
from backend.core.registration import register
from backend.errors import PlateError
from backend.media.frame_store import FrameStore
from backend.media.plates import Plate, PlateInfo

# People are told apart at this many pixels across; edges are brought to full size afterwards.
WORK_SIZE = 448
LEAST_AGREEMENT = 0.35
_CUT_SIZE = (32, 18)
# A cut changes the small picture by this much (mean of 0..1) and this many times more than its frames usually do.
_CUT_CHANGE = 0.12
_CUT_TIMES = 6.0

Grey = npt.NDArray[np.uint8]
Tell = Callable[[float], None]


@dataclass(frozen=True)
class Scene:
    """The small pictures of a shot and its camera; indices count from 0."""

    info: PlateInfo
    pictures: FrameStore
    camera: Camera

    def __len__(self) -> int:
        return len(self.pictures)

    @property
    def size(self) -> tuple[int, int]:
        """(w, h) of a small picture."""
        return self.pictures.shape[2], self.pictures.shape[1]

    def picture(self, index: int) -> Floats:
        """(h, w, 3) display values 0..1."""
        return self.pictures.frame(index)

    def flow(self, source: int, target: int) -> Floats:
        """(h, w, 2): where each pixel of ``source`` lies in ``target``, as a shift in pixels."""
        return _flow_between(self.pictures.path, self.pictures.shape, self.pictures.kind, source, target)

    def at_rest(self, point: tuple[float, float], source: int, target: int) -> tuple[float, float]:
        """Where a point (x, y) of ``source`` lies in ``target`` if nothing but the camera moves."""
        if not self.camera.moving:
            return point
        moved = cv2.perspectiveTransform(np.array([[point]], np.float32), self.camera.between(source, target))
        return float(moved[0, 0, 0]), float(moved[0, 0, 1])

    def own_speed(self, source: int, target: int) -> Floats:
        """(h, w): how far each pixel moves against the background between two frames, in pixels."""
        own = self.flow(source, target) - self.camera_flow(source, target)
        return np.asarray(np.linalg.norm(own, axis=-1), np.float32)

    def camera_flow(self, source: int, target: int) -> Floats:
        """(h, w, 2): the shift that the camera alone explains."""
        width, height = self.size
        grid = np.stack(np.meshgrid(np.arange(width), np.arange(height)), -1).astype(np.float32)
        if not self.camera.moving:
            return np.zeros_like(grid)
        moved = cv2.perspectiveTransform(grid.reshape(1, -1, 2), self.camera.between(source, target))
        return np.asarray(moved.reshape(grid.shape) - grid, np.float32)


@functools.lru_cache(maxsize=4)
def _flow_between(path: Path, shape: tuple[int, int, int, int], kind: str, source: int, target: int) -> Floats:
    store = FrameStore(path, shape, kind)
    dis = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    pair = [cv2.cvtColor(to_bytes(store.frame(index)), cv2.COLOR_RGB2GRAY) for index in (source, target)]
    room = np.zeros((shape[1], shape[2], 2), np.float32)
    return np.asarray(dis.calc(pair[0], pair[1], room), np.float32)


def to_bytes(picture: Floats) -> Grey:
    """Display values 0..1 in 8 bits."""
    return np.asarray(np.round(np.clip(picture, 0, 1) * 255), np.uint8)


def fetch(values: Floats, flow: Floats) -> Floats:
    """Values (h, w) of another frame, brought to this one by the flow from this one to the other; 0 outside."""
    height, width = flow.shape[:2]
    x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    return np.asarray(cv2.remap(values, x + flow[..., 0], y + flow[..., 1], cv2.INTER_LINEAR), np.float32)


def read_scene(plate: Plate, work: Path, tell: Tell, warn: Callable[[str], None]) -> Scene:
    """Shrink the plate into ``work`` and follow the camera.

    Raises:
        PlateError: there is a cut inside the shot.
    """
    size = work_size(plate.info)
    count = plate.info.frames
    frames = (_shrunk(frame, size, index, count, tell) for index, frame in enumerate(plate))
    pictures = FrameStore.create(work / "small.raw", _without_cut(frames, plate.info), count)
    nobody = np.zeros((size[1], size[0]), np.float32)

    def frame(index: int) -> tuple[Floats, Floats]:
        return pictures.frame(index), nobody

    found = register(frame, count, lambda done: tell(0.4 + 0.6 * done))
    camera = Camera.static(count, size)
    if not found.static:
        moving = Camera.moving_over(found.to_first, size)
        if moving.plausible and found.agreement >= LEAST_AGREEMENT:
            camera = moving
        else:
            warn("The camera's motion could not be followed; people are told from the background by their looks alone")
    return Scene(plate.info, pictures, camera)


def work_size(info: PlateInfo) -> tuple[int, int]:
    """(w, h) of the small pictures of a plate."""
    scale = min(1.0, WORK_SIZE / max(info.width, info.height))
    return max(16, round(info.width * scale)), max(16, round(info.height * scale))


def _shrunk(frame: Floats, size: tuple[int, int], index: int, count: int, tell: Tell) -> Floats:
    tell(0.4 * index / count)
    small = cv2.resize(np.clip(frame, 0, 1), size, interpolation=cv2.INTER_AREA)
    return to_bytes(np.asarray(small, np.float32)).astype(np.float32) / np.float32(255)


def _without_cut(frames: Iterator[Floats], info: PlateInfo) -> Iterator[Floats]:
    """The frames as they come; raises PlateError at a cut."""
    before: Floats | None = None
    changes: list[float] = []
    for index, frame in enumerate(frames):
        tiny = np.asarray(cv2.resize(frame, _CUT_SIZE, interpolation=cv2.INTER_AREA), np.float32)
        change = 0.0 if before is None else float(np.abs(tiny - before).mean())
        usual = float(np.median(changes)) if changes else 0.0
        if index > 1 and change > max(_CUT_CHANGE, _CUT_TIMES * usual):
            number = info.first_frame + index
            raise PlateError(
                f"{info.path} has a cut at frame {number}",
                f"Work on one shot at a time: --frames {info.first_frame}-{number - 1}, or from {number} on",
            )
        changes.append(change)
        before = tiny
        yield frame

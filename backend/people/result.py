"""From small masks to what the artist gets: masks at full size, a list of people, a small picture of each."""

from __future__ import annotations

import colorsys
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from backend.core.color import Floats
from backend.core.guided import guided
from backend.media.depth_file import write_order
from backend.media.files import writing
from backend.media.frame_store import FrameStore
from backend.media.masks import read_mask
from backend.media.people_info import THUMBNAILS, PeopleInfo, Person, write_people
from backend.media.plates import Plate
from backend.people.depth import proposed_order
from backend.people.evidence import Flags
from backend.people.scene import Grey, Scene, Tell, to_bytes

_GUIDE_RADIUS = 0.006
_GUIDE_NOISE = 1.5e-3
_CONTRAST = 2.2
_THUMBNAIL = 128
UNFINISHED = ".unfinished"
# Smaller than this share of the picture, or seen in fewer frames, a body is an accident.
_LEAST_AREA = 4e-4
_LEAST_FRAMES = 3
# Somebody who never moves against the background by so many heights per frame, at the quickest part, stands still.
_STILL = 0.006
_STILL_SHARE = 0.06
# What goes with the background nearly always does so too, though a blurred frame now and then looks like motion.
_FIXED, _FIXED_SHARE = 0.0006, 0.25
_GOLDEN = 0.618034


@dataclass(frozen=True)
class Sighting:
    """What the masks of one person say about the person."""

    seen: list[int]
    """Frames (0-based) in which there is some body."""
    best: int
    """The frame that shows most of the body."""
    static: bool


def sight(scene: Scene, masks: FrameStore, person: int) -> Sighting | None:
    """When a person is to be seen, and whether she moves; None for somebody hardly ever seen."""
    least = _LEAST_AREA * scene.size[0] * scene.size[1]
    areas, quick = np.zeros(len(scene)), []
    for index in range(len(scene)):
        body = masks.frame(index)[..., person] > 0.5
        areas[index] = body.sum()
        if areas[index] > least:
            quick.append(_quickness(scene, index, body))
    seen = np.flatnonzero(areas > least)
    if len(seen) < min(_LEAST_FRAMES, len(scene)):
        return None
    moving = np.mean([value > _STILL for value in quick])
    fixed = np.median(quick) < _FIXED and moving < _FIXED_SHARE
    return Sighting(seen.tolist(), int(areas.argmax()), bool(fixed or moving < _STILL_SHARE))


def _quickness(scene: Scene, index: int, body: Flags) -> float:
    """Speed of the quicker parts of a body against the background, in heights per frame."""
    other = index + 1 if index + 1 < len(scene) else index - 1
    motion = np.linalg.norm(scene.flow(index, other) - scene.camera_flow(index, other), axis=-1)
    rows = np.flatnonzero(body.any(1))
    # The median over the surroundings is what the camera's model has missed.
    wrong = float(np.median(motion))
    return max(0.0, float(np.percentile(motion[body], 85)) - wrong) / max(1.0, float(rows[-1] - rows[0] + 1))


def color_of(number: int) -> tuple[float, float, float]:
    """A colour for the person of that number (from 0), far from those before."""
    red, green, blue = colorsys.hsv_to_rgb((0.02 + number * _GOLDEN) % 1, 0.75, 1.0)
    return round(red, 3), round(green, 3), round(blue, 3)


def write_result(
    folder: Path,
    plate: Plate,
    masks: FrameStore,
    info: PeopleInfo,
    columns: Sequence[int],
    thumbs: Sequence[int],
    drawn: Mapping[str, Mapping[int, Path]],
    tell: Tell,
) -> Path:
    """Write all masks at full size, the thumbnails, the depth order, and last the list; what is there is whole.

    Args:
        folder: where the people's folders go.
        plate: the plate the masks belong to.
        masks: (T, h, w, N) at working size.
        info: the list of people.
        columns: for each person of the list the number within the masks.
        thumbs: for each person the frame (0-based) of the thumbnail.
        drawn: files of drawn masks by person and frame (0-based); they are taken as they are.
        tell: told how far it is.
    """
    unfinished = folder / UNFINISHED
    with writing(folder):
        shutil.rmtree(unfinished, ignore_errors=True)
        for person in info.people:
            (unfinished / person.name).mkdir(parents=True)
        (unfinished / THUMBNAILS).mkdir(parents=True)
        for index, frame in enumerate(plate):
            tell(index / info.frames)
            found = list(full_size(masks.frame(index), columns, frame))
            for number, (person, mask) in enumerate(zip(info.people, found, strict=True)):
                path = unfinished / person.name / f"{info.first_frame + index:04d}.png"
                given = drawn.get(person.name, {}).get(index)
                save(path, to_bytes(mask) if given is None else read_mask(given))
                if thumbs[number] == index:
                    save(unfinished / THUMBNAILS / f"{person.name}.png", thumbnail(frame, mask))
        frames = range(info.first_frame, info.first_frame + info.frames)
        names = [person.name for person in info.people]
        fps = float(plate.info.fps)
        write_order(unfinished, proposed_order(lambda t: masks.frame(t)[..., list(columns)], names, frames, fps))
        return put_in_place(unfinished, folder, info)


def put_in_place(unfinished: Path, folder: Path, info: PeopleInfo) -> Path:
    """Move what is whole now to where it belongs, and write the list; returns its path."""
    for made in sorted(unfinished.iterdir()):
        shutil.rmtree(folder / made.name, ignore_errors=True)
        made.rename(folder / made.name)
    # The folder goes last: where there is one without a list, a search was killed here.
    path = write_people(folder, info)
    unfinished.rmdir()
    return path


def full_size(small: Floats, columns: Sequence[int], frame: Floats) -> Iterator[Floats]:
    """The masks of one frame at the size of the plate, brought to its edges; together at most 1."""
    height, width = frame.shape[:2]
    grey = np.asarray(cv2.cvtColor(np.clip(frame, 0, 1).astype(np.float32), cv2.COLOR_RGB2GRAY), np.float32)
    radius = max(2, round(_GUIDE_RADIUS * max(width, height)))
    large = []
    for column in columns:
        rough = cv2.resize(np.ascontiguousarray(small[..., column]), (width, height), interpolation=cv2.INTER_LINEAR)
        mask = np.asarray(rough, np.float32)
        sharp = np.clip((guided(mask, grey, radius, _GUIDE_NOISE) - 0.5) * _CONTRAST + 0.5, 0, 1)
        # Far from the body the filter's tails are nothing.
        near = cv2.dilate((mask > 0.3).astype(np.uint8), np.ones((2 * radius + 1, 2 * radius + 1), np.uint8))
        large.append(np.asarray(sharp * near, np.float32))
    total = np.maximum(1, sum(large, np.zeros((height, width), np.float32)))
    for mask in large:
        yield np.asarray(mask / total, np.float32)


def thumbnail(frame: Floats, mask: Floats) -> Grey:
    """A square 8-bit picture (S, S, 3) of a person, the surroundings darkened."""
    rows, columns = np.nonzero(mask > 0.5)
    if not len(rows):
        rows, columns = np.array([0, frame.shape[0] - 1]), np.array([0, frame.shape[1] - 1])
    side = int(1.15 * max(np.ptp(rows), np.ptp(columns))) + 4
    shown = to_bytes(frame * (0.45 + 0.55 * mask[..., None]))
    padded = cv2.copyMakeBorder(shown, side, side, side, side, cv2.BORDER_CONSTANT)
    top = int((rows.min() + rows.max()) / 2 - side / 2) + side
    left = int((columns.min() + columns.max()) / 2 - side / 2) + side
    cut = padded[top : top + side, left : left + side]
    return np.asarray(cv2.resize(cut, (_THUMBNAIL, _THUMBNAIL), interpolation=cv2.INTER_AREA))


def save(path: Path, pixels: Grey) -> None:
    """Write a picture as PNG."""
    _, data = cv2.imencode(".png", pixels[..., ::-1] if pixels.ndim == 3 else pixels)
    path.write_bytes(data.tobytes())


def person_of(name: str, number: int, sighting: Sighting, first_frame: int, confidence: float, wanted: bool) -> Person:
    """The entry of one person; somebody who stands still and was not asked for is left to the background."""
    return Person(
        name=name,
        color=color_of(number),
        thumbnail=f"{THUMBNAILS}/{name}.png",
        first_frame=first_frame + sighting.seen[0],
        last_frame=first_frame + sighting.seen[-1],
        confidence=round(confidence, 3),
        static=sighting.static,
        use=wanted or not sighting.static,
    )

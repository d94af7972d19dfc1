"""Retimed people carried along with a camera that moves: keys on their strips, renewed when their time changes."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import bpy
import numpy as np

from .camera_math import Matrix, Pose, between, pose_of
from .compat import Scene, Strip, remove_curves
from .motion_pictures import place_in
from .strip_keys import RetimingProblem
from .strips import SHOT, background_of, layer_strips, seen_frames, source_frames

FOLLOWED, USUAL_SCALE = "retime_people_followed", "retime_people_scale"
CAMERA = "retime_people_camera"
"""On the background: width and height of the shot, then its homographies in a row; 0 for a camera that stands."""
FIELDS = ("offset_x", "offset_y", "scale_x", "scale_y", "rotation")


@dataclass(frozen=True)
class MovingCamera:
    """The size of a shot's pictures, and the homographies (T, 3, 3) from its frames to a common canvas."""

    size: tuple[int, int]
    to_canvas: Matrix


def follow_cameras(scene: Scene) -> None:
    """See that every person stands where the camera of the moment would see that person.

    Nothing is done for a camera that stands, for people whose time is that of the background, and twice.
    """
    for shot in dict.fromkeys(strip[SHOT] for strip in layer_strips(scene, role="background")):
        background = background_of(scene, shot)
        camera = _camera(background) if background else None
        if camera is None:
            continue
        for strip in layer_strips(scene, shot, "subject"):
            _follow(scene, strip, background, camera)


def _follow(scene: Scene, strip: Strip, background: Strip, camera: MovingCamera) -> None:
    frames = list(seen_frames(strip))
    last = len(camera.to_canvas) - 1
    shown = [min(n, last) for n in source_frames(strip, frames)]
    views = [min(n, last) for n in source_frames(background, frames)]
    # The name too, because a copy of a strip has no keys of its own yet.
    told = "" if shown == views else f"{strip.name} {frames[0]} {shown} {views}"
    if strip.get(FOLLOWED, "") == told:
        return
    if USUAL_SCALE not in strip:
        strip[USUAL_SCALE] = strip.transform.scale_x
    remove_curves(scene, tuple(f"{strip.path_from_id()}.transform.{name}" for name in FIELDS))
    _lie(strip, Pose())
    if told:
        _give_keys(strip, frames, _poses(strip, shown, views, camera))
    strip[FOLLOWED] = told


def _poses(strip: Strip, shown: Sequence[int], views: Sequence[int], camera: MovingCamera) -> list[Pose]:
    size = camera.size
    places = _places(strip, {n for n, view in zip(shown, views, strict=True) if n != view})
    return [
        pose_of(between(camera.to_canvas, n, view), _scaled(places.get(n, (0.5, 0.5)), size), size)
        if n != view
        else Pose()
        for n, view in zip(shown, views, strict=True)
    ]


def _scaled(place: tuple[float, float], size: tuple[int, int]) -> tuple[float, float]:
    return place[0] * size[0] - 0.5, place[1] * size[1] - 0.5


def _places(strip: Strip, numbers: set[int]) -> dict[int, tuple[float, float]]:
    """The middle of the person on these frames of the source, in shares of the picture, as far as it is known."""
    found = {}
    for number in numbers:
        try:
            place = place_in(strip, number)
        except RetimingProblem:
            continue
        if place is not None:
            found[number] = place
    return found


def _give_keys(strip: Strip, frames: Sequence[int], poses: Sequence[Pose]) -> None:
    for frame, pose, before, after in zip(frames, poses, [None, *poses], [*poses[1:], None], strict=False):
        if pose == before == after:
            continue
        _lie(strip, pose)
        for name in FIELDS:
            strip.transform.keyframe_insert(name, frame=frame)


def _lie(strip: Strip, pose: Pose) -> None:
    usual, transform = strip[USUAL_SCALE], strip.transform
    transform.offset_x, transform.offset_y = pose.right * usual, pose.up * usual
    transform.scale_x = transform.scale_y = usual * pose.scale
    transform.rotation = pose.turn


def _camera(background: Strip) -> MovingCamera | None:
    """The camera of a shot; None for one that stands, and where the layer set can't be read."""
    if CAMERA not in background:
        background[CAMERA] = _read_camera(Path(bpy.path.abspath(background.directory)).parent / "layers.json")
    kept = background[CAMERA]
    if isinstance(kept, int):
        return None
    return MovingCamera((int(kept[0]), int(kept[1])), np.array(kept[2:], np.float64).reshape(-1, 3, 3))


def _read_camera(file: Path) -> list[float] | int:
    try:
        data = json.loads(file.read_text(encoding="utf-8"))
        matrices = np.array(data["camera"]["to_canvas"], np.float64)
        moves = data["camera"]["kind"] == "homography" and matrices.shape[1:] == (3, 3)
        return [float(data["width"]), float(data["height"]), *matrices.ravel().tolist()] if moves else 0
    except (OSError, ValueError, KeyError, TypeError):
        return 0

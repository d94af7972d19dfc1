"""Short drawn shots, looked at as the finder looks at them: whoever never moves is in the empty scene as well."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory

import cv2
import numpy as np

from backend.core.camera import Camera
from backend.core.color import Floats
from backend.media.frame_store import FrameStore
from backend.media.plates import PlateInfo
from backend.people.clues import cleared
from backend.people.detect import Figure
from backend.people.evidence import Backdrop, behind, boxes_of, compare, empty_scene
from backend.people.scene import Scene
from backend.people.segmenter import place_of
from backend.people.unrest import unrest
from pretraining.outline_pictures import LEAST_BODY, Bytes, Flaws, stored
from pretraining.outline_scenes import SIDE, OutlineScene

# Moments at which a shot is looked at; the frame after each tells the motion.
_MOMENTS, _LONGEST = 9, 2.5
_STAYS = 0.75
# How far off the detector's box is, in heights of the body.
_BOX = 0.04
_CALM = 0.4


def pictures_of_shot(rng: np.random.Generator) -> list[Bytes]:
    """Pictures of one drawn shot, see ``stored``: with boxes of everybody only, and with masks and their flaws."""
    drawn = OutlineScene(rng, int(rng.choice([1, 1, 2, 2, 3])))
    if rng.random() < _STAYS:
        drawn.figures[0].stay(rng)
    middle, length = rng.uniform(-1, 1), rng.uniform(0.5, _LONGEST)
    starts = middle + np.linspace(-length / 2, length / 2, _MOMENTS)
    moments = [float(t) for start in starts for t in (start, start + 1 / 24)]
    frames = [drawn.drawn(t) for t in moments]
    masks = [frame[2] for frame in frames]
    flaws = [Flaws(rng) for _ in masks[0]]
    found = [
        np.stack([flaw.of(drawn, t, n, mask) for n, flaw in enumerate(flaws)], -1)
        for t, mask in zip(moments, masks, strict=True)
    ]
    with TemporaryDirectory() as folder:
        work = Path(folder)
        camera = filming(rng)
        pictures = FrameStore.create(work / "pictures.raw", (camera(frame[0]) for frame in frames), len(frames))
        info = PlateInfo(work, SIDE, SIDE, Fraction(24), 1, len(frames))
        scene = Scene(info, pictures, Camera.static(len(frames), (SIDE, SIDE)))
        loose = empty_scene(scene, boxes_of(_figures(rng, masks), scene.size), lambda _done: None)
        close = cleared(scene, FrameStore.create(work / "masks.raw", iter(found), len(frames)))
        return [
            _example(scene, backdrop, index, person, masks[index], found[index])
            for backdrop in (loose, close)
            for index in range(0, len(frames), 2)
            if masks[index][person := int(rng.integers(len(flaws)))].sum() >= LEAST_BODY
        ]


def _example(scene: Scene, backdrop: Backdrop, index: int, person: int, masks: Floats, found: Floats) -> Bytes:
    motion = scene.own_speed(index, index + 1)
    shown = [masks[person], np.delete(masks, person, 0).max(0, initial=0), found[..., person]]
    ground, evidence = behind(scene, backdrop, index), compare(scene, backdrop, index)
    return stored(scene.picture(index), ground, evidence, motion, unrest(scene, index, backdrop.bluish), shown)


def _figures(rng: np.random.Generator, masks: list[Floats]) -> list[list[Figure]]:
    """Everybody's box in every frame, as a detector would give it."""
    figures = []
    for shown in masks:
        places = [place for mask in shown if (place := place_of(mask)) is not None]
        figures.append(
            [
                Figure(p.x + rng.normal(0, _BOX) * p.height, p.y + rng.normal(0, _BOX) * p.height, p.height, 1.0)
                for p in places
            ]
        )
    return figures


def filming(rng: np.random.Generator) -> Callable[[Floats], Floats]:
    """What a camera, a codec and the stabilisation of a shot do to its frames."""
    noise = rng.uniform(0, 0.02)
    quality = int(rng.integers(40, 95)) if rng.random() < 0.5 else 0
    shake = 0.0 if rng.random() < _CALM else rng.uniform(0.05, 0.35)

    def filmed(picture: Floats) -> Floats:
        shift = np.array([[1, 0, rng.normal(0, shake)], [0, 1, rng.normal(0, shake)]], np.float64)
        moved = cv2.warpAffine(picture, shift, picture.shape[1::-1], borderMode=cv2.BORDER_REPLICATE)
        seen = np.round(np.clip(moved + rng.normal(0, noise, picture.shape), 0, 1) * 255).astype(np.uint8)
        if quality:
            _, data = cv2.imencode(".jpg", seen, [cv2.IMWRITE_JPEG_QUALITY, quality])
            seen = cv2.imdecode(data, cv2.IMREAD_COLOR).astype(np.uint8)
        return np.asarray(seen.astype(np.float32) / np.float32(255), np.float32)

    return filmed

"""Drawn people, and what the finder would know of them: single pictures, their empty scene spoilt at random."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from backend.core.color import Floats
from backend.people.evidence import Evidence, contrasted
from backend.people.segmenter import Place, place_of
from backend.people.unrest import unlike_most
from pretraining.figures import EXTRAS, LIMBS
from pretraining.outline_scenes import SIDE, OutlineScene

PICTURE, BEHIND, DIFFERENCE, SHADOW, CERTAIN, MOTION, UNREST, OWN, OTHERS, FOUND = (
    *(slice(0, 3), slice(3, 6)),
    *(6, 7, 8, 9, 10, 11, 12, 13),
)
"""What the channels of a stored picture hold; difference and motion divided by 4, unrest times 4."""
LEAST_BODY = 250
_PER_SCENE = 8
# How often a limb is in no mask, how many may be, and how often a gap is filled (in heights of the body).
_LIMB_LOST, _MOST_LOST, _GAP_FILLED, _GAP = 0.5, 3, 0.4, (0.03, 0.12)
# How often ground beside the body is taken for a part of it: all of a spot, or what is coloured as its middle is.
_SPILT, _MOST_SPILT, _ONE_COLOR, _ALIKE = 0.4, 3, 0.6, 0.12

Bytes = npt.NDArray[np.uint8]


class Flaws:
    """What is wrong with all masks of one person: limbs are missing, gaps are filled, ground is taken."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.lost: list[int] = []
        if rng.random() < _LIMB_LOST:
            chosen = rng.choice(len(LIMBS), rng.integers(1, _MOST_LOST + 1), replace=False)
            self.lost = [part for limb in chosen for part in LIMBS[limb]]
            self.lost += [*range(EXTRAS, EXTRAS + 8)] if rng.random() < 0.5 else []
        self.gap = rng.uniform(*_GAP) if rng.random() < _GAP_FILLED else 0.0
        spots = rng.integers(1, _MOST_SPILT + 1) if rng.random() < _SPILT else 0
        # Where from the middle of the body, how wide and how tall, in its heights.
        self.spilt = rng.uniform([-0.35, -0.5, 0.05, 0.05], [0.35, 0.4, 0.2, 0.4], (spots, 4))
        self.one_color = rng.random() < _ONE_COLOR

    def of(self, scene: OutlineScene, seconds: float, person: int, masks: Floats) -> Floats:
        """(h, w): the mask of a person as it would be found, from everybody's true ones (N, h, w)."""
        own, others = masks[person], np.delete(masks, person, 0).max(0, initial=0)
        if self.lost:
            own = np.minimum(own, scene.spoilt(seconds, person, self.lost))
        rows = np.flatnonzero(own.max(1) > 0.5)
        if self.gap and len(rows):
            side = 2 * round(self.gap * float(np.ptp(rows)) / 2) + 1
            kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
            closed = cv2.morphologyEx(own, cv2.MORPH_CLOSE, kernel, borderValue=0)
            own = np.maximum(own, closed * (others < 0.5))
        place = place_of(masks[person])
        if place is not None:
            for spot in self.spilt:
                own = np.maximum(own, self._spill(scene.ground, place, spot) * (others < 0.5))
        return np.asarray(own, np.float32)

    def _spill(self, ground: Floats, place: Place, spot: npt.NDArray[np.float64]) -> Floats:
        middle, axes = place.height * spot[:2] + [place.x, place.y], np.maximum(1, place.height * spot[2:])
        taken = np.zeros(ground.shape[:2], np.float32)
        cv2.ellipse(
            taken, middle.round().astype(int).tolist(), axes.round().astype(int).tolist(), 0, 0, 360, (1.0,), -1
        )
        if self.one_color:
            column, row = np.clip(middle, 0, SIDE - 1).astype(int)
            taken *= np.abs(ground - ground[row, column]).max(-1) < _ALIKE
        return taken


def stored(
    picture: Floats, behind: Floats, evidence: Evidence, motion: Floats, restless: Floats, masks: list[Floats]
) -> Bytes:
    """A picture (h, w, 14) in bytes; ``masks`` (h, w) are one's own, the others' and one's own as it would be found."""
    maps = [evidence.difference / 4, evidence.shadow, evidence.certain, motion / 4, 4 * restless, *masks]
    values = np.concatenate([picture, behind, np.stack(maps, -1)], -1)
    return np.asarray(np.round(np.clip(values, 0, 1) * 255), np.uint8)


def pictures_of(rng: np.random.Generator) -> list[Bytes]:
    """Pictures of one drawn place, see ``stored``."""
    scene = OutlineScene(rng, int(rng.choice([1, 2, 2, 2, 3])))
    moments = [float(seconds) for seconds in rng.uniform(-1.5, 1.5, _PER_SCENE)]
    drawn = [scene.drawn(seconds) for seconds in moments]
    looked = [_seen(rng, picture, background) for picture, background, _ in drawn]
    found = []
    for number, (seconds, (_, _, masks)) in enumerate(zip(moments, drawn, strict=True)):
        person = int(rng.integers(len(masks)))
        if masks[person].sum() < LEAST_BODY:
            continue
        seen, behind = looked[number]
        certain, behind = _certainty(rng, seen, behind, masks.max(0))
        flicker = np.full((SIDE, SIDE), rng.uniform(0.002, 0.012), np.float32)
        restless = unlike_most(seen, [other for other, _ in looked if other is not seen], None)
        others = np.delete(masks, person, 0).max(0, initial=0)
        shown = [masks[person], others, Flaws(rng).of(scene, seconds, person, masks)]
        evidence = contrasted(seen, behind, flicker, certain)
        found.append(stored(seen, behind, evidence, _motion(rng, masks), restless, shown))
    return found


def _seen(rng: np.random.Generator, picture: Floats, background: Floats) -> tuple[Floats, Floats]:
    """Picture and background as a camera and a median over frames give them."""
    noise = rng.uniform(0, 0.02)
    seen = np.clip(picture + rng.normal(0, noise, picture.shape), 0, 1).astype(np.float32)
    if rng.random() < 0.5:
        quality = int(rng.integers(40, 95))
        _, data = cv2.imencode(".jpg", np.round(seen * 255).astype(np.uint8), [cv2.IMWRITE_JPEG_QUALITY, quality])
        seen = cv2.imdecode(data, cv2.IMREAD_COLOR).astype(np.float32) / 255
    shift = np.array([[1, 0, rng.normal(0, 0.3)], [0, 1, rng.normal(0, 0.3)]], np.float64)
    behind = cv2.warpAffine(background, shift, (SIDE, SIDE), borderMode=cv2.BORDER_REPLICATE)
    behind = np.clip(behind * (1 + rng.normal(0, 0.012, 3)) + rng.normal(0, noise / 4, behind.shape), 0, 1)
    return seen, np.asarray(behind, np.float32)


def _certainty(rng: np.random.Generator, picture: Floats, behind: Floats, anybody: Floats) -> tuple[Floats, Floats]:
    """Where the background is known; where it isn't, it is made up or holds somebody's remains."""
    certain = np.ones((SIDE, SIDE), np.float32)
    if rng.random() < 0.35:
        for _ in range(rng.integers(1, 4)):
            rows, columns = np.nonzero(anybody > 0.5)
            pick = rng.integers(len(rows))
            axes = [int(v) for v in rng.uniform(5, 60, 2)]
            level = float(rng.choice([0.0, 0.5, 0.5]))
            cv2.ellipse(certain, (int(columns[pick]), int(rows[pick])), axes, 0, 0, 360, (level,), -1)
    if rng.random() < 0.06:
        certain[:] = 0
    remains = cv2.GaussianBlur(picture, (0, 0), rng.choice([0.3, 1, 2, 5]))
    share = (1 - certain[..., None]) * rng.uniform(0, 1)
    return certain, np.asarray(behind + share * (remains - behind), np.float32)


def _motion(rng: np.random.Generator, masks: Floats) -> Floats:
    speed = np.full((SIDE, SIDE), rng.uniform(0, 0.15), np.float32)
    for mask in masks:
        own = 0.0 if rng.random() < 0.25 else rng.uniform(0, 6)
        field = cv2.resize(rng.uniform(0.3, 1.3, (5, 5)).astype(np.float32), (SIDE, SIDE))
        wide = cv2.GaussianBlur(mask, (0, 0), rng.uniform(0.5, 4))
        speed = np.maximum(speed, own * field * np.clip(wide * 2, 0, 1))
    return np.asarray(speed, np.float32)

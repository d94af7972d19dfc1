"""Where people are in a frame: told by a small network that was trained once, on drawn shots, from what moves there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor

from backend.core.color import Floats
from backend.model.stored import with_weights
from backend.people.detect import Figure, overlap, surest
from backend.people.evidence import Backdrop, Evidence, behind, compare, contrasted
from backend.people.figures import core
from backend.people.pyramid import Pyramid
from backend.people.scene import Scene
from backend.train.device import quick_arithmetic

WEIGHTS = Path(__file__).with_name("presence.pt")
# Frames are looked at this wide (or tall, whatever is more).
WIDTH = 224
# One answer for so many pixels.
STRIDE = 4
INPUTS = 12
# Pictures are made so many times as wide and as tall as a whole number.
_MULTIPLE = 32
# Heights are told as the logarithm of so many pixels.
_UNIT = 40.0
# Below this nobody is told; how likely it is counts as a detector's score does.
_LEAST = 0.15
_SCORE, _NOTHING = 2.0, 0.2
# Doors and windows look like people who stay: so much of a body must differ or move (pixels per frame), or the detector
# of pedestrians must agree, which makes it surer.
_ALIVE, _MOVES = 0.25, 0.5
_AGREES, _SEEN, _BOTH = 0.4, 0.1, 0.5


def clues(picture: Floats, behind: Floats, evidence: Evidence, flicker: Floats, motion: Floats) -> Floats:
    """What tells people, (INPUTS, h, w).

    Args:
        picture: (h, w, 3) display values.
        behind: (h, w, 3) the empty scene.
        evidence: what differs between the two.
        flicker: (h, w), see ``Backdrop``.
        motion: (h, w) speed against the background in pixels per frame.
    """
    rows = np.broadcast_to(np.linspace(-1, 1, picture.shape[0], dtype=np.float32)[:, None], motion.shape)
    single = [evidence.difference / 2, evidence.shadow, evidence.certain, 10 * flicker, np.minimum(motion, 4), rows]
    maps = [2 * picture - 1, np.clip(3 * (picture - behind), -1.5, 1.5), np.stack(single, -1)]
    return np.ascontiguousarray(np.concatenate(maps, -1).transpose(2, 0, 1), np.float32)


class PresenceNet(Pyramid):
    """From what is to be seen in a frame to where the middles of bodies are, and how tall these are."""

    def __init__(self, width: int = 24, levels: int = 5) -> None:
        super().__init__(INPUTS, 4, width, levels, finest=1)

    def forward(self, inputs: Tensor) -> Tensor:
        """(B, 4, H / STRIDE, W / STRIDE) from (B, INPUTS, H, W), both a multiple of 32.

        The odds (logarithm) that the middle of a body lies in a cell; where in the cell, (x, y) in cells from its own
        middle; and the logarithm of the body's height in units of 40 pixels.
        """
        return self.answer(inputs)


@cache
def presence_net(weights: Path = WEIGHTS) -> PresenceNet:
    """The network with the weights that ship with the product."""
    return with_weights(PresenceNet(), weights)


def people_in(scene: Scene, backdrop: Backdrop, index: int, seen: Sequence[Figure]) -> list[Figure]:
    """Who is in a frame, surest first; ``seen`` is whom the detector of pedestrians saw there."""
    motion = own_motion(scene, index)
    alive = compare(scene, backdrop, index).changed | (motion > _MOVES)
    found = []
    for figure in _told(scene, backdrop, index, motion):
        best = max((other.score for other in seen if overlap(figure, other) > _AGREES), default=0.0)
        if best > _SEEN or alive[core(figure, alive.shape)].mean() > _ALIVE:
            both = max(0.0, min(figure.score, best))
            found.append(replace(figure, score=max(figure.score, best, 0.0) + _BOTH * both))
    return surest(found)


def _told(scene: Scene, backdrop: Backdrop, index: int, motion: Floats) -> list[Figure]:
    """Whom the network sees in a frame, in pixels of the scene's pictures."""
    maps = _seen(scene, backdrop, index, motion)
    height, width = maps.shape[1:]
    padded = np.pad(maps, ((0, 0), (0, -height % _MULTIPLE), (0, -width % _MULTIPLE)), mode="edge")
    answer = answers(presence_net(), torch.from_numpy(padded))
    scale = scene.size[0] / width
    return [Figure(scale * f.x, scale * f.y, scale * f.height, f.score) for f in figures_of(answer)]


@torch.no_grad()
def answers(net: PresenceNet, maps: Tensor) -> Floats:
    """(4, h, w): the mean of what is found in a frame's clues (INPUTS, H, W) and in their mirror image."""
    with quick_arithmetic(maps.device):
        seen, mirrored = net(torch.stack([maps, maps.flip(2)])).float()
    mirrored = mirrored.flip(2) * torch.tensor([1.0, -1, 1, 1])[:, None, None]
    return np.asarray(((seen + mirrored) / 2).numpy(), np.float32)


def figures_of(answer: Floats) -> list[Figure]:
    """The bodies that an answer (4, h, w) tells, surest first, in pixels of the frame that was looked at."""
    likely = 1 / (1 + np.exp(-answer[0]))
    peak = cv2.dilate(likely, np.ones((3, 3), np.uint8)) <= likely
    found = []
    for row, column in np.argwhere(peak & (likely > _LEAST)):
        _, x, y, size = answer[:, row, column]
        score = _SCORE * (float(likely[row, column]) - _NOTHING)
        place = STRIDE * (column + 0.5 + x) - 0.5, STRIDE * (row + 0.5 + y) - 0.5
        found.append(Figure(float(place[0]), float(place[1]), float(_UNIT * np.exp(size)), score))
    return surest(found, parts=False)


def target_of(figures: list[Figure], shape: tuple[int, int]) -> Floats:
    """(5, h, w) what ``PresenceNet`` should answer for bodies in a frame: first how near 1 its odds should be, 0..1.

    The last map is 1 where place and height are to be learned.
    """
    target = np.zeros((5, *shape), np.float32)
    rows, columns = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
    nearest = np.full(shape, np.inf, np.float32)
    for figure in figures:
        x, y = (figure.x + 0.5) / STRIDE - 0.5, (figure.y + 0.5) / STRIDE - 0.5
        away = np.hypot((columns - x) / 0.6, rows - y)
        spread = max(0.8, 0.06 * figure.height / STRIDE)
        target[0] = np.maximum(target[0], np.exp(-0.5 * (away / spread) ** 2))
        here = (away < 1.5 * spread + 0.5) & (away < nearest)
        nearest = np.where(here, away, nearest)
        target[1] = np.where(here, x - columns, target[1])
        target[2] = np.where(here, y - rows, target[2])
        target[3] = np.where(here, np.log(figure.height / _UNIT), target[3])
        target[4] = np.maximum(target[4], here)
    return target


def _seen(scene: Scene, backdrop: Backdrop, index: int, motion: Floats) -> Floats:
    """The clues of a frame, made small."""
    scale = WIDTH / max(scene.size)
    size = round(scene.size[0] * scale), round(scene.size[1] * scale)

    def small(maps: Floats) -> Floats:
        return np.asarray(cv2.resize(maps, size, interpolation=cv2.INTER_AREA), np.float32)

    picture, ground = small(scene.picture(index)), small(behind(scene, backdrop, index))
    flicker = small(np.maximum(scene.camera.from_canvas(backdrop.flicker, index), 0))
    certain = small(scene.camera.from_canvas(backdrop.certain, index))
    evidence = contrasted(picture, ground, flicker, certain, backdrop.bluish)
    return clues(picture, ground, evidence, flicker, scale * small(motion))


def own_motion(scene: Scene, index: int) -> Floats:
    """(h, w): the speed of each pixel against the background, the greater of before and after, in pixels per frame."""
    near = [other for other in (index - 1, index + 1) if 0 <= other < len(scene)]
    return np.asarray(np.max([scene.own_speed(index, other) for other in near], 0), np.float32)

"""Where exactly a body ends: a small network that was trained once, on drawn people, and is refined on drawn masks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from backend.core.color import Floats
from backend.model.stored import with_weights
from backend.people.evidence import Evidence, Flags
from backend.people.pyramid import SHUFFLE, Pyramid
from backend.people.segmenter import Place
from backend.people.unrest import as_clue
from backend.train.device import quick_arithmetic

WEIGHTS = Path(__file__).with_name("outline.pt")
# A body is looked at in a square of so many pixels, which spans so many heights of the body.
SIDE = 160
SPAN = 1.45
INPUTS = 15
_DIFFERENCE, _SHADOW, _KNOWN = 6, 7, 8
_MOST_ODDS = 8.0
# How much the rough mask counts besides what the network makes of it, and how sure it can be at most.
_TRUST, _SURE = 0.45, (0.02, 0.98)
# Rough masks are rather too wide, and what the network makes of them still is by so many nats.
_TOO_WIDE = 0.4
# What differs so much, and is so little of a shadow, is no ground; which counts by so many nats between people who are
# this near (in their heights): there each of the networks leaves to the other what neither then has.
_DIFFERS, _SHADOWY, _CERTAIN = 1.5, 0.3, 0.75
_NO_GROUND, _BETWEEN, _BODY = 3.0, 0.15, 0.3
# From here on a picture has to be blurred before it is made smaller.
_SHRINKS = 1.3


@dataclass(frozen=True)
class View:
    """The square around one body, and the way from it to the picture and back."""

    to_square: Floats
    """(2, 3): pixels of the picture to pixels of the square."""
    shrinks: float
    """How many pixels of the picture one of the square spans."""

    @classmethod
    def around(cls, place: Place) -> View:
        """The square in whose middle a body lies."""
        scale = SIDE / (SPAN * place.height)
        shift = SIDE / 2 - 0.5 - scale * np.array([place.x, place.y])
        matrix = np.array([[scale, 0, shift[0]], [0, scale, shift[1]]], np.float32)
        return cls(matrix, 1 / scale)

    def cut(self, maps: Floats) -> Floats:
        """Maps (h, w, C) as seen in the square, (SIDE, SIDE, C); outside the picture its border goes on."""
        soft = cv2.GaussianBlur(maps, (0, 0), 0.4 * self.shrinks) if self.shrinks > _SHRINKS else maps
        square = cv2.warpAffine(
            soft, self.to_square, (SIDE, SIDE), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )
        return np.asarray(square.reshape(SIDE, SIDE, -1), np.float32)

    def back(self, square: Floats, size: tuple[int, int], outside: float) -> Floats:
        """A map (SIDE, SIDE) brought back into a picture of ``size`` (w, h)."""
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        found = cv2.warpAffine(square, self.to_square, size, flags=flags, borderValue=(outside,))
        return np.asarray(found, np.float32)


def clues(picture: Floats, behind: Floats, evidence: Evidence, motion: Floats, restless: Floats) -> Floats:
    """What tells a body's outline, (h, w, INPUTS - 2).

    Args:
        picture: (h, w, 3) display values.
        behind: (h, w, 3) the empty scene.
        evidence: what differs between the two.
        motion: (h, w) speed against the background in pixels per frame.
        restless: (h, w), see ``backend.people.unrest``.
    """
    known = (evidence.certain > 0.25).astype(np.float32)
    change = np.clip(3 * (picture - behind), -1.5, 1.5) * known[..., None]
    rows = np.broadcast_to(np.linspace(-1, 1, picture.shape[0], dtype=np.float32)[:, None], known.shape)
    single = [evidence.difference / 2 * known, evidence.shadow * known, evidence.certain, np.minimum(motion / 4, 1)]
    single += [rows, known, as_clue(restless)]
    return np.asarray(np.concatenate([2 * picture - 1, change, np.stack(single, -1)], -1), np.float32)


class OutlineNet(Pyramid):
    """From what is seen around a body, and a rough mask of it, to the odds of each pixel."""

    def __init__(self, width: int = 24, levels: int = 4) -> None:
        super().__init__(INPUTS, SHUFFLE**2, width, levels)
        self.trust = _TRUST
        """How much a rough mask counts besides what the network makes of it."""

    def forward(self, inputs: Tensor) -> Tensor:
        """Odds (logarithm) (B, SIDE, SIDE); ``inputs`` is (B, INPUTS, SIDE, SIDE)."""
        odds = F.pixel_shuffle(self.answer(inputs), SHUFFLE)[:, 0]
        return odds.clamp(-_MOST_ODDS, _MOST_ODDS)


def outline_net(weights: Path = WEIGHTS) -> OutlineNet:
    """A network with the weights that ship with the product, free to be refined."""
    return with_weights(OutlineNet(), weights)


def inputs_of(square: Floats, own: Floats, others: Floats) -> Floats:
    """The network's input (INPUTS, SIDE, SIDE) from clues and masks, all as seen in the square."""
    both = np.stack([2 * own - 1, others], -1)
    return np.ascontiguousarray(np.concatenate([square, both], -1).transpose(2, 0, 1))


def _both_ways(net: OutlineNet, inputs: Tensor) -> Tensor:
    """Odds (SIDE, SIDE): the mean of what is found in the square and in its mirror image."""
    with quick_arithmetic(inputs.device):
        answers: Tensor = net(torch.stack([inputs, inputs.flip(2)])).float()
    return (answers[0] + answers[1].flip(1)) / 2


@torch.no_grad()
def outlined(nets: Sequence[OutlineNet], seen: Floats, masks: Floats, places: list[Place | None]) -> Floats:
    """Rough masks (h, w, N) made exact; together at most 1.

    Args:
        nets: one per person, see ``outline_net``.
        seen: (h, w, INPUTS - 2) from ``clues``.
        masks: rough ones, 0..1.
        places: where each body is; somebody without a place has no mask.
    """
    height, width = masks.shape[:2]
    odds = np.full((masks.shape[2] + 1, height, width), -20, np.float32)
    odds[0] = -_NO_GROUND * (_between(masks, places) & _surely_somebody(seen))
    for person, place in enumerate(places):
        if place is None:
            continue
        view = View.around(place)
        others = np.delete(masks, person, 2).max(2, initial=0)
        square = view.cut(np.concatenate([seen, masks[..., person : person + 1], others[..., None]], -1))
        inputs = torch.from_numpy(inputs_of(square[..., :-2], square[..., -2], square[..., -1]))
        answer = _both_ways(nets[person], inputs).numpy()
        sure = np.clip(masks[..., person], *_SURE)
        odds[person + 1] = (
            view.back(answer, (width, height), -20) + nets[person].trust * np.log(sure / (1 - sure)) - _TOO_WIDE
        )
    weights = np.exp(odds)
    return np.ascontiguousarray((weights / weights.sum(0))[1:].transpose(1, 2, 0), np.float32)


def _surely_somebody(seen: Floats) -> Flags:
    """(h, w): where the clues ``seen`` (h, w, INPUTS - 2) show neither ground nor a shadow on it."""
    difference, shadow, certain = 2 * seen[..., _DIFFERENCE], seen[..., _SHADOW], seen[..., _KNOWN]
    return np.asarray((difference > _DIFFERS) & (shadow < _SHADOWY) & (certain > _CERTAIN))


def _between(masks: Floats, places: list[Place | None]) -> Flags:
    """(h, w): within reach of two people or more, by their masks (h, w, N)."""
    near = np.zeros(masks.shape[:2], np.uint8)
    for mask, place in zip(masks.transpose(2, 0, 1), places, strict=True):
        if place is not None:
            side = 2 * max(1, round(_BETWEEN * place.height)) + 1
            body = np.ascontiguousarray(mask > _BODY, np.uint8)
            reach = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
            near += np.asarray(cv2.dilate(body, reach), np.uint8)
    return np.asarray(near > 1)

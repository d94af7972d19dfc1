"""Effects behind people: what somebody's body hides of another's shadow goes on as the sun casts it."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from backend.core.color import Floats
from backend.core.side_by_side import in_order, over
from backend.core.silhouettes import others
from backend.model.sunlight import PLACES
from backend.train.shot_data import ShotData

# A cast shadow is compared with what is seen in so many frames, softened by so many pixels, and moved by so many, ...
_FRAMES, _SOFT, _FURTHEST = 24, (0.7, 1.5, 2.5, 4.0), 6
_NEAR = np.ones((2 * _FURTHEST + 1, 2 * _FURTHEST + 1), np.uint8)
# ... where somebody's shadow may be at all; bodies and what lies under them tell nothing.
_CAST, BODY = 0.1, 0.02
# Between these similarities (as a cosine) it is believed.
_ALIKE = (0.4, 0.8)
# How deep it is, is told by so much around, and where that is little (as so many pixels), by the whole clip.
_AROUND, _LITTLE = 8.0, 5.0
# How much the deeper one counts of what is learned and what is cast.
_DEEPER = 0.75


@dataclass(frozen=True)
class _Sample:
    """What one frame tells of somebody's shadow."""

    cast: Floats
    """(h, w) 0..1, as the sun casts it."""
    learned: Floats
    """(h, w, 3) density."""
    visible: Floats
    """(h, w) 0 or 1: where the frame shows it."""


@dataclass(frozen=True)
class _Fit:
    """How somebody's cast shadow must be changed to look like what is seen of the shadow."""

    place: int
    """On the ground, or on a wall."""
    soft: float
    shift: tuple[int, int]
    alike: float
    """How alike the two are then, as a cosine."""
    depth: Floats | float = 0.0
    """(3,): how deep it is in the whole clip."""

    @property
    def believed(self) -> float:
        """0..1"""
        return surely(self.alike, _ALIKE)

    def shadow(self, cast: Floats, learned: Floats, visible: Floats) -> Floats:
        """Of a cast one (h, w), as deep as what was learned (h, w, 3) where it is visible: densities (h, w, 3)."""
        here = self.applied(cast)
        shown, around = here * visible, 2 * np.pi * _AROUND**2
        depth = cv2.GaussianBlur(learned * shown[..., None], (0, 0), _AROUND) * around + _LITTLE * self.depth
        total = cv2.GaussianBlur(here * shown, (0, 0), _AROUND) * around + _LITTLE
        return np.asarray(self.believed * here[..., None] * depth / total[..., None], np.float32)

    def applied(self, cast: Floats) -> Floats:
        """A cast shadow (h, w), softened and moved."""
        matrix = np.array([[1, 0, self.shift[0]], [0, 1, self.shift[1]]], np.float64)
        soft = cv2.GaussianBlur(cast, (0, 0), self.soft)
        return np.asarray(cv2.warpAffine(soft, matrix, cast.shape[::-1]), np.float32)


def carry_behind(alone: NDArray[np.float16], data: ShotData) -> None:
    """Let effects alone (T, N, h, w, 3) go on behind the bodies of others: in place.

    What was learned says little there, since no frame shows it. Where those people are erased or retimed it is seen.

    Args:
        alone: densities.
        data: the shot, with the shadows that the sun casts.
    """
    people = alone.shape[1]
    everywhere = list(itertools.product(range(people if people > 1 else 0), range(PLACES)))
    fits = dict(zip(everywhere, over(lambda where: _fitted(alone, data, *where), everywhere), strict=True))
    found = [[fit for place in range(PLACES) if (fit := fits.get((person, place)))] for person in range(people)]

    def carry(index: int) -> None:
        for person, known in enumerate(found):
            if any(fit.believed for fit in known):
                alone[index, person] = _carried(known, alone[index, person].astype(np.float32), data, index, person)

    for _ in in_order(carry, len(alone)):
        pass


def _carried(known: Sequence[_Fit], learned: Floats, data: ShotData, index: int, person: int) -> Floats:
    """Somebody's effect in a frame, learned (h, w, 3) and as the sun casts it behind others: (h, w, 3)."""
    visible = visible_ground(data, index, person)
    cast = np.max([fit.shadow(_cast(data, index, person, fit.place), learned, visible) for fit in known], axis=0)
    mixed = _DEEPER * np.maximum(learned, cast) + (1 - _DEEPER) * np.minimum(learned, cast)
    believed = max(fit.believed for fit in known)
    share = believed * others(data.masks[index].cpu().numpy(), person)[..., None] * (learned >= 0)
    return np.asarray(learned + share * (mixed - learned), np.float32)


def _fitted(alone: NDArray[np.float16], data: ShotData, person: int, place: int) -> _Fit | None:
    """The fit of somebody's shadow in one place; None where none is cast."""
    samples = [
        _Sample(_cast(data, t, person, place), alone[t, person].astype(np.float32), visible_ground(data, t, person))
        for t in telling_frames(len(alone))
    ]
    samples = [sample for sample in samples if sample.cast.max() > _CAST]
    if not samples:
        return None
    fit = max((_moved(samples, place, soft) for soft in _SOFT), key=lambda fit: fit.alike)
    shown = [fit.applied(sample.cast) * sample.visible for sample in samples]
    depth = np.sum([(s[..., None] * x.learned).sum((0, 1)) for s, x in zip(shown, samples, strict=True)], axis=0)
    return replace(fit, depth=np.asarray(depth / max(float(np.square(shown).sum()), 1e-6), np.float32))


def _moved(samples: Sequence[_Sample], place: int, soft: float) -> _Fit:
    """The shift that fits best in a place for a softness, all tried at once, as correlations."""
    amounts = [np.maximum(sample.learned.mean(-1), 0) for sample in samples]
    near = [(cv2.dilate(sample.cast, _NEAR) > _CAST) * sample.visible for sample in samples]
    softened = [np.asarray(cv2.GaussianBlur(sample.cast, (0, 0), soft), np.float32) for sample in samples]
    both = np.sum([_by_shift(a * n, s) for a, n, s in zip(amounts, near, softened, strict=True)], axis=0)
    own = np.sum([_by_shift(n, s * s) for n, s in zip(near, softened, strict=True)], axis=0)
    seen = sum(float((a * a * n).sum()) for a, n in zip(amounts, near, strict=True))
    alike = both / np.sqrt(np.maximum(own * seen, 1e-9))
    row, column = np.unravel_index(int(alike.argmax()), alike.shape)
    return _Fit(place, soft, (int(column) - _FURTHEST, int(row) - _FURTHEST), float(alike[row, column]))


def _by_shift(values: Floats, template: Floats) -> Floats:
    """Sums of ``values`` (h, w) times a template (h, w) that was moved by up to ``_FURTHEST``, by rows and columns."""
    wide = np.pad(values, _FURTHEST).astype(np.float32)
    return np.asarray(cv2.matchTemplate(wide, template, cv2.TM_CCORR), np.float32)


def _cast(data: ShotData, index: int, person: int, place: int) -> Floats:
    return np.asarray(data.casts[index, person, place].cpu().numpy(), np.float32)


def visible_ground(data: ShotData, index: int, person: int) -> Floats:
    """Ground that a frame shows, and no part of a person, (h, w) 0 or 1."""
    seen, own = data.seen[index, 0].cpu().numpy() > 0, data.masks[index, person].cpu().numpy()
    return np.asarray(seen & (own < BODY), np.float32)


def telling_frames(count: int) -> list[int]:
    """Frames that tell of the others, spread over a clip of so many."""
    frames: list[int] = np.linspace(0, count - 1, min(count, _FRAMES)).round().astype(int).tolist()
    return frames


def surely(alike: float, limits: tuple[float, float]) -> float:
    """How far likeness is to be believed, 0..1: not at all below the lower limit, wholly above the higher."""
    low, high = limits
    return min(max((alike - low) / (high - low), 0.0), 1.0)

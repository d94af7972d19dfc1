"""The clean background: what a pixel shows in the frames in which nobody and nothing covers it."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from backend.core.color import Floats, most
from backend.core.inpaint_ways import smoothly
from backend.core.side_by_side import over

Flags = npt.NDArray[np.bool_]

# Shadows darken: where a pixel changes and nothing is known of any effect, the value lies near the brightest that was
# ever seen; once effects are undone, what is brighter than usual was undone too much.
NOTHING_KNOWN = 0.97
EFFECTS_UNDONE = 0.6
# Neither where it only flickers: this many times the usual distance from the median is noise.
_FLICKER = 1.0
# Of the frames in which a pixel is seen, the share with the weakest effects that the background is made of, ...
_CALMEST_SHARE = 0.3
# ... and the strength (density) up to which all frames are as good as the best.
_CALM = 0.02
# Where even those effects are stronger than between these densities, the ground is never free: then the weakest are not
# the calmest but those most wrong, and effects up to this many times as strong are as good.
_NEVER_FREE = (0.2, 0.3)
_AS_GOOD = 2.5
# Frames without anybody near that are enough to do without the others: so many, and this share of the clip.
_LEAST_FREE_FRAMES = 3
_LEAST_FREE_SHARE = 0.15
_SEAM = 1 / 60
_AROUND_PIXELS = 64
_AROUND_KERNEL = 9
_CALM_RANK = 0.35
# Ground that looks the same, up to so much, in most frames in which a body hides it is that body.
_ALIKE = 0.045
_VOTERS = 1 / 100
_SELDOM = 0.1
# Pixels of all frames that are sorted over time together.
_BAND_PIXELS = 500_000
# Ground seen only right beside bodies differs from that around it by no more than this (display values).
_LIKE_AROUND = 0.2
# Restlessness (display values) up to which ground is calm enough for a difference to mean something.
_CALM_GROUND = 0.006


@dataclass(frozen=True)
class Estimate:
    """A background and how well it is known."""

    picture: Floats
    """(h, w, 3) display values; 0 where nothing was ever seen."""
    observed: Flags
    """(h, w): seen without a body in front in at least one frame."""
    beside: Flags
    """(h, w): seen only right beside a body, of which it may be a part that the mask has left out."""

    def believed(self) -> Estimate:
        """The same with nothing beside bodies but what looks like the ground around it."""
        sure = self.observed & ~self.beside
        unlike = most(np.abs(self.picture - smoothly(self.picture, ~sure)))
        kept = sure | (self.beside & (unlike < _LIKE_AROUND))
        return Estimate(np.where(kept[..., None], self.picture, 0).astype(np.float32), kept, self.beside & kept)


def _softened(flags: Flags) -> Floats:
    """Flags (h, w) with soft borders, so that the two ways to a value leave no seam."""
    sigma = max(1.0, flags.shape[1] * _SEAM)
    return np.asarray(cv2.GaussianBlur(flags.astype(np.float32), (0, 0), sigma), np.float32)


def _around(values: Floats) -> Floats:
    """The median of a map (h, w) over a wide neighbourhood: small blobs, such as a shadow, leave no trace in it."""
    height, width = values.shape
    scale = _AROUND_PIXELS / max(height, width)
    small = cv2.resize(
        values, (max(1, round(width * scale)), max(1, round(height * scale))), interpolation=cv2.INTER_AREA
    )
    eight_bit = np.round(np.clip(small, 0, 0.25) * 1020).astype(np.uint8)
    wide = cv2.medianBlur(eight_bit, _AROUND_KERNEL).astype(np.float32) / 1020
    return np.asarray(cv2.resize(wide, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)


def restlessness(frames: Floats, seen: Flags) -> Floats:
    """How much a pixel changes from one frame to the next even when it is calm, (h, w).

    Waves, leaves and grain never rest; a shadow comes and goes. So the value is a low percentile over time.
    """
    return np.concatenate(list(over(lambda rows: _restlessness(frames[:, rows], seen[:, rows]), bands(frames))))


def calm_ground(restless: Floats) -> Floats:
    """How calm the ground is by its restlessness, of any shape: 1 to 0."""
    return np.clip(2 - restless / np.float32(_CALM_GROUND), 0, 1)


def _restlessness(frames: Floats, seen: Flags) -> Floats:
    both = seen[1:] & seen[:-1]
    step = most(np.abs(frames[1:] - frames[:-1]))
    ordered, count = np.sort(np.where(both, step, np.inf), axis=0), both.sum(0)
    return _finite(_pick(ordered, np.maximum(count - 1, 0) * _CALM_RANK))


def bands(frames: Floats) -> list[slice]:
    """The rows of a clip (T, h, w, 3) in bands, since sorting over time would take its memory several times over."""
    count, height, width = frames.shape[:3]
    rows = max(1, _BAND_PIXELS // (count * width))
    return [slice(first, first + rows) for first in range(0, height, rows)]


def calmest(
    undone: Floats,
    seen: Flags,
    hidden: Flags,
    strength: Floats,
    near: Flags,
    rank: float = EFFECTS_UNDONE,
    beside: Flags | None = None,
) -> Estimate:
    """The background from the frames in which a pixel is freest of people and of their effects.

    Frames with nobody near are free for certain, and their median is taken. Where somebody is always near, a shadow
    that nobody knows of yet may be in the median, and the value at a higher rank is taken instead, unless the pixel's
    whole neighbourhood flickers like that.

    Args:
        undone: (T, h, w, 3) the frames with the known effects taken away.
        seen: (T, h, w), False where a body may be in front.
        hidden: (T, h, w), True where one is for certain.
        strength: (T, h, w) how strong the effects were (largest density of the channels).
        near: (T, h, w), True where a person is so near that an effect must be expected.
        rank: the place (0..1, dark to bright) of that higher value: ``NOTHING_KNOWN`` or ``EFFECTS_UNDONE``.
        beside: (T, h, w), True where no body is in front, however near; it tells where ``seen`` never does.
    """
    only_beside = ~seen.any(0)
    if beside is not None:
        seen = seen | (beside & only_beside)
    free = (seen & ~near).sum(0) >= max(_LEAST_FREE_FRAMES, _LEAST_FREE_SHARE * len(undone))
    usable = seen & ~(near & free)
    parts = over(lambda b: _of_calm_frames(undone[:, b], usable[:, b], strength[:, b], rank), bands(undone))
    middle, bright, count = (np.concatenate(each) for each in zip(*parts, strict=True))
    rise = np.maximum(bright - middle, 0)
    usual = _FLICKER * _around(most(rise))
    picture = middle + np.maximum(rise - usual[..., None], 0) * _softened(~free)[..., None]
    observed = (count > 0) & ~_burnt_in(undone, hidden, count, picture)
    return Estimate(np.where(observed[..., None], picture, 0).astype(np.float32), observed, observed & only_beside)


def _of_calm_frames(
    undone: Floats, usable: Flags, strength: Floats, rank: float
) -> tuple[Floats, Floats, npt.NDArray[np.int64]]:
    """The median and a higher rank of the calmest frames, both (h, w, 3), and how many these are, (h, w)."""
    burden = np.where(usable, strength, np.inf)
    limit = _pick(np.sort(burden, axis=0), np.maximum(usable.sum(0) - 1, 0) * _CALMEST_SHARE)
    low, high = _NEVER_FREE
    slack = 1 + (_AS_GOOD - 1) * np.clip((limit - low) / (high - low), 0, 1)
    calm = usable & (burden <= np.maximum(slack * limit, _CALM))
    ordered, count = sorted_over_time(undone, calm)
    return at_rank(ordered, count, 0.5), at_rank(ordered, count, rank), count


def _burnt_in(frames: Floats, hidden: Flags, seen: npt.NDArray[np.int64], picture: Floats) -> Flags:
    """Where the picture (h, w, 3) is a body's: who stands still is taken for ground as soon as a few masks have holes.

    Neighbours vote, since a body's pattern is never quite at rest; scraps of ground amid such a body are body too.
    """
    covered = hidden.sum(0)
    alike = np.zeros(covered.shape, np.int64)
    for frame, body in zip(frames, hidden, strict=True):
        alike += body & (most(np.abs(frame - picture)) < _ALIKE)
    mostly = covered > seen
    side = 2 * max(1, round(frames.shape[2] * _VOTERS)) + 1
    votes, voters = (
        cv2.blur(np.where(mostly & (seen > 0), n, 0).astype(np.float32), (side, side)) for n in (alike, covered)
    )
    burnt = mostly & (votes > 0.5 * voters)
    ground = ((seen > 0) & ~burnt).astype(np.uint8)
    scraps = (ground > 0) & (cv2.morphologyEx(ground, cv2.MORPH_OPEN, np.ones((side, side), np.uint8)) == 0)
    return np.asarray(burnt | (scraps & (seen < _SELDOM * covered)))


def sorted_over_time(frames: Floats, seen: Flags) -> tuple[Floats, npt.NDArray[np.int64]]:
    """Frames sorted over time with the unseen ones last, and how many were seen."""
    return np.sort(np.where(seen[..., None], frames, np.inf), axis=0), seen.sum(0)


def at_rank(ordered: Floats, count: npt.NDArray[np.int64], rank: float) -> Floats:
    """A rank (0..1) of what was seen, 0 where nothing was."""
    return _finite(_pick(ordered, (np.maximum(count - 1, 0) * rank)[..., None]))


def _finite(values: Floats) -> Floats:
    return np.where(np.isfinite(values), values, 0).astype(np.float32)


def _pick(ordered: Floats, position: npt.NDArray[np.float64]) -> Floats:
    """The value at a fractional position of an array sorted along axis 0."""
    low = np.floor(position).astype(np.int64)
    below = np.take_along_axis(ordered, np.broadcast_to(low, ordered.shape[1:])[None], 0)[0]
    above = np.take_along_axis(
        ordered, np.broadcast_to(np.ceil(position).astype(np.int64), ordered.shape[1:])[None], 0
    )[0]
    with np.errstate(invalid="ignore"):
        mixed = below + (above - below) * (position - low)
    return np.where(np.isfinite(mixed), mixed, below).astype(np.float32)

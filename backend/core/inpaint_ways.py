"""Ways to make up ground that no frame shows, each of which errs differently."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from backend.core.boxes import box_of
from backend.core.color import Floats
from backend.core.side_by_side import over

Bytes = npt.NDArray[np.uint8]
Flags = npt.NDArray[np.bool_]
_Way = Callable[[Bytes, Bytes], Floats]
"""From a picture (h, w, 3) and what of it is known (h, w; 255) to the filled picture (h, w, 3; 0..1)."""

USUAL_SAY = (0.54, 0.23, 0.23)
"""What is usually each one's share in the mean of all ``ways``."""
_TELEA_RADIUS = 3
# Time grows with the pixels to be made up, and with those among which to look; beyond so many they are made up smaller
# and enlarged.
_MOST_PIXELS = 6000
_MOST_TO_SEARCH = 300_000
_MARGIN = 48
# Patterns are taken to be made of ever more rows that repeat, up to so many; half of the largest part left over is
# dropped from all.
_RANKS, _SWEEPS, _SHRUNK = (4, 8, 16, 32), 25, 0.5


def smoothly(picture: Floats, holes: Flags) -> Floats:
    """Holes (h, w) of a picture (h, w, 3; display 0..1) filled from their rims (Telea 2004): quick, without texture."""
    if not holes.any() or holes.all():
        return picture
    patched = cv2.inpaint(_eight_bit(picture), holes.astype(np.uint8), _TELEA_RADIUS, cv2.INPAINT_TELEA)
    return np.where(holes[..., None], np.asarray(patched / 255, np.float32), picture).astype(np.float32)


def ways(picture: Floats, many: Sequence[Flags]) -> list[list[Floats]]:
    """For each of several sets of holes the box around them, as each way fills it; pictures are those of ``smoothly``.

    Rows that are mixtures of few (Mazumder et al. 2010), which carry on the edges of doors and posts; frequency
    selective reconstruction (Genser et al. 2018), which carries bricks and boards on through the hole; and smooth
    filling.
    """
    starts = [smoothly(picture, holes) for holes in many]
    parts = [_parts(start, holes) for start, holes in zip(starts, many, strict=True)]
    filled = over(_Part.filled, [part for each in parts for part in each])
    return [
        [*(part.at_its_size(next(filled)) for part in each), start[box_of(holes)]]
        for each, start, holes in zip(parts, starts, many, strict=True)
    ]


@dataclass(frozen=True)
class _Part:
    """Part of a picture, at a size at which one way fills it in seconds."""

    way: _Way
    picture: Bytes
    known: Bytes
    size: tuple[int, int]
    """(w, h) of the part in the picture."""
    inside: tuple[slice, slice]
    """Where the box around the holes lies in it."""

    def filled(self) -> Floats:
        """(h, w, 3), as small as it is."""
        return self.way(self.picture, self.known)

    def at_its_size(self, filled: Floats) -> Floats:
        """The box around the holes."""
        if filled.shape[1::-1] != self.size:
            filled = np.asarray(cv2.resize(filled, self.size, interpolation=cv2.INTER_CUBIC), np.float32)
        return filled[self.inside]


def _parts(start: Floats, holes: Flags) -> list[_Part]:
    """What each way but smooth filling gets of a picture that is filled smoothly."""
    few, small = _MOST_PIXELS / int(holes.sum()), _MOST_TO_SEARCH / holes.size
    inside = box_of(holes)

    def part(way: _Way, margin: int, share: float) -> _Part:
        box = box_of(holes, margin)
        height, width = holes[box].shape
        scale = min(1.0, share**0.5)
        size = (max(16, round(width * scale)), max(16, round(height * scale)))
        known = cv2.resize((~holes[box]).astype(np.float32), size, interpolation=cv2.INTER_AREA)
        smaller = np.asarray(cv2.resize(start[box], size, interpolation=cv2.INTER_AREA), np.float32)
        here = tuple(slice(i.start - b.start, i.stop - b.start) for i, b in zip(inside, box, strict=True))
        seen = np.where(known > 0.99, np.uint8(255), np.uint8(0))
        return _Part(way, _eight_bit(smaller), seen, (width, height), (here[0], here[1]))

    # The slower first.
    return [part(_of_low_rank, 2 * _MARGIN, small), part(_reconstructed, _MARGIN, few)]


def _reconstructed(picture: Bytes, known: Bytes) -> Floats:
    """Frequency selective reconstruction."""
    patched = np.zeros_like(picture)
    cv2.xphoto.inpaint(picture, known, patched, cv2.xphoto.INPAINT_FSR_FAST)
    return (patched / 255).astype(np.float32)


def _of_low_rank(picture: Bytes, known: Bytes) -> Floats:
    """Rows that are mixtures of few: softly imputed, from few to more of them."""
    values, seen = picture.astype(np.float32) / 255, known[..., None] > 0
    if not seen.any():
        return values
    found, mean = values, values[known > 0].mean()
    for rank in (rank for rank in _RANKS if rank < len(values)):
        for _ in range(_SWEEPS):
            # All three channels are mixed alike.
            rows = (found - mean).reshape(len(found), -1)
            squares, mixtures = np.linalg.eigh(rows @ rows.T)
            sizes = np.sqrt(np.maximum(squares[-rank - 1 :], 1e-12))
            largest, kept = mixtures[:, -rank:], 1 - _SHRUNK * sizes[0] / sizes[1:]
            likely = (largest * kept) @ (largest.T @ rows) + mean
            found = np.where(seen, values, likely.reshape(values.shape)).astype(np.float32)
    return np.asarray(found, np.float32)


def _eight_bit(picture: Floats) -> Bytes:
    return np.asarray(np.round(np.clip(picture, 0, 1) * 255), np.uint8)

"""The background at the plate's size: what stays on the canvas, and what lives in each frame."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import cv2
import numpy as np
from numpy.typing import NDArray

from backend.core.background import Estimate, calmest
from backend.core.color import Floats, most
from backend.core.fill import fill
from backend.core.inpaint import textured
from backend.core.inpaint_ways import smoothly
from backend.core.opacity import without_density
from backend.core.side_by_side import in_order
from backend.model.flops import AnswerFlops
from backend.model.ground_net import ground_net
from backend.model.made_up import made_up
from backend.stages.effects import Effects
from backend.stages.shot import Shot

# More frames than this add time, not quality, to a median.
_MOST_SAMPLES = 64
# Memory for one band of the canvas over all sampled frames.
_BAND_BYTES = 120_000_000
# So many times that while its median is taken, at most.
_COPIES = 4
# A pixel counts as free of effects below this density, ...
_FREE = 0.03
# ... and this many pixels (at 448 across) away from bodies and effects.
_MARGIN = 4


class CleanPlate:
    """The background of every frame at full size.

    The canvas is what the camera sees over and over. What a frame shows differently where no person and no effect
    is near (waves, leaves, grain, a change of exposure) stays in that frame's background, and its slow part is carried
    on behind the people.
    """

    def __init__(self, shot: Shot, effects: Effects, canvas: Estimate, rehearsals: int) -> None:
        """``rehearsals``: how often making up ground that no frame shows is tried at most."""
        self._shot, self._effects = shot, effects
        shown = shot.camera.shown()
        self._observed = canvas.observed.astype(np.float32)
        ground = smoothly(canvas.picture, ~(canvas.observed | shown))
        learned = partial(made_up, ground_net())
        with AnswerFlops() as counter:
            self._canvas = textured(ground, shown & ~canvas.observed, canvas.observed, rehearsals, learned)
        self.flops = counter.total
        """What unseen ground took."""

    def frame(self, index: int) -> Floats:
        """(H, W, 3) display values 0..1."""
        shot = self._shot
        still = np.clip(shot.camera.from_canvas(self._canvas, index) * shot.gains[index], 0, 1)
        free = self._free(index)
        change = shot.footage.plate(index) - still
        # What is left of a body beside its mask, however faint, must not be carried on behind the person.
        behind = fill(change, np.clip(2 * free - 1, 0, 1))
        change = behind + free[..., None] * (change - behind)
        return np.asarray(np.clip(still + change, 0, 1), np.float32)

    def observed(self, index: int) -> Floats:
        """(H, W) 0 or 1: where the ground was seen in some frame of the clip; the rest is made up."""
        return np.asarray(self._shot.camera.from_canvas(self._observed, index) > 0.5, np.float32)

    def _free(self, index: int) -> Floats:
        """(H, W) 0..1: 1 well away from bodies and effects."""
        view = self._shot.footage.view
        found, expected = self._effects.at(index, view), self._effects.undo_at(index, view)
        effect = most(np.maximum(np.abs(found), np.abs(expected))) > _FREE
        taken = (effect | (self._shot.footage.masks(index).max(0) > 0.02)).astype(np.uint8)
        size = 2 * max(1, round(_MARGIN * max(view) / 448)) + 1
        grown = cv2.dilate(taken, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size)))
        return 1 - np.asarray(cv2.blur(grown.astype(np.float32), (size // 2 * 2 + 1,) * 2), np.float32)


def estimate_canvas(shot: Shot, effects: Effects, tell: Callable[[float], None]) -> Estimate:
    """The canvas at full size: the median of the calmest frames with the effects undone, band by band."""
    width, height = shot.camera.size
    samples = np.unique(np.linspace(0, len(shot.footage) - 1, _MOST_SAMPLES).round().astype(int))
    rows = int(np.clip(_BAND_BYTES // (len(samples) * width * 20), 8, height))
    tops = range(0, height, rows)

    def band(number: int) -> Estimate:
        return _band(shot, effects, samples, tops[number], min(rows, height - tops[number]))

    bands = []
    for estimate in in_order(band, len(tops), _COPIES * _BAND_BYTES):
        bands.append(estimate)
        tell(len(bands) / len(tops))
    picture, observed, beside = (
        np.concatenate(each) for each in zip(*((b.picture, b.observed, b.beside) for b in bands), strict=True)
    )
    return Estimate(picture, observed, beside).believed()


def _band(shot: Shot, effects: Effects, samples: NDArray[np.int64], top: int, rows: int) -> Estimate:
    undone, seen, beside, hidden, strength, near = [], [], [], [], [], []
    margin, edge = np.ones((_MARGIN, _MARGIN), np.uint8), np.ones((3, 3), np.uint8)
    camera, view = shot.camera, shot.footage.view
    for index in map(int, samples):
        first, last = camera.rows_for(index, top, rows)
        above = max(0, first - _MARGIN)
        masks = shot.footage.mask_rows(index, above, min(last + _MARGIN, view[1])).max(0)
        body = (masks > 0.02).astype(np.uint8)
        # The pixel beside a hard edge is a mixture with the body; those of a soft one are in the mask.
        bodies, body = cv2.dilate(body, margin), np.maximum(body, cv2.dilate((masks > 0.5).astype(np.uint8), edge))
        inside = slice(first - above, last - above)
        bodies, body, masks = bodies[inside], body[inside], masks[inside]
        together, somebody = (part[first:last] for part in (effects.undo_at(index, view), effects.near_at(index, view)))

        def laid(part: Floats, index: int = index, first: int = first) -> Floats:
            return camera.onto_canvas(part, index, top, rows, first)

        covers = camera.covers(index, top, rows)
        seen.append((laid(np.float32(1) - bodies) > 0.99) & covers)
        beside.append((laid(np.float32(1) - body) > 0.99) & covers)
        undone.append(laid(without_density(shot.evened_rows(index, first, last), together)))
        hidden.append(laid(masks) > 0.5)
        strength.append(laid(most(np.abs(together))))
        near.append(laid(somebody) > 0.5)
    return calmest(
        np.stack(undone),
        np.stack(seen),
        np.stack(hidden),
        np.stack(strength),
        np.stack(near),
        beside=np.stack(beside),
    )

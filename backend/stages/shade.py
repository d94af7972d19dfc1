"""Shadows that fall on people: a body in the shade is compared with the same body in the light."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from backend.core.bending import Shown
from backend.core.borrowing import Borrowed
from backend.core.color import Floats, least, most, ramp
from backend.core.lookalikes import lookalikes, silhouette_size
from backend.core.matte import spread
from backend.core.opacity import density, without_density
from backend.core.side_by_side import in_order
from backend.core.silhouettes import others
from backend.stages.effects import Effects
from backend.stages.shot import Shot
from backend.train.shot_data import shrink

# A body is in the light where less of it is in cast shadows, in the frames next to it too; in the shade where more is,
# in so many frames before or after: the sun is known but roughly.
_LIT, _SHADED, _AROUND = 0.01, 0.02, 3
# A body in the light is of use where so much of the usual one is seen; so many of those most alike tell together.
_WHOLE, _TOLD_BY = 0.7, 3
# Shadows have soft edges: by so much of a body's height.
_SOFT = 0.0125
# A body that is this opaque in both frames can be compared.
_OPAQUE = 0.9
# Between these densities a difference is a shadow, whose weakest channel is between these shares of the strongest; ...
_SHADOW, _GREY = (0.08, 0.2), (0.35, 0.65)
# ... none is deeper; and it is looked for so far (in body heights) around where one is cast.
_DEEPEST, _REACH = 1.5, 0.07
# A shadow on a body is given to who casts it where it falls on the ground there too, between these densities. Moved
# elsewhere, the outline of one body's shade would hang in the air, but left in the body's own colours it stays when who
# casts it goes: so of every other a quarter is given, which leaves 5/8 of the squared error.
_ON_GROUND, _GIVEN = (0.02, 0.08), np.float32(0.25)


class Shades:
    """The shadows on people in every frame."""

    def __init__(self, shot: Shot, effects: Effects) -> None:
        self._shot, self._effects = shot, effects
        size = silhouette_size(shot.footage.view)
        people = len(shot.footage.names)
        if people == 1 or effects.on_people is None or effects.sun_known == 0:
            people = 0
        count = len(shot.footage)
        self._bodies = np.zeros((count, people, size[1], size[0]), np.uint8)
        self._share = np.zeros((count, people, people), np.float32)
        """(T, casters, bodies): how much of each body is in somebody's cast shadow."""
        for index, (bodies, share) in enumerate(in_order(lambda t: self._survey(t, size), count if people else 0)):
            self._bodies[index], self._share[index] = bodies, share
        area = self._bodies.sum((2, 3), dtype=np.float64)
        usual = np.median(area, axis=0)
        self._lit = (_over_time(self._share.sum(1), 1) < _LIT) & (area > _WHOLE * usual)

    def lay(self, on_bodies: Floats, alone: Floats, index: int, masks: Floats) -> None:
        """Tell how deep the shadows are that fall on bodies in a frame, where that can be seen: in place.

        Args:
            on_bodies: (N, H, W, 3) densities of everybody's shadow on the bodies of people further away.
            alone: (N, H, W, 3) of everybody's effect on the ground.
            index: number of the frame.
            masks: (N, H, W) visible bodies.
        """
        ranking = self._shot.order[index]
        for rank, person in enumerate(ranking):
            casters = ranking[rank + 1 :]
            dark = self._darkened(index, person, masks[person], casters)
            if dark is None:
                continue
            body = masks[person] > 0
            for caster, cast in zip(casters, dark, strict=True):
                there = _GIVEN + (1 - _GIVEN) * ramp(alone[caster].mean(-1), *_ON_GROUND)
                on_bodies[caster][body] = (there[..., None] * cast)[body]

    def lit(self, index: int, person: int) -> Floats:
        """A frame of the plate in the camera's middle exposure, (H, W, 3), without the shadows on somebody's body."""
        plate = self._shot.evened(index)
        mask = np.ascontiguousarray(self._shot.footage.masks(index)[person])
        dark = self._darkened(index, person, mask, [c for c in self._shot.order[index] if c != person])
        return plate if dark is None else without_density(plate, dark.sum(0))

    def _survey(self, index: int, size: tuple[int, int]) -> tuple[NDArray[np.uint8], Floats]:
        """Small silhouettes (N, h, w), and the share of each body that is in cast shadows (casters, bodies)."""
        assert self._effects.on_people is not None
        bodies = np.stack([shrink(mask, size) for mask in self._shot.footage.masks(index)])
        cast = np.stack([shrink(one.astype(np.float32), size) for one in self._effects.on_people[index]])
        share = np.einsum("chw,bhw->cb", cast, bodies) / np.maximum(bodies.sum((1, 2)), 1)
        return np.round(255 * bodies).astype(np.uint8), np.asarray(self._effects.sun_known * share, np.float32)

    def _darkened(self, index: int, person: int, mask: Floats, casters: Sequence[int]) -> Floats | None:
        """By how much each of the casters darkens a body, (casters, H, W, 3); None where nothing tells."""
        around = slice(max(0, index - _AROUND), index + _AROUND + 1)
        if not (len(self._share[0]) and casters) or self._share[around, casters, person].max() <= _SHADED:
            return None
        plate, told = self._shot.evened(index), []
        for lit in self._in_the_light(index, person):
            masks = np.ascontiguousarray(self._shot.footage.masks(lit.frame)[person])
            both = (np.minimum(lit.laid(masks), mask) > _OPAQUE).astype(np.float32)
            change = density(plate, lit.laid(self._shot.evened(lit.frame)))
            told.append(spread(change, both, max(1.0, _SOFT * _height(mask))))
        if not told:
            return None
        dark = np.clip(np.median(told, axis=0), 0, _DEEPEST).astype(np.float32)
        shadow = ramp(dark.mean(-1), *_SHADOW) * ramp(least(dark) / np.maximum(most(dark), 1e-3), *_GREY)
        where = np.stack([self._where(around, caster, person, mask) for caster in casters])
        share = shadow * where * where.max(0) / np.maximum(where.sum(0), 1e-6)
        return np.asarray(share[..., None] * dark, np.float32)

    def _in_the_light(self, index: int, person: int) -> list[Borrowed]:
        """The frames in which the body is lit and most alike, moved and bent onto it."""
        lit, width = np.flatnonzero(self._lit[:, person]), self._shot.footage.view[0]
        found = lookalikes(lambda t: self._bodies[t], person, index, lit, width, _TOLD_BY)
        target = self._shown(index, person)
        return [one.bent_onto(target, self._shown(one.frame, person)) for one in found]

    def _shown(self, index: int, person: int) -> Shown:
        masks = self._shot.footage.masks(index)
        return Shown(self._shot.evened(index), masks[person].copy(), others(masks, person))

    def _where(self, around: slice, caster: int, person: int, mask: Floats) -> Floats:
        """(H, W) 0..1: where a caster's shadow falls on somebody in any of these frames, or near there."""
        assert self._effects.on_people is not None
        cast = self._effects.on_people[around, caster].astype(np.float32)
        bodies = self._bodies[around, person].astype(np.float32) / 255
        size = cast.shape[2], cast.shape[1]
        fallen = np.max([c * cv2.resize(b, size) for c, b in zip(cast, bodies, strict=True)], axis=0)
        reach = 2 * max(1, round(_REACH * _height(mask) * size[0] / mask.shape[1])) + 1
        wide = cv2.dilate(fallen, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (reach, reach)))
        soft = cv2.GaussianBlur(wide, (0, 0), reach / 8)
        return np.asarray(self._effects.sun_known * cv2.resize(soft, mask.shape[::-1]), np.float32)


def _over_time(values: Floats, reach: int) -> Floats:
    """The largest of values (T, ...) within so many frames."""
    return np.stack([values[max(0, t - reach) : t + reach + 1].max(0) for t in range(len(values))])


def _height(mask: Floats) -> int:
    rows = np.flatnonzero((mask > 0.5).any(1))
    return int(np.ptp(rows)) + 1 if len(rows) else 1

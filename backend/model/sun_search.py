"""The sun that explains best what is dark beside people, and where the picture has edges; found by trying."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from backend.model.printed import Edges
from backend.model.sunlight import Standing, Sun, fallen, standing

# What is tried first, with both signs: how far shadows on the ground reach sideways and down the picture.
_SIDEWAYS = (0.0, 0.2, 0.45, 0.75, 1.1, 1.5, 2.0, 2.6, 3.3)
_DOWN = (0.07, 0.14, 0.22, 0.32, 0.45, 0.65)
# The camera is about as high as people's eyes; later other heights are tried, in heights of people.
_EYES = 1.2
_OTHER_EYES = (0.6, 0.9, 1.2, 1.8, 3.0)
# Where the foot of a wall may be, see ``Sun.light``, and for how many of the best suns it is looked for.
_WALLS = tuple(0.3 + 0.05 * n for n in range(13))
_PROMISING = 6
# A wall must explain so many times as much as none.
_WORTH_A_WALL = 1.05
# Edges alone make no wall where darkness tells so much of another sun.
_AS_DARK, _TOLD = 0.97, 0.3
# The best is looked for once more around what was found, ever more finely.
_FINER = (1.0, 0.5, 0.25)
_STEPS = torch.tensor([0.25, 0.07, 0.05])
# A density that counts as a whole shadow.
_WHOLE = 0.25
# As core.opacity.FLOOR.
_FLOOR = 1 / 32
# Change from frame to frame (display values) at which a pixel counts half.
_RESTLESS = 0.012
# How much edges count beside darkness: their cosine is smaller, since most edges of a picture are no shadow's.
_EDGES = 2.0
# People of more rows than this are looked at at half the size.
_TALL = 44
# Frames that the sun is found by; fewer of large pictures with many people, which take their time.
_TOLD_BY, _LEAST_TOLD_BY, _MOST_PIXELS = 16, 6, 1_500_000
# Of all that is tried only so much is measured by all of these frames: what every so many of them speak for.
_LIKELY, _EVERY = 16, 4
# Pixels of shadows that are looked at together: on a processor such as its caches hold, on a card what keeps it busy.
_AT_ONCE = {"cpu": 1_000_000, "cuda": 30_000_000}


def calmness(restless: Tensor) -> Tensor:
    """How much pixels tell that change by so much by themselves (display values), 0..1."""
    return 1 / (1 + (restless / _RESTLESS) ** 2)


def find_sun(plate: Tensor, masks: Tensor, sway: Tensor, darkness: Tensor, seen: Tensor, restless: Tensor) -> Sun:
    """The sun that explains best what is dark beside people, and the edges in the picture.

    Whoever stands still has the shadow in the background, where nothing of it is dark any more; but its outline is in
    the plate all the same.

    Args:
        plate: (T, 3, h, w) display values.
        masks: (T, N, h, w) whole bodies.
        sway: (T, N) see ``sunlight.standing``.
        darkness: (T, h, w) density by which the plate is darker than the background.
        seen: (T, h, w) 0 where a body hides the background.
        restless: (T, h, w) how much pixels change by themselves, in display values: waves are dark now and then, too.
    """
    people, told_by = standing(masks, sway), _TOLD_BY
    small = bool(people.height <= _TALL)
    if small:
        told_by = max(_LEAST_TOLD_BY, min(_TOLD_BY, _MOST_PIXELS // masks[0].numel()))
    frames = torch.linspace(0, len(masks) - 1, min(told_by, len(masks))).round().long()
    people = people[frames]
    plate, masks, darkness, seen, restless = (values[frames] for values in (plate, masks, darkness, seen, restless))
    darkness = (darkness - restless / (plate.amin(1) + _FLOOR)).clamp(min=0)
    calm = calmness(restless)
    if not small:
        people = people.halved()
        plate, masks, darkness, seen, calm = map(_halved, (plate, masks, darkness, seen, calm))
    every = _Evidence(plate, masks, people, darkness, seen, calm)
    few = [values[::_EVERY] for values in (plate, masks, darkness, seen, calm)]
    return _Search(every, _Evidence(few[0], few[1], people[::_EVERY], *few[2:])).sun()


class _Evidence:
    """What every attempt is measured against."""

    def __init__(
        self, plate: Tensor, masks: Tensor, people: Standing, darkness: Tensor, seen: Tensor, calm: Tensor
    ) -> None:
        self._masks, self._people = masks, people.flat()
        self._flat, self._seen = masks.flatten(0, 1), seen * calm
        self._dark = (darkness / _WHOLE).clamp(0, 1) * self._seen
        self._edges = Edges(plate, (seen > 0.99).float())

    def values(self, tried: Tensor) -> Tensor:
        """How much speaks for each of the lights (K, 4): (K,)."""
        dark, edges = self.cosines(tried).unbind(1)
        return dark + _EDGES * edges

    def cosines(self, tried: Tensor) -> Tensor:
        """For all lights (K, 4), how well shadows explain the darkness and the edges, as cosines: (K, 2)."""
        people, length, found = len(self._flat), self._dark.norm(), []
        for some in torch.split(tried, max(1, _AT_ONCE[tried.device.type] // self._masks.numel())):
            count = len(some)
            lights = some.repeat_interleave(people, 0)
            parts = fallen(self._flat.repeat(count, 1, 1), self._people.repeated(count), lights)
            whole = torch.maximum(*parts).reshape(count, *self._masks.shape)
            each = whole * self._seen[:, None]
            # Whoever stands still has no vote: see above.
            told = (each * self._dark[:, None]).sum((1, 3, 4)) / (each.sum((1, 3, 4)) + 1e-3)
            vote = told / (told.amax(1, keepdim=True) + 1e-6)
            together = (each * vote[:, None, :, None, None]).amax(2)
            size = together.flatten(1).norm(dim=1)
            dark = (together * self._dark).flatten(1).sum(1) / (size * length + 1e-3)
            found.append(torch.stack([dark, self._edges.cosine(whole)], 1))
        return torch.cat(found)


@dataclass(frozen=True)
class _Search:
    """Ever finer attempts: those for which a few frames speak are measured by every frame."""

    every: _Evidence
    few: _Evidence

    def sun(self) -> Sun:
        """The best there is."""
        pairs = _pairs(_SIDEWAYS, _DOWN)
        tried = self._likely(torch.cat([pairs, torch.tensor([_EYES, 0.0]).expand(len(pairs), 2)], 1))
        values = self.every.values(tried)
        promising = tried[values.topk(_PROMISING).indices]
        best, walled = tried[values.argmax()], self._likely(_varied(promising, 3, torch.tensor(_WALLS)))
        with_wall = self.every.values(walled)
        wall = walled[with_wall.argmax()]
        if with_wall.max() > _WORTH_A_WALL * values.max() and self._as_dark(wall, best):
            best = wall
        for scale in _FINER:
            best = self._better(best, _around(best, scale))
            best = self._better(best, _at_other_eyes(best))
        return Sun(best, self.every.cosines(best[None])[0, 0])

    def _likely(self, tried: Tensor) -> Tensor:
        """Those of the lights (K, 4) for which a few frames speak most."""
        return tried[self.few.values(tried).topk(_LIKELY).indices] if len(tried) > _LIKELY else tried

    def _as_dark(self, wall: Tensor, none: Tensor) -> bool:
        """Whether a light with a wall explains the darkness about as well as one without, if that is told at all."""
        with_wall, without = self.every.cosines(torch.stack([wall, none]))[:, 0]
        return bool(without < _TOLD or with_wall > _AS_DARK * without)

    def _better(self, best: Tensor, tried: Tensor) -> Tensor:
        """The best of the lights that are tried (K, 4), or the best so far (4,)."""
        tried = torch.cat([best[None], self._likely(tried)])
        return tried[self.every.values(tried).argmax()]


def _around(light: Tensor, scale: float) -> Tensor:
    """Lights near one (4,): the same height of the camera, but all else a little different, (K, 4)."""
    fine, coarse = scale * torch.linspace(-1, 1, 5), scale * torch.linspace(-1, 1, 3)
    walls = fine if light[3] else torch.zeros(1)
    near = light.repeat(len(coarse) * len(fine) * len(walls), 1)
    near[:, [0, 1, 3]] += torch.cartesian_prod(coarse, fine, walls) * _STEPS.to(near.device)
    if light[3]:
        near[:, 3].clamp_(min=0.01)
    return near


def _at_other_eyes(light: Tensor) -> Tensor:
    """The same light (4,) with the camera at other heights, but the foot of the wall on the same row, (K, 4)."""
    tried = _varied(light[None], 2, torch.tensor(_OTHER_EYES))
    if light[3]:
        tried[:, 3] = (1 - (1 - light[3]) * light[2] / tried[:, 2]).clamp(min=0.01)
    return tried


def _varied(lights: Tensor, place: int, values: Tensor) -> Tensor:
    """Every light (K, 4) with every value (V,) at a place: (K*V, 4)."""
    varied = lights.repeat_interleave(len(values), 0)
    varied[:, place] = values.repeat(len(lights))
    return varied


def _pairs(first: tuple[float, ...], second: tuple[float, ...]) -> Tensor:
    """All pairs with both signs, (K, 2)."""
    signed = [sorted({sign * value for value in values for sign in (-1, 1)}) for values in (first, second)]
    return torch.cartesian_prod(*(torch.tensor(values) for values in signed))


def _halved(values: Tensor) -> Tensor:
    """(..., h, w) at half the size."""
    return F.avg_pool2d(values.reshape(-1, 1, *values.shape[-2:]), 2)[:, 0].reshape(
        *values.shape[:-2], values.shape[-2] // 2, values.shape[-1] // 2
    )

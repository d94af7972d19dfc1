"""Everybody's effects at training size: learned, or as they usually are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from backend.core.background import EFFECTS_UNDONE, NOTHING_KNOWN, bands, calm_ground, calmest, restlessness
from backend.core.camera import Camera
from backend.core.color import Floats, least, most
from backend.core.inpaint_ways import smoothly
from backend.core.living_ground import beyond, drift, greyness, something_else
from backend.core.one_by_one import filled, picture_by_picture
from backend.core.opacity import density, flicker, stronger, without_density
from backend.core.side_by_side import in_order, over
from backend.model.sunlight import MIRROR
from backend.train.shot_data import ShotData, channels_last

# A change is trusted from this density on, once the pixel's own flicker is taken off.
_LEAST_DENSITY = 0.06
# How far (in body heights, squared) from a person to look for that person's effects.
_REACH = 1.0
# How far effects are to be expected at all; most shadows and reflections are shorter than a person is tall.
_EFFECTS_REACH = 1.2
# Densities from this on hang together as one patch.
_PATCH = 0.03
# Between these densities what is usual is taken for a shadow.
_SHADOW = (0.04, 0.12)
# Between these, any effect is to be expected.
_EXPECTED = (0.02, 0.06)
# As many pixels of shadow as tell of a clip's shadows as well as what is usual does.
_DOUBT = 50
# Ground that was ever seen this much (of a usual shadow's density) brighter than with its shadow is known.
_CLEAN = 0.75
# Between these densities an effect becomes believable where it is unusual.
_STRANGE = (0.1, 0.3)
# Between these densities an effect stops being faint.
_FAINT = (0.03, 0.09)
# An effect may usually be so many times as deep as what is seen of it.
_EXAGGERATED = 1.5
# A change no larger than a pixel's flicker is none, one of twice as much is. Flicker counts between these densities:
# among waves, where everything flickers, shadows are seen all the same.
_NO_FLICKER, _MOST_FLICKER = 0.001, 0.04
# What is learned, and what is usual, end so many pixels too soon: penumbras are faint, and faint is cheap in training.
_ENDS_SOON = 1.5
# In this share of a clip an effect may be missing that is always there, ...
_FEW = 0.1
# ... and where nothing is seen, it may be as deep as anything.
_UNBOUNDED = 9.0
# The mean of so many pixels has no grain left, ...
_GRAIN = (5, 5)
# ... and so many around a hidden one tell of it.
_BESIDE = (11, 11)
# From this share on a shadow that would fall on a pixel is there; and what lies beside it.
_THERE, _BESIDE_IT = 0.1, np.ones((3, 3), np.uint8)
# So far around it, it may be, too.
_AROUND_IT = np.ones((5, 5), np.uint8)
# So far from where a body would be mirrored.
_NEARLY = np.ones((5, 5), np.uint8)
# Less than this of a frame says nothing.
_SELDOM = 0.1


@dataclass(frozen=True)
class Effects:
    """Signed densities of T frames and N people at training size (see ``core.opacity``)."""

    alone: NDArray[np.float16]
    """(T, N, h, w, 3)"""
    together: NDArray[np.float16]
    """(T, h, w, 3)"""
    undo: NDArray[np.float16]
    """(T, h, w, 3): what to take away to get at the background; surer, if less, than ``together``."""
    near: NDArray[np.bool_]
    """(T, h, w): somebody is so near that an effect must be expected."""
    restless: NDArray[np.float16]
    """(T, h, w): how much pixels change by themselves, in display values."""
    on_people: NDArray[np.float16] | None = None
    """(T, N, h, w) 0..1: where everybody's shadow would fall on others; None where nothing is known of that."""
    sun_known: float = 0.0
    """0..1: how well the sun is known that tells this."""

    def frame(self, index: int, size: tuple[int, int]) -> tuple[Floats, Floats]:
        """One frame at (W, H), as far as effects may reach: alone (N, H, W, 3) and together (H, W, 3).

        The plate tells whether they do.
        """
        *alone, together = (_enlarged(_widened(one), size) for one in (*self.alone[index], self.together[index]))
        return np.stack(alone), together

    def near_at(self, index: int, size: tuple[int, int]) -> Floats:
        """Where somebody is near in a frame, (H, W) 0..1."""
        return _enlarged(self.near[index].astype(np.float16), size)

    def restless_at(self, index: int, size: tuple[int, int]) -> Floats:
        """How much the pixels of a frame change by themselves, (H, W)."""
        return np.maximum(_enlarged(self.restless[index], size), 0)

    def on_people_at(self, index: int, size: tuple[int, int]) -> Floats:
        """How far an effect is to be believed over the body of somebody further away in a frame, (N, H, W) 0..1."""
        if self.on_people is None:
            return np.zeros((self.alone.shape[1], size[1], size[0]), np.float32)
        cast = np.clip(np.stack([_enlarged(one, size) for one in self.on_people[index]]), 0, 1)
        return np.asarray(1 - self.sun_known * (1 - cast), np.float32)

    def undo_at(self, index: int, size: tuple[int, int]) -> Floats:
        """What to take away from one frame to get at the background, (H, W, 3)."""
        return _enlarged(self.undo[index], size)

    def at(self, index: int, size: tuple[int, int]) -> Floats:
        """One frame of all effects together at (W, H), (H, W, 3)."""
        return _enlarged(self.together[index], size)


def _widened(densities: NDArray[np.float16]) -> Floats:
    """Densities (h, w, 3), or what they are around a pixel where that is stronger."""
    sharp = densities.astype(np.float32)
    return stronger(sharp, np.asarray(cv2.GaussianBlur(sharp, (0, 0), _ENDS_SOON), np.float32))


def _enlarged(values: NDArray[np.float16] | Floats, size: tuple[int, int]) -> Floats:
    return np.asarray(cv2.resize(values.astype(np.float32), size, interpolation=cv2.INTER_CUBIC), np.float32)


class TrainingBackground:
    """The background at training size, on the canvas of a moving camera."""

    def __init__(
        self,
        plate: Floats,
        seen: NDArray[np.bool_],
        hidden: NDArray[np.bool_],
        near: NDArray[np.bool_],
        camera: Camera,
    ) -> None:
        """``plate`` (T, h, w, 3), ``seen``, ``hidden`` and ``near`` (T, h, w) as ``core.background.calmest`` has them.

        The camera is the one for pictures of that size.
        """
        self._plate, self.camera = plate, camera
        self._seen = np.stack([(self._laid(s.astype(np.float32), t) > 0.99) for t, s in enumerate(seen)])
        self._seen &= np.stack([camera.covers(t) for t in range(len(plate))])
        self._hidden = self._stack(hidden.astype(np.float32)) > 0.5
        self._near = self._stack(near.astype(np.float32)) > 0.5

    def start(self) -> Floats:
        """The closed-form start as every frame sees it, (T, h, w, 3)."""
        return self._estimated(np.zeros_like(self._plate), NOTHING_KNOWN)

    def refit(self, together: Floats) -> Floats:
        """The background with the effects (T, h, w, 3) undone, as every frame sees it, (T, h, w, 3)."""
        return self._estimated(together, EFFECTS_UNDONE)

    def _estimated(self, together: Floats, rank: float) -> Floats:
        undone = self._stack(map(without_density, self._plate, together))
        strength = self._stack(most(np.abs(effects)) for effects in together)
        found = calmest(undone, self._seen, self._hidden, strength, self._near, rank)
        return self._views(smoothly(found.picture, ~found.observed))

    def restless(self) -> Floats:
        """How much every frame's pixels change by themselves, from waves, leaves and grain, (T, h, w)."""
        return self._maps(restlessness(self._stack(self._plate), self._seen))

    def drifts(self, usual: Floats) -> Floats:
        """How much the ground changes by itself in the course of the clip, as every frame sees it, (T, h, w).

        ``usual``: (T, h, w, 3) densities of all effects together.
        """
        expected = self._stack(np.asarray(cv2.dilate(most(np.abs(one)), _AROUND_IT), np.float32) for one in usual)
        free = self._seen & (expected < _EXPECTED[0])
        alone = free & ~self._near
        plate = self._stack(np.asarray(cv2.blur(one, _GRAIN), np.float32) for one in self._plate)
        parts = over(lambda rows: drift(plate[:, rows], free[:, rows], alone[:, rows]), bands(plate))
        return self._maps(np.concatenate(list(parts)))

    def free_share(self) -> Floats:
        """In which share of the clip nobody is near a pixel, as every frame sees it, (T, h, w)."""
        return self._maps((self._seen & ~self._near).mean(0))

    def darkest(self) -> Floats:
        """The largest density that a pixel ever had over the start, as every frame sees it, (T, h, w)."""
        plate = self._stack(self._plate)
        nothing = np.zeros(self._seen.shape, np.float32)
        start = np.clip(calmest(plate, self._seen, self._hidden, nothing, self._near, NOTHING_KNOWN).picture, 0, 1)
        darkest = np.zeros(start.shape[:2], np.float32)
        for frame, seen in zip(plate, self._seen, strict=True):
            darkest = np.maximum(darkest, density(np.clip(frame, 0, 1), start).mean(-1) * seen)
        return self._maps(darkest)

    def mean_while(self, values: Floats, there: Floats) -> Floats:
        """The mean over time of densities (T, h, w) weighed by ``there`` (T, h, w), as every frame sees it, (T, h, w).

        Large where nothing is ever seen while it is there.
        """
        weight = self._stack(there) * self._seen
        total = weight.sum(0)
        mean = (self._stack(values) * weight).sum(0) / np.maximum(total, _SELDOM)
        return self._maps(np.where(total > _SELDOM, mean, 1.0))

    def share_under(self, there: Floats) -> Floats:
        """In which share of the frames that show a pixel something (T, h, w) is there, or beside it: (T, h, w)."""
        flags = (self._stack(there) > _THERE).astype(np.uint8)
        under = np.stack([cv2.dilate(one, _BESIDE_IT) > 0 for one in flags]) & self._seen
        return self._maps((under.sum(0) / np.maximum(self._seen.sum(0), 1)).astype(np.float32))

    def always(self, values: Floats) -> Floats:
        """What values (T, h, w) are at least where seen, but for a few frames; as every frame sees it, (T, h, w).

        Large where nothing is ever seen.
        """
        ordered = np.sort(np.where(self._seen, self._stack(values), np.inf), axis=0)
        rank = (_FEW * (self._seen.sum(0) - 1)).clip(0).astype(np.intp)
        return self._maps(np.minimum(np.take_along_axis(ordered, rank[None], 0)[0], _UNBOUNDED))

    def _laid(self, picture: Floats, index: int) -> Floats:
        return self.camera.onto_canvas(picture, index)

    def _stack(self, pictures: Iterable[Floats]) -> Floats:
        return filled((self._laid(picture, t) for t, picture in enumerate(pictures)), len(self._plate))

    def _maps(self, canvas: Floats) -> Floats:
        return filled((np.maximum(view, 0) for view in self._seen_by_frames(canvas)), len(self._plate))

    def _views(self, canvas: Floats) -> Floats:
        return filled((np.clip(view, 0, 1) for view in self._seen_by_frames(canvas)), len(self._plate))

    def _seen_by_frames(self, canvas: Floats) -> Iterator[Floats]:
        values = canvas.astype(np.float32)
        return (self.camera.from_canvas(values, t) for t in range(len(self._plate)))


def somebody_near(data: ShotData) -> NDArray[np.bool_]:
    """(T, h, w): within reach of a person's effects."""
    return np.asarray(data.distance[:, :, 0].amin(1).cpu().numpy() < _EFFECTS_REACH)


def as_observed(alone: Floats, together: Floats, change: Floats, seen: NDArray[np.bool_]) -> tuple[Floats, Floats]:
    """A frame's effects as strong as the plate shows them wherever it shows the ground, shared out as they are.

    What is dark stays dark and what is bright stays bright, or vanishes.

    Args:
        alone: (N, h, w, 3), together: (h, w, 3) densities.
        change: (h, w, 3) density of the plate over the background.
        seen: (h, w), False where a body hides the ground.
    """
    observed = np.where(together > 0, np.maximum(change, 0), np.minimum(change, 0))
    whose = np.maximum(alone.mean(-1, keepdims=True) * np.sign(together.mean(-1, keepdims=True)), 0)
    share = whose / np.maximum(whose.sum(0), 1e-3)
    low, high = _EXPECTED
    sure = (np.clip((most(np.abs(together)) - low) / (high - low), 0, 1) * seen)[..., None]
    return alone + sure * (share * observed - alone), together + sure * (observed - together)


@picture_by_picture
def agreed(learned: Floats, usual: Floats) -> Floats:
    """What to take away for the background, half-way between what was learned and what is usual: (..., h, w, 3).

    But never less than the shadows that are usual, or a ground that is never free would keep them.

    Background and effects learned on the same clip can be wrong together: ever brighter ground under ever deeper
    shadows shows the same picture. The usual effects know nothing of this clip's errors.
    """
    between = (learned + usual) / 2
    return np.where(usual > np.abs(between), usual, between).astype(np.float32)


def shadow_depth(usual: Floats, observed: Floats) -> Floats:
    """How many times as deep the shadows of this clip are as what is usual, of every colour: (3,).

    The sky lights up shadows, and how much it adds of which colour differs from clip to clip. It can be measured
    where most of a shadow is seen, because the background is known without it. 1 where the clip tells nothing.

    Args:
        usual: (T, h, w, 3) densities.
        observed: (T, h, w, 3) densities of the plate over the background, 0 where a body hides it.
    """
    shadow = (least(usual) > _SHADOW[1]) & (observed.mean(-1) > usual.mean(-1) / 2) & (least(observed) > _PATCH)
    if not shadow.any():
        return np.ones(3, np.float32)
    doubt = _DOUBT * usual[shadow].mean(0)
    return np.asarray((observed[shadow].sum(0) + doubt) / (usual[shadow].sum(0) + doubt), np.float32)


def changing(usual: Floats, observed: Floats, always: Floats, seen: Floats, flicker: Floats) -> Floats:
    """How far usual effects agree with how the picture changes: 0..1, (T, h, w).

    An effect that comes and goes must be seen to do so: the plate changes by as much, and by more than it flickers.
    Only one that is always there may be in the background, too.

    Args:
        usual: (T, h, w) densities, all together.
        observed: (T, h, w) of the plate over the background as known so far.
        always: (T, h, w) what ``usual`` is at least, see ``TrainingBackground.always``.
        seen: (T, h, w) 0 where a body hides the background; there it is as around.
        flicker: (T, h, w) density by which pixels change by themselves, as edges do under a moving camera.
    """
    allowed = always + _EXAGGERATED * np.stack(list(map(_more_than_flicker, observed, flicker)))
    share = np.where(seen > 0, np.clip(allowed / np.maximum(usual, _PATCH), 0, 1), 0)
    weight = (seen > 0).astype(np.float32)
    near = [
        cv2.blur(each, _BESIDE) / np.maximum(cv2.blur(w, _BESIDE), _SELDOM)
        for each, w in zip(share, weight, strict=True)
    ]
    return np.asarray(np.where(seen > 0, share, near), np.float32)


def _more_than_flicker(observed: Floats, flicker: Floats) -> Floats:
    """What densities (h, w) darken by more than they flicker (h, w), without grain."""
    around = np.maximum(cv2.blur(observed, _GRAIN), 0)
    return np.asarray(around * np.clip(around / np.clip(flicker, _NO_FLICKER, _MOST_FLICKER) - 1, 0, 1), np.float32)


def never_clean(amount: Floats, known: Floats) -> Floats:
    """Where the first background has a shadow of this density (..., h, w) in it: 0..1.

    ``known`` (..., h, w) is the density that the plate has over that background while the shadow is there.
    """
    return np.asarray(np.clip(2 - 2 * known / np.maximum(_CLEAN * amount, _PATCH), 0, 1), np.float32)


def with_burnt_in(
    alone: Floats, together: Floats, usual: Floats, usual_alone: Floats, darkest: Floats
) -> tuple[Floats, Floats]:
    """Learned effects, and half of what is usual beyond them where no frame shows the ground without a shadow.

    There nothing can be learned: the first background has the shadow in it, and the picture is explained without one.

    Args:
        alone: (T, N, h, w, 3), together: (T, h, w, 3) densities as learned.
        usual: (T, h, w, 3) all together as usual.
        usual_alone: (T, N, h, w, 3) everybody's as usual.
        darkest: (T, h, w) the largest density that a pixel ever had over the first background.
    """
    shadow = never_clean(usual.mean(-1), darkest) * (least(usual) > _SHADOW[0])
    missing = np.maximum(usual - together, 0) / 2 * shadow[..., None]
    whose = np.maximum(usual_alone.mean(-1, keepdims=True), 0)
    share = whose / np.maximum(whose.sum(1, keepdims=True), 1e-3)
    # Half-way, as in ``agreed``; the plate says at full size how strong it is.
    extra = share * missing[:, None]
    return np.asarray(alone + extra, np.float32), np.asarray(together + extra.sum(1), np.float32)


def as_usual_where_faint(alone: Floats, together: Floats, usual: Floats, usual_alone: Floats) -> tuple[Floats, Floats]:
    """Learned effects, and half-way to what is usual where both are faint.

    Training can hardly tell a penumbra from nothing, and makes faint effects as cheap as it can.

    Args:
        alone: (T, N, h, w, 3), together: (T, h, w, 3) densities as learned.
        usual: (T, h, w, 3) all together as usual.
        usual_alone: (T, N, h, w, 3) everybody's as usual.
    """
    low, high = _FAINT
    strong = np.clip((np.maximum(most(np.abs(usual)), most(np.abs(together))) - low) / (high - low), 0, 1)
    share = (1 - strong)[..., None] / 2
    each, every = alone + share[:, None] * (usual_alone - alone), together + share * (usual - together)
    return np.asarray(each, np.float32), np.asarray(every, np.float32)


def without_strange(alone: Floats, together: Floats, unusual: Floats) -> tuple[Floats, Floats]:
    """Drop what is faint and where such a person has usually no effect: flicker of edges, not shadows.

    Args:
        alone: (T, N, h, w, 3), together: (T, h, w, 3) densities as learned.
        unusual: (T, N, h, w) 0..1, see ``ShotData.unusual``.
    """
    low, high = _STRANGE
    strong = np.clip((most(np.abs(alone)) - low) / (high - low), 0, 1)
    kept = 1 - unusual * (1 - strong)
    return np.asarray(alone * kept[..., None], np.float32), np.asarray(together * kept.max(1)[..., None], np.float32)


def as_the_plate_shows(
    alone: Floats,
    together: Floats,
    usual: Floats,
    background: Floats,
    data: ShotData,
    restless: Floats,
    drifts: Floats,
    reflecting: float,
) -> Effects:
    """Effects as strong as they are seen, and what they leave unexplained beside a person, given to that person.

    On ground that reflects, so is what they leave unexplained where a body would be mirrored. But nobody is given what
    the ground does by itself.

    Args:
        alone: (T, N, h, w, 3), together: (T, h, w, 3) as learned; usual: (T, h, w, 3) all together as usual.
        background: (T, h, w, 3) with them undone; restless, drifts: (T, h, w).
        data: for the plate, what is seen of it, how far everybody is, and where everybody would be mirrored.
        reflecting: how surely the ground reflects, 0..1.
    """
    plate, seen = channels_last(data.plate), data.seen[:, 0].cpu().numpy() > 0
    distance, half = data.distance[:, :, 0].cpu().numpy(), np.float16
    each, every, undo = (np.empty(like.shape, half) for like in (alone, together, together))

    def show(t: int) -> None:
        change = density(plate[t], background[t])
        mine, whole = as_observed(alone[t], together[t], change, seen[t])
        left = np.maximum(change - whole, 0)
        trust = _trust(left, plate[t], usual[t], restless[t]) * seen[t]
        extra = _given_by_patches(left * trust[..., None], distance[t])
        whole = whole + extra.sum(0)
        if reflecting:
            left = change - whole
            trust = reflecting * _stands_out(left, plate[t], restless[t]) * seen[t]
            reflected = _given_to_mirrored(left * trust[..., None], data.casts[t, :, MIRROR].cpu().numpy())
            extra, whole = extra + reflected, whole + reflected.sum(0)
        kept = beyond(whole, drifts[t])
        kept *= 1 - (1 - reflecting) * something_else(change, together[t]) * seen[t]
        whole = whole * kept[..., None]
        each[t], every[t] = (mine + extra) * kept[..., None], whole
        undo[t] = agreed(whole, usual[t] * kept[..., None])

    # Frame by frame, since everybody's effects in a long clip fill the memory already.
    for _ in in_order(show, len(plate)):
        pass
    return Effects(each, every, undo, somebody_near(data), restless.astype(half))


def _given_to_mirrored(change: Floats, mirrored: Floats) -> Floats:
    """A change (h, w, 3) where and as far as bodies (N, h, w) would be mirrored, or nearly so: (N, h, w, 3).

    Feet that are not at the same depth are mirrored each at its own.
    """
    near = np.stack([cv2.GaussianBlur(cv2.dilate(body, _NEARLY), (0, 0), 1) for body in mirrored])
    share = near * (near.max(0) / np.maximum(near.sum(0), 1e-6))
    return np.asarray(share[..., None] * change, np.float32)


def _trust(left: Floats, plate: Floats, usual: Floats, restless: Floats) -> Floats:
    """(h, w) 0..1: how sure it is that what is left unexplained of a frame (h, w, 3) is a shadow."""
    # Beside waves the ground is never calm, but there, too, a shadow looks like a shadow.
    low, high = _SHADOW
    expected = np.clip((least(usual) - low) / (high - low), 0, 1)
    return np.asarray(
        _stands_out(left, plate, restless) * np.maximum(calm_ground(restless), expected) * greyness(left), np.float32
    )


def _stands_out(change: Floats, plate: Floats, restless: Floats) -> Floats:
    """(h, w) 0..1: how sure it is that a change (h, w, 3) is more than flicker."""
    above = most(np.abs(change)) - flicker(plate, restless)
    return np.asarray(np.clip(above / _LEAST_DENSITY - 1, 0, 1), np.float32)


def _given_by_patches(change: Floats, distance: Floats) -> Floats:
    """A change (h, w, 3) as the effect of whoever is nearest, (N, h, w, 3); nobody's when all are far.

    A patch goes whole to whom it comes nearest: a shadow begins at the feet.
    """
    changed = (most(np.abs(change)) > _PATCH).astype(np.uint8)
    count, patches = cv2.connectedComponents(changed)
    nearest = np.empty_like(distance)
    for person, away in enumerate(distance):
        reach = np.full(count, np.inf, np.float32)
        np.minimum.at(reach, np.asarray(patches, np.intp), away)
        nearest[person] = np.where(changed > 0, reach[patches], away)
    close = np.clip(2 - nearest.min(0) / _REACH, 0, 1)
    mine = (nearest.argmin(0) == np.arange(len(distance))[:, None, None]) * close
    return np.asarray(change * mine[..., None], np.float32)

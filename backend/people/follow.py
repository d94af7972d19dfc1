"""Carrying people through the shot: what a pixel looks like, and whose it was in the frame before."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from backend.core.color import Floats
from backend.media.frame_store import FrameStore
from backend.people.detect import Figure
from backend.people.labels import place_from
from backend.people.scene import Scene, Tell, fetch
from backend.people.segmenter import Place, Segmenter, odds_of, place_of

# How much the frame before counts against the looks of a pixel.
_MEMORY = 0.5
# A drawn mask is remembered better, for about so many frames.
_DRAWN_MEMORY, _DRAWN_REACH = 1.5, 8.0
_SMOOTH, _SMOOTH_BY_HEIGHT = 0.8, 0.004
# Without a look at the person for so many frames, she is gone until seen again.
_FORGET = 12
_LEAST_BODY = 0.02
# The area of a body in square heights: at first, and how much of it is kept from frame to frame.
_USUAL_BODY, _SHRINKS = 0.1, 0.99
# How fast a body that is wholly seen may seem to grow or shrink, per frame.
_GROWTH = 0.03
# Of somebody of whom so much is seen the pace is known; it changes by so much per frame.
_MOSTLY, _HASTE = 0.7, 0.2
# So many heights outside the picture somebody has left it.
_OUTSIDE = 0.2
_LOST = 0.35
# Where the way there and back misses by so many pixels, what the other frame shows is not the same thing.
_MISS = 1.0
# Who has seen but half of somebody counts less by this power of it.
_WHOLE = 4

Looks = Callable[[int], tuple[Floats, Floats]]
"""Gives the features (h, w, F) of a frame, and what speaks against a body (h, w), in nats."""

Outlines = Callable[[int, Floats], Floats]
"""Makes the rough masks (h, w, N) of a frame exact."""


@dataclass
class State:
    """What is known of one person while going through the shot."""

    mask: Floats | None = None
    place: Place | None = None
    usual: float = _USUAL_BODY
    """The area of the body in square heights while all of it is seen."""
    pace: tuple[float, float] | None = None
    """How far the body goes from frame to frame over the ground, in pixels; None before most of it was seen."""
    unseen: int = 0
    since_drawn: float = float("inf")
    """Frames since the last drawn mask on the way."""


@dataclass(frozen=True)
class Anchors:
    """What is known for certain: drawn masks (taken as truth) and figures, by person and frame."""

    masks: Mapping[int, Mapping[int, Floats]]
    figures: Sequence[Mapping[int, Figure]]

    def known(self, person: int, index: int) -> bool:
        """Whether the person is known for certain in a frame."""
        return index in self.certain(person)

    def certain(self, person: int) -> set[int]:
        """The frames in which a person is known for certain."""
        seen = {i for i, f in self.figures[person].items() if f.score > 0} if person < len(self.figures) else set()
        return seen | set(self.masks.get(person, {}))

    def distance(self, person: int, index: int) -> tuple[float, float]:
        """Frames since the last certain one before, and to the first after; infinite where there is none."""
        frames = self.certain(person)
        before = min((index - f for f in frames if f <= index), default=float("inf"))
        after = min((f - index for f in frames if f >= index), default=float("inf"))
        return before, after


def follow(
    scene: Scene, model: Segmenter, looks: Looks, outlines: Outlines, anchors: Anchors, work: Path, tell: Tell
) -> FrameStore:
    """Masks (T, h, w, N) of all people, on disk: forth and back through the shot, put together and made exact."""
    count, people = len(scene), model.people
    shape = (scene.size[1], scene.size[0], people)
    states = [State() for _ in range(people)]
    usual: list[list[float]] = []

    def forth() -> Iterator[Floats]:
        for index in range(count):
            tell(0.5 * index / count)
            yield step(scene, model, looks(index), anchors, states, index, index - 1)
            usual.append([state.usual for state in states])

    forward = FrameStore.create(work / "forth.raw", forth(), count)
    states_back = [_at_the_end(state) for state in states]
    back = _Backwards(work / "back.raw", (count, *shape))
    for index in reversed(range(count)):
        tell(0.5 + 0.5 * (count - index) / count)
        following = index + 1 if index + 1 < count else -1
        found = step(scene, model, looks(index), anchors, states_back, index, following)
        trust = np.array([usual[index], [state.usual for state in states_back]]) ** _WHOLE
        merged = _together(forward.frame(index), found, anchors, index, trust[0] / trust.sum(0))
        exact = outlines(index, merged)
        for person, frames in anchors.masks.items():
            if index in frames:
                exact[..., person] = frames[index]
        back.put(index, exact)
    return back.store()


def _at_the_end(state: State) -> State:
    """What the way back begins with: who was seen last lies where the way forth has come to."""
    return State(place=None if state.mask is None else state.place)


def step(
    scene: Scene,
    model: Segmenter,
    looks_here: tuple[Floats, Floats],
    anchors: Anchors,
    states: list[State],
    index: int,
    before: int,
) -> Floats:
    """Masks (h, w, N) of one frame from its looks and from the frame ``before`` it (-1: none)."""
    flow = scene.flow(index, before) if before >= 0 else None
    steady = 1.0 if flow is None else _steady(flow, scene.flow(before, index))
    looks, against = looks_here
    shape = looks.shape[:2]
    odds = np.full((len(states) + 1, *shape), -20, np.float32)
    odds[0] = 0
    for person, state in enumerate(states):
        prior = None if state.mask is None or flow is None else fetch(state.mask, flow)
        figure = anchors.figures[person].get(index) if person < len(anchors.figures) else None
        drawn = anchors.masks.get(person, {}).get(index)
        at_rest = _at_rest(scene, state.place, before, index)
        place = _expected(state, prior, flow, at_rest, figure, drawn)
        if place is None or _outside(place, shape):
            state.mask = state.place = None
            continue
        _keep_pace(state, prior, at_rest, place)
        state.place = place
        own = odds_of(model, looks, place, person) - against
        if prior is not None:
            soft = np.clip(cv2.GaussianBlur(prior, (0, 0), _SMOOTH + _SMOOTH_BY_HEIGHT * place.height), 0.02, 0.98)
            near = float(np.exp(-state.since_drawn / _DRAWN_REACH))
            own = own + steady * (_MEMORY + _DRAWN_MEMORY * near) * np.log(soft / (1 - soft))
        odds[person + 1] = own
    weights = np.exp(odds - odds.max(0))
    masks = (weights / weights.sum(0))[1:]
    for person, state in enumerate(states):
        drawn = anchors.masks.get(person, {}).get(index)
        state.since_drawn = 0.0 if drawn is not None else state.since_drawn + 1
        if drawn is not None:
            masks[person] = drawn
        masks[person] = tidy(masks[person], state.place)
        _remember(state, masks[person], anchors.known(person, index))
    return np.ascontiguousarray(masks.transpose(1, 2, 0))


def _steady(flow: Floats, back: Floats) -> Floats:
    """(h, w), 0..1: how well the way to the other frame and back ends where it began."""
    missed = np.linalg.norm(flow + fetch(back, flow), axis=-1)
    return np.asarray(np.exp(-0.5 * (missed / _MISS) ** 2), np.float32)


def _at_rest(scene: Scene, place: Place | None, before: int, index: int) -> Place | None:
    """Where a place of the frame ``before`` lies in this one if nothing but the camera moves."""
    if place is None or before < 0:
        return place
    return Place(*scene.at_rest((place.x, place.y), before, index), place.height)


def _keep_pace(state: State, prior: Floats | None, at_rest: Place | None, place: Place) -> None:
    """Learn how fast somebody goes over the ground, as long as most of the body is to be seen."""
    if at_rest is None or prior is None or _whole(state, prior, place.height) < _MOSTLY:
        return
    x, y = place.x - at_rest.x, place.y - at_rest.y
    known = state.pace or (x, y)
    state.pace = (known[0] + _HASTE * (x - known[0]), known[1] + _HASTE * (y - known[1]))


def _whole(state: State, prior: Floats, height: float) -> float:
    """Which share of a body is to be seen, 0..1."""
    return min(1.0, float(prior.sum()) / (state.usual * height**2))


def _expected(
    state: State,
    prior: Floats | None,
    flow: Floats | None,
    at_rest: Place | None,
    figure: Figure | None,
    drawn: Floats | None,
) -> Place | None:
    """Where the body is: from what was drawn, what was tracked, and where the frame before says it has gone."""
    if drawn is not None:
        return place_of(drawn)
    carried = _gone_on(state, at_rest) if prior is None or flow is None else _carried(state, prior, flow, at_rest)
    if figure is None:
        return carried
    seen = place_from(figure)
    return seen if carried is None or prior is None else _between(seen, carried, 0.5)


def _gone_on(state: State, at_rest: Place | None) -> Place | None:
    """Where somebody is who goes on as before."""
    if at_rest is None or state.pace is None:
        return at_rest
    return Place(at_rest.x + state.pace[0], at_rest.y + state.pace[1], at_rest.height)


def _carried(state: State, prior: Floats, flow: Floats, at_rest: Place | None) -> Place | None:
    """Where a body has moved to; the less of it is to be seen, the less its visible part tells where the whole is.

    Who is hidden is expected to go on as before: what is still taken for her may be of the one who hides her.
    """
    visible = place_of(np.where(prior > 0.3, prior, 0))
    gone_on = _gone_on(state, at_rest)
    if state.place is None or gone_on is None or visible is None:
        return visible or gone_on
    shift = np.median(flow[prior > 0.3], axis=0)
    moved = Place(state.place.x - float(shift[0]), state.place.y - float(shift[1]), state.place.height)
    whole = _whole(state, prior, state.place.height)
    if state.pace is not None:
        moved = _between(gone_on, moved, whole**3)
    height = float(np.clip(visible.height, (1 - _GROWTH) * moved.height, (1 + _GROWTH) * moved.height))
    return _between(moved, Place(visible.x, visible.y, height), whole**4)


def _between(a: Place, b: Place, share: float) -> Place:
    return Place(*(one + share * (other - one) for one, other in zip(_numbers(a), _numbers(b), strict=True)))


def _outside(place: Place, shape: tuple[int, ...]) -> bool:
    """Whether the middle of a body is so far from the picture that nothing of it is to be seen."""
    room = _OUTSIDE * place.height
    return not (-room < place.x < shape[1] + room and -2 * room < place.y < shape[0] + 2 * room)


def _numbers(place: Place) -> tuple[float, float, float]:
    return place.x, place.y, place.height


def _remember(state: State, mask: Floats, known: bool) -> None:
    body = float(mask.sum())
    least = _LEAST_BODY * (state.place.height**2 if state.place else 1.0)
    if body >= least:
        state.mask, state.unseen = mask.copy(), 0
        if state.place is not None:
            state.usual = max(_SHRINKS * state.usual, body / state.place.height**2)
        return
    state.unseen = 0 if known else state.unseen + 1
    state.mask = None
    mask[:] = 0
    if state.unseen > _FORGET:
        state.place = None


def tidy(mask: Floats, place: Place | None) -> Floats:
    """A mask without parts that lie apart from the body."""
    body = mask > 0.4
    count, labels, stats, _ = cv2.connectedComponentsWithStats(body.astype(np.uint8))
    if count <= 1 or place is None:
        return mask if count > 1 else np.zeros_like(mask)
    sizes = stats[1:, cv2.CC_STAT_AREA].astype(np.float64)
    main = 1 + int(sizes.argmax())
    reach = max(3, round(0.08 * place.height)) | 1
    near = cv2.dilate((labels == main).astype(np.uint8), np.ones((reach, reach), np.uint8))
    keep = [part for part in range(1, count) if sizes[part - 1] > 0.12 * sizes.max() or near[labels == part].any()]
    kept = cv2.dilate(np.isin(labels, keep).astype(np.uint8), np.ones((5, 5), np.uint8))
    return np.asarray(mask * kept, np.float32)


def _together(forth: Floats, back: Floats, anchors: Anchors, index: int, trust: npt.NDArray[np.float64]) -> Floats:
    """Both ways put together; the one from the nearer certain frame counts more, and the one that has seen more of her.

    ``trust`` (N,) is how much the way forth has seen of everybody, against the way back.
    """
    merged = np.empty_like(forth)
    for person in range(forth.shape[2]):
        before, after = anchors.distance(person, index)
        share = _share(before, after)
        forward, backward = share * trust[person], (1 - share) * (1 - trust[person])
        share = forward / (forward + backward)
        there, here = forth[..., person], back[..., person]
        # Who has lost sight of somebody on the way has nothing to say.
        lost = [
            float(mask.sum()) < _LOST * max(1.0, float(other.sum())) for mask, other in ((there, here), (here, there))
        ]
        share = 0.0 if lost[0] else 1.0 if lost[1] else share
        merged[..., person] = share * there + (1 - share) * here
    total = np.maximum(1, merged.sum(2, keepdims=True))
    return np.asarray(merged / total, np.float32)


def _share(before: float, after: float) -> float:
    if np.isinf(before) or np.isinf(after):
        return 0.5 if np.isinf(before) and np.isinf(after) else float(np.isinf(after))
    return (after + 1) / (before + after + 2)


class _Backwards:
    """A frame store that is written from the last frame to the first."""

    def __init__(self, path: Path, shape: tuple[int, int, int, int]) -> None:
        self._path, self._shape = path, shape
        with path.open("wb") as file:
            file.truncate(int(np.prod(shape)))

    def put(self, index: int, frame: Floats) -> None:
        with self._path.open("r+b") as file:
            file.seek(index * int(np.prod(self._shape[1:])))
            file.write(np.round(np.clip(frame, 0, 1) * 255).astype(np.uint8).tobytes())

    def store(self) -> FrameStore:
        return FrameStore(self._path, self._shape, "uint8")

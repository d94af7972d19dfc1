"""Who is who from frame to frame: detections linked into one track per person."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import cv2
import numpy as np
import numpy.typing as npt

from backend.core.color import Floats
from backend.people.assignment import assign
from backend.people.detect import Figure, overlap
from backend.people.scene import Scene, Tell, to_bytes
from backend.people.somebody import goes_by, is_somebody
from backend.people.track import LEAST_HITS, Matter, Track

# Costs are 0..2: half for the place, half for the looks. Dearer pairs stay apart.
_DEAREST_STEP = 1.0
_DEAREST_BRIDGE = 0.9
# Frames through which somebody is followed by the picture's motion alone.
_LONGEST_BLIND = 3
# Figures this near to each other, or one figure where two people are expected, say nothing about who is who.
_CONTACT = 0.3
_MEETING = 0.4
_ALIKE = 0.6
_RECENT = 24
# What a frame without the person adds to the cost of taking somebody for her.
_FORGETTING = 0.015
_LEAST_NEW = 0.0
_TWICE = 0.4
_NEAR_FRAMES = 6
# Somebody who was lost beside another person may be hidden behind her for so many frames.
_HIDDEN = 12
# Who is so far (in heights) from where she was has gone her way; others may have jumped or danced.
_ON_HER_WAY = 0.5


_BINS = (np.linspace(0, 256, 7), np.linspace(72, 184, 9), np.linspace(72, 184, 9))
# Louder colors than the bins know count as the loudest they know.
_LEAST, _MOST = ([edges[end] for edges in _BINS] for end in (0, -1))
_BINS_SHAPE = tuple(len(edges) - 1 for edges in _BINS)


def track_all(scene: Scene, detections: Sequence[Sequence[Figure]], matter: Matter, tell: Tell) -> list[Track]:
    """Link the detections of all frames; the surest person comes first.

    Somebody in contact with others is lost on purpose, and found again by looks once they are apart.
    """
    alive: list[Track] = []
    done: list[Track] = []
    missing: list[Track] = []
    for index, found in enumerate(detections):
        tell(index / len(detections))
        expected = [_expected(scene, track, index) for track in alive]
        for track in missing:
            track.figures[index] = _expected(scene, track, index)
        known = [len(track.hits) >= LEAST_HITS for track in alive] + [True] * len(missing)
        figures = _apart(found, [*expected, *(track.figures[index] for track in missing)], known)
        picture, weight = to_bytes(scene.picture(index)), matter(index)
        looks = [looks_of(picture, weight, figure) for figure in figures]
        pairs = _pairs(alive, expected, figures, looks)
        for row, track in enumerate(alive):
            if row in pairs:
                _extend(track, index, figures[pairs[row]], looks[pairs[row]])
            else:
                track.figures[index] = expected[row]
        split = [t for t in alive if t.several and index in t.hits and _splits(t, figures, index)]
        lost = [track for track in alive if index - track.hits[-1] > _LONGEST_BLIND]
        recent = [t for t in alive + done[-_RECENT:] if 0 < index - t.hits[-1] <= 2 * _LONGEST_BLIND]
        taken = {column for row, column in pairs.items() if alive[row] not in split}
        alive = [track for track in alive if track not in lost and track not in split]
        done += lost + split
        missing = [t for t in missing + [t for t in lost if goes_by(scene, t)] if _is_missing(t, alive, index)]
        for column, figure in enumerate(figures):
            if column not in taken and figure.score > _LEAST_NEW:
                alive.append(Track({index: figure}, looks[column], _swallows(figure, recent) and not split))
    return _people(scene, matter, [track for track in done + alive if not track.several])


def _is_missing(lost: Track, alive: Sequence[Track], index: int) -> bool:
    """Whether somebody may still be hidden where she is expected: nobody who came later has taken her place."""
    return index - lost.hits[-1] <= _HIDDEN and not any(_replaces(track, lost, index) for track in alive)


def _replaces(track: Track, lost: Track, index: int) -> bool:
    there, here = lost.figures[index], track.figures[index]
    near = abs(there.x - here.x) < _MEETING * max(there.height, here.height)
    return near and track.first > lost.hits[-1] and len(track.hits) >= LEAST_HITS


def _pairs(
    alive: Sequence[Track], expected: Sequence[Figure], figures: Sequence[Figure], looks: Sequence[Floats]
) -> dict[int, int]:
    costs = [
        [_cost(guess, track.looks, figure, look) for figure, look in zip(figures, looks, strict=True)]
        for guess, track in zip(expected, alive, strict=True)
    ]
    return dict(assign(np.array(costs).reshape(len(alive), len(figures)), _DEAREST_STEP))


def _meets(a: Figure, b: Figure) -> bool:
    height = max(a.height, b.height)
    alike = min(a.height, b.height) > _ALIKE * height
    return alike and abs(a.x - b.x) < _MEETING * height and abs(a.y - b.y) < 0.6 * height


def _swallows(figure: Figure, recent: Sequence[Track]) -> bool:
    """Whether a new figure stands where several people were lost just now."""
    met = [track for track in recent if len(track.hits) >= LEAST_HITS and _meets(figure, track.figures[track.hits[-1]])]
    return len(met) > 1


def _splits(track: Track, figures: Sequence[Figure], index: int) -> bool:
    """Whether somebody has come out of what was taken for one figure."""
    own = track.figures[index]
    return any(
        figure is not own and abs(figure.x - own.x) < 1.2 * own.height and figure.height > _ALIKE * own.height
        for figure in figures
    )


def _apart(found: Sequence[Figure], expected: Sequence[Figure], known: Sequence[bool]) -> list[Figure]:
    """The figures of which one can say who they are: neither on each other, nor one where several are expected.

    Where none of those expected was seen often enough to be known, all of them may be one person, drawn differently.
    """
    kept = []
    for figure in found:
        near = [place for place, guess in enumerate(expected) if _meets(guess, figure)]
        guests = [expected[place] for place in near] if any(known[place] for place in near) else []
        hosts = [other for other in found if any(_meets(guess, other) for guess in guests)]
        crowded = any(other is not figure and overlap(other, figure) > _CONTACT for other in found)
        if not crowded and (len(guests) < 2 or len(hosts) >= len(guests)):
            kept.append(figure)
    return kept


def looks_of(picture: npt.NDArray[np.uint8], weight: Floats, figure: Figure) -> Floats:
    """The colours of a person's upper and lower body as two smooth histograms, each of sum 1."""
    area = _cut(picture, figure)
    lab = cv2.cvtColor(picture[area], cv2.COLOR_RGB2LAB)
    rows, columns = np.ogrid[area]
    # Bodies are upright and narrow; what lies at the sides is mostly not the person.
    upright = np.exp(-(((columns - figure.x) / (0.11 * figure.height)) ** 2) / 2)
    mask = weight[area] ** 2 * upright * np.ones_like(rows)
    found = []
    for half in np.array_split(np.arange(lab.shape[0]), 2):
        values, counts = np.clip(lab[half].reshape(-1, 3), _LEAST, _MOST), mask[half].ravel()
        histogram, _ = np.histogramdd(values, _BINS, weights=counts.astype(np.float64) + 1e-4)
        smooth = cv2.GaussianBlur(histogram.reshape(_BINS_SHAPE[0], -1), (1, 3), 0).ravel()
        found.append(smooth / smooth.sum())
    return np.asarray(np.concatenate(found), np.float32)


def unlike(a: Floats, b: Floats) -> float:
    """How different two people look, 0..1 (Hellinger distance)."""
    return float(np.sqrt(max(0.0, 1 - np.sqrt(a * b).sum() / 2)))


def _cut(picture: npt.NDArray[np.uint8], figure: Figure) -> tuple[slice, slice]:
    left, top, right, bottom = (round(value) for value in figure.box(0.3, 0.9))
    height, width = picture.shape[:2]
    left, top = min(max(0, left), width - 2), min(max(0, top), height - 2)
    return slice(top, min(height, max(top + 2, bottom))), slice(left, min(width, max(left + 2, right)))


def _cost(expected: Figure, known: Floats | None, found: Figure, looks: Floats) -> float:
    apart = np.hypot(expected.x - found.x, expected.y - found.y) / expected.height
    grown = abs(np.log(found.height / expected.height))
    place = min(1.0, 2.0 * float(apart) + 0.8 * float(grown))
    return place + (unlike(known, looks) if known is not None else 0.5)


def _expected(scene: Scene, track: Track, index: int) -> Figure:
    """Where the motion of the picture has taken the person since the frame before."""
    before = track.figures[index - 1]
    flow = scene.flow(index - 1, index)
    left, top, right, bottom = (round(value) for value in before.box(0.2, 0.7))
    inside = flow[max(0, top) : max(1, bottom), max(0, left) : max(1, right)].reshape(-1, 2)
    dx, dy = np.median(inside, axis=0) if len(inside) else (0.0, 0.0)
    return before.moved(float(dx), float(dy))


def _extend(track: Track, index: int, figure: Figure, looks: Floats) -> None:
    track.figures[index] = figure
    known = track.looks
    track.looks = looks if known is None else np.asarray(0.9 * known + 0.1 * looks, np.float32)


def _people(scene: Scene, matter: Matter, tracks: list[Track]) -> list[Track]:
    """The tracks that are people, cut to where they were seen, and bridged where somebody was lost on the way."""
    seen = [_trimmed(track) for track in tracks if len(track.hits) >= LEAST_HITS]
    whole = _bridged(seen)
    sure = [track for track in whole if is_somebody(scene, matter, track)]
    kept: list[Track] = []
    for track in sorted(sure, key=lambda t: -t.total):
        if all(together(track, other) < _TWICE for other in kept):
            kept.append(track)
    return [doubted(track, kept) for track in kept]


def doubted(track: Track, people: Sequence[Track]) -> Track:
    """The track, unsure where somebody was lost (or was not yet found) close by: she may be part of the same figure.

    There somebody who goes her way goes evenly, from where she was known for sure to where she will be.
    """
    doubtful = {index for index in track.hits if any(_may_be(other, track.figures[index], index) for other in people)}
    figures = {i: replace(figure, score=0.0) if i in doubtful else figure for i, figure in track.figures.items()}
    sure = [index for index in track.hits if index not in doubtful]
    for before, after in pairwise(sure):
        if _goes(figures[before], figures[after]) and any(before < index < after for index in doubtful):
            figures |= _between(before, figures[before], after, figures[after])
    return Track(figures, track.looks)


def _goes(before: Figure, after: Figure) -> bool:
    """Whether somebody goes her way between two sights of her."""
    return abs(before.x - after.x) > _ON_HER_WAY * before.height


def _may_be(other: Track, figure: Figure, index: int) -> bool:
    """Whether somebody who is not known in a frame was lost, or will be found, close to a figure there."""
    near = min(max(index, other.first), other.last)
    return 0 < abs(index - near) <= _HIDDEN and _meets(figure, other.figures[near])


def _trimmed(track: Track) -> Track:
    first, last = track.hits[0], track.hits[-1]
    return Track({i: f for i, f in track.figures.items() if first <= i <= last}, track.looks)


def together(a: Track, b: Track) -> float:
    """Share of the frames of ``a`` in which it lies on ``b`` or is a part of it; ``b`` may be seen a little later."""
    lies = 0
    for index, figure in a.figures.items():
        nearest = min(b.figures, key=lambda at: abs(at - index))
        lies += abs(nearest - index) <= _NEAR_FRAMES and _lies_on(figure, b.figures[nearest])
    return lies / len(a.figures)


def _lies_on(a: Figure, b: Figure) -> bool:
    left, top, right, bottom = b.box(0.4, 1.1)
    part = a.height < 0.75 * b.height and left < a.x < right and top < a.y < bottom
    return part or overlap(a, b) > 0.5


def _bridged(tracks: list[Track]) -> list[Track]:
    """Tracks of one person joined: each end is paired with a later beginning that fits in place, size and looks."""
    tracks = sorted(tracks, key=lambda t: t.first)
    costs = np.array([[_bridge_cost(a, b) for b in tracks] for a in tracks]).reshape(len(tracks), len(tracks))
    follower = dict(assign(costs, _DEAREST_BRIDGE))
    joined = []
    for start in sorted(set(range(len(tracks))) - set(follower.values())):
        track, current = tracks[start], start
        while current in follower:
            current = follower[current]
            track = _joined(track, tracks[current])
        joined.append(track)
    return joined


def _bridge_cost(a: Track, b: Track) -> float:
    gap = b.first - a.last
    if gap <= 0 or a is b or a.looks is None or b.looks is None:
        return np.inf
    end, begin = a.figures[a.last], b.figures[b.first]
    apart = float(np.hypot(end.x - begin.x, end.y - begin.y)) / end.height
    # Nobody goes further than about a tenth of their height per frame.
    far = max(0.0, apart - 0.3 - 0.1 * gap)
    grown = abs(float(np.log(begin.height / end.height)))
    return 2 * far + max(0.0, grown - 0.15) + _FORGETTING * gap + unlike(a.looks, b.looks)


def _joined(a: Track, b: Track) -> Track:
    between = _between(a.last, a.figures[a.last], b.first, b.figures[b.first])
    looks = a.looks if a.total > b.total else b.looks
    return Track({**a.figures, **between, **b.figures}, looks)


def _between(start: int, a: Figure, end: int, b: Figure) -> dict[int, Figure]:
    """Where somebody goes who is known in two frames, evenly, in those between."""
    figures = {}
    for index in range(start + 1, end):
        share = (index - start) / (end - start)
        x, y, height = a.x + share * (b.x - a.x), a.y + share * (b.y - a.y), a.height + share * (b.height - a.height)
        figures[index] = Figure(x, y, height, 0.0)
    return figures

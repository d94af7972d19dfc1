"""Which tracks are people: those whom the detector saw surely and often enough, those who dance, and who walk."""

from __future__ import annotations

import cv2
import numpy as np

from backend.core.color import Floats
from backend.people.scene import Scene
from backend.people.track import LEAST_HITS, Matter, Track

# A track is a person when the detector saw it so often and so surely.
_LEAST_SURE = 0.6
_LEAST_SUM = 2.0
_LEAST_MEAN = 0.2
# Less often will do when something this large (share of the picture's height) stays as large (standard deviation of the
# logarithm of its height) and throws its limbs about (see below): the detector knows who stands or walks, not dancers.
_DANCE_HEIGHT, _DANCE_LIMBER, _SAME_SIZE = 0.3, 0.5, 0.2
# Or when something this large (share of the picture's height) goes so many heights over the ground, is seen so often
# and in so large a share of its frames, and stays as large.
_WALK_HEIGHT, _WAY, _WALK_HITS, _WALK_SHARE = 0.2, 0.5, 10, 0.5
# And when its outline changes as that of legs does (walkers .29 to .48, dancers .5 to .84, boxes that slide by .03 to
# .11): told by so many outlines, drawn so many pixels high.
_LIMBER, _OUTLINES, _OUTLINE = 0.22, 8, 48
# Who goes his way uncovers ground: where so little of the boxes differs from the empty scene (with people who went so
# far it was .08 and more), the detector took now one letter of a banner for somebody and now another.
_TRACE = 0.03
# Only those who have gone so many heights are looked for there: who stays in place is found again by herself.
_GOES_BY = 0.25


def is_somebody(scene: Scene, matter: Matter, track: Track) -> bool:
    """Whether a track is a person, and no shadow, tree or box."""
    told = _looks_like_one(scene, matter, track) or _walks_like_one(scene, matter, track)
    return told and not _leaves_no_trace(scene, matter, track)


def goes_by(scene: Scene, track: Track) -> bool:
    """Whether somebody was on her way: when she is lost, somebody else may hide her."""
    if len(track.hits) < LEAST_HITS or track.several:
        return False
    return _way(scene, track) > _GOES_BY * _size(track)[0]


def _looks_like_one(scene: Scene, matter: Matter, track: Track) -> bool:
    """Whether the detector was sure, and that often enough, that this is a person."""
    if len(track.hits) < LEAST_HITS or track.best < _LEAST_SURE or track.total < _LEAST_SUM:
        return False
    return track.total >= _LEAST_MEAN * len(track.figures) or _dances(scene, matter, track)


def _dances(scene: Scene, matter: Matter, track: Track) -> bool:
    """Whether something large throws its limbs about."""
    size, steady = _size(track)
    return steady and size > _DANCE_HEIGHT * scene.size[1] and _limber(matter, track) > _DANCE_LIMBER


def _walks_like_one(scene: Scene, matter: Matter, track: Track) -> bool:
    """Whether something upright goes its way through the shot and moves its limbs."""
    if len(track.hits) < max(_WALK_HITS, _WALK_SHARE * len(track.figures)):
        return False
    size, steady = _size(track)
    goes = size > _WALK_HEIGHT * scene.size[1] and _way(scene, track) > _WAY * size
    return steady and goes and _limber(matter, track) > _LIMBER


def _size(track: Track) -> tuple[float, bool]:
    """The usual height in pixels, and whether it stays nearly the same."""
    heights = np.array([track.figures[index].height for index in track.hits])
    return float(np.median(heights)), bool(np.std(np.log(heights)) < _SAME_SIZE)


def _leaves_no_trace(scene: Scene, matter: Matter, track: Track) -> bool:
    """Whether something is said to go its way, but nothing is there."""
    if _way(scene, track) <= _WAY * _size(track)[0]:
        return False
    return bool(np.mean(_outlines(matter, track)) < _TRACE)


def _limber(matter: Matter, track: Track) -> float:
    """How much of an outline is now there and now not, all laid on each other: 0 for a box that slides by."""
    mean = _outlines(matter, track).mean(0)
    return float((mean * (1 - mean)).sum() / max(1.0, mean.sum()))


def _outlines(matter: Matter, track: Track) -> Floats:
    """(N, h, w) of 0 and 1: what is there around the figure in some of the frames, all brought to one size."""
    chosen = np.unique(np.linspace(0, len(track.hits) - 1, _OUTLINES).round().astype(int))
    outlines = []
    for figure, index in ((track.figures[track.hits[number]], track.hits[number]) for number in chosen):
        scale = _OUTLINE / figure.height
        lay = np.array([[scale, 0, _OUTLINE / 2 - scale * figure.x], [0, scale, 0.6 * _OUTLINE - scale * figure.y]])
        outlines.append(cv2.warpAffine(matter(index), lay, (_OUTLINE, round(1.2 * _OUTLINE))) > 0.5)
    return np.asarray(outlines, np.float32)


def _way(scene: Scene, track: Track) -> float:
    """How far across the ground somebody went, in pixels of the first frame in which she was seen."""
    seen = [(track.figures[index], index) for index in track.hits]
    return float(np.ptp([scene.at_rest((figure.x, figure.y), index, track.hits[0])[0] for figure, index in seen]))

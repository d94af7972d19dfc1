"""What differs from the empty scene, and what of that is only a shadow."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
import numpy.typing as npt

from backend.core.color import Floats, ramp
from backend.people.detect import Figure
from backend.people.scene import Scene, Tell, to_bytes

# As many frames, spread over the shot, make the empty scene: memory stays the same however long the shot is.
_SAMPLES = 41
_LEAST_FREE = 3
_BAND_ROWS = 32
# Differences count from this many times the usual flicker of a pixel, and from this much on.
_FLICKER_TIMES = 3.0
_LEAST_DIFFERENCE = 0.045
# A shadow leaves this much of the light, takes it from all channels nearly alike, and keeps the ground's pattern.
_SHADOW_LIGHT = (0.28, 0.97)
_SHADOW_TINT = 0.11
# The light that is left in a shadow is the sky's, bluer than the sun's: how much so is the same all over a shot, and is
# read off what is darker beside people, from so many frames and pixels. Then shadows are told from dark clothes better.
_BLUISH, _BLUISH_STEP, _BLUISH_WIDTH = 0.4, 0.01, 0.03
_SHADE, _SHADE_FRAMES, _SHADE_PIXELS = (0.35, 0.85), 12, 400
# So many must agree, and so many times as many as on any other hue.
_AGREE, _PLAINLY = 0.33, 2.0
# So far a shadow may be off the known hue; which alone, where the ground's pattern breaks, makes it so sure.
_KNOWN_TINT, _HUE_ALONE = 0.07, 0.6
_SHADOW_WINDOW = 7
_PATTERN_WINDOW = 11
_SETTLING_WINDOW = 9

Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Backdrop:
    """The scene without people, on the camera's canvas."""

    picture: Floats
    """(h, w, 3) display values."""
    flicker: Floats
    """(h, w): the usual distance of a pixel from its background."""
    certain: Floats
    """(h, w): 1 where it was seen while nobody was near, 0.5 where only while nobody covered it, 0 elsewhere."""
    bluish: float | None = None
    """By how much a shadow dims red more, and blue less, than green; None where the shot doesn't tell."""


@dataclass(frozen=True)
class Evidence:
    """What a frame tells against the empty scene; all maps are (h, w)."""

    difference: Floats
    """0 as empty, 1 about where a difference begins to count, at most 4."""
    shadow: Floats
    """0..1: how much the difference looks like a shadow."""
    certain: Floats
    """As in Backdrop."""

    @property
    def changed(self) -> Flags:
        """What is there that was not, shadows left out."""
        return np.asarray((self.difference > 1) & (self.shadow < 0.5) & (self.certain > 0.25))

    @property
    def matter(self) -> Floats:
        """How much each pixel may belong to somebody, 0..1."""
        known = np.clip(self.difference - 0.3, 0, 1) * (1 - self.shadow)
        return np.asarray(np.where(self.certain > 0.75, known, np.maximum(known, 0.3)), np.float32)

    @property
    def empty(self) -> Flags:
        """What is certainly the background or a shadow on it."""
        rest = (self.difference < 0.6) | (self.shadow > 0.7)
        return np.asarray(rest & (self.certain > 0.75))


Bodies = Callable[[int], tuple[Floats, Floats]]
"""Gives for a frame where somebody may be and where somebody is, two maps (h, w) of 0 and 1."""


def boxes_of(figures: Sequence[Sequence[Figure]], size: tuple[int, int]) -> Bodies:
    """Bodies by the boxes of the people, per frame, in pictures of ``size`` (w, h)."""

    def bodies(frame: int) -> tuple[Floats, Floats]:
        return _drawn(figures[frame], size, 0.75, 1.25), _drawn(figures[frame], size, 0.3, 1.0)

    return bodies


def empty_scene(scene: Scene, bodies: Bodies, tell: Tell, outlined: bool = False) -> Backdrop:
    """The background as the median of the frames in which nobody seems to be near a pixel.

    Where bodies are known by their outlines, not only by boxes, those that were burnt into the background can be told.
    """
    count = len(scene)
    chosen = np.unique(np.linspace(0, count - 1, min(count, _SAMPLES)).round().astype(int))
    camera = scene.camera
    pictures, near, covered, shown = [], [], [], []
    for done, index in enumerate(chosen):
        tell(0.5 * done / len(chosen))
        frame = int(index)
        seen = camera.covers(frame)
        pictures.append(to_bytes(camera.onto_canvas(scene.picture(frame), frame)))
        loose, tight = bodies(frame)
        near.append((camera.onto_canvas(loose, frame) > 0.5) | ~seen)
        covered.append(camera.onto_canvas(tight, frame) > 0.5)
        shown.append(seen)
    backdrop = _by_bands(np.stack(pictures), np.stack(near), np.stack(covered), np.stack(shown), tell, outlined)
    return replace(backdrop, bluish=_bluish(scene, backdrop, bodies))


def _bluish(scene: Scene, backdrop: Backdrop, bodies: Bodies) -> float | None:
    """The hue on which most of what is darker than the empty scene agrees, bodies left out; see ``Backdrop``."""
    hues: list[Floats] = []
    count = len(scene)
    for frame in np.unique(np.linspace(0, count - 1, min(count, _SHADE_FRAMES)).round().astype(int)).tolist():
        picture, ground = scene.picture(frame), behind(scene, backdrop, frame)
        certain = scene.camera.from_canvas(backdrop.certain, frame) > 0.75
        ratio, light = _dimmed(picture, ground)
        found = certain & (bodies(frame)[1] < 0.5) & (light > _SHADE[0]) & (light < _SHADE[1])
        found &= (_largest(ratio) < 1) & (_same_pattern(picture.mean(-1), ground.mean(-1)) > 0.5)
        hues.append((ratio[..., 2] - ratio[..., 0])[found] / (2 * (1 - light[found])))
    return _agreed(np.concatenate(hues))


def _agreed(hues: Floats) -> float | None:
    """The value that most of those given are near to; None without such a majority."""
    if len(hues) < _SHADE_PIXELS:
        return None
    steps = np.arange(-_BLUISH, _BLUISH + _BLUISH_STEP, _BLUISH_STEP)
    # One step after another: all at once they would fill the memory where most of a shot grows dark.
    votes = np.array([(np.abs(hues - np.float32(step)) < _BLUISH_WIDTH).mean() for step in steps])
    best = steps[votes.argmax()]
    others = votes[np.abs(steps - best) > 2 * _BLUISH_WIDTH].max()
    return float(best) if votes.max() > max(_AGREE, _PLAINLY * others) else None


def _drawn(figures: Sequence[Figure], size: tuple[int, int], wide: float, tall: float) -> Floats:
    """(h, w): 1 inside the boxes of the people."""
    canvas = np.zeros((size[1], size[0]), np.float32)
    for figure in figures:
        left, top, right, bottom = (round(value) for value in figure.box(wide, tall))
        canvas[max(0, top) : max(0, bottom), max(0, left) : max(0, right)] = 1
    return canvas


def _by_bands(
    pictures: npt.NDArray[np.uint8], near: Flags, covered: Flags, shown: Flags, tell: Tell, outlined: bool
) -> Backdrop:
    height, width = pictures.shape[1:3]
    backdrop = Backdrop(
        np.zeros((height, width, 3), np.float32),
        np.zeros((height, width), np.float32),
        np.zeros((height, width), np.float32),
    )
    for top in range(0, height, _BAND_ROWS):
        tell(0.5 + 0.5 * top / height)
        band = np.s_[top : top + _BAND_ROWS]
        values = pictures[:, band].astype(np.float32) / np.float32(255)
        hidden = covered[:, band] & shown[:, band]
        free, bare = ~near[:, band], ~covered[:, band] & shown[:, band]
        enough, some = free.sum(0) >= _LEAST_FREE, bare.sum(0) >= _LEAST_FREE
        usable = np.where(enough, free, np.where(some, bare, True))
        masked = np.where(usable[..., None], values, np.float32(np.nan))
        backdrop.picture[band] = _median(masked)
        away = _largest(np.abs(masked - backdrop.picture[band]))
        backdrop.flicker[band] = _median(away)
        burnt = _burnt_in(values, hidden, bare, backdrop.picture[band]) & outlined
        backdrop.certain[band] = np.where(enough, 1.0, np.where(some & ~burnt, 0.5, 0.0))
    return backdrop


def _median(values: Floats) -> Floats:
    """(T, ...) > (...): the median over time of what is not NaN, as ``np.nanmedian``'s but in a third of the time."""
    ordered, count = np.sort(values, axis=0), (~np.isnan(values)).sum(0)[None]
    low = np.take_along_axis(ordered, (count - 1) // 2, 0)[0]
    return np.asarray((low + np.take_along_axis(ordered, count // 2, 0)[0]) / np.float32(2), np.float32)


def _largest(colors: Floats) -> Floats:
    """(..., 3) > (...): the largest channel; ``max`` over an axis this short takes ten times as long."""
    return np.asarray(np.maximum(np.maximum(colors[..., 0], colors[..., 1]), colors[..., 2]), np.float32)


def _burnt_in(values: Floats, hidden: Flags, bare: Flags, picture: Floats) -> Flags:
    """Where the scene (h, w, 3) looks as it does while somebody covers it, which is mostly: that is the body."""
    count = hidden.sum(0)
    apart = _largest(np.abs(values - picture))
    alike = (hidden & (apart < _LEAST_DIFFERENCE)).sum(0) > 0.5 * count
    return np.asarray(alike & (count > bare.sum(0)))


def compare(scene: Scene, backdrop: Backdrop, index: int) -> Evidence:
    """What differs between a frame and the empty scene."""
    flicker = np.maximum(scene.camera.from_canvas(backdrop.flicker, index), 0)
    certain = scene.camera.from_canvas(backdrop.certain, index)
    return contrasted(scene.picture(index), behind(scene, backdrop, index), flicker, certain, backdrop.bluish)


def behind(scene: Scene, backdrop: Backdrop, index: int) -> Floats:
    """The empty scene (h, w, 3) as a frame would show it."""
    return np.asarray(np.clip(scene.camera.from_canvas(backdrop.picture, index), 0, 1), np.float32)


def contrasted(
    picture: Floats, behind: Floats, flicker: Floats, certain: Floats, bluish: float | None = None
) -> Evidence:
    """What differs between a picture and what is behind it; see ``Backdrop`` for flicker, certain and bluish."""
    # A background that is a pixel off is no person: each pixel may choose among its neighbours.
    margin = np.ones((3, 3), np.uint8)
    above = picture - cv2.dilate(behind, margin)
    below = cv2.erode(behind, margin) - picture
    away = _largest(np.maximum(above, below)).clip(0)
    away = cv2.GaussianBlur(away, (0, 0), 0.8)
    usual = cv2.dilate(cv2.GaussianBlur(flicker, (0, 0), 1.5), margin)
    difference = np.minimum(away / (_LEAST_DIFFERENCE + _FLICKER_TIMES * usual), 4)
    shadow = _settled(_shadow(picture, behind, bluish), difference)
    return Evidence(np.asarray(difference, np.float32), shadow, np.asarray(certain, np.float32))


def _settled(shadow: Floats, difference: Floats) -> Floats:
    """Shadows without holes: what differs amid a shadow belongs to it, as long as most around it does."""
    differs = (difference > 0.5).astype(np.float32)
    window = (_SETTLING_WINDOW, _SETTLING_WINDOW)
    share = cv2.blur(shadow * differs, window) / np.maximum(cv2.blur(differs, window), 1e-3)
    return np.maximum(shadow, ramp(np.asarray(share, np.float32), 0.4, 0.65))


def _shadow(picture: Floats, behind: Floats, bluish: float | None) -> Floats:
    """(h, w) 0..1: darker in all channels as shadows are in this shot, with the same pattern as the ground behind."""
    ratio, light = _dimmed(picture, behind)
    hue = np.array([1, 0, -1], np.float32) * np.float32(bluish or 0)
    off = ratio + hue * (1 - light[..., None])
    tint, allowed = _largest(off) + _largest(-off), _SHADOW_TINT if bluish is None else _KNOWN_TINT
    dark = ramp(light, _SHADOW_LIGHT[0] - 0.1, _SHADOW_LIGHT[0]) * ramp(-light, -1.02, -_SHADOW_LIGHT[1])
    grey = ramp(-tint, -2 * allowed, -allowed)
    pattern = _same_pattern(picture.mean(-1), behind.mean(-1))
    return np.asarray(dark * grey * (pattern if bluish is None else np.maximum(pattern, _HUE_ALONE)), np.float32)


def _dimmed(picture: Floats, behind: Floats) -> tuple[Floats, Floats]:
    """How much of each channel (h, w, 3) of what is behind is left around each pixel, and of its light (h, w)."""
    window = (_SHADOW_WINDOW, _SHADOW_WINDOW)
    ratio = np.asarray((cv2.blur(picture, window) + 0.03) / (cv2.blur(behind, window) + 0.03), np.float32)
    return ratio, np.asarray(ratio.mean(-1), np.float32)


def _same_pattern(a: Floats, b: Floats) -> Floats:
    """How well two grey pictures agree in their local pattern, 0..1; 1 where neither has any."""
    window = (_PATTERN_WINDOW, _PATTERN_WINDOW)
    mean_a, mean_b = cv2.blur(a, window), cv2.blur(b, window)
    var_a, var_b = cv2.blur(a * a, window) - mean_a**2, cv2.blur(b * b, window) - mean_b**2
    both = cv2.blur(a * b, window) - mean_a * mean_b
    plain = 1e-3
    alike = (both + plain) / (np.sqrt(np.maximum(var_a, 0) * np.maximum(var_b, 0)) + plain)
    return ramp(alike, 0.1, 0.45)

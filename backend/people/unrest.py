"""How much each place of a frame differs from itself around that moment: bodies sway, even of those who stay."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from backend.core.color import Floats
from backend.people.evidence import contrasted
from backend.people.scene import Scene

# Frames so many seconds before and after are looked at.
_APART = (0.125, 0.25, 0.375, 0.5)
# Where half of the picture differs by so much (of 0..1), the camera was not followed, and unrest tells nothing.
_NOWHERE_AT_REST = 0.06
# A shadow that passes is at least so wide (in pixels); the dark edge of somebody who sways is not.
_WIDE = 11
# By so much a pixel at rest is off, and so many times unrest is told the networks.
_FLICKER, _TELLING = 0.004, 8.0


def unrest(scene: Scene, index: int, bluish: float | None) -> Floats:
    """(h, w), 0..1: see ``unlike_most``; 0 in a shot that is too short to tell, or where the camera is not known.

    ``bluish`` is the hue of the shot's shadows, see ``backend.people.evidence.Backdrop``.
    """
    steps = {max(1, round(float(scene.info.fps) * seconds)) for seconds in _APART}
    near = [index + sign * step for step in sorted(steps) for sign in (-1, 1) if 0 <= index + sign * step < len(scene)]
    picture = scene.picture(index)
    return unlike_most(picture, [_laid_on(scene, other, index, picture) for other in near], bluish)


def unlike_most(picture: Floats, others: Sequence[Floats], bluish: float | None) -> Floats:
    """(h, w): the median difference of a picture (h, w, 3) from ``others`` of the same place.

    0 without any others, or where hardly a place is at rest. Where the hue of shadows is known, those that pass are
    left out: without it, dark clothes are.
    """
    nothing = np.zeros(picture.shape[:2], np.float32)
    if not others:
        return nothing
    restless = np.asarray(np.median([np.abs(picture - other).mean(-1) for other in others], axis=0), np.float32)
    if np.median(restless) > _NOWHERE_AT_REST:
        return nothing
    return restless if bluish is None else restless * (1 - _passing_shadow(picture, others, bluish))


def as_clue(restless: Floats) -> Floats:
    """Unrest (h, w) as the networks see it, 0..2: what tells is small."""
    return np.asarray(np.minimum(_TELLING * restless, 2), np.float32)


def _passing_shadow(picture: Floats, others: Sequence[Floats], bluish: float) -> Floats:
    """(h, w), 0..1: where a picture is darker than it mostly is, as shadows of that hue are."""
    usual, flicker = np.asarray(np.median(others, axis=0), np.float32), np.full(picture.shape[:2], _FLICKER, np.float32)
    shadow = contrasted(picture, usual, flicker, np.ones_like(flicker), bluish).shadow
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (_WIDE, _WIDE))
    return np.asarray(cv2.morphologyEx(shadow, cv2.MORPH_OPEN, disc), np.float32)


def _laid_on(scene: Scene, other: int, index: int, picture: Floats) -> Floats:
    """Another frame as seen from where the camera is in a frame; where it shows nothing, that frame's ``picture``."""
    if not scene.camera.moving:
        return scene.picture(other)
    way, room = scene.camera.between(other, index), picture.copy()
    laid = cv2.warpPerspective(
        scene.picture(other), way, scene.size, room, cv2.INTER_CUBIC, borderMode=cv2.BORDER_TRANSPARENT
    )
    return np.asarray(laid, np.float32)

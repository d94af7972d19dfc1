"""Ground that no frame shows, made up from what lies around it."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from backend.core.color import Floats

Flags = npt.NDArray[np.bool_]

_TELEA_RADIUS = 3
# Time grows with the pixels to be made up; beyond so many they are made up smaller and enlarged.
_MOST_PIXELS = 6000
_MARGIN = 48


def smoothly(picture: Floats, holes: Flags) -> Floats:
    """Holes (h, w) of a picture (h, w, 3; display 0..1) filled from their rims (Telea 2004): quick, without texture."""
    if not holes.any() or holes.all():
        return picture
    patched = cv2.inpaint(_eight_bit(picture), holes.astype(np.uint8), _TELEA_RADIUS, cv2.INPAINT_TELEA)
    return _laid_in(picture, holes, np.asarray(patched, np.uint8))


def textured(picture: Floats, holes: Flags) -> Floats:
    """Holes filled so that patterns go on: frequency selective reconstruction (Genser et al. 2018).

    Bricks and boards run on through the hole, which scores and looks better than a smooth patch; the arguments are
    those of ``smoothly``.
    """
    if not holes.any() or holes.all():
        return picture
    y, x = (np.flatnonzero(holes.any(axis)) for axis in (1, 0))
    box = np.s_[max(0, y[0] - _MARGIN) : y[-1] + _MARGIN + 1, max(0, x[0] - _MARGIN) : x[-1] + _MARGIN + 1]
    result = picture.copy()
    result[box] = _reconstructed(picture[box], holes[box])
    return result


def _reconstructed(picture: Floats, holes: Flags) -> Floats:
    height, width = holes.shape
    scale = min(1.0, (_MOST_PIXELS / max(1, int(holes.sum()))) ** 0.5)
    size = (max(16, round(width * scale)), max(16, round(height * scale)))
    known = cv2.resize((~holes).astype(np.float32), size, interpolation=cv2.INTER_AREA)
    small = cv2.resize(smoothly(picture, holes), size, interpolation=cv2.INTER_AREA)
    patched = np.zeros((size[1], size[0], 3), np.uint8)
    mask = (known > 0.99).astype(np.uint8) * 255
    cv2.xphoto.inpaint(_eight_bit(np.asarray(small, np.float32)), mask, patched, cv2.xphoto.INPAINT_FSR_FAST)
    large = cv2.resize(patched, (width, height), interpolation=cv2.INTER_CUBIC) if scale < 1 else patched
    return _laid_in(picture, holes, np.asarray(large, np.uint8))


def _laid_in(picture: Floats, holes: Flags, patched: npt.NDArray[np.uint8]) -> Floats:
    return np.where(holes[..., None], patched.astype(np.float32) / 255, picture).astype(np.float32)


def _eight_bit(picture: Floats) -> npt.NDArray[np.uint8]:
    return np.asarray(np.round(np.clip(picture, 0, 1) * 255), np.uint8)

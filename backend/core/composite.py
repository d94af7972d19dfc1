"""Stacking premultiplied layers, in display space as Blender's sequencer does it."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from backend.core.color import Floats


def over(front: Floats, back: Floats) -> Floats:
    """Lay a picture over another; nothing is clipped.

    Args:
        front: (H, W, 4) premultiplied display colour and alpha.
        back: (H, W, 3) opaque colour, or (H, W, 4) premultiplied.

    Returns:
        The same form as ``back``.
    """
    channels = back.shape[-1]
    return np.asarray(front[..., :channels] + (1 - front[..., 3:4]) * back, np.float32)


def composite(background: Floats, layers: Iterable[Floats]) -> Floats:
    """Stack layers (H, W, 4), premultiplied, from back to front over a background (H, W, 3); nothing is clipped."""
    picture = background
    for layer in layers:
        picture = over(layer, picture)
    return picture

"""Two people who walk past each other, for tests of who covers whom and of what is hidden."""

from __future__ import annotations

import numpy as np

from backend.core.color import Floats
from backend.core.occlusion import Flags, touching

T, H, W = 24, 60, 110
BACK, FRONT = 0, 1


def body(left: float, feet: int, height: int = 30) -> Floats:
    """A standing person (H, W): a head on a trunk that is broader than a leg."""
    mask = np.zeros((H, W), np.float32)
    x, top = round(left), feet - height
    mask[top : top + 7, max(0, x + 3) : max(0, x + 9)] = 1
    mask[top + 7 : top + 20, max(0, x) : max(0, x + 12)] = 1
    mask[top + 20 : feet, max(0, x + 2) : max(0, x + 10)] = 1
    return mask


def crossing(feet: tuple[int, int] = (50, 52), front: int = FRONT) -> tuple[Floats, Floats]:
    """Two people who walk past each other: whole bodies and visible parts, (T, 2, H, W)."""
    whole = np.stack([[body(10 + 3 * t, feet[0]), body(85 - 3 * t, feet[1])] for t in range(T)])
    visible = whole.copy()
    visible[:, 1 - front] *= 1 - whole[:, front]
    return whole, visible


def pictures(whole: Floats, front: int = FRONT) -> Floats:
    """(T, H, W, 3): both wear clothes with stripes that move with them."""
    out = np.full((T, H, W, 3), 0.5, np.float32)
    y, x = np.mgrid[:H, :W]
    for t in range(T):
        for person in (1 - front, front):
            left = 10 + 3 * t if person == 0 else 85 - 3 * t
            stripes = 0.5 + 0.4 * np.sin((x - left) / (2 + person) + y / 5)
            color = np.stack([stripes, 0.3 + 0.4 * person + 0 * stripes, 1 - stripes], -1)
            out[t] = np.where(whole[t, person][..., None] > 0, color, out[t])
    return out


def in_contact(masks: Floats) -> Flags:
    """(T, N, N): who touches whom, from masks (T, N, h, w)."""
    return np.stack([touching(frame) for frame in masks])

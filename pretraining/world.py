"""Ground, wall, sun and camera of a drawn scene, and how points and shadows come to lie in the picture."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from backend.core.color import Floats
from pretraining.figures import Capsules

Points = npt.NDArray[np.float64]
_CIRCLE = np.linspace(0, 2 * np.pi, 12, endpoint=False)
_NEAR = 0.3


@dataclass(frozen=True)
class View:
    """A camera at (0, height, 0) that looks along z and ``pitch`` radians down."""

    width: int
    height: int
    focal: float
    """In picture widths."""
    above: float
    """Metres above the ground."""
    pitch: float

    def rays(self) -> Points:
        """Direction of every pixel, (H, W, 3)."""
        y, x = np.mgrid[: self.height, : self.width] + 0.5
        f = self.focal * self.width
        right, up = (x - self.width / 2) / f, -(y - self.height / 2) / f
        c, s = np.cos(self.pitch), np.sin(self.pitch)
        return np.stack([right, c * up - s, s * up + c], -1)

    def project(self, points: Points) -> tuple[Points, Points]:
        """World points (..., 3) to pixels (..., 2) and depth (...)."""
        c, s = np.cos(self.pitch), np.sin(self.pitch)
        y, z = points[..., 1] - self.above, points[..., 2]
        depth = c * z - s * y
        safe = np.maximum(depth, _NEAR)
        f = self.focal * self.width
        flat = np.stack([self.width / 2 + f * points[..., 0] / safe, self.height / 2 - f * (c * y + s * z) / safe], -1)
        return flat, depth


def outline(view: View, figure: Capsules) -> list[npt.NDArray[np.int32] | None]:
    """The convex outline of every capsule in the picture; None behind the camera."""
    c, s = np.cos(view.pitch), np.sin(view.pitch)
    right, up = np.array([1.0, 0, 0]), np.array([0, c, s])
    return _hulls(view, _discs(figure, right, up))


def shadow_outline(view: View, figure: Capsules, plane: Points, sun: Points) -> list[npt.NDArray[np.int32] | None]:
    """The convex outline of every capsule's shadow on a plane (normal, distance) away from the sun (unit)."""
    normal, distance = plane[:3], plane[3]
    first = np.cross(sun, [0.3, 0.9, 0.1])
    first /= np.linalg.norm(first)
    discs = _discs(figure, first, np.cross(sun, first))
    height = discs @ normal - distance
    fallen = discs - sun * (np.maximum(height, 0) / (normal @ sun))[..., None]
    return _hulls(view, fallen)


def _discs(figure: Capsules, first: Points, second: Points) -> Points:
    """Circles around both ends, (K, 24, 3)."""
    circle = np.cos(_CIRCLE)[:, None] * first + np.sin(_CIRCLE)[:, None] * second
    a = figure.a[:, None] + figure.radius_a[:, None, None] * circle
    b = figure.b[:, None] + figure.radius_b[:, None, None] * circle
    return np.asarray(np.concatenate([a, b], 1))


def _hulls(view: View, points: Points) -> list[npt.NDArray[np.int32] | None]:
    flat, depth = view.project(points)
    limit = 8 * view.width
    hulls: list[npt.NDArray[np.int32] | None] = []
    for ring, far in zip(flat, depth, strict=True):
        if far.min() <= _NEAR:
            hulls.append(None)
        else:
            hulls.append(cv2.convexHull(np.clip(ring, -limit, limit).round().astype(np.int32)))
    return hulls


def covered(view: View, hulls: list[npt.NDArray[np.int32] | None]) -> Floats:
    """The union of outlines as a mask (H, W) of 0 and 1."""
    mask = np.zeros((view.height, view.width), np.uint8)
    for hull in hulls:
        if hull is not None:
            cv2.fillConvexPoly(mask, hull, 1)
    return mask.astype(np.float32)


def texture(rng: np.random.Generator, u: Points, v: Points) -> Floats:
    """A random pattern of about 0..1 over surface coordinates in metres, (H, W)."""
    total = np.zeros(u.shape, np.float32)
    for _ in range(rng.integers(1, 4)):
        grain = rng.uniform(0.05, 1.5)
        tile = cv2.GaussianBlur(rng.random((64, 64), np.float32), (0, 0), rng.uniform(0.5, 2))
        tile = (tile - tile.mean()) / (tile.std() + 1e-6) * 0.2
        total += cv2.remap(
            tile,
            (u / grain % 64).astype(np.float32),
            (v / grain % 64).astype(np.float32),
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_WRAP,
        )
    if rng.random() < 0.6:
        long, wide, gap = rng.uniform(0.15, 2), rng.uniform(0.08, 0.8), rng.uniform(0.03, 0.15)
        row = np.floor(v / wide)
        joint = ((v / wide % 1) < gap) | (((u / long + 0.5 * (row % 2)) % 1) < gap * wide / long)
        boards = rng.random(997)[(row * 31 + np.floor(u / long + 0.5 * (row % 2)) * 17).astype(int) % 997]
        total += (rng.uniform(0, 0.3) * (boards - 0.5) + rng.uniform(-0.5, 0.2) * joint).astype(np.float32)
    return np.asarray(0.5 + total * rng.uniform(0.2, 1), np.float32)

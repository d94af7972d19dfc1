"""Where each frame lies on the canvas: one homography per frame, and the resampling both ways."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from backend.core.color import Floats

Matrices = npt.NDArray[np.float64]
# A canvas larger than this many plates means that registration has gone astray.
MAX_CANVAS_PLATES = 12
# Rows around a pixel that resampling reads.
_LANCZOS_REACH = 5


@dataclass(frozen=True)
class Camera:
    """The plate's frames on a common canvas.

    ``to_canvas`` (T, 3, 3) takes pixel centres of a frame to canvas pixels; ``size`` is the canvas (w, h).
    """

    to_canvas: Matrices
    size: tuple[int, int]
    view: tuple[int, int]
    """(w, h) of a frame."""
    moving: bool

    @classmethod
    def static(cls, frames: int, view: tuple[int, int]) -> Camera:
        """A camera on a tripod: the canvas is the frame."""
        return cls(np.tile(np.eye(3), (frames, 1, 1)), view, view, False)

    @classmethod
    def moving_over(cls, homographies: Matrices, view: tuple[int, int]) -> Camera:
        """A camera with one homography per frame to any common plane; the canvas is the box around all frames."""
        corners = np.array([[0, 0], [view[0] - 1, 0], [0, view[1] - 1], [view[0] - 1, view[1] - 1]], np.float64)
        points = np.concatenate([cv2.perspectiveTransform(corners[None], m)[0] for m in homographies])
        low, high = np.floor(points.min(0)), np.ceil(points.max(0))
        shift = np.array([[1, 0, -low[0]], [0, 1, -low[1]], [0, 0, 1.0]])
        size = (int(high[0] - low[0]) + 1, int(high[1] - low[1]) + 1)
        return cls(shift @ homographies, size, view, True)

    @property
    def plausible(self) -> bool:
        """False when the frames are spread over an absurdly large canvas."""
        return self.size[0] * self.size[1] <= MAX_CANVAS_PLATES * self.view[0] * self.view[1]

    def resized(self, view: tuple[int, int]) -> Camera:
        """The same camera for frames of another size (w, h)."""
        sx, sy = view[0] / self.view[0], view[1] / self.view[1]
        size = (max(1, round(self.size[0] * sx)), max(1, round(self.size[1] * sy))) if self.moving else view
        # Pixel centres lie at integers: scale about the picture's corner at (-0.5, -0.5).
        scale = np.array([[sx, 0, (sx - 1) / 2], [0, sy, (sy - 1) / 2], [0, 0, 1.0]])
        return Camera(scale @ self.to_canvas @ np.linalg.inv(scale), size, view, self.moving)

    def onto_canvas(self, picture: Floats, frame: int, top: int = 0, rows: int = 0, first: int = 0) -> Floats:
        """Lay a frame (H, W) or (H, W, C) on a band of the canvas (``rows`` from ``top``; 0: all), edges carried on.

        ``picture`` may be a part of the frame that begins at row ``first``, see ``rows_for``.
        """
        if not self.moving:
            return picture[top - first : top - first + rows] if rows else picture
        band = _down(-top) @ self.to_canvas[frame] @ _down(first)
        return _warp(picture, band, (self.size[0], rows or self.size[1]))

    def rows_for(self, frame: int, top: int, rows: int) -> tuple[int, int]:
        """The rows of a frame (first, and last plus one; at least one) that a band of the canvas is made of."""
        height = self.view[1]
        if not self.moving:
            return top, top + rows
        bottom, right = top + rows - 1, self.size[0] - 1
        corners = np.array([[0, top, 1], [right, top, 1], [0, bottom, 1], [right, bottom, 1]], np.float64)
        _, down, near = np.linalg.inv(self.to_canvas[frame]) @ corners.T
        if near.min() <= 0 < near.max():
            return 0, height
        there = down / near
        first = int(np.clip(np.floor(there.min()) - _LANCZOS_REACH, 0, height - 1))
        return first, int(np.clip(np.ceil(there.max()) + _LANCZOS_REACH + 1, first + 1, height))

    def covers(self, frame: int, top: int = 0, rows: int = 0) -> npt.NDArray[np.bool_]:
        """Which pixels of a canvas band the frame covers."""
        if not self.moving:
            return np.ones((rows or self.size[1], self.size[0]), np.bool_)
        inside = np.ones((self.view[1], self.view[0]), np.float32)
        band = (self.size[0], rows or self.size[1])
        return np.asarray(cv2.warpPerspective(inside, _down(-top) @ self.to_canvas[frame], band) > 0.5)

    def shown(self) -> npt.NDArray[np.bool_]:
        """Where on the canvas any frame lies, (h, w)."""
        found = self.covers(0)
        for index in range(1, len(self.to_canvas) if self.moving else 1):
            found |= self.covers(index)
        return found

    def from_canvas(self, canvas: Floats, frame: int) -> Floats:
        """What a frame sees of the canvas (h, w) or (h, w, C)."""
        if not self.moving:
            return canvas
        return _warp(canvas, np.linalg.inv(self.to_canvas[frame]), self.view)

    def between(self, source: int, target: int) -> Matrices:
        """(3, 3): pixels of one frame to pixels of another."""
        return np.asarray(np.linalg.inv(self.to_canvas[target]) @ self.to_canvas[source])


def _down(rows: int) -> Matrices:
    """Moves pixels down by so many rows."""
    return np.array([[1, 0, 0], [0, 1, rows], [0, 0, 1.0]])


def _warp(picture: Floats, matrix: Matrices, size: tuple[int, int]) -> Floats:
    return np.asarray(
        cv2.warpPerspective(picture, matrix, size, flags=cv2.INTER_LANCZOS4, borderMode=cv2.BORDER_REPLICATE),
        np.float32,
    )

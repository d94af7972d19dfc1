"""Finding the camera: how every frame lies on a common plane, people left out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from backend.core.camera import Matrices
from backend.core.color import Floats
from backend.core.side_by_side import in_order

Grey = npt.NDArray[np.uint8]

# A camera whose picture moves less than this over the whole clip (pixels of the plate) is on a tripod.
STATIC_PIXELS = 0.6
_GRID = (8, 5)
_CORNERS_PER_CELL = 25
_BODY_MARGIN = 9
# Forward-backward tracking error (pixels) above which a corner is lost.
_LOST = 0.7
_INLIER = 1.5
_LEAST_TRACKS = 12
# The homography is fitted again, so many times, to the tracks within so many times their usual distance from it, and
# at least so many pixels: what a walker or a reflection drags along lies within the wide reach of the first fit.
_REFITS, _NEAR_TIMES, _LEAST_NEAR = 4, 2.0, 0.1
# Tracks needed before eight parameters are trusted instead of four.
_TRACKS_FOR_HOMOGRAPHY = 80
# A new key frame begins when fewer corners than this share survive or the picture has moved by this share.
_LEAST_SURVIVORS = 0.35
_LARGEST_SHIFT = 0.3
# How far a homography's corners may lie from the similarity through the same tracks: a share of the width, and of
# the shift, since a turning camera bends the picture the more the further it turns.
_LARGEST_BEND = (0.02, 0.35)


@dataclass(frozen=True)
class Registration:
    """The camera as found.

    ``to_first`` (T, 3, 3) takes frame pixels to pixels of the first frame. ``agreement`` is the mean share of tracked
    corners that follow the model: near 1 for a rigid background, low where a homography does not fit.
    """

    to_first: Matrices
    agreement: float
    static: bool


def register(
    frame: Callable[[int], tuple[Floats, Floats]], count: int, tell: Callable[[float], None] = lambda done: None
) -> Registration:
    """Register all frames to the first.

    Corners are tracked from key frames rather than from frame to frame, so that errors add up only when the key
    frame changes.

    Args:
        frame: gives plate (H, W, 3) and the union of bodies (H, W) of a frame; asked for several at a time.
        count: number of frames.
        tell: told how much is done, 0..1.
    """
    frames = in_order(lambda index: _KeyFrame.of(*frame(index), to_first=np.eye(3)), count)
    key = next(frames)
    matrices, agreements = [np.eye(3)], []
    previous, guess = key, np.eye(3)
    for current in frames:
        tell(len(matrices) / count)
        step = _align(current, key, guess)
        if step is None or step.weak(key.grey.shape):
            # Start from the frame before: the motion between neighbours is small.
            key, guess = previous, np.eye(3)
            step = _align(current, key, guess) or (_Step(np.eye(3), 0.0, 0.0) if step is None else step)
        guess = step.matrix
        current.to_first = key.to_first @ step.matrix
        matrices.append(current.to_first)
        agreements.append(step.agreement)
        previous = current
    to_first = np.stack(matrices)
    static = bool(_largest_shift(to_first, key.grey.shape) < STATIC_PIXELS)
    return Registration(to_first, float(np.mean(agreements)) if agreements else 1.0, static)


@dataclass
class _KeyFrame:
    grey: Grey
    free: Grey
    corners: Floats
    to_first: Matrices

    @classmethod
    def of(cls, plate: Floats, bodies: Floats, to_first: Matrices) -> _KeyFrame:
        grey = cv2.cvtColor(np.round(np.clip(plate, 0, 1) * 255).astype(np.uint8), cv2.COLOR_RGB2GRAY)
        # Low-texture ground has corners too, once contrast is evened out.
        grey = cv2.createCLAHE(4.0, (8, 8)).apply(grey)
        covered = cv2.dilate((bodies > 0.02).astype(np.uint8), np.ones((_BODY_MARGIN, _BODY_MARGIN), np.uint8))
        grey, free = np.asarray(grey, np.uint8), np.asarray((1 - covered) * 255, np.uint8)
        return cls(grey, free, _corners(grey, free), to_first)


@dataclass(frozen=True)
class _Step:
    matrix: Matrices
    agreement: float
    survivors: float

    def weak(self, shape: tuple[int, ...]) -> bool:
        shift = _largest_shift(self.matrix[None], shape)
        return self.survivors < _LEAST_SURVIVORS or bool(shift > _LARGEST_SHIFT * shape[1])


def _align(current: _KeyFrame, key: _KeyFrame, guess: Matrices) -> _Step | None:
    """The homography from ``current`` to ``key``, or None when too little can be tracked."""
    corners = current.corners
    if len(corners) < _LEAST_TRACKS:
        return None
    start = cv2.perspectiveTransform(corners, guess).astype(np.float32)
    moved, ok = _track(current.grey, key.grey, corners, start)
    back, ok_back = _track(key.grey, current.grey, moved, corners.copy())
    good = ok & ok_back & (np.linalg.norm(back - corners, axis=2)[:, 0] < _LOST)
    good &= _inside(moved, key.free)
    if good.sum() < _LEAST_TRACKS:
        return None
    return _fit(corners[good], moved[good], float(good.mean()), current.grey.shape)


def _corners(grey: Grey, free: Grey) -> Floats:
    """Strong corners of every cell of a grid, so that one textured part does not speak for the whole picture."""
    height, width = grey.shape
    found = []
    for row in np.array_split(np.arange(height), min(height, _GRID[1])):
        for column in np.array_split(np.arange(width), min(width, _GRID[0])):
            cell = np.s_[row[0] : row[-1] + 1, column[0] : column[-1] + 1]
            points = cv2.goodFeaturesToTrack(grey[cell], _CORNERS_PER_CELL, 0.02, 5, mask=free[cell])
            if points is not None:
                found.append(points + np.array([column[0], row[0]], np.float32))
    return np.concatenate(found).astype(np.float32) if found else np.zeros((0, 1, 2), np.float32)


def _track(a: Grey, b: Grey, points: Floats, start: Floats) -> tuple[Floats, npt.NDArray[np.bool_]]:
    moved, status, _ = cv2.calcOpticalFlowPyrLK(
        a, b, points, start, winSize=(17, 17), maxLevel=3, flags=cv2.OPTFLOW_USE_INITIAL_FLOW
    )
    return np.asarray(moved, np.float32), np.asarray(status[:, 0] > 0)


def _inside(points: Floats, free: Grey) -> npt.NDArray[np.bool_]:
    x, y = np.round(points[:, 0]).astype(int).T
    inside = (x >= 0) & (y >= 0) & (x < free.shape[1]) & (y < free.shape[0])
    return np.asarray(inside & (free[np.clip(y, 0, free.shape[0] - 1), np.clip(x, 0, free.shape[1] - 1)] > 0))


def _fit(source: Floats, target: Floats, survivors: float, shape: tuple[int, ...]) -> _Step | None:
    similarity, inliers = cv2.estimateAffinePartial2D(
        source, target, method=cv2.RANSAC, ransacReprojThreshold=2 * _INLIER, maxIters=5000, confidence=0.999
    )
    if similarity is None:
        return None
    simple = np.vstack([similarity, [0, 0, 1]])
    matrix, agreed = simple, float(inliers.mean())
    if len(source) >= _TRACKS_FOR_HOMOGRAPHY:
        full, agreeing = cv2.findHomography(source, target, cv2.USAC_MAGSAC, _INLIER, maxIters=5000, confidence=0.999)
        allowed = _LARGEST_BEND[0] * shape[1] + _LARGEST_BEND[1] * _largest_shift(simple[None], shape)
        if full is not None and _bend(np.asarray(full, np.float64), simple, shape) < allowed:
            matrix, agreed = _refitted(np.asarray(full, np.float64), source, target), float(agreeing.mean())
    return _Step(np.asarray(matrix, np.float64), agreed, survivors)


def _refitted(matrix: Matrices, source: Floats, target: Floats) -> Matrices:
    """The homography by least squares through the tracks that lie nearest to it."""
    for _ in range(_REFITS):
        off = np.linalg.norm(cv2.perspectiveTransform(source, matrix) - target, axis=2)[:, 0]
        near = off < min(_INLIER, max(_LEAST_NEAR, _NEAR_TIMES * float(np.median(off[off < _INLIER]))))
        if near.sum() < _TRACKS_FOR_HOMOGRAPHY:
            break
        again, _ = cv2.findHomography(source[near], target[near], 0)
        if again is None:
            break
        matrix = np.asarray(again, np.float64)
    return matrix


def _frame_corners(shape: tuple[int, ...]) -> npt.NDArray[np.float64]:
    height, width = shape[:2]
    return np.array([[[0, 0], [width, 0], [0, height], [width, height]]], np.float64)


def _bend(full: Matrices, simple: Matrices, shape: tuple[int, ...]) -> float:
    corners = _frame_corners(shape)
    apart = cv2.perspectiveTransform(corners, full) - cv2.perspectiveTransform(corners, simple)
    return float(np.linalg.norm(apart, axis=2).max())


def _largest_shift(matrices: Matrices, shape: tuple[int, ...]) -> float:
    corners = _frame_corners(shape)
    return max(float(np.linalg.norm(cv2.perspectiveTransform(corners, m) - corners, axis=2).max()) for m in matrices)

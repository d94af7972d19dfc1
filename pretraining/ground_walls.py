"""Drawn walls: their materials, and doors, windows, posts, rails, leaves and letters on and before them."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from backend.core.color import Floats


def any_color(rng: np.random.Generator) -> Floats:
    """(3,), 0..1; often nearly grey."""
    grey = rng.uniform(0.04, 0.95)
    if rng.random() < 0.4:
        return np.asarray(np.clip(grey + rng.normal(0, 0.04, 3), 0, 1), np.float32)
    return np.asarray(np.clip(grey * rng.uniform(0.3, 1.3, 3), 0, 1), np.float32)


def _grain(rng: np.random.Generator, height: int, width: int) -> Floats:
    """Noise (height, width, 1) of all sizes, about 0: the more of the coarse, the softer; now and then drawn out."""
    total = np.zeros((height, width), np.float32)
    steep = rng.uniform(0.3, 1.1)
    drawn = rng.choice([1, 1, 1, 4, 8]) if rng.random() < 0.5 else 1
    along = int(rng.integers(2))
    for level in range(1, 8):
        cells = [max(2, height >> level), max(2, width >> level)]
        cells[along] = max(2, cells[along] // int(drawn))
        noise = rng.standard_normal((cells[0], cells[1]), np.float32) * 2.0 ** (steep * (level - 5))
        total += cv2.resize(noise, (width, height), interpolation=cv2.INTER_CUBIC)
    strength = rng.choice([0.01, 0.03, 0.08, 0.2])
    return np.asarray(strength * total / (total.std() + 1e-6), np.float32)[..., None]


def any_surface(rng: np.random.Generator, height: int, width: int) -> Floats:
    """One material, perhaps of bricks, boards, tiles, stripes or two colours that mix."""
    base = np.broadcast_to(any_color(rng), (height, width, 3)).copy()
    if rng.random() < 0.4:
        way = np.linspace(0, 1, height)[:, None] if rng.random() < 0.6 else np.linspace(0, 1, width)[None]
        base += (way[..., None] * rng.normal(0, 0.15) * np.ones((height, width, 1))).astype(np.float32)
    grain = _grain(rng, height, width)
    if rng.random() < 0.25:
        mixed = np.clip(0.5 + 3 * _grain(rng, height, width) / 0.08, 0, 1)
        base = base + mixed * (any_color(rng) - base)
    kind = rng.random()
    if kind < 0.35:
        base = _laid(rng, base)
    elif kind < 0.5:
        _stripes(rng, base)
    return np.asarray(base * (1 + grain), np.float32)


def _laid(rng: np.random.Generator, base: Floats) -> Floats:
    """Bricks, boards or tiles, with joints."""
    height, width = base.shape[:2]
    v, u = np.mgrid[:height, :width]
    tall, ratio = rng.uniform(10, 110), rng.choice([1.0, 1.0, 2.2, 4, 12])
    long = tall * ratio
    if rng.random() < 0.4:
        tall, long = long, tall
    gap = rng.uniform(1, 6)
    shift = rng.choice([0, 0.5, 0.5]) * (np.floor(v / tall) % 2)
    row, column = np.floor(v / tall), np.floor(u / long + shift)
    joint = ((v % tall) < gap) | (((u / long + shift) % 1) * long < gap)
    each = rng.normal(0, rng.choice([0, 0.05, 0.15]), 991)[(row * 37 + column * 11).astype(int) % 991]
    tint = any_color(rng)
    laid = base * (1 + each[..., None])
    return np.where(joint[..., None], laid + rng.uniform(0.2, 1) * (tint - laid), laid).astype(np.float32)


def _stripes(rng: np.random.Generator, base: Floats) -> None:
    length = base.shape[int(rng.integers(2))]
    axis = 0 if length == base.shape[0] else 1
    period, share = rng.uniform(8, 120), rng.uniform(0.1, 0.6)
    phase = (np.arange(base.shape[axis]) / period) % 1
    if rng.random() < 0.4:  # folds of a curtain, or a corrugated sheet
        wave = (0.5 + 0.5 * np.sin(2 * np.pi * phase))[(slice(None), None) if axis == 0 else (None, slice(None))]
        base *= (1 - rng.uniform(0.1, 0.6) * wave[..., None]).astype(np.float32)
    else:
        rows = (slice(None),) * axis + (phase < share,)
        base[rows] = any_color(rng)


def any_wall(rng: np.random.Generator, side: int) -> Floats:
    """(side, side, 3): one to three materials, and whatever is on them or stands before them."""
    wall = any_surface(rng, side, side)
    for start in np.sort(rng.uniform(0, side, int(rng.choice([0, 0, 1, 2])))).astype(int):
        wall[:, start:] = any_surface(rng, side, side)[:, start:]
    kinds: list[Callable[[np.random.Generator, Floats], None]] = [
        _panels, _windows, _posts, _rails, _posts, _rails, _bushes, _shapes, _crown, _lettering, _bands
    ]  # fmt: skip
    for _ in range(int(rng.integers(0, 6))):
        kinds[int(rng.integers(len(kinds)))](rng, wall)
    return wall


def box(picture: Floats, x0: float, y0: float, x1: float, y1: float, fill: Floats) -> None:
    """An upright rectangle of one colour (3,), or of a picture that is at least as large, drawn in place."""
    height, width = picture.shape[:2]
    rows, columns = slice(max(0, int(y0)), min(height, int(y1))), slice(max(0, int(x0)), min(width, int(x1)))
    if rows.start < rows.stop and columns.start < columns.stop:
        picture[rows, columns] = (
            fill if fill.ndim == 1 else fill[: rows.stop - rows.start, : columns.stop - columns.start]
        )


def any_filling(rng: np.random.Generator, height: float, width: float) -> Floats:
    """What ``box`` can be given: a colour, or a surface."""
    if rng.random() < 0.5:
        return any_color(rng)
    return any_surface(rng, max(8, int(height) + 2), max(8, int(width) + 2))


def _panels(rng: np.random.Generator, wall: Floats) -> None:
    """Signs, doors or cupboards side by side on one line, of any height."""
    side = wall.shape[0]
    foot, x = side * rng.uniform(0.4, 1.1), -side * rng.uniform(0, 0.3)
    typical, even = side * rng.uniform(0.05, 0.35), rng.random() < 0.3
    palette = [any_color(rng) for _ in range(int(rng.integers(2, 6)))]
    tall = side * rng.uniform(0.1, 0.6)
    while x < side:
        wide = typical * (1 if even else rng.uniform(0.4, 1.6))
        high = tall * (1 if even else rng.uniform(0.4, 1.4))
        fill = palette[int(rng.integers(len(palette)))]
        box(wall, x, foot - high, x + wide, foot, fill)
        if rng.random() < 0.3:
            edge = wide * rng.uniform(0.03, 0.15)
            box(wall, x + edge, foot - high + edge, x + wide - edge, foot - edge, any_filling(rng, high, wide))
        x += wide + (0 if rng.random() < 0.3 else typical * rng.uniform(0, 0.6))


def _windows(rng: np.random.Generator, wall: Floats) -> None:
    side = wall.shape[0]
    wide, high = side * rng.uniform(0.06, 0.35, 2)
    gap_x, gap_y = wide * rng.uniform(1.05, 2), high * rng.uniform(1.05, 2)
    frame, glass, thick = any_color(rng), any_filling(rng, high, wide), rng.uniform(1, 10)
    crossed = rng.random() < 0.5
    left, top = -rng.uniform(0, 1) * gap_x, rng.uniform(-0.3, 0.5) * side
    for row in range(int(rng.integers(1, 4))):
        for column in range(int(side / gap_x) + 2):
            x, y = left + column * gap_x, top + row * gap_y
            box(wall, x - thick, y - thick, x + wide + thick, y + high + thick, frame)
            box(wall, x, y, x + wide, y + high, glass)
            if crossed:
                box(wall, x + wide / 2 - thick / 2, y, x + wide / 2 + thick / 2, y + high, frame)
                box(wall, x, y + high * 0.45 - thick / 2, x + wide, y + high * 0.45 + thick / 2, frame)


def _posts(rng: np.random.Generator, wall: Floats) -> None:
    """Upright poles, evenly spaced or not, over part of the height, perhaps with a shadow beside them."""
    side = wall.shape[0]
    thick, color = rng.uniform(2, 22), any_color(rng)
    top, foot = (0, side) if rng.random() < 0.4 else np.sort(side * rng.uniform(-0.1, 1.1, 2))
    start, gap = side * rng.uniform(-0.2, 1), side * rng.uniform(0.03, 0.6)
    shaded, off = rng.random() < 0.4, rng.uniform(3, 30)
    round_ = rng.random() < 0.5
    for number in range(int(rng.integers(1, 14))):
        x = start + number * gap
        if shaded:
            rows, columns = slice(max(0, int(top + off)), max(0, int(foot))), slice(int(x + off), int(x + off + thick))
            if columns.start > 0:
                wall[rows, columns] *= 0.6
        if round_:
            shade = np.sin(np.linspace(0.3, 2.6, int(thick) + 1))[None, :, None] * color
            box(wall, x, top, x + thick, foot, np.tile(shade, (side, 1, 1)).astype(np.float32))
        else:
            box(wall, x, top, x + thick, foot, color)


def _rails(rng: np.random.Generator, wall: Floats) -> None:
    """Level bars, wires or boards through the whole picture."""
    side = wall.shape[0]
    thick, color = rng.uniform(1.5, 16), any_color(rng)
    start, gap = side * rng.uniform(0, 1), side * rng.uniform(0.02, 0.3)
    left, right = (0, side) if rng.random() < 0.6 else np.sort(side * rng.uniform(-0.1, 1.1, 2))
    shaded, off = rng.random() < 0.4, rng.uniform(3, 20)
    for number in range(int(rng.integers(1, 9))):
        y = start + number * gap
        if shaded and y + off > 0:
            wall[int(y + off) : int(y + off + thick), max(0, int(left)) : max(0, int(right))] *= 0.6
        box(wall, left, y, right, y + thick, color)


def _bands(rng: np.random.Generator, wall: Floats) -> None:
    """A lower part of the wall in another material, or a ledge."""
    side = wall.shape[0]
    top = side * rng.uniform(0, 1)
    box(wall, 0, top, side, top + side * rng.uniform(0.02, 0.6), any_filling(rng, side, side))


def _bushes(rng: np.random.Generator, wall: Floats) -> None:
    """Leaves: many small spots, thick where a soft blob is."""
    side = wall.shape[0]
    green = np.array([0.25, 0.45, 0.15]) * rng.uniform(0.4, 1.5) * rng.uniform(0.8, 1.2, 3)
    middle, size = side * rng.uniform(0, 1, 2), side * rng.uniform(0.1, 0.5)
    for _ in range(int(rng.integers(150, 700))):
        at = (middle + rng.normal(0, size, 2) * [1, 0.5]).astype(int)
        color = np.clip(green * rng.uniform(0.3, 1.6), 0, 1)
        axes = rng.integers(2, 14, 2)
        cv2.ellipse(wall, at.tolist(), axes.tolist(), float(rng.uniform(0, 180)), 0, 360, color.tolist(), -1)


def _crown(rng: np.random.Generator, wall: Floats) -> None:
    """A trunk or pipe that is not quite upright, with branches."""
    side = wall.shape[0]
    color = np.clip(np.array([0.4, 0.3, 0.2]) * rng.uniform(0.2, 1.6), 0, 1).tolist()
    foot = np.array([side * rng.uniform(0, 1), side * rng.uniform(0.5, 1.1)])
    top = foot + side * np.array([rng.normal(0, 0.1), -rng.uniform(0.3, 1)])
    cv2.line(wall, foot.astype(int).tolist(), top.astype(int).tolist(), color, int(rng.integers(3, 40)), cv2.LINE_AA)
    for _ in range(int(rng.integers(0, 6))):
        start = foot + rng.uniform(0.3, 1) * (top - foot)
        end = start + rng.normal(0, 0.25, 2) * side
        cv2.line(
            wall, start.astype(int).tolist(), end.astype(int).tolist(), color, int(rng.integers(1, 10)), cv2.LINE_AA
        )


def _shapes(rng: np.random.Generator, wall: Floats) -> None:
    """Anything: ellipses and polygons, small or large."""
    side = wall.shape[0]
    for _ in range(int(rng.integers(1, 12))):
        middle, size = rng.uniform(0, side, 2), side * rng.uniform(0.02, 0.3)
        corners = (middle + rng.normal(0, size, (int(rng.integers(3, 7)), 2))).astype(np.int32)
        if rng.random() < 0.5:
            cv2.fillPoly(wall, [corners], any_color(rng).tolist(), cv2.LINE_AA)
        else:
            axes = np.maximum(1, rng.uniform(0.2, 1, 2) * size).astype(int).tolist()
            cv2.ellipse(
                wall, middle.astype(int).tolist(), axes, float(rng.uniform(0, 180)), 0, 360, any_color(rng).tolist(), -1
            )


def _lettering(rng: np.random.Generator, wall: Floats) -> None:
    """Lines of letters, as on signs."""
    side = wall.shape[0]
    size, y = rng.uniform(0.6, 4), side * rng.uniform(0.1, 0.8)
    for _ in range(int(rng.integers(1, 4))):
        text = "".join(chr(int(c)) for c in rng.integers(65, 91, int(rng.integers(3, 16))))
        at = (int(side * rng.uniform(-0.2, 0.7)), int(y))
        cv2.putText(
            wall, text, at, int(rng.integers(0, 8)), size, any_color(rng).tolist(), int(rng.integers(1, 9)), cv2.LINE_AA
        )
        y += 40 * size

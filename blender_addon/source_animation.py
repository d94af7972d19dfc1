"""Animation of the source strip (a pan, a fade), carried over to the meta strip around its layers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from .compat import Scene, Strip, copy_curve, curves_of

LOOK = ("blend_alpha", "color_multiply", "color_saturation", "use_flip_x", "use_flip_y", "transform.", "crop.")
"""What counts as a look; the time of a strip (its speed, its start) is in the rendered frames already."""
MODIFIERS = "modifiers["

Change = Callable[[float], float]


@dataclass(frozen=True)
class Fit:
    """How numbers of the source strip become those of the meta strip, whose picture is the whole render."""

    inside: float
    """Scale of the layers inside the meta strip."""
    size: tuple[int, int]
    canvas: tuple[int, int]
    margins: dict[str, float] = field(default_factory=dict)
    """By how many pixels the crop of an edge begins further out."""


def is_animated(scene: Scene, strip: Strip) -> bool:
    """True when keys or cycles change how the strip looks."""
    return any(True for _ in _look_curves(scene, strip))


def give_animation(scene: Scene, source: Strip, meta: Strip, fit: Fit) -> None:
    """Let a meta strip move, fade and change as the source strip does, which keeps its own animation."""
    # Copies are added to what is walked through, so the list is made first.
    for curve, name in list(_look_curves(scene, source)):
        change = _change(name, curve.array_index, fit)
        copy_curve(scene, curve, f"{meta.path_from_id()}.{name}", change)


def _look_curves(scene: Scene, strip: Strip) -> Iterator[tuple[Any, str]]:
    """Each F-curve of the look with the name of the property, as seen from the strip."""
    prefix = f"{strip.path_from_id()}."
    for curve in curves_of(scene):
        name = curve.data_path.removeprefix(prefix)
        if name != curve.data_path and name.startswith((*LOOK, MODIFIERS)):
            yield curve, name


def _change(name: str, index: int, fit: Fit) -> Change:
    if name.startswith("transform.scale"):
        return lambda value: value / fit.inside
    if name == "transform.origin":
        ratio = fit.size[index] * fit.inside / fit.canvas[index]
        return lambda value: 0.5 + (value - 0.5) * ratio
    if name.startswith("crop."):
        margin = fit.margins[name.removeprefix("crop.")]
        return lambda value: max(0.0, margin + value * fit.inside)
    return lambda value: value

"""What an artist did to the source strip (moved, cropped, graded), carried over to the layers as a whole."""

from __future__ import annotations

from .compat import Scene, Strip
from .source_animation import Fit, give_animation, is_animated

_TRANSFORM = {"offset_x": 0.0, "offset_y": 0.0, "scale_x": 1.0, "scale_y": 1.0, "rotation": 0.0}
_PLAIN = {"use_flip_x": False, "use_flip_y": False, "color_multiply": 1.0, "color_saturation": 1.0, "blend_alpha": 1.0}
_CROP = ("min_x", "max_x", "min_y", "max_y")
# The source may replace all below it or lie over it; opaque as it is, both look the same.
_USUAL_BLENDS = ("REPLACE", "ALPHA_OVER", "CROSS")


def has_look(scene: Scene, strip: Strip) -> bool:
    """True when the strip is not shown just as it is, now or on another frame."""
    changed = any(round(getattr(strip.transform, name) - usual, 6) for name, usual in _TRANSFORM.items())
    changed |= any(getattr(strip.crop, name) for name in _CROP)
    changed |= any(getattr(strip, name) != usual for name, usual in _PLAIN.items())
    changed |= strip.blend_type not in _USUAL_BLENDS or bool(strip.modifiers)
    return bool(changed) or is_animated(scene, strip)


def canvas_size(scene: Scene) -> tuple[int, int]:
    """Width and height of the render at 100 percent."""
    return scene.render.resolution_x, scene.render.resolution_y


def scale_inside(scene: Scene, source: Strip, size: tuple[int, int], canvas: tuple[int, int]) -> float:
    """By how much pictures larger than the render shrink before they are put together.

    A meta strip is no larger than the render, and what is moved into view later must not have been cut off by then.

    Args:
        size: width and height of the source's pictures.
        canvas: width and height of the render.
    """
    fit = min(1.0, canvas[0] / size[0], canvas[1] / size[1])
    transform = source.transform
    moved = transform.offset_x or transform.offset_y or transform.rotation or transform.scale_x != transform.scale_y
    moved = moved or is_animated(scene, source)
    return fit if moved or fit == 1.0 else max(fit, min(1.0, transform.scale_x))


def give_look(scene: Scene, source: Strip, meta: Strip, size: tuple[int, int]) -> None:
    """Let a meta strip that holds pictures of this size, unmoved, look as the source strip does."""
    canvas = canvas_size(scene)
    inside = scale_inside(scene, source, size, canvas)
    for name in _TRANSFORM:
        setattr(meta.transform, name, getattr(source.transform, name))
    meta.transform.scale_x /= inside
    meta.transform.scale_y /= inside
    meta.transform.filter = source.transform.filter
    # The pivot is given as a share of the picture, and the meta strip's picture is the whole render.
    meta.transform.origin = [
        0.5 + (share - 0.5) * length * inside / whole
        for share, length, whole in zip(source.transform.origin, size, canvas, strict=True)
    ]
    margins = _crop_margins(size, canvas, inside)
    for name, margin in margins.items():
        cropped = getattr(source.crop, name)
        if cropped:
            setattr(meta.crop, name, max(0, round(margin + cropped * inside)))
    for name in _PLAIN:
        setattr(meta, name, getattr(source, name))
    meta.blend_type = source.blend_type if source.blend_type not in _USUAL_BLENDS else "ALPHA_OVER"


def give_motion(scene: Scene, source: Strip, meta: Strip, size: tuple[int, int]) -> None:
    """Let a meta strip that was given a look keep it while the source strip's animation runs."""
    canvas = canvas_size(scene)
    inside = scale_inside(scene, source, size, canvas)
    give_animation(scene, source, meta, Fit(inside, size, canvas, _crop_margins(size, canvas, inside)))


def _crop_margins(size: tuple[int, int], canvas: tuple[int, int], inside: float) -> dict[str, float]:
    """By how many pixels each edge of the picture lies inside the render."""
    across, up = ((canvas[axis] - size[axis] * inside) / 2 for axis in (0, 1))
    return {"min_x": across, "max_x": across, "min_y": up, "max_y": up}

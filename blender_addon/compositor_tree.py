"""The layers as compositor nodes that show what the strips show: same times, same order, added up in display space."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import bpy

from .compat import Scene, Strip, assign_compositor, curves_of, over_inputs, set_premul
from .layer_loading import COLOR_SPACE, SEQUENCER_SPACE
from .strips import ROLE, files_of, layer_strips, seen_frames, source_frames

ALWAYS = 1_000_000
"""Longer than any sequence; a node that is on from its first frame on counts like the timeline."""
WIDTH, HEIGHT = 260, 220
"""Distance of two nodes."""


def build_tree(scene: Scene, shot: str, name: str) -> bool:
    """Make a node group of a shot's strips as they are now; True when the scene's compositor uses it already.

    Each strip is one image node with its time as keys; what the strips become later, the nodes do not follow.
    """
    group = bpy.data.node_groups.new(f"{name} Layers", "CompositorNodeTree")
    group.interface.new_socket(name="Image", in_out="OUTPUT", socket_type="NodeSocketColor")
    picture = None
    for row, strip in enumerate(strip for strip in layer_strips(scene, shot) if not strip.mute):
        layer = _to_display(group, _image(group, strip, row), row)
        if picture is None:
            picture = layer
        elif strip[ROLE] == "residual":
            picture = _add(group, picture, layer, row)
        else:
            picture = _over(group, picture, layer, strip, row)
    if picture is not None:
        out = _placed(group.nodes.new("NodeGroupOutput"), 7, 0)
        group.links.new(_linear(group, picture), out.inputs["Image"])
    for point in (point for curve in curves_of(group) for point in curve.keyframe_points):
        # Pictures jump, and who is seen at all does not fade.
        point.interpolation = "CONSTANT"
    return assign_compositor(scene, group)


def _image(group: Any, strip: Strip, row: int) -> Any:
    """An image node whose file is, on every frame, the one that the strip shows."""
    node = _placed(group.nodes.new("CompositorNodeImage"), 0, row)
    node.label = node.name = strip.name
    folder = Path(bpy.path.abspath(strip.directory))
    files = files_of(strip)
    node.image = _sequence(folder / files[0], strip.name)
    node.frame_duration, node.frame_start, node.use_auto_refresh = ALWAYS, 1, True
    # The node shows the file of the timeline's frame number, so the key is what the strip's own number differs by.
    frames = seen_frames(strip)
    numbers = [int(Path(files[source]).stem) for source in source_frames(strip, frames)]
    offsets = [number - max(1, frame) for number, frame in zip(numbers, frames, strict=True)]
    _key(node, "frame_offset", frames, offsets)
    return node.outputs["Image"]


def _sequence(file: Path, name: str) -> Any:
    image = bpy.data.images.load(str(file))
    image.name, image.source = name, "SEQUENCE"
    image.colorspace_settings.name, image.alpha_mode = COLOR_SPACE, "PREMUL"
    return image


def _key(owner: Any, path: str, frames: Sequence[int], values: Sequence[float]) -> None:
    """Keys where the value changes."""
    before = None
    for frame, value in zip(frames, values, strict=True):
        if value != before:
            setattr(owner, path, value)
            owner.keyframe_insert(path, frame=frame)
        before = value


def _to_display(group: Any, socket: Any, row: int) -> Any:
    """Premultiplied and linear, as in the file, to premultiplied display values, in which layers add up."""
    socket = _through(group, "CompositorNodePremulKey", socket, 1, row, straight=True)
    socket = _converted(group, socket, COLOR_SPACE, SEQUENCER_SPACE, 2, row)
    return _through(group, "CompositorNodePremulKey", socket, 3, row, straight=False)


def _linear(group: Any, socket: Any) -> Any:
    return _converted(group, socket, SEQUENCER_SPACE, COLOR_SPACE, 6, 0)


def _through(group: Any, kind: str, socket: Any, column: int, row: int, straight: bool) -> Any:
    node = _placed(group.nodes.new(kind), column, row)
    set_premul(node, straight)
    group.links.new(socket, node.inputs["Image"])
    return node.outputs["Image"]


def _converted(group: Any, socket: Any, before: str, after: str, column: int, row: int) -> Any:
    node = _placed(group.nodes.new("CompositorNodeConvertColorSpace"), column, row)
    node.from_color_space, node.to_color_space = before, after
    group.links.new(socket, node.inputs["Image"])
    return node.outputs["Image"]


def _over(group: Any, below: Any, above: Any, strip: Strip, row: int) -> Any:
    """Alpha over that is switched off where the strip is not seen."""
    node = _placed(group.nodes.new("CompositorNodeAlphaOver"), 4, row)
    background, foreground, factor = over_inputs(node)
    group.links.new(below, background)
    group.links.new(above, foreground)
    frames = seen_frames(strip)
    _key(factor, "default_value", (frames.start - 1, frames.start, frames.stop), (0.0, 1.0, 0.0))
    return node.outputs["Image"]


def _add(group: Any, below: Any, above: Any, row: int) -> Any:
    node = _placed(group.nodes.new("ShaderNodeMix"), 5, row)
    node.data_type, node.blend_type = "RGBA", "ADD"
    sockets = {socket.identifier: socket for socket in node.inputs}
    sockets["Factor_Float"].default_value = 1.0
    group.links.new(below, sockets["A_Color"])
    group.links.new(above, sockets["B_Color"])
    return next(socket for socket in node.outputs if socket.identifier == "Result_Color")


def _placed(node: Any, column: int, row: int) -> Any:
    node.location = (column * WIDTH, -row * HEIGHT)
    return node

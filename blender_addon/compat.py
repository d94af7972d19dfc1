"""Where the supported versions of Blender differ: one function for each difference."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from typing import Any

import bpy

Strip = bpy.types.Strip
Scene = bpy.types.Scene

BLENDER = bpy.app.version_string
BEFORE_5_2 = bpy.app.version < (5, 2, 0)


def sequencer_scene(context: bpy.types.Context) -> Scene:
    """The scene whose edit is shown: since 5.0 it may differ from the window's scene."""
    workspace = getattr(context, "workspace", None)
    return getattr(context, "sequencer_scene", None) or getattr(workspace, "sequencer_scene", None) or context.scene


def scene_override(scene: Scene) -> dict[str, Any]:
    """What a context override needs so that the sequencer's operators work on this scene."""
    if bpy.app.version >= (5, 0, 0):
        return {"scene": scene, "sequencer_scene": scene}
    return {"scene": scene}


def shown_scenes(manager: bpy.types.WindowManager) -> list[Scene]:
    """The scenes whose edits are shown in some window."""
    scenes = [getattr(window.workspace, "sequencer_scene", None) or window.scene for window in manager.windows]
    return list({scene.name: scene for scene in scenes if scene}.values())


def movie_options() -> dict[str, bool]:
    """What lets a new movie strip begin at the playhead, where Blender would else hang it on the mouse."""
    known = bpy.ops.sequencer.movie_strip_add.get_rna_type().properties
    return {"move_strips": False} if "move_strips" in known else {}


def color_icon(number: int) -> str:
    """The icon of a strip color by its number; 0 is no color."""
    if not number:
        return "STRIP_COLOR_09" if bpy.app.version >= (5, 0, 0) else "SEQUENCE_COLOR_09"
    return f"{'STRIP' if bpy.app.version >= (5, 0, 0) else 'SEQUENCE'}_COLOR_{number:02d}"


def turn_off_raw_cache(scene: Scene) -> bool:
    """Switch off the cache that shows wrong frames of retimed strips since 5.0; True if it was on."""
    editor = scene.sequence_editor
    if bpy.app.version < (5, 0, 0) or not editor.use_cache_raw:
        return False
    editor.use_cache_raw = False
    return True


def content_start(strip: Strip) -> int:
    """The timeline frame of the strip's first source frame, trimmed or not."""
    return int(strip.frame_start if BEFORE_5_2 else strip.content_start)


def set_content_start(strip: Strip, frame: int) -> None:
    """Move the whole strip so that its first source frame lies at this frame."""
    setattr(strip, "frame_start" if BEFORE_5_2 else "content_start", frame)


def content_end(strip: Strip) -> int:
    """The timeline frame after the strip's last source frame, trimmed or not."""
    return right_handle(strip) + int(strip.frame_offset_end if BEFORE_5_2 else strip.right_handle_offset)


def left_handle(strip: Strip) -> int:
    """The first timeline frame on which the strip is seen."""
    return int(strip.frame_final_start if BEFORE_5_2 else strip.left_handle)


def right_handle(strip: Strip) -> int:
    """The timeline frame after the last one on which the strip is seen."""
    return int(strip.frame_final_end if BEFORE_5_2 else strip.right_handle)


def set_handles(strip: Strip, left: int, right: int) -> None:
    """Show the strip from left up to, not including, right; outside its content the nearest frame is held."""
    names = ("frame_final_start", "frame_final_end") if BEFORE_5_2 else ("left_handle", "right_handle")
    # A handle stops at the other one, so the one that gives way goes first.
    steps = [(names[0], left), (names[1], right)]
    if left >= right_handle(strip):
        steps.reverse()
    for name, frame in steps:
        setattr(strip, name, frame)


def content_skipped(strip: Strip) -> int:
    """How many source frames at the head of the file the strip leaves out for good."""
    return int(strip.animation_offset_start if BEFORE_5_2 else strip.content_trim_start)


def content_skipped_at_end(strip: Strip) -> int:
    """How many source frames at the tail of the file the strip leaves out for good."""
    return int(strip.animation_offset_end if BEFORE_5_2 else strip.content_trim_end)


def content_length(strip: Strip) -> int:
    """How many source frames the strip has, those that a trim hides included."""
    return int(strip.frame_duration if BEFORE_5_2 else strip.content_duration)


def curves_of(owner: bpy.types.ID) -> Iterable[Any]:
    """The F-curves of a scene (its strips' among them) or of nodes; since 5.0 they lie in bags, one for each user."""
    data = owner.animation_data
    if data is None or data.action is None:
        return ()
    if hasattr(data.action, "fcurves"):
        return data.action.fcurves
    bag = _bag(data)
    return bag.fcurves if bag else ()


def remove_curves(owner: bpy.types.ID, paths: Collection[str]) -> None:
    """Take away the F-curves of these properties."""
    curves: Any = curves_of(owner)
    for curve in [curve for curve in curves if curve.data_path in paths]:
        curves.remove(curve)


def copy_curve(scene: Scene, curve: Any, path: str, change: Callable[[float], float]) -> None:
    """Add a copy of an F-curve of a scene for another property, with every value changed."""
    curves: Any = curves_of(scene)
    if hasattr(curves, "new_from_fcurve"):
        copy = curves.new_from_fcurve(curve, data_path=path)
    else:
        copy = curves.new(path, index=curve.array_index)
        _copy_points(curve, copy)
    for point in copy.keyframe_points:
        for part in (point.co, point.handle_left, point.handle_right):
            part[1] = change(part[1])
    copy.update()


def _bag(data: Any) -> Any:
    bags = (strip.channelbag(data.action_slot) for layer in data.action.layers for strip in layer.strips)
    return next((bag for bag in bags if bag), None)


def _copy_points(curve: Any, copy: Any) -> None:
    copy.extrapolation = curve.extrapolation
    copy.keyframe_points.add(len(curve.keyframe_points))
    names = ("handle_left_type", "handle_right_type", "interpolation", "easing", "amplitude", "back", "period")
    for old, new in zip(curve.keyframe_points, copy.keyframe_points, strict=True):
        for name in (*names, "co", "handle_left", "handle_right"):
            setattr(new, name, getattr(old, name))
    for modifier in curve.modifiers:
        _copy_fields(modifier, copy.modifiers.new(modifier.type))


def _copy_fields(old: Any, new: Any) -> None:
    for prop in old.bl_rna.properties:
        if not prop.is_readonly and prop.identifier != "name":
            setattr(new, prop.identifier, getattr(old, prop.identifier))


def over_inputs(node: Any) -> tuple[Any, Any, Any]:
    """Background, foreground and factor of an Alpha Over node."""
    if "Background" in node.inputs:
        return node.inputs["Background"], node.inputs["Foreground"], node.inputs["Factor"]
    return node.inputs[1], node.inputs[2], node.inputs[0]


def set_premul(node: Any, straight: bool) -> None:
    """Let a node turn premultiplied color into straight color, or back."""
    if hasattr(node, "mapping"):
        node.mapping = "PREMUL_TO_STRAIGHT" if straight else "STRAIGHT_TO_PREMUL"
    else:
        node.inputs["Type"].default_value = "To Straight" if straight else "To Premultiplied"


def assign_compositor(scene: Scene, group: Any) -> bool:
    """Let an unused compositor show a node group; False where the artist has nodes there, which are left alone."""
    if hasattr(scene, "compositing_node_group"):
        if scene.compositing_node_group is None:
            scene.compositing_node_group = group
        return scene.compositing_node_group == group
    if scene.use_nodes and scene.node_tree and len(scene.node_tree.nodes) > 2:
        return False
    scene.use_nodes = True
    tree = scene.node_tree
    tree.nodes.clear()
    node, out = tree.nodes.new("CompositorNodeGroup"), tree.nodes.new("CompositorNodeComposite")
    node.node_tree, out.location = group, (300, 0)
    tree.links.new(node.outputs[0], out.inputs[0])
    return True

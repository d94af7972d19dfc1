"""Bringing finished layers into the sequencer."""

from __future__ import annotations

from pathlib import Path

import bpy
from bpy.props import EnumProperty, IntProperty, StringProperty

from ..channels import NoFreeChannel
from ..compat import Scene, Strip, sequencer_scene
from ..compositor_tree import build_tree
from ..layer_loading import SEQUENCER_SPACE, color_space_problem, load
from ..layer_set_file import LayerSetProblem, read_layer_set
from ..lost_layers import find_again, lost_strips
from ..people_list import refresh
from ..poll_reasons import allowed, why_no_layers
from ..proxies import build_proxies
from ..strips import SHOT, shots


class RETIME_PEOPLE_OT_load_layers(bpy.types.Operator):
    """Load a finished layer set as one strip per layer, in place of the active strip"""

    bl_idname = "retime_people.load_layers"
    bl_label = "Load Layers"
    bl_options = {"REGISTER", "UNDO"}  # noqa: RUF012

    filepath: StringProperty(
        name="Layer Set", description="The layers.json of a finished layer set", subtype="FILE_PATH"
    )
    channel: IntProperty(
        name="Channel",
        description="Lowest channel to use; zero means the one above the source strip",
        default=0,
        min=0,
        max=128,
    )
    source: StringProperty(
        name="Source Strip",
        description="Strip that was decomposed; it is muted. Empty means the active strip",
    )
    filter_glob: StringProperty(default="layers.json", options={"HIDDEN"})

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Ask for the file."""
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Load, and say what the artist should know."""
        scene = sequencer_scene(context)
        try:
            layer_set = read_layer_set(Path(bpy.path.abspath(self.filepath)))
            warnings = load(context, scene, layer_set, _source(scene, self.source), self.channel)
        except (LayerSetProblem, NoFreeChannel) as problem:
            self.report({"ERROR"}, f"{problem}.")
            return {"CANCELLED"}
        refresh(scene)
        if self.source and self.source not in scene.sequence_editor.strips:
            warnings.append(f"There is no strip {self.source} any more; the layers begin where the scene begins")
        for warning in warnings:
            self.report({"WARNING"}, f"{warning}.")
        self.report({"INFO"}, f"Loaded {', '.join(layer.name for layer in layer_set.layers)}.")
        return {"FINISHED"}


class RETIME_PEOPLE_OT_find_layers(bpy.types.Operator):
    """Choose the layers.json of layers that were moved; the strips keep all else, such as their retiming keys"""

    bl_idname = "retime_people.find_layers"
    bl_label = "Find Moved Layers"
    bl_options = {"REGISTER", "UNDO"}  # noqa: RUF012

    filepath: StringProperty(
        name="Layer Set", description="The layers.json beside the folders of the layers", subtype="FILE_PATH"
    )
    filter_glob: StringProperty(default="layers.json", options={"HIDDEN"})

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Only where layers are missing."""
        scene = sequencer_scene(context)
        return allowed(cls, "" if scene and lost_strips(scene) else "No layer was missing when the file was opened")

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Ask for the file."""
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Let the strips show what is there."""
        scene = sequencer_scene(context)
        folder = Path(bpy.path.abspath(self.filepath)).absolute().parent
        before = len(lost_strips(scene))
        lost = find_again(scene, folder)
        if len(lost) == before:
            self.report(
                {"ERROR"}, f"{folder} has no pictures of {', '.join(lost)}; choose the layers.json beside them."
            )
            return {"CANCELLED"}
        if lost:
            self.report({"WARNING"}, f"{folder} has no pictures of {', '.join(lost)}.")
        return {"FINISHED"}


class RETIME_PEOPLE_OT_use_srgb_sequencer(bpy.types.Operator):
    """Let the sequencer work in sRGB, the space in which the layers add up to the plate"""

    bl_idname = "retime_people.use_srgb_sequencer"
    bl_label = "Use sRGB in Sequencer"
    bl_options = {"REGISTER", "UNDO"}  # noqa: RUF012

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Only where something else is set."""
        if color_space_problem(sequencer_scene(context)):
            return True
        cls.poll_message_set("The sequencer works in sRGB already")
        return False

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Set it."""
        sequencer_scene(context).sequencer_colorspace_settings.name = SEQUENCER_SPACE
        return {"FINISHED"}


class RETIME_PEOPLE_OT_build_compositor(bpy.types.Operator):
    """Make compositor nodes that show what the strips of a shot show now, for effects between the layers"""

    bl_idname = "retime_people.build_compositor"
    bl_label = "Build Compositor Nodes"
    bl_options = {"REGISTER", "UNDO"}  # noqa: RUF012

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Only where layers are loaded."""
        return allowed(cls, why_no_layers(context))

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Build the nodes of the shot whose strip is active, else of the one that was loaded last."""
        scene = sequencer_scene(context)
        active = scene.sequence_editor.active_strip
        shot = (active.get(SHOT) if active else None) or shots(scene)[-1]
        if build_tree(scene, shot, scene.name):
            self.report({"INFO"}, "The scene's compositor shows the layers; turn the sequencer off to render it.")
        else:
            self.report({"WARNING"}, "The compositor is in use; add the new node group there yourself.")
        return {"FINISHED"}


class RETIME_PEOPLE_OT_build_proxies(bpy.types.Operator):
    """Make small copies of all layers, so that they play smoothly; what is rendered stays as it is"""

    bl_idname = "retime_people.build_proxies"
    bl_label = "Build Proxies"
    bl_options = {"REGISTER", "UNDO"}  # noqa: RUF012

    size: EnumProperty(
        name="Size",
        description="How large the copies are, and what the preview shows from now on",
        items=(
            ("25", "25%", "A quarter of the width, for large clips and slow computers"),
            ("50", "50%", "Half of the width"),
        ),
        default="50",
    )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Only where layers are loaded."""
        return allowed(cls, why_no_layers(context))

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Build them, in a window as a job of Blender's own with its bar in the status line."""
        scene = sequencer_scene(context)
        build_proxies(context, scene, int(self.size))
        self.report({"INFO"}, f"The preview shows the layers at {self.size}%; Render shows them in full.")
        return {"FINISHED"}


def _source(scene: Scene, name: str) -> Strip | None:
    """The strip of that name, else the active strip if it shows pictures that are not ours."""
    editor = scene.sequence_editor
    if editor is None:
        return None
    strip = editor.strips.get(name) if name else editor.active_strip
    shows_pictures = strip is not None and strip.type in {"MOVIE", "IMAGE", "SCENE", "MOVIECLIP", "META"}
    return strip if shows_pictures and not strip.get(SHOT) and strip.name in editor.strips else None


classes = (
    RETIME_PEOPLE_OT_load_layers,
    RETIME_PEOPLE_OT_find_layers,
    RETIME_PEOPLE_OT_build_compositor,
    RETIME_PEOPLE_OT_build_proxies,
    RETIME_PEOPLE_OT_use_srgb_sequencer,
)

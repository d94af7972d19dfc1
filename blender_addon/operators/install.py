"""Installing a backend of the add-on's own, mending and removing it, and what to tell where that fails."""

from __future__ import annotations

from pathlib import Path

import bpy

from ..backend_install import (
    SIZES,
    InstallPlan,
    InstallProblem,
    InstallState,
    build_of,
    card_left_out,
    free_gigabytes,
    plan_of,
)
from ..diagnostics import diagnostics
from ..poll_reasons import allowed, why_not_cancel_install, why_not_install, why_not_remove
from ..preferences import bundled_folder, preference
from ..pump import session
from ..session import Session
from ..text_lines import lines_of

DIALOG_WIDTH, TEXT_WIDTH = 420, 380
BUILDS = {
    "cpu": "for the processor",
    "cuda": "for NVIDIA graphics cards",
    "mps": "for this Mac",
    "custom": "from the package index set in the preferences",
}


class RETIME_PEOPLE_OT_install_backend(bpy.types.Operator):
    """Install the program that computes the layers, in a folder of this add-on; what is there is replaced"""

    bl_idname = "retime_people.install_backend"
    bl_label = "Install Backend"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """One at a time."""
        return allowed(cls, why_not_install(context))

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Say how much it is before anything is fetched."""
        return context.window_manager.invoke_props_dialog(self, width=DIALOG_WIDTH, confirm_text="Install")

    def draw(self, context: bpy.types.Context) -> None:
        """Draw what is going to happen."""
        column = self.layout.column(align=True)
        for paragraph in _told(preference(context, "install_index"), session().installer.folder):
            for line in lines_of(paragraph, TEXT_WIDTH, context.preferences):
                column.label(text=line, translate=False)
            column.separator()

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Begin; without a window stay until it is over."""
        current = session()
        try:
            plan = _plan(context)
        except InstallProblem as problem:
            self.report({"ERROR"}, f"{problem}.")
            return {"CANCELLED"}
        if not bpy.app.background:
            # The backend may take seconds to end, for which the window must not wait.
            current.board.order(current.backend.close, lambda _: current.installer.start(plan), _ignore)
            return {"FINISHED"}
        current.backend.close()
        current.installer.start(plan)
        if current.installer.wait() is InstallState.INSTALLED:
            return {"FINISHED"}
        self.report({"ERROR"}, current.installer.message)
        return {"CANCELLED"}


class RETIME_PEOPLE_OT_cancel_install(bpy.types.Operator):
    """Stop installing the backend; nothing of it is kept"""

    bl_idname = "retime_people.cancel_install"
    bl_label = "Cancel Installation"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Only while it runs."""
        return allowed(cls, why_not_cancel_install(context))

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Cancel it."""
        session().installer.cancel()
        return {"FINISHED"}


class RETIME_PEOPLE_OT_remove_backend(bpy.types.Operator):
    """Stop the backend that this add-on has installed and delete it; layers and jobs stay"""

    bl_idname = "retime_people.remove_backend"
    bl_label = "Remove Backend"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Only what is ours."""
        return allowed(cls, why_not_remove(context))

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Ask first."""
        return context.window_manager.invoke_confirm(self, event)

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Remove it."""
        current = session()
        if not bpy.app.background:
            current.board.order(lambda: _remove(current), _ignore, _ignore)
            return {"FINISHED"}
        _remove(current)
        if current.installer.state is InstallState.ABSENT:
            return {"FINISHED"}
        self.report({"ERROR"}, current.installer.message)
        return {"CANCELLED"}


class RETIME_PEOPLE_OT_copy_diagnostics(bpy.types.Operator):
    """Copy what a report of a fault has to tell: versions, states and the last lines of the logs, without names"""

    bl_idname = "retime_people.copy_diagnostics"
    bl_label = "Copy Diagnostics"

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Copy it."""
        context.window_manager.clipboard = diagnostics(context)
        self.report({"INFO"}, "The diagnostics are in the clipboard; paste them into your report.")
        return {"FINISHED"}


def _remove(current: Session) -> None:
    """Takes seconds; what keeps it from being done is told in the panel."""
    current.backend.close()
    try:
        current.installer.remove()
    except InstallProblem as problem:
        current.installer.message = f"{problem}."


def _ignore(_: object) -> None:
    """Nothing more is to be done."""


def _plan(context: bpy.types.Context) -> InstallPlan:
    plan = plan_of(bundled_folder(), preference(context, "install_index"), preference(context, "install_python"))
    if plan.online and not bpy.app.online_access:
        raise InstallProblem("Blender is set to work offline; allow online access in Preferences, System, Network")
    return plan


def _told(index: str, folder: Path) -> list[str]:
    build = build_of(index)
    size, free = SIZES[build], free_gigabytes(folder)
    told = [
        f"About {size:g} GB are fetched and kept on this disk, {BUILDS[build]}.",
        f"It goes to this add-on's own folder in Blender's user files, where {free:.0f} GB are free; nothing else on "
        "this computer is changed.",
        "Blender stays usable meanwhile, and Remove Backend deletes all of it.",
    ]
    card = card_left_out(index)
    if card:
        told.insert(
            1,
            f"The {card} graphics card of this computer is not used so. For it, first set Package Index in the "
            "preferences of this add-on to the address that PyTorch's installation page names for such cards.",
        )
    if free < 2 * size:
        told.insert(1, f"{2 * size:g} GB should be free while it is being installed.")
    return told


classes = (
    RETIME_PEOPLE_OT_install_backend,
    RETIME_PEOPLE_OT_cancel_install,
    RETIME_PEOPLE_OT_remove_backend,
    RETIME_PEOPLE_OT_copy_diagnostics,
)

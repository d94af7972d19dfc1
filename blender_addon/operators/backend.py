"""Starting and stopping the backend, and saying where it is."""

from __future__ import annotations

from pathlib import Path

import bpy
from bpy.props import StringProperty

from ..backend_process import BackendState
from ..poll_reasons import allowed, why_not_start, why_not_stop
from ..preferences import set_preference
from ..pump import session


class RETIME_PEOPLE_OT_start_backend(bpy.types.Operator):
    """Start the program that computes the layers, unless it runs already"""

    bl_idname = "retime_people.start_backend"
    bl_label = "Start Backend"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Only where it is known how to start it."""
        return allowed(cls, why_not_start(context))

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Start it; without a window wait until it listens."""
        current = session()
        if not bpy.app.background:
            current.board.order(current.backend.start, lambda _: None, lambda _: None)
            return {"FINISHED"}
        current.backend.start()
        status = current.backend.wait()
        if status.state is BackendState.RUNNING:
            return {"FINISHED"}
        self.report({"ERROR"}, status.sentence)
        return {"CANCELLED"}


class RETIME_PEOPLE_OT_stop_backend(bpy.types.Operator):
    """Stop the program that computes the layers; unfinished jobs go on after its next start"""

    bl_idname = "retime_people.stop_backend"
    bl_label = "Stop Backend"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Only while it runs."""
        return allowed(cls, why_not_stop(context))

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Stop it; without a window wait until it is gone."""
        current = session()
        if bpy.app.background:
            current.backend.stop()
        else:
            current.board.order(current.backend.stop, lambda _: None, lambda _: None)
        return {"FINISHED"}


class RETIME_PEOPLE_OT_attach_backend(bpy.types.Operator):
    """Use a backend that is on this computer already: choose the Python program of the environment that it is in"""

    bl_idname = "retime_people.attach_backend"
    bl_label = "Use Existing Backend"

    filepath: StringProperty(
        name="Backend Python",
        description="Python program of the environment that retime-people is installed in",
        subtype="FILE_PATH",
    )

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Ask for the program."""
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Remember it for all files."""
        # Not resolved: the Python of an environment is a link to another, which knows nothing of the environment.
        program = Path(bpy.path.abspath(self.filepath)).absolute()
        if not program.is_file():
            self.report({"ERROR"}, f"{program} is no program; choose the Python of the environment, as in bin/python")
            return {"CANCELLED"}
        set_preference(context, "backend_python", str(program))
        return {"FINISHED"}


classes = (RETIME_PEOPLE_OT_start_backend, RETIME_PEOPLE_OT_stop_backend, RETIME_PEOPLE_OT_attach_backend)

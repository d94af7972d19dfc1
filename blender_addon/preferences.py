"""Where the backend lives on this computer."""

from __future__ import annotations

import os
from pathlib import Path

import bpy
from bpy.props import StringProperty

from .backend_process import Launch

PYTHON_VARIABLE = "RETIME_PEOPLE_PYTHON"
"""Environment variable for scripts and tests; what is set in the preferences counts more."""


class RETIME_PEOPLE_AP_preferences(bpy.types.AddonPreferences):
    """What is set once per computer."""

    bl_idname = __package__

    backend_python: StringProperty(
        name="Backend Python",
        description="Python program of the environment that retime-people is installed in",
        subtype="FILE_PATH",
    )
    backend_folder: StringProperty(
        name="Backend Folder",
        description="Folder to start the backend in; needed only when it runs from its source code",
        subtype="DIR_PATH",
    )

    install_index: StringProperty(
        name="Package Index",
        description="Where else packages are looked for, for a graphics card that PyTorch has builds of its own for; "
        "a folder of packages installs without internet",
    )
    install_python: StringProperty(
        name="Python for Installing",
        description="Python 3.11, 3.12 or 3.13 to install the backend with; empty to look for one",
        subtype="FILE_PATH",
    )

    def draw(self, context: bpy.types.Context) -> None:
        """Draw where the backend is, and how it is installed."""
        column = self.layout.column()
        column.use_property_split = True
        column.label(text="Install a Backend for This Add-on")
        column.prop(self, "install_index")
        column.prop(self, "install_python")
        row = column.row(align=True)
        row.operator("retime_people.install_backend", icon="IMPORT")
        row.operator("retime_people.remove_backend", icon="TRASH")
        column.separator()
        column.label(text="Or Use an Existing Backend")
        column.prop(self, "backend_python")
        column.prop(self, "backend_folder")


def preference(context: bpy.types.Context, name: str) -> str:
    """One of the preferences; empty for an extension enabled from the command line, which has none."""
    addon = context.preferences.addons.get(__package__)
    return str(getattr(addon.preferences, name)) if addon and addon.preferences else ""


def set_preference(context: bpy.types.Context, name: str, value: str) -> None:
    """Change one of the preferences; nothing for an extension enabled from the command line, which has none."""
    addon = context.preferences.addons.get(__package__)
    if not addon or not addon.preferences:
        return
    setattr(addon.preferences, name, value)
    context.preferences.is_dirty = True
    if context.preferences.use_preferences_save and not bpy.app.background and not bpy.app.factory_startup:
        # As Blender would do when it is closed; it may be killed instead.
        bpy.ops.wm.save_userpref()


def launch_of(context: bpy.types.Context, installed: Path | None) -> Launch:
    """How to start the backend on this computer: as set, else the installed one, else as the environment says.

    Args:
        installed: Python of the backend that the add-on has installed itself; None where it has not.
    """
    python, folder = preference(context, "backend_python"), preference(context, "backend_folder")
    if python:
        return Launch(bpy.path.abspath(python), bpy.path.abspath(folder) if folder else "")
    return Launch(str(installed) if installed else os.environ.get(PYTHON_VARIABLE, ""))


def bundled_folder() -> Path:
    """Where the backend's wheel lies in an extension that was built with one; only ever read."""
    return Path(__file__).parent / "backend_wheel"


def user_folder(name: str) -> str:
    """A folder of ours in the user's own files."""
    return bpy.utils.extension_path_user(__package__, path=name, create=True)


def timings_file() -> Path:
    """What earlier jobs took on this computer."""
    return Path(user_folder("backend")) / "timings.json"


def journal_file() -> Path:
    """Which jobs were started from which file."""
    return Path(user_folder("backend")) / "started.json"


classes = (RETIME_PEOPLE_AP_preferences,)

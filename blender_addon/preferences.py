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

    def draw(self, context: bpy.types.Context) -> None:
        """Draw the two paths."""
        column = self.layout.column()
        column.use_property_split = True
        column.prop(self, "backend_python")
        column.prop(self, "backend_folder")


def launch_of(context: bpy.types.Context) -> Launch:
    """How to start the backend on this computer."""
    addon = context.preferences.addons.get(__package__)
    # An extension enabled from the command line has no preferences.
    python = addon.preferences.backend_python if addon and addon.preferences else ""
    folder = addon.preferences.backend_folder if addon and addon.preferences else ""
    python = bpy.path.abspath(python) if python else os.environ.get(PYTHON_VARIABLE, "")
    return Launch(python, bpy.path.abspath(folder) if folder else "")


def user_folder(name: str) -> str:
    """A folder of ours in the user's own files."""
    return bpy.utils.extension_path_user(__package__, path=name, create=True)


def timings_file() -> Path:
    """What earlier jobs took on this computer."""
    return Path(user_folder("backend")) / "timings.json"


classes = (RETIME_PEOPLE_AP_preferences,)

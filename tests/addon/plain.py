"""The extension's files that know nothing of Blender, imported as plain Python modules."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from types import ModuleType

ADDON = Path(__file__).parents[2] / "blender_addon"
PACKAGE = "retime_people_plain"
"""Not the extension's own package, whose first import registers classes with Blender."""


def load(name: str) -> ModuleType:
    """One module of the extension."""
    if PACKAGE not in sys.modules:
        package = ModuleType(PACKAGE)
        package.__path__ = [str(ADDON)]
        sys.modules[PACKAGE] = package
    return importlib.import_module(f"{PACKAGE}.{name}")

"""What the extension adds to Blender, in one explicit order; taking it back is the mirror of adding it."""

from __future__ import annotations

from types import ModuleType

import bpy

from . import (
    bake_run,
    handlers,
    mask_outlines,
    menus,
    panels,
    preferences,
    preview_picture,
    properties,
    pump,
    translations,
    ui_lists,
)
from .operators import backend, bake, install, layers, mask, people, retime, rhythm, shot, together, train

# A module offers `classes` (a tuple, in order of need), and register() and unregister() where it has more to add.
# One module a line; what others refer to stands before them.
MODULES: tuple[ModuleType, ...] = (
    preferences,
    properties,
    ui_lists,
    backend,
    install,
    shot,
    mask,
    people,
    train,
    layers,
    retime,
    rhythm,
    together,
    bake,
    bake_run,
    preview_picture,
    panels,
    menus,
    mask_outlines,
    translations,
    handlers,
    pump,
)


def register() -> None:
    """Add the classes, properties and handlers of every module."""
    for module in MODULES:
        for cls in getattr(module, "classes", ()):
            bpy.utils.register_class(cls)
        if hasattr(module, "register"):
            module.register()


def unregister() -> None:
    """Take away, in the opposite order, what register() added."""
    for module in reversed(MODULES):
        if hasattr(module, "unregister"):
            module.unregister()
        for cls in reversed(getattr(module, "classes", ())):
            bpy.utils.unregister_class(cls)

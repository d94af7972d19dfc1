"""Retime the people of a clip one by one in Blender's Video Sequence Editor."""

from __future__ import annotations

from . import registration


def register() -> None:
    """Make everything known to Blender."""
    registration.register()


def unregister() -> None:
    """Take everything back, leaving no trace."""
    registration.unregister()

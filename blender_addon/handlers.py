"""What follows the artist's own actions: loading a file, changing the frame, rendering."""

from __future__ import annotations


def register() -> None:
    """Hook into Blender's application handlers."""


def unregister() -> None:
    """Let go of Blender's application handlers."""

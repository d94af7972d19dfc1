"""Texts of the interface in other languages; English is in the code."""

from __future__ import annotations

import bpy

TEXTS: dict[str, dict[tuple[str, str], str]] = {}
"""By language, then by (context, English text)."""


def register() -> None:
    """Offer our translations to Blender."""
    bpy.app.translations.register(__package__, TEXTS)


def unregister() -> None:
    """Take our translations back."""
    bpy.app.translations.unregister(__package__)

"""Operators on layers."""

from __future__ import annotations

import bpy

classes: tuple[type[bpy.types.Operator], ...] = ()

"""Texts over several lines, by how wide they really are, since labels do not wrap."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import blf
import bpy

INTERFACE_FONT = 0


def lines_of(text: str, width: float, preferences: bpy.types.Preferences) -> list[str]:
    """A text in lines, at least one.

    Args:
        text: what is told; its spaces become single ones.
        width: of a line, in pixels of a screen at a scale of 1.
        preferences: those with the size of the interface's letters.
    """
    blf.size(INTERFACE_FONT, preferences.ui_styles[0].widget.points)
    lines = [""]
    for piece in itertools.chain.from_iterable(_pieces(word, width) for word in text.split()):
        longer = f"{lines[-1]} {piece}" if lines[-1] else piece
        if lines[-1] and _width(longer) > width:
            lines.append(piece)
        else:
            lines[-1] = longer
    return lines


def _pieces(word: str, width: float) -> Iterator[str]:
    """A word that is wider than a line, as a path may be, in pieces."""
    while len(word) > 1 and _width(word) > width:
        fitting = len(word) - 1
        while fitting > 1 and _width(word[:fitting]) > width:
            fitting -= 1
        yield word[:fitting]
        word = word[fitting:]
    yield word


def _width(text: str) -> float:
    return float(blf.dimensions(INTERFACE_FONT, text)[0])

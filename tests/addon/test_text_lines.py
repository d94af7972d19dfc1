"""Texts over several lines: nothing is lost, and no line is wider than it may be."""

from __future__ import annotations

import importlib

import bpy
import pytest

PATH = "/a/very/long/path/without/any/space/in/it/that/no/sidebar/would/ever/hold/log.txt"


@pytest.mark.parametrize("width", [60, 200, 400])
@pytest.mark.parametrize(
    "text", ["Retime Anna: go to a frame, then choose below", f"See {PATH}, then press Repair.", ""]
)
def test_all_of_a_text_fits(addon, text, width):
    module = importlib.import_module(f"{addon.__name__}.text_lines")
    lines = module.lines_of(text, width, bpy.context.preferences)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")
    assert max(module._width(line) for line in lines) <= width
    assert len(module.lines_of(text, 10_000, bpy.context.preferences)) == 1

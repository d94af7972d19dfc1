"""Pictures that panels draw: held while there is a window, gone with the extension."""

from __future__ import annotations

import importlib

import bpy
import bpy.utils.previews
import pytest
from fake_backend import PNG


@pytest.fixture
def pictures(addon):
    """The module as it is where there is a window."""
    module = importlib.import_module(f"{addon.__name__}.preview_picture")
    module.Shown.pictures, module.Shown.thumbnails = bpy.utils.previews.new(), bpy.utils.previews.new()
    yield module
    module.unregister()


def test_the_newest_picture_replaces_the_one_before(pictures, tmp_path):
    pictures.show(tmp_path, "/out/a", PNG)
    pictures.show(tmp_path, "/out/b", PNG)
    assert list(pictures.Shown.pictures) == ["/out/b"]
    assert pictures.icon_of("/out/a") == 0
    assert [file.name for file in tmp_path.iterdir()] == [pictures.FILE]


def test_a_thumbnail_is_read_once(pictures, tmp_path):
    file = tmp_path / "anna.png"
    file.write_bytes(PNG)
    pictures.thumbnail_icon(str(file))
    pictures.thumbnail_icon(str(file))
    assert list(pictures.Shown.thumbnails) == [str(file)]
    assert pictures.thumbnail_icon("") == 0


def test_without_a_window_nothing_is_held(addon, tmp_path):
    module = importlib.import_module(f"{addon.__name__}.preview_picture")
    module.show(tmp_path, "/out", PNG)
    assert module.icon_of("/out") == 0
    assert not list(tmp_path.iterdir())

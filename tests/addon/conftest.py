"""Blender as a Python module with the extension enabled under its true name."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

# Blender reads this once, on the first import of bpy: an artist's own preferences must never be touched.
os.environ["BLENDER_USER_RESOURCES"] = tempfile.mkdtemp(prefix="retime-people-blender-")

bpy = pytest.importorskip("bpy")

EXTENSION = Path(__file__).parents[2] / "blender_addon"
MODULE = "bl_ext.dev.retime_people"


@pytest.fixture(scope="session")
def extension_repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A local extension repository whose only entry is a link to the working copy."""
    folder = tmp_path_factory.mktemp("extensions")
    (folder / "retime_people").symlink_to(EXTENSION, target_is_directory=True)
    bpy.context.preferences.extensions.repos.new(
        name="Dev", module="dev", custom_directory=str(folder), remote_url="", source="USER"
    )
    return folder


@pytest.fixture
def empty_file(extension_repository: Path) -> None:
    """A new file with nothing in it, and the repository known to Blender."""
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=False)


@pytest.fixture
def addon(empty_file: None) -> Iterator[ModuleType]:
    """The enabled extension in an empty file, as the module Blender knows."""
    import addon_utils

    module = addon_utils.enable(MODULE, default_set=True)
    assert module is not None, "the extension could not be enabled; see the traceback above"
    yield module
    addon_utils.disable(MODULE, default_set=True)

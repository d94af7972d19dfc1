"""The extension as artists get it: built by Blender's own tool, installed from disk, useful without a backend."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import bpy
import pytest

from tests.addon.conftest import EXTENSION
from tests.addon.layer_factory import FRAMES, LEFT, coded_set, new_scene, render, seen

NAME = "bl_ext.user_default.retime_people"
SCRIPTS = Path(bpy.utils.system_resource("SCRIPTS"))
TOOL = SCRIPTS / "addons_core" / "bl_pkg" / "cli" / "blender_ext.py"
TAGS = SCRIPTS / "modules" / "_bpy_internal" / "extensions" / "tags.py"


def tool(*arguments: str) -> str:
    done = subprocess.run([sys.executable, str(TOOL), *arguments], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture
def archive(tmp_path) -> Path:
    tool("build", f"--valid-tags={TAGS}", "--source-dir", str(EXTENSION), "--output-dir", str(tmp_path))
    return next(tmp_path.glob("retime_people-*.zip"))


@pytest.fixture
def installed(archive, empty_file):
    if "user_default" not in [repo.module for repo in bpy.context.preferences.extensions.repos]:
        bpy.context.preferences.extensions.repos.new(name="User Default", module="user_default", source="USER")
    bpy.ops.extensions.package_install_files(
        filepath=str(archive), repo="user_default", enable_on_install=True, overwrite=True
    )
    assert NAME in bpy.context.preferences.addons
    yield
    bpy.ops.preferences.addon_disable(module=NAME)


def test_blenders_validator_has_nothing_to_say():
    assert "rror" not in tool("validate", f"--valid-tags={TAGS}", str(EXTENSION))


def test_a_static_index_of_the_repository(archive):
    tool("server-generate", "--repo-dir", str(archive.parent))
    assert archive.name in (archive.parent / "index.json").read_text()


def test_finished_layers_are_retimed_without_a_backend(installed, tmp_path):
    scene = new_scene()
    bpy.ops.retime_people.load_layers(filepath=str(coded_set(tmp_path / "layers")))
    bpy.ops.retime_people.freeze(person="anna", frame=5, duration=3)
    assert seen(render(scene, tmp_path / "out"), LEFT) == [0, 1, 2, 3, 4, 4, 4, 4, *range(5, FRAMES - 3)]

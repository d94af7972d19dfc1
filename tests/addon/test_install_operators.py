"""Install Backend and its kin, inside Blender."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import bpy
import pytest

from tests.addon.test_backend_install import wheel


@pytest.fixture
def module(addon):
    return lambda name: importlib.import_module(f"{addon.__name__}.{name}")


@pytest.fixture
def preferences(addon, tmp_path):
    found = bpy.context.preferences.addons[addon.__name__].preferences
    wheel(tmp_path / "index")
    found.install_index, found.install_python = str(tmp_path / "index"), sys.executable
    yield found
    found.install_index = found.install_python = ""


def test_install_then_launch_then_remove(preferences, module, monkeypatch):
    monkeypatch.delenv("RETIME_PEOPLE_PYTHON", raising=False)
    session = module("pump").session()
    assert bpy.ops.retime_people.install_backend() == {"FINISHED"}
    module("pump").pump_once(session)
    assert Path(session.backend.launch.python) == session.installer.python
    assert str(session.installer.folder).startswith(module("preferences").user_folder("backend"))
    assert bpy.ops.retime_people.remove_backend() == {"FINISHED"}
    module("pump").pump_once(session)
    assert session.backend.launch.python == ""
    with pytest.raises(RuntimeError, match="No backend was installed"):
        bpy.ops.retime_people.remove_backend()


def test_one_that_is_there_counts_more(preferences, module):
    preferences.backend_python = "/somewhere/python"
    launch = module("preferences").launch_of(bpy.context, Path("/installed/python"))
    assert launch.python == "/somewhere/python"
    preferences.backend_python = ""
    assert module("preferences").launch_of(bpy.context, Path("/installed/python")).python == str(
        Path("/installed/python")
    )


def test_offline_is_respected(preferences):
    preferences.install_index = "https://example.org/packages"
    with pytest.raises(RuntimeError, match="allow online access"):
        bpy.ops.retime_people.install_backend()


def test_a_failure_is_told_and_shown(preferences, module, tmp_path):
    preferences.install_index = str(tmp_path)
    with pytest.raises(RuntimeError, match="press Repair"):
        bpy.ops.retime_people.install_backend()
    assert module("pump").session().installer.state == "broken"


def test_size_is_told_first(module, tmp_path):
    install = module("operators.install")
    told = " ".join(install._told(str(tmp_path), tmp_path / "env"))
    assert "About 1.3 GB" in told and "GB are free" in told


def test_diagnostics(addon, module, monkeypatch, tmp_path):
    log = module("pump").session().backend.log
    log.write_text("one\ntwo\n")
    text = module("diagnostics").diagnostics(bpy.context)
    assert f"Blender {bpy.app.version_string}" in text
    assert "backend.log, its last lines:\n  one\n  two" in text
    assert str(Path.home()) not in text
    log.unlink()
    assert bpy.ops.retime_people.copy_diagnostics() == {"FINISHED"}

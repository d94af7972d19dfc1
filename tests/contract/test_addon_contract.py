"""What the two halves of the project and Blender agree on."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from backend import protocol

ROOT = Path(__file__).parents[2]
ADDON = ROOT / "blender_addon"
WITHOUT_BPY = (
    "protocol",
    "client",
    "backend_process",
    "job_board",
    "retime_curve",
    "depth_order",
    "layer_set_file",
    "found_depth",
)


def test_both_halves_have_the_same_protocol():
    assert (ADDON / "protocol.py").read_bytes() == (ROOT / "backend" / "protocol.py").read_bytes(), "run make protocol"


def test_the_extension_has_the_version_of_the_protocol():
    manifest = tomllib.loads((ADDON / "blender_manifest.toml").read_text(encoding="utf-8"))
    assert manifest["version"] == protocol.VERSION


@pytest.mark.parametrize("name", WITHOUT_BPY)
def test_files_without_blender_run_in_plain_python(name):
    code = f"""
import importlib, sys, types
sys.modules["bpy"] = None
package = types.ModuleType("plain")
package.__path__ = [{str(ADDON)!r}]
sys.modules["plain"] = package
importlib.import_module("plain.{name}")
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_every_route_of_the_client_is_one_of_the_server():
    from backend.server.routes import Routes

    routes = Routes(None, lambda: None).table()
    offered = {(method, re.sub(r"\{.*?\}", "*", route.path)) for route in routes for method in route.methods}
    assert client_routes() <= offered
    unasked = offered - client_routes() - {("GET", "/openapi.json")}
    assert not {route for route in unasked if route[0] != "HEAD"}, "the extension can't ask for these"


def client_routes() -> set[tuple[str, str]]:
    """Method and path of every call of the client, with * for what is filled in."""
    calls = [node for node in ast.walk(ast.parse((ADDON / "client.py").read_text())) if isinstance(node, ast.Call)]
    asks = [call for call in calls if getattr(call.func, "attr", "") in ("_json", "_ask") and len(call.args) > 1]
    return {
        (ast.literal_eval(ask.args[0]), path_of(ask.args[1])) for ask in asks if isinstance(ask.args[0], ast.Constant)
    }


def path_of(node: ast.expr) -> str:
    if isinstance(node, ast.Constant):
        return str(node.value)
    assert isinstance(node, ast.JoinedStr)
    text = "".join(part.value if isinstance(part, ast.Constant) else "*" for part in node.values)
    return text.partition("?")[0]


def test_the_extension_imports_nothing_but_itself_blender_and_the_standard_library():
    allowed = {*sys.stdlib_module_names, "blf", "bpy", "gpu", "gpu_extras", "numpy", "addon_utils", "mathutils"}
    for file in ADDON.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) and node.level == 0 else []
            foreign = [name for name in names if name.partition(".")[0] not in allowed]
            assert not foreign, f"{file.name} imports {foreign}"


def test_no_setting_is_unknown_to_the_tooltips():
    for name, info in protocol.settings_info(protocol.DecomposeSettings).items():
        assert info.label.istitle() or info.label.isupper(), name
        assert info.tooltip[0].isupper() and not info.tooltip.endswith("."), name

"""What is installed is pinned, and known by its hashes."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
PIN = re.compile(r"([A-Za-z0-9_.-]+)==([^\s;]+)")


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def test_every_pin_has_its_hashes() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = [*project["dependencies"], *project["optional-dependencies"]["dev"]]
    assert all(PIN.match(requirement) for requirement in wanted)
    entries = re.split(r"\n(?=\S)", (ROOT / "requirements.lock").read_text())[1:]
    assert all("--hash=sha256:" in entry for entry in entries)
    locked = {(normal(m[1]), m[2]) for entry in entries if (m := PIN.match(entry))}
    missing = {(normal(m[1]), m[2]) for r in wanted if (m := PIN.match(r)) and m[1] != "torch"} - locked
    assert not missing, f"{missing} is not in requirements.lock; run make lock"


def test_the_list_names_no_server() -> None:
    assert "://" not in (ROOT / "requirements.lock").read_text()

"""Write down which files, by their hashes, the environment is made of: python tools/lock.py (needs uv on the path).

For every system and Python that the packages have files for. Left out are torch and what it brings for graphics
cards, because which build is right depends on the machine, and Blender's module; both are pinned by version.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
LOCK = ROOT / "requirements.lock"
LEFT_OUT = re.compile(r"(torch|triton|bpy|nvidia-.*|cuda-.*)==")
HEAD = "# What make setup installs, by its hashes. Made by: make lock\n"
COMMAND = ("uv", "pip", "compile", "pyproject.toml", "--extra", "dev", "--universal", "--python-version", "3.11")
OPTIONS = ("--generate-hashes", "--no-annotate", "--no-header", "--quiet")


def entries(text: str) -> list[str]:
    """The entries of a list of requirements, each with its hashes."""
    return re.split(r"\n(?=\S)", text.strip())


def main() -> None:
    """Resolve anew and write the list."""
    if subprocess.run(["uv", "--version"], capture_output=True, check=False).returncode:
        sys.exit("uv is needed: python -m pip install uv")
    found = subprocess.run([*COMMAND, *OPTIONS], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    kept = [entry for entry in entries(found) if not LEFT_OUT.match(entry)]
    LOCK.write_text(HEAD + "\n".join(kept) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

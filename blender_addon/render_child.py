"""A script for a Blender without a window: write the frames and masks of the shot whose plan lies in a folder."""

from __future__ import annotations

import importlib
import os
import sys
from dataclasses import asdict
from pathlib import Path
from types import ModuleType

PACKAGE = "retime_people"


def main(folder: Path) -> int:
    """Prepare it, telling each step in a line; the exit status is 0 also for a problem that was told."""
    _load_package()
    elsewhere, scratch = (importlib.import_module(f"{PACKAGE}.{name}") for name in ("elsewhere", "scratch"))
    try:
        for step in elsewhere.prepare_here(folder):
            elsewhere.tell(asdict(step))
    except scratch.ShotError as problem:
        elsewhere.tell({"problem": str(problem)})
    return 0


def _load_package() -> None:
    """The files beside this one, since this Blender has no extensions enabled; nothing of them is registered."""
    package = ModuleType(PACKAGE)
    package.__path__ = [str(Path(__file__).parent)]
    sys.modules[PACKAGE] = package


if __name__ == "__main__":
    status = main(Path(sys.argv[sys.argv.index("--") + 1]))
    sys.stdout.flush()
    # Blender may take long to end in an orderly way, and has nothing left to do.
    os._exit(status)

"""Programs that run beside Blender and give way to it, so that its window stays quick while they work."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

NICENESS = 10
"""Of 19: whatever Blender wants to do goes first, and a free processor is used to the full."""


def start_gently(command: Sequence[str], **options: Any) -> subprocess.Popen[Any]:
    """Start a program, and with it all that it will start, at a lower priority; raises OSError as Popen does.

    Args:
        options: of subprocess.Popen.
    """
    if sys.platform == "win32":
        flags = subprocess.BELOW_NORMAL_PRIORITY_CLASS | subprocess.CREATE_NO_WINDOW
        return subprocess.Popen(command, creationflags=flags, **options)
    process = subprocess.Popen(command, **options)
    # Not before the start, where code of ours would run between fork and exec, beside Blender's other threads.
    with contextlib.suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, process.pid, max(NICENESS, os.getpriority(os.PRIO_PROCESS, 0)))
    return process

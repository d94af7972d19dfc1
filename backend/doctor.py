"""What this computer has, in words, for reports of faults."""

from __future__ import annotations

import http.client
import importlib.metadata
import json
import os
import platform
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from backend.protocol import FORMAT, VERSION
from backend.server.runtime import default_runtime_dir, read_runtime_info

PACKAGES = ("torch", "numpy", "opencv-contrib-python-headless", "av", "OpenEXR", "starlette", "uvicorn", "bpy")
GIB = 2**30
ANSWER_SECONDS = 2.0


def report(runtime_dir: Path | None = None) -> str:
    """One line per fact, without names of the user and without secrets.

    Args:
        runtime_dir: whose backend to look for; None for this user's own.
    """
    folder = runtime_dir or default_runtime_dir()
    facts = {
        "Retime People": f"{VERSION} (layer sets: {FORMAT})",
        "System": f"{platform.platform()}, {platform.machine()}",
        "Python": f"{platform.python_version()} ({_short(Path(sys.executable))})",
        "Packages": ", ".join(_packages()),
        "Processors": _processors(),
        "Memory": _memory(),
        "Graphics": "; ".join(_graphics()),
        "Disk": _disk(folder),
        "Video": _video(),
        "Runtime folder": _short(folder),
        "Backend": _backend(folder),
    }
    return "\n".join(f"{name + ':':<16}{value}" for name, value in facts.items())


def _short(path: Path) -> str:
    """A path without the user's name."""
    return f"~/{path.relative_to(Path.home()).as_posix()}" if path.is_relative_to(Path.home()) else str(path)


def _packages() -> Iterator[str]:
    for name in PACKAGES:
        try:
            yield f"{name} {importlib.metadata.version(name)}"
        except importlib.metadata.PackageNotFoundError:
            yield f"{name} missing"


def _processors() -> str:
    count = os.cpu_count() or 0
    if sys.platform == "linux":
        usable = len(os.sched_getaffinity(0))
        return f"{usable} of {count} usable" if usable != count else str(count)
    return str(count) if count else "unknown"


def _memory() -> str:
    try:
        page = os.sysconf("SC_PAGE_SIZE")
        total = f"{page * os.sysconf('SC_PHYS_PAGES') / GIB:.1f} GiB"
    except (AttributeError, ValueError, OSError):
        return "unknown"
    if "SC_AVPHYS_PAGES" not in os.sysconf_names:
        return total
    return f"{total}, {page * os.sysconf('SC_AVPHYS_PAGES') / GIB:.1f} GiB free"


def _graphics() -> Iterator[str]:
    try:
        import torch
    except (ImportError, OSError) as error:
        yield f"unknown, PyTorch can't be loaded ({error})"
        return
    for index in range(torch.cuda.device_count()):
        card = torch.cuda.get_device_properties(index)
        yield f"{card.name}, {card.total_memory / GIB:.1f} GiB (CUDA {torch.version.cuda or torch.version.hip})"
    if torch.backends.mps.is_available():
        yield "Apple GPU (Metal)"
    if not torch.cuda.is_available() and not torch.backends.mps.is_available():
        yield "none that PyTorch can use; everything runs on the processor"


def _disk(folder: Path) -> str:
    while not folder.exists():
        folder = folder.parent
    usage = shutil.disk_usage(folder)
    return f"{usage.free / GIB:.1f} of {usage.total / GIB:.1f} GiB free at {_short(folder)}"


def _video() -> str:
    ffmpeg = "ffmpeg found" if shutil.which("ffmpeg") else "no ffmpeg program (not needed)"
    try:
        import av
    except (ImportError, OSError) as error:
        return f"PyAV can't be loaded ({error}); {ffmpeg}"
    able = [word for word, mode in (("read", "r"), ("write", "w")) if _has_codec(av.codec.codecs_available, mode)]
    return f"H.264: {' and '.join(able) or 'not available'}; {ffmpeg}"


def _has_codec(names: set[str], mode: str) -> bool:
    return bool(names & ({"h264"} if mode == "r" else {"libx264", "libopenh264", "h264_videotoolbox"}))


def _backend(folder: Path) -> str:
    info = read_runtime_info(folder)
    if info is None:
        return "not running"
    connection = http.client.HTTPConnection("127.0.0.1", info.port, timeout=ANSWER_SECONDS)
    try:
        connection.request("GET", "/health", headers={"Authorization": f"Bearer {info.token}"})
        answer = json.loads(connection.getresponse().read())
    except (OSError, ValueError, http.client.HTTPException):
        return f"does not answer (process {info.pid}, port {info.port}); it may have died"
    finally:
        connection.close()
    if not isinstance(answer, dict) or answer.get("pid") != info.pid:
        return f"another program listens on its port {info.port}"
    return f"running, version {answer.get('version')} (process {info.pid}, port {info.port})"

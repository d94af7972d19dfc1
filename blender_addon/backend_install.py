"""A private environment for the backend: made, mended and removed by the add-on, in a folder of the add-on's own."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from urllib.parse import urlsplit

from .gentle_process import start_gently
from .protocol import VERSION

STAMP = "installed.json"
"""Written last, so that an environment without it is not whole."""
LOG = "install.log"
PACKAGE = "retime-people"
PYTHONS = ((3, 11), (3, 12), (3, 13))
"""Versions of Python that all of the backend's packages are built for."""
NAMES = tuple(f"python{major}.{minor}" for major, minor in PYTHONS)
CPU_INDEX = "https://download.pytorch.org/whl/cpu"
"""PyTorch's own index of builds for the processor only; the usual packages on Linux are built for NVIDIA cards."""

LOST_INDEX = (
    "{} can't be reached. Check the connection, then press Repair; or set Package Index in the preferences of this "
    "add-on: https://pypi.org/simple has a larger build, which works without a graphics card too."
)

AMD_DEVICE = Path("/dev/kfd")
"""Where Linux offers the computing of AMD's graphics cards."""

SIZES = {"cpu": 1.3, "cuda": 5.1, "mps": 1.3, "custom": 7.0}
"""Gigabytes on disk, rounded up; measured for cpu and cuda, by the size of the packages for the others."""
LAST_LINES = 400


class InstallState(StrEnum):
    """How it stands with the private environment."""

    ABSENT = "absent"
    WORKING = "working"
    INSTALLED = "installed"
    OUTDATED = "outdated"
    BROKEN = "broken"
    CANCELLED = "cancelled"


class InstallProblem(Exception):
    """Something keeps the backend from being installed; the text is the sentence to show."""


@dataclass(frozen=True)
class InstallPlan:
    """What to install, with which Python, from where."""

    python: str
    requirement: str
    """A wheel, a folder of source code, or a package with its version."""
    index: str = ""
    """One more package index; a folder is the only source then, and nothing is downloaded. Empty: pip's own choice."""

    @property
    def online(self) -> bool:
        """True when something is downloaded."""
        return not (self.index and Path(self.index).is_dir())

    def pip_options(self) -> list[str]:
        """Where pip shall look."""
        if not self.online:
            return ["--no-index", "--find-links", self.index]
        return ["--extra-index-url", self.index] if self.index else []


class Installer:
    """The environment in one folder; its thread never touches Blender, ``state``, ``stage`` and ``message`` tell."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.stage = ""
        self.message = ""
        self.fraction = 0.0
        self.state = self._state_on_disk()
        self._process: subprocess.Popen[str] | None = None
        self._thread: threading.Thread | None = None
        self._cancelled = threading.Event()
        self._lost_index = ""
        """The package index that was given, once it is known that it does not answer."""

    @property
    def python(self) -> Path:
        """The Python of the environment, whether it is there or not."""
        return self.folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")

    @property
    def log(self) -> Path:
        """What the installation had to say; beside the environment, so that removing that keeps it."""
        return self.folder.with_name(LOG)

    def told(self) -> tuple[str, str, str, float]:
        """Everything that is shown of it."""
        return (self.state, self.stage, self.message, self.fraction)

    def look(self) -> InstallState:
        """See again what is on disk, unless an installation runs or has just failed."""
        if self.state not in (InstallState.WORKING, InstallState.BROKEN, InstallState.CANCELLED):
            self.state = self._state_on_disk()
        return self.state

    def start(self, plan: InstallPlan) -> None:
        """Install on a thread; what was there before is replaced."""
        if self.state is InstallState.WORKING:
            return
        self.state, self.message, self.stage, self.fraction = InstallState.WORKING, "", "Beginning", 0.0
        self._cancelled.clear()
        self._lost_index = ""
        self._thread = threading.Thread(target=self._run, args=(plan,), name="retime-people-install", daemon=True)
        self._thread.start()

    def cancel(self) -> None:
        """End an installation; what it wrote is removed."""
        self._cancelled.set()
        process = self._process
        if process is not None and process.poll() is None:
            process.terminate()

    def wait(self) -> InstallState:
        """Until an installation is over."""
        if self._thread is not None:
            self._thread.join()
        return self.state

    def remove(self) -> None:
        """Take the environment away; raises InstallProblem when a file resists."""
        if self.state is InstallState.WORKING:
            raise InstallProblem("The backend is being installed; cancel that first")
        try:
            if self.folder.exists():
                shutil.rmtree(self.folder)
        except OSError as error:
            raise InstallProblem(f"{error.filename} can't be removed: {error.strerror}; stop the backend") from error
        self.state, self.message = InstallState.ABSENT, ""

    def _state_on_disk(self) -> InstallState:
        if not self.folder.is_dir():
            return InstallState.ABSENT
        version = _stamped_version(self.folder / STAMP)
        if not version or not self.python.exists():
            self.message = "The backend's installation is not whole; press Repair."
            return InstallState.BROKEN
        if version != VERSION:
            self.message = f"The installed backend is version {version}, this add-on is version {VERSION}; update it."
            return InstallState.OUTDATED
        return InstallState.INSTALLED

    def _run(self, plan: InstallPlan) -> None:
        try:
            self._install(plan)
        except InstallProblem as problem:
            self._give_up(InstallState.BROKEN, str(problem))
        except OSError as error:
            self._give_up(InstallState.BROKEN, f"The backend can't be installed: {error.strerror or error}.")

    def _install(self, plan: InstallPlan) -> None:
        if self.folder.exists():
            shutil.rmtree(self.folder)
        self.folder.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("w", encoding="utf-8", buffering=1) as log:
            for number, (stage, command) in enumerate(_steps(plan, self.folder, self.python)):
                self.stage, self.fraction = stage, (0.02, 0.1, 0.95)[number]
                if not self._do(command, log.write, plan.index):
                    self._stopped(stage)
                    return
        (self.folder / STAMP).write_text(json.dumps({"version": VERSION}), encoding="utf-8")
        self.state, self.stage, self.fraction = InstallState.INSTALLED, "", 1.0

    def _stopped(self, stage: str) -> None:
        if self._cancelled.is_set():
            self._give_up(InstallState.CANCELLED, "The installation was cancelled; nothing of it was kept.")
            return
        if self._lost_index:
            self._give_up(InstallState.BROKEN, LOST_INDEX.format(self._lost_index))
            return
        words = _last_words(self.log)
        self._give_up(InstallState.BROKEN, f"{stage} failed{words}. See {self.log}, then press Repair.")

    def _give_up(self, state: InstallState, message: str) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)
        # The state comes last, because others read the message once they see it.
        self.message, self.stage, self.state = message, "", state

    def _do(self, command: Sequence[str], write: Callable[[str], int], index: str) -> bool:
        """Run one program to its end, its lines going to the log; False when it failed or was cancelled."""
        if self._cancelled.is_set():
            return False
        self._process = start_gently(
            command,
            cwd=self.folder.parent,
            env=_clean_environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            errors="replace",
        )
        for line in self._process.stdout or ():
            write(line)
            self._hear(line)
            if is_lost(index, line):
                # pip would go on without it, and fetch another build than the one that was agreed to.
                self._lost_index = index
                self._process.terminate()
        return self._process.wait() == 0 and not self._cancelled.is_set()

    def _hear(self, line: str) -> None:
        """Tell what pip is at; how long it will take it does not know itself."""
        found = re.match(r"\s*(Collecting|Downloading|Installing collected packages)[: ]*(\S*)", line)
        if found and found[1].startswith("Installing"):
            self.stage, self.fraction = "Unpacking", 0.75
        elif found:
            name = re.split(r"[-=<>!~;(\[]", found[2].rsplit("/", 1)[-1])[0]
            self.stage, self.fraction = f"Fetching {name}", min(0.7, self.fraction + 0.015)


def plan_of(bundled: Path, index: str, python: str) -> InstallPlan:
    """What to install: the wheel that came with the add-on, else the published package of the same version.

    Args:
        bundled: folder that may hold the wheel.
        index: folder or address; empty for the best of this computer.
        python: the Python to use; empty to look for one.

    Raises:
        InstallProblem: when there is no Python of a version that will do.
    """
    wheels = sorted(bundled.glob("*.whl")) if bundled.is_dir() else []
    requirement = str(wheels[-1]) if wheels else f"{PACKAGE}=={VERSION}"
    return InstallPlan(python or find_python(), requirement, index or default_index())


def build_of(index: str) -> str:
    """For which device the packages are built: cpu, cuda, mps, or custom where the artist named an index."""
    if index:
        return "cpu" if index.rstrip("/").endswith("/cpu") or Path(index).is_dir() else "custom"
    if sys.platform == "darwin":
        return "mps"
    return "cuda" if sys.platform == "linux" and shutil.which("nvidia-smi") else "cpu"


def card_left_out(index: str) -> str:
    """The maker of a graphics card of this computer for which only an index of its own has a build; empty without."""
    if index or build_of(index) != "cpu":
        return ""
    if sys.platform == "win32" and shutil.which("nvidia-smi"):
        return "NVIDIA"
    return "AMD" if AMD_DEVICE.exists() else ""


def default_index() -> str:
    """Where this computer's build of PyTorch is, if not in pip's usual place."""
    return CPU_INDEX if build_of("") == "cpu" and sys.platform == "linux" else ""


def find_python() -> str:
    """A Python of a version that will do: Blender's own, else one that is installed."""
    for candidate in (sys.executable, *(shutil.which(name) or "" for name in NAMES)):
        if candidate and _version_of(candidate) in PYTHONS:
            return candidate
    (oldest, newest) = (".".join(map(str, version)) for version in (PYTHONS[0], PYTHONS[-1]))
    raise InstallProblem(
        f"Python {oldest} to {newest} is needed and was not found; install it, or set Python for Installing in the "
        "preferences"
    )


def free_gigabytes(folder: Path) -> float:
    """Space left where a folder is, or will be."""
    while not folder.exists():
        folder = folder.parent
    return shutil.disk_usage(folder).free / 1e9


def is_lost(index: str, line: str) -> bool:
    """True when a line of pip's says that it has given up a package index."""
    path = urlsplit(index).path
    return bool(path) and "Retrying (Retry(total=0" in line and f": {path.rstrip('/')}/" in line


def _steps(plan: InstallPlan, folder: Path, python: Path) -> Iterator[tuple[str, list[str]]]:
    yield "Making the environment", [plan.python, "-m", "venv", "--clear", str(folder)]
    pip = [str(python), "-m", "pip", "install", "--no-input", "--disable-pip-version-check", "--no-cache-dir"]
    yield "Fetching packages", [*pip, *plan.pip_options(), plan.requirement]
    yield "Trying it out", [str(python), "-c", _TRIAL]


_TRIAL = (
    f"from backend.protocol import VERSION; import sys; sys.exit(VERSION != {VERSION!r} and f'version {{VERSION}}')"
)


def _clean_environment() -> dict[str, str]:
    """Blender sets variables for its own Python, which would lead another one astray."""
    kept = {name: value for name, value in os.environ.items() if name not in ("PYTHONHOME", "PYTHONPATH")}
    return {**kept, "PYTHONNOUSERSITE": "1", "PYTHONUNBUFFERED": "1"}


def _version_of(python: str) -> tuple[int, int] | None:
    if python == sys.executable:
        return sys.version_info[:2]
    try:
        done = subprocess.run(
            [python, "-I", "-c", "import sys; print(*sys.version_info[:2])"], capture_output=True, text=True, timeout=20
        )
        major, minor = done.stdout.split()
        return int(major), int(minor)
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return None


def _stamped_version(file: Path) -> str:
    try:
        return str(json.loads(file.read_text(encoding="utf-8"))["version"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def _last_words(log: Path) -> str:
    try:
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()[-LAST_LINES:]
    except OSError:
        return ""
    errors = [line for line in lines if line.startswith("ERROR")] or [line for line in lines if line.strip()]
    return f": {errors[-1].removeprefix('ERROR: ').strip().rstrip('.')[:200]}" if errors else ""

"""Trained weights on this computer: where they lie, and how they get there with the artist's consent."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sys
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

from backend.errors import Cancelled, InputError, NoSpace, OutputError
from backend.media.files import writing

WEIGHTS_VARIABLE = "RETIME_PEOPLE_WEIGHTS"
DETECTOR, SEGMENTER = "detector", "segmenter"
_CHUNK = 1 << 20
_TIMEOUT = 30.0

Tell = Callable[[float], None]


@dataclass(frozen=True)
class WeightFile:
    """One file of a set of weights."""

    path: str
    """Where it goes, within the folder of weights."""
    url: str
    sha256: str
    size: int
    """Bytes."""


@dataclass(frozen=True)
class WeightSet:
    """Everything a finder needs, and under which licence; shown to the artist before anything is fetched."""

    name: str
    licence: str
    files: tuple[WeightFile, ...]

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(file.size for file in self.files)


def weights_folder() -> Path:
    """Where weights are kept: what the environment says, else the user's own data folder."""
    named = os.environ.get(WEIGHTS_VARIABLE)
    if named:
        return Path(named)
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Application Support"
    else:
        base = Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share")
    return base / "retime-people" / "weights"


def have_weights(folder: Path) -> bool:
    """Whether a detector and a segmenter lie in a folder, ready to be loaded."""
    return all((folder / part / "config.json").is_file() for part in (DETECTOR, SEGMENTER))


def read_weight_set(path: Path) -> WeightSet:
    """Read the description of a set of weights. Raises InputError."""
    try:
        data = json.loads(path.read_bytes())
        files = tuple(
            WeightFile(str(f["path"]), str(f["url"]), str(f["sha256"]).lower(), int(f["size"])) for f in data["files"]
        )
        found = WeightSet(str(data["name"]), str(data["licence"]), files)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(
            f"{path} is not a description of weights ({error})", "Give the file that came with them"
        ) from error
    for file in found.files:
        parts = PurePosixPath(file.path).parts
        if not parts or ".." in parts or file.path.startswith("/") or len(file.sha256) != 64:
            raise InputError(f"{path} names a file that can't be kept: {file.path!a}", "Get the description anew")
        address = urlsplit(file.url)
        if address.scheme != "https" and (address.scheme, address.hostname) != ("http", "127.0.0.1"):
            raise InputError(f"{path} names an address that is not safe: {file.url!a}", "Get the description anew")
    return found


def fetch_weights(wanted: WeightSet, folder: Path, consent: bool, tell: Tell, cancelled: Callable[[], bool]) -> None:
    """Fetch what is missing of a set; what an earlier try has fetched is used again. Nothing happens without consent.

    Raises:
        InputError: no consent, or a file that is not what the description says.
        NoSpace, OutputError, Cancelled: see there; what was fetched so far stays for the next try.
    """
    if not consent:
        raise InputError(
            f"{wanted.name} ({wanted.size / 1e6:.0f} MB, {wanted.licence}) is to be downloaded once",
            "Agree to it first",
        )
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
        missing = [file for file in wanted.files if not _whole(folder / file.path, file)]
        if shutil.disk_usage(folder).free < sum(file.size for file in missing):
            raise NoSpace(f"{folder} has no room for {wanted.name} ({wanted.size / 1e6:.0f} MB)", "Free some space")
    done = wanted.size - sum(file.size for file in missing)
    for file in missing:
        _fetch(file, folder / file.path, _told_from(done, wanted.size, tell), cancelled)
        done += file.size
    tell(1.0)


def _told_from(done: int, size: int, tell: Tell) -> Tell:
    """Tell of one file's bytes as a share of all."""
    return lambda part: tell((done + part) / size)


def _whole(path: Path, file: WeightFile) -> bool:
    return path.is_file() and path.stat().st_size == file.size and _digest(path) == file.sha256


def _digest(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _fetch(file: WeightFile, path: Path, tell: Tell, cancelled: Callable[[], bool]) -> None:
    partial = path.with_name(f".{path.name}.part")
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
    try:
        _receive(file, partial, tell, cancelled)
    except OSError as error:
        raise OutputError(f"{file.url} can't be fetched ({error})", "Check the connection and try again") from error
    if not _whole(partial, file):
        partial.unlink(missing_ok=True)
        raise InputError(f"{file.url} is not what it should be: its checksum is wrong", "Try again later")
    with writing(path):
        partial.replace(path)


def _receive(file: WeightFile, partial: Path, tell: Tell, cancelled: Callable[[], bool]) -> None:
    """Go on with a partial file where the last try has stopped."""
    have = partial.stat().st_size if partial.is_file() else 0
    if have >= file.size:
        have = 0
    request = urllib.request.Request(file.url, headers={"Range": f"bytes={have}-"} if have else {})
    with urllib.request.urlopen(request, timeout=_TIMEOUT) as answer:
        resumed = have and answer.status == HTTPStatus.PARTIAL_CONTENT
        have = have if resumed else 0
        with partial.open("ab" if resumed else "wb") as stream:
            while chunk := answer.read(_CHUNK):
                if cancelled():
                    raise Cancelled("The download was stopped", "Start it again to go on where it was")
                stream.write(chunk)
                have += len(chunk)
                tell(min(have, file.size))

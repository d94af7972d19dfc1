"""One laboratory for all tests here, and one run that nobody has disturbed."""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.cli.conftest import command as command
from tests.reliability.struck import Lab, files_of_set, open_lab
from tests.server.conftest import launch as launch
from tests.server.conftest import open_queue as open_queue
from tests.server.conftest import request_for as request_for
from tests.server.conftest import until as until


@dataclass(frozen=True)
class Reference:
    """What a run gives that nobody disturbs, and how many moments it has."""

    files: dict[str, bytes]
    moments: int


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    if not hasattr(os, "fork"):
        pytest.skip("needs fork")
    with open_lab(tmp_path_factory.mktemp("lab")) as opened:
        yield opened


@pytest.fixture(scope="session")
def reference(lab: Lab) -> Reference:
    out = lab.shot.parent / "undisturbed"
    ended = lab.run(out)
    assert ended["status"] == 0, ended
    return Reference(files_of_set(out), ended["moments"])


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Callable[[int], Path]]:
    """A disk of some KiB, whose size can be changed by asking again; only root can mount one."""
    if not sys.platform.startswith("linux") or os.geteuid() != 0:
        pytest.skip("needs root to mount a small disk")
    folder = tmp_path / "disk"
    folder.mkdir()
    libc = ctypes.CDLL(None, use_errno=True)
    remount = 32

    def sized(kib: int) -> Path:
        flags = remount if os.path.ismount(folder) else 0
        if libc.mount(b"tmpfs", os.fsencode(folder), b"tmpfs", flags, f"size={kib}k".encode()):
            pytest.skip("mounting is not allowed here")
        return folder

    yield sized
    libc.umount2(os.fsencode(folder), 2)

"""What every test run shares: how a test leaves the process, and how the run ends."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator

import pytest

SESSION = pytest.StashKey[pytest.Session]()


@pytest.fixture(autouse=True)
def tiny_numbers() -> Iterator[None]:
    """A command that ran in this process takes tiny numbers for zero, and hypothesis wants them whole."""
    yield
    if "torch" in sys.modules:
        sys.modules["torch"].set_flush_denormal(False)


def pytest_sessionstart(session: pytest.Session) -> None:
    session.config.stash[SESSION] = session


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    """Leave at once where Blender was loaded: in 4.5 its module may wait for ever for a thread of its own at exit.

    Everything of ours is done by then: the summary is written, temporary folders are gone.
    """
    if "bpy" not in sys.modules or SESSION not in config.stash:
        return
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(int(config.stash[SESSION].exitstatus))

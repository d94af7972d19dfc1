from __future__ import annotations

import sys
import types
from collections.abc import Callable
from pathlib import Path

import pytest

from backend.__main__ import main
from backend.protocol import DecomposeRequest, Event, EventKind

Command = Callable[..., tuple[int, str, str]]
Work = Callable[..., Path]


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """Run a command line in this process; gives its exit status and what it wrote to stdout and stderr."""

    def run(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["retime-people", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        written = capsys.readouterr()
        return int(ended.value.code or 0), written.out, written.err

    return run


@pytest.fixture
def decompose_with(monkeypatch: pytest.MonkeyPatch) -> Callable[[Work], list[DecomposeRequest]]:
    """Put other work in the place of the decomposition; gives the requests it is called with."""
    requests: list[DecomposeRequest] = []

    def install(work: Work) -> list[DecomposeRequest]:
        def decompose(request: DecomposeRequest, report: object, cancelled: object, _team: object) -> Path:
            requests.append(request)
            return work(request, report, cancelled)

        module = types.ModuleType("backend.decompose")
        module.decompose = decompose  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, "backend.decompose", module)
        return requests

    return install


def good_work(request: DecomposeRequest, report: Callable[[Event], None], cancelled: Callable[[], bool]) -> Path:
    """A decomposition that takes three steps."""
    out = Path(request.out)
    out.mkdir()
    report(Event(EventKind.MESSAGE, "two people"))
    for step in range(3):
        assert not cancelled()
        report(Event(EventKind.PROGRESS, stage="Training", fraction=step / 2, seconds_left=100.0 - step))
    (out / "layers.json").write_text("{}")
    return out / "layers.json"

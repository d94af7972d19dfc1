from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from backend.cli.app import app
from backend.errors import Cancelled, MaskError, NoSpace
from backend.protocol import DecomposeRequest, DecomposeSettings, Event, EventKind
from tests.cli.conftest import Command, good_work

Install = Callable[[Callable[..., Path]], list[DecomposeRequest]]


def test_every_setting_is_an_option() -> None:
    [decompose] = [c.callback for c in app.registered_commands if c.callback and c.callback.__name__ == "decompose"]
    options = set(decompose.__annotations__)
    names = {field.name for field in dataclasses.fields(DecomposeSettings)} - {"first_frame", "last_frame"}
    assert names <= options
    assert "frames" in options


def test_defaults_are_the_declared_ones(command: Command, decompose_with: Install, tmp_path: Path) -> None:
    requests = decompose_with(good_work)
    status, out, _ = command("decompose", "clip.mp4", "--out", tmp_path / "layers")
    assert status == 0
    assert out.strip() == str(tmp_path / "layers" / "layers.json")
    [request] = requests
    assert request.settings == DecomposeSettings()
    assert (request.plate, request.masks, request.resume) == (str(Path.cwd() / "clip.mp4"), "", False)


def test_every_option_arrives(command: Command, decompose_with: Install, tmp_path: Path) -> None:
    requests = decompose_with(good_work)
    text = "--preset draft --device cpu --frames 3-9 --seed 7 --max-seconds 1.5 --no-residual --resume --masks m"
    status, _, _ = command("decompose", "clip.mp4", "--out", tmp_path / "layers", *text.split())
    assert status == 0
    [request] = requests
    assert request.resume
    assert request.masks == str(Path.cwd() / "m")
    assert request.settings == DecomposeSettings(
        preset="draft", device="cpu", first_frame=3, last_frame=9, seed=7, max_seconds=1.5, residual=False
    )


def test_progress_as_json(command: Command, decompose_with: Install, tmp_path: Path) -> None:
    decompose_with(good_work)
    status, _, err = command("decompose", "clip.mp4", "--out", tmp_path / "layers", "--json")
    events = [json.loads(line) for line in err.splitlines()]
    assert status == 0
    assert [event["kind"] for event in events] == ["message", "progress", "progress", "progress"]
    assert events[1] == {
        "kind": "progress",
        "message": "",
        "stage": "Training",
        "fraction": 0.0,
        "seconds_left": 100.0,
        "data": {},
    }


def test_progress_in_a_log_file_is_plain_lines(command: Command, decompose_with: Install, tmp_path: Path) -> None:
    decompose_with(good_work)
    _, _, err = command("decompose", "clip.mp4", "--out", tmp_path / "layers")
    assert err.splitlines() == [
        "two people",
        "Training, 0%, 2 min left",
        "Training, 50%, 2 min left",
        "Training, 100%, 2 min left",
    ]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--preset", "nice"], "preset is 'nice'; choose one of draft, standard, best"),
        (["--device", "tpu"], "choose one of auto, cpu, cuda, mps"),
        (["--seed", "-1"], "seed is -1; the least allowed is 0"),
        (["--seed", "x"], "'--seed'"),
        (["--max-seconds", "nan"], "max_seconds is nan"),
        (["--frames", "9-3"], "--frames 9-3 is not a range"),
        (["--frames", "0-3"], "--frames 0-3 is not a range"),
        (["--frames", "all"], "--frames all is not a range"),
        (["--bogus"], "No such option"),
        (["more"], "unexpected extra argument"),
    ],
)
def test_wrong_usage(
    command: Command, decompose_with: Install, tmp_path: Path, arguments: list[str], told: str
) -> None:
    requests = decompose_with(good_work)
    status, out, err = command("decompose", "clip.mp4", "--out", tmp_path / "layers", *arguments)
    assert (status, out, requests) == (2, "", [])
    assert told in err
    assert len(err.splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("arguments", [["decompose"], ["decompose", "clip.mp4"], ["frobnicate"], ["--bogus"]])
def test_incomplete_usage(command: Command, arguments: list[str]) -> None:
    status, _, err = command(*arguments)
    assert status == 2
    assert len(err.splitlines()) == 1
    assert "--help" in err


def raising(error: BaseException) -> Callable[..., Path]:
    def work(_request: DecomposeRequest, report: Callable[[Event], None], _cancelled: object) -> Path:
        report(Event(EventKind.MESSAGE, "reading the plate"))
        raise error

    return work


@pytest.mark.parametrize(
    ("error", "status", "told"),
    [
        (MaskError("masks/anna has 39 masks for 40 frames"), 2, "39 masks for 40 frames. Give one folder per person"),
        (NoSpace("out/0001.exr can't be written: no space left on device"), 2, "--resume"),
        (OSError(28, "No space left on device"), 2, "the disk is full"),
        (MemoryError(), 1, "not enough memory"),
        (Cancelled("Stopped at step 12"), 130, "Use --resume to go on"),
        (KeyboardInterrupt(), 130, "Use --resume to go on"),
    ],
)
def test_each_way_to_end_is_one_line_and_its_status(
    command: Command, decompose_with: Install, tmp_path: Path, error: BaseException, status: int, told: str
) -> None:
    decompose_with(raising(error))
    ended, out, err = command("decompose", "clip.mp4", "--out", tmp_path / "layers")
    assert (ended, out) == (status, "")
    assert told in err.splitlines()[-1]
    assert "Traceback" not in err
    # Wrong input leaves the folder as it was: absent.
    assert list(tmp_path.iterdir()) == []


def test_an_error_is_an_event_for_programs(command: Command, decompose_with: Install, tmp_path: Path) -> None:
    decompose_with(raising(MaskError("masks/anna holds no png files")))
    status, _, err = command("decompose", "clip.mp4", "--out", tmp_path / "layers", "--json")
    event: dict[str, Any] = json.loads(err.splitlines()[-1])
    assert status == 2
    assert event["kind"] == "error"
    assert "anna" in event["message"]
    assert event["data"]["advice"]


def test_our_own_fault_keeps_its_traceback(command: Command, decompose_with: Install, tmp_path: Path) -> None:
    decompose_with(raising(ZeroDivisionError("never")))
    status, _, err = command("decompose", "clip.mp4", "--out", tmp_path / "layers")
    log = tmp_path / "layers" / "log.txt"
    assert status == 1
    assert "Traceback" not in err
    assert str(log) in err.splitlines()[-1]
    assert "ZeroDivisionError: never" in log.read_text()


def test_our_own_fault_where_no_log_can_be_written(command: Command, decompose_with: Install, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    decompose_with(raising(ZeroDivisionError("never")))
    status, _, err = command("decompose", "clip.mp4", "--out", tmp_path / "file" / "layers")
    assert status == 1
    assert "ZeroDivisionError: never" in err


def test_people_refuses_what_it_cannot_read(command: Command, tmp_path: Path) -> None:
    status, _, err = command("people", tmp_path / "clip.mp4", "--out", tmp_path / "masks")
    assert status == 2
    assert "clip.mp4 doesn't exist" in err
    assert list(tmp_path.iterdir()) == []

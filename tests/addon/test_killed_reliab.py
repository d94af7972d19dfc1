"""Blender killed in the middle of a job loses neither edit nor layers; RETIME_PEOPLE_KILLS kills it more often."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from fake_backend import FakeBackend, successful
from pictures import write_layer_set

from tests.addon.killed_blender import FRAMES, PEOPLE

SCRIPT = Path(__file__).with_name("killed_blender.py")
KILLS = int(os.environ.get("RETIME_PEOPLE_KILLS", "1"))
RNG = random.Random(int(os.environ.get("RETIME_PEOPLE_SEED", "0")))
MOST = 12
"""A job that nobody disturbs asks the backend about so often."""


@contextmanager
def blender(step: str, folder: Path) -> Iterator[tuple[subprocess.Popen[str], Path]]:
    """A Blender that has said where it looks for its backend."""
    command = [sys.executable, str(SCRIPT), step, str(folder)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        runtime = next(line for line in process.stdout if line.startswith("RUNTIME ")).split(" ", 1)[1].strip()
        yield process, Path(runtime)
    finally:
        process.kill()
        process.wait()
        process.stdin.close()
        process.stdout.close()


def go(process: subprocess.Popen[str]) -> None:
    process.stdin.write("go\n")
    process.stdin.flush()


@pytest.mark.timeout(300 + 60 * KILLS)
@pytest.mark.parametrize("after", [RNG.randint(1, MOST) for _ in range(KILLS)])
def test_the_next_blender_goes_on(tmp_path, after):
    def script(request):
        return successful(write_layer_set(Path(request["out"]), PEOPLE, FRAMES))

    with blender("begin", tmp_path) as (process, runtime), FakeBackend(runtime, script) as fake:
        go(process)
        while len(fake.asked) < after and process.poll() is None:
            time.sleep(0.002)
        process.kill()
        with blender("go_on", tmp_path) as (again, same):
            assert same == runtime
            go(again)
            said = [
                line.strip() for line in again.stdout if line.startswith(("was", "resumed", "not", "begun", "FAIL"))
            ]
    assert len(said) == 1 and said[0].endswith("['Clip', 'anna', 'background', 'ben']"), said
    sys.stderr.write(f"killed after question {after} to the backend: {said[0].split(' [')[0]}\n")

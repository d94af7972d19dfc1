"""The long bombardments behind docs/reliability.md: what was tried, and what survived.

``python -m benchmarks.reliability faults server blender inputs load api long``; the short, seeded forms of them are
among the tests.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from backend.protocol import DecomposeRequest, DecomposeSettings, to_json
from benchmarks.reliability_load import Server, load, start
from tests.end_to_end.tiny_shot import write_shot
from tests.reliability.struck import Lab, files_of_set, hidden, open_lab

ROOT = Path(__file__).parents[1]
BLOWS = ("kill", "full", "readonly", "vanish", "suspend")
REAL_WORKER = (sys.executable, "-m", "backend.worker")


def faults(count: int, seed: int) -> None:
    """Strike a job at random moments in every way, go on, and compare with an undisturbed run.

    Kills come ``count`` times at a file operation and half as often at any time, the other blows a fifth as often.
    """
    rng = random.Random(seed)
    with tempfile.TemporaryDirectory() as name, open_lab(Path(name)) as lab:
        ended = lab.run(Path(name) / "undisturbed")
        wanted = files_of_set(Path(name) / "undisturbed")
        for blow in BLOWS:
            often = count if blow == "kill" else max(1, count // 5)
            moments = [rng.randint(1, ended["moments"]) for _ in range(often)]
            results = Counter(_strike(lab, Path(name), blow, moment, wanted) for moment in moments)
            print(f"{blow}: {dict(results)}", flush=True)
        times = [rng.uniform(0.02, 2.0) for _ in range(max(1, count // 2))]
        results = Counter(_strike(lab, Path(name), "", 0, wanted, after=after) for after in times)
        print(f"kill at any time: {dict(results)}", flush=True)


def _strike(lab: Lab, folder: Path, blow: str, at: int, wanted: dict[str, bytes], **trial: Any) -> str:
    out = folder / "struck"
    shutil.rmtree(out, ignore_errors=True)
    first = lab.run(out, blow, at, **trial)
    told = first.get("status") in (0, 2) and "Traceback" not in first.get("error", "")
    if first.get("signal") != 9 and not told:
        return f"told badly: {first}"
    if (out / "layers.json").exists() and files_of_set(out) != wanted:
        return "a finished set that is not whole"
    if blow == "vanish":
        shutil.rmtree(out, ignore_errors=True)
    again = lab.run(out, resume=True)
    same = again.get("status") == 0 and files_of_set(out) == wanted and hidden(out) == []
    return "went on to the same bits" if same else f"lost at moment {at}: {again}"


def server(count: int, seed: int) -> None:
    """Kill server or worker at random times of a real job until it is done; compare with an undisturbed job."""
    rng = random.Random(seed)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_shot(folder / "shot")
        running = start(folder / "runtime", REAL_WORKER)
        began = time.monotonic()
        _finish(running, _add(running, folder, "undisturbed"))
        whole, wanted = time.monotonic() - began, files_of_set(folder / "undisturbed")
        results: Counter[str] = Counter()
        for number in range(count):
            job = _add(running, folder, f"struck-{number}")
            time.sleep(rng.uniform(0, whole))
            if number % 2:
                running.process.kill()
                running.process.wait()
                running = start(folder / "runtime", REAL_WORKER)
            else:
                _kill_worker(running)
            _finish(running, job)
            same = files_of_set(folder / f"struck-{number}") == wanted
            results[f"{'server' if number % 2 else 'worker'}: {'same bits' if same else 'OTHER BITS'}"] += 1
            print(f"{number + 1}: {dict(results)}", flush=True)
        running.process.terminate()
        running.process.wait()


def _add(running: Server, folder: Path, name: str) -> str:
    settings = DecomposeSettings(preset="draft", device="cpu", first_frame=1, last_frame=5)
    shot = folder / "shot"
    request = DecomposeRequest(str(shot / "plate"), str(folder / name), str(shot / "masks"), settings=settings)
    status, job = running.ask("POST", "/jobs", to_json(request))
    assert status == 201, job
    return str(job["id"])


def _finish(running: Server, job: str) -> None:
    """Wait for the end of a job; one that failed is resumed, as an artist would."""
    while (state := running.ask("GET", f"/jobs/{job}")[1]["state"]) != "finished":
        if state == "failed":
            assert running.ask("POST", f"/jobs/{job}/resume")[0] == 200
        time.sleep(0.1)


def _kill_worker(running: Server) -> None:
    children = Path(f"/proc/{running.process.pid}/task/{running.process.pid}/children")
    found = [pid for task in children.parents[1].iterdir() for pid in (task / "children").read_text().split()]
    for pid in found:
        os.kill(int(pid), 9)


def blender(count: int, seed: int) -> None:
    """Kill Blender at random times of a job; the next one must find it."""
    _pytest({"RETIME_PEOPLE_KILLS": str(count), "RETIME_PEOPLE_SEED": str(seed)}, "tests/addon/test_killed_reliab.py")


def inputs(_count: int, _seed: int) -> None:
    """Every item of the corpus, and what became of it."""
    _pytest({}, "-v", "tests/reliability/test_corpus.py")


def long(count: int, _seed: int) -> None:
    """Decompose, load and remove in one Blender, again and again."""
    with tempfile.TemporaryDirectory() as name:
        report = Path(name) / "report.txt"
        cycles = {"RETIME_PEOPLE_CYCLES": str(10 * count), "RETIME_PEOPLE_CYCLES_REPORT": str(report)}
        _pytest(cycles, "tests/addon/test_long_use_reliab.py")
        print(report.read_text())


def api(count: int, seed: int) -> None:
    """Requests made by schemathesis from the description of a running server, for about ``count`` times 3 seconds."""
    tool = shutil.which("schemathesis")
    if tool is None:
        sys.exit("schemathesis is needed: python -m pip install '.[audit]'")
    with tempfile.TemporaryDirectory() as name:
        running = start(Path(name) / "runtime", (sys.executable, "-S", "-c", "pass"))
        address = f"http://127.0.0.1:{running.port}"
        command = [tool, "run", f"{address}/openapi.json", "--header", f"Authorization: Bearer {running.token}"]
        # Shutting down is tried by the tests; here it would end the trial.
        options = [
            "--exclude-path",
            "/shutdown",
            "--seed",
            str(seed),
            "--max-time",
            str(3 * count),
            "--continue-on-failure",
        ]
        done = subprocess.run([*command, *options], cwd=name, check=False)
        alive = running.process.poll() is None and running.ask("GET", "/health")[0] == 200
        running.process.terminate()
        running.process.wait()
    print(f"schemathesis ended with {done.returncode}, the server {'lives' if alive else 'IS DEAD'}")


def queue(_count: int, _seed: int) -> None:
    """Two hundred jobs, four clients."""
    print(json.dumps(load(), indent=1))


def _pytest(environment: dict[str, str], *arguments: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *arguments], cwd=ROOT, env={**os.environ, **environment}, check=False
    )
    print(f"pytest ended with {done.returncode}")


TRIALS: dict[str, Callable[[int, int], None]] = {
    "faults": faults,
    "server": server,
    "blender": blender,
    "inputs": inputs,
    "load": queue,
    "api": api,
    "long": long,
}


def main() -> None:
    """Do the trials that are named."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("trials", nargs="+", choices=TRIALS)
    parser.add_argument("--count", type=int, default=20, help="how many of each")
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args()
    for name in chosen.trials:
        print(f"== {name}", flush=True)
        TRIALS[name](chosen.count, chosen.seed)


if __name__ == "__main__":
    main()

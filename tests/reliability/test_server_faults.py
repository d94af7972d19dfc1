"""The server through kills, stops, clocks that jump, lost folders and rivals: no job and no event is lost."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backend.protocol import DecomposeRequest, Event, to_json
from backend.server.job_store import JobStore, state_event
from tests.addon.plain import load

pytestmark = pytest.mark.timeout(120)
Launch = Callable[..., Any]
Request = Callable[..., DecomposeRequest]
Until = Callable[..., Any]
ROOT = Path(__file__).parents[2]


def numbered(events: list[dict[str, Any]]) -> bool:
    return [event["n"] for event in events] == list(range(1, len(events) + 1))


def test_killed_again_and_again_the_server_finishes_every_job(
    launch: Launch, request_for: Request, until: Until
) -> None:
    rng = random.Random(4)
    backend = launch()
    jobs = [backend.add(request_for(kind, str(number))) for number, kind in enumerate(("wait", "quick", "quick"))]
    until(lambda: backend.ask("GET", f"/jobs/{jobs[0]}")[1]["fraction"])
    seen: dict[str, list[dict[str, Any]]] = {job: [] for job in jobs}
    for _ in range(3):
        time.sleep(rng.uniform(0, 0.3))
        for job in jobs:
            seen[job] = backend.ask("GET", f"/jobs/{job}/events")[1]["events"]
        backend.process.kill()
        backend.process.wait()
        backend = launch()
    for job in jobs:
        backend.wait_for(job, "finished")
        events = backend.ask("GET", f"/jobs/{job}/events")[1]["events"]
        assert numbered(events) and events[: len(seen[job])] == seen[job]


def test_a_suspended_server_goes_on_where_it_was(launch: Launch, request_for: Request) -> None:
    backend = launch()
    job = backend.add(request_for("quick"))
    backend.process.send_signal(signal.SIGSTOP)
    time.sleep(0.5)
    backend.process.send_signal(signal.SIGCONT)
    backend.wait_for(job, "finished")
    assert numbered(backend.ask("GET", f"/jobs/{job}/events")[1]["events"])


def test_of_three_backends_that_start_together_one_lives(launch: Launch, tmp_path: Path, until: Until) -> None:
    folder = tmp_path / "shared"
    rivals = [launch(folder=folder, wait=False) for _ in range(3)]
    until(lambda: [rival.poll() for rival in rivals].count(2) == 2)
    alive = [rival for rival in rivals if rival.poll() is None]
    assert len(alive) == 1
    until((folder / "backend.json").exists)
    assert json.loads((folder / "backend.json").read_text())["pid"] == alive[0].pid


def test_a_runtime_folder_that_is_deleted_meanwhile(launch: Launch, request_for: Request, until: Until) -> None:
    backend = launch()
    job = backend.add(request_for("wait"))
    until(lambda: backend.ask("GET", f"/jobs/{job}")[1]["fraction"])
    shutil.rmtree(backend.folder)
    status, answer = backend.ask("POST", "/jobs", to_json(request_for("quick", "other")))
    assert status == 422 and str(backend.folder) in answer["error"]
    backend.ask("POST", f"/jobs/{job}/cancel")
    backend.wait_for(job, "cancelled")
    assert backend.ask("POST", "/shutdown")[0] == 202
    assert backend.process.wait(20) == 0


def test_two_clients_see_and_steer_the_same_jobs(launch: Launch, request_for: Request) -> None:
    backend = launch()
    mine = backend.add(request_for("wait", "mine"))
    status, answer = backend.ask("POST", "/jobs", to_json(request_for("wait", "mine")))
    assert status == 409 and mine in answer["error"]
    theirs = backend.add(request_for("quick", "theirs"))
    assert [job["id"] for job in backend.ask("GET", "/jobs")[1]["jobs"]] == [mine, theirs]
    assert {backend.ask("POST", f"/jobs/{mine}/cancel")[0] for _ in range(3)} == {200}
    backend.wait_for(mine, "cancelled")
    backend.wait_for(theirs, "finished")


@pytest.mark.parametrize("jumps", [[5e9, -5e9, 0.0], [0.0, 1e9, 1.0], [float("1e12"), 1e-3, 2.0]])
def test_a_clock_that_jumps_changes_no_order(tmp_path: Path, request_for: Request, jumps: list[float]) -> None:
    times = iter(jumps * 20)
    store = JobStore(tmp_path / "jobs", clock=lambda: next(times))
    jobs = [store.create(request_for("quick", str(number))) for number in range(3)]
    for job in jobs:
        for step in range(4):
            job.record(Event("progress", stage="train", fraction=step / 4))
    again = JobStore(tmp_path / "jobs", clock=lambda: 0.0).load()
    assert [job.status.id for job in again] == [job.status.id for job in jobs]
    assert all(numbered(job.log().after(0)) and len(job.log()) == 5 for job in again)


@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 10**6))
def test_any_damage_to_a_job_leaves_the_others(tmp_path_factory: pytest.TempPathFactory, seed: int) -> None:
    rng, folder = random.Random(seed), tmp_path_factory.mktemp("jobs")
    store = JobStore(folder)
    request = DecomposeRequest("/clips/a", "/out")
    jobs = [store.create(request) for _ in range(3)]
    for job in jobs:
        job.record(state_event("cancelled", "Cancelled"))  # type: ignore[arg-type]
    victim = rng.choice(sorted(jobs[1].folder.iterdir()))
    data = bytearray(victim.read_bytes())
    if rng.random() < 0.5:
        data = data[: rng.randrange(len(data))]
    else:
        for _ in range(rng.randrange(1, 9)):
            data[rng.randrange(len(data))] = rng.randrange(256)
    victim.write_bytes(data)
    loaded = {job.status.id: job for job in JobStore(folder).load()}
    for job in (jobs[0], jobs[2]):
        assert loaded[job.status.id].status == job.status
    # What is damaged may be forgotten or told in part, never lost: its files stay.
    assert jobs[1].folder.is_dir()


def test_each_state_can_be_cancelled(launch: Launch, request_for: Request, until: Until) -> None:
    backend = launch()
    finished, failed = backend.add(request_for("quick", "a")), backend.add(request_for("wrong", "b"))
    backend.wait_for(finished, "finished")
    backend.wait_for(failed, "failed")
    running, queued = backend.add(request_for("wait", "c")), backend.add(request_for("quick", "d"))
    until(lambda: backend.ask("GET", f"/jobs/{running}")[1]["fraction"])
    expected = {finished: "finished", failed: "failed", running: "cancelled", queued: "cancelled"}
    for job in (queued, running, finished, failed):
        assert backend.ask("POST", f"/jobs/{job}/cancel")[0] == 200
    for job, state in expected.items():
        backend.wait_for(job, state)
    assert backend.ask("POST", f"/jobs/{running}/cancel")[1]["state"] == "cancelled"


def test_a_worker_that_outlives_its_server_is_waited_for(launch: Launch, request_for: Request, until: Until) -> None:
    backend = launch()
    job = backend.add(request_for("wait"))
    until(lambda: backend.ask("GET", f"/jobs/{job}")[1]["fraction"])
    worker = int((Path(request_for().out) / "runs.txt").read_text().split()[0])
    os.kill(worker, signal.SIGSTOP)
    backend.process.kill()
    backend.process.wait()
    again = launch()
    again.wait_for(job, "finished")
    os.kill(worker, signal.SIGKILL)


def test_two_blenders_that_start_together_share_one_backend(tmp_path: Path) -> None:
    module = load("backend_process")
    launch = module.Launch(sys.executable, str(ROOT))
    blenders = [module.BackendProcess(tmp_path / "runtime", launch) for _ in range(2)]
    try:
        for blender in blenders:
            blender.start()
        states = [blender.wait().state for blender in blenders]
        assert states == [module.BackendState.RUNNING] * 2
        assert len({blender.client().health().pid for blender in blenders}) == 1
        # Whoever did not start the one that lives leaves it alone.
        info = module.read_runtime_info(tmp_path / "runtime")
        guest = next(blender for blender in blenders if blender._process.pid != info.pid)
        guest.close()
        assert next(blender for blender in blenders if blender is not guest).look().state == states[0]
    finally:
        for blender in blenders:
            blender.close()

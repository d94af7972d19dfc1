"""The extension and the real server, without any arithmetic: jobs fail for lack of a plate."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from plain import load

process_module, board_module, protocol = load("backend_process"), load("job_board"), load("protocol")
PYTHON = os.environ.get("RETIME_PEOPLE_PYTHON", sys.executable)
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def backend(tmp_path_factory):
    if subprocess.run([PYTHON, "-c", "import starlette, uvicorn"], capture_output=True, check=False).returncode:
        pytest.skip("this Python has no server; set RETIME_PEOPLE_PYTHON to one that has")
    folder = tmp_path_factory.mktemp("runtime folder")
    process = process_module.BackendProcess(folder, process_module.Launch(PYTHON, str(ROOT)))
    process.start()
    assert process.wait().state is process_module.BackendState.RUNNING, process.status.sentence
    yield process
    process.close()
    assert not (folder / "backend.json").exists()


def follow(board, job):
    for _ in range(600):
        board.ask_once()
        board.drain()
        if job.final:
            return
        board._wake.wait(0.1)
    raise AssertionError(f"{job} never ended")


def test_a_job_without_a_plate_fails_with_one_sentence(backend, tmp_path):
    request = protocol.DecomposeRequest(str(tmp_path / "no plate"), str(tmp_path / "out"), str(tmp_path / "masks"))
    status = backend.client().submit(request)
    assert status.request == request
    board = board_module.JobBoard(backend)
    job = board.watch(status.id)
    follow(board, job)
    assert job.state == "failed"
    assert job.message.endswith(".") and "\n" not in job.message
    assert backend.client().job(status.id).state == "failed"
    backend.client().delete(status.id)
    assert status.id not in [job.id for job in backend.client().jobs()]


def test_what_the_server_refuses_is_one_sentence(backend):
    client = backend.client()
    with pytest.raises(load("client").BackendError, match="not absolute") as caught:
        client.submit(protocol.DecomposeRequest("plate", "/out"))
    assert caught.value.status == 422
    with pytest.raises(load("client").BackendError) as caught:
        client.job("nobody")
    assert caught.value.status == 404


def test_a_second_backend_in_the_same_folder_gives_way(backend):
    second = process_module.BackendProcess(backend.runtime_dir, backend.launch)
    assert second.start().state is process_module.BackendState.RUNNING
    assert second.client().health().pid == backend.client().health().pid
    second.close()
    assert backend.look().state is process_module.BackendState.RUNNING


def test_a_killed_server_is_started_again_and_knows_its_jobs(backend, tmp_path):
    request = protocol.DecomposeRequest(str(tmp_path / "no plate"), str(tmp_path / "out"), str(tmp_path / "masks"))
    job_id = backend.client().submit(request).id
    before = backend.client().health().pid
    os.kill(before, 9)
    board = board_module.JobBoard(backend)
    job = board.watch(job_id)
    follow(board, job)
    assert backend.client().health().pid != before
    assert job.state == "failed" and job.message.endswith(".")

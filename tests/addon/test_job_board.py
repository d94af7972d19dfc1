from __future__ import annotations

import time

import pytest
from fake_backend import PNG, FakeBackend, error, progress, state, successful
from plain import load

module = load("job_board")
process_module = load("backend_process")
protocol = load("protocol")
BackendProcess, Launch, JobBoard = process_module.BackendProcess, process_module.Launch, module.JobBoard


@pytest.fixture
def fake(tmp_path):
    with FakeBackend(tmp_path) as backend:
        yield backend


@pytest.fixture
def board(fake, tmp_path):
    board = JobBoard(BackendProcess(tmp_path, Launch("python")))
    yield board
    board.stop()


def submit(fake, script):
    from urllib.request import Request, urlopen  # as another program would

    fake.script = lambda _: script
    body = b'{"plate": "/p", "out": "/o"}'
    headers = {"Authorization": f"Bearer {fake.token}"}
    with urlopen(Request(f"http://127.0.0.1:{fake.port}/jobs", body, headers)):
        return f"job-{len(fake.jobs)}"


def rounds(board, count):
    for _ in range(count):
        board.ask_once()
        board.drain()


def test_follows_a_job_to_its_end(fake, board):
    job = board.watch(submit(fake, successful("/o/layers.json")))
    rounds(board, 2)
    assert (job.state, job.stage, job.fraction, job.seconds_left) == ("running", "Training", 0.25, 30.0)
    rounds(board, 5)
    assert (job.state, job.layers, job.preview, job.final) == ("finished", "/o/layers.json", PNG, True)


def test_a_finished_job_is_asked_for_no_more(fake, board):
    board.watch(submit(fake, [state("finished")]))
    rounds(board, 3)
    fake.asked.clear()
    rounds(board, 2)
    assert set(fake.asked) == {"GET /health"}


def test_the_worker_died_and_the_sentence_arrives(fake, board):
    script = [state("running"), error("The worker was killed", "Press Resume"), state("failed")]
    job = board.watch(submit(fake, script))
    rounds(board, 4)
    assert (job.state, job.message) == ("failed", "The worker was killed. Press Resume.")


def test_a_job_nobody_knows_has_failed(board):
    job = board.watch("gone")
    rounds(board, 1)
    assert job.state == "failed"
    assert "does not know this job" in job.message


def test_joins_a_job_in_the_middle(fake, board):
    name = submit(fake, [])
    for line in (state("running"), progress("Training", 0.5)):
        fake.jobs[name].tell(line)
    job = board.watch(name)
    rounds(board, 1)
    assert (job.fraction, job.last_event) == (0.5, 2)


def test_a_vanished_backend_leaves_the_job_as_it_was(fake, board):
    job = board.watch(submit(fake, [state("running")]))
    rounds(board, 1)
    fake.vanish()
    rounds(board, 2)
    assert job.state == "running"


def test_orders_are_answered_on_the_draining_side(fake, board):
    answers = []
    board.order(lambda: board.backend.client().health().version, answers.append, answers.append)
    board.order(lambda: board.backend.client().job("none"), answers.append, answers.append)
    board.ask_once()
    assert answers == []
    board.drain()
    assert answers == [protocol.VERSION, "There is no job none."]


def test_forgotten_jobs_change_nothing(fake, board):
    board.watch(submit(fake, successful("/o/layers.json")))
    board.ask_once()
    board.forget()
    board.drain()
    assert board.jobs == {}


def test_the_thread_does_the_asking(fake, board):
    job = board.watch(submit(fake, [state("finished")]))
    board.start()
    until = time.monotonic() + 30
    while not job.final and time.monotonic() < until:
        board.drain()
        time.sleep(0.01)
    assert job.final


def test_a_resumed_job_is_followed_again(fake, board):
    name = submit(fake, [state("failed")])
    job = board.watch(name)
    rounds(board, 3)
    fake.resume_script = [state("running"), state("finished")]
    board.order(lambda: board.backend.client().resume(name), lambda status: board.watch(status.id), pytest.fail)
    rounds(board, 6)
    assert job.state == "finished"


def test_an_error_is_one_sentence():
    event = protocol.Event("error", "Frame 3 is damaged.", data={"advice": "Give another file."})
    assert module.error_sentence(event) == "Frame 3 is damaged. Give another file."
    assert module.error_sentence(protocol.Event("error", "No space")) == "No space."

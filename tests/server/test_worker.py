"""The worker: what it says, how it stops, and that every fault ends as one sentence."""

import errno
import json
import os
import signal
import subprocess
import sys
import threading
from io import StringIO

import pytest

from backend.errors import Cancelled, PlateError
from backend.locking import FileLock
from backend.protocol import DecomposeRequest, Event, EventKind, to_json
from backend.server.event_log import read_event
from backend.worker import Reporter, known_fault, run_job

pytestmark = pytest.mark.timeout(60)

CHILD = """
import os, sys, time, types
def decompose(request, report, cancelled):
    from backend.errors import Cancelled
    from backend.protocol import Event
    print("a library prints", flush=True)
    os.system("echo a program prints")
    report(Event("progress", stage="train", fraction=0.5))
    while not cancelled():
        time.sleep(0.01)
    raise Cancelled("stopped at step 1")
sys.modules["torch"] = types.SimpleNamespace(set_flush_denormal=lambda on: print("flush", on))
sys.modules["backend.decompose"] = types.SimpleNamespace(decompose=decompose)
from backend.worker import main
sys.exit(main())
"""


@pytest.fixture
def job(tmp_path):
    """A job's folder with a request in it."""
    (tmp_path / "out").mkdir()
    request = DecomposeRequest(plate="/clips/a.mp4", out=str(tmp_path / "out"))
    (tmp_path / "request.json").write_text(json.dumps(to_json(request)))
    return tmp_path


def run(job, work, stop=None):
    events = []
    status = run_job(job, lambda: work, events.append, stop or threading.Event())
    return status, events


def test_a_job_ends_with_its_result(job):
    def work(request, report, cancelled):
        assert not cancelled()
        report(Event(EventKind.PROGRESS, "Training"))
        return job / request.out / "layers.json"

    status, events = run(job, work)
    assert status == 0
    assert [event.kind for event in events] == ["progress", "result"]
    assert events[-1].data == {"layers": str(job / "out" / "layers.json")}


def failing(error):
    def work(_request, _report, _cancelled):
        raise error

    return work


def test_an_error_with_a_remedy_is_told_with_it(job):
    status, events = run(job, failing(PlateError("a.mp4: not a video")))
    assert status == 2
    assert (events[0].kind, events[0].message) == ("error", "a.mp4: not a video")
    assert events[0].data == {"advice": PlateError.advice}
    assert not (job / "out" / "log.txt").exists()


def test_our_own_fault_leaves_its_traceback(job):
    status, events = run(job, failing(KeyError("secret")))
    assert status == 1
    assert "KeyError" in events[0].message and str(job / "out" / "log.txt") in events[0].data["advice"]
    assert "Traceback" in (job / "out" / "log.txt").read_text()


def test_a_fault_before_there_is_an_out_folder(job):
    (job / "out").rmdir()
    status, _ = run(job, failing(KeyError("x")))
    assert status == 1 and not (job / "out").exists()


def test_a_cancelled_job_says_so(job):
    status, events = run(job, failing(Cancelled("stopped at step 7")))
    assert status == 130 and [event.kind for event in events] == ["message"]


class OutOfMemoryError(RuntimeError):
    """Named like torch's."""


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        OutOfMemoryError("CUDA: tried to allocate 2 GiB"),
        RuntimeError("MPS backend out of memory"),
        RuntimeError("could not create a primitive"),
        RuntimeError("[enforce fail at alloc_cpu.cpp] DefaultCPUAllocator: can't allocate memory: you tried 9 bytes"),
        OSError(errno.ENOMEM, "Cannot allocate memory"),
    ],
)
def test_all_words_for_too_little_memory(job, error):
    status, events = run(job, failing(error))
    assert status == 1
    assert "memory" in events[0].message and "draft" in events[0].data["advice"]


def test_a_full_disk_is_known_and_other_faults_are_not():
    fault = known_fault(OSError(errno.ENOSPC, "No space left on device", "/out/0001.exr"))
    assert fault is not None and "/out/0001.exr" in str(fault) and "disk is full" in str(fault)
    assert known_fault(OSError(errno.EIO, "broken")) is None
    assert known_fault(ValueError("x")) is None


@pytest.mark.parametrize("request_text", [None, "", "[]", '{"plate": "/a"}', '{"plate": "/a", "out": "/b", "x": 1}'])
def test_a_request_that_cannot_be_read(tmp_path, request_text):
    if request_text is not None:
        (tmp_path / "request.json").write_text(request_text)
    status, events = run(tmp_path, failing(AssertionError))
    assert status == 2 and "request.json" in events[0].message


def test_it_waits_for_an_earlier_worker_and_can_be_stopped_then(job):
    earlier, stop = FileLock(job / "worker.lock"), threading.Event()
    assert earlier.acquire()
    threading.Timer(0.3, stop.set).start()
    assert run(job, failing(AssertionError("must not begin")), stop)[0] == 130
    stop.clear()
    threading.Timer(0.3, earlier.release).start()
    assert run(job, failing(PlateError("began")), stop)[0] == 2


def test_progress_is_thinned_out_and_nothing_else():
    now = [0.0]
    output = StringIO()
    reporter = Reporter(output, threading.Event(), clock=lambda: now[0])
    for step in range(101):
        now[0] = step / 100
        reporter.report(Event(EventKind.PROGRESS, stage="train", fraction=step / 100))
        reporter.report(Event(EventKind.MESSAGE, "said"))
    reporter.report(Event(EventKind.PROGRESS, stage="export", fraction=0.0))
    events = [read_event(line) for line in output.getvalue().splitlines()]
    progress = [(event.stage, event.fraction) for event in events if event.kind == "progress"]
    assert progress == [("train", f) for f in (0.0, 0.25, 0.5, 0.75, 1.0)] + [("export", 0.0)]
    assert sum(event.kind == "message" for event in events) == 101


def test_a_listener_that_is_gone_stops_the_work():
    read, write = os.pipe()
    os.close(read)
    stop = threading.Event()
    with os.fdopen(write, "w") as output:
        Reporter(output, stop).report(Event(EventKind.MESSAGE, "hello"))
        assert stop.is_set()
        # What could not be written is still in the buffer: closing would try again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), output.fileno())


@pytest.fixture
def child(job):
    """A real worker process whose decomposition only waits."""
    with (job / "stderr").open("wb") as errors:
        process = subprocess.Popen(
            [sys.executable, "-c", CHILD, str(job)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors
        )
        yield process
    process.kill()
    process.wait()
    process.stdin.close()
    process.stdout.close()


@pytest.mark.parametrize("how", ["stdin", "SIGTERM", "SIGINT"])
def test_a_worker_that_is_asked_stops_cleanly(child, job, how):
    first = read_event(child.stdout.readline())
    assert first.kind == "progress" and first.fraction == 0.5
    if how == "stdin":
        child.stdin.close()
    else:
        child.send_signal(signal.Signals[how])
    rest = [read_event(line) for line in child.stdout]
    assert child.wait(20) == 130
    assert [event.message for event in rest] == ["stopped at step 1"]
    said = (job / "stderr").read_text()
    assert "a library prints" in said and "a program prints" in said and "flush True" in said
    assert "Error" not in said


def test_the_wrong_number_of_arguments():
    done = subprocess.run([sys.executable, "-m", "backend.worker"], capture_output=True, text=True, check=False)
    assert done.returncode == 2 and done.stderr.startswith("usage:")

"""A backend with a fake worker, inside the test or as a process of its own."""

import http.client
import json
import signal
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import pytest

from backend.protocol import DecomposeRequest, to_json
from backend.server.job_queue import JobQueue
from backend.server.job_store import JobStore
from backend.server.runtime import read_runtime_info
from backend.server.worker_process import Patience, WorkerProcess

FAKE_WORKER = (sys.executable, "-S", str(Path(__file__).with_name("fake_worker.py")))
PATIENCE = Patience(cancel=0.5, terminate=0.2)
SERVE = """
import sys
from pathlib import Path
from backend.errors import RetimeError
from backend.server.app import serve
from backend.server.runtime import read_runtime_info
from backend.server.worker_process import Patience
try:
    serve(int(sys.argv[2]), Path(sys.argv[1]), sys.argv[3:], Patience(0.5, 0.2))
except RetimeError as error:
    sys.stderr.write(error.sentence())
    sys.exit(error.exit_status)
"""


def wait_until(condition, seconds=20.0):
    """Look again and again; returns what the condition gave."""
    end = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.01)
    return value


@pytest.fixture
def until():
    return wait_until


@pytest.fixture
def request_for(tmp_path):
    """A request that makes the fake worker behave in a certain way."""

    def make(behaviour="quick", out="out"):
        return DecomposeRequest(plate=f"/clips/{behaviour}", out=str(tmp_path / "results" / out))

    return make


@pytest.fixture
def open_queue(tmp_path):
    """Open (again) the queue of one runtime folder; whatever is open at the end is closed."""
    opened = []

    def make(start=True, command=FAKE_WORKER):
        queue = JobQueue(JobStore(tmp_path / "jobs"), partial(WorkerProcess, command=command, patience=PATIENCE))
        opened.append(queue)
        if start:
            queue.start()
        return queue

    yield make
    for queue in opened:
        queue.close()


@dataclass
class Backend:
    """A backend as a process, and what its clients know of it."""

    folder: Path
    process: subprocess.Popen
    info: dict

    def ask(self, method, path, body=None, headers=None, token=None):
        """(status, parsed JSON or bytes) of one request."""
        connection = http.client.HTTPConnection("127.0.0.1", self.info["port"], timeout=20)
        sent = {"Authorization": f"Bearer {self.info['token'] if token is None else token}", **(headers or {})}
        sent = {name: value for name, value in sent.items() if value is not None}
        try:
            connection.request(method, path, json.dumps(body) if body is not None else None, sent)
            response = connection.getresponse()
            data = response.read()
        finally:
            connection.close()
        is_json = response.getheader("Content-Type") == "application/json"
        return response.status, json.loads(data) if is_json else data

    def add(self, request):
        status, job = self.ask("POST", "/jobs", to_json(request))
        assert status == 201, job
        return job["id"]

    def state(self, job_id):
        return self.ask("GET", f"/jobs/{job_id}")[1]["state"]

    def wait_for(self, job_id, state):
        wait_until(lambda: self.state(job_id) == state)


@pytest.fixture
def launch(tmp_path):
    """Start a backend and wait until it listens; all are ended after the test."""
    started = []

    def make(folder=None, port=0, wait=True):
        folder = folder or tmp_path / "runtime"
        command = [sys.executable, "-c", SERVE, str(folder), str(port), *FAKE_WORKER]
        process = subprocess.Popen(command, stderr=subprocess.PIPE)
        started.append(process)
        if not wait:
            return process

        def info():
            assert process.poll() is None, process.stderr.read()
            found = read_runtime_info(folder)
            return asdict(found) if found and found.pid == process.pid else None

        return Backend(folder, process, wait_until(info))

    yield make
    for process in started:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stderr.close()

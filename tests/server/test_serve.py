"""A real backend as a process of its own, with real sockets and real signals."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from backend.protocol import to_json

pytestmark = pytest.mark.timeout(90)


def test_start_work_and_stop(launch, request_for):
    backend = launch()
    file = backend.folder / "backend.json"
    assert file.stat().st_mode & 0o777 == 0o600
    assert set(backend.info) == {"port", "token", "pid", "version"}
    job = backend.add(request_for("quick"))
    backend.wait_for(job, "finished")
    assert backend.ask("GET", f"/jobs/{job}/preview")[1].startswith(b"\x89PNG")
    assert backend.ask("POST", "/shutdown")[0] == 202
    assert backend.process.wait(20) == 0
    assert not file.exists() and backend.process.stderr.read() == b""


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT"])
def test_a_signal_ends_it_cleanly_and_the_job_goes_on_later(launch, request_for, until, name):
    backend = launch()
    job = backend.add(request_for("wait"))
    until(lambda: backend.ask("GET", f"/jobs/{job}")[1]["fraction"])
    backend.process.send_signal(signal.Signals[name])
    assert backend.process.wait(20) == 0
    assert not (backend.folder / "backend.json").exists()
    launch().wait_for(job, "finished")


def test_a_killed_backend_loses_nothing(launch, request_for, until):
    backend = launch()
    done = backend.add(request_for("quick", "done"))
    backend.wait_for(done, "finished")
    running, queued = backend.add(request_for("wait")), backend.add(request_for("quick", "queued"))
    until(lambda: backend.ask("GET", f"/jobs/{running}")[1]["fraction"])
    before = backend.ask("GET", f"/jobs/{running}/events")[1]["events"]
    backend.process.kill()
    backend.process.wait()
    assert (backend.folder / "backend.json").exists()
    again = launch()
    assert again.info["token"] != backend.info["token"]
    for job in (done, running, queued):
        again.wait_for(job, "finished")
    events = again.ask("GET", f"/jobs/{running}/events")[1]["events"]
    assert events[: len(before)] == before
    assert [e["n"] for e in events] == list(range(1, len(events) + 1))
    assert again.ask("GET", "/health", token=backend.info["token"])[0] == 401


def test_a_worker_dies_with_its_backend(launch, request_for, until):
    backend = launch()
    job = backend.add(request_for("wait"))
    until(lambda: backend.ask("GET", f"/jobs/{job}")[1]["fraction"])
    worker = int((Path(request_for().out) / "runs.txt").read_text().split()[0])
    backend.process.kill()

    def is_gone():
        try:
            return Path(f"/proc/{worker}/stat").read_text().split()[2] == "Z"
        except OSError:
            return True

    until(is_gone)


def test_only_one_backend_per_folder(launch, until):
    backend = launch()
    second = launch(wait=False)
    assert second.wait(20) == 2
    words = second.stderr.read().decode()
    assert str(backend.info["pid"]) in words and "already runs" in words and "\n" not in words
    assert backend.ask("GET", "/health")[0] == 200
    assert launch(folder=backend.folder.with_name("other")).ask("GET", "/health")[0] == 200


@pytest.mark.parametrize("contents", [None, b"", b"garbage", b"[1]", b'{"port": 1}'])
def test_a_stale_runtime_file_is_replaced(launch, tmp_path, contents):
    folder = tmp_path / "runtime"
    folder.mkdir()
    # A process that lives, and is no backend: its number was used again.
    stale = {"port": 1, "token": "old", "pid": os.getpid(), "version": "0"}
    (folder / "backend.json").write_bytes(json.dumps(stale).encode() if contents is None else contents)
    assert launch().ask("GET", "/health")[0] == 200


def test_a_port_that_is_taken(launch):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        process = launch(port=taken.getsockname()[1], wait=False)
        assert process.wait(20) == 2
        assert b"can't be used" in process.stderr.read()


def test_a_port_of_ones_own(launch):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    assert launch(port=port).info["port"] == port


def test_a_runtime_folder_that_cannot_be(launch, tmp_path):
    (tmp_path / "file").write_text("")
    process = launch(folder=tmp_path / "file" / "runtime", wait=False)
    assert process.wait(20) == 2
    assert b"runtime folder can't be used" in process.stderr.read()


def test_it_listens_on_this_computer_only(launch):
    backend = launch()
    hexport = f"{backend.info['port']:04X}"
    rows = [line.split() for name in ("tcp", "tcp6") for line in Path(f"/proc/net/{name}").read_text().splitlines()[1:]]
    listening = [row[1] for row in rows if row[3] == "0A" and row[1].endswith(f":{hexport}")]
    assert listening == [f"0100007F:{hexport}"]


def test_no_secret_in_arguments_or_files(launch, request_for):
    backend = launch()
    backend.ask("GET", "/jobs", token="wrong")
    job = backend.add(request_for("quick"))
    backend.wait_for(job, "finished")
    token = backend.info["token"].encode()
    assert token not in Path(f"/proc/{backend.process.pid}/cmdline").read_bytes()
    holders = [f for f in backend.folder.rglob("*") if f.is_file() and token in f.read_bytes()]
    assert holders == [backend.folder / "backend.json"]


def test_foreign_origins_and_hosts_are_refused(launch):
    backend = launch()
    assert backend.ask("GET", "/health", headers={"Origin": "https://evil.example"})[0] == 403
    assert backend.ask("GET", "/health", headers={"Host": "evil.example"})[0] == 403
    assert backend.ask("GET", "/health", headers={"Authorization": None})[0] == 401
    form = {"Authorization": None, "Origin": "null", "Content-Type": "application/x-www-form-urlencoded"}
    assert backend.ask("POST", "/shutdown", headers=form)[0] == 403
    assert backend.process.poll() is None


@pytest.mark.parametrize(
    "path", ["/jobs/..", "/jobs/../../etc/passwd", "/jobs/./events", "/jobs/%2e%2e%2f%2e%2e", "//jobs"]
)
def test_paths_lead_nowhere(launch, path):
    backend = launch()
    for method in ("GET", "DELETE"):
        status, answer = backend.ask(method, path)
        assert status in (404, 405) and set(answer) == {"error"}


def raw(backend, data, rest=b""):
    """The first line of the answer to raw bytes; the connection may be closed before all are sent."""
    with socket.create_connection(("127.0.0.1", backend.info["port"]), timeout=20) as connection:
        connection.sendall(data)
        try:
            for _ in range(200 if rest else 0):
                connection.sendall(rest)
        except OSError:
            pass
        try:
            return connection.recv(4096).split(b"\r\n")[0]
        except ConnectionResetError:
            return b"closed"


def test_requests_that_are_no_requests(launch, request_for):
    backend = launch()
    head = f"Host: 127.0.0.1:{backend.info['port']}\r\nAuthorization: Bearer {backend.info['token']}\r\n".encode()
    assert b"400" in raw(backend, b"\x16\x03\x01 nonsense\r\n\r\n")
    assert b"400" in raw(backend, b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n")
    assert b"403" in raw(backend, b"GET /health HTTP/1.0\r\n\r\n")
    twice = head + f"Authorization: Bearer {backend.info['token']}\r\n".encode()
    assert b"401" in raw(backend, b"GET /health HTTP/1.1\r\n" + twice + b"\r\n")
    huge = b"POST /jobs HTTP/1.1\r\n" + head + b"Content-Length: 1000000000\r\n\r\n"
    assert raw(backend, huge, b" " * 1_000_000) == b"closed" or b"413" in raw(backend, huge)
    chunked = b"POST /jobs HTTP/1.1\r\n" + head + b"Transfer-Encoding: chunked\r\n\r\n"
    raw(backend, chunked, b"40000\r\n" + b" " * 0x40000 + b"\r\n")
    backend.wait_for(backend.add(request_for("quick")), "finished")


def test_a_slow_client_stops_nobody(launch):
    backend = launch()
    slow = [socket.create_connection(("127.0.0.1", backend.info["port"])) for _ in range(50)]
    for connection in slow:
        connection.sendall(b"POST /jobs HTTP/1.1\r\nHo")
    assert backend.ask("GET", "/health")[0] == 200
    assert backend.ask("POST", "/shutdown")[0] == 202
    assert backend.process.wait(30) == 0
    for connection in slow:
        connection.close()


def test_two_clients_and_twenty_jobs(launch, request_for):
    backend = launch()
    ids, seen = [], [{}, {}]

    def submit(client):
        for i in range(10):
            ids.append(backend.add(request_for("quick", f"{client}-{i}")))

    def follow(mine):
        for job in sorted(ids):
            events, state = [], ""
            while state not in ("finished", "failed", "cancelled"):
                page = backend.ask("GET", f"/jobs/{job}/events?after={len(events)}")[1]
                events, state = events + page["events"], page["state"]
                time.sleep(0.02)
            mine[job] = events

    for work, arguments in ((submit, (0, 1)), (follow, seen)):
        threads = [threading.Thread(target=work, args=(argument,)) for argument in arguments]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(set(ids)) == 20 and seen[0] == seen[1] and set(seen[0]) == set(ids)
    assert all(events[-1]["data"] == {"state": "finished"} for events in seen[0].values())


def test_a_stopped_worker_can_be_cancelled(launch, request_for, until):
    backend = launch()
    job = backend.add(request_for("wait"))
    until(lambda: backend.ask("GET", f"/jobs/{job}")[1]["fraction"])
    worker = int((Path(request_for().out) / "runs.txt").read_text().split()[0])
    os.kill(worker, signal.SIGSTOP)
    assert backend.ask("POST", f"/jobs/{job}/cancel")[0] == 200
    backend.wait_for(job, "cancelled")


def test_a_job_can_be_sent_before_its_out_folder_exists(launch, request_for, tmp_path):
    backend = launch()
    request = to_json(request_for("quick", "a/b/c"))
    assert backend.ask("POST", "/jobs", request)[0] == 201


def test_serving_loads_no_arithmetic():
    code = (
        "import sys, backend.server.app; "
        "sys.exit(str([n for n in ('torch', 'numpy', 'cv2', 'backend.decompose') if n in sys.modules]) )"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stderr.strip() == "[]"

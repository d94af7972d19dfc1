"""Nobody is let in who was not told the token, and nothing is touched but the folders that were given."""

from __future__ import annotations

import ast
import dataclasses
import json
import os
import socket
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from backend.errors import InputError, MaskError
from backend.media.layer_set import check_out_folder
from backend.media.people_info import read_people
from backend.protocol import DecomposeRequest, to_json
from backend.server.guard import BODY_LIMIT
from tests.reliability.struck import Lab
from tests.samples import write_masks

pytestmark = pytest.mark.timeout(120)
ROOT = Path(__file__).parents[2]
Launch = Callable[..., Any]
PATHS = [f.name for f in dataclasses.fields(DecomposeRequest) if f.type == "str" and f.name != "task"]


def operations(backend: Any) -> list[tuple[str, str]]:
    """Every method and path that the running server says it has."""
    paths = backend.ask("GET", "/openapi.json")[1]["paths"]
    return [(method.upper(), path.replace("{job_id}", "000001-00000000")) for path in paths for method in paths[path]]


def test_every_route_is_closed_without_with_a_wrong_and_with_an_expired_token(launch: Launch) -> None:
    earlier = launch()
    expired = earlier.info["token"]
    earlier.process.kill()
    earlier.process.wait()
    backend = launch()
    assert len(operations(backend)) >= 11
    for method, path in operations(backend):
        for authorization in (None, "Bearer ", "Bearer wrong", f"Bearer {expired}", f"Basic {backend.info['token']}"):
            status, answer = backend.ask(method, path, headers={"Authorization": authorization})
            assert (status, set(answer)) == (401, {"error"}), (method, path, authorization)
    assert backend.process.poll() is None and backend.ask("GET", "/jobs")[1] == {"jobs": []}


def test_every_route_is_closed_to_web_pages(launch: Launch) -> None:
    backend = launch()
    port = backend.info["port"]
    rebound = [{"Host": name} for name in ("evil.example", f"evil.example:{port}", f"localhost.evil.example:{port}")]
    scripts = [{"Origin": origin} for origin in ("https://evil.example", "null", f"http://evil.example:{port}")]
    forms = [
        {"Origin": "https://evil.example", "Content-Type": kind, "Sec-Fetch-Site": "cross-site"}
        for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x")
    ]
    preflight = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
    for method, path in [*operations(backend), ("OPTIONS", "/jobs")]:
        for headers in (*rebound, *scripts, *forms, preflight):
            assert backend.ask(method, path, headers=headers)[0] == 403, (method, path, headers)
    assert backend.process.poll() is None and backend.ask("GET", "/jobs")[1] == {"jobs": []}


ODD_PATHS = ["../b", "b", "./b", "~/b", "file:///b", "\\\\server\\share", "/b\0c", "", "/\ud800"]


@pytest.mark.parametrize("name", PATHS)
def test_every_path_of_a_job_must_be_whole(launch: Launch, tmp_path: Path, name: str) -> None:
    backend = launch()
    good = to_json(DecomposeRequest("/clips/quick", str(tmp_path / "out")))
    for path in ODD_PATHS:
        if path == "" and name not in ("plate", "out"):
            continue
        status, answer = backend.ask("POST", "/jobs", {**good, name: path})
        assert status == 422 and name in answer["error"], (path, answer)
    assert backend.ask("GET", "/jobs")[1] == {"jobs": []}


def memory(pid: int) -> int:
    """The most memory a process has ever had, in bytes."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) * 1024


def send(backend: Any, head: bytes, piece: bytes, most: int) -> tuple[int, bytes]:
    """Send a request of up to ``most`` bytes; returns how many went out, and what came back."""
    common = f"Host: 127.0.0.1:{backend.info['port']}\r\nAuthorization: Bearer {backend.info['token']}\r\n".encode()
    sent = 0
    with socket.create_connection(("127.0.0.1", backend.info["port"]), timeout=30) as connection:
        connection.sendall(b"POST /jobs HTTP/1.1\r\n" + common + head + b"\r\n")
        try:
            while sent < most:
                connection.sendall(piece)
                sent += len(piece)
        except OSError:
            pass
        try:
            return sent, connection.recv(100)
        except OSError:
            return sent, b""


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_request_of_a_gigabyte_costs_no_memory(launch: Launch) -> None:
    backend = launch()
    backend.ask("GET", "/jobs")
    before = memory(backend.process.pid)
    chunk = b"40000\r\n" + b" " * 0x40000 + b"\r\n"
    for head, piece in (
        (b"Content-Length: 1000000000\r\n", b" " * 0x40000),
        (b"Transfer-Encoding: chunked\r\n", chunk),
    ):
        sent, _ = send(backend, head, piece, 10**9)
        assert sent < 50 * BODY_LIMIT
    assert memory(backend.process.pid) - before < 20_000_000
    assert backend.ask("GET", "/health")[0] == 200


def test_connections_that_never_say_what_they_want_are_closed(launch: Launch) -> None:
    backend = launch()
    slow = [socket.create_connection(("127.0.0.1", backend.info["port"]), timeout=60) for _ in range(100)]
    for connection in slow[:50]:
        connection.sendall(b"POST /jobs HTTP/1.1\r\nHo")
    assert backend.ask("GET", "/health")[0] == 200
    for connection in slow:
        assert connection.recv(1) == b""
        connection.close()


def addresses() -> Iterator[str]:
    """This computer's names for itself in its networks."""
    for info in socket.getaddrinfo(socket.gethostname(), None, type=socket.SOCK_STREAM):
        if not str(info[4][0]).startswith(("127.", "::1")):
            yield str(info[4][0])


def test_nobody_answers_on_the_network(launch: Launch) -> None:
    backend = launch()
    for address in addresses():
        with pytest.raises(OSError):
            socket.create_connection((address, backend.info["port"]), timeout=5)


def test_what_others_may_not_read(launch: Launch, request_for: Callable[..., DecomposeRequest]) -> None:
    old = os.umask(0)
    try:
        backend = launch()
        backend.wait_for(backend.add(request_for("quick")), "finished")
        backend.ask("GET", "/jobs", token="wrong")
    finally:
        os.umask(old)
    assert (backend.folder / "backend.json").stat().st_mode & 0o777 == 0o600
    for path in (backend.folder / "jobs").rglob("*"):
        if path.name != "worker.log":
            assert path.stat().st_mode & 0o077 == 0, path
    token = backend.info["token"].encode()
    readable = [p for p in backend.folder.rglob("*") if p.is_file() and p.name != "backend.json"]
    assert not [p for p in readable if token in p.read_bytes()]


def test_a_job_writes_into_its_own_folders_only(lab: Lab, tmp_path: Path) -> None:
    out = tmp_path / "layers"
    ended = lab.run(out, "watch", settings={"preset": "draft"})
    assert ended["status"] == 0
    job = str(tmp_path / "layers-job")
    assert [path for path in ended["outside"] if not path.startswith((job, os.devnull))] == []


LINKS = ["background", "residual", "anna", "log.txt", ".work", "checkpoint.pt", "masks", "masks/anna", "preview.png"]


@pytest.mark.parametrize("resume", [False, True])
@pytest.mark.parametrize("name", LINKS)
def test_a_link_in_the_output_folder_is_not_followed(tmp_path: Path, name: str, resume: bool) -> None:
    out, elsewhere = tmp_path / "layers", tmp_path / "elsewhere"
    elsewhere.mkdir()
    (out / name).parent.mkdir(parents=True)
    (out / name).symlink_to(elsewhere)
    with pytest.raises(InputError, match="is a link") as refused:
        check_out_folder(out, resume)
    assert name in str(refused.value) and not list(elsewhere.iterdir())


@pytest.mark.parametrize(
    "entry", [{"name": "../victim"}, {"name": ".."}, {"name": "/etc"}, {"thumbnail": "/etc/passwd"}]
)
def test_a_list_of_people_leads_nowhere_else(tmp_path: Path, entry: dict[str, str]) -> None:
    write_masks(tmp_path / "people", "anna", 2)
    person = {"name": "anna", "color": [1, 0, 0], "thumbnail": "", "first_frame": 1, "last_frame": 2, "confidence": 1}
    data = {"format": "retime-people/people-1", "people": [{**person, **entry}]}
    fields = {"plate": "p", "width": 1, "height": 1, "first_frame": 1, "frames": 2, "finder": "motion"}
    (tmp_path / "people" / "people.json").write_text(json.dumps({**data, **fields}))
    with pytest.raises(MaskError, match="written wrongly"):
        read_people(tmp_path / "people")


FORBIDDEN = {"eval", "exec", "os.system", "os.popen", "pickle.load", "pickle.loads", "marshal.loads", "yaml.load"}


def calls(path: Path) -> Iterator[tuple[str, dict[str, ast.expr]]]:
    """Every call in a file: what is called, and its named arguments."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func), {word.arg: word.value for word in node.keywords if word.arg}


def test_nothing_read_is_ever_run() -> None:
    for path in [*(ROOT / "backend").rglob("*.py"), *(ROOT / "blender_addon").rglob("*.py")]:
        for name, named in calls(path):
            assert name not in FORBIDDEN, (path, name)
            assert "shell" not in named and "allow_pickle" not in named, (path, name)
            if name == "torch.load":
                assert ast.unparse(named["weights_only"]) == "True", path

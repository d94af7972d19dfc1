"""Who is let in, what is answered, and what is refused; the application without a socket."""

import json
import os
import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

from backend.protocol import VERSION, request_from_json, to_json
from backend.server.app import create_app
from backend.server.guard import BODY_LIMIT

TOKEN = "secret-token"
PORT = 4711
HEADERS = {"Authorization": f"Bearer {TOKEN}"}
ROUTES = [
    ("GET", "/health"),
    ("POST", "/jobs"),
    ("GET", "/jobs"),
    ("GET", "/jobs/000001-00000000"),
    ("DELETE", "/jobs/000001-00000000"),
    ("GET", "/jobs/000001-00000000/events"),
    ("POST", "/jobs/000001-00000000/cancel"),
    ("POST", "/jobs/000001-00000000/resume"),
    ("GET", "/jobs/000001-00000000/preview"),
    ("POST", "/shutdown"),
    ("GET", "/"),
    ("GET", "/docs"),
    ("GET", "/openapi.json"),
    ("PUT", "/jobs"),
    ("OPTIONS", "/jobs"),
    ("GET", "/nothing/here"),
]


@pytest.fixture
def stops():
    return []


@pytest.fixture
def queue(open_queue):
    return open_queue(start=False)


@pytest.fixture
def client(queue, stops):
    app = create_app(queue, TOKEN, PORT, lambda: stops.append(True))
    return TestClient(app, base_url=f"http://127.0.0.1:{PORT}", headers=HEADERS, raise_server_exceptions=False)


def sentence(response):
    """The one shape of every refusal."""
    body = response.json()
    assert set(body) == {"error"} and body["error"].endswith("."), body
    return body["error"]


def test_every_route_is_in_the_list_of_tests(client):
    here = {(method, route.path) for route in client.app.routes for method in route.methods - {"HEAD"}}
    assert here <= {(method, path.replace("000001-00000000", "{job_id}")) for method, path in ROUTES}


def test_the_description_names_every_route(client):
    described = client.get("/openapi.json").json()
    here = {(method.lower(), route.path) for route in client.app.routes for method in route.methods - {"HEAD"}}
    assert here == {(method, path) for path, methods in described["paths"].items() for method in methods}
    settings = described["components"]["schemas"]["DecomposeRequest"]["properties"]["settings"]["properties"]
    assert settings["preset"]["enum"] == ["draft", "standard", "best"]
    assert settings["seed"]["maximum"] == 2**31 - 1 and settings["residual"]["type"] == "boolean"


@pytest.mark.parametrize("method, path", ROUTES)
@pytest.mark.parametrize(
    "authorization",
    [None, "", TOKEN, "Bearer", "Bearer ", "Bearer wrong", f"Basic {TOKEN}", f"Bearer {TOKEN} ", "Bearer ü"],
)
def test_nothing_without_the_token(client, stops, method, path, authorization):
    del client.headers["Authorization"]
    headers = {} if authorization is None else {"Authorization": authorization.encode("latin-1")}
    response = client.request(method, path, headers=headers)
    # The space at an end of a header is not part of it.
    assert response.status_code == 401 or authorization == f"Bearer {TOKEN} "
    if authorization != f"Bearer {TOKEN} ":
        assert "token" in sentence(response)
        assert not stops


@pytest.mark.parametrize("method, path", ROUTES)
@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Host": f"evil.example:{PORT}"},
        {"Host": "127.0.0.1"},
        {"Host": "127.0.0.1:1"},
        {"Host": f"127.0.0.1.evil.example:{PORT}"},
        {"Host": ""},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
        {"Origin": f"https://127.0.0.1:{PORT}"},
        {"Origin": ""},
    ],
)
def test_no_web_page_gets_in_even_with_the_token(client, stops, method, path, headers):
    response = client.request(method, path, headers=headers)
    assert response.status_code == 403
    assert sentence(response) and not stops
    assert "access-control-allow-origin" not in response.headers


@pytest.mark.parametrize(
    "headers", [{"Host": f"localhost:{PORT}"}, {"Host": f"LOCALHOST:{PORT}"}, {"Origin": f"http://127.0.0.1:{PORT}"}]
)
def test_our_own_name_is_let_in(client, headers):
    assert client.get("/health", headers=headers).json() == {
        "version": VERSION,
        "pid": os.getpid(),
        "format": "retime-people/1",
    }


def test_what_is_not_there(client):
    for method, path, status in (
        ("GET", "/docs", 404),
        ("GET", "/jobs/", 404),
        ("PUT", "/jobs", 405),
        ("GET", "/jobs/nothing", 404),
        ("GET", "/jobs/..%2f..%2fetc/events", 404),
        ("GET", "/jobs/%2e%2e/events", 404),
    ):
        response = client.request(method, path)
        assert response.status_code == status, path
        assert sentence(response)


def test_what_else_could_be_done_with_a_path_is_told(client):
    assert client.request("PUT", "/jobs").headers["allow"] == "GET, HEAD, POST"
    assert client.request("POST", "/jobs/000001-00000000").headers["allow"] == "DELETE, GET, HEAD"
    assert "allow" not in client.get("/nothing").headers


def test_the_description_knows_a_path_from_a_name(client):
    properties = client.get("/openapi.json").json()["components"]["schemas"]["DecomposeRequest"]["properties"]
    for name, good, bad in (("plate", "/a", ""), ("out", "/a/b", "b"), ("masks", "", "m"), ("hints", "/h", "/h\0")):
        assert re.search(properties[name]["pattern"], good) and not re.search(properties[name]["pattern"], bad), name


def test_a_job_is_told_as_the_protocol_says(client, request_for):
    response = client.post("/jobs", json=to_json(request_for()))
    assert response.status_code == 201
    job = response.json()
    assert job["state"] == "queued" and request_from_json(job["request"]) == request_for()
    assert client.get(f"/jobs/{job['id']}").json() == job
    assert client.get("/jobs").json() == {"jobs": [job]}
    events = client.get(f"/jobs/{job['id']}/events").json()
    assert events["state"] == "queued" and [e["n"] for e in events["events"]] == [1]
    assert client.get(f"/jobs/{job['id']}/events", params={"after": 1}).json()["events"] == []


def test_the_states_that_refuse(client, request_for):
    job = client.post("/jobs", json=to_json(request_for())).json()["id"]
    assert client.post("/jobs", json=to_json(request_for())).status_code == 409
    assert client.post(f"/jobs/{job}/resume").status_code == 409
    assert client.delete(f"/jobs/{job}").status_code == 409
    assert client.post(f"/jobs/{job}/cancel").json()["state"] == "cancelled"
    assert client.post(f"/jobs/{job}/resume").json()["request"]["resume"] is True
    client.post(f"/jobs/{job}/cancel")
    assert client.delete(f"/jobs/{job}").status_code == 204
    assert client.get(f"/jobs/{job}").status_code == 404


@pytest.mark.parametrize("after", ["-1", "x", "1.5", "9" * 5000, "٣", ""])
def test_a_number_that_is_none(client, request_for, after):
    job = client.post("/jobs", json=to_json(request_for())).json()["id"]
    response = client.get(f"/jobs/{job}/events", params={"after": after})
    assert response.status_code == 422
    assert sentence(response)


@pytest.mark.parametrize(
    "body, words",
    [
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b"\xff\xfe", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b"9" * 10_000, "not JSON"),
        (b"[]", "must be a JSON object"),
        (b"{}", "no plate"),
        (b'{"plate": "/a", "out": "/b", "colour": 1}', "unknown name 'colour'"),
        (b'{"plate": "/a", "out": "/b", "settings": {"preset": "huge"}}', "draft, standard, best"),
        (b'{"plate": "/a", "out": "/b", "settings": {"max_seconds": NaN}}', "least allowed"),
        (b'{"plate": "a", "out": "/b"}', "not absolute"),
        (b'{"plate": "/a", "out": "../b"}', "not absolute"),
        (b'{"plate": "/a", "out": "/b", "masks": "m"}', "not absolute"),
        (b'{"plate": "/a\\u0000", "out": "/b"}', "name of a file"),
        (b'{"plate": "/a", "out": "/\\ud800"}', "name of a file"),
        (b'{"plate": ["/a"], "out": "/b"}', "type str"),
    ],
)
def test_a_bad_request_is_told_in_a_sentence(client, body, words):
    response = client.post("/jobs", content=body)
    assert response.status_code == 422
    assert words in sentence(response)
    assert client.get("/jobs").json() == {"jobs": []}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
KEYS = st.sampled_from(["plate", "out", "masks", "resume", "settings", "preset", "seed", "x"])


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=st.dictionaries(KEYS, JSON | st.dictionaries(KEYS, JSON, max_size=3), max_size=5))
def test_any_json_is_a_job_or_a_sentence(client, body):
    response = client.post("/jobs", content=json.dumps(body).encode())
    assert response.status_code in (201, 409, 422)
    if response.status_code != 201:
        assert sentence(response)


def test_a_name_that_is_no_text_comes_back_as_it_was(client, request_for):
    request = to_json(request_for()) | {"plate": "/clips/\udcff"}
    job = client.post("/jobs", content=json.dumps(request).encode()).json()
    assert job["request"]["plate"] == "/clips/\udcff"


def test_a_request_that_is_too_large(client):
    response = client.post("/jobs", content=b" " * (BODY_LIMIT + 1))
    assert response.status_code == 413
    assert sentence(response)
    assert client.post("/jobs", content=(b" " * 1000 for _ in range(2000))).status_code == 413
    assert client.post("/jobs", content=b"", headers={"Content-Length": "9" * 30}).status_code == 413


def test_a_full_disk_is_told(client, request_for, monkeypatch):
    def full(*_arguments, **_names):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "mkdir", full)
    response = client.post("/jobs", json=to_json(request_for()))
    assert response.status_code == 422
    assert "disk is full" in sentence(response)


def test_our_own_fault_is_told_without_its_traceback(client, queue, monkeypatch):
    monkeypatch.setattr(queue, "statuses", lambda: 1 / 0)
    response = client.get("/jobs")
    assert response.status_code == 500
    assert "ZeroDivisionError" in sentence(response) and "Traceback" not in response.text


def test_shutdown_stops(client, stops):
    assert client.post("/shutdown").status_code == 202
    assert stops == [True]


PNG = b"\x89PNG\r\n\x1a\n picture"


@pytest.fixture
def show(client, queue, request_for, tmp_path):
    """Let a job announce a file as its preview; returns the answer to a client that asks for it."""
    job = client.post("/jobs", json=to_json(request_for())).json()["id"]
    out = Path(request_for().out)
    out.mkdir(parents=True)

    def show(file):
        queue._jobs[job].preview = str(file)
        return client.get(f"/jobs/{job}/preview")

    show.out, show.folder = out, tmp_path / "jobs" / job
    return show


def test_a_preview_inside_the_folders_is_shown(show):
    for folder in (show.out, show.folder):
        (folder / "a.png").write_bytes(PNG)
        response = show(folder / "a.png")
        assert (response.status_code, response.content, response.headers["content-type"]) == (200, PNG, "image/png")


def test_no_other_file_is_ever_shown(show, tmp_path):
    secret = tmp_path / "secret.png"
    secret.write_bytes(PNG)
    (show.out / "link.png").symlink_to(secret)
    (show.out / "loop.png").symlink_to(show.out / "loop.png")
    (show.out / "text.png").write_text("no picture")
    (show.out / "folder.png").mkdir()
    for file in (
        "",
        secret,
        show.out / "link.png",
        show.out / "loop.png",
        show.out / "text.png",
        show.out / "folder.png",
        show.out / "missing.png",
        f"{show.out}/../../secret.png",
        "/dev/zero",
        "relative.png",
        "bad\0name",
        "x" * 5000,
    ):
        response = show(file)
        assert response.status_code == 404, file
        assert sentence(response)

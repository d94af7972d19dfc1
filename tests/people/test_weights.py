"""Weights fetched from a server on this computer: with consent, whole, resumed."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from backend.errors import Cancelled, InputError
from backend.people.weights import WeightSet, fetch_weights, read_weight_set

CONTENT = bytes(range(256)) * 9000


class Handler(BaseHTTPRequestHandler):
    """Serves one file, from the middle on when asked to."""

    asked: list[str]

    def do_GET(self) -> None:
        wanted = self.headers.get("Range", "")
        type(self).asked.append(wanted)
        start = int(wanted.removeprefix("bytes=").rstrip("-") or 0) if wanted else 0
        self.send_response(206 if wanted else 200)
        self.send_header("Content-Length", str(len(CONTENT) - start))
        self.end_headers()
        self.wfile.write(CONTENT[start:])

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def address() -> Iterator[str]:
    Handler.asked = []
    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/model"
    server.shutdown()
    thread.join()
    server.server_close()


def describe(folder: Path, url: str, digest: str = "", path: str = "detector/model.bin") -> Path:
    entry = {"path": path, "url": url, "sha256": digest or hashlib.sha256(CONTENT).hexdigest(), "size": len(CONTENT)}
    described = folder / "set.json"
    described.write_text(json.dumps({"name": "Tiny", "licence": "Apache-2.0", "files": [entry]}))
    return described


def fetch(wanted: WeightSet, folder: Path, consent: bool = True, stop_after: int = 10**6) -> list[float]:
    told: list[float] = []
    fetch_weights(wanted, folder, consent, told.append, lambda: len(told) >= stop_after)
    return told


def test_nothing_happens_without_consent(tmp_path: Path, address: str) -> None:
    wanted = read_weight_set(describe(tmp_path, address))
    with pytest.raises(InputError, match=r"Tiny \(2 MB, Apache-2.0\)"):
        fetch(wanted, tmp_path / "weights", consent=False)
    assert Handler.asked == [] and not (tmp_path / "weights").exists()


def test_a_stopped_download_goes_on_and_is_not_done_twice(tmp_path: Path, address: str) -> None:
    wanted = read_weight_set(describe(tmp_path, address))
    with pytest.raises(Cancelled):
        fetch(wanted, tmp_path / "weights", stop_after=1)
    assert not (tmp_path / "weights" / "detector" / "model.bin").exists()
    told = fetch(wanted, tmp_path / "weights")
    assert told == sorted(told) and told[-1] == 1
    assert (tmp_path / "weights" / "detector" / "model.bin").read_bytes() == CONTENT
    fetch(wanted, tmp_path / "weights")
    assert len(Handler.asked) == 2 and Handler.asked[1].startswith("bytes=")


def test_other_content_is_refused(tmp_path: Path, address: str) -> None:
    wanted = read_weight_set(describe(tmp_path, address, digest="0" * 64))
    with pytest.raises(InputError, match="checksum"):
        fetch(wanted, tmp_path / "weights")
    assert not [path for path in (tmp_path / "weights").rglob("*") if path.is_file()]


@pytest.mark.parametrize(
    ("url", "path", "said"),
    [("http://example.org/x", "a/b", "not safe"), ("https://example.org/x", "../b", "can't be kept")],
)
def test_bad_descriptions_are_refused(tmp_path: Path, url: str, path: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        read_weight_set(describe(tmp_path, url, path=path))

"""Bytes that grow towards every branch of the readers, for a bounded time.

``python -m benchmarks.reliability_fuzz -max_total_time=60``: needs atheris (``pip install '.[audit]'``, Linux). The
arguments are libFuzzer's; anything but a refusal ends the run.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["backend.media.layer_info", "backend.protocol", "backend.core.timing"]):
    from backend.core.timing import InvalidMap, check_map
    from backend.errors import RetimeError
    from backend.media.layer_info import InvalidLayers, LayerSetInfo
    from backend.server.event_log import read_event
    from backend.server.requests import parse_request

from tests.samples import write_layer_set


def parsed(data: bytes) -> object:
    """JSON as the readers get it; None for what is none, which they refuse before."""
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        return None


def refused(read: Callable[[], object]) -> None:
    """Read, and let pass only what becomes a sentence."""
    try:
        read()
    except (RetimeError, InvalidLayers, InvalidMap) as refusal:
        assert str(refusal)


def try_all(data: bytes) -> None:
    """Give the same bytes to every reader."""
    refused(lambda: parse_request(data))
    refused(lambda: LayerSetInfo.from_json(parsed(data)))
    refused(lambda: check_map(parsed(data), 1, 9))
    read_event(data)


def seeds(folder: Path) -> Path:
    """Good files to begin with."""
    write_layer_set(folder / "set")
    corpus = folder / "corpus"
    corpus.mkdir()
    (corpus / "layers").write_bytes((folder / "set" / "layers.json").read_bytes())
    (corpus / "map").write_bytes(b"[1, 1.5, 2, 9]")
    (corpus / "job").write_bytes(b'{"plate": "/a", "out": "/b", "settings": {"preset": "draft", "seed": 1}}')
    (corpus / "event").write_bytes(b'{"kind": "progress", "fraction": 0.5, "data": {}}')
    return corpus


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name:
        atheris.Setup([*sys.argv, str(seeds(Path(name)))], try_all)
        atheris.Fuzz()

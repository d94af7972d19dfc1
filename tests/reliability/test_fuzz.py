"""Damaged descriptions, maps and requests: taken, or refused by the error that becomes a sentence."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backend.errors import RetimeError
from backend.media.layer_set import read_layer_set
from backend.media.people_info import PeopleInfo, Person, read_people, write_people
from backend.media.retiming import read_map
from backend.protocol import DecomposeRequest, to_json
from backend.server.requests import parse_request
from backend.server.runtime import read_runtime_info
from tests.addon.plain import load
from tests.samples import write_layer_set

QUICK = settings(
    max_examples=80, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
NUMBERS = st.integers(-(2**70), 2**70) | st.floats() | st.sampled_from([0, -1, 1, 10**400, 1e308])
TEXTS = st.text(max_size=6) | st.sampled_from(["..", "/", "../../etc/passwd", "%d%s%n", "\0", "\ud800", "a" * 300])
JSON = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=5,
)


def spoiled(value: Any, by: Any, seed: int) -> Any:
    """A copy of JSON data with one entry, chosen at random at any depth, taken out or replaced."""
    rng, data = random.Random(seed), [copy.deepcopy(value)]
    place: Any = data
    key: Any = 0
    while isinstance(place[key], dict | list) and place[key] and rng.random() < 0.8:
        place = place[key]
        key = rng.choice(list(place)) if isinstance(place, dict) else rng.randrange(len(place))
    if rng.random() < 0.2 and place is not data:
        del place[key]
    else:
        place[key] = by
    return data[0]


def taken_or_refused(read: Callable[[], object], refusals: type[Exception]) -> None:
    """Reading ends well or with the error that is told; anything else is a fault of ours."""
    try:
        read()
    except refusals as error:
        assert str(error).strip()


@pytest.fixture
def layer_set(tmp_path: Path) -> tuple[Path, Any]:
    write_layer_set(tmp_path / "set")
    return tmp_path / "set", json.loads((tmp_path / "set" / "layers.json").read_text())


@QUICK
@given(by=JSON, seed=st.integers(0, 10**6))
def test_layers_json(layer_set: tuple[Path, Any], by: Any, seed: int) -> None:
    folder, good = layer_set
    (folder / "layers.json").write_text(json.dumps(spoiled(good, by, seed)))
    taken_or_refused(lambda: read_layer_set(folder), RetimeError)
    addon = load("layer_set_file")
    taken_or_refused(lambda: addon.read_layer_set(folder), addon.LayerSetProblem)


@QUICK
@given(data=st.binary(max_size=40))
def test_layers_json_of_any_bytes(layer_set: tuple[Path, Any], data: bytes) -> None:
    folder, _ = layer_set
    (folder / "layers.json").write_bytes(data)
    taken_or_refused(lambda: read_layer_set(folder), RetimeError)
    addon = load("layer_set_file")
    taken_or_refused(lambda: addon.read_layer_set(folder), addon.LayerSetProblem)


@QUICK
@given(text=JSON.map(json.dumps).map(str.encode) | st.binary(max_size=40) | st.just(b"[" * 100_000))
def test_a_map(layer_set: tuple[Path, Any], text: bytes) -> None:
    folder, _ = layer_set
    (folder / "map.json").write_bytes(text)
    taken_or_refused(lambda: read_map(folder / "map.json", read_layer_set(folder)), RetimeError)


@QUICK
@given(by=JSON, seed=st.integers(0, 10**6))
def test_people_json(tmp_path: Path, by: Any, seed: int) -> None:
    people = (Person("anna", (1.0, 0.0, 0.0), ".thumbnails/anna.png", 1, 4, 0.9),)
    path = write_people(tmp_path, PeopleInfo("/clip.mp4", 64, 48, 1, 4, "motion", people))
    path.write_text(json.dumps(spoiled(json.loads(path.read_text()), by, seed)))
    taken_or_refused(lambda: read_people(tmp_path), RetimeError)
    addon = load("people_file")
    taken_or_refused(lambda: addon.read_people(path), addon.PeopleProblem)


GOOD = to_json(DecomposeRequest("/clips/a.mp4", "/out/a", "/masks"))


@QUICK
@given(by=JSON, seed=st.integers(0, 10**6))
def test_a_job(by: Any, seed: int) -> None:
    taken_or_refused(lambda: parse_request(json.dumps(spoiled(GOOD, by, seed)).encode()), RetimeError)


@QUICK
@given(data=st.binary(max_size=60))
def test_a_job_of_any_bytes(data: bytes) -> None:
    taken_or_refused(lambda: parse_request(data), RetimeError)


@QUICK
@given(by=JSON, seed=st.integers(0, 10**6))
def test_a_runtime_file(tmp_path: Path, by: Any, seed: int) -> None:
    good = {"port": 1, "token": "x", "pid": 1, "version": "0"}
    (tmp_path / "backend.json").write_text(json.dumps(spoiled(good, by, seed)))
    read_runtime_info(tmp_path)
    load("backend_process").read_runtime_info(tmp_path)

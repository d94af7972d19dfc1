"""A job of pictures in between: what is written, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from backend.errors import Cancelled, InputError, LayerSetError, SettingError
from backend.media.exr import read_exr
from backend.protocol import DecomposeRequest, Event
from backend.stages.retime import retime, retime_job
from tests.samples import write_layer_set


def ignore(_event: Event) -> None:
    pass


def never() -> bool:
    return False


@pytest.fixture
def layers(tmp_path: Path) -> Path:
    write_layer_set(tmp_path / "layers")
    return tmp_path / "layers"


def request(layers: Path, order: object, resume: bool = False) -> DecomposeRequest:
    file = layers.parent / "order.json"
    file.write_text(order if isinstance(order, str) else json.dumps(order))
    out = str(layers.parent / "out")
    return DecomposeRequest(str(layers), out, task="retime", hints=str(file), resume=resume)


def test_an_order_is_carried_out(layers: Path) -> None:
    done = retime_job(request(layers, {"layer": "anna", "times": [2, 2.5], "spans": [0, 0]}), ignore, never)
    assert json.loads(done.read_text())["map"] == [2, 2.5]
    np.testing.assert_array_equal(read_exr(done.parent / "0001.exr"), read_exr(layers / "anna" / "0002.exr"))
    assert sorted(path.name for path in done.parent.iterdir()) == ["0001.exr", "0002.exr", "retimed.json"]


def test_what_is_done_is_not_done_again(layers: Path) -> None:
    order = {"layer": "anna", "times": [2]}
    done = retime_job(request(layers, order), ignore, never)
    (done.parent / "0001.exr").unlink()
    assert retime_job(request(layers, order, resume=True), ignore, never) == done
    assert not (done.parent / "0001.exr").exists()


@pytest.mark.parametrize(
    ("order", "told"),
    [
        ("{", "can't be read"),
        ("[]", "can't be read"),
        ({"layer": "anna"}, "can't be read"),
        ({"layer": "anna", "times": [9]}, "entry 1 is 9, but the frames are 1 to 6"),
        ({"layer": "anna", "times": [1, 2], "spans": [0]}, "2 times and 1 spans"),
        ({"layer": "anna", "times": [1], "spans": [-1]}, "entry 1 is -1"),
        ({"layer": "bob", "times": [1]}, "no layer 'bob'"),
        ({"layer": ["anna"], "times": [1]}, "no layer"),
    ],
)
def test_a_bad_order_leaves_nothing(layers: Path, order: object, told: str) -> None:
    with pytest.raises((InputError, LayerSetError), match=told):
        retime_job(request(layers, order), ignore, never)
    assert not (layers.parent / "out").exists()


def test_a_cancelled_order_leaves_nothing(layers: Path) -> None:
    asked = iter([False, True])
    with pytest.raises(Cancelled):
        retime_job(request(layers, {"layer": "anna", "times": [1, 2]}), ignore, lambda: next(asked))
    assert not (layers.parent / "out").exists()


def test_a_shutter_that_can_not_be(layers: Path) -> None:
    for degrees in (-1.0, 361.0, float("nan")):
        with pytest.raises(SettingError, match="shutter"):
            retime(layers, "anna", layers / "map.json", layers.parent / "out", degrees, ignore, never)

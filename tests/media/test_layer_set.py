from __future__ import annotations

import copy
import dataclasses
import json
import os
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backend.core.composite import composite
from backend.errors import InputError, LayerSetError, OutputError
from backend.media.exr import read_exr
from backend.media.layer_info import InvalidLayers
from backend.media.layer_set import (
    CameraEntry,
    LayerReader,
    LayerSetInfo,
    LayerSetWriter,
    check_out_folder,
    open_layers,
    read_layer_set,
)
from tests.samples import (
    SET_FRAMES,
    SET_HEIGHT,
    SET_WIDTH,
    psnr,
    set_background,
    set_layer,
    set_plate,
    write_layer_set,
)

EYE = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))


@pytest.fixture
def out(tmp_path: Path) -> Path:
    write_layer_set(tmp_path / "layers")
    return tmp_path / "layers"


def test_the_files_are_where_the_format_says(out: Path) -> None:
    assert sorted(path.name for path in out.iterdir()) == ["anna", "background", "ben", "layers.json", "residual"]
    for folder in ("anna", "background", "ben", "residual"):
        assert sorted(p.name for p in (out / folder).iterdir()) == [f"{n:04d}.exr" for n in range(1, SET_FRAMES + 1)]
    assert read_exr(out / "background" / "0001.exr")[..., 3].min() == 1
    assert read_exr(out / "residual" / "0001.exr")[..., 3].min() == 1


def test_the_description_is_plain_json(out: Path) -> None:
    data = json.loads((out / "layers.json").read_text())
    assert data["format"] == "retime-people/1"
    assert data["fps"] == [25, 1]
    assert data["layers"][1] == {"name": "anna", "role": "subject", "files": "anna/%04d.exr"}
    assert data["order"][-1] == ["background", "ben", "anna"]
    assert data["camera"] == {"kind": "static", "to_canvas": []}


def test_reading_gives_back_what_was_written(out: Path) -> None:
    info = read_layer_set(out)
    assert info == read_layer_set(out / "layers.json")
    assert info.subjects == ("anna", "ben")
    assert (info.fps, info.first_frame, info.last_frame) == (Fraction(25), 1, SET_FRAMES)
    reader = LayerReader(out, info)
    for index in range(SET_FRAMES):
        np.testing.assert_allclose(reader.background(index + 1), set_background(index), atol=1e-3)
        color, alpha = set_layer("anna", index)
        layer = reader.layer("anna", index + 1)
        np.testing.assert_allclose(layer[..., :3], color * alpha[..., None], atol=1e-3)
        np.testing.assert_array_equal(layer[..., 3], alpha)


def test_layers_and_residual_add_up_to_the_plate(out: Path) -> None:
    reader = open_layers(out)
    for index in range(SET_FRAMES):
        number = index + 1
        layers = (reader.layer(name, number) for name in reader.info.back_to_front(number))
        picture = composite(reader.background(number), layers) + reader.residual(number)
        assert psnr(picture, set_plate(index)) > 70


def test_frame_numbers_of_the_plate_and_beyond_four_digits(tmp_path: Path) -> None:
    write_layer_set(tmp_path, first_frame=9998)
    assert open_layers(tmp_path).layer("anna", 10_001).shape == (SET_HEIGHT, SET_WIDTH, 4)
    assert (tmp_path / "anna" / "10001.exr").exists()


def test_masks_are_8_bit_grey(tmp_path: Path) -> None:
    LayerSetWriter(tmp_path).write_mask("anna", 7, np.array([[0, 0.5], [1, 2]]))
    mask = cv2.imread(str(tmp_path / "masks" / "anna" / "0007.png"), cv2.IMREAD_UNCHANGED)
    assert mask.tolist() == [[0, 128], [255, 255]]


@pytest.mark.parametrize("layer", ["anna", "background", "residual"])
def test_a_missing_frame_is_named(out: Path, layer: str) -> None:
    (out / layer / "0004.exr").unlink()
    with pytest.raises(LayerSetError, match=f"Layer '{layer}' lacks frame 4"):
        read_layer_set(out)


def test_a_set_that_lost_a_frame_is_not_finished(out: Path) -> None:
    info = read_layer_set(out)
    (out / "layers.json").unlink()
    (out / "anna" / "0004.exr").unlink()
    with pytest.raises(OutputError, match="'anna' lost frame 4"):
        LayerSetWriter(out).finish(info)
    assert not (out / "layers.json").exists()


def test_a_missing_layer_is_named(out: Path) -> None:
    for path in (out / "ben").iterdir():
        path.unlink()
    (out / "ben").rmdir()
    with pytest.raises(LayerSetError, match="Layer 'ben' lacks frame 1"):
        read_layer_set(out)


def test_a_damaged_frame_is_named(out: Path) -> None:
    path = out / "anna" / "0002.exr"
    path.write_bytes(path.read_bytes()[:400])
    with pytest.raises(LayerSetError, match=r"0002\.exr can't be read"):
        open_layers(out).layer("anna", 2)


def test_an_unfinished_set_says_so(out: Path) -> None:
    (out / "layers.json").unlink()
    with pytest.raises(LayerSetError, match=r"holds no layers\.json"):
        read_layer_set(out)
    with pytest.raises(LayerSetError, match="doesn't exist"):
        read_layer_set(out / "nowhere")


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "\x00", '{"format": "other/1"}', "[" * 100_000])
def test_another_file_under_its_name(out: Path, text: str) -> None:
    (out / "layers.json").write_text(text)
    with pytest.raises(LayerSetError, match=r"layers\.json can't be read"):
        read_layer_set(out)


def changed(**entries: Any) -> dict[str, Any]:
    """The JSON of a small good set with some entries changed."""
    layers = [
        {"name": "background", "role": "background", "files": "background/%04d.exr"},
        {"name": "anna", "role": "subject", "files": "anna/%04d.exr"},
    ]
    good = {
        "format": "retime-people/1",
        "plate": "clip.mp4",
        "width": 8,
        "height": 6,
        "fps": [24, 1],
        "first_frame": 1,
        "frames": 2,
        "layers": layers,
        "order": [["background", "anna"], ["anna"]],
        "camera": {"kind": "static", "to_canvas": []},
        "settings": {},
        "metrics": {},
        "version": "0.1.0",
    }
    return copy.deepcopy(good | entries)


def layer(name: str = "anna", role: str = "subject", files: str | None = None) -> dict[str, str]:
    return {"name": name, "role": role, "files": files or f"{name}/%04d.exr"}


def test_a_good_description_survives() -> None:
    info = LayerSetInfo.from_json(changed())
    assert info.to_json() == changed()
    assert info.back_to_front(1) == info.back_to_front(2) == ("anna",)


@pytest.mark.parametrize(
    ("entries", "told"),
    [
        ({"format": "retime-people/2"}, "format is 'retime-people/2'"),
        ({"width": "8"}, "'width' is missing or not of type int"),
        ({"width": 0}, "'width' is 0"),
        ({"frames": True}, "'frames'"),
        ({"first_frame": 0}, "'first_frame' is 0"),
        ({"fps": [24, 0]}, "'fps' can't be read"),
        ({"fps": [0, 1]}, "no frame rate"),
        ({"fps": [24]}, "'fps' can't be read"),
        ({"plate": None}, "'plate'"),
        ({"layers": ["anna"]}, "no layer"),
        ({"layers": [layer("background", "background"), layer("anna", "star")]}, "unknown role 'star'"),
        ({"layers": [layer("background", "background"), layer(), layer()]}, "same name"),
        ({"layers": [layer()]}, "exactly one background"),
        ({"layers": [layer("background", "background"), layer("rest", "residual")]}, "residual"),
        ({"layers": [layer("background", "background"), layer(files="../secret/%04d.exr")]}, "has the files"),
        ({"layers": [layer("background", "background"), layer("../anna")]}, "has the files"),
        ({"order": [["anna"]]}, "1 lists for 2 frames"),
        ({"order": [["anna"], ["bob"]]}, "order of frame 2"),
        ({"order": [["anna", "anna"], ["anna"]]}, "order of frame 1"),
        ({"order": [["anna", "background"], ["anna"]]}, "background in front"),
        ({"order": [1, 2]}, "'order' can't be read"),
        ({"camera": {"kind": "drone", "to_canvas": []}}, "camera is 'drone'"),
        ({"camera": {"kind": "homography", "to_canvas": [EYE]}}, "1 homographies for 2 frames"),
        ({"camera": {"kind": "homography", "to_canvas": [[[1, 0], [0, 1]]] * 2}}, "'camera' can't be read"),
        ({"camera": {"kind": "homography", "to_canvas": [[[float("nan")] * 3] * 3] * 2}}, "not a number"),
    ],
)
def test_contradictions_are_named(entries: dict[str, Any], told: str) -> None:
    with pytest.raises(InvalidLayers, match=told):
        LayerSetInfo.from_json(changed(**entries))


json_values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=8),
    lambda children: st.lists(children, max_size=4) | st.dictionaries(st.text(max_size=8), children, max_size=4),
    max_leaves=8,
)


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.sampled_from(sorted(changed())), json_values)
def test_any_json_in_any_entry_is_good_or_a_sentence(entry: str, value: object) -> None:
    try:
        LayerSetInfo.from_json(changed(**{entry: value}))
    except InvalidLayers as error:
        assert str(error)


def test_a_figure_that_json_cannot_hold_does_not_cost_the_set(out: Path) -> None:
    info = dataclasses.replace(read_layer_set(out), metrics={"recon_psnr": float("inf"), "seconds": 2.5})
    LayerSetWriter(out).finish(info)
    assert read_layer_set(out).metrics == {"recon_psnr": None, "seconds": 2.5}


def test_a_moving_camera_survives(tmp_path: Path) -> None:
    camera = CameraEntry("homography", (EYE,) * SET_FRAMES)
    write_layer_set(tmp_path, camera=camera)
    assert read_layer_set(tmp_path).camera == camera


def test_a_new_or_empty_folder_may_be_written(tmp_path: Path) -> None:
    assert check_out_folder(tmp_path / "new", resume=False) is False
    assert not (tmp_path / "new").exists()
    (tmp_path / ".DS_Store").touch()
    (tmp_path / "masks" / "anna").mkdir(parents=True)
    (tmp_path / "log.txt").touch()
    assert check_out_folder(tmp_path, resume=False) is False


def test_a_finished_set_is_never_overwritten(out: Path) -> None:
    with pytest.raises(InputError, match="already holds a layer set"):
        check_out_folder(out, resume=False)
    assert check_out_folder(out, resume=True) is True


@pytest.mark.parametrize("left", ["checkpoint.pt", "checkpoint/0100.pt", "background/0001.exr", "anna/0001.exr"])
def test_unfinished_work_is_resumed_or_refused(tmp_path: Path, left: str) -> None:
    (tmp_path / left).parent.mkdir(exist_ok=True)
    (tmp_path / left).touch()
    with pytest.raises(InputError, match="unfinished") as caught:
        check_out_folder(tmp_path, resume=False)
    assert "--resume" in caught.value.advice
    assert check_out_folder(tmp_path, resume=True) is False


@pytest.mark.parametrize("resume", [False, True])
@pytest.mark.parametrize("name", ["holiday.jpg", "photos/img_1.exr", "anna/notes.txt"])
def test_a_folder_with_other_things_in_it_is_left_alone(tmp_path: Path, name: str, resume: bool) -> None:
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).touch()
    with pytest.raises(InputError, match="holds other files"):
        check_out_folder(tmp_path, resume)


@pytest.mark.parametrize("name", ["a.txt/layers", "a.txt/deep/layers", "a" * 5000, "nul\0"])
def test_where_no_folder_can_be_it_is_told_before_any_work(tmp_path: Path, name: str) -> None:
    (tmp_path / "a.txt").touch()
    with pytest.raises(OutputError):
        check_out_folder(tmp_path / name, resume=False)


def test_a_read_only_folder_is_told_before_any_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(OutputError, match="can't be written to"):
        check_out_folder(tmp_path / "layers", resume=False)


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "a.txt").touch()
    with pytest.raises(OutputError, match="is a file"):
        check_out_folder(tmp_path / "a.txt", resume=False)


@pytest.mark.parametrize("folder", [".", "anna", "background", "coverage", "masks/anna"])
def test_what_a_killed_writer_has_left_is_gone_when_the_set_is_finished(tmp_path: Path, folder: str) -> None:
    left = tmp_path / "set" / folder / ".0001.4711.tmp.png"
    left.parent.mkdir(parents=True)
    left.touch()
    write_layer_set(tmp_path / "set")
    assert not left.exists()

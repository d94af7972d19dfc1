from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from backend.core.color import decode_layer, encode_layer
from backend.core.composite import composite
from backend.core.timing import Times, identity_map
from backend.errors import InputError, LayerSetError
from backend.media.layer_set import CameraEntry, LayerReader, open_layers
from backend.media.retiming import Recomposite, read_map
from backend.media.slow_motion import LayerInTime
from tests.samples import (
    SET_FRAMES,
    psnr,
    set_background,
    set_layer,
    set_order,
    set_plate,
    write_layer_set,
)


@pytest.fixture
def reader(tmp_path: Path) -> LayerReader:
    write_layer_set(tmp_path)
    return open_layers(tmp_path)


def times(*values: float) -> Times:
    return np.array(values, np.float64)


def expected(index: int, anna: int) -> np.ndarray:
    """The composite of a frame with anna as she was at another one, without the residual."""
    at = {"anna": anna, "ben": index}
    layers = [decode_layer(encode_layer(*set_layer(name, at[name]))) for name in set_order(index)]
    return composite(set_background(index), layers)


def test_untouched_it_is_the_plate(reader: LayerReader) -> None:
    frames = list(Recomposite(reader, {}))
    assert len(frames) == SET_FRAMES
    for index, frame in enumerate(frames):
        assert psnr(frame, set_plate(index)) > 70


def test_without_a_residual_it_is_the_layers_alone(tmp_path: Path) -> None:
    write_layer_set(tmp_path, residual=False)
    for index, frame in enumerate(Recomposite(open_layers(tmp_path), {})):
        np.testing.assert_allclose(frame, expected(index, index), atol=1e-3)


def test_the_identity_map_retimes_nothing(reader: LayerReader) -> None:
    mapped = Recomposite(reader, {"anna": identity_map(1, SET_FRAMES)})
    np.testing.assert_array_equal(list(mapped), list(Recomposite(reader, {})))


def test_only_the_retimed_person_moves_in_time_and_the_residual_goes(reader: LayerReader) -> None:
    frames = list(Recomposite(reader, {"anna": times(1, 1, 1, 2, 3, 4)}))
    for index, source in enumerate([0, 0, 0, 1, 2, 3]):
        np.testing.assert_allclose(frames[index], expected(index, source), atol=1e-3)


def test_a_longer_map_holds_everything_else_at_the_end(reader: LayerReader) -> None:
    mapped = Recomposite(reader, {"anna": times(1, 2, 3, 4, 5, 6, 1, 2)})
    frames = list(mapped)
    assert len(mapped) == len(frames) == 8
    np.testing.assert_allclose(frames[7], expected(SET_FRAMES - 1, 1), atol=1e-3)


def test_a_shorter_map_ends_earlier(reader: LayerReader) -> None:
    assert len(list(Recomposite(reader, {"anna": times(3, 2)}))) == 2


def test_frames_are_those_of_the_plate(tmp_path: Path) -> None:
    write_layer_set(tmp_path, first_frame=11)
    reader = open_layers(tmp_path)
    frames = list(Recomposite(reader, {"anna": times(11, 16)}))
    np.testing.assert_allclose(frames[1], expected(1, 5), atol=1e-3)


def test_a_fractional_time_shows_a_picture_in_between(reader: LayerReader) -> None:
    frame = next(iter(Recomposite(reader, {"anna": times(2.5)})))
    between = LayerInTime(reader, "anna").display(2.5)
    stack = [between if name == "anna" else reader.layer(name, 1) for name in reader.info.back_to_front(1)]
    np.testing.assert_allclose(frame, composite(reader.background(1), stack), atol=1e-5)


def test_a_retimed_layer_follows_the_camera(tmp_path: Path) -> None:
    # The camera pans by one pixel a frame; frame k shows the canvas from x = k on.
    pan = tuple(((1.0, 0.0, float(index)), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)) for index in range(SET_FRAMES))
    write_layer_set(tmp_path, camera=CameraEntry("homography", pan))
    reader = open_layers(tmp_path)
    frame = list(Recomposite(reader, {"anna": times(1, 2, 3, 3)}))[3]
    layers = [reader.layer("ben", 4), np.roll(reader.layer("anna", 3), -1, axis=1)]
    np.testing.assert_allclose(frame, composite(reader.background(4), layers), atol=1e-5)


def test_somebody_unknown_is_told_with_who_there_is(reader: LayerReader) -> None:
    for name in ("bob", "background", "residual"):
        with pytest.raises(LayerSetError, match=f"no layer '{name}'") as caught:
            Recomposite(reader, {name: times(1)})
        assert "anna, ben" in caught.value.advice


def test_maps_of_different_lengths(reader: LayerReader) -> None:
    with pytest.raises(InputError, match="anna 2, ben 3"):
        Recomposite(reader, {"anna": times(1, 2), "ben": times(1, 2, 3)})


def test_a_map_is_read(reader: LayerReader, tmp_path: Path) -> None:
    (tmp_path / "map.json").write_text(json.dumps([1, 1.5, 6]))
    assert read_map(tmp_path / "map.json", reader.info).tolist() == [1, 1.5, 6]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (None, "map.json doesn't exist"),
        ("", "can't be read as JSON"),
        ("[1, 2", "can't be read as JSON"),
        ("[" * 100_000, "can't be read as JSON"),
        ("\xff\xfe", "can't be read as JSON"),
        ("[]", "at least one entry"),
        ("{}", "not a list"),
        ("[7]", "entry 1 is 7, but the frames are 1 to 6"),
        ("[1, NaN]", "entry 2 is nan"),
        ("[1, Infinity]", "entry 2 is inf"),
        ('["1"]', "entry 1 is '1', not a number"),
    ],
)
def test_a_bad_map_is_told_in_one_sentence(reader: LayerReader, tmp_path: Path, text: str | None, told: str) -> None:
    if text is not None:
        (tmp_path / "map.json").write_bytes(text.encode("latin-1"))
    with pytest.raises(InputError, match=told) as caught:
        read_map(tmp_path / "map.json", reader.info)
    assert "from 1 to 6" in caught.value.sentence()

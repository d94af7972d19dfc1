from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from backend.errors import InputError, OutputError
from backend.media.pictures import check_new_file, check_new_folder, write_images, write_movie
from backend.media.plates import open_plate
from tests.samples import BT709, LIMITED, blocks


def display(count: int, height: int = 48, width: int = 64) -> list[np.ndarray]:
    return [frame.astype(np.float32) / 255 for frame in blocks(count, height, width)]


def test_images_have_16_bits(tmp_path: Path) -> None:
    frames = [frame * np.float32(0.77) for frame in display(3)]
    write_images(tmp_path / "frames", frames)
    assert sorted(path.name for path in (tmp_path / "frames").iterdir()) == ["0001.png", "0002.png", "0003.png"]
    np.testing.assert_allclose(list(open_plate(tmp_path / "frames")), frames, atol=1e-5)


def test_what_leaves_the_range_is_clipped(tmp_path: Path) -> None:
    write_images(tmp_path, [np.full((16, 16, 3), value, np.float32) for value in (-0.5, 1.5)])
    assert [float(frame.mean()) for frame in open_plate(tmp_path)] == [0.0, 1.0]


def test_a_movie_carries_its_colours_and_rate(tmp_path: Path) -> None:
    path = tmp_path / "film.mp4"
    write_movie(path, display(5), Fraction(30000, 1001))
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        assert (stream.codec_context.name, stream.codec_context.pix_fmt) == ("h264", "yuv420p")
        assert (stream.codec_context.colorspace, stream.codec_context.color_range) == (BT709, LIMITED)
    plate = open_plate(path)
    assert (plate.info.frames, plate.info.fps) == (5, Fraction(30000, 1001))
    for frame, original in zip(plate, display(5), strict=True):
        for column in (10, 32, 54):
            assert np.abs(frame[24, column] - original[24, column]).max() < 4 / 255


@pytest.mark.parametrize(("height", "width"), [(47, 64), (48, 63), (47, 63), (17, 17)])
def test_odd_sizes_get_their_last_row_or_column_twice(tmp_path: Path, height: int, width: int) -> None:
    write_movie(tmp_path / "film.mp4", display(2, height, width), Fraction(25))
    info = open_plate(tmp_path / "film.mp4").info
    assert (info.height, info.width) == (height + height % 2, width + width % 2)


def failing() -> Iterator[np.ndarray]:
    yield from display(3)
    raise ZeroDivisionError


def test_a_failure_leaves_nothing_behind(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError):
        write_movie(tmp_path / "film.mp4", failing(), Fraction(25))
    with pytest.raises(ZeroDivisionError):
        write_images(tmp_path / "frames", failing())
    assert list(tmp_path.iterdir()) == []


def test_a_failure_leaves_an_empty_folder_that_was_there(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError):
        write_images(tmp_path, failing())
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "film.mp4").touch()
    for path, error in ((tmp_path / "film.mp4", InputError), (tmp_path, OutputError)):
        with pytest.raises(error):
            check_new_file(path)
    for path, error in ((tmp_path, InputError), (tmp_path / "film.mp4", OutputError), (tmp_path / "a.mov", InputError)):
        with pytest.raises(error):
            check_new_folder(path)
    check_new_file(tmp_path / "new.mp4")
    check_new_folder(tmp_path / "new")

from __future__ import annotations

import os
import struct
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import OpenEXR
import pytest

from backend.core.color import srgb_to_linear
from backend.errors import PlateError
from backend.media.plates import open_plate
from tests.samples import BT601, BT709, FULL, LIMITED, blocks, write_clip, write_image, write_images


def inside(frame: np.ndarray) -> np.ndarray:
    """The colour in the middle of each of the three blocks, away from the edges that 4:2:0 blurs."""
    height, width = frame.shape[:2]
    return np.stack([frame[height // 2, width * part // 6] for part in (1, 3, 5)])


@pytest.mark.parametrize(
    ("pixels", "matrix", "span"),
    [
        ("yuv420p", BT709, LIMITED),
        ("yuv420p", BT601, LIMITED),
        ("yuv420p", BT709, FULL),
        ("yuv444p", BT709, LIMITED),
        ("yuv420p10le", BT709, LIMITED),
        ("yuv422p10le", BT601, FULL),
    ],
)
def test_colour_tags_are_honoured(tmp_path: Path, pixels: str, matrix: int, span: int) -> None:
    frames = blocks(4)
    plate = open_plate(write_clip(tmp_path / "clip.mp4", frames, pixels=pixels, matrix=matrix, span=span))
    decoded = list(plate)
    assert len(decoded) == plate.info.frames == 4
    for frame, original in zip(decoded, frames, strict=True):
        assert frame.dtype == np.float32
        # Ignoring the matrix would be off by 35, the range by 16.
        assert np.abs(inside(frame) * 255 - inside(original)).max() <= 3


@pytest.mark.parametrize(("matrix", "turns"), [((0, 1, -1, 0), 3), ((-1, 0, 0, -1), 2), ((0, -1, 1, 0), 1)])
def test_a_clip_filmed_sideways_is_upright(tmp_path: Path, matrix: tuple[int, ...], turns: int) -> None:
    clip = write_clip(tmp_path / "clip.mp4", blocks(2))
    lying = next(iter(open_plate(clip)))
    a, b, c, d = (value << 16 for value in matrix)
    content = bytearray(clip.read_bytes())
    # The track header of an mp4 holds the display matrix 44 bytes after its name.
    start = content.find(b"tkhd") + 44
    content[start : start + 36] = struct.pack(">9i", a, b, 0, c, d, 0, 0, 0, 1 << 30)
    clip.write_bytes(content)
    plate = open_plate(clip)
    upright = next(iter(plate))
    assert upright.shape == (plate.info.height, plate.info.width, 3)
    np.testing.assert_array_equal(upright, np.rot90(lying, turns))


def test_ten_bits_are_more_than_eight(tmp_path: Path) -> None:
    ramp = np.repeat(np.linspace(60, 90, 64).astype(np.uint8)[None, :, None], 48, axis=0).repeat(3, axis=2)
    plate = open_plate(write_clip(tmp_path / "clip.mp4", [ramp] * 2, pixels="yuv444p10le"))
    values = next(iter(plate)) * 255
    assert np.abs(values - np.round(values)).max() > 0.1


def test_facts_and_a_second_pass(tmp_path: Path) -> None:
    plate = open_plate(write_clip(tmp_path / "a clip.mp4", blocks(7, 32, 48), fps=Fraction(30000, 1001)))
    info = plate.info
    assert (info.width, info.height, info.fps, info.first_frame, info.frames) == (48, 32, Fraction(30000, 1001), 1, 7)
    np.testing.assert_array_equal(list(plate), list(plate))


def test_a_range_of_frames(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "clip.mp4", blocks(9))
    plate = open_plate(clip, 3, 6)
    assert (plate.info.first_frame, plate.info.last_frame, plate.info.frames, plate.info.total_frames) == (3, 6, 4, 9)
    np.testing.assert_array_equal(list(plate), list(open_plate(clip))[2:6])
    assert open_plate(clip, 4).info.frames == 6
    assert open_plate(clip, 0, 4).info.frames == 4


@pytest.mark.parametrize(
    ("first", "last", "told"),
    [
        (3, 10, "Frames 3-10 are not in .*clip.mp4, which has frames 1-9"),
        (10, 0, "Frames 10-end are"),
        (4, 4, "one frame only"),
    ],
)
def test_frames_outside_the_plate(tmp_path: Path, first: int, last: int, told: str) -> None:
    with pytest.raises(PlateError, match=told):
        open_plate(write_clip(tmp_path / "clip.mp4", blocks(9)), first, last)


def test_a_cut_off_clip_says_how_far_it_goes(tmp_path: Path) -> None:
    noise = np.random.default_rng(0)
    clip = tmp_path / "clip.mkv"
    write_clip(clip, [noise.integers(0, 255, (48, 64, 3), np.uint8) for _ in range(20)])
    clip.write_bytes(clip.read_bytes()[: clip.stat().st_size // 2])
    # A container may end anywhere: then there are fewer frames, and all of those are read.
    plate = open_plate(clip)
    assert 2 <= plate.info.frames < 20
    assert len(list(plate)) == plate.info.frames


def test_a_damaged_clip_is_used_up_to_the_damage(tmp_path: Path) -> None:
    noise = np.random.default_rng(0)
    clip = tmp_path / "clip.mp4"
    frames = [noise.integers(0, 255, (48, 64, 3), np.uint8) for _ in range(20)]
    content = bytearray(write_clip(clip, frames).read_bytes())
    middle = len(content) // 2
    content[middle : middle + 20_000] = bytes(20_000)
    clip.write_bytes(content)
    with pytest.raises(PlateError, match=r"clip\.mp4 is damaged after frame (\d+)") as caught:
        open_plate(clip)
    assert "--frames 1-" in caught.value.advice
    assert len(list(open_plate(clip, 1, 3))) == 3


def no_file(folder: Path) -> Path:
    return folder / "missing.mp4"


def text_file(folder: Path) -> Path:
    # FFmpeg would draw this as a film of letters.
    (folder / "notes.txt").write_text("hello\n" * 100)
    return folder / "notes.txt"


def renamed_text(folder: Path) -> Path:
    (folder / "clip.mp4").write_text("not a video " * 100)
    return folder / "clip.mp4"


def empty_file(folder: Path) -> Path:
    (folder / "clip.mp4").touch()
    return folder / "clip.mp4"


def cut_off_mp4(folder: Path) -> Path:
    clip = write_clip(folder / "clip.mp4", blocks(6))
    clip.write_bytes(clip.read_bytes()[:200])
    return clip


def playlist(folder: Path) -> Path:
    write_clip(folder / "secret.mp4", blocks(3))
    (folder / "list.m3u8").write_text("#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nsecret.mp4\n#EXT-X-ENDLIST\n")
    return folder / "list.m3u8"


def pipe(folder: Path) -> Path:
    # Opening it would wait for ever.
    os.mkfifo(folder / "pipe.mp4")
    return folder / "pipe.mp4"


def too_long_a_name(folder: Path) -> Path:
    return folder / ("a" * 5000)


def sound_only(folder: Path) -> Path:
    with av.open(str(folder / "sound.wav"), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=8000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1600), np.int16), format="s16", layout="mono")
        frame.sample_rate = 8000
        container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return folder / "sound.wav"


def one_frame(folder: Path) -> Path:
    return write_clip(folder / "clip.mp4", blocks(1))


def one_image(folder: Path) -> Path:
    return write_images(folder / "images", blocks(1))


def an_image(folder: Path) -> Path:
    return write_image(folder / "0001.png", blocks(1)[0])


def empty_folder(folder: Path) -> Path:
    (folder / "notes.txt").touch()
    return folder


def two_kinds(folder: Path) -> Path:
    write_images(folder / "images", blocks(3))
    return write_images(folder / "images", blocks(2), ".jpg")


def two_sizes(folder: Path) -> Path:
    write_images(folder / "images", blocks(3))
    write_image(folder / "images" / "0003.png", blocks(1, 24, 32)[0])
    return folder / "images"


def broken_image(folder: Path) -> Path:
    write_images(folder / "images", blocks(3))
    (folder / "images" / "0002.png").write_bytes(b"not an image")
    return folder / "images"


def nan_image(folder: Path) -> Path:
    write_exr_images(folder / "images", [np.full((16, 16, 3), value, np.float32) for value in (0.5, np.nan)])
    return folder / "images"


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (no_file, "missing.mp4 doesn't exist"),
        (text_file, "notes.txt is not a video"),
        (renamed_text, "clip.mp4 is not a video"),
        (empty_file, "clip.mp4 is not a video"),
        (cut_off_mp4, "clip.mp4 is not a video"),
        (playlist, "list.m3u8 is not a video"),
        (pipe, "neither a file nor a folder"),
        (too_long_a_name, "can't be read: file name too long"),
        (sound_only, "sound.wav has no pictures"),
        (one_frame, "clip.mp4 has one frame only"),
        (one_image, "images has one frame only"),
        (an_image, "0001.png is a single image"),
        (empty_folder, "holds no png, jpg, tif or exr images"),
        (two_kinds, r"different kinds \(jpg, png\)"),
        (two_sizes, "0003.png is 32x24 pixels, but 0001.png is 64x48"),
        (broken_image, "0002.png can't be read"),
        (nan_image, "0002.exr holds values that are not numbers"),
    ],
)
def test_what_is_no_plate_is_told_in_one_sentence(tmp_path: Path, make: object, told: str) -> None:
    path = make(tmp_path)  # type: ignore[operator]
    with pytest.raises(PlateError, match=told) as caught:
        open_plate(path)
    assert "\n" not in caught.value.sentence()
    assert caught.value.advice


def write_exr_images(folder: Path, frames: list[np.ndarray]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for number, frame in enumerate(frames, 1):
        header = {"compression": OpenEXR.ZIP_COMPRESSION, "type": OpenEXR.scanlineimage}
        with OpenEXR.File(header, {"RGB": frame}) as file:
            file.write(str(folder / f"{number:04d}.exr"))
    return folder


def test_images_of_8_and_16_bits(tmp_path: Path) -> None:
    eight = blocks(2)
    sixteen = [frame.astype(np.uint16) * 257 for frame in eight]
    for folder in (
        write_images(tmp_path / "png8", eight),
        write_images(tmp_path / "png16", sixteen),
        write_images(tmp_path / "tif16", sixteen, ".tif"),
    ):
        plate = open_plate(folder)
        assert plate.info.fps == 24
        np.testing.assert_allclose(list(plate), np.stack(eight) / 255, atol=1e-6)


def test_jpg_images_are_close(tmp_path: Path) -> None:
    plate = open_plate(write_images(tmp_path, blocks(2), ".jpg"))
    assert np.abs(inside(next(iter(plate))) * 255 - inside(blocks(1)[0])).max() < 4


def test_grey_images_and_alpha(tmp_path: Path) -> None:
    grey = np.full((16, 16), 51, np.uint8)
    transparent = np.full((16, 16, 4), (51, 51, 51, 0), np.uint8)
    write_image(tmp_path / "0001.png", grey)
    write_image(tmp_path / "0002.png", transparent)
    for frame in open_plate(tmp_path):
        np.testing.assert_allclose(frame, np.full((16, 16, 3), 0.2), atol=1e-6)


def test_exr_images_are_scene_linear_and_keep_their_highlights(tmp_path: Path) -> None:
    display = np.linspace(-0.1, 1.5, 16 * 16 * 3, dtype=np.float32).reshape(16, 16, 3)
    folder = write_exr_images(tmp_path / "images", [srgb_to_linear(display)] * 2)
    np.testing.assert_allclose(next(iter(open_plate(folder))), display, atol=1e-5)


def test_a_folder_may_hold_other_files(tmp_path: Path) -> None:
    write_images(tmp_path, blocks(3))
    for name in ("notes.txt", "._0001.png", ".hidden.png", "Thumbs.db"):
        (tmp_path / name).write_bytes(b"?")
    assert open_plate(tmp_path).info.frames == 3


def test_images_without_leading_zeros_come_in_order(tmp_path: Path) -> None:
    for number in (1, 2, 10, 11):
        write_image(tmp_path / f"shot {number}.png", np.full((16, 16, 3), number, np.uint8))
    assert [round(float(frame[0, 0, 0]) * 255) for frame in open_plate(tmp_path)] == [1, 2, 10, 11]


def test_unicode_and_spaces(tmp_path: Path) -> None:
    folder = tmp_path / "Übung 日本"
    assert open_plate(write_images(folder / "bilder", blocks(2))).info.frames == 2
    assert open_plate(write_clip(folder / "clip ä.mp4", blocks(2))).info.frames == 2

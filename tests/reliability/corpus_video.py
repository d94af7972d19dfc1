"""Clips as cameras, phones and broken transfers make them, written afresh by a function each."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from tests.samples import blocks, write_clip, write_image

FRAMES = 4
HDR = {"color_primaries": 9, "color_trc": 16, "colorspace": 9}


def moving(count: int = FRAMES, height: int = 48, width: int = 64) -> list[np.ndarray]:
    """Pictures with a box that moves, of any size from 1x1 on."""
    frames = []
    for index in range(count):
        frame = np.full((height, width, 3), 90, np.uint8)
        frame[:, ::2] = 110
        left = (width // 8 + index * max(1, width // 32)) % width
        frame[height // 4 : height // 2 + 1, left : left + max(1, width // 6)] = (200, 60, 40)
        frames.append(frame)
    return frames


def encode(
    path: Path,
    codec: str,
    pixels: str,
    frames: Sequence[np.ndarray],
    options: dict[str, str] | None = None,
    times: Sequence[int] | None = None,
    tags: dict[str, int] | None = None,
) -> Path:
    """A video with any codec, any pixel format, any times and any tags; frames are RGB or RGBA."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=Fraction(25), options=options or {})
        stream.height, stream.width = frames[0].shape[:2]
        stream.pix_fmt = pixels
        for name, value in (tags or {}).items():
            setattr(stream.codec_context, name, value)
        for number, frame in enumerate(frames):
            picture = av.VideoFrame.from_ndarray(frame, "rgba" if frame.shape[2] == 4 else "rgb24")
            picture = picture.reformat(format=pixels)
            picture.pts = times[number] if times else number
            container.mux(stream.encode(picture))
        container.mux(stream.encode())
    return path


def truncated_mp4(folder: Path) -> Path:
    """The index of an mp4 comes last: cut off, nothing can be read."""
    clip = write_clip(folder / "clip.mp4", blocks(8))
    clip.write_bytes(clip.read_bytes()[:-400])
    return clip


def truncated_mkv(folder: Path) -> Path:
    """A cut-off film in a container that may end anywhere."""
    noise = np.random.default_rng(0)
    clip = write_clip(folder / "clip.mkv", [noise.integers(0, 255, (48, 64, 3), np.uint8) for _ in range(8)])
    clip.write_bytes(clip.read_bytes()[: clip.stat().st_size // 2])
    return clip


def damaged_in_the_middle(folder: Path) -> Path:
    """Zeros where pictures were."""
    noise = np.random.default_rng(0)
    clip = write_clip(folder / "clip.mp4", [noise.integers(0, 255, (48, 64, 3), np.uint8) for _ in range(12)])
    content = bytearray(clip.read_bytes())
    content[len(content) // 2 : len(content) // 2 + 12_000] = bytes(12_000)
    clip.write_bytes(content)
    return clip


def variable_rate(folder: Path) -> Path:
    """A phone's film: the frames come when they come."""
    return encode(folder / "clip.mkv", "libx264", "yuv420p", moving(), times=[0, 1, 7, 8])


def ten_bit(folder: Path) -> Path:
    """Ten bits."""
    return write_clip(folder / "clip.mp4", moving(), pixels="yuv422p10le")


def hdr_tags(folder: Path) -> Path:
    """Tagged as PQ in Rec.2020."""
    return encode(folder / "clip.mp4", "libx264", "yuv420p10le", moving(), tags=HDR)


def with_alpha(folder: Path) -> Path:
    """Transparent pictures."""
    frames = [np.concatenate([f, np.full((*f.shape[:2], 1), 128, np.uint8)], axis=2) for f in moving()]
    return encode(folder / "clip.mov", "png", "rgba", frames)


def interlaced(folder: Path) -> Path:
    """Two half pictures in one."""
    return encode(folder / "clip.mp4", "libx264", "yuv420p", moving(), options={"x264-params": "tff=1"})


def grey(folder: Path) -> Path:
    """Without colour."""
    return encode(folder / "clip.mkv", "ffv1", "gray", moving())


def palette_gif(folder: Path) -> Path:
    """An animated gif."""
    return encode(folder / "clip.gif", "gif", "rgb8", moving())


def odd_size(height: int, width: int) -> Callable[[Path], Path]:
    """Any size, without loss."""

    def make(folder: Path) -> Path:
        return encode(folder / "clip.mkv", "ffv1", "bgr0", moving(FRAMES, height, width))

    make.__name__ = f"size_{width}x{height}"
    return make


def size_that_changes(folder: Path) -> Path:
    """Two films of different sizes in one stream."""
    first, second = (
        encode(folder / f"{h}.ts", "mpeg2video", "yuv420p", moving(FRAMES, h, w)) for h, w in ((48, 64), (64, 96))
    )
    clip = folder / "clip.ts"
    clip.write_bytes(first.read_bytes() + second.read_bytes())
    first.unlink()
    second.unlink()
    return clip


def no_frames(folder: Path) -> Path:
    """A film without a picture."""
    with av.open(str(folder / "clip.mkv"), "w") as container:
        stream = container.add_stream("ffv1", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        container.start_encoding()
    return folder / "clip.mkv"


def one_frame(folder: Path) -> Path:
    """A film of one picture."""
    return write_clip(folder / "clip.mp4", blocks(1))


def sound_only(folder: Path) -> Path:
    """A song."""
    return _sound(folder / "song.mka")


def _sound(path: Path) -> Path:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=8000, layout="mono")
        for number in range(3):
            sound = av.AudioFrame.from_ndarray(np.zeros((1, 800), np.int16), "s16", "mono")
            sound.sample_rate, sound.pts = 8000, 800 * number
            container.mux(stream.encode(sound))
        container.mux(stream.encode())
    return path


def empty_file(folder: Path) -> Path:
    """Nothing at all."""
    (folder / "clip.mp4").touch()
    return folder / "clip.mp4"


def noise_file(folder: Path) -> Path:
    """Bytes that mean nothing."""
    (folder / "clip.mp4").write_bytes(np.random.default_rng(1).bytes(20_000))
    return folder / "clip.mp4"


def text_as_video(folder: Path) -> Path:
    """A letter under the name of a film."""
    (folder / "clip.mp4").write_text("dear diary\n" * 50)
    return folder / "clip.mp4"


def playlist(folder: Path) -> Path:
    """A list that names another file, which was not given."""
    write_clip(folder / "other.mp4", moving())
    (folder / "clip.m3u8").write_text("#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nother.mp4\n#EXT-X-ENDLIST\n")
    return folder / "clip.m3u8"


def concat_script(folder: Path) -> Path:
    """A script that names another file."""
    write_clip(folder / "other.mp4", moving())
    (folder / "clip.txt").write_text(f"ffconcat version 1.0\nfile {folder / 'other.mp4'}\n")
    return folder / "clip.txt"


def picture_as_video(folder: Path) -> Path:
    """One picture under the name of a film."""
    write_image(folder / "a.png", moving()[0]).rename(folder / "clip.mp4")
    return folder / "clip.mp4"


def named(name: bytes) -> Callable[[Path], Path]:
    """A good film under an odd name."""

    def make(folder: Path) -> Path:
        path = folder / os.fsdecode(name)
        write_clip(folder / "clip.mp4", moving()).rename(path)
        return path

    make.__name__ = f"named_{name[:12]!r}"
    return make


WORKS = "works"
VIDEOS: list[tuple[Callable[[Path], Path], str]] = [
    (truncated_mp4, "is not a video that can be read"),
    (truncated_mkv, WORKS),
    (damaged_in_the_middle, "is damaged after frame"),
    (variable_rate, WORKS),
    (ten_bit, WORKS),
    (hdr_tags, WORKS),
    (with_alpha, WORKS),
    (interlaced, WORKS),
    (grey, WORKS),
    (palette_gif, WORKS),
    (odd_size(1, 1), "pixels"),
    (odd_size(7, 5), "pixels"),
    (odd_size(33, 47), WORKS),
    (odd_size(16, 8192), WORKS),
    (odd_size(1024, 16), WORKS),
    (size_that_changes, "changes its size"),
    (no_frames, "is not a video that can be read"),
    (one_frame, "has one frame only"),
    (sound_only, "only sound"),
    (empty_file, "is not a video that can be read"),
    (noise_file, "is not a video that can be read"),
    (text_as_video, "is not a video that can be read"),
    (playlist, "is not a video that can be read"),
    (concat_script, "is not a video that can be read"),
    (picture_as_video, "has one frame only"),
    (named("Ünïcödé 片 🎬.mp4".encode()), WORKS),
    (named(b"with spaces  and 'quotes\".mp4"), WORKS),
    (named(b"\xff\xfe not utf-8.mp4"), WORKS),
    (named(b"new\nline.mp4"), WORKS),
    (named(b"-rf.mp4"), WORKS),
    (named(b"%04d.mp4"), WORKS),
    (named(b"http:x.mp4"), WORKS),
    (named(b"n" * 251 + b".mp4"), WORKS),
]

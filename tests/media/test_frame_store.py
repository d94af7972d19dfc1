from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from backend.core.color import Floats
from backend.errors import OutputError
from backend.media.frame_store import FrameStore

T, H, W = 4, 6, 5


def eight_bit() -> Floats:
    """Frames (T, H, W, 3) of which every value is a multiple of 1/255."""
    return (np.random.default_rng(0).integers(0, 256, (T, H, W, 3)) / 255).astype(np.float32)


def fine() -> Floats:
    """Frames with more than 8 bits, and beyond white."""
    return np.random.default_rng(1).uniform(-0.2, 1.5, (T, H, W, 3)).astype(np.float32)


def stored(path: Path, frames: Floats) -> FrameStore:
    return FrameStore.create(path, iter(frames), len(frames))


def test_eight_bits_come_back_exactly(tmp_path: Path) -> None:
    store = stored(tmp_path / "plate.raw", eight_bit())
    assert (store.kind, len(store), store.shape) == ("uint8", T, (T, H, W, 3))
    for index in range(T):
        np.testing.assert_array_equal(store.frame(index), eight_bit()[index])
    assert store.path.stat().st_size == eight_bit().size


@pytest.mark.parametrize("frames", [fine(), np.concatenate([np.zeros_like(fine()[:2]), fine()[2:]])])
def test_anything_finer_comes_back_as_halves(tmp_path: Path, frames: Floats) -> None:
    store = stored(tmp_path / "plate.raw", frames)
    assert store.kind == "float16"
    for index in range(T):
        np.testing.assert_array_equal(store.frame(index), frames[index].astype(np.float16).astype(np.float32))


def test_masks_may_have_any_number_of_channels(tmp_path: Path) -> None:
    masks = eight_bit()[..., :1].repeat(5, 3)
    np.testing.assert_array_equal(stored(tmp_path / "masks.raw", masks).frame(2), masks[2])


def test_rows_are_parts_of_a_frame(tmp_path: Path) -> None:
    store = stored(tmp_path / "plate.raw", eight_bit())
    np.testing.assert_array_equal(store.rows(3, 2, 5), eight_bit()[3, 2:5])


@pytest.mark.parametrize("frames", [eight_bit(), fine()])
def test_a_whole_store_is_found_again(tmp_path: Path, frames: Floats) -> None:
    kept = stored(tmp_path / "plate.raw", frames)
    found = FrameStore.open(tmp_path / "plate.raw")
    assert found is not None
    assert (found.shape, found.kind) == (kept.shape, kept.kind)
    np.testing.assert_array_equal(found.frame(T - 1), kept.frame(T - 1))


def test_what_was_never_finished_is_not_taken_for_whole(tmp_path: Path) -> None:
    path = tmp_path / "plate.raw"
    assert FrameStore.open(path) is None

    def broken() -> object:
        yield eight_bit()[0]
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        FrameStore.create(path, broken(), T)  # type: ignore[arg-type]
    assert FrameStore.open(path) is None


@pytest.mark.parametrize("description", ["", "[]", "{}", "null", '{"shape": [1, 2], "kind": "uint8"}'])
def test_a_damaged_description_is_none(tmp_path: Path, description: str) -> None:
    store = stored(tmp_path / "plate.raw", eight_bit())
    store.path.with_suffix(".json").write_text(description)
    assert FrameStore.open(store.path) is None


@pytest.mark.parametrize("kind", ["object", "int64", "nonsense", "uint16"])
def test_a_kind_that_is_not_ours_is_none(tmp_path: Path, kind: str) -> None:
    store = stored(tmp_path / "plate.raw", eight_bit())
    store.path.with_suffix(".json").write_text(json.dumps({"shape": store.shape, "kind": kind}))
    assert FrameStore.open(store.path) is None


def test_a_torn_file_is_none(tmp_path: Path) -> None:
    store = stored(tmp_path / "plate.raw", eight_bit())
    store.path.write_bytes(store.path.read_bytes()[:-1])
    assert FrameStore.open(store.path) is None


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match=r"plate\.raw can't be written"):
        stored(tmp_path / "file" / "plate.raw", eight_bit())

from __future__ import annotations

import io
import os
import random
from pathlib import Path

import pytest
import torch

from backend.errors import Cancelled, InputError
from backend.train.checkpoint import check_checkpoint, load_checkpoint, save_checkpoint
from backend.train.loop import TrainState, new_state, train
from tests.train.test_loop import assert_same, never, nothing, trained
from tests.train.toy_shot import QUICK, refit_of, toy_data


def stopped_at(step: int, path: Path) -> None:
    """Train up to a step, keep a checkpoint, and forget everything else."""
    data = toy_data()
    state = new_state(data, QUICK, 0)
    with pytest.raises(Cancelled):
        train(state, data, QUICK, refit_of(data), nothing, lambda: state.step == step)
    save_checkpoint(path, state, "this shot")


def fresh() -> TrainState:
    return new_state(toy_data(), QUICK, seed=99)


@pytest.mark.parametrize("step", [0, 1, 4, 5, 8])
def test_going_on_is_the_same_as_never_having_stopped(tmp_path: Path, step: int) -> None:
    path = tmp_path / "checkpoint.pt"
    if step == QUICK.steps:
        save_checkpoint(path, trained(QUICK)[0], "this shot")
    else:
        stopped_at(step, path)
    data = toy_data()
    state = fresh()
    assert load_checkpoint(path, state, "this shot")
    assert state.step == step
    train(state, data, QUICK, refit_of(data), nothing, never)
    assert_same(state, trained(QUICK)[0])


def test_without_a_checkpoint_nothing_changes(tmp_path: Path) -> None:
    state = fresh()
    assert not load_checkpoint(tmp_path / "checkpoint.pt", state, "this shot")
    assert_same(state, fresh())


def test_a_checkpoint_of_another_shot_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.pt"
    save_checkpoint(path, fresh(), "this shot")
    state = fresh()
    with pytest.raises(InputError, match="another plate, other masks or other settings"):
        load_checkpoint(path, state, "that shot")
    assert_same(state, fresh())
    with pytest.raises(InputError, match="another plate"):
        check_checkpoint(path, "that shot")
    check_checkpoint(path, "this shot")


@pytest.mark.parametrize("damage", ["empty", "half", "text", "list", "foreign"])
def test_a_damaged_checkpoint_is_named_with_a_remedy(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "checkpoint.pt"
    save_checkpoint(path, fresh(), "this shot")
    whole = path.read_bytes()
    contents = {
        "empty": b"",
        "half": whole[: len(whole) // 2],
        "text": b"once upon a time",
        "list": saved([1, 2]),
        "foreign": saved({"weights": torch.zeros(3)}),
    }
    path.write_bytes(contents[damage])
    with pytest.raises(InputError, match=r"checkpoint\.pt can't be read as a checkpoint") as caught:
        load_checkpoint(path, fresh(), "this shot")
    assert "train anew" in caught.value.sentence()


class Harmful:
    """What runs a program when it is unpickled without care."""

    def __init__(self, victim: Path) -> None:
        self.victim = victim

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (str(self.victim),)


def test_a_checkpoint_runs_no_code(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.pt"
    path.write_bytes(saved({"fingerprint": Harmful(tmp_path / "harm")}))
    with pytest.raises(InputError, match="can't be read"):
        load_checkpoint(path, fresh(), "this shot")
    assert not (tmp_path / "harm").exists()


def saved(value: object) -> bytes:
    buffer = io.BytesIO()
    torch.save(value, buffer)
    return buffer.getvalue()


@pytest.mark.parametrize("seed", range(12))
def test_a_flipped_bit_is_noticed(tmp_path: Path, seed: int) -> None:
    path = tmp_path / "checkpoint.pt"
    save_checkpoint(path, fresh(), "this shot")
    content, rng = bytearray(path.read_bytes()), random.Random(seed)
    content[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
    path.write_bytes(content)
    state = fresh()
    try:
        assert load_checkpoint(path, state, "this shot")
    except InputError as error:
        assert "train anew" in error.sentence()
    else:
        # Between the parts of the archive there is room that means nothing.
        assert_same(state, fresh())


def test_a_checkpoint_that_lacks_a_part_is_named(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.pt"
    path.write_bytes(saved({"fingerprint": "this shot", "step": 3}))
    with pytest.raises(InputError, match="can't be read as a checkpoint"):
        load_checkpoint(path, fresh(), "this shot")

"""A job that is struck down loses nothing: what it leaves is unfinished or whole, and it goes on from there."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.reliability.conftest import Reference
from tests.reliability.struck import Lab, files_of_set, hidden

pytestmark = pytest.mark.timeout(300)
SHARES = sorted(random.Random(20).uniform(0.02, 0.99) for _ in range(3))


def assert_goes_on(lab: Lab, out: Path, reference: Reference) -> None:
    """The rest is done, bit for bit as if nothing had happened, and nothing is left behind."""
    ended = lab.run(out, resume=True)
    assert ended["status"] == 0, ended
    assert files_of_set(out) == reference.files
    assert hidden(out) == []


@pytest.mark.parametrize("share", SHARES)
def test_killed_at_any_moment_it_goes_on_to_the_same_bits(
    lab: Lab, reference: Reference, tmp_path: Path, share: float
) -> None:
    out = tmp_path / "layers"
    assert lab.run(out, "kill", round(share * reference.moments)) == {"signal": 9}
    assert not (out / "layers.json").exists() or files_of_set(out) == reference.files
    assert_goes_on(lab, out, reference)


def test_killed_while_a_file_is_being_written(lab: Lab, reference: Reference, tmp_path: Path) -> None:
    out = tmp_path / "layers"
    lab.run(out, after=0.9)
    assert_goes_on(lab, out, reference)


@pytest.mark.parametrize("share", SHARES[1:2])
def test_a_disk_that_fills_up_is_one_sentence_and_no_loss(
    lab: Lab, reference: Reference, tmp_path: Path, share: float
) -> None:
    out = tmp_path / "layers"
    ended = lab.run(out, "full", round(share * reference.moments))
    assert ended["status"] == 2 and str(out) in ended["error"], ended
    assert "no space left" in ended["error"] and "Free some space" in ended["advice"]
    assert not (out / "layers.json").exists()
    assert_goes_on(lab, out, reference)


@pytest.mark.parametrize("kib", [100, 700])
def test_a_small_disk_for_real(lab: Lab, reference: Reference, tiny_disk: Callable[[int], Path], kib: int) -> None:
    out = tiny_disk(kib) / "layers"
    ended = lab.run(out)
    assert ended["status"] == 2 and "Free some space" in ended["advice"], ended
    assert not (out / "layers.json").exists()
    tiny_disk(100_000)
    assert_goes_on(lab, out, reference)


def test_a_folder_that_may_not_be_written_any_more(lab: Lab, reference: Reference, tmp_path: Path) -> None:
    out = tmp_path / "layers"
    ended = lab.run(out, "readonly", reference.moments // 2)
    assert ended["status"] == 2 and "read-only" in ended["error"], ended
    assert_goes_on(lab, out, reference)


@pytest.mark.parametrize("share", [0.4])
def test_a_folder_that_is_deleted_meanwhile(lab: Lab, reference: Reference, tmp_path: Path, share: float) -> None:
    out = tmp_path / "layers"
    ended = lab.run(out, "vanish", round(share * reference.moments))
    assert ended["status"] == 2 and str(out) in ended["error"], ended
    assert not (out / "layers.json").exists()
    shutil.rmtree(out, ignore_errors=True)
    assert_goes_on(lab, out, reference)


def test_a_suspended_worker_goes_on(lab: Lab, reference: Reference, tmp_path: Path) -> None:
    out = tmp_path / "layers"
    ended = lab.run(out, "suspend", reference.moments // 2)
    assert ended["status"] == 0, ended
    assert files_of_set(out) == reference.files


@pytest.mark.parametrize("megabytes", [120])
def test_too_little_memory_is_a_sentence_that_says_what_to_lower(
    lab: Lab, reference: Reference, tmp_path: Path, megabytes: int
) -> None:
    out = tmp_path / "layers"
    ended = lab.run(out, memory=megabytes << 20)
    assert ended["status"] == 1 and "not enough memory" in ended["error"], ended
    assert "draft preset" in ended["advice"] and "fewer frames" in ended["advice"]
    assert_goes_on(lab, out, reference)


def test_masks_inside_the_set_are_used_and_left_alone(lab: Lab, reference: Reference, tmp_path: Path) -> None:
    out = tmp_path / "layers"
    shutil.copytree(lab.shot / "masks", out / "masks")
    before = {p: (p.read_bytes(), p.stat().st_mtime_ns) for p in (out / "masks").rglob("*.png")}
    request = lab.request(out)
    request = type(request)(request.plate, request.out, str(out / "masks"), settings=request.settings)
    assert lab.run(out, "kill", round(0.6 * reference.moments), request=request) == {"signal": 9}
    again = type(request)(request.plate, request.out, request.masks, True, request.settings)
    assert lab.run(out, request=again)["status"] == 0
    after = {p: (p.read_bytes(), p.stat().st_mtime_ns) for p in (out / "masks").rglob("*.png")}
    assert after == before
    layers = {name: data for name, data in reference.files.items() if name.endswith(".exr")}
    assert {name: data for name, data in files_of_set(out).items() if name.endswith(".exr")} == layers

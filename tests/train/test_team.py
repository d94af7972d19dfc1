"""Two processes learn what one learns."""

from __future__ import annotations

import dataclasses
import os
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.multiprocessing as mp

from backend.train.follower import follow
from backend.train.loop import new_state, predict, train
from backend.train.team import Order, Team
from tests.end_to_end.tiny_shot import write_shot
from tests.train.toy_shot import QUICK, refit_of, toy_data

CPU = torch.device("cpu")
# Best has several networks, too.
SEVERAL = dataclasses.replace(QUICK, networks=2)


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def threads() -> list[str]:
    """What this process's threads are called, where the system tells."""
    return [name.read_text() for name in Path("/proc/self/task").glob("*/comm")]


def learned(team: Team) -> tuple[list[float], np.ndarray]:
    data = toy_data()
    state = new_state(data, SEVERAL, 3)
    team.order(Order.BEGIN)
    team.share((SEVERAL, 3, data, state.content()))
    train(state, data, SEVERAL, refit_of(data), lambda *_: None, lambda: False, team=team)
    return state.history, predict(state.renderer, data, SEVERAL)[1].numpy()


def one_of_two(rank: int, port: int, folder: Path) -> None:
    os.environ |= {"RANK": str(rank), "WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    torch.set_num_threads(1)
    team = Team.from_environment()
    try:
        if team.leads:
            history, together = learned(team)
            np.savez(folder / "two.npz", history=history, together=together)
        else:
            follow(team, CPU)
    finally:
        team.leave()
    assert not [name for name in threads() if "gloo" in name]


def test_two_processes_learn_what_one_does(tmp_path: Path) -> None:
    mp.spawn(one_of_two, (free_port(), tmp_path), nprocs=2)
    history, together = learned(Team())
    with np.load(tmp_path / "two.npz") as two:
        # Sums in another order.
        np.testing.assert_allclose(two["history"], history, rtol=1e-3)
        np.testing.assert_allclose(two["together"], together, atol=2e-3)


def test_alone_nobody_is_asked() -> None:
    team = Team.from_environment()
    assert team.leads and team.order(Order.STEP) is Order.STEP and team.share("all") == "all"
    assert team.part(torch.arange(5)).tolist() == [0, 1, 2, 3, 4]


def test_every_frame_of_a_step_is_seen_once() -> None:
    parts = [Team(rank, 3).part(torch.arange(8)).tolist() for rank in range(3)]
    assert sorted(frame for part in parts for frame in part) == list(range(8))


@pytest.mark.parametrize("masks_there", [True, False])
def test_torchrun_decomposes_once(tmp_path: Path, masks_there: bool) -> None:
    plate, masks = write_shot(tmp_path)
    masks = masks if masks_there else tmp_path / "nowhere"
    launch = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "-m", "backend"]
    work = ["decompose", str(plate), "--masks", str(masks), "--out", str(tmp_path / "out"), "--max-seconds", "1"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(launch + work, capture_output=True, text=True, timeout=240, check=False, env=environment)
    assert (done.returncode == 0) == masks_there, done.stderr
    if masks_there:
        assert done.stdout.split() == [str(tmp_path / "out" / "layers.json")]
    else:
        assert "nowhere is not a folder of masks" in done.stderr

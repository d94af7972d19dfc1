"""A long day in one Blender leaves nothing behind; RETIME_PEOPLE_CYCLES makes it longer."""

from __future__ import annotations

import gc
import os
from pathlib import Path

import pytest
from long_use import census, cycle, memory
from pictures import write_clip, write_masks

from tests.addon.test_decompose import FRAMES, PEOPLE, fake, module, runtime_dir  # noqa: F401

CYCLES = int(os.environ.get("RETIME_PEOPLE_CYCLES", "6"))
WARM_UP = max(2, CYCLES // 10)
GROWTH = 1.05


@pytest.mark.timeout(3600)
def test_a_long_day_leaves_nothing_behind(fake, module, runtime_dir, tmp_path, record_property):  # noqa: F811
    plate, masks = write_clip(tmp_path / "clip", FRAMES), str(write_masks(tmp_path / "masks", PEOPLE, FRAMES))
    for number in range(WARM_UP):
        cycle(plate, tmp_path / f"warm {number}", masks)
    gc.collect()
    before, used = census(runtime_dir), memory()
    for number in range(CYCLES):
        cycle(plate, tmp_path / f"out {number}", masks)
        fake.jobs.clear()
        fake.asked.clear()
    gc.collect()
    assert census(runtime_dir) == before
    growth = memory() / used if used else 1.0
    record_property("growth", growth)
    if report := os.environ.get("RETIME_PEOPLE_CYCLES_REPORT"):
        Path(report).write_text(f"{CYCLES} cycles, memory {used / 1e6:.0f} MB -> x {growth:.4f}\n")
    if CYCLES >= 100:
        assert growth < GROWTH

"""Every idea can be left out: the pipeline still runs from a shot to its layers."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from backend.decompose import decompose
from backend.media.layer_set import open_layers
from backend.protocol import DecomposeRequest, DecomposeSettings
from backend.train.settings import PRESETS
from benchmarks.ablation import IDEAS
from tests.end_to_end.tiny_shot import FRAMES, write_shot


@pytest.mark.parametrize("idea", IDEAS)
def test_an_idea_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, idea: str) -> None:
    few = dataclasses.replace(PRESETS["standard"], steps=4, pixels=32 * 48, width=8, levels=3, refits=(0.5,))
    monkeypatch.setitem(PRESETS, "standard", few)
    write_shot(tmp_path)
    settings = DecomposeSettings(preset="standard", device="cpu", residual=False)
    request = DecomposeRequest(
        str(tmp_path / "plate"), str(tmp_path / "layers"), str(tmp_path / "masks"), settings=settings
    )
    with IDEAS[idea][1]():
        layers = open_layers(decompose(request, lambda _event: None, lambda: False))
    assert layers.info.frames == FRAMES

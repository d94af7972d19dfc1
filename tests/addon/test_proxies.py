from __future__ import annotations

import bpy
import pytest

from tests.addon.layer_factory import coded_set, new_scene, psnr, render

FRAMES = 3


@pytest.fixture
def scene(addon, tmp_path):
    edit = new_scene(FRAMES)
    bpy.ops.retime_people.load_layers(filepath=str(coded_set(tmp_path / "layers", frames=FRAMES)))
    return edit


def test_every_layer_gets_small_copies_and_renders_in_full(scene, tmp_path):
    before = render(scene, tmp_path / "before")
    assert bpy.ops.retime_people.build_proxies(size="25") == {"FINISHED"}
    for name in ("background", "anna", "bruno"):
        copies = list((tmp_path / "layers" / name).rglob("25/*proxy*"))
        assert len(copies) == FRAMES, name
        proxy = scene.sequence_editor.strips_all[name].proxy
        assert proxy.build_25 and not proxy.build_50
    assert psnr(before, render(scene, tmp_path / "after")) > 90


def test_without_layers_there_is_nothing_to_build(addon):
    with pytest.raises(RuntimeError, match="Load the layers of a shot first"):
        bpy.ops.retime_people.build_proxies()

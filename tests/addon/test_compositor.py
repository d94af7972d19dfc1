"""Compositor nodes show what the strips show."""

from __future__ import annotations

import bpy
import pytest

from tests.addon.layer_factory import FRAMES, coded_set, new_scene, noisy_set, psnr, random_plate, render

ENOUGH = 60.0
SIZE = (96, 54)


def composited(scene, folder):
    """What the compositor renders, the sequencer off."""
    scene.render.use_sequencer, scene.render.use_compositing = False, True
    if scene.camera is None:
        camera = bpy.data.objects.new("Camera", bpy.data.cameras.new("Camera"))
        scene.collection.objects.link(camera)
        scene.camera = camera
    try:
        return render(scene, folder)
    finally:
        scene.render.use_sequencer = True


@pytest.fixture
def scene(addon, tmp_path):
    scene = new_scene()
    order = [["anna", "bruno"]] * 4 + [["bruno", "anna"]] * 5 + [["anna", "bruno"]] * 3
    bpy.ops.retime_people.load_layers(filepath=str(coded_set(tmp_path / "layers", order)))
    return scene


def test_untouched_with_residual(addon, tmp_path):
    scene = new_scene(4, SIZE)
    bpy.ops.retime_people.load_layers(filepath=str(noisy_set(tmp_path / "layers", random_plate(4, SIZE))))
    wanted = render(scene, tmp_path / "strips")
    assert bpy.ops.retime_people.build_compositor() == {"FINISHED"}
    assert psnr(composited(scene, tmp_path / "nodes"), wanted) > ENOUGH


def test_times_order_and_hiding_carry_over(scene, tmp_path):
    ops = bpy.ops.retime_people
    ops.freeze(person="anna", frame=5, duration=3)
    ops.loop(person="bruno", to=4, times=1, **{"from": 3})
    ops.offset(person="bruno", frames=2, hold=False)
    ops.set_order(person="anna", to=3, **{"from": 2})
    wanted = render(scene, tmp_path / "strips")
    ops.build_compositor()
    assert psnr(composited(scene, tmp_path / "nodes"), wanted) > ENOUGH
    ops.remove(person="anna")
    wanted = render(scene, tmp_path / "strips2")
    _forget_compositor(scene)
    ops.build_compositor()
    assert psnr(composited(scene, tmp_path / "nodes2"), wanted) > ENOUGH


def _forget_compositor(scene):
    if hasattr(scene, "compositing_node_group"):
        scene.compositing_node_group = None
    else:
        scene.node_tree.nodes.clear()


def test_nodes_of_the_artist_are_left_alone(scene):
    if hasattr(scene, "compositing_node_group"):
        own = bpy.data.node_groups.new("Own", "CompositorNodeTree")
        scene.compositing_node_group = own
    else:
        scene.use_nodes = True
        own = scene.node_tree
        for _ in range(3):
            own.nodes.new("CompositorNodeBlur")
    count = len(own.nodes)
    assert bpy.ops.retime_people.build_compositor() == {"FINISHED"}
    assert len(own.nodes) == count
    assert any(group.name.endswith("Layers") for group in bpy.data.node_groups)


def test_without_layers(addon):
    new_scene(FRAMES)
    with pytest.raises(RuntimeError, match="Load the layers"):
        bpy.ops.retime_people.build_compositor()

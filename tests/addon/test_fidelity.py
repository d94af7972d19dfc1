"""What Blender renders from the strips is what the layers add up to without Blender, to 60 dB."""

from __future__ import annotations

import importlib

import bpy
import cv2
import numpy as np
import pytest

from tests.addon.layer_factory import (
    blurred,
    color_strip,
    flat_pictures,
    new_scene,
    noisy_set,
    plate_strip,
    psnr,
    random_plate,
    render,
)

FRAMES = 4
SIZE = (96, 54)
ENOUGH = 60.0
"""dB; far beyond what is seen, and what half floats and 16-bit pictures leave room for."""
ORDER = [["anna", "bruno"], ["anna", "bruno"], ["bruno", "anna"], ["anna", "bruno"]]


@pytest.fixture
def scene(addon):
    return new_scene(FRAMES, SIZE)


@pytest.fixture
def plate():
    return random_plate(FRAMES, SIZE)


@pytest.fixture
def layers(tmp_path, plate):
    return noisy_set(tmp_path / "layers", plate, ORDER)


@pytest.fixture
def footage():
    """In 8 bits, as clips are; since 5.2 Blender resamples deeper pictures, the layers among them, in linear light."""
    return random_plate(FRAMES, SIZE, bits=8)


@pytest.fixture
def footage_layers(tmp_path, footage):
    return noisy_set(tmp_path / "layers", footage, ORDER)


def strip(scene, name: str) -> bpy.types.Strip:
    return scene.sequence_editor.strips_all[name]


def load(layers, **options) -> None:
    assert bpy.ops.retime_people.load_layers(filepath=str(layers), **options) == {"FINISHED"}


def test_layers_equal_the_composite_without_blender(scene, layers, tmp_path):
    load(layers)
    strip(scene, "residual").mute = True
    assert psnr(render(scene, tmp_path / "out"), flat_pictures(layers)) > ENOUGH


def test_with_residual_the_layers_equal_the_source_strip(scene, layers, plate, tmp_path):
    source = plate_strip(scene, tmp_path / "plate", plate)
    wanted = render(scene, tmp_path / "source")
    load(layers)
    assert source.mute
    assert psnr(render(scene, tmp_path / "out"), wanted) > ENOUGH


@pytest.mark.parametrize("view", ["AgX", "Filmic"])
def test_under_another_view(scene, layers, plate, tmp_path, view):
    plate_strip(scene, tmp_path / "plate", plate)
    scene.view_settings.view_transform = view
    wanted = render(scene, tmp_path / "source")
    load(layers)
    assert psnr(render(scene, tmp_path / "out"), wanted) > ENOUGH


def move(source) -> None:
    source.transform.offset_x, source.transform.offset_y = 14, -6


def crop(source) -> None:
    source.crop.min_x, source.crop.max_x, source.crop.min_y, source.crop.max_y = 8, 4, 2, 6


def flip(source) -> None:
    source.use_flip_x = True


def flip_moved_and_cropped(source) -> None:
    flip(source)
    move(source)
    crop(source)


def grade(source) -> None:
    source.color_saturation, source.color_multiply = 0.4, 0.8


def fade(source) -> None:
    source.blend_alpha = 0.5


def modify(source) -> None:
    for kind in ("BRIGHT_CONTRAST", "COLOR_BALANCE", "CURVES"):
        add_modifier(source, kind)
    bright, balance, curves = source.modifiers
    bright.bright = 5.0
    balance.color_balance.gain = (0.8, 1.0, 1.1)
    curves.curve_mapping.curves[3].points.new(0.4, 0.6)
    curves.curve_mapping.update()


def add_modifier(source, kind: str) -> None:
    """By the operator: in 5.0.1 the collection's own new() crashes."""
    ops = importlib.import_module("bl_ext.dev.retime_people.sequencer_ops")
    ops.run_on(bpy.context, bpy.context.scene, [source], bpy.ops.sequencer.strip_modifier_add, type=kind)


@pytest.mark.parametrize("change", [move, crop, flip, flip_moved_and_cropped, grade, fade, modify])
def test_look_of_the_source_carries_over(scene, layers, plate, tmp_path, change):
    source = plate_strip(scene, tmp_path / "plate", plate)
    change(source)
    color_strip(scene, "Below", 12).mute = False
    source.channel = 20
    wanted = render(scene, tmp_path / "source")
    load(layers)
    assert [s.type for s in scene.sequence_editor.strips] == ["IMAGE", "COLOR", "META"]
    assert psnr(render(scene, tmp_path / "out"), wanted) > ENOUGH


def animate(source) -> None:
    for frame, (offset, opacity) in enumerate([(0, 1.0), (6, 0.75), (12, 0.5), (18, 0.25)], 1):
        source.transform.offset_x, source.blend_alpha = offset, opacity
        source.transform.keyframe_insert("offset_x", frame=frame)
        source.keyframe_insert("blend_alpha", frame=frame)
    crop(source)
    source.crop.keyframe_insert("min_x", frame=1)
    source.crop.min_x = 20
    source.crop.keyframe_insert("min_x", frame=4)


def test_animation_of_the_source_carries_over(scene, layers, plate, tmp_path):
    source = plate_strip(scene, tmp_path / "plate", plate)
    animate(source)
    wanted = render(scene, tmp_path / "source")
    load(layers)
    assert psnr(render(scene, tmp_path / "out"), wanted) > ENOUGH
    source.name = "Renamed"
    assert psnr(render(scene, tmp_path / "again"), wanted) > ENOUGH


def test_animated_modifier_carries_over(scene, layers, plate, tmp_path):
    source = plate_strip(scene, tmp_path / "plate", plate)
    add_modifier(source, "BRIGHT_CONTRAST")
    for frame, value in ((1, 0.0), (4, 9.0)):
        source.modifiers[0].bright = value
        source.modifiers[0].keyframe_insert("bright", frame=frame)
    wanted = render(scene, tmp_path / "source")
    load(layers)
    assert psnr(render(scene, tmp_path / "out"), wanted) > ENOUGH


def test_animated_scale_of_a_large_plate(addon, layers, plate, tmp_path):
    scene = new_scene(FRAMES, (SIZE[0] // 2, SIZE[1] // 2))
    source = plate_strip(scene, tmp_path / "plate", plate)
    for frame, value in ((1, 0.5), (4, 1.0)):
        source.transform.scale_x = source.transform.scale_y = value
        source.transform.keyframe_insert("scale_x", frame=frame)
        source.transform.keyframe_insert("scale_y", frame=frame)
    load(layers)
    scene.frame_set(4)
    meta = next(s for s in scene.sequence_editor.strips if s.type == "META")
    assert meta.transform.scale_x == pytest.approx(2.0)


def scale(source) -> None:
    source.transform.scale_x = source.transform.scale_y = 1.5


def turn(source) -> None:
    source.transform.rotation = 0.3
    source.transform.origin = (0.2, 0.7)


@pytest.mark.parametrize("change", [scale, turn])
def test_resampled_looks_come_close(scene, footage_layers, footage, tmp_path, change):
    """Noise is resampled once before, once after half floats round it: the worst case by far."""
    layers = footage_layers
    change(plate_strip(scene, tmp_path / "plate", footage, bits=8))
    wanted = render(scene, tmp_path / "source")
    load(layers)
    assert psnr(render(scene, tmp_path / "out"), wanted) > 50


@pytest.mark.parametrize("change", [move, crop, turn])
def test_plate_smaller_than_the_render(addon, footage_layers, footage, tmp_path, change):
    layers = footage_layers
    scene = new_scene(FRAMES, (SIZE[0] + 32, SIZE[1] + 20))
    change(plate_strip(scene, tmp_path / "plate", footage, bits=8))
    wanted = render(scene, tmp_path / "source")
    load(layers)
    inside = [cv2.erode((picture > 0).astype(np.uint8), np.ones((5, 5), np.uint8)) for picture in wanted]
    # A slanting outline is a little softer when the picture around it is empty instead of ended.
    rendered = render(scene, tmp_path / "out")
    assert (
        psnr(
            [p * m for p, m in zip(rendered, inside, strict=True)], [p * m for p, m in zip(wanted, inside, strict=True)]
        )
        > 50
    )


def test_plate_larger_than_the_render(addon, footage, tmp_path):
    smooth = [blurred(picture, 3) for picture in footage]
    footage = [np.round(picture * 255) / 255 for picture in smooth]
    layers = noisy_set(tmp_path / "layers", footage, ORDER, blur=3)
    scene = new_scene(FRAMES, (SIZE[0] // 2, SIZE[1] // 2))
    source = plate_strip(scene, tmp_path / "plate", footage, bits=8)
    source.transform.scale_x = source.transform.scale_y = 0.5
    wanted = render(scene, tmp_path / "source")
    load(layers)
    # The layers are scaled one by one, for a meta strip has no more pixels than the render.
    assert psnr(render(scene, tmp_path / "out"), wanted) > 30


def test_retiming_under_a_look(scene, layers, plate, tmp_path):
    move(plate_strip(scene, tmp_path / "plate", plate))
    load(layers)
    before = render(scene, tmp_path / "before")
    bpy.ops.retime_people.freeze(person="anna", frame=2, duration=1)
    assert strip(scene, "residual").mute
    bpy.ops.retime_people.reset(person="anna")
    assert psnr(render(scene, tmp_path / "after"), before) > 90

from __future__ import annotations

import importlib
import shutil
from pathlib import Path

import bpy
import numpy as np
import pytest
from pictures import HEIGHT, WIDTH, add_clip, number_of, numbered_picture, read_png, write_clip

FRAMES = 12
MOVIE = Path(__file__).parents[2] / "examples" / "plaza" / "clip.mp4"


@pytest.fixture
def plate(addon):
    return importlib.import_module(f"{addon.__name__}.plate_render")


@pytest.fixture
def scratch(addon):
    return importlib.import_module(f"{addon.__name__}.scratch")


@pytest.fixture
def strip(addon, tmp_path):
    return add_clip(bpy.context.scene, write_clip(tmp_path / "clip", FRAMES), start=11)


def rendered(plate, scratch, strip, folder):
    source = plate.source_of(bpy.context.scene, strip)
    for _ in plate.render_plate(source, folder):
        pass
    scratch.remove_scratch()
    return [read_png(path) for path in sorted(folder.iterdir())]


def assert_shows(pictures, numbers):
    assert [number_of(picture) for picture in pictures] == list(numbers)
    for picture, number in zip(pictures, numbers, strict=True):
        assert np.array_equal(picture, numbered_picture(number)), f"frame {number} is changed"


def test_frames_are_the_clips_own(plate, scratch, strip, tmp_path):
    pictures = rendered(plate, scratch, strip, tmp_path / "plate")
    assert pictures[0].shape == (HEIGHT, WIDTH, 3)
    assert_shows(pictures, range(FRAMES))


def test_trims_are_kept(plate, scratch, strip, tmp_path):
    strip.frame_offset_start, strip.frame_offset_end = 3, 2
    assert plate.media_frames(strip) == tuple(range(3, 10))
    assert_shows(rendered(plate, scratch, strip, tmp_path / "plate"), range(3, 10))


def test_reversal_is_kept(plate, scratch, strip, tmp_path):
    strip.use_reverse_frames = True
    numbers = tuple(reversed(range(FRAMES)))
    assert plate.media_frames(strip) == numbers
    assert_shows(rendered(plate, scratch, strip, tmp_path / "plate"), numbers)


def test_held_ends_are_kept(plate, scratch, strip, tmp_path):
    strip.frame_final_start -= 2
    numbers = (0, 0, *range(FRAMES))
    assert plate.media_frames(strip) == numbers
    assert_shows(rendered(plate, scratch, strip, tmp_path / "plate"), numbers)


def test_retiming_is_kept(plate, scratch, strip, tmp_path, addon):
    seed_keys = importlib.import_module(f"{addon.__name__}.strip_keys").seed_keys
    seed_keys(bpy.context, bpy.context.scene, strip)
    strip.retiming_keys[-1].timeline_frame += FRAMES
    numbers = plate.media_frames(strip)
    assert len(numbers) > FRAMES and numbers[0] == 0 and numbers[-1] == FRAMES - 1
    assert_shows(rendered(plate, scratch, strip, tmp_path / "plate"), numbers)


@pytest.mark.skipif(not MOVIE.is_file(), reason="the example clip is not here")
@pytest.mark.parametrize("change", ["plain", "trimmed", "reversed", "retimed"])
def test_a_movie_is_what_blender_shows(plate, scratch, addon, tmp_path, change):
    scene = bpy.context.scene
    strip = scene.sequence_editor_create().strips.new_movie("Movie", str(MOVIE), 1, 5)
    scene.sequence_editor.active_strip = strip
    if change == "retimed":
        importlib.import_module(f"{addon.__name__}.strip_keys").seed_keys(bpy.context, scene, strip)
        strip.retiming_keys[-1].timeline_frame += 20
    strip.frame_offset_start = 4 if change == "trimmed" else 0
    strip.use_reverse_frames = change == "reversed"
    strip.frame_final_duration = 8
    pictures = rendered(plate, scratch, strip, tmp_path / "plate")
    assert len(pictures) == 8
    scratch.make_neutral(scene, *plate.native_size(strip))
    scratch.choose_png(scene, "RGB")
    importlib.import_module(f"{addon.__name__}.compat").turn_off_raw_cache(scene)
    for index in (7, 0, 3):
        scratch.render_frame(scene, strip.frame_final_start + index, tmp_path / "direct.png")
        assert np.array_equal(read_png(tmp_path / "direct.png"), pictures[index])


def test_looks_are_left_out(plate, scratch, strip, tmp_path, addon):
    scene = bpy.context.scene
    scene.render.resolution_x, scene.render.resolution_y, scene.render.resolution_percentage = 320, 200, 50
    scene.view_settings.exposure = 1.0
    scene.render.use_stamp = scene.render.use_border = True
    strip.transform.offset_x, strip.transform.scale_x, strip.transform.rotation = 9, 1.7, 0.4
    strip.crop.min_x, strip.use_flip_x = 3, True
    strip.color_multiply, strip.color_saturation, strip.blend_alpha = 1.5, 0.2, 0.5
    with importlib.import_module(f"{addon.__name__}.sequencer_ops").sequencer_area(bpy.context, scene):
        # Blender 5.0 crashes when this is done elsewhere.
        strip.modifiers.new("Bright", "BRIGHT_CONTRAST").bright = 20
    strip.keyframe_insert("blend_alpha", frame=11)
    assert_shows(rendered(plate, scratch, strip, tmp_path / "plate"), range(FRAMES))


def test_other_strips_are_left_out(plate, scratch, strip, tmp_path):
    add_clip(bpy.context.scene, tmp_path / "clip", name="Above", channel=5, start=14)
    assert_shows(rendered(plate, scratch, strip, tmp_path / "plate"), range(FRAMES))


def test_the_file_is_left_as_it_was(plate, scratch, strip, tmp_path):
    scene = bpy.context.scene
    before = (scene.frame_current, scene.view_settings.view_transform, scene.render.filepath, len(bpy.data.scenes))
    rendered(plate, scratch, strip, tmp_path / "plate")
    after = (scene.frame_current, scene.view_settings.view_transform, scene.render.filepath, len(bpy.data.scenes))
    assert before == after
    assert not strip.mute and strip.blend_type != "REPLACE"


def test_float_sources_become_half_float_exr(plate, scratch, addon, tmp_path):
    image = bpy.data.images.new("float", WIDTH, HEIGHT, float_buffer=True)
    image.pixels.foreach_set(np.tile(np.float32([1.5, 0.25, 0.01, 1.0]), WIDTH * HEIGHT))
    folder = tmp_path / "float"
    folder.mkdir()
    image.filepath_raw, image.file_format = str(folder / "0001.exr"), "OPEN_EXR"
    image.save()
    shutil.copyfile(folder / "0001.exr", folder / "0002.exr")
    strip = add_clip(bpy.context.scene, folder)
    pictures = rendered(plate, scratch, strip, tmp_path / "plate")
    assert sorted(path.name for path in (tmp_path / "plate").iterdir()) == ["0001.exr", "0002.exr"]
    assert np.allclose(pictures[0], read_png(folder / "0001.exr"), rtol=1e-3)
    assert pictures[0].max() > 255


def test_an_undone_scratch_scene_is_made_again(plate, scratch, strip, tmp_path):
    steps = plate.render_plate(plate.source_of(bpy.context.scene, strip), tmp_path / "plate")
    next(steps)
    scratch.remove_scratch()
    for _ in steps:
        pass
    assert len(list((tmp_path / "plate").iterdir())) == FRAMES


def test_a_strip_that_went_away_is_named(plate, scratch, strip, tmp_path):
    source = plate.source_of(bpy.context.scene, strip)
    bpy.context.scene.sequence_editor.strips.remove(strip)
    with pytest.raises(scratch.ShotError, match="The strip Clip is gone"):
        next(plate.render_plate(source, tmp_path / "plate"))


def test_missing_media_is_named(plate, scratch, strip, tmp_path):
    (tmp_path / "clip" / "0001.png").rename(tmp_path / "elsewhere.png")
    with pytest.raises(scratch.ShotError, match=r"0001\.png is missing"):
        plate.source_of(bpy.context.scene, strip)


def test_only_pictures_can_be_decomposed(plate, strip):
    assert plate.why_not_source(strip) == ""
    assert "No strip is active" in plate.why_not_source(None)
    strips = bpy.context.scene.sequence_editor.strips
    text = strips.new_effect("Title", "TEXT", 7, 1, **{_length_name(): 10})
    assert "no movie or image strip" in plate.why_not_source(text)
    strip.frame_final_duration = 1
    assert "only one frame" in plate.why_not_source(strip)


def _length_name():
    parameters = bpy.types.StripsTopLevel.bl_rna.functions["new_effect"].parameters
    return "length" if "length" in parameters else "frame_end"

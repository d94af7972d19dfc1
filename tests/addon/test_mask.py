from __future__ import annotations

import importlib

import bpy
import numpy as np
import pytest
from pictures import HEIGHT, WIDTH, add_clip, read_png, write_clip, write_masks, write_png

FRAMES = 6


@pytest.fixture
def masks(addon):
    return importlib.import_module(f"{addon.__name__}.mask_render")


@pytest.fixture
def error(addon):
    return importlib.import_module(f"{addon.__name__}.scratch").ShotError


@pytest.fixture
def strip(addon, tmp_path):
    return add_clip(bpy.context.scene, write_clip(tmp_path / "clip", FRAMES), start=31)


@pytest.fixture
def source(addon, strip):
    return importlib.import_module(f"{addon.__name__}.plate_render").source_of(bpy.context.scene, strip)


def draw_box(x0, y0, x1, y1, name="Anna"):
    """A mask of a rectangle, given in pixels from the top left corner."""
    mask = bpy.data.masks.new(name)
    spline = mask.layers.new(name="Layer").splines.new()
    spline.use_cyclic = True
    corners = [(x0, y0), (x1, y0), (x1, y1), (x0, y1)]
    spline.points.add(len(corners) - 1)
    for point, (x, y) in zip(spline.points, corners, strict=True):
        co = (x / WIDTH, (HEIGHT - y - HEIGHT / 2) / WIDTH + 0.5)
        point.handle_type = "VECTOR"
        point.co = point.handle_left = point.handle_right = co
    return mask


def test_a_mask_of_blender_becomes_one_picture_per_frame(masks, source, tmp_path):
    draw_box(4, 2, 14, 12)
    before = set(bpy.data.masks), set(bpy.data.scenes)
    person = masks.PersonMasks("anna", None, "Anna")
    fractions = list(masks.write_masks(person, source, (), FRAMES, tmp_path / "out"))
    assert fractions[-1] == 1.0
    files = sorted((tmp_path / "out").iterdir())
    assert [file.name for file in files] == [f"{n:04d}.png" for n in range(1, FRAMES + 1)]
    for file in files:
        # Blender rounds corners a little and softens edges.
        picture = read_png(file)[..., 0]
        assert (picture[3:11, 5:13] > 127).all(), file.name
        outside = np.concatenate([part.ravel() for part in (picture[:, 17:], picture[14:], picture[:, :2])])
        # It leaves a stray pixel now and then, too.
        assert (outside > 127).mean() < 0.02, file.name
    importlib.import_module(masks.__name__.replace("mask_render", "scratch")).remove_scratch()
    assert (set(bpy.data.masks), set(bpy.data.scenes)) == before


def test_a_mask_moves_in_the_time_of_the_sequencer(masks, source, strip, tmp_path):
    move_between(draw_box(2, 0, 8, 16), 10, 31, 31 + FRAMES - 1)
    person = masks.PersonMasks("anna", None, "Anna")
    list(masks.write_masks(person, source, (), FRAMES, tmp_path / "out"))
    lefts = [int(np.argmax(read_png(file)[8, :, 0] > 127)) for file in sorted((tmp_path / "out").iterdir())]
    assert lefts == sorted(lefts)
    assert abs(lefts[0] - 2) <= 1 and abs(lefts[-1] - 12) <= 1


def move_between(mask, pixels, first, last):
    """Key the mask where it is at one frame, and moved to the right at another."""
    window = bpy.context.window_manager.windows[0]
    area = window.screen.areas[0]
    area.type = "IMAGE_EDITOR"
    area.spaces.active.ui_mode = "MASK"
    area.spaces.active.mask = mask
    points = mask.layers[0].splines[0].points
    with bpy.context.temp_override(window=window, area=area, edit_mask=mask):
        for frame, shift in ((first, 0), (last, pixels / WIDTH)):
            # Changing the frame takes the points back to the last key.
            bpy.context.scene.frame_set(frame)
            for point in points:
                point.select = True
                point.co.x += shift
                point.handle_left.x += shift
                point.handle_right.x += shift
            assert bpy.ops.mask.shape_key_insert() == {"FINISHED"}


def test_masks_of_the_strip_are_taken_one_for_one(masks, source, tmp_path):
    folder = write_masks(tmp_path / "masks", ("anna",), FRAMES) / "anna"
    list(masks.write_masks(masks.PersonMasks("anna", folder), source, range(FRAMES), FRAMES, tmp_path / "out"))
    assert [file.read_bytes() for file in sorted((tmp_path / "out").iterdir())] == [
        file.read_bytes() for file in sorted(folder.iterdir())
    ]


def test_masks_of_the_whole_media_follow_the_trim(masks, addon, strip, tmp_path):
    folder = write_masks(tmp_path / "masks", ("anna",), FRAMES) / "anna"
    strip.frame_offset_start = 2
    plate = importlib.import_module(f"{addon.__name__}.plate_render")
    trimmed = plate.source_of(bpy.context.scene, strip)
    person = masks.PersonMasks("anna", folder)
    list(masks.write_masks(person, trimmed, plate.media_frames(strip), plate.media_length(strip), tmp_path / "out"))
    files = sorted((tmp_path / "out").iterdir())
    assert [file.read_bytes() for file in files] == [file.read_bytes() for file in sorted(folder.iterdir())[2:]]


def test_people_of_a_folder(masks, error, tmp_path):
    folder = write_masks(tmp_path / "masks", ("anna", "ben"), 1)
    (folder / "empty").mkdir()
    assert [person.name for person in masks.people_in_folder(folder)] == ["anna", "ben"]
    assert [person.name for person in masks.people_in_folder(folder / "ben")] == ["ben"]
    with pytest.raises(error, match="holds no masks"):
        masks.people_in_folder(folder / "empty")
    with pytest.raises(error, match="is no folder"):
        masks.people_in_folder(folder / "nowhere")


@pytest.mark.parametrize(
    ("name", "sentence"),
    [("", "has no name"), ("a/b", "can't be the name"), (".x", "can't be the name"), ("Background", "can't be")],
)
def test_names_that_are_no_folders_are_refused(masks, error, source, name, sentence):
    with pytest.raises(error, match=sentence):
        masks.check_people([masks.PersonMasks(name, None, "Mask")], source, (), FRAMES)


def test_what_is_missing_is_named(masks, error, source, tmp_path):
    check = lambda *people: masks.check_people(people, source, tuple(range(FRAMES)), FRAMES)  # noqa: E731
    with pytest.raises(error, match="add a masks folder"):
        check()
    with pytest.raises(error, match="Anna has no masks"):
        check(masks.PersonMasks("Anna", None))
    with pytest.raises(error, match="Two people are named anna"):
        check(masks.PersonMasks("anna", None, "M"), masks.PersonMasks("Anna", None, "N"))
    with pytest.raises(error, match="masks folder of anna is missing"):
        check(masks.PersonMasks("anna", tmp_path / "gone"))
    folder = write_png(tmp_path / "few" / "1.png", np.zeros((2, 2, 3))).parent
    with pytest.raises(error, match=r"anna has 1 masks .* needs 6"):
        check(masks.PersonMasks("anna", folder))


def test_a_mask_that_went_away_is_named(masks, error, source, tmp_path):
    with pytest.raises(error, match="The mask Anna is gone"):
        list(masks.write_masks(masks.PersonMasks("anna", None, "Anna"), source, (), FRAMES, tmp_path / "out"))

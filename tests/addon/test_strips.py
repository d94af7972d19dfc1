"""Loading layers: which strips there are, where, and what they look like."""

from __future__ import annotations

import importlib
import json
import shutil

import bpy
import pytest

from tests.addon.layer_factory import (
    FRAMES,
    LEFT,
    MIDDLE,
    RIGHT,
    coded_set,
    color_strip,
    new_scene,
    noisy_set,
    plate_strip,
    random_plate,
    render,
    seen,
)

ALL = list(range(FRAMES))


@pytest.fixture
def scene(addon):
    return new_scene()


@pytest.fixture
def loader(addon):
    return bpy.ops.retime_people.load_layers


def strips_of_addon(name: str):
    return importlib.import_module(f"bl_ext.dev.retime_people.{name}")


def by_name(scene) -> dict[str, bpy.types.Strip]:
    return {strip.name: strip for strip in scene.sequence_editor.strips}


def test_one_strip_per_layer(scene, loader, tmp_path):
    plate = plate_strip(scene, tmp_path / "plate", random_plate(FRAMES), start=21)
    loader(filepath=str(noisy_set(tmp_path / "layers", random_plate(FRAMES))))
    strips = by_name(scene)
    assert [s.name for s in sorted(strips.values(), key=lambda s: s.channel)] == [
        "plate",
        "background",
        "anna",
        "bruno",
        "residual",
    ]
    assert plate.mute
    for name in ("background", "anna", "bruno", "residual"):
        strip = strips[name]
        assert (strip.frame_final_start, strip.frame_final_duration) == (21, FRAMES)
        assert strip.blend_type == ("ADD" if name == "residual" else "ALPHA_OVER")
        assert (strip.colorspace_settings.name, strip.alpha_mode) == ("Linear Rec.709", "PREMUL")
        assert len(strip.retiming_keys) == 2
        assert not strip.mute
    assert scene.sequence_editor.active_strip == plate


def test_given_channel_and_no_source(scene, loader, tmp_path):
    scene.frame_start = 101
    loader(filepath=str(coded_set(tmp_path / "layers")), channel=5)
    assert [(s.channel, s.frame_final_start) for s in scene.sequence_editor.strips] == [(5, 101), (6, 101), (7, 101)]


def test_folder_instead_of_file(scene, loader, tmp_path):
    assert loader(filepath=str(coded_set(tmp_path / "layers").parent)) == {"FINISHED"}


def test_channels_in_use_are_left_alone(scene, loader, tmp_path):
    plate_strip(scene, tmp_path / "plate", random_plate(FRAMES))
    title = color_strip(scene, "Title", 3)
    title.mute = False
    loader(filepath=str(coded_set(tmp_path / "layers")))
    channels = {name: strip.channel for name, strip in by_name(scene).items()}
    assert channels == {"plate": 1, "Title": 3, "background": 4, "anna": 5, "bruno": 6}


def test_no_channel_left(scene, loader, tmp_path):
    color_strip(scene, "Title", 127)
    with pytest.raises(RuntimeError, match="3 free channels next to each other"):
        loader(filepath=str(coded_set(tmp_path / "layers")), channel=126)
    assert list(by_name(scene)) == ["Title"]


def test_loading_twice_gives_new_names(scene, loader, tmp_path):
    path = str(coded_set(tmp_path / "layers"))
    loader(filepath=path)
    loader(filepath=path, channel=1)
    assert strips_of_addon("strips").people(scene) == ["anna", "bruno", "anna.001", "bruno.001"]
    bpy.ops.retime_people.remove(person="anna.001")
    assert not by_name(scene)["anna"].mute
    assert by_name(scene)["anna.001"].mute


def test_trimmed_source(scene, loader, tmp_path):
    plate = plate_strip(scene, tmp_path / "plate", random_plate(FRAMES))
    plate.frame_final_start, plate.frame_final_end = 4, 9
    # The plate was rendered from the strip, so its frame 1 is the first frame that is seen.
    loader(filepath=str(coded_set(tmp_path / "layers", frames=5)))
    anna = by_name(scene)["anna"]
    assert (anna.frame_start, anna.frame_final_start, anna.frame_final_end) == (4, 4, 9)


def test_part_of_the_plate(scene, loader, tmp_path):
    plate_strip(scene, tmp_path / "plate", random_plate(FRAMES), start=11)
    loader(filepath=str(coded_set(tmp_path / "layers", frames=6, first=3)))
    anna = by_name(scene)["anna"]
    assert (anna.frame_start, anna.frame_final_end) == (13, 19)
    assert anna.elements[0].filename == "0003.exr"


@pytest.mark.parametrize("named", [True, False])
def test_which_strip_is_the_source(scene, loader, tmp_path, named):
    plate_strip(scene, tmp_path / "plate", random_plate(FRAMES), start=7)
    title = color_strip(scene, "Title", 8)
    scene.sequence_editor.active_strip = title
    loader(filepath=str(coded_set(tmp_path / "layers")), source="plate" if named else "")
    strips = by_name(scene)
    assert strips["plate"].mute == named
    assert strips["anna"].frame_final_start == (7 if named else 1)


ORDER = [["anna", "bruno"]] * 4 + [["bruno", "anna"]] * 5 + [["anna", "bruno"]] * 3


def front(pictures) -> list[str]:
    return ["bruno" if p[0, MIDDLE, 0] > 0.5 else "anna" for p in pictures]


def test_depth_order_that_changes(scene, loader, tmp_path):
    loader(filepath=str(coded_set(tmp_path / "layers", ORDER)))
    pictures = render(scene, tmp_path / "out")
    assert front(pictures) == [names[-1] for names in ORDER]
    assert (seen(pictures, LEFT), seen(pictures, RIGHT, 0.5)) == (ALL, ALL)
    strips = strips_of_addon("strips")
    assert strips.people(scene) == ["anna", "bruno"]
    assert len(strips.pieces_of(scene, "anna")) == 3


def test_a_person_in_pieces_is_retimed_as_one(scene, loader, tmp_path):
    loader(filepath=str(coded_set(tmp_path / "layers", ORDER)))
    bpy.ops.retime_people.freeze(person="anna", frame=3, duration=4)
    bpy.ops.retime_people.offset(person="anna", frames=1)
    pictures = render(scene, tmp_path / "out")
    assert seen(pictures, LEFT) == [0, 0, 1, 2, 2, 2, 2, 2, 3, 4, 5, 6]
    assert seen(pictures, RIGHT, 0.5) == ALL
    assert front(pictures) == [names[-1] for names in ORDER]


def test_a_dragged_person_stays_in_its_channels(scene, loader, tmp_path):
    loader(filepath=str(coded_set(tmp_path / "layers", ORDER)))
    pieces = strips_of_addon("strips").pieces_of(scene, "anna")
    channels = [piece.channel for piece in pieces]
    for piece in pieces:
        piece.frame_start += 2
    assert [piece.channel for piece in pieces] == channels


def test_absent_from_the_order(scene, loader, tmp_path):
    order = [["bruno"]] * 3 + [["background", "anna", "bruno"]] * (FRAMES - 3)
    loader(filepath=str(coded_set(tmp_path / "layers", order)))
    assert front(render(scene, tmp_path / "out")) == ["bruno"] * FRAMES


@pytest.fixture
def with_residual(scene, loader, tmp_path):
    plate_strip(scene, tmp_path / "plate", random_plate(FRAMES))
    loader(filepath=str(noisy_set(tmp_path / "layers", random_plate(FRAMES))))
    return by_name(scene)["residual"]


@pytest.mark.parametrize(
    "change",
    [
        lambda ops: ops.freeze(person="anna", frame=4, duration=2),
        lambda ops: ops.offset(person="bruno", frames=-1),
        lambda ops: ops.set_speed(person="anna", percent=120),
        lambda ops: ops.duplicate(person="anna"),
        lambda ops: ops.remove(person="anna"),
    ],
)
def test_residual_is_muted_by_operators(scene, with_residual, change):
    assert not with_residual.mute
    assert change(bpy.ops.retime_people) == {"FINISHED"}
    assert by_name(scene)["residual"].mute


def test_residual_comes_back(scene, with_residual):
    bpy.ops.retime_people.offset(person="anna", frames=3)
    bpy.ops.retime_people.offset(person="anna", frames=-3)
    assert not with_residual.mute
    bpy.ops.retime_people.freeze(person="anna", frame=3, duration=3)
    bpy.ops.retime_people.reset(person="anna")
    assert not with_residual.mute


def test_residual_follows_edits_by_hand(scene, with_residual):
    by_name(scene)["anna"].frame_start = 5
    bpy.context.view_layer.update()
    assert with_residual.mute
    by_name(scene)["anna"].frame_start = 1
    bpy.context.view_layer.update()
    assert not with_residual.mute


def test_moving_the_whole_shot_is_no_retiming(scene, with_residual):
    for name in ("background", "anna", "bruno", "residual"):
        by_name(scene)[name].frame_start += 10
    assert not strips_of_addon("strips").refresh_residuals(scene)


def test_residual_muted_by_the_artist_stays_muted(scene, with_residual):
    with_residual.mute = True
    strips_of_addon("strips").refresh_residuals(scene)
    assert with_residual.mute


def test_cache_that_shows_wrong_frames_is_off(scene, loader, tmp_path):
    loader(filepath=str(coded_set(tmp_path / "layers")))
    assert not getattr(scene.sequence_editor, "use_cache_raw", False) or bpy.app.version < (5, 0, 0)


def test_color_space_is_told_and_mended(scene, loader, tmp_path, capfd):
    scene.sequencer_colorspace_settings.name = "Linear Rec.709"
    loader(filepath=str(coded_set(tmp_path / "layers")))
    assert "The sequencer works in Linear Rec.709" in capfd.readouterr().out
    assert bpy.ops.retime_people.use_srgb_sequencer() == {"FINISHED"}
    assert scene.sequencer_colorspace_settings.name == "sRGB"
    assert not bpy.ops.retime_people.use_srgb_sequencer.poll()


def break_set(folder, what: str) -> None:
    info = folder / "layers.json"
    if what == "unfinished":
        info.unlink()
    elif what == "not json":
        info.write_text("{")
    elif what == "missing file":
        (folder / "anna" / "0007.exr").unlink()
    elif what == "missing layer":
        shutil.rmtree(folder / "bruno")
    else:
        data = json.loads(info.read_text())
        data.update(
            {
                "other format": {"format": "retime-people/99"},
                "no background": {"layers": data["layers"][1:]},
                "no order": {"order": data["order"][:3]},
                "outside": {"layers": [*data["layers"], {"name": "x", "role": "subject", "files": "../x/%04d.exr"}]},
            }[what]
        )
        info.write_text(json.dumps(data))


@pytest.mark.parametrize(
    ("what", "sentence"),
    [
        ("unfinished", "layers.json can't be read"),
        ("not json", "is damaged"),
        ("missing file", 'Layer "anna": 1 of 12 files are missing .* first anna/0007.exr'),
        ("missing layer", 'Layer "bruno": 12 of 12 files are missing'),
        ("other format", "is not a layer set of this version"),
        ("no background", "has no background"),
        ("no order", "has an order for 3 of 12 frames"),
        ("outside", "names files outside its folder"),
    ],
)
def test_broken_sets_change_nothing(scene, loader, tmp_path, what, sentence):
    plate = plate_strip(scene, tmp_path / "plate", random_plate(FRAMES))
    path = coded_set(tmp_path / "layers")
    break_set(path.parent, what)
    with pytest.raises(RuntimeError, match=sentence):
        loader(filepath=str(path))
    assert list(by_name(scene)) == ["plate"]
    assert not plate.mute


def test_relative_paths(scene, loader, tmp_path):
    path = coded_set(tmp_path / "a" / "layers")
    loader(filepath=str(path))
    assert by_name(scene)["anna"].directory == str(path.parent / "anna")
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "a" / "file.blend"))
    bpy.ops.wm.read_homefile(use_empty=True)
    (tmp_path / "a").rename(tmp_path / "b")
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "b" / "file.blend"))
    strip = by_name(bpy.context.scene)["anna"]
    assert strip.directory.rstrip("/") == "//layers/anna"
    assert seen(render(bpy.context.scene, tmp_path / "out"), LEFT) == ALL


def test_loading_into_a_saved_file_is_relative(scene, loader, tmp_path):
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "file.blend"))
    loader(filepath=str(coded_set(tmp_path / "layers")))
    assert by_name(bpy.context.scene)["anna"].directory.rstrip("/") == "//layers/anna"


def test_undo_is_one_step(scene, loader, tmp_path):
    bpy.context.preferences.edit.use_global_undo = True
    bpy.ops.ed.undo_push(message="Before")
    bpy.ops.retime_people.load_layers("EXEC_DEFAULT", True, filepath=str(coded_set(tmp_path / "layers")))
    bpy.ops.retime_people.freeze("EXEC_DEFAULT", True, person="anna", frame=3, duration=2)
    bpy.ops.ed.undo()
    scene = bpy.context.scene
    assert len(by_name(scene)["anna"].retiming_keys) == 2
    bpy.ops.ed.undo()
    assert not list(bpy.context.scene.sequence_editor.strips)

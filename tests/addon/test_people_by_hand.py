"""The artist's hand: drawings carried through the shot, mattes from strips, and corrections of who is who."""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import bpy
import numpy as np
import pytest
from fake_backend import FakeBackend, state
from pictures import HEIGHT, WIDTH, add_clip, read_png, write_clip, write_masks

FRAMES, START = 6, 11
FOUND = ("Person 1", "Person 2")
PYTHON = os.environ.get("RETIME_PEOPLE_PYTHON", sys.executable)
ROOT = Path(__file__).parents[2]


@pytest.fixture
def module(addon, monkeypatch):
    monkeypatch.setattr(importlib.import_module(f"{addon.__name__}.pump"), "TICK_SECONDS", 0.0)
    return lambda name: importlib.import_module(f"{addon.__name__}.{name}")


@pytest.fixture
def props(addon, tmp_path):
    add_clip(bpy.context.scene, write_clip(tmp_path / "clip", FRAMES), start=START)
    return bpy.context.scene.retime_people


def write_people(folder: Path) -> Path:
    write_masks(folder, FOUND, FRAMES)
    people = [
        {"name": n, "color": [1, 0, 0], "thumbnail": "", "first_frame": 1, "last_frame": FRAMES, "confidence": 1}
        for n in FOUND
    ]
    info = {"plate": "clip", "width": WIDTH, "height": HEIGHT, "first_frame": 1, "frames": FRAMES, "finder": "motion"}
    file = folder / "people.json"
    file.write_text(json.dumps({"format": "retime-people/people-1", **info, "people": people}))
    return file


@pytest.fixture
def found(module, props, tmp_path):
    """Two people who were found."""
    file = write_people(tmp_path / "found")
    module("people_list").take_people(props, module("people_file").read_people(file))
    return file.parent


@pytest.fixture
def fake(module):
    folder = Path(module("preferences").user_folder("backend"))
    (folder / "backend.json").unlink(missing_ok=True)

    def script(request):
        file = write_people(Path(request["out"]))
        return [state("running"), {"kind": "result", "data": {"people": str(file)}}, state("finished")]

    with FakeBackend(folder, script) as backend:
        yield backend


def draw_box(name: str) -> bpy.types.Mask:
    """A mask of the left half of the picture."""
    mask = bpy.data.masks.new(name)
    spline = mask.layers.new(name="layer").splines.new()
    spline.use_cyclic = True
    corners = [(0, 0), (0.5, 0), (0.5, 1), (0, 1)]
    spline.points.add(3)
    for point, co in zip(spline.points, corners, strict=True):
        point.co = co
        point.handle_type = "VECTOR"
        point.handle_left = point.handle_right = co
    return mask


def test_a_drawing_is_carried_from_the_frames_that_were_taken(fake, props, tmp_path):
    bpy.ops.retime_people.add_mask(mask=draw_box("anna").name)
    for frame in (START + 3, START):
        bpy.context.scene.frame_set(frame)
        assert bpy.ops.retime_people.take_drawn() == {"FINISHED"}
    assert props.people[0].drawn == "1 4"
    assert bpy.ops.retime_people.carry_masks(out=str(tmp_path / "out")) == {"FINISHED"}
    request = fake.jobs["job-1"].request
    drawn = sorted(Path(request["hints"]).glob("*/*.png"))
    assert [path.relative_to(request["hints"]).as_posix() for path in drawn] == ["anna/0001.png", "anna/0004.png"]
    assert (request["task"], request["masks"]) == ("people", "")
    picture = read_png(drawn[0])
    # Blender leaves a stray pixel in a drawn mask now and then.
    assert (picture[:, : WIDTH // 2 - 1] == 255).mean() > 0.97 and (picture[:, WIDTH // 2 + 1 :] == 0).mean() > 0.97


def test_a_drawing_stays_once_it_was_carried(fake, props, tmp_path):
    bpy.ops.retime_people.add_mask(mask=draw_box(FOUND[1]).name)
    props.people[0].tag = 7
    bpy.context.scene.frame_set(START)
    bpy.ops.retime_people.take_drawn()
    bpy.ops.retime_people.carry_masks(out=str(tmp_path / "out"))
    person = props.people[FOUND[1]]
    assert (person.found, person.source, person.drawn) == (True, "FOLDER", "")
    assert (person.mask.name, person.tag) == (FOUND[1], 7)
    assert props.people[FOUND[0]].mask is None and props.people[FOUND[0]].tag != 7


def test_every_frame_that_was_drawn_keeps_its_outline(module, props):
    """In an editor as the window has one, which can't be opened here."""
    scene, person = bpy.context.scene, module("properties").add_person(props, "anna")
    area = bpy.context.window_manager.windows[0].screen.areas[0]
    before, places = area.ui_type, {START: 0.2, START + 3: 0.6}
    area.ui_type = "IMAGE_EDITOR"
    try:
        for frame, x in places.items():
            scene.frame_set(frame)
            bpy.ops.retime_people.draw_mask()
            space, picture = area.spaces.active, next(i for i in bpy.data.images if "retime_people_frame" in i)
            space.ui_mode, space.image, space.mask = "MASK", picture, person.mask
            spline = person.mask.layers[0].splines.new() if frame == START else person.mask.layers[0].splines[0]
            spline.points.add(3 - len(spline.points))
            for number, point in enumerate(spline.points):
                point.co = (x, number / 3)
            if frame == START:
                # Later Blender would take the outline back to what was kept.
                scene.frame_set(START + 1)
            bpy.ops.retime_people.take_drawn()
        assert person.drawn == "1 4" and spline.use_cyclic
        for frame, x in places.items():
            scene.frame_set(frame)
            assert [point.co[0] for point in spline.points] == pytest.approx([x] * 3)
    finally:
        area.ui_type = before


def test_a_drawing_corrects_who_was_found(fake, props, found, tmp_path):
    props.people_index = 1
    props.people[1].name = "ben"
    props.people[1].mask = draw_box("better")
    bpy.context.scene.frame_set(START + 2)
    bpy.ops.retime_people.take_drawn()
    bpy.ops.retime_people.carry_masks(out=str(tmp_path / "out"))
    request = fake.jobs["job-1"].request
    assert request["masks"] == str(found)
    assert [p.parent.name + "/" + p.name for p in Path(request["hints"]).glob("*/*")] == ["Person 2/0003.png"]


def test_rough_masks_of_a_folder_are_carried(fake, props, tmp_path):
    write_masks(tmp_path / "rough", ("anna",), 2)
    (tmp_path / "rough" / "anna" / "0002.png").rename(tmp_path / "rough" / "anna" / "mask_0005.png")
    bpy.ops.retime_people.add_masks_folder(directory=str(tmp_path / "rough"))
    bpy.ops.retime_people.carry_masks(out=str(tmp_path / "out"))
    hints = Path(fake.jobs["job-1"].request["hints"])
    assert sorted(path.name for path in (hints / "anna").iterdir()) == ["0001.png", "0005.png"]


def test_nothing_drawn_and_off_the_strip(module, props, found):
    assert "Nothing was drawn" in module("poll_reasons").why_nothing_drawn(bpy.context)
    with pytest.raises(RuntimeError, match="Person 1 was not drawn yet; press Draw on This Frame"):
        bpy.context.scene.frame_set(START)
        bpy.ops.retime_people.take_drawn()
    props.people[0].mask = draw_box("anna")
    bpy.context.scene.frame_set(START + FRAMES)
    with pytest.raises(RuntimeError, match="not on Clip"):
        bpy.ops.retime_people.take_drawn()


def test_a_person_is_drawn_on_the_frame_as_the_backend_sees_it(module, props):
    person = module("properties").add_person(props, "anna")
    bpy.context.scene.frame_set(START + 2)
    assert bpy.ops.retime_people.draw_mask() == {"FINISHED"}
    drawing, reasons = module("drawing_window"), module("poll_reasons")
    picture = next(image for image in bpy.data.images if drawing.FRAME in image)
    assert tuple(picture.size) == (WIDTH, HEIGHT) and picture.packed_file is not None
    assert picture[drawing.FRAME] == START + 2
    assert person.mask.name == "anna" and "not drawn yet" in reasons.why_no_drawing(bpy.context)
    person.mask.layers[0].splines.new().points.add(2)
    assert not reasons.why_no_drawing(bpy.context)
    # Once more on another frame: the same mask, another picture.
    mask = person.mask
    bpy.context.scene.frame_set(START)
    bpy.ops.retime_people.draw_mask(person="anna")
    assert person.mask == mask and [i[drawing.FRAME] for i in bpy.data.images if drawing.FRAME in i] == [START]
    bpy.context.scene.frame_set(START + FRAMES)
    with pytest.raises(RuntimeError, match="not on Clip"):
        bpy.ops.retime_people.draw_mask()


def test_a_matte_strip_gives_masks(module, props, tmp_path):
    scene = bpy.context.scene
    clip = scene.sequence_editor.active_strip
    matte = write_masks(tmp_path / "matte", ("m",), FRAMES) / "m"
    add_clip(scene, matte, "Matte", 2, START)
    scene.sequence_editor.active_strip = clip
    person = module("properties").add_person(props, "anna")
    person.source, person.matte = "STRIP", "Matte"
    people = module("operators.shot").people_of(props)
    source = module("plate_render").source_of(scene, clip)
    list(module("mask_render").write_masks(people[0], source, (), 0, tmp_path / "out"))
    module("scratch").remove_scratch()
    for number in range(1, FRAMES + 1):
        name = f"{number:04d}.png"
        assert np.array_equal(read_png(tmp_path / "out" / name), read_png(matte / name))


def test_a_strip_that_is_gone(module, props, tmp_path):
    person = module("properties").add_person(props, "anna")
    person.source, person.matte = "STRIP", "Nothing"
    source = module("plate_render").source_of(bpy.context.scene, bpy.context.scene.sequence_editor.active_strip)
    people = module("operators.shot").people_of(props)
    with pytest.raises(module("scratch").ShotError, match="Nothing is gone"):
        next(module("mask_render").write_masks(people[0], source, (), 0, tmp_path))


@pytest.fixture
def editing(module, monkeypatch):
    """The real backend does the corrections."""
    if subprocess.run([PYTHON, "-c", "import backend.people.edit"], cwd=ROOT, capture_output=True).returncode:
        pytest.skip("this Python has no backend; set RETIME_PEOPLE_PYTHON to one that has")
    launch = module("backend_process").Launch(PYTHON, str(ROOT))
    monkeypatch.setattr(module("pump").session().backend, "launch", launch)


def test_corrections_change_the_list(editing, module, props, found):
    scene = bpy.context.scene
    props.people_index = 0
    scene.frame_set(START + 3)
    assert bpy.ops.retime_people.split_person() == {"FINISHED"}
    assert [(p.name, p.first, p.last) for p in props.people] == [
        ("Person 1", 1, 3), ("Person 3", 4, 6), ("Person 2", 1, 6),
    ]  # fmt: skip
    assert bpy.ops.retime_people.merge_people(other="Person 3") == {"FINISHED"}
    assert [(p.name, p.first, p.last) for p in props.people] == [("Person 1", 1, 6), ("Person 2", 1, 6)]
    before = read_png(found / "Person 1" / "0006.png")
    assert bpy.ops.retime_people.swap_people(other="Person 2") == {"FINISHED"}
    assert np.array_equal(read_png(found / "Person 2" / "0006.png"), before)
    assert bpy.ops.retime_people.delete_person() == {"FINISHED"}
    assert [p.name for p in props.people] == ["Person 2"]
    with pytest.raises(RuntimeError, match="the only person here"):
        bpy.ops.retime_people.delete_person()


def test_names_that_the_artist_gave_survive_corrections(editing, props, found):
    props.people[1].name = "ben"
    bpy.context.scene.frame_set(START + 3)
    props.people_index = 0
    bpy.ops.retime_people.split_person()
    assert [p.name for p in props.people] == ["Person 1", "Person 3", "ben"]


def test_corrections_need_the_backend_and_somebody(module, props, found):
    module("pump").session().backend.launch = module("backend_process").Launch()
    bpy.context.scene.frame_set(START + 3)
    with pytest.raises(RuntimeError, match="is not installed"):
        bpy.ops.retime_people.split_person()
    with pytest.raises(RuntimeError, match="was not found in this shot"):
        bpy.ops.retime_people.merge_people(other="zoe")


def test_go_to_where_somebody_is_seen(props, found):
    bpy.ops.retime_people.go_to_seen(last=True)
    assert bpy.context.scene.frame_current == START + FRAMES - 1
    bpy.ops.retime_people.go_to_seen()
    assert bpy.context.scene.frame_current == START


def test_outlines_lie_on_the_edges_of_masks(module, tmp_path):
    lines = module("mask_lines")
    mask = np.zeros((4, 6))
    mask[0, 1:3] = 1
    points = lines.outline_of(mask)
    assert points.min(0).tolist() == [1, 3] and points.max(0).tolist() == [3, 4]
    assert len(points) == 2 * 6
    place = lines.Placement((6, 4), offset=(10, 0), scale=(2, 2))
    assert lines.placed(points, place).min(0).tolist() == [6, 2]
    flipped = lines.placed(points, lines.Placement((6, 4), flip=(True, False)))
    assert flipped[:, 0].tolist() == (-lines.placed(points, lines.Placement((6, 4)))[:, 0]).tolist()


def test_the_mask_of_the_frame_is_shown(module, props, found):
    strip = bpy.context.scene.sequence_editor.active_strip
    outlines, person = module("mask_outlines"), props.people[0]
    assert outlines.mask_of(person, strip, START + 2) == found / "Person 1" / "0003.png"
    assert outlines.mask_of(person, strip, START + FRAMES) is None
    assert outlines.placement_of(strip).size == (WIDTH, HEIGHT)
    assert len(outlines.read_outline(found / "Person 1" / "0003.png")) == 2 * 2 * (6 + 12)


def test_who_is_in_front_is_shown_changed_and_sent(editing, module, props, found, tmp_path):
    module("found_depth").write_depths(found, {"Person 1": "1:0 4:1", "Person 2": "1:1 4:0"})
    module("people_list").take_people(props, module("people_file").read_people(found / "people.json"))
    scene, rows = bpy.context.scene, module("ui_lists").RETIME_PEOPLE_UL_people

    def shown(frame):
        scene.frame_set(START + frame - 1)
        helper = SimpleNamespace(filter_name="", bitflag_filter_item=1)
        _, places = rows.filter_items(helper, bpy.context, props, "people")
        return sorted((place, person.name) for place, person in zip(places, props.people, strict=True))[0][1]

    assert [shown(frame) for frame in (1, 3, 4, 6)] == ["Person 2", "Person 2", "Person 1", "Person 1"]
    props.people_index = 0
    scene.frame_set(START + 1)
    assert bpy.ops.retime_people.move_found(direction="FRONT") == {"FINISHED"}
    assert [shown(frame) for frame in (1, 6)] == ["Person 1", "Person 1"]
    with pytest.raises(RuntimeError, match="in front already"):
        bpy.ops.retime_people.move_found(direction="FRONT")
    props.people[0].name = "anna"
    depths = {person.name: person.depth for person in props.people}
    module("found_depth").write_depths(tmp_path, depths)
    order = json.loads((tmp_path / "order.json").read_text())["order"]
    assert order == [{"first_frame": 1, "names": ["Person 2", "anna"]}]

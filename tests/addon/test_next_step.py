"""The one next step, from an empty file to a retimed person."""

from __future__ import annotations

import importlib

import bpy
import pytest

from tests.addon.layer_factory import FRAMES, coded_set, new_scene, plate_strip, random_plate
from tests.addon.pictures import write_masks


@pytest.fixture
def module(addon):
    return lambda name: importlib.import_module(f"{addon.__name__}.{name}")


@pytest.fixture
def backend(module):
    """The state of the backend, set at will."""
    session, process = module("pump").session(), module("backend_process")

    def be(state, sentence=""):
        session.backend.status = process.BackendStatus(process.BackendState(state), sentence)

    be("running")
    return be


@pytest.fixture
def step(module, backend):
    """(text, names of the buttons) of the next step now."""

    def now():
        found = module("next_step").next_step(bpy.context)
        return found.text, [name for name, _ in found.buttons]

    return now


@pytest.fixture
def clip(addon, tmp_path):
    scene = new_scene()
    return plate_strip(scene, tmp_path / "plate", random_plate(FRAMES))


def test_the_way_from_start_to_decompose(addon, step, backend, tmp_path):
    scene = new_scene()
    assert step() == (
        "Begin with a movie of people, or with layers that were made before.",
        ["sequencer.movie_strip_add", "load_layers"],
    )
    strip = plate_strip(scene, tmp_path / "plate", random_plate(FRAMES))
    scene.sequence_editor.active_strip, strip.select = None, False
    assert step()[0].startswith("No strip is active")
    scene.sequence_editor.active_strip = strip
    backend("not_configured")
    assert step()[1] == ["install_backend", "attach_backend"]
    backend("running")
    text, buttons = step()
    assert text.startswith("Which people are in plate?")
    assert buttons == ["find_people", "add_masks_folder", "add_mask"]
    bpy.ops.retime_people.add_masks_folder(directory=str(write_masks(tmp_path / "m", ("anna",), FRAMES)))
    assert step() == ("Split plate into one layer per person.", ["decompose"])
    backend("not_configured")
    assert step()[0].startswith("Layers are computed by a program of its own")
    backend("mismatch", "The backend is version 2.")
    assert step()[0] == "The backend is version 2."
    backend("stopped")
    assert step()[1] == ["decompose"]


def test_the_way_of_those_who_draw(clip, step):
    bpy.ops.retime_people.add_mask()
    person = bpy.context.scene.retime_people.people[0]
    text, buttons = step()
    assert text.startswith("Person 1 has no masks yet. Go to a frame")
    assert buttons == ["draw_mask", "find_people", "add_masks_folder"]
    bpy.ops.retime_people.draw_mask(person="Person 1")
    person.mask.layers[0].splines.new().points.add(2)
    bpy.ops.retime_people.take_drawn()
    text, buttons = step()
    assert text.startswith("What was drawn of Person 1 holds for some frames only.")
    assert buttons == ["carry_masks", "add_mask"]
    bpy.ops.retime_people.take_drawn(clear=True)
    assert step()[1][0] == "draw_mask"
    del person.mask["retime_people_frame"]
    assert step()[1] == ["decompose"]


@pytest.mark.parametrize(
    ("state", "message", "text", "buttons"),
    [
        ("running", "", "plate is being decomposed", []),
        ("preparing", "", "plate is being decomposed", []),
        ("failed", "No space left.", "No space left.", ["resume", "dismiss"]),
        ("cancelled", "", "plate: cancelled.", ["resume", "dismiss"]),
        ("finished", "", "The layers of plate are done", ["load_layers", "dismiss"]),
    ],
)
def test_a_job_comes_first(clip, step, state, message, text, buttons):
    job = bpy.context.scene.retime_people.jobs.add()
    job.strip, job.out, job.state, job.message, job.job_id = "plate", "/o", state, message, "1"
    found = step()
    assert found[0].startswith(text)
    assert found[1] == buttons


def test_a_broken_backend_under_a_job(clip, step, backend):
    job = bpy.context.scene.retime_people.jobs.add()
    job.strip, job.out, job.state, job.job_id = "plate", "/o", "running", "1"
    backend("failed", "The backend ended.")
    assert step()[0] == "The backend ended."


def test_a_job_that_waits_for_a_backend_says_so(clip, step, backend):
    job = bpy.context.scene.retime_people.jobs.add()
    job.strip, job.out, job.state, job.job_id = "plate", "/o", "running", "1"
    backend("stopped")
    assert step() == ("plate waits for the backend, which is not running.", ["start_backend"])


def test_what_was_never_sent_is_begun_again(clip, step):
    job = bpy.context.scene.retime_people.jobs.add()
    job.strip, job.out, job.state, job.message = "plate", "/o", "cancelled", "Blender was closed."
    assert step() == ("Blender was closed.", ["find_people", "add_masks_folder", "dismiss"])
    bpy.ops.retime_people.add_mask()
    assert step() == ("Blender was closed.", ["decompose", "dismiss"])


def test_after_loading(clip, step, tmp_path):
    scene = bpy.context.scene
    bpy.ops.retime_people.load_layers(filepath=str(coded_set(tmp_path / "layers")))
    assert step()[0] == "Click a person to retime: anna, bruno."
    scene.retime_people.people_index = scene.retime_people.people.find("bruno")
    assert scene.sequence_editor.active_strip.name == "bruno"
    assert step()[0].startswith("Retime bruno")
    scene.sequencer_colorspace_settings.name = "Linear Rec.709"
    assert step()[1] == ["use_srgb_sequencer"]


def test_the_list_follows_the_strips(clip, module, tmp_path):
    scene = bpy.context.scene
    props = scene.retime_people
    bpy.ops.retime_people.load_layers(filepath=str(coded_set(tmp_path / "layers")))
    assert [(p.name, p.from_layers) for p in props.people] == [("anna", True), ("bruno", True)]
    assert scene.sequence_editor.active_strip == clip
    bpy.ops.retime_people.duplicate(person="anna")
    assert [p.name for p in props.people] == ["anna", "bruno", "anna.001"]
    scene.sequence_editor.active_strip = scene.sequence_editor.strips["anna.001"]
    assert props.people_index == 2
    strips = scene.sequence_editor.strips
    strips["bruno"].color_tag = "COLOR_09"
    strips.remove(strips["anna.001"])
    module("people_list").refresh(scene)
    assert [(p.name, p.tag) for p in props.people] == [("anna", 1), ("bruno", 9)]


def test_people_with_masks_stay_in_the_list_and_keep_their_color(clip, tmp_path):
    scene = bpy.context.scene
    masks = write_masks(tmp_path / "m", ("anna", "bruno", "zoe"), FRAMES)
    bpy.ops.retime_people.add_masks_folder(directory=str(masks))
    scene.retime_people.people["bruno"].tag = 6
    bpy.ops.retime_people.load_layers(filepath=str(coded_set(tmp_path / "layers")))
    assert [p.name for p in scene.retime_people.people] == ["anna", "bruno", "zoe"]
    assert not any(p.from_layers for p in scene.retime_people.people)
    assert scene.sequence_editor.strips["bruno"].color_tag == "COLOR_06"


def test_how_an_estimate_is_told(module):
    parts, timings = module("panel_parts"), module("timings")
    assert parts.told_estimate(None) == "Not timed here yet; Draft is the quickest"
    assert parts.told_estimate(timings.Estimate(200, 1)) == "About 3 min, going by 1 job here"
    assert parts.told_estimate(timings.Estimate(20, 4)) == "About 20 s, going by 4 jobs here"


def test_estimate_goes_by_frames_size_and_people(clip, module, tmp_path):
    parts, timings, scene = module("panel_parts"), module("timings"), bpy.context.scene
    file = module("preferences").timings_file()
    file.unlink(missing_ok=True)
    timings.keep_timing(file, timings.Timing("standard", FRAMES * 64 * 32, 10))
    props = scene.retime_people
    bpy.ops.retime_people.add_mask()
    assert parts.estimated(props, clip).seconds == pytest.approx(10)
    bpy.ops.retime_people.add_mask()
    props.settings.last_frame = FRAMES // 2
    assert parts.estimated(props, clip).seconds == pytest.approx(10)
    props.settings.preset = "best"
    assert parts.estimated(props, clip) is None
    file.unlink()


def test_a_backend_that_is_there_is_attached(addon, module, tmp_path):
    python = tmp_path / "bin" / "python"
    with pytest.raises(RuntimeError, match="choose the Python of the environment"):
        bpy.ops.retime_people.attach_backend(filepath=str(python))
    python.parent.mkdir()
    python.touch()
    assert bpy.ops.retime_people.attach_backend(filepath=str(python)) == {"FINISHED"}
    preferences = module("preferences")
    assert preferences.launch_of(bpy.context, None).python == str(python)
    preferences.set_preference(bpy.context, "backend_python", "")

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import bpy
import pytest
from fake_backend import FakeBackend, error, progress, result, state, successful
from pictures import add_clip, read_png, write_clip, write_layer_set, write_masks

FRAMES = 6
PEOPLE = ("anna", "ben")


@pytest.fixture
def module(addon, monkeypatch):
    monkeypatch.setattr(importlib.import_module(f"{addon.__name__}.pump"), "TICK_SECONDS", 0.0)
    return lambda name: importlib.import_module(f"{addon.__name__}.{name}")


@pytest.fixture
def runtime_dir(module):
    folder = Path(module("preferences").user_folder("backend"))
    (folder / "backend.json").unlink(missing_ok=True)
    return folder


@pytest.fixture
def fake(runtime_dir, module):
    def script(request):
        return successful(write_layer_set(Path(request["out"]), PEOPLE, FRAMES))

    with FakeBackend(runtime_dir, script) as backend:
        yield backend


@pytest.fixture
def strip(addon, tmp_path):
    return add_clip(bpy.context.scene, write_clip(tmp_path / "clip", FRAMES), start=11)


@pytest.fixture
def masks(tmp_path):
    return str(write_masks(tmp_path / "given masks", PEOPLE, FRAMES))


@pytest.fixture
def props(addon):
    return bpy.context.scene.retime_people


def decompose(**options):
    return bpy.ops.retime_people.decompose(**options)


def test_from_strip_to_layers(fake, strip, masks, props, tmp_path):
    assert decompose(out=str(tmp_path / "out"), masks=masks, preset="draft", seed=3) == {"FINISHED"}
    request = fake.jobs["job-1"].request
    assert request["settings"]["preset"] == "draft" and request["settings"]["seed"] == 3
    assert request["out"] == str(tmp_path / "out")
    assert len(list(Path(request["plate"]).iterdir())) == FRAMES
    assert {folder.name: len(list(folder.iterdir())) for folder in Path(request["masks"]).iterdir()} == {
        name: FRAMES for name in PEOPLE
    }
    names = {strip.name for strip in bpy.context.scene.sequence_editor.strips_all}
    assert {"background", *PEOPLE} <= names
    assert strip.mute
    job = props.jobs[0]
    assert (job.job_id, job.state, job.loaded, job.strip) == ("job-1", "finished", True, "Clip")


def test_layers_start_where_the_strip_starts(fake, strip, masks, tmp_path):
    decompose(out=str(tmp_path / "out"), masks=masks)
    layer = bpy.context.scene.sequence_editor.strips_all["anna"]
    assert (layer.frame_final_start, layer.frame_final_end) == (11, 11 + FRAMES)


def test_a_layer_is_not_decomposed_again(fake, strip, masks, tmp_path):
    decompose(out=str(tmp_path / "out"), masks=masks)
    editor = bpy.context.scene.sequence_editor
    editor.active_strip = editor.strips_all["anna"]
    with pytest.raises(RuntimeError, match="anna is a layer already"):
        decompose(masks=masks)


def test_removed_layers_can_be_loaded_again(fake, strip, masks, props, module, tmp_path):
    decompose(out=str(tmp_path / "out"), masks=masks)
    strips = bpy.context.scene.sequence_editor.strips
    for layer in [layer for layer in strips if layer != strip]:
        strips.remove(layer)
    module("pump").pump_once(module("pump").session())
    assert props.jobs[0].state == "finished" and not props.jobs[0].loaded
    bpy.ops.retime_people.load_layers(filepath=props.jobs[0].layers, source="Clip")
    module("pump").pump_once(module("pump").session())
    assert props.jobs[0].loaded


def test_settings_of_the_scene_are_used(fake, strip, masks, props, tmp_path):
    props.settings.preset, props.settings.residual = "best", False
    props.out = str(tmp_path / "chosen")
    decompose(masks=masks, seed=1)
    request = fake.jobs["job-1"].request
    assert request["settings"]["preset"] == "best" and request["settings"]["residual"] is False
    assert request["out"] == str(tmp_path / "chosen")


def test_people_of_the_list_are_used(fake, strip, masks, props, tmp_path):
    assert bpy.ops.retime_people.add_masks_folder(directory=masks) == {"FINISHED"}
    assert [person.name for person in props.people] == list(PEOPLE)
    props.people[0].name = "Anna B."
    decompose(out=str(tmp_path / "out"))
    names = {folder.name for folder in Path(fake.jobs["job-1"].request["masks"]).iterdir()}
    assert names == {"Anna B.", "ben"}


def test_a_folder_in_use_is_never_written_to(fake, strip, masks, tmp_path):
    for number in range(3):
        strip.mute = False
        bpy.context.scene.sequence_editor.active_strip = strip
        decompose(out=str(tmp_path / "out"), masks=masks)
        assert fake.jobs[f"job-{number + 1}"].request["out"].endswith(("out", "out-002", "out-003")[number])


def test_layers_go_beside_the_saved_file(fake, strip, masks, tmp_path):
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "edit.blend"))
    decompose(masks=masks)
    assert fake.jobs["job-1"].request["out"] == str(tmp_path / "retime_people" / "Clip")


def test_masks_drawn_in_blender(fake, strip, props, tmp_path):
    from test_mask import draw_box

    draw_box(4, 2, 14, 12, "Anna")
    assert bpy.ops.retime_people.add_mask(mask="Anna") == {"FINISHED"}
    decompose(out=str(tmp_path / "out"))
    folder = Path(fake.jobs["job-1"].request["masks"]) / "Anna"
    assert read_png(folder / "0001.png")[8, 8, 0] == 255


def test_a_killed_worker_is_one_sentence_and_can_be_resumed(fake, strip, masks, props, tmp_path):
    fake.script = lambda _: [state("running"), error("The worker was killed", "Press Resume"), state("failed")]
    with pytest.raises(RuntimeError, match=r"The worker was killed\. Press Resume\."):
        decompose(out=str(tmp_path / "out"), masks=masks)
    assert props.jobs[0].state == "failed"
    layers = write_layer_set(tmp_path / "out", PEOPLE, FRAMES)
    fake.resume_script = successful(layers)
    assert bpy.ops.retime_people.resume() == {"FINISHED"}
    assert props.jobs[0].loaded and "anna" in bpy.context.scene.sequence_editor.strips_all


def test_layers_that_cannot_be_loaded_are_one_sentence(fake, strip, masks, props, tmp_path):
    fake.script = lambda _: [state("running"), result(tmp_path / "none" / "layers.json"), state("finished")]
    with pytest.raises(RuntimeError, match=r"layers\.json can't be read"):
        decompose(out=str(tmp_path / "out"), masks=masks)
    assert not props.jobs[0].loaded


def test_no_python_is_one_sentence(runtime_dir, strip, masks, tmp_path, monkeypatch):
    monkeypatch.delenv("RETIME_PEOPLE_PYTHON", raising=False)
    with pytest.raises(RuntimeError, match="set Backend Python in the preferences"):
        decompose(out=str(tmp_path / "out"), masks=masks)
    assert not (tmp_path / "out").exists()


def test_another_version_is_one_sentence(runtime_dir, strip, masks, tmp_path):
    with FakeBackend(runtime_dir, version="0.0.1"), pytest.raises(RuntimeError, match=r"backend is version 0\.0\.1"):
        decompose(out=str(tmp_path / "out"), masks=masks)


def test_a_wrong_token_is_one_sentence(fake, runtime_dir, strip, masks, tmp_path, monkeypatch):
    monkeypatch.delenv("RETIME_PEOPLE_PYTHON", raising=False)
    fake.token = "changed"
    with pytest.raises(RuntimeError, match="refuses our token"):
        decompose(out=str(tmp_path / "out"), masks=masks)


def test_no_people_is_one_sentence(fake, strip):
    with pytest.raises(RuntimeError, match="Nobody is in the list of people; press Find People"):
        decompose()


def test_no_strip_is_one_sentence(fake, masks):
    with pytest.raises(RuntimeError, match="No strip is active"):
        decompose(masks=masks)


def test_the_backend_is_started_and_stopped(runtime_dir, addon, module, tmp_path, monkeypatch):
    package = tmp_path / "code" / "backend"
    package.mkdir(parents=True)
    starter = f"import sys\nsys.path.insert(0, {str(Path(__file__).parent)!r})\nimport fake_backend\n"
    (package / "__main__.py").write_text(starter + "fake_backend.main(sys.argv[1:])\n", encoding="utf-8")
    preferences = bpy.context.preferences.addons[addon.__name__].preferences
    preferences.backend_python, preferences.backend_folder = sys.executable, str(package.parent)
    assert bpy.ops.retime_people.start_backend() == {"FINISHED"}
    assert (runtime_dir / "backend.json").exists()
    assert bpy.ops.retime_people.stop_backend() == {"FINISHED"}
    assert not (runtime_dir / "backend.json").exists()


def test_cancel_while_it_trains(fake, strip, masks, props, module, tmp_path):
    """Without a window the artist's cancel comes between two rounds of the pump."""
    fake.script = lambda _: [state("running"), progress("Training", 0.1)]
    session, pump = module("pump").session(), module("pump")
    ticket = start(module, strip, masks, tmp_path)
    rounds(pump, session, lambda: ticket.fraction == pytest.approx(0.1))
    assert bpy.ops.retime_people.cancel() == {"FINISHED"}
    assert ticket.state == props.jobs[0].state == "cancelled"


def test_cancel_while_frames_are_rendered(fake, strip, masks, props, module, tmp_path):
    session, pump = module("pump").session(), module("pump")
    ticket = start(module, strip, masks, tmp_path)
    pump.pump_once(session, 0.0)
    pump.pump_once(session, 0.0)
    assert 0 < ticket.fraction < 1 and props.jobs[0].state == "preparing"
    assert bpy.ops.retime_people.cancel() == {"FINISHED"}
    assert props.jobs[0].state == "cancelled" and not (tmp_path / "out" / ".input").exists()
    assert len(bpy.data.scenes) == 1


def test_a_tick_renders_one_picture_at_least_and_not_all(fake, strip, masks, module, tmp_path):
    session, pump = module("pump").session(), module("pump")
    start(module, strip, masks, tmp_path)
    pump.pump_once(session, 0.0)
    assert len(list((tmp_path / "out" / ".input" / "plate").iterdir())) == 1


def test_undo_takes_no_job_away(fake, strip, masks, props, module, tmp_path):
    session, pump = module("pump").session(), module("pump")
    start(module, strip, masks, tmp_path)
    pump.pump_once(session, 0.0)
    props.jobs.clear()
    pump.pump_once(session, 0.0)
    assert [job.out for job in bpy.context.scene.retime_people.jobs] == [str(tmp_path / "out")]


def test_saving_meanwhile_leaves_no_scratch_scene_in_the_file(fake, strip, masks, module, tmp_path):
    session, pump = module("pump").session(), module("pump")
    start(module, strip, masks, tmp_path)
    pump.pump_once(session, 0.0)
    assert len(bpy.data.scenes) == 2
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "edit.blend"))
    assert len(bpy.data.scenes) == 1


def test_a_restarted_blender_finds_its_job_again(fake, strip, masks, module, tmp_path):
    fake.script = lambda _: [state("running"), progress("Training", 0.1)]
    session, pump = module("pump").session(), module("pump")
    ticket = start(module, strip, masks, tmp_path)
    rounds(pump, session, lambda: ticket.fraction == pytest.approx(0.1))
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "edit.blend"))
    bpy.ops.wm.read_homefile(use_empty=True)
    assert session.tickets == {}
    layers = write_layer_set(tmp_path / "out", PEOPLE, FRAMES)
    fake.jobs["job-1"].script = [result(layers), state("finished")]
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "edit.blend"))
    assert list(session.tickets) == [str(tmp_path / "out")]
    assert bpy.ops.retime_people.resume() == {"FINISHED"}
    scene = bpy.context.scene
    assert scene.retime_people.jobs[0].loaded and "anna" in scene.sequence_editor.strips_all


def test_a_job_that_got_its_number_after_the_last_save_is_found_by_its_folder(fake, strip, masks, module, tmp_path):
    fake.script = lambda _: [state("running"), progress("Training", 0.1)]
    session, pump = module("pump").session(), module("pump")
    ticket = start(module, strip, masks, tmp_path)
    pump.pump_once(session, 0.0)
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "edit.blend"))
    rounds(pump, session, lambda: ticket.job_id)
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "edit.blend"))
    again = session.tickets[str(tmp_path / "out")]
    rounds(pump, session, lambda: again.job_id == "job-1")
    fake.jobs["job-1"].script = [result(write_layer_set(tmp_path / "out", PEOPLE, FRAMES)), state("finished")]
    rounds(pump, session, lambda: again.settled)
    assert bpy.context.scene.retime_people.jobs[0].loaded


def test_a_shot_that_was_never_sent_says_so_after_a_restart(fake, strip, masks, module, tmp_path):
    session, pump = module("pump").session(), module("pump")
    start(module, strip, masks, tmp_path)
    pump.pump_once(session, 0.0)
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "edit.blend"))
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "edit.blend"))
    rounds(pump, session, lambda: session.tickets[str(tmp_path / "out")].final)
    job = bpy.context.scene.retime_people.jobs[0]
    assert job.state == "cancelled" and "begin again" in job.message


def test_prepared_frames_are_sent_again_after_a_restart(fake, strip, masks, module, tmp_path):
    session, pump = module("pump").session(), module("pump")
    start(module, strip, masks, tmp_path)
    while session.preparation is not None:
        pump.pump_once(session, 0.0)
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "edit.blend"))
    # Killed: what waits to be sent is lost.
    session.board._orders.get()
    session.board._orders.get()
    bpy.ops.wm.read_homefile(use_empty=True)
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "edit.blend"))
    rounds(pump, session, lambda: session.tickets[str(tmp_path / "out")].final)
    assert "press Resume" in bpy.context.scene.retime_people.jobs[0].message
    assert bpy.ops.retime_people.resume() == {"FINISHED"}
    assert fake.jobs["job-1"].request["resume"] is True
    assert bpy.context.scene.retime_people.jobs[0].loaded


def test_a_job_that_the_backend_forgot_is_sent_again(fake, strip, masks, props, tmp_path):
    fake.script = lambda _: [state("failed")]
    with pytest.raises(RuntimeError):
        decompose(out=str(tmp_path / "out"), masks=masks)
    fake.jobs.clear()
    layers = write_layer_set(tmp_path / "out", PEOPLE, FRAMES)
    fake.script = lambda _: successful(layers)
    assert bpy.ops.retime_people.resume() == {"FINISHED"}
    assert props.jobs[0].loaded


def test_dismissed_jobs_are_off_the_list(fake, strip, masks, props, tmp_path):
    decompose(out=str(tmp_path / "out"), masks=masks)
    assert bpy.ops.retime_people.dismiss() == {"FINISHED"}
    assert len(props.jobs) == 0 and (tmp_path / "out" / "layers.json").exists()


def start(module, strip, masks, tmp_path):
    """What Decompose does in a window: begin and return at once."""
    people = module("mask_render").people_in_folder(Path(masks))
    settings = module("protocol").DecomposeSettings()
    plan = module("preparation").plan_shot(bpy.context.scene, strip, people, tmp_path / "out", settings)
    return module("pump").session().begin(plan)


def rounds(pump, session, until, limit=200):
    """Drive as the timer and the thread would, by turns."""
    for _ in range(limit):
        pump.pump_once(session, 0.0)
        if session.preparation is None:
            session.board.ask_once()
        if until():
            pump.pump_once(session, 0.0)
            return
    raise AssertionError("it never came to that")

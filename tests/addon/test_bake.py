"""Baking: pictures in between instead of repeated frames, with the keys left as they were."""

from __future__ import annotations

import importlib
import json
import math
import os
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import bpy
import pytest
from fake_backend import FakeBackend, error, progress, result, state

from backend.media.exr import write_exr
from backend.media.layer_set import open_layers
from tests.addon.layer_factory import FRAMES, LEFT, RIGHT, STEP, coded_set, color_strip, new_scene, render

ROOT = Path(__file__).parents[2]
PYTHON = os.environ.get("RETIME_PEOPLE_PYTHON", sys.executable)


@pytest.fixture
def module(addon, monkeypatch):
    monkeypatch.setattr(importlib.import_module(f"{addon.__name__}.pump"), "TICK_SECONDS", 0.0)
    monkeypatch.setattr(importlib.import_module(f"{addon.__name__}.bake_run"), "TICK_SECONDS", 0.0)
    return lambda name: importlib.import_module(f"{addon.__name__}.{name}")


@pytest.fixture
def fake(module):
    folder = Path(module("preferences").user_folder("backend"))
    (folder / "backend.json").unlink(missing_ok=True)

    def script(request):
        path = render_times(Path(request["plate"]), Path(request["out"]), Path(request["hints"]))
        return [state("running"), progress("Making Pictures in Between", 0.5), result(path), state("finished")]

    with FakeBackend(folder, script) as backend:
        yield backend


def render_times(layers: Path, out: Path, order: Path) -> Path:
    """What the backend does, but with the pictures of both neighbours mixed."""
    wanted, reader = json.loads(order.read_text()), open_layers(layers)
    for number, time in enumerate(wanted["times"], 1):
        near, far = (reader.pixels(wanted["layer"], n) for n in (math.floor(time), math.ceil(time)))
        write_exr(out / f"{number:04d}.exr", near + (time % 1) * (far - near))
    return out / "retimed.json"


@pytest.fixture
def loaded(fake, tmp_path):
    """A loaded shot behind a strip that can't have keys, the way that crashes Blender."""
    scene = new_scene()
    color_strip(scene, "Color", 1)
    bpy.ops.retime_people.load_layers(filepath=str(coded_set(tmp_path / "layers")), channel=2)
    return scene


def times(scene, tmp_path, column: int = LEFT, lift: float = 0.0) -> list[float]:
    """What is seen of a person in each frame, as the source frame from 0, to fractions."""
    pictures = render(scene, tmp_path / "out")
    return [round((float(p[5:-5, column].mean()) - lift) / STEP - 1, 1) for p in pictures]


def state_of(scene):
    return {
        s.name: (s.channel, s.frame_final_start, s.frame_final_end, s.mute, keys_of(s))
        for s in scene.sequence_editor.strips
    }


def keys_of(strip) -> list[int]:
    return [key.timeline_frame for key in getattr(strip, "retiming_keys", ())]


@pytest.fixture
def asked(fake):
    """The times that the backend is asked for, a list for each job."""
    found, script = [], fake.script

    def listening(request):
        found.append(json.loads(Path(request["hints"]).read_text())["times"])
        return script(request)

    fake.script = listening
    return found


def test_half_speed_shows_pictures_in_between(loaded, tmp_path):
    bpy.ops.retime_people.set_speed(person="anna", percent=50)
    assert bpy.ops.retime_people.bake(person="anna") == {"FINISHED"}
    seen = times(loaded, tmp_path)
    speed = 1 / 2 if bpy.app.version >= (5, 0, 0) else (FRAMES - 1) / (2 * FRAMES - 2)
    assert seen == pytest.approx([i * speed for i in range(FRAMES)], abs=0.11)
    assert times(loaded, tmp_path, RIGHT, 0.5) == pytest.approx(list(range(FRAMES)), abs=0.11)


def test_unbake_restores_everything(loaded, tmp_path):
    bpy.ops.retime_people.set_speed(person="anna", percent=50)
    before, seen = state_of(loaded), times(loaded, tmp_path)
    bpy.ops.retime_people.bake(person="anna")
    assert state_of(loaded) != before
    assert bpy.ops.retime_people.unbake(person="anna") == {"FINISHED"}
    assert state_of(loaded) == before
    assert times(loaded, tmp_path) == seen


def test_baking_again_makes_only_what_is_new(loaded, asked):
    bpy.ops.retime_people.set_speed(person="anna", percent=50)
    bpy.ops.retime_people.bake(person="anna")
    bpy.ops.retime_people.bake(person="anna")
    assert len(asked) == 1
    bpy.ops.retime_people.set_speed(person="anna", percent=50, **{"from": 6})
    bpy.ops.retime_people.bake(person="anna")
    assert len(asked) == 2
    assert not set(asked[0]) & set(asked[1])
    assert all(time > 3 for time in asked[1])


@pytest.mark.parametrize("frame", [7, 8, 9, 10])
def test_a_freeze_leaves_the_speed_and_the_pictures(loaded, asked, module, frame):
    bpy.ops.retime_people.set_speed(person="anna", percent=50)
    bpy.ops.retime_people.bake(person="anna")
    bpy.ops.retime_people.freeze(person="anna", frame=frame, duration=2)
    bpy.ops.retime_people.bake(person="anna")
    assert len(asked) == 1
    sources = module("bake_map").sources_of(module("bake").strips_to_bake(loaded, "anna")[0])
    steps = [round(b - a, 6) for a, b in pairwise(sources)]
    assert steps.count(0) == 2 and set(steps) == {0, 0.5}


def test_what_changes_the_person_takes_the_bake_off(loaded, tmp_path, module):
    bpy.ops.retime_people.set_speed(person="anna", percent=50)
    bpy.ops.retime_people.bake(person="anna")
    bpy.ops.retime_people.offset(person="anna", frames=2)
    assert not module("bake").baked_strips(loaded, "anna")
    assert times(loaded, tmp_path)[:2] == [0, 0]


def test_a_baked_person_can_be_hidden(loaded, tmp_path, module):
    bpy.ops.retime_people.set_speed(person="anna", percent=50)
    bpy.ops.retime_people.bake(person="anna")
    bpy.ops.retime_people.remove(person="anna")
    assert module("strips").is_hidden(loaded, "anna")
    assert times(loaded, tmp_path) == [15] * FRAMES  # 15: the background's 0.25
    bpy.ops.retime_people.remove(person="anna", bring_back=True)
    assert times(loaded, tmp_path)[1] == pytest.approx(0.5, abs=0.11)


def test_a_person_in_pieces(fake, tmp_path):
    scene = new_scene()
    order = [["anna", "bruno"]] * 4 + [["bruno", "anna"]] * 5 + [["anna", "bruno"]] * 3
    bpy.ops.retime_people.load_layers(filepath=str(coded_set(tmp_path / "layers", order)))
    bpy.ops.retime_people.set_speed(person="anna", percent=50)
    before = state_of(scene)
    assert bpy.ops.retime_people.bake(person="anna") == {"FINISHED"}
    assert times(scene, tmp_path)[1:12:2] == pytest.approx([0.5, 1.5, 2.5, 3.5, 4.5, 5.5], abs=0.3)
    bpy.ops.retime_people.unbake(person="anna")
    assert state_of(scene) == before


def test_a_bake_survives_saving(loaded, tmp_path, module):
    bpy.ops.retime_people.set_speed(person="anna", percent=50)
    before = state_of(loaded)
    bpy.ops.retime_people.bake(person="anna")
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "file.blend"))
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "file.blend"))
    assert times(bpy.context.scene, tmp_path)[1] == pytest.approx(0.5, abs=0.11)
    bpy.ops.retime_people.unbake(person="anna")
    assert state_of(bpy.context.scene) == before


def test_a_failed_bake_leaves_all_as_it_was(loaded, fake, tmp_path):
    bpy.ops.retime_people.set_speed(person="anna", percent=50)
    before = state_of(loaded)
    fake.script = lambda _: [state("running"), error("The disk is full", "Free some space"), state("failed")]
    with pytest.raises(RuntimeError, match=r"The disk is full\. Free some space"):
        bpy.ops.retime_people.bake(person="anna")
    assert state_of(loaded) == before
    assert not [p for p in (tmp_path / "layers-baked").rglob("*") if p.is_file()]


def test_a_cancelled_bake_leaves_all_as_it_was(loaded, fake, module, tmp_path):
    bpy.ops.retime_people.set_speed(person="anna", percent=50)
    before = state_of(loaded)
    fake.script = lambda _: [state("running")]
    run, board = module("bake_run").BakeRun(loaded.name, "anna", 0.0), module("pump").session().board
    run.begin()
    for _ in range(3):
        board.ask_once()
        board.drain()
        run.look()
    assert not run.done
    run.cancel()
    board.ask_once()
    assert (run.done, run.failed, run.message) == (True, True, "Baking was cancelled.")
    assert fake.jobs["job-1"].state == "cancelled"
    assert state_of(loaded) == before
    assert not [p for p in (tmp_path / "layers-baked").rglob("*") if p.is_file()]


def test_the_timer_of_a_window_sees_a_bake_through(loaded, module):
    bake_run, board = module("bake_run"), module("pump").session().board
    bpy.ops.retime_people.set_speed(person="anna", percent=50)
    run = bake_run.Live.run = bake_run.BakeRun(loaded.name, "anna", 0.0)
    run.begin()
    assert bake_run.under_way() is run
    for _ in range(20):
        board.ask_once()
        board.drain()
        if bake_run._tick() is None:
            break
    assert bake_run.under_way() is None
    assert not run.failed
    assert len(module("bake").baked_strips(loaded, "anna")) == 1


def test_another_file_ends_a_bake(loaded, fake, module):
    fake.script = lambda _: [state("running")]
    run, board = module("bake_run").BakeRun(loaded.name, "anna", 0.0), module("pump").session().board
    run.begin()
    board.ask_once()
    board.drain()
    board.forget()
    run.look()
    assert run.done
    assert "was left" in run.message


def test_layers_that_are_gone(loaded, tmp_path):
    bpy.ops.retime_people.set_speed(person="anna", percent=50)
    (tmp_path / "layers" / "layers.json").unlink()
    with pytest.raises(RuntimeError, match=r"layers\.json can't be read"):
        bpy.ops.retime_people.bake(person="anna")


def test_nobody_of_that_name(loaded):
    with pytest.raises(RuntimeError, match='no person "carl" here; people here: anna, bruno'):
        bpy.ops.retime_people.bake(person="carl")


def test_a_fast_stretch_gets_motion_blur(loaded, module):
    bpy.ops.retime_people.set_speed(person="anna", percent=200)
    anna = loaded.sequence_editor.strips["anna"]
    moments = module("bake_map").moments_of(anna, 180.0)
    assert moments[2][1] == pytest.approx(1.0, abs=0.2)
    # Where the last picture is held nothing moves.
    assert moments[-1] == (FRAMES, 0.0)
    assert all(span == 0 for _, span in module("bake_map").moments_of(anna, 0.0))


def test_a_jump_is_no_motion(module):
    assert module("bake_map").spans([1, 2, 9, 10, 11], 180) == [0, 0, 0, 0, 0]
    assert module("bake_map").spans([1, 3, 5, 6, 7], 180) == [1, 1, 0, 0, 0]


def test_the_real_backend(addon, tmp_path, module, monkeypatch):
    if subprocess.run([PYTHON, "-c", "import starlette, torch"], capture_output=True).returncode:
        pytest.skip("this Python has no backend; set RETIME_PEOPLE_PYTHON to one that has")
    launch = module("backend_process").Launch(PYTHON, str(ROOT))
    monkeypatch.setattr(module("pump"), "_launch", lambda _: launch)
    monkeypatch.setattr(module("pump").session().backend, "launch", launch)
    scene = new_scene(5)
    bpy.ops.retime_people.load_layers(filepath=str(coded_set(tmp_path / "layers", frames=3)))
    scene.frame_end = 3
    bpy.ops.retime_people.set_speed(person="anna", percent=50)
    assert bpy.ops.retime_people.bake(person="anna") == {"FINISHED"}
    assert times(scene, tmp_path)[1] == pytest.approx(0.5, abs=0.3)


def test_the_background_can_be_baked(loaded, tmp_path):
    assert bpy.ops.retime_people.bake(person="background") == {"FINISHED"}
    assert times(loaded, tmp_path) == list(range(FRAMES))
    assert bpy.ops.retime_people.unbake(person="background") == {"FINISHED"}

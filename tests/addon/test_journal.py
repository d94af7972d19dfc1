from __future__ import annotations

import importlib

import bpy
import pytest
from pictures import add_clip, write_clip, write_layer_set
from plain import load

FRAMES = 4
PEOPLE = ("anna", "ben")
journal = load("journal")


def started(blend="/a.blend", out="/layers", strip="Clip", scene="Scene", task="decompose"):
    return journal.Started(blend, scene, strip, out, task)


def test_what_was_started_from_a_file_is_found_until_it_is_forgotten(tmp_path):
    file = tmp_path / "started.json"
    assert journal.started_from(file, "/a.blend") == []
    for entry in (started(), started(out="/more"), started(blend="/b.blend", out="/other")):
        journal.note(file, entry)
    assert [entry.out for entry in journal.started_from(file, "/a.blend")] == ["/layers", "/more"]
    journal.forget(file, out="/more")
    assert [entry.out for entry in journal.started_from(file, "/a.blend")] == ["/layers"]
    journal.forget(file, blend="/a.blend")
    assert journal.started_from(file, "/a.blend") == []
    assert journal.started_from(file, "/b.blend")


def test_a_damaged_journal_is_an_empty_one(tmp_path):
    (tmp_path / "started.json").write_text('[{"blend": 1')
    assert journal.started_from(tmp_path / "started.json", "/a.blend") == []
    journal.note(tmp_path / "started.json", started())
    assert len(journal.started_from(tmp_path / "started.json", "/a.blend")) == 1


@pytest.fixture
def module(addon):
    return lambda name: importlib.import_module(f"{addon.__name__}.{name}")


@pytest.fixture
def saved(module, tmp_path):
    """A file that was saved before its job was started, as when Blender is killed during the job."""
    add_clip(bpy.context.scene, write_clip(tmp_path / "clip", FRAMES), start=1)
    path = str(tmp_path / "edit.blend")
    bpy.ops.wm.save_as_mainfile(filepath=path)
    scene = bpy.context.scene.name
    module("journal").note(module("preferences").journal_file(), started(path, str(tmp_path / "out"), "Clip", scene))
    yield path
    module("preferences").journal_file().unlink(missing_ok=True)


def reopened(module, path):
    bpy.ops.wm.open_mainfile(filepath=path)
    module("pump").pump_once(module("pump").session(), 10.0)
    return list(bpy.context.scene.retime_people.jobs)


def test_layers_that_were_done_meanwhile_are_loaded(module, saved, tmp_path):
    write_layer_set(tmp_path / "out", PEOPLE, FRAMES)
    (job,) = reopened(module, saved)
    assert job.loaded and "anna" in bpy.context.scene.sequence_editor.strips_all


def test_a_job_that_runs_on_is_followed(module, saved):
    (job,) = reopened(module, saved)
    assert job.state == "preparing" and job.strip == "Clip" and not job.loaded


def test_a_saved_file_knows_its_jobs_itself(module, saved):
    reopened(module, saved)
    bpy.ops.wm.save_mainfile()
    assert journal.started_from(module("preferences").journal_file(), saved) == []
    assert len(reopened(module, saved)) == 1


def test_dismissed_jobs_stay_away(module, saved, tmp_path):
    write_layer_set(tmp_path / "out", PEOPLE, FRAMES)
    reopened(module, saved)
    assert bpy.ops.retime_people.dismiss() == {"FINISHED"}
    assert reopened(module, saved) == []


def test_a_job_of_a_strip_that_is_gone_is_left_alone(module, saved):
    strips = bpy.context.scene.sequence_editor.strips
    strips.remove(strips["Clip"])
    file = module("preferences").journal_file()
    entries = journal.started_from(file, saved)
    bpy.ops.wm.save_mainfile()
    for entry in entries:
        journal.note(file, entry)
    assert reopened(module, saved) == []

"""Layers are loaded a little at a time: whatever the artist does between two steps, all of them come or none."""

from __future__ import annotations

import importlib

import bpy
import pytest
from pictures import add_clip, write_clip, write_layer_set

FRAMES, PEOPLE = 5, ("anna", "ben")


@pytest.fixture
def module(addon):
    return lambda name: importlib.import_module(f"{addon.__name__}.{name}")


@pytest.fixture
def scene(addon, tmp_path):
    add_clip(bpy.context.scene, write_clip(tmp_path / "clip", FRAMES))
    return bpy.context.scene


@pytest.fixture
def loader(module, scene, tmp_path, monkeypatch):
    """A loader that gives the window its turn after every second file."""
    monkeypatch.setattr(module("layer_loading"), "FILES_AT_ONCE", 2)
    layers = module("layer_set_file").read_layer_set(write_layer_set(tmp_path / "out", PEOPLE, FRAMES))
    return module("layer_loading").LayerLoader(bpy.context, scene.name, layers, "Clip", 0)


def names(scene):
    return sorted(strip.name for strip in scene.sequence_editor.strips_all)


def test_nothing_is_seen_before_all_is_there(loader, scene):
    clip = scene.sequence_editor.strips_all["Clip"]
    steps = 0
    for _ in loader.steps():
        steps += 1
        layers = [strip for strip in scene.sequence_editor.strips_all if strip != clip]
        assert all(strip.mute for strip in layers) and not clip.mute
        assert not scene.retime_people.people
    assert steps == 3 * 3
    assert names(scene) == ["Clip", "anna", "background", "ben"] and clip.mute
    assert not any(strip.mute for strip in scene.sequence_editor.strips_all if strip != clip)


def test_the_selection_may_be_changed_meanwhile(loader, scene):
    for _ in loader.steps():
        scene.sequence_editor.active_strip = None
        scene.sequence_editor.strips_all["Clip"].select = False
    assert scene.sequence_editor.active_strip is None
    assert not any(strip.select for strip in scene.sequence_editor.strips_all)


@pytest.mark.parametrize("after", [1, 4, 8])
def test_given_up_it_leaves_nothing(loader, scene, after):
    steps = loader.steps()
    for _ in range(after):
        next(steps)
    steps.close()
    assert names(scene) == ["Clip"] and not scene.sequence_editor.strips_all["Clip"].mute


@pytest.mark.parametrize("after", [1, 4, 8])
def test_a_strip_removed_meanwhile_ends_it(module, loader, scene, after):
    steps = loader.steps()
    for _ in range(after):
        next(steps)
    strips = scene.sequence_editor.strips
    strips.remove(next(strip for strip in strips if strip.name != "Clip"))
    with pytest.raises(module("layer_loading").Disturbed):
        list(steps)
    assert names(scene) == ["Clip"]


def test_a_scene_removed_meanwhile_ends_it(module, loader, scene):
    steps = loader.steps()
    next(steps)
    bpy.context.window.scene = bpy.data.scenes.new("Other")
    bpy.data.scenes.remove(scene)
    with pytest.raises(module("layer_loading").Disturbed):
        list(steps)


def test_a_source_removed_meanwhile_is_not_missed(loader, scene):
    steps = loader.steps()
    next(steps)
    scene.sequence_editor.strips.remove(scene.sequence_editor.strips["Clip"])
    list(steps)
    assert names(scene) == ["anna", "background", "ben"]


def test_a_scene_renamed_meanwhile_ends_it(module, loader, scene):
    steps = loader.steps()
    next(steps)
    scene.name = "Renamed"
    with pytest.raises(module("layer_loading").Disturbed):
        list(steps)
    assert names(scene) == ["Clip"]


def test_saving_meanwhile_saves_no_half(module, scene, tmp_path):
    arrive(module, scene, tmp_path)
    assert len(names(scene)) > 1
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "edit.blend"))
    assert names(scene) == ["Clip"]
    module("pump").pump_once(module("pump").session(), 10.0)
    assert names(scene) == ["Clip", "anna", "background", "ben"] and scene.retime_people.jobs[0].loaded


def test_a_dismissed_job_does_not_stand_in_the_way(module, scene, tmp_path):
    ticket = arrive(module, scene, tmp_path)
    del module("pump").session().tickets[ticket.out]
    module("pump").pump_once(module("pump").session(), 0.0)
    assert names(scene) == ["Clip"] and not module("pump").is_arriving(ticket.out)


def test_a_half_that_was_saved_all_the_same_goes_when_the_file_is_opened(module, loader, scene, tmp_path):
    next(loader.steps())
    module("pump").remove_all_unfinished()
    assert names(scene) == ["Clip"]


def arrive(module, scene, tmp_path):
    """A finished job whose layers are half loaded."""
    layers = write_layer_set(tmp_path / "done", PEOPLE, FRAMES)
    ticket = module("session").Ticket(str(tmp_path / "done"), scene.name, "Clip", layers=str(layers), state="finished")
    module("pump").session().tickets[ticket.out] = ticket
    for _ in range(6):
        module("pump").pump_once(module("pump").session(), 0.0)
    assert module("pump").is_arriving(ticket.out)
    return ticket

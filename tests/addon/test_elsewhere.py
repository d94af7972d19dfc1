from __future__ import annotations

import sys
import time
from dataclasses import replace
from pathlib import Path

import bpy
import pytest
from pictures import add_clip, read_png, write_clip, write_masks

FRAMES = 4


@pytest.fixture
def modules(addon):
    import importlib

    return lambda name: importlib.import_module(f"{addon.__name__}.{name}")


@pytest.fixture
def plan(modules, tmp_path):
    """A shot with a person whose masks lie in a folder, and one whose mask was drawn."""
    strip = add_clip(bpy.context.scene, write_clip(tmp_path / "clip", FRAMES), start=11)
    folder = write_masks(tmp_path / "given masks", ("anna",), FRAMES)
    mask = bpy.data.masks.new("Ben Drawn")
    spline = mask.layers.new(name="all").splines.new()
    spline.points.add(3)
    for point, place in zip(spline.points, ((0.2, 0.4), (0.6, 0.4), (0.6, 0.6), (0.2, 0.6)), strict=True):
        point.co = place
        point.handle_type = "VECTOR"
        point.handle_left = point.handle_right = place
    spline.use_cyclic = True
    person = modules("mask_render").PersonMasks
    people = (person("anna", folder / "anna"), person("ben", None, mask.name))
    settings = modules("protocol").DecomposeSettings(seed=5)
    return modules("preparation").plan_shot(bpy.context.scene, strip, people, tmp_path / "out", settings)


def elsewhere(modules, plan, pause=0.02):
    steps = []
    for step in modules("elsewhere").prepare_elsewhere(plan, (sys.executable,)):
        if step is None:
            time.sleep(pause)
        else:
            steps.append(step)
    return steps


def pictures_of(folder: Path):
    return {str(file.relative_to(folder)): read_png(file) for file in sorted(folder.rglob("*.png"))}


def test_the_same_pictures_as_here(modules, plan, tmp_path):
    here = replace(plan, out=tmp_path / "here")
    wanted = list(modules("preparation").prepare(here))
    assert elsewhere(modules, plan) == wanted
    mine, theirs = pictures_of(here.input), pictures_of(plan.input)
    assert list(mine) == list(theirs) and len(mine) == 3 * FRAMES
    different = {name: int((mine[name] != theirs[name]).any(axis=-1).sum()) for name in mine}
    # Blender draws the same mask twice with a pixel at its rim that differs, also within one Blender.
    assert all(pixels <= name.startswith("masks/ben/") for name, pixels in different.items()), different
    assert theirs["masks/ben/0001.png"].max() == 255
    read = modules("preparation").read_request
    assert read(plan.out, plan.task).settings.seed == 5


def test_nothing_is_left_in_the_file_nor_in_the_folder(modules, plan):
    before = {name: len(getattr(bpy.data, name)) for name in ("scenes", "masks", "images", "movieclips")}
    elsewhere(modules, plan)
    assert {name: len(getattr(bpy.data, name)) for name in before} == before
    assert not list(plan.input.glob("*.blend")) and not (plan.input / "plan.json").exists()


def test_what_is_wrong_there_is_told_here(modules, plan, tmp_path):
    (plan.people[0].folder / "0002.png").unlink()
    with pytest.raises(modules("scratch").ShotError, match="anna has 3 masks"):
        elsewhere(modules, plan)


def test_a_blender_that_ends_early_is_told(modules, plan):
    steps = modules("elsewhere").prepare_elsewhere(plan, ("false",))
    with pytest.raises(modules("scratch").ShotError, match=r"ended early; see .*render\.log"):
        while True:
            next(steps)


def test_to_close_it_ends_the_other_blender(modules, plan):
    steps = modules("elsewhere").prepare_elsewhere(plan, (sys.executable,))
    # The other one has only just been started, and is far from done.
    assert next(steps) is None
    steps.close()
    assert not modules("preparation").has_request(plan.out, plan.task)

"""A Blender of its own that is killed in the middle of a job, and the next one that finds what it left.

python killed_blender.py begin|go_on FOLDER: says where its backend is looked for, waits for a line, and works.
"""

from __future__ import annotations

import importlib
import os
import sys
from pathlib import Path

HERE = Path(__file__).parent
FRAMES, PEOPLE = 6, ("anna", "ben")


def enable(folder: Path):
    """The extension under its true name, with settings of its own."""
    import bpy

    repository = folder / "repository"
    repository.mkdir(exist_ok=True)
    if not (repository / "retime_people").is_symlink():
        (repository / "retime_people").symlink_to(HERE.parents[1] / "blender_addon", target_is_directory=True)
    bpy.context.preferences.extensions.repos.new(
        name="Dev", module="dev", custom_directory=str(repository), remote_url="", source="USER"
    )
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=False)
    # Blender's own module, which is there once bpy is.
    return importlib.import_module("addon_utils").enable("bl_ext.dev.retime_people", default_set=True)


def ready(module) -> None:
    """Say where the backend is looked for, and wait for it."""
    preferences = importlib.import_module(f"{module.__name__}.preferences")
    sys.stdout.write(f"RUNTIME {preferences.user_folder('backend')}\n")
    sys.stdout.flush()
    sys.stdin.readline()


def begin(folder: Path) -> None:
    """Save an edit, then decompose its strip."""
    module = enable(folder)
    import bpy
    from pictures import add_clip, write_clip, write_masks

    write_masks(folder / "masks", PEOPLE, FRAMES)
    add_clip(bpy.context.scene, write_clip(folder / "clip", FRAMES), start=11)
    bpy.ops.wm.save_as_mainfile(filepath=str(folder / "edit.blend"))
    ready(module)
    bpy.ops.retime_people.decompose(out=str(folder / "out"), masks=str(folder / "masks"))
    bpy.ops.wm.save_mainfile()


def go_on(folder: Path) -> None:
    """Open the edit again; the job goes on, or the strip is decomposed anew."""
    module = enable(folder)
    import bpy

    ready(module)
    bpy.ops.wm.open_mainfile(filepath=str(folder / "edit.blend"))
    scene = bpy.context.scene
    clip = scene.sequence_editor.strips_all["Clip"]
    if any(job.loaded for job in scene.retime_people.jobs):
        state = "was done"
    elif not scene.retime_people.jobs or not resumed():
        scene.sequence_editor.active_strip = clip
        bpy.ops.retime_people.decompose(out=str(folder / "again"), masks=str(folder / "masks"))
        state = "begun anew"
    else:
        state = "resumed"
    names = {strip.name for strip in scene.sequence_editor.strips_all}
    sys.stdout.write(f"{state} {sorted(names & {'Clip', 'background', *PEOPLE})}\n")
    sys.stdout.flush()


def resumed() -> bool:
    """True when the job went on; what is said on the way is done, as an artist would."""
    import bpy

    for _ in range(2):
        try:
            return bpy.ops.retime_people.resume() == {"FINISHED"}
        except RuntimeError as error:
            if "press Resume" not in str(error):
                return False
    return False


if __name__ == "__main__":
    sys.path[:0] = [str(HERE), str(HERE.parents[1])]
    folder = Path(sys.argv[2])
    os.environ["BLENDER_USER_RESOURCES"] = str(folder / "blender")
    (folder / "blender").mkdir(exist_ok=True)
    try:
        {"begin": begin, "go_on": go_on}[sys.argv[1]](folder)
    except BaseException as error:
        sys.stdout.write(f"FAILED {error!r}\n")
        sys.stdout.flush()
        raise
    finally:
        # Blender 4.5 as a module may wait for ever at its end.
        os._exit(0)

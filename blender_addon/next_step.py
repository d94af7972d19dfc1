"""The one thing to do next, in one sentence, from what there is."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import bpy

from .backend_install import InstallState
from .backend_process import BackendState
from .compat import movie_options, sequencer_scene
from .drawing_window import is_for_single_frames, window_of
from .layer_loading import color_space_problem
from .lost_layers import folder_of, lost_strips
from .plate_render import why_not_source
from .poll_reasons import chosen_strip, is_under_way, shown_job
from .preparation import has_request
from .properties import RetimePeopleJob, RetimePeopleScene, has_masks
from .protocol import JobState, Task
from .pump import is_arriving, session
from .strips import active_person, people

Button = tuple[str, dict[str, Any]]
"""Name of an operator, without our prefix or with Blender's own, and what it is given."""

FIND_PEOPLE: tuple[Button, ...] = (("find_people", {}), ("add_masks_folder", {}))
OR_DRAW: tuple[Button, ...] = (*FIND_PEOPLE, ("add_mask", {}))


@dataclass(frozen=True)
class NextStep:
    """What to tell, whether it is a problem, and the buttons that do it, the first of them the one to press."""

    text: str
    icon: str = "INFO"
    alert: bool = False
    buttons: tuple[Button, ...] = ()
    fields: tuple[str, ...] = field(default=())
    """What else is drawn: ``preset`` for the choice of effort, ``progress`` of the job, ``install`` for that."""


def next_step(context: bpy.types.Context) -> NextStep:
    """What the panel shows first."""
    scene = sequencer_scene(context)
    if scene is None:
        return NextStep("No scene is shown here. Choose one in the header of the sequencer.")
    entry = shown_job(context)
    if entry is not None and is_under_way(entry):
        return _under_way(entry)
    if session().installer.state is InstallState.WORKING:
        return NextStep("The backend is being installed. You can go on editing.", "IMPORT", fields=("install",))
    lost = lost_strips(scene)
    if lost:
        names, folder = ", ".join(strip.name for strip in lost), folder_of(scene, lost[0])
        text = (
            f"The pictures of {names} are no longer in {folder}. Put them back, or say where their layers.json is now."
        )
        return NextStep(text, "ERROR", True, (("find_layers", {}),))
    problem = color_space_problem(scene) if people(scene) else ""
    if problem:
        return NextStep(f"{problem}.", "ERROR", True, (("use_srgb_sequencer", {}),))
    if entry is not None and not entry.loaded:
        return _about_job(entry)
    if active_person(scene):
        return NextStep(f"Retime {active_person(scene)}: go to a frame, then choose below what happens there.", "TIME")
    return _about_strip(context, scene)


def _under_way(entry: RetimePeopleJob) -> NextStep:
    down = session().backend.status
    if entry.job_id and down.state in (BackendState.MISMATCH, BackendState.FAILED):
        return NextStep(down.sentence, "ERROR", True, _mend(down.state), ("progress",))
    if entry.job_id and down.state is BackendState.STOPPED:
        text = f"{entry.strip} waits for the backend, which is not running."
        return NextStep(text, "PAUSE", False, (("start_backend", {}),), ("progress",))
    doing = f"{entry.strip} is being decomposed."
    if entry.task == Task.PEOPLE:
        doing = f"The people in {entry.strip} are being looked for."
    # What was never saved could not be found again.
    free = "save, or close Blender" if bpy.data.filepath else "but save before you close Blender"
    return NextStep(
        f"{doing} You can go on editing, {free}.",
        "RENDER_ANIMATION",
        fields=("progress",),
    )


def _about_job(entry: RetimePeopleJob) -> NextStep:
    if is_arriving(entry.out):
        return NextStep(f"What was made of {entry.strip} is being loaded.", "IMPORT")
    if entry.task == Task.PEOPLE:
        buttons = (("find_people", {}), ("add_mask", {}), ("dismiss", {}))
        return NextStep(entry.message or "Nobody was found.", "ERROR", True, buttons)
    if entry.state == JobState.FINISHED:
        text = entry.message or f"The layers of {entry.strip} are done, but not loaded."
        load = ("load_layers", {"filepath": entry.layers, "source": entry.strip})
        return NextStep(text, "IMPORT", bool(entry.message), (load, ("dismiss", {})))
    text = entry.message or f"{entry.strip}: {entry.state}."
    failed = entry.state == JobState.FAILED
    return NextStep(text, "ERROR" if failed else "INFO", failed, (*_go_on(entry), ("dismiss", {})))


def _go_on(entry: RetimePeopleJob) -> tuple[Button, ...]:
    """What leads on from a job that ended early."""
    if entry.job_id or has_request(Path(entry.out), entry.task):
        return (("resume", {}),)
    # The list of people may never have been saved.
    return FIND_PEOPLE if _is_nobody_known(entry.id_data) else (("decompose", {}),)


def _is_nobody_known(scene: bpy.types.Scene) -> bool:
    return all(person.from_layers for person in scene.retime_people.people)


def _about_strip(context: bpy.types.Context, scene: bpy.types.Scene) -> NextStep:
    strip = chosen_strip(scene)
    reason = why_not_source(strip)
    loaded = people(scene)
    if loaded and (reason or strip.mute):
        return NextStep(f"Click a person to retime: {', '.join(loaded)}.", "USER")
    if not (scene.sequence_editor and scene.sequence_editor.strips):
        text = "Begin with a movie of people, or with layers that were made before."
        return NextStep(text, "INFO", False, (("sequencer.movie_strip_add", movie_options()), ("load_layers", {})))
    if reason:
        return NextStep(reason, "INFO", False, (("load_layers", {}),))
    backend = _about_backend()
    if backend is not None:
        return backend
    if _is_nobody_known(scene):
        text = f"Which people are in {strip.name}? Find them, bring their masks, or draw each on one frame."
        return NextStep(text, "COMMUNITY", False, OR_DRAW)
    text = f"Split {strip.name} into one layer per person."
    split = NextStep(text, "RENDERLAYERS", False, (("decompose", {}),), ("preset",))
    return _about_drawings(scene.retime_people) or split


def _about_drawings(props: RetimePeopleScene) -> NextStep | None:
    """What is left to do for people who are drawn by hand."""
    wanted = [person for person in props.people if person.use and not person.from_layers]
    drawn = [person for person in wanted if person.drawn]
    if drawn:
        names = " and ".join(person.name for person in drawn)
        text = f"What was drawn of {names} holds for some frames only. Carry it through the whole shot"
        if all(person.found for person in drawn):
            return NextStep(f"{text}.", "GREASEPENCIL", False, (("carry_masks", {}), ("decompose", {})))
        text = f"{text}, or draw somebody else first."
        return NextStep(text, "GREASEPENCIL", False, (("carry_masks", {}), ("add_mask", {})))
    for person in wanted:
        if window_of(person.mask):
            return NextStep(f"Draw {person.name} in the window, and press Use on This Frame there.", "GREASEPENCIL")
        if not has_masks(person) or (person.source == "MASK" and is_for_single_frames(person.mask)):
            text = f"{person.name} has no masks yet. Go to a frame on which {person.name} is well seen, and draw."
            return NextStep(text, "GREASEPENCIL", False, (("draw_mask", {"person": person.name}), *FIND_PEOPLE))
    return None


def _about_backend() -> NextStep | None:
    """What has to be done about the backend first; a stopped one is started by Decompose itself."""
    status, installer = session().backend.status, session().installer
    half_done = installer.state in (InstallState.BROKEN, InstallState.CANCELLED, InstallState.OUTDATED)
    if half_done and status.state is not BackendState.RUNNING:
        return NextStep(installer.message, "ERROR", True, (("install_backend", {}),))
    if status.state is BackendState.NOT_CONFIGURED:
        text = "Layers are computed by a program of its own, the backend. It is installed once."
        return NextStep(text, "IMPORT", False, (*_mend(status.state), ("attach_backend", {})))
    if status.state in (BackendState.MISMATCH, BackendState.FAILED):
        return NextStep(status.sentence, "ERROR", True, _mend(status.state))
    return None


def _mend(state: BackendState) -> tuple[Button, ...]:
    managed = session().installer.state is not InstallState.ABSENT
    if state is BackendState.NOT_CONFIGURED or (state is BackendState.MISMATCH and managed):
        return (("install_backend", {}),)
    return (("start_backend", {}),) if state is BackendState.FAILED else (("stop_backend", {}),)

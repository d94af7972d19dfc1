"""Why something can't be done just now, in the words that are shown; an empty text means that it can."""

from __future__ import annotations

from pathlib import Path

import bpy

from .backend_install import InstallState
from .backend_process import BackendState
from .compat import left_handle, right_handle, sequencer_scene
from .drawing_window import is_drawn
from .plate_render import why_not_source
from .preparation import has_request
from .properties import RetimePeopleJob, chosen_person, job_of_strip
from .protocol import JobState
from .pump import session
from .session import PREPARING
from .strips import layer_strips, shown_pieces

UNUSABLE = (BackendState.NOT_CONFIGURED, BackendState.MISMATCH)


def allowed(operator: type[bpy.types.Operator], reason: str) -> bool:
    """True without a reason; else the reason becomes the tooltip of the greyed button."""
    if reason:
        operator.poll_message_set(reason)
    return not reason


def chosen_strip(scene: bpy.types.Scene) -> bpy.types.Strip | None:
    """The active strip, else the only selected one."""
    editor = scene.sequence_editor
    if editor is None:
        return None
    selected = [strip for strip in editor.strips if strip.select]
    return editor.active_strip or (selected[0] if len(selected) == 1 else None)


def shown_job(context: bpy.types.Context) -> RetimePeopleJob | None:
    """The job that the panel shows: the newest of the chosen strip, else the newest of the scene."""
    scene = sequencer_scene(context)
    strip = chosen_strip(scene)
    return job_of_strip(scene.retime_people, strip.name if strip else "")


def is_under_way(entry: RetimePeopleJob) -> bool:
    """True while something is still done for a job."""
    return entry.state == PREPARING or not JobState(entry.state).final


def why_no_scene(context: bpy.types.Context) -> str:
    """Without a sequencer there is nothing to do."""
    return "" if sequencer_scene(context) else "No scene is shown in the sequencer; choose one in its header"


def why_not_decompose(context: bpy.types.Context) -> str:
    """About the strip, the shot that is being prepared, and the backend as far as it is known."""
    missing = why_no_scene(context)
    if missing:
        return missing
    if session().preparation is not None:
        return "Another shot is being prepared; wait until it is sent to the backend"
    status = session().backend.status
    if not bpy.app.background and status.state in UNUSABLE:
        return status.sentence.rstrip(".")
    return why_not_source(chosen_strip(sequencer_scene(context))).rstrip(".")


def why_not_start(context: bpy.types.Context) -> str:
    """Only a backend that is down can be started."""
    status = session().backend.status
    if not bpy.app.background and status.state in (BackendState.RUNNING, BackendState.STARTING):
        return status.sentence.rstrip(".")
    return ""


def why_not_stop(context: bpy.types.Context) -> str:
    """Only a backend that is up can be stopped."""
    up = (BackendState.RUNNING, BackendState.STARTING, BackendState.MISMATCH)
    if not bpy.app.background and session().backend.status.state not in up:
        return "The backend is not running"
    return ""


def why_no_person(context: bpy.types.Context) -> str:
    """The list may be empty."""
    scene = sequencer_scene(context)
    props = scene.retime_people if scene else None
    return "" if props and props.people_index < len(props.people) else "No person is chosen in the list"


def why_not_cancel(context: bpy.types.Context) -> str:
    """Only what is under way can be cancelled."""
    entry = shown_job(context)
    if entry is None or not is_under_way(entry):
        return "Nothing is being decomposed"
    preparation = session().preparation
    if entry.job_id or (preparation is not None and preparation.ticket.out == entry.out):
        return ""
    return "The job is being sent to the backend; try again in a moment"


def why_not_resume(context: bpy.types.Context) -> str:
    """Only what stopped can go on; without a window also what still runs, to wait for it."""
    entry = shown_job(context)
    if entry is None or not (entry.job_id or has_request(Path(entry.out), entry.task)):
        return "Nothing was prepared that could go on; press Decompose"
    if entry.state == JobState.FINISHED and entry.loaded:
        return "The layers are loaded"
    if is_under_way(entry) and not bpy.app.background:
        return "The job is under way"
    return ""


def why_not_dismiss(context: bpy.types.Context) -> str:
    """Only what is over can be dismissed."""
    entry = shown_job(context)
    if entry is None:
        return "There is no job"
    return "The job is under way; cancel it first" if is_under_way(entry) else ""


def why_not_install(context: bpy.types.Context) -> str:
    """One installation at a time."""
    working = session().installer.state is InstallState.WORKING
    return "The backend is being installed already" if working else ""


def why_not_cancel_install(context: bpy.types.Context) -> str:
    """Only an installation that runs can be cancelled."""
    return "" if session().installer.state is InstallState.WORKING else "Nothing is being installed"


def why_not_remove(context: bpy.types.Context) -> str:
    """Only what the add-on has installed itself is its to remove."""
    state = session().installer.state
    if state is InstallState.WORKING:
        return "The backend is being installed; cancel that first"
    return "" if state in (InstallState.INSTALLED, InstallState.OUTDATED) else "No backend was installed by this add-on"


def why_no_found(context: bpy.types.Context) -> str:
    """Corrections are for those who were found."""
    missing = why_no_person(context)
    if missing:
        return missing
    person = chosen_person(sequencer_scene(context).retime_people)
    return "" if person.found else f"{person.name} was not found by Find People; choose somebody who was"


def why_no_drawing(context: bpy.types.Context) -> str:
    """Only what was drawn can be true on a frame."""
    missing = why_no_person(context)
    if missing:
        return missing
    person = chosen_person(sequencer_scene(context).retime_people)
    drawn = bool(person.drawn or person.matte) or (person.mask is not None and is_drawn(person.mask))
    return "" if drawn else f"{person.name} was not drawn yet; press Draw on This Frame"


def why_nothing_drawn(context: bpy.types.Context) -> str:
    """Something must have been drawn before it can be carried."""
    people = sequencer_scene(context).retime_people.people
    drawn = [p for p in people if p.drawn or (p.source == "FOLDER" and p.folder and not p.found and not p.from_layers)]
    return "" if drawn else "Nothing was drawn; press Draw on This Frame, draw somebody, then press Use on This Frame"


def why_no_layers(context: bpy.types.Context) -> str:
    """Layers have to be loaded first."""
    scene = sequencer_scene(context)
    return "" if scene and layer_strips(scene) else "Load the layers of a shot first"


def why_no_mark(context: bpy.types.Context) -> str:
    """A moment has to be marked before it can be cleared."""
    scene = sequencer_scene(context)
    return "" if scene and scene.retime_people.mark_person else "No moment is marked"


def why_not_at(scene: bpy.types.Scene, person: str, frame: int) -> str:
    """Nothing comes of a change at a frame on which the person is never seen."""
    pieces = shown_pieces(scene, person)
    first = min(map(left_handle, pieces), default=frame)
    last = max(map(right_handle, pieces), default=frame + 1) - 1
    return "" if first <= frame <= last else f"{person} is seen on the frames {first} to {last}; go there first"

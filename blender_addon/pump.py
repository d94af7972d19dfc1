"""The one bridge from what goes on elsewhere to Blender's data: a timer in the window, a loop without one."""

from __future__ import annotations

import atexit
import logging
import time
from pathlib import Path
from typing import ClassVar

import bpy
from bpy.app.handlers import persistent

from .backend_install import Installer, InstallState
from .backend_process import BackendProcess, Launch
from .channels import NoFreeChannel
from .journal import forget, started_from
from .layer_loading import load
from .layer_set_file import LayerSetProblem, read_layer_set
from .people_file import PeopleProblem, read_people
from .people_list import refresh, take_people
from .preferences import journal_file, launch_of, timings_file, user_folder
from .preview_picture import show
from .properties import RetimePeopleJob
from .protocol import JobState, Task
from .scratch import remove_scratch
from .sequencer_ops import sequencer_area
from .session import PREPARING, Session, Ticket
from .strips import layer_strips, people, select_person
from .timings import keep_timing, timing_of

TICK_SECONDS = 0.25
PREPARE_SECONDS = 0.05
"""How long one tick may render; a picture that takes longer is still one picture."""
REST_SECONDS = 0.01
"""Between two ticks that render, so that the window can draw and listen."""

logger = logging.getLogger(__package__)


class Live:
    """Where the session is kept between register() and unregister()."""

    session: ClassVar[Session | None] = None


def session() -> Session:
    """The session of this Blender, made when first asked for."""
    if Live.session is None:
        runtime = Path(user_folder("backend"))
        installer = Installer(runtime / "env")
        Live.session = Session(BackendProcess(runtime, _launch(installer)), installer)
    return Live.session


def pump_once(current: Session, seconds: float = PREPARE_SECONDS) -> None:
    """Do what there is to do on the main thread, rendering for about so long."""
    current.backend.launch = _launch(current.installer)
    current.advance(seconds)
    current.follow()
    for ticket in list(current.tickets.values()):
        entry = _entry_of(ticket)
        if entry is None:
            continue
        scene = entry.id_data
        _see_picture(current, ticket)
        if ticket.state == JobState.FINISHED and (ticket.layers or ticket.people) and not ticket.tried:
            (_bring_in_people if ticket.task == Task.PEOPLE else _bring_in)(ticket, scene)
            # Loading may have moved the properties in memory.
            entry = _entry_of(ticket) or entry
        if ticket.tried and ticket.task == Task.DECOMPOSE:
            # Asked of the strips, because undo and redo take them away and bring them back.
            ticket.loaded = _has_layers(scene, ticket.out)
        _store(ticket, entry)


def _launch(installer: Installer) -> Launch:
    there = installer.look() in (InstallState.INSTALLED, InstallState.OUTDATED)
    return launch_of(bpy.context, installer.python if there else None)


def wait_for(ticket: Ticket) -> None:
    """Drive everything until a ticket is settled; for Blender without a window, where no timer fires."""
    current = session()
    try:
        while not ticket.settled:
            _drive(current, ticket)
    except KeyboardInterrupt:
        current.cancel(ticket)
        while not ticket.final:
            _drive(current, ticket)
        raise


def _drive(current: Session, ticket: Ticket) -> None:
    if current.preparation is None:
        current.board.ask_once()
    pump_once(current)
    if current.preparation is None and not ticket.settled:
        current.give_up_without_backend(ticket)
        time.sleep(TICK_SECONDS)


def adopt_file() -> None:
    """Leave the jobs of the file before, and take up those stored with the one that is open now."""
    current = session()
    current.leave_file()
    _find_unsaved_jobs()
    for scene in bpy.data.scenes:
        for entry in scene.retime_people.jobs:
            ticket = _ticket_of(entry)
            if not ticket.settled:
                current.attach(ticket)


def _find_unsaved_jobs() -> None:
    """Take up jobs that were started from this file after it was last saved, as when Blender was killed."""
    known = {entry.out for scene in bpy.data.scenes for entry in scene.retime_people.jobs}
    for started in started_from(journal_file(), bpy.data.filepath) if bpy.data.filepath else ():
        scene = bpy.data.scenes.get(started.scene)
        editor = scene.sequence_editor if scene else None
        if started.out in known or editor is None or started.strip not in editor.strips:
            continue
        entry = scene.retime_people.jobs.add()
        entry.out, entry.strip, entry.task, entry.state = started.out, started.strip, started.task, PREPARING


def _redraw_if_changed(current: Session) -> None:
    """Have the sidebars of the sequencers drawn again when there is something new to see in the panel."""
    shown = repr(
        (current.backend.status, list(current.tickets.values()), id(current.picture), current.installer.told())
    )
    if shown == current.shown:
        return
    current.shown = shown
    for window in bpy.context.window_manager.windows:
        for area in (area for area in window.screen.areas if area.type == "SEQUENCE_EDITOR"):
            # Only the sidebar: to draw the strips and the preview again may take longer than a window may stand still.
            for region in (region for region in area.regions if region.type == "UI"):
                region.tag_redraw()


def ticket_of(entry: RetimePeopleJob) -> Ticket:
    """The live ticket of a stored job; a job that is over gets a new one."""
    return session().tickets.setdefault(entry.out, _ticket_of(entry))


def _ticket_of(entry: RetimePeopleJob) -> Ticket:
    return Ticket(
        out=entry.out,
        scene=entry.id_data.name,
        strip=entry.strip,
        job_id=entry.job_id,
        state=entry.state or PREPARING,
        message=entry.message,
        layers=entry.layers,
        people=entry.people,
        task=entry.task,
        loaded=entry.loaded,
    )


def _entry_of(ticket: Ticket) -> RetimePeopleJob | None:
    """The stored job of a ticket, in whatever scene; added again when an undo has taken it away meanwhile."""
    for scene in bpy.data.scenes:
        for entry in scene.retime_people.jobs:
            if entry.out == ticket.out:
                return entry
    scene = bpy.data.scenes.get(ticket.scene)
    if scene is None or ticket.settled:
        return None
    entry = scene.retime_people.jobs.add()
    entry.out = ticket.out
    return entry


def _store(ticket: Ticket, entry: RetimePeopleJob) -> None:
    fields = {
        "strip": ticket.strip,
        "job_id": ticket.job_id,
        "state": str(ticket.state),
        "stage": ticket.stage,
        "message": ticket.message,
        "fraction": -1.0 if ticket.fraction is None else ticket.fraction,
        "seconds_left": -1.0 if ticket.seconds_left is None else ticket.seconds_left,
        "layers": ticket.layers,
        "people": ticket.people,
        "task": ticket.task,
        "loaded": ticket.loaded,
    }
    for name, value in fields.items():
        # Writing what is there already would still mark the file as changed.
        if getattr(entry, name) != value:
            setattr(entry, name, value)


def _bring_in(ticket: Ticket, scene: bpy.types.Scene) -> None:
    """Load the finished layers beside their source strip; tried once, and again when the artist asks for it."""
    ticket.tried = True
    editor = scene.sequence_editor_create()
    try:
        warnings = load(bpy.context, scene, read_layer_set(Path(ticket.layers)), editor.strips.get(ticket.strip), 0)
    except (LayerSetProblem, NoFreeChannel) as error:
        ticket.message = f"{error}."
        return
    refresh(scene)
    if editor.active_strip and editor.active_strip.name == ticket.strip:
        # What comes next is to retime somebody. An artist who is at something else by now is left there.
        select_person(scene, people(scene)[-1])
    ticket.message = ". ".join(warnings)
    _learn_time(ticket)
    if not bpy.app.background:
        with sequencer_area(bpy.context, scene):
            bpy.ops.ed.undo_push(message="Load Layers")


def _bring_in_people(ticket: Ticket, scene: bpy.types.Scene) -> None:
    """Put those who were found into the list; masks of the same name that were found before are replaced."""
    ticket.tried = True
    try:
        found = read_people(Path(ticket.people))
    except PeopleProblem as error:
        ticket.message = f"{error}."
        return
    take_people(scene.retime_people, found)
    ticket.loaded = True
    if not bpy.app.background:
        with sequencer_area(bpy.context, scene):
            bpy.ops.ed.undo_push(message="Find People")


def _learn_time(ticket: Ticket) -> None:
    timing = None if ticket.resumed else timing_of(Path(ticket.layers))
    if timing is not None:
        try:
            keep_timing(timings_file(), timing)
        except OSError:
            logger.warning("The time of a job could not be kept", exc_info=True)


def _see_picture(current: Session, ticket: Ticket) -> None:
    """Show the newest preview; one ticket's at a time, since one strip is worked on at a time."""
    if ticket.preview and ticket.preview is not current.picture:
        current.picture = ticket.preview
        try:
            show(Path(user_folder("backend")), ticket.out, ticket.preview)
        except OSError:
            logger.warning("A preview could not be kept", exc_info=True)


def _has_layers(scene: bpy.types.Scene, out: str) -> bool:
    backgrounds = layer_strips(scene, role="background")
    return any(Path(bpy.path.abspath(strip.directory)).is_relative_to(out) for strip in backgrounds)


def _tick() -> float:
    """What Blender's timer calls; must never raise, because Blender would drop it."""
    current = session()
    try:
        pump_once(current)
        _redraw_if_changed(current)
    except Exception:
        logger.exception("The jobs could not be followed")
    rendering = current.preparation is not None and not current.preparation.elsewhere
    return REST_SECONDS if rendering else TICK_SECONDS


def _begin() -> None:
    """Called once by a timer: while add-ons are registered no data may be read."""
    adopt_file()


@persistent
def _after_load(*_: object) -> None:
    adopt_file()


@persistent
def _before_save(*_: object) -> None:
    remove_scratch()


@persistent
def _after_save(*_: object) -> None:
    """From now on the file itself knows its jobs."""
    try:
        forget(journal_file(), blend=bpy.data.filepath)
    except OSError:
        logger.warning("The journal of jobs could not be kept", exc_info=True)


def _close() -> None:
    current, Live.session = Live.session, None
    if current is not None:
        current.close()


def register() -> None:
    """Begin to follow the jobs of the open file; the timer and the thread only where there is a window."""
    bpy.app.handlers.load_post.append(_after_load)
    bpy.app.handlers.save_pre.append(_before_save)
    bpy.app.handlers.save_post.append(_after_save)
    atexit.register(_close)
    if not bpy.app.background:
        session().board.start()
        bpy.app.timers.register(_begin, first_interval=0.0)
        bpy.app.timers.register(_tick, first_interval=TICK_SECONDS, persistent=True)


def unregister() -> None:
    """End the timer, the thread, and the backend if it is ours."""
    for timer in (_begin, _tick):
        if bpy.app.timers.is_registered(timer):
            bpy.app.timers.unregister(timer)
    _close()
    atexit.unregister(_close)
    bpy.app.handlers.save_post.remove(_after_save)
    bpy.app.handlers.save_pre.remove(_before_save)
    bpy.app.handlers.load_post.remove(_after_load)

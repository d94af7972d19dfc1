"""The one bridge from what goes on elsewhere to Blender's data: a timer in the window, a loop without one."""

from __future__ import annotations

import atexit
import logging
import time
from pathlib import Path
from typing import ClassVar

import bpy
from bpy.app.handlers import persistent

from .arrivals import Arrival, hands_full, remove_all_unfinished
from .backend_install import Installer, InstallState
from .backend_process import BackendProcess, Launch
from .journal import forget, started_from
from .preferences import journal_file, launch_of, user_folder
from .preview_picture import show
from .properties import RetimePeopleJob
from .protocol import JobState, Task
from .scratch import remove_scratch
from .session import PREPARING, Session, Ticket
from .stored_jobs import entry_of, store, stored_ticket
from .strips import layer_strips

TICK_SECONDS = 0.25
PREPARE_SECONDS = 0.05
"""How long one tick may render; a picture that takes longer is still one picture."""
REST_SECONDS = 0.01
"""Between two ticks that render, so that the window can draw and listen."""
LONG_SILENCE = 3
"""Seconds without news after which the panel counts them, so that it is seen to be alive."""

logger = logging.getLogger(__package__)


class Live:
    """Where the session is kept between register() and unregister()."""

    session: ClassVar[Session | None] = None
    arrival: ClassVar[Arrival | None] = None
    """What is being brought in."""


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
    if Live.arrival is not None and Live.arrival.ticket not in current.tickets.values():
        _give_up_arrival()
    for ticket in list(current.tickets.values()):
        entry = entry_of(ticket)
        if entry is None:
            continue
        # Scenes may have been renamed since.
        ticket.scene = entry.id_data.name
        _see_picture(current, ticket)
        if ticket.state == JobState.FINISHED and (ticket.layers or ticket.people) and not ticket.tried:
            _bring_in(ticket, seconds)
            # Loading may have moved the properties in memory.
            entry = entry_of(ticket) or entry
        if ticket.tried and ticket.task == Task.DECOMPOSE:
            # Asked of the strips, because undo and redo take them away and bring them back.
            ticket.loaded = _has_layers(entry.id_data, ticket.out)
        store(ticket, entry)


def _bring_in(ticket: Ticket, seconds: float) -> None:
    """Go on for about so long with what a finished job has brought, one job at a time."""
    Live.arrival = arrival = Live.arrival or Arrival(ticket)
    if arrival.ticket is not ticket or hands_full():
        return
    until = time.monotonic() + seconds
    if arrival.advance(lambda: time.monotonic() < until):
        Live.arrival = None


def _give_up_arrival() -> None:
    """Begin it again later: what is half there is not to be saved, undone or left behind."""
    arrival, Live.arrival = Live.arrival, None
    if arrival is not None:
        arrival.give_up()


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
    if current.preparation is None and Live.arrival is None and not ticket.settled:
        current.give_up_without_backend(ticket)
        time.sleep(TICK_SECONDS)


def adopt_file() -> None:
    """Leave the jobs of the file before, and take up those stored with the one that is open now."""
    current = session()
    current.leave_file()
    _find_unsaved_jobs()
    for scene in bpy.data.scenes:
        for entry in scene.retime_people.jobs:
            ticket = stored_ticket(entry)
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
        (
            current.backend.status,
            list(current.tickets.values()),
            [silence_of(ticket) for ticket in current.tickets.values()],
            id(current.picture),
            id(Live.arrival),
            current.installer.told(),
        )
    )
    if shown == current.shown:
        return
    current.shown = shown
    for window in bpy.context.window_manager.windows:
        for area in (area for area in window.screen.areas if area.type == "SEQUENCE_EDITOR"):
            # Only the sidebar: to draw the strips and the preview again may take longer than a window may stand still.
            for region in (region for region in area.regions if region.type == "UI"):
                region.tag_redraw()


def silence_of(ticket: Ticket | None) -> int:
    """Seconds for which nothing was told of what is under way, once they are worth telling; else 0."""
    return ticket.silent if ticket is not None and not ticket.final and ticket.silent >= LONG_SILENCE else 0


def ticket_of(entry: RetimePeopleJob) -> Ticket:
    """The live ticket of a stored job; a job that is over gets a new one."""
    return session().tickets.setdefault(entry.out, stored_ticket(entry))


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
    return REST_SECONDS if rendering or (Live.arrival is not None and not hands_full()) else TICK_SECONDS


def _begin() -> None:
    """Called once by a timer: while add-ons are registered no data may be read."""
    adopt_file()


@persistent
def _after_load(*_: object) -> None:
    remove_all_unfinished()
    adopt_file()


@persistent
def _before_save(*_: object) -> None:
    _give_up_arrival()
    remove_scratch()


@persistent
def _before_undo(*_: object) -> None:
    _give_up_arrival()


@persistent
def _after_undo(*_: object) -> None:
    remove_all_unfinished()


@persistent
def _after_save(*_: object) -> None:
    """From now on the file itself knows its jobs."""
    try:
        forget(journal_file(), blend=bpy.data.filepath)
    except OSError:
        logger.warning("The journal of jobs could not be kept", exc_info=True)


HANDLERS = (
    ("load_pre", _before_undo),
    ("load_post", _after_load),
    ("undo_pre", _before_undo),
    ("undo_post", _after_undo),
    ("redo_pre", _before_undo),
    ("redo_post", _after_undo),
    ("save_pre", _before_save),
    ("save_post", _after_save),
)


def is_arriving(out: str) -> bool:
    """True while what a job has made is being brought in."""
    return Live.arrival is not None and Live.arrival.ticket.out == out


def _close() -> None:
    _give_up_arrival()
    current, Live.session = Live.session, None
    if current is not None:
        current.close()


def register() -> None:
    """Begin to follow the jobs of the open file; the timer and the thread only where there is a window."""
    for name, handler in HANDLERS:
        getattr(bpy.app.handlers, name).append(handler)
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
    for name, handler in reversed(HANDLERS):
        getattr(bpy.app.handlers, name).remove(handler)

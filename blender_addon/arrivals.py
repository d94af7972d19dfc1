"""What a finished job brings: layers into the sequencer, a little at a time, or people into the list."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from pathlib import Path

import bpy

from .channels import NoFreeChannel
from .layer_loading import Disturbed, LayerLoader, remove_unfinished
from .layer_set_file import LayerSetProblem, check_files, read_description
from .people_file import PeopleProblem, read_people
from .people_list import refresh, take_people
from .preferences import timings_file
from .protocol import Task
from .sequencer_ops import sequencer_area
from .session import Ticket
from .strips import people, select_person
from .timings import keep_timing, timing_of

DRAGGING = ("SEQUENCER_OT_", "TRANSFORM_OT_", "ANIM_OT_")
"""How the names of operators begin that hold on to strips or keys while the mouse moves."""

logger = logging.getLogger(__package__)


class Arrival:
    """One finished job on its way in. Given up and begun again where the artist undoes or saves meanwhile."""

    def __init__(self, ticket: Ticket) -> None:
        self.ticket = ticket
        self._steps = _people_steps(ticket) if ticket.task == Task.PEOPLE else _layer_steps(ticket)

    def advance(self, may_go_on: Callable[[], bool]) -> bool:
        """Do what there is to do, for as long as that may go on, and a little at least; True once all is done."""
        for _ in self._steps:
            if not may_go_on():
                return False
        self.ticket.tried = True
        return True

    def give_up(self) -> None:
        """Take back what was brought in so far."""
        self._steps.close()


def hands_full() -> bool:
    """True while strips hang on the mouse, or are rendered: what they are may not be changed under their users."""
    if bpy.app.is_job_running("RENDER"):
        return True
    names = [operator.bl_idname for window in bpy.context.window_manager.windows for operator in window.modal_operators]
    return any(name.startswith(DRAGGING) for name in names)


def remove_all_unfinished() -> None:
    """Take away what an earlier Blender, or a step of undo, has left half done."""
    for scene in bpy.data.scenes:
        remove_unfinished(scene)


def _layer_steps(ticket: Ticket) -> Iterator[None]:
    """Load the layers beside their source strip, and say so in the ticket."""
    try:
        layer_set = read_description(Path(ticket.layers))
        for layer in layer_set.layers:
            yield
            check_files(layer_set, layer)
        yield
        loader = LayerLoader(bpy.context, ticket.scene, layer_set, ticket.strip, 0)
        yield from loader.steps()
    except (LayerSetProblem, NoFreeChannel, Disturbed) as problem:
        ticket.message = f"{problem}."
        return
    scene = bpy.data.scenes[ticket.scene]
    refresh(scene)
    editor = scene.sequence_editor
    if editor.active_strip and editor.active_strip.name == ticket.strip:
        # What comes next is to retime somebody. An artist who is at something else by now is left there.
        select_person(scene, people(scene)[-1])
    ticket.message = ". ".join(loader.warnings)
    _learn_time(ticket)
    _push_undo(scene, "Load Layers")


def _people_steps(ticket: Ticket) -> Iterator[None]:
    """Put those who were found into the list; masks of the same name that were found before are replaced."""
    try:
        found = read_people(Path(ticket.people))
        yield
    except PeopleProblem as problem:
        ticket.message = f"{problem}."
        return
    scene = bpy.data.scenes[ticket.scene]
    take_people(scene.retime_people, found)
    ticket.loaded = True
    _push_undo(scene, "Find People")


def _push_undo(scene: bpy.types.Scene, message: str) -> None:
    if not bpy.app.background:
        with sequencer_area(bpy.context, scene):
            bpy.ops.ed.undo_push(message=message)


def _learn_time(ticket: Ticket) -> None:
    timing = None if ticket.resumed else timing_of(Path(ticket.layers))
    if timing is not None:
        try:
            keep_timing(timings_file(), timing)
        except OSError:
            logger.warning("The time of a job could not be kept", exc_info=True)

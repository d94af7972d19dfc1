"""A bake under way: the backend makes the pictures, and then the strips are exchanged."""

from __future__ import annotations

import logging
import time
from typing import ClassVar

import bpy

from .bake import needed, strips_to_bake, swap_in
from .baked_pictures import BakeProblem, Delivery
from .channels import NoFreeChannel
from .protocol import JobState, JobStatus
from .pump import session
from .sequencer_ops import sequencer_area
from .session import DOWN

TICK_SECONDS = 0.25

logger = logging.getLogger(__package__)


class BakeRun:
    """What is being baked. Strips are known by the person's name only, as no reference outlives an undo."""

    def __init__(self, scene: str, person: str, shutter: float) -> None:
        self.scene, self.person, self.shutter = scene, person, shutter
        self.message = ""
        self.stage = "Sending to the Backend"
        self.fraction = 0.0
        self.made = 0
        """How many pictures were made for it; the others were there."""
        self.done = False
        self.failed = False
        self._deliveries: list[Delivery] = []
        self._job = ""
        self._cancelled = False

    def begin(self) -> None:
        """Order what is missing; raises BakeProblem."""
        strips = strips_to_bake(bpy.data.scenes[self.scene], self.person)
        for shelf, moments in needed(strips, self.shutter).items():
            missing = shelf.missing(moments)
            if missing:
                self._deliveries.append(Delivery.of(shelf, missing))
        self.made = sum(len(delivery.moments) for delivery in self._deliveries)
        self._next()

    def look(self) -> None:
        """Take note of how far the backend is, and go on when it is done."""
        if self.done:
            return
        job = session().board.jobs.get(self._job) if self._job else None
        if job is None:
            if self._job:
                self._end("The file was left while it was baked.", True)
            return
        self.stage, self.fraction = job.stage or self.stage, job.fraction or 0.0
        if job.state == JobState.FINISHED:
            self._received()
        elif job.final:
            self._end(job.message or "Baking was cancelled.", True)
        elif session().backend.status.state in DOWN:
            self._end(session().backend.status.sentence, True)

    def cancel(self) -> None:
        """Stop; what was there before stays as it was."""
        self._cancelled = True
        if self._job:
            job = self._job
            session().board.order(lambda: session().backend.client().cancel(job), lambda _: None, lambda _: None)
        self._end("Baking was cancelled.", True)

    def _next(self) -> None:
        """Have the next layer made, or exchange the strips when all are."""
        if not self._deliveries:
            self._exchange()
            return
        request = self._deliveries[0].request()
        session().send(request, self._sent, lambda sentence: self._end(sentence, True))

    def _sent(self, status: JobStatus) -> None:
        self._job = status.id
        session().board.watch(status.id)
        if self._cancelled:
            self.cancel()

    def _received(self) -> None:
        self._job = ""
        try:
            self._deliveries.pop(0).unpack()
            self._next()
        except BakeProblem as problem:
            self._end(f"{problem}.", True)

    def _exchange(self) -> None:
        scene = bpy.data.scenes.get(self.scene)
        strips = strips_to_bake(scene, self.person) if scene else []
        if not strips:
            self._end(f"{self.person} has no strips any more.", True)
            return
        if any(shelf.missing(moments) for shelf, moments in needed(strips, self.shutter).items()):
            self._end(f"The time of {self.person} was changed meanwhile; bake again.", True)
            return
        try:
            swap_in(bpy.context, scene, strips, self.shutter)
        except NoFreeChannel as problem:
            self._end(f"{problem}.", True)
            return
        if not bpy.app.background:
            with sequencer_area(bpy.context, scene):
                bpy.ops.ed.undo_push(message="Bake Person")
        self._end(f"{self.person} is baked; {self.made} pictures were made.", False)

    def _end(self, message: str, failed: bool) -> None:
        if self.done:
            return
        for delivery in self._deliveries:
            delivery.discard()
        self.message, self.done, self.failed = message, True, failed


class Live:
    """Where the bake under way is kept; one at a time."""

    run: ClassVar[BakeRun | None] = None


def under_way() -> BakeRun | None:
    """The bake that is not done yet."""
    return Live.run if Live.run is not None and not Live.run.done else None


def last_problem() -> str:
    """Why the last bake came to nothing; empty when it did not."""
    return Live.run.message if Live.run is not None and Live.run.failed else ""


def start(scene: str, person: str, shutter: float) -> BakeRun:
    """Begin a bake; without a window it is done when this returns. Raises BakeProblem."""
    run = Live.run = BakeRun(scene, person, shutter)
    try:
        run.begin()
    except BakeProblem:
        Live.run = None
        raise
    if bpy.app.background:
        _wait_for(run)
    elif not bpy.app.timers.is_registered(_tick):
        # Persistent, so that a bake that was under way when another file is opened comes to an end.
        bpy.app.timers.register(_tick, first_interval=TICK_SECONDS, persistent=True)
    return run


def _wait_for(run: BakeRun) -> None:
    board = session().board
    try:
        while not run.done:
            board.ask_once()
            board.drain()
            run.look()
            if not run.done:
                time.sleep(TICK_SECONDS)
    except KeyboardInterrupt:
        run.cancel()
        board.ask_once()
        raise


def _tick() -> float | None:
    """What Blender's timer calls; must never raise."""
    run = under_way()
    try:
        if run is not None:
            run.look()
    except Exception:
        logger.exception("The bake could not be followed")
        Live.run = None
    # After the end too, or a bar that was drawn would stay.
    for window in bpy.context.window_manager.windows:
        for area in window.screen.areas:
            if area.type == "SEQUENCE_EDITOR":
                area.tag_redraw()
    return TICK_SECONDS if run is not None else None


def unregister() -> None:
    """End the timer; the backend ends with its session."""
    if bpy.app.timers.is_registered(_tick):
        bpy.app.timers.unregister(_tick)
    Live.run = None

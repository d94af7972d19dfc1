"""The work that goes on while Blender runs: shots being prepared, jobs being followed, layers brought in when done."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from .backend_install import Installer
from .backend_process import BackendProcess, BackendState
from .client import BackendError, Client
from .elsewhere import is_possible, prepare_elsewhere
from .job_board import NOT_FOUND, JobBoard
from .preparation import ShotPlan, Step, has_request, prepare, read_request
from .protocol import DecomposeRequest, JobState, JobStatus, Task
from .scratch import ShotError

PREPARING = "preparing"
"""State of a job that the backend has not been told of yet."""
DOWN = (BackendState.STOPPED, BackendState.FAILED, BackendState.MISMATCH, BackendState.NOT_CONFIGURED)


@dataclass
class Ticket:
    """What is known of one decomposition while Blender runs; the scene keeps a copy of it for later."""

    out: str
    """Folder of the layers, which is the identity of the job."""
    scene: str
    strip: str
    job_id: str = ""
    state: str = PREPARING
    stage: str = ""
    message: str = ""
    fraction: float | None = None
    seconds_left: float | None = None
    layers: str = ""
    people: str = ""
    """Path of the people.json of a job that looks for people."""
    task: str = Task.DECOMPOSE.value
    loaded: bool = False
    """The layers were brought in."""
    resumed: bool = False
    """The job went on from a checkpoint, so its time tells nothing of a whole one."""
    preview: bytes = field(default=b"", repr=False)
    """The newest picture, a PNG file."""
    tried: bool = False
    """Bringing the layers in was tried, so it is not tried again unasked."""
    _news: tuple[object, ...] = field(default=(), repr=False, compare=False)
    _since: float = field(default_factory=time.monotonic, repr=False, compare=False)

    @property
    def final(self) -> bool:
        """True when the backend will do nothing more by itself."""
        return self.state != PREPARING and JobState(self.state).final

    @property
    def settled(self) -> bool:
        """True when nothing at all is left to do."""
        return self.final and (self.loaded or self.tried or self.state != JobState.FINISHED)

    @property
    def silent(self) -> int:
        """Whole seconds since anything new was told of it."""
        news = (self.state, self.stage, self.fraction)
        if news != self._news:
            self._news, self._since = news, time.monotonic()
        return int(time.monotonic() - self._since)

    def end(self, state: JobState, message: str) -> None:
        """Note how it ended."""
        self.state, self.message = state, message


@dataclass
class Preparation:
    """A shot whose frames and masks are being written, a few at a time."""

    ticket: Ticket
    plan: ShotPlan
    steps: Iterator[Step | None]
    elsewhere: bool
    """Another Blender renders, so that here there is only to wait."""


class Session:
    """Everything alive that belongs to the extension; Blender's data is only touched by what it is given to call."""

    def __init__(self, backend: BackendProcess, installer: Installer) -> None:
        self.backend = backend
        self.installer = installer
        self.board = JobBoard(backend)
        self.tickets: dict[str, Ticket] = {}
        self.preparation: Preparation | None = None
        self.picture = b""
        """The preview that is shown."""
        self.shown = ""
        """What the panel showed when it was last drawn, so that it is drawn again only for something new."""

    def begin(self, plan: ShotPlan) -> Ticket:
        """Start to prepare a shot, and the backend meanwhile."""
        source = plan.source
        ticket = Ticket(
            str(plan.out), source.scene, source.strip, stage="Rendering Frames", fraction=0.0, task=plan.task
        )
        self.tickets[ticket.out] = ticket
        elsewhere = is_possible()
        steps = prepare_elsewhere(plan) if elsewhere else prepare(plan)
        self.preparation = Preparation(ticket, plan, steps, elsewhere)
        self.board.order(self.backend.start, lambda _: None, lambda _: None)
        return ticket

    def advance(self, seconds: float) -> None:
        """Prepare for about so long, one picture at least; when all is written, send the request."""
        until = time.monotonic() + seconds
        while self.preparation is not None and self._prepare_one(self.preparation) and time.monotonic() < until:
            pass

    def follow(self) -> None:
        """Bring every ticket up to date with what the backend told."""
        self.board.drain()
        for ticket in self.tickets.values():
            job = self.board.jobs.get(ticket.job_id)
            if job is not None and not ticket.settled:
                ticket.state, ticket.stage, ticket.message = job.state, job.stage, job.message
                ticket.fraction, ticket.seconds_left = job.fraction, job.seconds_left
                ticket.layers, ticket.people, ticket.preview = job.layers, job.people, job.preview

    def attach(self, ticket: Ticket) -> None:
        """Take up a job that was stored with a file; one that never got its number is looked for by its folder."""
        self.tickets[ticket.out] = ticket
        if _is_done(ticket):
            return
        if ticket.job_id:
            self.board.watch(ticket.job_id)
            # Jobs wait on disk when Blender is closed, and go on with the next backend.
            self.board.order(self.backend.start, lambda _: None, lambda _: None)
            return
        lost = "Blender was closed before the frames were rendered; begin again."
        if has_request(Path(ticket.out), ticket.task):
            lost = "Blender was closed before the frames were sent to the backend; press Resume to send them."
        self.board.order(
            lambda: [job for job in self._up().jobs() if job.request.out == ticket.out],
            lambda found: self._submitted(ticket, found[-1]) if found else ticket.end(JobState.CANCELLED, lost),
            lambda _: ticket.end(JobState.CANCELLED, lost),
        )

    def cancel(self, ticket: Ticket) -> None:
        """Stop what is being done for a ticket."""
        if self.preparation is not None and self.preparation.ticket is ticket:
            self._drop_preparation()
            ticket.end(JobState.CANCELLED, "Cancelled while the frames were being rendered.")
        elif ticket.job_id:
            self._order_for(ticket, lambda: self.backend.client().cancel(ticket.job_id))

    def resume(self, ticket: Ticket) -> None:
        """Go on with a cancelled or failed job from its last checkpoint; one that is unknown is sent again."""
        ticket.tried, ticket.resumed = False, True
        self._order_for(ticket, lambda: self._resumed(ticket))

    def send(
        self, request: DecomposeRequest, then: Callable[[JobStatus], None], refused: Callable[[str], None]
    ) -> None:
        """Queue a request for which nothing has to be prepared; the backend is started when it is down."""
        self.board.order(lambda: self._up().submit(request), then, refused)

    def leave_file(self) -> None:
        """Let go of everything that belongs to the file; the jobs themselves go on in the backend."""
        self._drop_preparation()
        self.tickets.clear()
        self.board.forget()

    def close(self) -> None:
        """End the threads, an installation under way, and the backend if it is ours."""
        self._drop_preparation()
        self.installer.cancel()
        self.installer.wait()
        self.board.stop()
        self.backend.close()

    def give_up_without_backend(self, ticket: Ticket) -> None:
        """End a ticket whose backend is down for good; only for those who wait and can't mend it meanwhile."""
        if not ticket.final and self.backend.status.state in DOWN:
            ticket.end(JobState.FAILED, self.backend.status.sentence)

    def _prepare_one(self, preparation: Preparation) -> bool:
        """Take one step; False when there is nothing to do but to wait."""
        ticket = preparation.ticket
        try:
            step = next(preparation.steps)
        except StopIteration:
            self.preparation = None
            self._submit(ticket, preparation.plan)
        except ShotError as error:
            self.preparation = None
            ticket.end(JobState.FAILED, str(error))
        else:
            if step is None:
                return False
            ticket.stage, ticket.fraction = step.stage, step.fraction
        return True

    def _submit(self, ticket: Ticket, plan: ShotPlan) -> None:
        ticket.stage, ticket.fraction = "Sending to the Backend", None
        self._order_for(ticket, lambda: self._up().submit(plan.request()))

    def _order_for(self, ticket: Ticket, work: Callable[[], JobStatus]) -> None:
        self.board.order(
            work,
            lambda status: self._submitted(ticket, status),
            lambda sentence: ticket.end(JobState.FAILED, sentence),
        )

    def _up(self) -> Client:
        """A client of the backend, which is started when it is down; may wait, so only for orders."""
        self.backend.start()
        self.backend.wait()
        return self.backend.client()

    def _resumed(self, ticket: Ticket) -> JobStatus:
        client = self._up()
        try:
            if ticket.job_id:
                return client.resume(ticket.job_id)
        except BackendError as error:
            if error.status != NOT_FOUND:
                raise
        try:
            return client.submit(replace(read_request(Path(ticket.out), ticket.task), resume=True))
        except ShotError as error:
            raise BackendError(str(error)) from error

    def _submitted(self, ticket: Ticket, status: JobStatus) -> None:
        ticket.job_id, ticket.state, ticket.message = status.id, status.state, status.message
        if self.tickets.get(ticket.out) is ticket:
            job = self.board.watch(status.id)
            job.state, job.message = status.state, status.message

    def _drop_preparation(self) -> None:
        preparation, self.preparation = self.preparation, None
        if preparation is None:
            return
        preparation.steps.close()
        shutil.rmtree(preparation.plan.input, ignore_errors=True)


def _is_done(ticket: Ticket) -> bool:
    """Note that a job has finished meanwhile, as far as its folder tells; no backend is needed to know that."""
    is_search = ticket.task == Task.PEOPLE
    done = Path(ticket.out) / ("people.json" if is_search else "layers.json")
    if not done.is_file():
        return False
    ticket.state = JobState.FINISHED
    if is_search:
        ticket.people = str(done)
    else:
        ticket.layers = str(done)
    return True

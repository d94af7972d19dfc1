"""What is known of each job, and the thread that asks the server twice a second for news."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from .backend_process import BackendProcess
from .client import BackendError, BackendGone, BackendSlow, Client, EventPage
from .protocol import Event, EventKind, JobState, JobStatus

Answer = TypeVar("Answer")

ASK_SECONDS = 0.5
NOT_FOUND = 404


@dataclass
class Job:
    """One job as far as the events tell; read and changed on the main thread only."""

    id: str
    state: str = JobState.QUEUED
    stage: str = ""
    fraction: float | None = None
    seconds_left: float | None = None
    message: str = ""
    """The newest message; for a failed job the sentence that says why and what to do."""
    layers: str = ""
    """Path of the finished layers.json; empty until there is one."""
    people: str = ""
    """Path of the finished people.json of a job that looks for people."""
    last_event: int = 0
    preview: bytes = b""
    """The newest preview picture, a PNG file; empty until there is one."""

    @property
    def final(self) -> bool:
        """True when nothing more will happen by itself."""
        return JobState(self.state).final


class JobBoard:
    """Jobs that are watched, orders that wait to be sent, and the news that come back.

    Everything that may wait for the server runs in ``ask_once`` on a thread of its own; what came of it is applied
    by ``drain`` on the main thread. Without the thread (``start`` not called) the owner calls both by turns.
    """

    def __init__(self, backend: BackendProcess) -> None:
        self.backend = backend
        self.jobs: dict[str, Job] = {}
        self._cursors: dict[str, int] = {}
        self._cursors_lock = threading.Lock()
        self._orders: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._news: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._end = threading.Event()
        self._wake = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to ask on a thread."""
        self._end.clear()
        self._thread = threading.Thread(target=self._run, name="retime-people-jobs", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the thread and wait for it."""
        self._end.set()
        self._wake.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def watch(self, job_id: str) -> Job:
        """Follow a job from now on; the events so far come too, so nothing need have been remembered."""
        job = self.jobs.setdefault(job_id, Job(job_id))
        with self._cursors_lock:
            self._cursors.setdefault(job_id, job.last_event)
        return job

    def forget(self) -> None:
        """Follow no job any more."""
        self.jobs.clear()
        with self._cursors_lock:
            self._cursors.clear()

    def order(self, work: Callable[[], Answer], then: Callable[[Answer], None], refused: Callable[[str], None]) -> None:
        """Do ``work`` where it may wait, then call on the main thread ``then`` or, with the sentence, ``refused``."""

        def carry_out() -> None:
            try:
                answer = work()
            except BackendError as error:
                sentence = str(error)
                self._news.put(lambda: refused(sentence))
            else:
                self._news.put(lambda: then(answer))

        self._orders.put(carry_out)
        self._wake.set()

    def ask_once(self) -> None:
        """Send what was ordered, see how it stands with the backend, and ask for news of every watched job."""
        while not self._orders.empty():
            self._orders.get()()
        watched = self._watched()
        try:
            self._ask_for_news(self.backend.client(), watched)
        except BackendError:
            if watched:
                # It may have died under a job. Jobs are on disk: a new backend goes on with them.
                self.backend.restart()

    def drain(self) -> None:
        """Apply on the main thread what came back."""
        while not self._news.empty():
            self._news.get()()

    def _run(self) -> None:
        while not self._end.is_set():
            self.ask_once()
            self._wake.wait(ASK_SECONDS)
            self._wake.clear()

    def _watched(self) -> dict[str, int]:
        with self._cursors_lock:
            return dict(self._cursors)

    def _ask_for_news(self, client: Client, watched: dict[str, int]) -> None:
        for job_id, after in watched.items():
            try:
                self._ask_for_job(client, job_id, after)
            except (BackendGone, BackendSlow):
                return
            except BackendError as error:
                self._give_up(job_id, error)

    def _ask_for_job(self, client: Client, job_id: str, after: int) -> None:
        page = client.events(job_id, after)
        if JobState(page.state).final and not page.events:
            # Asked once more after the final state, so that no late event is lost.
            self._let_go(job_id)
        picture = b""
        if any(line.event.kind == EventKind.PREVIEW for line in page.events):
            picture = _newest_preview(client, job_id)
        done = client.job(job_id) if page.state == JobState.FINISHED else None
        if page.events:
            self._advance(job_id, page.events[-1].n)
        self._news.put(lambda: self._apply(job_id, page, picture, done))

    def _give_up(self, job_id: str, error: BackendError) -> None:
        self._let_go(job_id)
        sentence = str(error)
        if error.status == NOT_FOUND:
            sentence = "The backend does not know this job any more; press Resume to send it again."
        self._news.put(lambda: self._fail(job_id, sentence))

    def _advance(self, job_id: str, n: int) -> None:
        with self._cursors_lock:
            if job_id in self._cursors:
                self._cursors[job_id] = n

    def _let_go(self, job_id: str) -> None:
        with self._cursors_lock:
            self._cursors.pop(job_id, None)

    def _apply(self, job_id: str, page: EventPage, picture: bytes, done: JobStatus | None) -> None:
        job = self.jobs.get(job_id)
        if job is None:
            return
        for line in page.events:
            apply_event(job, line.event)
            job.last_event = line.n
        job.state = page.state
        if done is not None:
            job.layers, job.people = done.layers or job.layers, done.people or job.people
        job.preview = picture or job.preview

    def _fail(self, job_id: str, sentence: str) -> None:
        job = self.jobs.get(job_id)
        if job is not None:
            job.state, job.message = JobState.FAILED, sentence


def _newest_preview(client: Client, job_id: str) -> bytes:
    try:
        return client.preview(job_id)
    except BackendError as error:
        if error.status != NOT_FOUND:
            raise
        return b""  # Cleaned up between the event and now; the next one comes.


def apply_event(job: Job, event: Event) -> None:
    """Change what is known of a job by one line of its log."""
    job.message = event.message or job.message
    if event.kind == EventKind.PROGRESS:
        job.stage = event.stage or job.stage
        job.fraction = event.fraction
        job.seconds_left = event.seconds_left
    elif event.kind == EventKind.RESULT:
        job.layers = str(event.data.get("layers", job.layers))
        job.people = str(event.data.get("people", job.people))
    elif event.kind == EventKind.ERROR:
        job.message = error_sentence(event)


def error_sentence(event: Event) -> str:
    """What went wrong and what to do, as one line."""
    message = event.message.rstrip(".")
    advice = str(event.data.get("advice", "")).rstrip(".")
    return f"{message}. {advice}." if advice and advice not in message else f"{message}."

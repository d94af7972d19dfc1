"""Jobs one after the other: their order, and how they are started, cancelled, resumed and taken up again."""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from backend.errors import RetimeError
from backend.protocol import DecomposeRequest, Event, EventKind, JobState, JobStatus
from backend.server.errors import FolderInUse, NoSuchJob, WrongState
from backend.server.job_store import Job, JobStore, state_event
from backend.server.worker_process import WorkerProcess, describe_end

CANCELLED_STATUS = 130
MAX_RESTARTS = 3
"""A job under which the backend dies more often than this in a row is taken for the cause."""

StartWorker = Callable[[Path, Callable[[Event], None]], WorkerProcess]


@dataclass
class _Run:
    """The job that is being worked on."""

    job: Job
    process: WorkerProcess | None = None
    cancel_asked: bool = False
    error: RetimeError | None = None


class JobQueue:
    """All jobs of one backend; at most one runs at a time. Safe for threads."""

    def __init__(self, store: JobStore, start_worker: StartWorker = WorkerProcess) -> None:
        """Load every job; those that a dead backend left behind wait again."""
        self._store = store
        self._start_worker = start_worker
        self._changed = threading.Condition()
        self._waiting: deque[str] = deque()
        self._jobs: dict[str, Job] = {}
        self._run: _Run | None = None
        self._closing = False
        self._thread = threading.Thread(target=self._work, name="jobs", daemon=True)
        for job in store.load():
            self._jobs[job.status.id] = job
            self._take_up(job)

    def start(self) -> None:
        """Begin to work on the jobs that wait."""
        self._thread.start()

    def close(self) -> None:
        """Stop the running job, which goes on from its checkpoint after the next start. Returns when all is quiet."""
        with self._changed:
            self._closing = True
            if self._run is not None and self._run.process is not None:
                self._run.process.cancel()
            self._changed.notify_all()
        if self._thread.is_alive():
            self._thread.join()

    def add(self, request: DecomposeRequest) -> JobStatus:
        """Queue a new job. Raises FolderInUse, OutputError."""
        with self._changed:
            self._check_folder_free(request)
            job = self._store.create(request)
            self._jobs[job.status.id] = job
            self._enqueue(job)
            return job.status

    def statuses(self) -> list[JobStatus]:
        """Every job, oldest first."""
        with self._changed:
            return [job.status for job in self._jobs.values()]

    def status(self, job_id: str) -> JobStatus:
        """One job. Raises NoSuchJob."""
        with self._changed:
            return self._job(job_id).status

    def events(self, job_id: str, after: int) -> tuple[list[dict[str, Any]], str]:
        """The job's events with a number above ``after``, and its state; a final state comes with the last event.

        Raises NoSuchJob.
        """
        with self._changed:
            job = self._job(job_id)
            # Most polls find nothing new, and must not read the file of a job that is done.
            news = job.log().after(after) if after < job.status.last_event else []
            return news, job.status.state

    def preview(self, job_id: str) -> tuple[Path, str]:
        """The job's folder and the picture it showed last ("" for none). Raises NoSuchJob."""
        with self._changed:
            job = self._job(job_id)
            return job.folder, job.preview

    def cancel(self, job_id: str) -> JobStatus:
        """Stop a job; one that runs ends soon, not at once; one that is done stays as it is. Raises NoSuchJob."""
        with self._changed:
            job = self._job(job_id)
            if job.state is JobState.QUEUED:
                self._waiting.remove(job_id)
                job.record(state_event(JobState.CANCELLED, "Cancelled before it began"))
            elif self._run is not None and self._run.job is job:
                self._cancel_run(self._run)
            return job.status

    def _cancel_run(self, run: _Run) -> None:
        if run.cancel_asked:
            return
        run.cancel_asked = True
        run.job.record(Event(EventKind.MESSAGE, "Stopping"))
        if run.process is not None:
            run.process.cancel()

    def resume(self, job_id: str) -> JobStatus:
        """Queue a cancelled or failed job again, to go on from its checkpoint.

        Raises NoSuchJob, WrongState, FolderInUse.
        """
        with self._changed:
            job = self._job(job_id)
            if job.state not in (JobState.CANCELLED, JobState.FAILED):
                raise WrongState(f"Job {job_id} is {job.state}", "Only a cancelled or failed job can be resumed")
            self._check_folder_free(job.status.request)
            job.record(state_event(JobState.QUEUED, "Waiting to go on"))
            self._enqueue(job)
            return job.status

    def delete(self, job_id: str) -> None:
        """Forget a job that is done; its results stay. Raises NoSuchJob, WrongState, OutputError."""
        with self._changed:
            job = self._job(job_id)
            if not job.state.final:
                raise WrongState(f"Job {job_id} is {job.state}", "Cancel it first")
            self._store.delete(job)
            del self._jobs[job_id]

    def _job(self, job_id: str) -> Job:
        if job_id not in self._jobs:
            raise NoSuchJob("There is no such job")
        return self._jobs[job_id]

    def _check_folder_free(self, request: DecomposeRequest) -> None:
        wanted = os.path.realpath(request.out)
        for job in self._jobs.values():
            if not job.state.final and os.path.realpath(job.status.request.out) == wanted:
                raise FolderInUse(f"{request.out}: job {job.status.id} already writes there")

    def _enqueue(self, job: Job) -> None:
        self._waiting.append(job.status.id)
        self._changed.notify_all()

    def _take_up(self, job: Job) -> None:
        """Decide what becomes of a job found at the start."""
        if job.state is JobState.RUNNING:
            if job.restarts() >= MAX_RESTARTS:
                error = RetimeError("The backend died several times during this job", "Resume it to try once more")
                job.record(state_event(JobState.FAILED, error.sentence()))
                return
            job.record(state_event(JobState.QUEUED, "Waiting to go on", interrupted=True))
        if job.state is JobState.QUEUED:
            self._waiting.append(job.status.id)

    def _work(self) -> None:
        while (run := self._next()) is not None:
            status = run.process.wait() if run.process is not None else 1
            with self._changed:
                self._conclude(run, status)
                self._run = None

    def _next(self) -> _Run | None:
        with self._changed:
            self._changed.wait_for(lambda: self._closing or self._waiting)
            if self._closing:
                return None
            run = self._run = _Run(self._jobs[self._waiting.popleft()])
            run.job.record(state_event(JobState.RUNNING, "Starting"))
            try:
                run.job.write_request()
                run.process = self._start_worker(run.job.folder, lambda event: self._hear(run, event))
            except OSError as error:
                reason = error.strerror or type(error).__name__
                run.error = RetimeError(f"The worker can't be started ({reason})", "Free some memory and disk space")
            except RetimeError as error:
                run.error = error
            return run

    def _hear(self, run: _Run, event: Event) -> None:
        # Where a job stands is for the queue alone to say.
        if event.kind == EventKind.STATE:
            return
        with self._changed:
            if run is not self._run:
                return
            if event.kind == EventKind.ERROR:
                run.error = RetimeError(event.message, str(event.data.get("advice", "")))
            run.job.record(event)

    def _conclude(self, run: _Run, status: int) -> None:
        job = run.job
        if status == 0 and (job.status.layers or job.status.people):
            job.record(state_event(JobState.FINISHED, "Finished"))
        elif run.cancel_asked:
            job.record(state_event(JobState.CANCELLED, "Cancelled"))
        elif self._closing and (status < 0 or status == CANCELLED_STATUS):
            job.record(state_event(JobState.QUEUED, "Waiting for the backend to start again"))
        elif status == CANCELLED_STATUS:
            job.record(state_event(JobState.CANCELLED, "Cancelled"))
        else:
            self._fail(run, run.error or describe_end(status))

    def _fail(self, run: _Run, error: RetimeError) -> None:
        if run.error is None or run.process is None:
            run.job.record(Event(EventKind.ERROR, str(error), data={"advice": error.advice}))
        run.job.record(state_event(JobState.FAILED, error.sentence()))

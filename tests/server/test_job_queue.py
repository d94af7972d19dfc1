"""The real queue with a fake worker: every state, every way out of it, every restart."""

import itertools
import json
import os
import shutil
import signal
import sys
import threading
from pathlib import Path

import pytest

from backend.protocol import JobState
from backend.server.errors import FolderInUse, NoSuchJob, WrongState
from backend.server.job_queue import MAX_RESTARTS

pytestmark = pytest.mark.timeout(60)


def wait_for(until, queue, job_id, state):
    until(lambda: queue.status(job_id).state == state)
    return queue.status(job_id)


def runs(request):
    """(process, resume) of every worker that began this job."""
    file = Path(request.out) / "runs.txt"
    lines = file.read_text().splitlines() if file.exists() else []
    return [(int(line.split()[0]), line.endswith("True")) for line in lines]


def kinds(queue, job_id):
    return [(e["kind"], e["data"].get("state", "")) for e in queue.events(job_id, 0)[0]]


def test_a_job_runs_to_its_end(open_queue, request_for, until):
    queue = open_queue()
    job = queue.add(request_for("quick"))
    done = wait_for(until, queue, job.id, "finished")
    assert done.layers == f"{request_for().out}/layers.json"
    assert kinds(queue, job.id) == [
        ("state", "queued"),
        ("state", "running"),
        ("progress", ""),
        ("preview", ""),
        ("result", ""),
        ("state", "finished"),
    ]
    events, state = queue.events(job.id, 0)
    assert [e["n"] for e in events] == list(range(1, 7)) and done.last_event == 6 and state == "finished"


def test_jobs_run_one_at_a_time_in_order(open_queue, request_for, until):
    queue = open_queue(start=False)
    ids = [queue.add(request_for("quick", f"out{i}")).id for i in range(5)]
    assert [s.id for s in queue.statuses()] == ids
    queue.start()
    wait_for(until, queue, ids[-1], "finished")
    spans = [
        [e["time"] for e in queue.events(job_id, 0)[0] if e["data"].get("state") in ("running", "finished")]
        for job_id in ids
    ]
    assert all(before[1] <= after[0] for before, after in itertools.pairwise(spans))


def test_progress_is_in_the_status(open_queue, request_for, until):
    queue = open_queue()
    job = queue.add(request_for("wait"))
    until(lambda: queue.status(job.id).fraction)
    status = queue.status(job.id)
    assert (status.state, status.stage, status.fraction, status.seconds_left, status.message) == (
        "running",
        "train",
        0.25,
        9.0,
        "Training",
    )


def test_cancel_while_queued(open_queue, request_for):
    queue = open_queue(start=False)
    job = queue.add(request_for("quick"))
    assert queue.cancel(job.id).state == "cancelled"
    assert queue.cancel(job.id).state == "cancelled"


def test_cancel_while_running_then_resume(open_queue, request_for, until):
    queue = open_queue()
    request = request_for("wait")
    job = queue.add(request)
    until(lambda: queue.status(job.id).fraction)
    assert queue.cancel(job.id).message == "Stopping"
    queue.cancel(job.id)
    wait_for(until, queue, job.id, "cancelled")
    resumed = queue.resume(job.id)
    assert resumed.state == "queued" and resumed.request.resume
    wait_for(until, queue, job.id, "finished")
    assert [resume for _, resume in runs(request)] == [False, True]


def test_cancel_a_finished_job_changes_nothing(open_queue, request_for, until):
    queue = open_queue()
    job = queue.add(request_for("quick"))
    before = wait_for(until, queue, job.id, "finished")
    assert queue.cancel(job.id) == before


def test_a_worker_that_does_not_obey_is_killed(open_queue, request_for, until):
    queue = open_queue()
    job = queue.add(request_for("deaf"))
    until(lambda: queue.status(job.id).message == "deaf now")
    queue.cancel(job.id)
    wait_for(until, queue, job.id, "cancelled")
    with pytest.raises(ProcessLookupError):
        os.kill(runs(request_for("deaf"))[0][0], 0)


@pytest.mark.parametrize("name, word", [("SIGKILL", "memory"), ("SIGSEGV", "crashed")])
def test_a_killed_worker_fails_its_job_alone(open_queue, request_for, until, name, word):
    queue = open_queue()
    job, other = queue.add(request_for("wait")), queue.add(request_for("quick", "other"))
    until(lambda: queue.status(job.id).fraction)
    os.kill(runs(request_for())[0][0], signal.Signals[name])
    failed = wait_for(until, queue, job.id, "failed")
    assert name in failed.message and word in failed.message
    assert ("error", "") in kinds(queue, job.id)
    wait_for(until, queue, other.id, "finished")
    queue.resume(job.id)
    wait_for(until, queue, job.id, "finished")


@pytest.mark.parametrize(
    "behaviour, words",
    [
        ("wrong", "clip.mp4: not a video. Give a video file."),
        ("silent", "exit status 3"),
        ("empty", "without a result"),
    ],
)
def test_a_worker_that_fails_leaves_a_sentence(open_queue, request_for, until, behaviour, words):
    queue = open_queue()
    job = queue.add(request_for(behaviour))
    assert words in wait_for(until, queue, job.id, "failed").message
    assert [kind for kind, _ in kinds(queue, job.id)].count("error") == 1


def test_a_worker_that_talks_nonsense_is_understood_where_possible(open_queue, request_for, until):
    queue = open_queue()
    job = queue.add(request_for("noisy"))
    wait_for(until, queue, job.id, "finished")
    progress = [e["fraction"] for e in queue.events(job.id, 0)[0] if e["kind"] == "progress"]
    assert progress == [0.25, None, 1.0]


def test_a_worker_that_cannot_start(open_queue, request_for, until):
    queue = open_queue(command=["/no/such/program"])
    job = queue.add(request_for("quick"))
    assert "can't be started" in wait_for(until, queue, job.id, "failed").message


def test_what_a_worker_has_started_does_not_outlive_it(open_queue, request_for, until, tmp_path):
    script = tmp_path / "parent.py"
    script.write_text(
        "import subprocess, sys\n"
        "child = subprocess.Popen([sys.executable, '-S', '-c', 'import time; time.sleep(50)'])\n"
        f"open({str(tmp_path / 'child')!r}, 'w').write(str(child.pid))\n"
    )
    queue = open_queue(command=[sys.executable, "-S", str(script)])
    job = queue.add(request_for("quick"))
    wait_for(until, queue, job.id, "failed")

    def is_gone():
        try:
            # Where nobody collects orphans, a dead one stays as a zombie.
            return Path(f"/proc/{(tmp_path / 'child').read_text()}/stat").read_text().split()[2] == "Z"
        except OSError:
            return True

    until(is_gone)


def test_wrong_states_are_refused(open_queue, request_for, until):
    queue = open_queue()
    job = queue.add(request_for("wait"))
    until(lambda: queue.status(job.id).fraction)
    for refused in (queue.resume, queue.delete):
        with pytest.raises(WrongState, match="is running"):
            refused(job.id)
    finished = queue.add(request_for("quick", "other"))
    queue.cancel(job.id)
    wait_for(until, queue, finished.id, "finished")
    with pytest.raises(WrongState, match="is finished"):
        queue.resume(finished.id)
    with pytest.raises(NoSuchJob):
        queue.status("../../etc")


def test_two_jobs_never_write_to_one_folder(open_queue, request_for, until, tmp_path):
    queue = open_queue(start=False)
    first = queue.add(request_for("quick", "out"))
    with pytest.raises(FolderInUse):
        queue.add(request_for("quick", "sub/../out"))
    queue.cancel(first.id)
    second = queue.add(request_for("quick", "out"))
    with pytest.raises(FolderInUse):
        queue.resume(first.id)
    queue.start()
    wait_for(until, queue, second.id, "finished")


def test_delete_forgets_the_job_and_keeps_the_results(open_queue, request_for, until, tmp_path):
    queue = open_queue()
    request = request_for("quick")
    job = queue.add(request)
    wait_for(until, queue, job.id, "finished")
    queue.delete(job.id)
    assert queue.statuses() == [] and list((tmp_path / "jobs").iterdir()) == []
    assert len(runs(request)) == 1
    with pytest.raises(NoSuchJob):
        queue.delete(job.id)


def test_closing_lets_the_running_job_go_on_later(open_queue, request_for, until):
    queue = open_queue()
    request = request_for("wait")
    job, waiting = queue.add(request), queue.add(request_for("quick", "other"))
    until(lambda: queue.status(job.id).fraction)
    queue.close()
    assert queue.status(job.id).state == "queued"
    again = open_queue()
    wait_for(until, again, waiting.id, "finished")
    assert again.status(job.id).state == "finished"
    assert [resume for _, resume in runs(request)] == [False, True]


def leave_running(tmp_path, job_id):
    """What a backend that was killed leaves: the job's last word is that it runs."""
    log = tmp_path / "jobs" / job_id / "events.jsonl"
    lines = log.read_text().splitlines()
    last = max(i for i, line in enumerate(lines) if json.loads(line)["data"].get("state") == "running")
    log.write_text("".join(f"{line}\n" for line in lines[: last + 1]) + '{"n": 99, "ti')
    (tmp_path / "jobs" / job_id / "status.json").unlink(missing_ok=True)


def test_a_killed_backend_loses_no_job(open_queue, request_for, until, tmp_path):
    queue = open_queue()
    done = queue.add(request_for("quick", "done"))
    job = queue.add(request_for("wait"))
    until(lambda: queue.status(job.id).fraction)
    queue.close()
    leave_running(tmp_path, job.id)
    again = open_queue(start=False)
    status = again.status(job.id)
    assert status.state == "queued" and status.request.resume
    assert again.status(done.id).state == "finished" and again.status(done.id).layers
    again.start()
    wait_for(until, again, job.id, "finished")


def test_a_job_that_keeps_killing_the_backend_is_given_up(open_queue, request_for, until, tmp_path):
    queue = open_queue()
    job = queue.add(request_for("deaf"))
    until(lambda: queue.status(job.id).message == "deaf now")
    queue.close()
    for _ in range(MAX_RESTARTS):
        leave_running(tmp_path, job.id)
        queue = open_queue()
        until(lambda queue=queue: queue.status(job.id).message == "deaf now")
        queue.close()
    leave_running(tmp_path, job.id)
    queue = open_queue()
    assert queue.status(job.id).state == "failed" and "several times" in queue.status(job.id).message
    assert queue.resume(job.id).state == "queued"


def test_a_damaged_job_does_not_stop_the_others(open_queue, request_for, until, tmp_path):
    queue = open_queue(start=False)
    damaged, whole = queue.add(request_for("quick")), queue.add(request_for("quick", "other"))
    (tmp_path / "jobs" / damaged.id / "request.json").write_text('{"plate": ')
    (tmp_path / "jobs" / ".000009-00000000").mkdir()
    (tmp_path / "jobs" / "notes").mkdir()
    again = open_queue()
    wait_for(until, again, whole.id, "finished")
    assert [s.id for s in again.statuses()] == [whole.id]
    assert (tmp_path / "jobs" / damaged.id).is_dir()
    assert again.add(request_for("quick", "third")).id > whole.id


def test_final_jobs_are_told_from_their_summary(open_queue, request_for, until, tmp_path):
    queue = open_queue()
    job = queue.add(request_for("quick"))
    done = wait_for(until, queue, job.id, "finished")
    assert open_queue(start=False).status(job.id) == done
    for damage in ("", "[]", '{"status": {"state": "finished"}}'):
        (tmp_path / "jobs" / job.id / "status.json").write_text(damage)
        again = open_queue(start=False)
        assert again.status(job.id) == done
        assert again.preview(job.id) == queue.preview(job.id)


def test_many_clients_see_the_same_events(open_queue, request_for, until):
    queue = open_queue()
    ids = [queue.add(request_for("quick", f"out{i}")).id for i in range(4)]
    seen = [{} for _ in range(4)]

    def follow(mine):
        for job_id in ids:
            events, state = [], ""
            while not (state and JobState(state).final):
                news, state = queue.events(job_id, len(events))
                events += news
            mine[job_id] = [(e["n"], e["kind"]) for e in events]

    threads = [threading.Thread(target=follow, args=(mine,)) for mine in seen]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(mine == seen[0] for mine in seen) and all(len(events) == 6 for events in seen[0].values())


def test_the_folder_of_a_running_job_may_vanish(open_queue, request_for, until, tmp_path):
    queue = open_queue()
    job = queue.add(request_for("wait"))
    until(lambda: queue.status(job.id).fraction)
    shutil.rmtree(tmp_path / "jobs" / job.id)
    queue.cancel(job.id)
    wait_for(until, queue, job.id, "cancelled")
    assert kinds(queue, job.id)[-1] == ("state", "cancelled")
    queue.delete(job.id)

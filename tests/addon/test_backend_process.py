from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from fake_backend import FakeBackend
from plain import load

module = load("backend_process")
client_module = load("client")
BackendProcess, Launch, State = module.BackendProcess, module.Launch, module.BackendState
HERE = Path(__file__).parent


@pytest.fixture
def code(tmp_path) -> Path:
    """A folder in which ``python -m backend serve`` starts the fake."""
    package = tmp_path / "code with space" / "backend"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    starter = f"import sys\nsys.path.insert(0, {str(HERE)!r})\nimport fake_backend\nfake_backend.main(sys.argv[1:])\n"
    (package / "__main__.py").write_text(starter, encoding="utf-8")
    return package.parent


@pytest.fixture
def process(tmp_path, code):
    backend = BackendProcess(tmp_path / "runtime", Launch(sys.executable, str(code)))
    yield backend
    backend.close()


def test_without_a_python_it_says_where_to_set_one(tmp_path):
    backend = BackendProcess(tmp_path, Launch())
    assert backend.start().state is State.NOT_CONFIGURED
    assert "Backend Python in the preferences" in backend.status.sentence
    with pytest.raises(client_module.BackendError, match="Backend Python"):
        backend.client()


def test_starts_runs_and_stops(process):
    assert process.look().state is State.STOPPED
    assert process.start().state is State.STARTING
    assert process.wait(30).state is State.RUNNING
    assert process.client().health().version
    assert process.stop().state is State.STOPPED
    assert not (process.runtime_dir / "backend.json").exists()


def test_starts_at_most_one(process):
    process.start()
    first = process._process.pid
    process.start()
    assert process._process.pid == first
    process.wait(30)
    process.start()
    assert process.client().health().pid == first


def test_a_live_one_is_found_and_left_alone(tmp_path, code):
    with FakeBackend(tmp_path / "runtime") as fake:
        backend = BackendProcess(tmp_path / "runtime", Launch(sys.executable, str(code)))
        assert backend.start().state is State.RUNNING
        assert backend._process is None
        backend.close()
        assert not fake.ended.is_set()


def test_a_stale_runtime_file_does_not_keep_it_from_starting(tmp_path, process):
    with FakeBackend(tmp_path / "runtime") as fake:
        fake.vanish()
        assert process.look().state is State.STOPPED
        process.start()
        assert process.wait(30).state is State.RUNNING


def test_another_version_is_explained(tmp_path):
    with FakeBackend(tmp_path, version="0.0.9"):
        status = BackendProcess(tmp_path, Launch("python")).start()
    assert status.state is State.MISMATCH
    assert "version 0.0.9" in status.sentence and "update the backend" in status.sentence


def test_a_newer_backend_asks_for_a_newer_addon(tmp_path):
    with FakeBackend(tmp_path, version="0.10.0"):
        assert "update this add-on" in BackendProcess(tmp_path, Launch("python")).look().sentence


def test_a_wrong_token_is_explained(tmp_path):
    with FakeBackend(tmp_path):
        file = tmp_path / "backend.json"
        file.write_text(json.dumps({**json.loads(file.read_text()), "token": "guess"}))
        status = BackendProcess(tmp_path, Launch("python")).look()
    assert status.state is State.FAILED
    assert "refuses our token" in status.sentence


def test_a_python_that_is_not_there_is_named(tmp_path):
    status = BackendProcess(tmp_path, Launch(str(tmp_path / "no python"))).start()
    assert status.state is State.FAILED
    assert "no python can't be started" in status.sentence


def test_a_python_without_the_backend_is_explained_by_its_last_words(tmp_path):
    backend = BackendProcess(tmp_path / "runtime", Launch(sys.executable, str(tmp_path)))
    (tmp_path / "backend.py").write_text("raise SystemExit('No module named retime')")
    backend.start()
    status = backend.wait(30)
    assert status.state is State.FAILED
    assert "No module named retime" in status.sentence


def test_a_start_that_takes_for_ever_has_failed(tmp_path):
    (tmp_path / "backend.py").write_text("import time\ntime.sleep(60)")
    now = [0.0]
    backend = BackendProcess(tmp_path / "runtime", Launch(sys.executable, str(tmp_path)), clock=lambda: now[0])
    backend.start()
    assert backend.look().state is State.STARTING
    now[0] = module.START_SECONDS + 1
    assert "did not start within" in backend.look().sentence
    backend.close()


def test_restarts_a_vanished_one_a_limited_number_of_times(process):
    process.start()
    assert process.restart().state is State.STARTING, "nothing to restart before it was up"
    process.wait(30)
    for _ in range(module.MAX_RESTARTS):
        process._process.kill()
        process._process.wait()
        assert process.restart().state is State.STARTING
        assert process.wait(30).state is State.RUNNING
    process._process.kill()
    process._process.wait()
    assert process.restart().state is State.FAILED


def test_one_that_was_stopped_by_hand_stays_stopped(process):
    process.start()
    process.wait(30)
    process.stop()
    assert process.restart().state is State.STOPPED


def test_a_busy_one_is_not_taken_for_dead(tmp_path, monkeypatch):
    def slow(_):
        raise client_module.BackendSlow("slow")

    monkeypatch.setattr(module.Client, "health", slow)
    with FakeBackend(tmp_path):
        assert BackendProcess(tmp_path, Launch("python")).start().state is State.RUNNING


@pytest.mark.parametrize("text", ["", "{", "[]", '{"port": "x"}', '{"port": 1}'])
def test_a_torn_runtime_file_counts_as_none(tmp_path, text):
    (tmp_path / "backend.json").write_text(text)
    assert module.read_runtime_info(tmp_path) is None

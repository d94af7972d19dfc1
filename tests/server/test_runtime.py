"""Where a backend lives, that it lives there alone, and what is told about it."""

import errno
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from backend.doctor import report
from backend.locking import FileLock
from backend.protocol import RuntimeInfo
from backend.server.errors import AlreadyRunning
from backend.server.files import write_atomically
from backend.server.runtime import RuntimeFolder, default_runtime_dir, read_runtime_info

HOME = Path("/home/anna")


@pytest.mark.parametrize(
    "platform, environ, expected",
    [
        ("linux", {}, "/home/anna/.local/share/retime-people"),
        ("linux", {"XDG_DATA_HOME": "/data"}, "/data/retime-people"),
        ("linux", {"XDG_DATA_HOME": "not/absolute"}, "/home/anna/.local/share/retime-people"),
        ("darwin", {"XDG_DATA_HOME": "/data"}, "/home/anna/Library/Application Support/retime-people"),
        ("win32", {"LOCALAPPDATA": "/local"}, "/local/retime-people"),
        ("win32", {}, "/home/anna/AppData/Local/retime-people"),
    ],
)
def test_the_default_folder_follows_the_system(platform, environ, expected):
    assert default_runtime_dir(platform, environ, HOME) == Path(expected)


def test_a_folder_is_held_once_and_given_back(tmp_path):
    folder = RuntimeFolder(tmp_path / "a" / "runtime")
    info = RuntimeInfo(port=1234, token="secret", pid=99, version="0.1.0")
    folder.publish(info)
    assert read_runtime_info(folder.path) == info
    with pytest.raises(AlreadyRunning, match="process 99, port 1234"):
        RuntimeFolder(tmp_path / "a" / "runtime")
    assert read_runtime_info(folder.path) == info
    folder.withdraw()
    folder.release()
    again = RuntimeFolder(tmp_path / "a" / "runtime")
    again.release()
    assert (tmp_path / "a" / "runtime").stat().st_mode & 0o777 == 0o700


def test_a_lock_ends_with_its_process(tmp_path):
    code = (
        "import os, sys; from pathlib import Path; from backend.locking import FileLock; "
        "os._exit(0 if FileLock(Path(sys.argv[1])).acquire() else 1)"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "l")], check=True)
    lock = FileLock(tmp_path / "l")
    assert lock.acquire() and not FileLock(tmp_path / "l").acquire()
    lock.release()


def test_a_drive_without_locks_keeps_nobody_out(tmp_path, monkeypatch):
    def no_locks(_descriptor):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr("backend.locking._lock", no_locks)
    assert FileLock(tmp_path / "l").acquire() and FileLock(tmp_path / "l").acquire()


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path, monkeypatch):
    file = tmp_path / "a.json"
    write_atomically(file, b"old")
    monkeypatch.setattr(os, "fsync", lambda _descriptor: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with pytest.raises(OSError):
        write_atomically(file, b"new and longer")
    assert file.read_bytes() == b"old" and list(tmp_path.iterdir()) == [file]
    assert file.stat().st_mode & 0o777 == 0o600


@pytest.mark.timeout(60)
def test_the_doctor_tells_what_is_there_and_no_secret(tmp_path, launch):
    text = report(tmp_path / "runtime")
    for words in ("System:", "Python:", "torch ", "numpy ", "Processors:", "GiB", "H.264: read", "not running"):
        assert words in text
    backend = launch(tmp_path / "runtime")
    text = report(tmp_path / "runtime")
    assert f"running, version 0.1.0 (process {backend.info['pid']}" in text
    assert backend.info["token"] not in text


def test_the_doctor_knows_a_dead_backend(tmp_path):
    stale = {"port": 1, "token": "secret", "pid": 99, "version": "0"}
    (tmp_path / "backend.json").write_text(json.dumps(stale))
    text = report(tmp_path)
    assert "does not answer (process 99, port 1)" in text and "secret" not in text

"""The backend's private environment, made from a tiny wheel in a folder; no network."""

from __future__ import annotations

import base64
import hashlib
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest

from tests.addon import plain

module = plain.load("backend_install")
VERSION = plain.load("protocol").VERSION
State = module.InstallState

MAIN = """
import sys
from pathlib import Path
sys.exit(0)
"""


def wheel(folder: Path, name: str = "retime_people", version: str = VERSION, requires: str = "") -> Path:
    """A wheel that holds a package named backend with nothing but its version."""
    folder.mkdir(parents=True, exist_ok=True)
    info = f"{name}-{version}.dist-info"
    needs = f"Requires-Dist: {requires}\n" if requires else ""
    files = {
        "backend/__init__.py": "",
        "backend/__main__.py": MAIN,
        "backend/protocol.py": f'VERSION = "{version}"\n',
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{needs}",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{path},{_digest(text)},{len(text)}\n" for path, text in files.items()) + f"{info}/RECORD,,\n"
    path = folder / f"{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for name_inside, text in {**files, f"{info}/RECORD": record}.items():
            archive.writestr(name_inside, text)
    return path


def _digest(text: str) -> str:
    return "sha256=" + base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()


@pytest.fixture
def installer(tmp_path):
    return module.Installer(tmp_path / "backend" / "env")


def plan(index: Path, requirement: str = f"retime-people=={VERSION}"):
    return module.InstallPlan(sys.executable, requirement, str(index))


def test_from_nothing_to_installed_and_gone(installer, tmp_path):
    wheel(tmp_path / "index")
    assert installer.look() is State.ABSENT
    installer.start(plan(tmp_path / "index"))
    assert installer.wait() is State.INSTALLED, installer.message
    answer = subprocess.run(
        [installer.python, "-c", "import backend.protocol as p; print(p.VERSION)"], capture_output=True
    )
    assert answer.stdout.decode().strip() == VERSION
    again = module.Installer(installer.folder)
    assert again.state is State.INSTALLED
    again.remove()
    assert again.look() is State.ABSENT
    assert not installer.folder.exists()


def test_a_package_that_is_missing(installer, tmp_path):
    wheel(tmp_path / "index", requires="no-such-package-anywhere")
    installer.start(plan(tmp_path / "index"))
    assert installer.wait() is State.BROKEN
    assert "no-such-package-anywhere" in installer.message
    assert installer.message.endswith("then press Repair.")
    assert not installer.folder.exists()
    assert installer.log.is_file()


def test_an_index_that_does_not_answer_is_known():
    line = (
        "WARNING: Retrying (Retry(total=0, connect=None)) after connection broken by "
        "'NewConnectionError('refused')': /whl/cpu/torch/"
    )
    assert module.is_lost(module.CPU_INDEX, line)
    assert not module.is_lost("", line)
    assert not module.is_lost(module.CPU_INDEX, line.replace("total=0", "total=4"))
    assert not module.is_lost("https://other.example/simple", line)


def test_a_wheel_of_another_version_is_not_taken(installer, tmp_path):
    file = wheel(tmp_path / "index", version="9.9.9")
    installer.start(plan(tmp_path / "index", str(file)))
    assert installer.wait() is State.BROKEN
    assert "version 9.9.9" in installer.message


def test_cancel_leaves_nothing(installer, tmp_path):
    installer.start(plan(tmp_path, "retime-people"))
    while not installer.folder.exists() and installer.state is State.WORKING:
        time.sleep(0.01)
    installer.cancel()
    assert installer.wait() is State.CANCELLED
    assert not installer.folder.exists()


def test_no_python_there(installer):
    installer.start(module.InstallPlan("/no/such/python", "x"))
    assert installer.wait() is State.BROKEN
    assert "No such file" in installer.message


def test_half_an_environment_is_broken(installer):
    installer.folder.mkdir(parents=True)
    assert module.Installer(installer.folder).state is State.BROKEN


def test_an_older_backend_is_told_of(installer):
    installer.python.parent.mkdir(parents=True)
    installer.python.touch()
    (installer.folder / module.STAMP).write_text('{"version": "0.0.1"}')
    outdated = module.Installer(installer.folder)
    assert outdated.state is State.OUTDATED
    assert "version 0.0.1" in outdated.message and VERSION in outdated.message


def test_the_wheel_that_came_along_is_taken(tmp_path):
    file = wheel(tmp_path / "bundled")
    assert module.plan_of(tmp_path / "bundled", "", "python").requirement == str(file)
    assert module.plan_of(tmp_path / "empty", "", "python").requirement == f"retime-people=={VERSION}"


def test_where_pip_looks(tmp_path):
    assert module.InstallPlan("p", "r", str(tmp_path)).pip_options() == ["--no-index", "--find-links", str(tmp_path)]
    assert not module.InstallPlan("p", "r", str(tmp_path)).online
    assert module.InstallPlan("p", "r", "https://example.org/x").pip_options()[0] == "--extra-index-url"
    assert module.InstallPlan("p", "r").pip_options() == []


def test_builds(monkeypatch, tmp_path):
    monkeypatch.setattr(module.sys, "platform", "darwin")
    assert (module.build_of(""), module.default_index()) == ("mps", "")
    monkeypatch.setattr(module.sys, "platform", "linux")
    monkeypatch.setattr(module.shutil, "which", lambda _: "")
    assert (module.build_of(""), module.default_index()) == ("cpu", module.CPU_INDEX)
    monkeypatch.setattr(module.shutil, "which", lambda name: f"/bin/{name}")
    assert (module.build_of(""), module.default_index()) == ("cuda", "")
    assert module.build_of("https://example.org/rocm") == "custom"


def test_a_card_that_would_not_be_used(monkeypatch, tmp_path):
    monkeypatch.setattr(module.sys, "platform", "linux")
    monkeypatch.setattr(module.shutil, "which", lambda _: "")
    monkeypatch.setattr(module, "AMD_DEVICE", tmp_path / "none")
    assert module.card_left_out("") == ""
    monkeypatch.setattr(module, "AMD_DEVICE", tmp_path)
    assert module.card_left_out("") == "AMD" and module.card_left_out("https://example.org/rocm") == ""
    monkeypatch.setattr(module.sys, "platform", "win32")
    monkeypatch.setattr(module.shutil, "which", lambda name: f"/bin/{name}")
    assert module.card_left_out("") == "NVIDIA"


def test_a_python_that_will_do(monkeypatch):
    monkeypatch.setattr(module, "_version_of", lambda python: (3, 12) if python.endswith("3.12") else (3, 9))
    monkeypatch.setattr(module.shutil, "which", lambda name: f"/bin/{name}")
    assert module.find_python() == "/bin/python3.12"
    monkeypatch.setattr(module, "_version_of", lambda python: None)
    with pytest.raises(module.InstallProblem, match=r"Python 3.11 to 3.13 is needed"):
        module.find_python()

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

# The real program with work in the place of the decomposition that asks, as the real one does, whether to stop.
PROGRAM = """
import sys, time, types
from pathlib import Path

def decompose(request, report, cancelled, team):
    from backend.errors import Cancelled
    from backend.protocol import Event, EventKind
    Path(request.out).mkdir()
    report(Event(EventKind.MESSAGE, "working"))
    while not cancelled():
        time.sleep(0.01)
    (Path(request.out) / "checkpoint").touch()
    raise Cancelled("Stopped")

module = types.ModuleType("backend.decompose")
module.decompose = decompose
sys.modules["backend.decompose"] = module
from backend.__main__ import main
main()
"""


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_and_sigterm_end_cleanly(tmp_path: Path, number: signal.Signals) -> None:
    arguments = ["decompose", "clip.mp4", "--out", str(tmp_path / "layers")]
    process = subprocess.Popen([sys.executable, "-c", PROGRAM, *arguments], cwd=ROOT, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    assert process.stderr.readline() == "working\n"
    process.send_signal(number)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert err == "Stopped. Use --resume to go on from the last checkpoint.\n"
    assert (tmp_path / "layers" / "checkpoint").exists()


def test_help_and_version_load_nothing_heavy() -> None:
    code = (
        "import sys; sys.argv = ['retime-people', '--help']\n"
        "from backend.__main__ import main\n"
        "try: main()\n"
        "except SystemExit as ended: assert not ended.code\n"
        "heavy = {'torch', 'cv2', 'av', 'numpy', 'OpenEXR', 'starlette', 'uvicorn', 'rich'}.intersection(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True, timeout=60)

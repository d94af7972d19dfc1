"""A worker that does no work: the name of the plate says how it behaves."""

import json
import os
import signal
import sys
import time
from pathlib import Path

PNG = b"\x89PNG\r\n\x1a\n" + b"picture"


def say(kind, **fields):
    sys.stdout.write(json.dumps({"kind": kind, **fields}) + "\n")
    sys.stdout.flush()


def finish(out):
    (out / "preview.png").write_bytes(PNG)
    say("preview", data={"file": str(out / "preview.png")})
    say("result", data={"layers": str(out / "layers.json")})


def main(folder):
    request = json.loads((folder / "request.json").read_text())
    out, plate = Path(request["out"]), Path(request["plate"]).name
    out.mkdir(parents=True, exist_ok=True)
    with (out / "runs.txt").open("a") as runs:
        runs.write(f"{os.getpid()} resume={request['resume']}\n")
    say("progress", message="Training", stage="train", fraction=0.25, seconds_left=9.0)
    if plate == "quick" or (request["resume"] and plate != "deaf"):
        finish(out)
    elif plate == "wait":
        sys.stdin.read()
        sys.exit(130)
    elif plate == "deaf":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        say("message", message="deaf now")
        time.sleep(60)
    elif plate == "wrong":
        say("error", message="clip.mp4: not a video", data={"advice": "Give a video file"})
        sys.exit(2)
    elif plate == "silent":
        sys.exit(3)
    elif plate == "empty":
        sys.exit(0)
    elif plate == "noisy":
        sys.stdout.write("hello\n[]\n" + "x" * 3_000_000 + "\n")
        say("state", data={"state": "failed"})
        say("progress", message="odd", fraction=float("nan"), seconds_left=-5)
        say("progress", stage="train", fraction=7)
        finish(out)


main(Path(sys.argv[-1]))

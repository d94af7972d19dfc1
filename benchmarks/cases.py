"""What goes wrong easily, one drawn scene each.

python -m benchmarks.cases --out DIR --score score.py [--case NAME ...]

Writes ``benchmarks/CASES.md``; cases measured before stay on it.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from backend.media.files import write_bytes
from benchmarks import report
from benchmarks.drawn_cases import CASES, write_case
from benchmarks.run import fresh, measure
from benchmarks.scenes import Scene

HERE = Path(__file__).parent
RECORD, PAGE = HERE / "cases.json", HERE / "CASES.md"
PRESET = "standard"
INTRODUCTION = """# What goes wrong easily

Written by `python -m benchmarks.cases`: scenes of figures made of capsules, of which everything is known exactly, at
320x192 and 24 frames, with the preset *standard*. The figures are those of [RESULTS.md](RESULTS.md). What is usual was
learned on drawings of the same kind, though not on these, so this page tells what breaks rather than how good it is.
"""


def main() -> None:
    """Draw what was asked for, measure it, write the page."""
    options = _options()
    record: dict[str, dict[str, Any]] = json.loads(RECORD.read_text()) if RECORD.is_file() else {}
    for name in options.case or CASES:
        write_case(name, fresh(options.out / name))
        scene = Scene(options.out / name)
        record[name] = measure(scene, options.out / f"{name}-{PRESET}", PRESET, options.score)
        write_bytes(RECORD, (json.dumps(record, indent=1, sort_keys=True) + "\n").encode())
        write_bytes(PAGE, _page(record).encode())


def _page(record: dict[str, dict[str, Any]]) -> str:
    names, shown = report.FIGURES, [case for case in CASES if case in record]
    lines = [INTRODUCTION, "| | " + " | ".join(names.values()) + " |", "|---" * (len(names) + 1) + "|"]
    for case in shown:
        score = record[case]["score"]
        figures = ("-" if score[key] is None else f"{score[key]:.{1 if key.endswith('psnr') else 3}f}" for key in names)
        lines.append(f"| {CASES[case].about} | " + " | ".join(figures) + " |")
    for case in shown:
        lines.append(f"\n{CASES[case].about.capitalize()}:\n\n![{case}](pictures/{case}-{PRESET}.jpg)")
    return "\n".join(lines) + "\n"


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="where scenes, layers and scores go")
    parser.add_argument("--score", type=Path, required=True, help="the scorer")
    parser.add_argument("--case", action="append", default=[], choices=list(CASES))
    return parser.parse_args()


if __name__ == "__main__":
    main()

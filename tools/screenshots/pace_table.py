"""What was measured of a window's pace, as the page benchmarks/UI.md.

python tools/screenshots/pace_table.py pace.json "what the machine was doing meanwhile"
"""

from __future__ import annotations

import json
import sys
from datetime import date
from pathlib import Path
from statistics import median
from typing import Any

PAGE = Path(__file__).resolve().parents[2] / "benchmarks" / "UI.md"
LIMIT = 0.1
"""Seconds that a window may stand still."""
HEAD = """# How long the window stands still

Written by `tools/screenshots/pace_table.py` from what `tools/screenshots/pace.py` measures in a window of Blender;
change those, not this page. A hand moves the mouse over the sidebar all the time. **Clock** is what passed,
**computing** what the main thread itself did of that; the rest it waited for a processor that other programs had.
Without a job and with a busy processor (as many endless loops as there are processors, at the backend's priority)
shows what is not ours.

    make pace BLENDER=path/to/blender

"""


def main(file: Path, circumstances: str) -> None:
    """Write the page."""
    told = json.loads(file.read_text(encoding="utf-8"))
    lines = [f"Measured {date.today()} with Blender {told['blender']}. {circumstances}", "", *beats(told["beats"])]
    lines += ["", "## What the add-on does on the main thread", "", *calls(told["calls"])]
    PAGE.write_text(HEAD + "\n".join(lines) + "\n", encoding="utf-8")


def beats(spans: list[dict[str, Any]]) -> list[str]:
    """A row for each stage: how far apart the window's beats were."""
    rows = ["## Between two beats of the window, by stage", ""]
    rows += row(
        "stage", "seconds", "beats", "middle, clock", "longest, clock", "longest, computing", "over 100 ms computing"
    )
    rows += row("---", *["---:"] * 6)
    for phase in dict.fromkeys(span["phase"] for span in spans):
        found = [span for span in spans if span["phase"] == phase]
        clock, thread = [span["wall"] for span in found], [span["thread"] for span in found]
        late = sum(value > LIMIT for value in thread)
        rows += row(phase, f"{sum(clock):.0f}", len(found), ms(median(clock)), ms(max(clock)), ms(max(thread)), late)
    return rows


def calls(entries: dict[str, list[dict[str, Any]]]) -> list[str]:
    """A row for each function that Blender calls, the one that took longest first."""
    rows = row("called by Blender", "calls", "middle, computing", "longest, computing", "longest, clock", "in stage")
    rows += row("---", *["---:"] * 4, "---")
    for name, spans in sorted(entries.items(), key=lambda item: -max(span["thread"] for span in item[1])):
        thread, worst = [span["thread"] for span in spans], max(spans, key=lambda span: span["thread"])
        longest = ms(max(span["wall"] for span in spans))
        rows += row(f"`{name}`", len(spans), ms(median(thread)), ms(max(thread)), longest, worst["phase"])
    return rows


def ms(seconds: float) -> str:
    """A time in thousandths of a second, as short as it is still told."""
    return f"{seconds * 1000:.0f} ms" if seconds >= 0.01 else f"{seconds * 1000:.1f} ms"


def row(*cells: object) -> list[str]:
    """One line of a table."""
    return [f"| {' | '.join(map(str, cells))} |"]


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])

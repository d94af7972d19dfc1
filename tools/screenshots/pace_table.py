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
NOTICEABLE = 0.0003
"""Seconds of computing below which a function is left out of the table."""
JOBS = ("people:", "decompose:", "retime_people.")
"""How the names of stages begin in which a job runs."""
HEAD = """# How long the window stands still

Written by `tools/screenshots/pace_table.py` from what `tools/screenshots/pace.py` measures in a window of Blender;
change those, not this page. A hand moves the mouse over the sidebar all the time. **Clock** is what passed,
**computing** what the main thread itself did of that; the rest it waited for a processor that other programs had.
Without a job the sidebar is drawn as often as with one; with a busy processor (as many endless loops as there are
processors, at the backend's priority) that shows what is not ours. There is no graphics card: a processor draws.

    GUI_PACE=pace.json blender --factory-startup --app-template Video_Editing --window-geometry 0 0 1600 900 \\
      --python tools/screenshots/pace.py
    python tools/screenshots/pace_table.py pace.json "what else the machine did"

"""


def main(file: Path, circumstances: str) -> None:
    """Write the page."""
    told = json.loads(file.read_text(encoding="utf-8"))
    lines = [f"Measured {date.today()} with Blender {told['blender']}. {circumstances}", "", *beats(told["beats"])]
    lines += ["", "## What the add-on does on the main thread", "", *calls(told["calls"])]
    PAGE.write_text(HEAD + "\n".join(lines) + "\n", encoding="utf-8")


def beats(spans: list[dict[str, Any]]) -> list[str]:
    """A row for each stage: how far apart the window's beats were; then what a job adds."""
    rows = ["## Between two beats of the window, by stage", ""]
    rows += row("stage", "seconds", "beats", "middle", "99 of 100", "longest", "longest, computing", "late, computing")
    rows += row("---", *["---:"] * 7)
    for phase in dict.fromkeys(span["phase"] for span in spans):
        found = [span for span in spans if span["phase"] == phase]
        clock, thread = sorted(span["wall"] for span in found), [span["thread"] for span in found]
        most = clock[round(0.99 * (len(clock) - 1))]
        late = sum(value > LIMIT for value in thread)
        times = ms(median(clock)), ms(most), ms(clock[-1]), ms(max(thread)), late
        rows += row(phase, f"{sum(clock):.0f}", len(found), *times)
    return [*rows, "", added(spans)]


def added(spans: list[dict[str, Any]]) -> str:
    """The longest beat with a job less the longest without one."""
    parts = []
    for key, name in (("wall", "by the clock"), ("thread", "computing")):
        without = max(span[key] for span in spans if span["phase"].startswith("no job"))
        job = max(span[key] for span in spans if span["phase"].startswith(JOBS))
        parts.append(f"{ms(job)} - {ms(without)} = **{ms(job - without)}** {name}")
    return f"Longest beat with a job less longest beat without one: {', '.join(parts)}."


def calls(entries: dict[str, list[dict[str, Any]]]) -> list[str]:
    """A row for each function that Blender calls and that ever took a noticeable time, the longest first."""
    rows = row("called by Blender", "calls", "middle, computing", "longest, computing", "longest, clock", "in stage")
    rows += row("---", *["---:"] * 4, "---")
    for name, spans in sorted(entries.items(), key=lambda item: -max(span["thread"] for span in item[1])):
        worst = max(spans, key=lambda span: span["thread"])
        if worst["thread"] < NOTICEABLE:
            break
        longest, middle = max(span["wall"] for span in spans), median(span["thread"] for span in spans)
        rows += row(f"`{name}`", len(spans), ms(middle), ms(worst["thread"]), ms(longest), worst["phase"])
    return rows


def ms(seconds: float) -> str:
    """A time in thousandths of a second, as short as it is still told."""
    return f"{seconds * 1000:.0f} ms" if seconds >= 0.01 else f"{seconds * 1000:.1f} ms"


def row(*cells: object) -> list[str]:
    """One line of a table."""
    return [f"| {' | '.join(map(str, cells))} |"]


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])

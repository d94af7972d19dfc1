"""Who stands in front of whom among those who were found: from the backend's file to each person, and back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

FILE, FORMAT = "order.json", "retime-people/order-1"
UNKNOWN = -1
"""The place of somebody of whom nothing is written."""


def read_depths(folder: Path) -> dict[str, str]:
    """The place of each person in the depth order, by name; empty when none is written or it can't be used.

    A place is written as ``"1:0 24:2"``: furthest back from frame 1 on, two places further to the front from frame 24.
    """
    try:
        data = json.loads((folder / FILE).read_text(encoding="utf-8"))
        if data["format"] != FORMAT:
            return {}
        places: dict[str, list[str]] = {}
        for entry in data["order"]:
            for rank, name in enumerate(entry["names"]):
                places.setdefault(str(name), []).append(f"{int(entry['first_frame'])}:{rank}")
    except (OSError, ValueError, KeyError, TypeError):
        return {}
    return {name: " ".join(words) for name, words in places.items()}


def rank_at(depth: str, frame: int) -> int:
    """Somebody's place in a frame, 0 for the furthest back; ``UNKNOWN`` for somebody without a place."""
    changes = _changes(depth)
    known = [rank for first, rank in changes if first <= frame]
    return known[-1] if known else changes[0][1] if changes else UNKNOWN


def write_depths(folder: Path, depths: Mapping[str, str]) -> None:
    """Write the places of people, by name, as the backend reads them; nothing when fewer than two have one."""
    known = {name: depth for name, depth in depths.items() if _changes(depth)}
    if len(known) < 2:
        return
    frames = sorted({first for depth in known.values() for first, _ in _changes(depth)})
    order = [
        {"first_frame": frame, "names": sorted(known, key=lambda name: rank_at(known[name], frame))} for frame in frames
    ]
    (folder / FILE).write_text(json.dumps({"format": FORMAT, "order": order}, indent=1), encoding="utf-8")


def _changes(depth: str) -> list[tuple[int, int]]:
    """The frames from which on a place holds, and the places."""
    pairs = [word.split(":") for word in depth.split()]
    return [(int(pair[0]), int(pair[1])) for pair in pairs if len(pair) == 2 and all(map(str.isdecimal, pair))]

"""Who stands in front of whom, as it is written beside masks: proposed by the finder, free to be changed."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TypeVar

from backend.errors import MaskError
from backend.media.files import reading, write_bytes

ORDER_NAME = "order.json"
ORDER_FORMAT = "retime-people/order-1"
T = TypeVar("T")


@dataclass(frozen=True)
class Standing:
    """One depth order, which holds from a frame on until the next one."""

    first_frame: int
    """Number of the frame, counted from 1."""
    names: tuple[str, ...]
    """Back to front; somebody who is left out stands where the masks say."""


Order = tuple[Standing, ...]


def read_order(folder: Path) -> Order:
    """The depth order in a folder of masks; empty when none is written there.

    Raises:
        MaskError: it is not such a list.
    """
    path = folder / ORDER_NAME
    if not path.exists():
        return ()
    with reading(path, MaskError):
        data = path.read_bytes()
    try:
        fields = json.loads(data)
        if fields["format"] != ORDER_FORMAT:
            raise ValueError("of another format")
        order = tuple(Standing(_number(entry["first_frame"]), _names(entry["names"])) for entry in fields["order"])
        if any(later.first_frame <= earlier.first_frame for earlier, later in pairwise(order)):
            raise ValueError("its frames do not ascend")
    except (ValueError, KeyError, TypeError) as error:
        raise MaskError(f"{path} is no depth order ({error})", "Mend it, or delete it") from error
    return order


def write_order(folder: Path, order: Sequence[Standing]) -> Path:
    """Write the order, whole or not at all; returns its path. Raises OutputError."""
    path = folder / ORDER_NAME
    fields = {"format": ORDER_FORMAT, "order": [dataclasses.asdict(standing) for standing in order]}
    write_bytes(path, json.dumps(fields, indent=1).encode())
    return path


def names_at(order: Sequence[Standing], frame: int) -> tuple[str, ...]:
    """Who is known to stand how in a frame, back to front."""
    if not order:
        return ()
    return next((standing.names for standing in reversed(order) if standing.first_frame <= frame), order[0].names)


def arranged(ranking: Sequence[T], wanted: Sequence[T]) -> list[T]:
    """A ranking in which those who are ``wanted`` in another order share their places in that order."""
    known = [name for name in wanted if name in ranking]
    turn = iter(known)
    return [next(turn) if name in known else name for name in ranking]


def shortened(order: Sequence[Standing]) -> Order:
    """The same without those that change nothing."""
    kept: list[Standing] = []
    for standing in order:
        if not kept or kept[-1].names != standing.names:
            kept.append(standing)
    return tuple(kept)


def _number(value: object) -> int:
    if type(value) is not int or value < 1:
        raise ValueError(f"{value!r} is no frame")
    return value


def _names(value: object) -> tuple[str, ...]:
    names = tuple(value) if isinstance(value, list) else ()
    if not names or any(type(name) is not str for name in names) or len(set(names)) < len(names):
        raise ValueError(f"{value!r} are no names")
    return names

"""What corrections mean for the depth order: somebody put further to the front, or people who become others."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

from backend.errors import InputError
from backend.media.depth_file import Order, Standing, arranged, names_at, shortened


def moved(order: Order, name: str, frame: int, step: int) -> Order:
    """The order with a person one place further to the front (``step`` 1) or back (-1) where ``frame`` lies.

    Raises:
        InputError: the person can't go further, or has no place in the order.
    """
    at = max((i for i, standing in enumerate(order) if standing.first_frame <= frame), default=0)
    names = list(order[at].names)
    if name not in names:
        raise InputError(f"{name} has no place in the depth order", "Find the people again")
    place = names.index(name)
    if not 0 <= place + step < len(names):
        raise InputError(f"{name} is {'in front' if step > 0 else 'at the back'} already", "Move somebody else")
    names[place], names[place + step] = names[place + step], name
    return shortened([*order[:at], dataclasses.replace(order[at], names=tuple(names)), *order[at + 1 :]])


def completed(order: Order, proposed: Order) -> Order:
    """The proposed order with those who had an order before in that one; newcomers stand where they are proposed."""
    if not order:
        return proposed
    frames = sorted({standing.first_frame for standing in (*order, *proposed)})
    return shortened([Standing(f, tuple(arranged(names_at(proposed, f), names_at(order, f)))) for f in frames])


def replaced(order: Order, changed: Mapping[str, Sequence[str]], since: int = 1) -> Order:
    """The order with people in the places of others, from a frame on; who becomes nobody is gone."""
    found: list[Standing] = []
    for standing, last in zip(order, [s.first_frame - 1 for s in order[1:]] + [None], strict=True):
        if standing.first_frame < since:
            found.append(standing)
        if last is None or last >= since:
            names = tuple(new for name in standing.names for new in changed.get(name, [name]))
            found.append(Standing(max(since, standing.first_frame), names))
    return shortened(found)

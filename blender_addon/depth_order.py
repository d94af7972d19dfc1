"""Who stands in front of whom, and for how long."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby


@dataclass(frozen=True)
class Stretch:
    """Some frames in a row during which a subject keeps its place in the depth order.

    ``first`` and ``last`` are indices of frames, 0-based and inclusive; rank 0 is the furthest back.
    """

    rank: int
    first: int
    last: int


def stretches(order: Sequence[Sequence[str]], subjects: Sequence[str]) -> dict[str, list[Stretch]]:
    """For each subject the stretches of constant depth that together cover every frame.

    Args:
        order: for each frame the names, back to front; names that are no subjects are passed over. A subject that is
            missing from a frame keeps the place it had, for a retimed person may be seen there.
        subjects: all names, back to front where nothing else is said.
    """
    return {name: _runs(_ranks(order, subjects, name)) for name in subjects}


def lanes(pieces: dict[str, list[Stretch]]) -> list[tuple[int, str]]:
    """The (rank, subject) pairs that need a channel of their own, back to front.

    A channel holds only one subject: pieces that are dragged along the timeline then never meet another person's.
    """
    position = {name: i for i, name in enumerate(pieces)}
    used = {(stretch.rank, name) for name, found in pieces.items() for stretch in found}
    return sorted(used, key=lambda lane: (lane[0], position[lane[1]]))


def _ranks(order: Sequence[Sequence[str]], subjects: Sequence[str], name: str) -> list[int]:
    known = [[n for n in names if n in subjects] for names in order]
    places = [names.index(name) if name in names else None for names in known]
    rank = next((place for place in places if place is not None), list(subjects).index(name))
    ranks = []
    for place in places:
        rank = rank if place is None else place
        ranks.append(rank)
    return ranks


def _runs(ranks: list[int]) -> list[Stretch]:
    runs = []
    first = 0
    for rank, group in groupby(ranks):
        length = len(list(group))
        runs.append(Stretch(rank, first, first + length - 1))
        first += length
    return runs

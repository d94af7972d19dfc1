"""Pairing two lists so that the pairs together cost least."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt


def assign(costs: npt.ArrayLike, limit: float) -> list[tuple[int, int]]:
    """The pairs (row, column) of least total cost among those that cost less than ``limit``.

    Leaving a row or column alone costs ``limit``; each is used once at most. Hungarian method with potentials.
    """
    given = np.asarray(costs, np.float64)
    if given.size == 0:
        return []
    rows, columns = given.shape
    # One stand-in partner for every row, so that nobody has to take a bad one.
    padded = np.hstack([np.minimum(given, limit), np.full((rows, rows), limit)])
    partner = _hungarian(padded)
    return [(row, column) for row, column in enumerate(partner) if column < columns and given[row, column] < limit]


def _hungarian(costs: npt.NDArray[np.float64]) -> list[int]:
    """The column of each row in the assignment of least cost; there are at least as many columns as rows."""
    rows, columns = costs.shape
    row_of = np.full(columns + 1, -1)
    u, v = np.zeros(rows), np.zeros(columns + 1)
    for row in range(rows):
        _augment(costs, row, row_of, u, v)
    partner = [0] * rows
    for column in range(columns):
        if row_of[column] >= 0:
            partner[row_of[column]] = column
    return partner


def _augment(
    costs: npt.NDArray[np.float64],
    row: int,
    row_of: npt.NDArray[np.int64],
    u: npt.NDArray[np.float64],
    v: npt.NDArray[np.float64],
) -> None:
    """Find a column for one more row along a cheapest chain of exchanges; the last column is the chain's start."""
    columns = costs.shape[1]
    least, came_from = np.full(columns, np.inf), np.full(columns, columns)
    used = np.zeros(columns + 1, bool)
    column = columns
    row_of[columns] = row
    while row_of[column] >= 0:
        used[column] = True
        here = row_of[column]
        reduced = costs[here] - u[here] - v[:columns]
        better = ~used[:columns] & (reduced < least)
        least[better], came_from[better] = reduced[better], column
        following = int(np.where(used[:columns], np.inf, least).argmin())
        step = least[following]
        reached = np.flatnonzero(used)
        u[row_of[reached]] += step
        v[reached] -= step
        least[~used[:columns]] -= step
        column = following
    while column != columns:
        row_of[column] = row_of[came_from[column]]
        column = int(came_from[column])
    row_of[columns] = -1

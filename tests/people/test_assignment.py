"""Pairs of least total cost."""

from __future__ import annotations

from itertools import permutations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from backend.people.assignment import assign


def cheapest(costs: np.ndarray, limit: float) -> float:
    """The least total, found by trying everything."""
    rows, columns = costs.shape
    padded = np.hstack([np.minimum(costs, limit), np.full((rows, rows), limit)])
    return min(sum(padded[r, c] for r, c in enumerate(order)) for order in permutations(range(columns + rows), rows))


@given(st.integers(1, 3), st.integers(1, 3), st.integers(0, 2**31), st.floats(0.1, 1.5))
def test_no_other_pairing_costs_less(rows: int, columns: int, seed: int, limit: float) -> None:
    costs = np.random.default_rng(seed).random((rows, columns))
    pairs = assign(costs, limit)
    total = sum(costs[pair] for pair in pairs) + limit * (rows - len(pairs))
    assert abs(total - cheapest(costs, limit)) < 1e-9
    assert len({r for r, _ in pairs}) == len({c for _, c in pairs}) == len(pairs)


def test_dear_pairs_stay_apart() -> None:
    assert assign([[5.0, 0.2], [np.inf, 0.1]], 1.0) in ([(0, 1)], [(1, 1)])
    assert assign(np.zeros((0, 3)), 1.0) == []

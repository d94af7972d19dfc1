from __future__ import annotations

import numpy as np
import pytest

from backend.core.boxes import box_of


@pytest.mark.parametrize(
    ("margin", "rows", "columns"), [(0, (2, 4), (3, 8)), (1, (1, 5), (2, 9)), (9, (0, 6), (0, 10))]
)
def test_a_box_holds_all_and_ends_with_the_picture(
    margin: int, rows: tuple[int, int], columns: tuple[int, int]
) -> None:
    flags = np.zeros((6, 10), bool)
    flags[2, 7] = flags[3, 3] = True
    assert box_of(flags, margin) == (slice(*rows), slice(*columns))


def test_where_nothing_is_the_box_is_empty() -> None:
    nothing = np.zeros((6, 10), bool)
    assert not nothing[box_of(nothing, 3)].size

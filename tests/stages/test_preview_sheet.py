"""The live preview is shown in a square, so its pictures lie in rows."""

from __future__ import annotations

import numpy as np
import pytest

from backend.stages.learn import as_sheet


@pytest.mark.parametrize(
    ("count", "size", "wanted"),
    [
        (4, (9, 16), (18, 32)),
        (3, (9, 16), (27, 16)),
        (5, (9, 16), (27, 32)),
        (4, (16, 9), (32, 27)),
        (1, (9, 16), (9, 16)),
    ],
)
def test_as_square_as_can_be(count, size, wanted):
    pictures = [np.full((*size, 3), number / 10, np.float32) for number in range(count)]
    sheet = as_sheet(pictures)
    assert sheet.shape == (*wanted, 3)
    assert [sheet.min(), sheet[0, 0, 0]] == [0, 0]
    if count == 5:
        assert (sheet[18:, 16:] == 1).all() and sheet[20, 2, 0] == np.float32(0.4)

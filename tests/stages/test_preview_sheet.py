"""The live preview is shown in a square, so its pictures lie in rows."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from backend.stages.learn import as_sheet, clearest_frame


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


def test_the_frame_in_which_nobody_covers_anybody_is_shown():
    masks = torch.zeros(3, 2, 4, 8)
    masks[:, 0, :, :4] = 1
    masks[0, 1, :, 2:6], masks[1, 1, :, 4:], masks[2, 1, :, 6:] = 1, 1, 1
    assert clearest_frame(SimpleNamespace(masks=masks)) == 1

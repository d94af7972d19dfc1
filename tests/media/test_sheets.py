"""Contact sheets show what they are given, in its place."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from backend.errors import OutputError
from backend.media.sheets import GAP, LABEL_HEIGHT, LABEL_WIDTH, Row, contact_sheet, on_checkerboard, write_sheet


def flat(value: float, height: int = 20, width: int = 40) -> np.ndarray:
    return np.full((height, width, 3), value, np.float32)


def test_pictures_stand_in_rows_and_columns() -> None:
    sheet = contact_sheet(["one", "two"], [Row("a", [flat(0.2), flat(0.4)]), Row("b", [flat(0.6), flat(1.2)])], 40)
    assert sheet.shape == (LABEL_HEIGHT + 2 * (20 + GAP), LABEL_WIDTH + 2 * (40 + GAP), 3)
    second_row, second_column = LABEL_HEIGHT + 20 + GAP, LABEL_WIDTH + 40 + GAP
    assert (sheet[LABEL_HEIGHT : LABEL_HEIGHT + 20, LABEL_WIDTH : LABEL_WIDTH + 40] == 51).all()
    assert (sheet[second_row : second_row + 20, second_column : second_column + 40] == 255).all()


def test_labels_leave_ink() -> None:
    sheet = contact_sheet(["frame 1"], [Row("anna", [flat(0)])], 40)
    assert sheet[:LABEL_HEIGHT, LABEL_WIDTH:].max() > 150
    assert sheet[LABEL_HEIGHT:, :LABEL_WIDTH].max() > 150


def test_pictures_are_scaled_to_the_width() -> None:
    sheet = contact_sheet([""], [Row("", [flat(1, 100, 200)])], 50)
    assert (sheet[LABEL_HEIGHT : LABEL_HEIGHT + 25, LABEL_WIDTH : LABEL_WIDTH + 50] == 255).all()


def test_a_checkerboard_shows_through_where_nothing_is() -> None:
    layer = np.zeros((32, 32, 4), np.float32)
    layer[:16] = (0.1, 0.2, 0.3, 1)
    shown = on_checkerboard(layer)
    np.testing.assert_allclose(shown[:16], np.broadcast_to(np.float32([0.1, 0.2, 0.3]), (16, 32, 3)))
    assert len(np.unique(shown[16:])) == 2


@pytest.mark.parametrize("suffix", [".png", ".jpg"])
def test_a_sheet_is_written_in_its_colours(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / "sheets" / f"sheet{suffix}"
    write_sheet(path, np.full((32, 32, 3), (200, 100, 50), np.uint8))
    read = cv2.imread(str(path))
    assert np.abs(read.astype(int) - (50, 100, 200)).max() <= 3
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_a_folder_in_the_way_is_told(tmp_path: Path) -> None:
    (tmp_path / "sheet.png").mkdir()
    with pytest.raises(OutputError, match=r"sheet\.png"):
        write_sheet(tmp_path / "sheet.png", np.zeros((4, 4, 3), np.uint8))

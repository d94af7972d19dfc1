from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from backend.errors import MaskError
from backend.media.charts import open_charts
from backend.media.plates import PlateInfo
from tests.samples import write_image

WIDTH, HEIGHT, FRAMES = 20, 12, 3
PLATE = PlateInfo(Path("clip.mp4"), WIDTH, HEIGHT, Fraction(24), 1, FRAMES)


def charts(part: int = 3) -> np.ndarray:
    """A body with one part: part, U, V."""
    picture = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    picture[2:8, 4:9] = (part, 100, 200)
    return picture


def write(folder: Path, name: str, part: int = 3, count: int = FRAMES) -> None:
    for number in range(1, count + 1):
        write_image(folder / name / f"{number:04d}.png", charts(part))


def test_parts_and_places_come_back(tmp_path: Path) -> None:
    write(tmp_path, "anna")
    write(tmp_path, "bo", 24)
    folder = open_charts(tmp_path, PLATE)
    assert folder.names == ("anna", "bo")
    frame = folder.frame(1)
    assert frame.shape == (2, HEIGHT, WIDTH, 3)
    assert frame[0, 3, 5].tolist() == [3, 100, 200] and frame[1, 3, 5, 0] == 24 and not frame[:, 0].any()


def test_charts_are_masks_as_well(tmp_path: Path) -> None:
    write(tmp_path, "anna")
    mask = open_charts(tmp_path, PLATE).masks().frame(2)
    assert mask.shape == (1, HEIGHT, WIDTH) and mask[0, 2:8, 4:9].min() == 1 and mask.sum() == 30


def test_the_order_of_the_masks_is_kept(tmp_path: Path) -> None:
    write(tmp_path, "anna")
    write(tmp_path, "bo", 24)
    assert open_charts(tmp_path, PLATE, ("bo",)).frame(0)[0, 3, 5, 0] == 24


@pytest.mark.parametrize(
    ("name", "part", "count", "wanted", "told"),
    [
        ("anna", 25, FRAMES, (), "has the part 25"),
        ("anna", 0, FRAMES, (), "All charts of anna are empty"),
        ("anna", 1, FRAMES - 1, (), "2 masks for 3 frames"),
        ("anna", 1, FRAMES, ("bo",), "no charts of bo"),
    ],
)
def test_what_is_wrong_is_named(
    tmp_path: Path, name: str, part: int, count: int, wanted: tuple[str, ...], told: str
) -> None:
    write(tmp_path, name, part, count)
    with pytest.raises(MaskError, match=told):
        open_charts(tmp_path, PLATE, wanted)


def test_a_grey_mask_is_no_chart(tmp_path: Path) -> None:
    write(tmp_path, "anna")
    write_image(tmp_path / "anna" / "0002.png", np.zeros((HEIGHT, WIDTH), np.uint8))
    with pytest.raises(MaskError, match=r"0002.png holds no charts"):
        open_charts(tmp_path, PLATE)

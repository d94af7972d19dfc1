"""A layer set of three tiny pictures, kept as it was first written: old layer sets must stay readable, unchanged."""

from __future__ import annotations

import json
import shutil
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import OpenEXR
import pytest

from backend.core.composite import composite
from backend.media.exr import read_exr
from backend.media.layer_set import LayerEntry, LayerSetInfo, LayerSetWriter, open_layers

HERE = Path(__file__).parent
SET = HERE / "layers"
# (layer, x, y) of the pixels in the table of values: opaque, half covered, empty, bright, negative.
PIXELS = [
    ("background", 3, 3),
    ("anna", 4, 4),
    ("anna", 8, 8),
    ("anna", 0, 0),
    ("residual", 0, 0),
    ("residual", 15, 11),
]
TOLERANCE = 5e-4


def write(folder: Path) -> None:
    height, width = 12, 16
    rows, columns = np.mgrid[0:height, 0:width].astype(np.float32)
    background = np.stack([columns / 15, rows / 11, np.full_like(rows, 0.25)], axis=2)
    color = np.broadcast_to(np.array([0.5, 0.25, 1.0], np.float32), (height, width, 3))
    alpha = np.zeros((height, width), np.float32)
    alpha[2:10, 2:10] = 0.5
    alpha[4:7, 4:7] = 1
    residual = np.repeat(((columns - 7.5) / 75)[..., None], 3, axis=2)
    writer = LayerSetWriter(folder)
    writer.write_background(1, background)
    writer.write_layer("anna", 1, color, alpha)
    writer.write_residual(1, residual)
    layers = (LayerEntry.of("background", "background"), LayerEntry.of("anna"), LayerEntry.of("residual", "residual"))
    order = (("background", "anna"),)
    writer.finish(LayerSetInfo("golden.mp4", width, height, Fraction(24), 1, 1, layers, order, version="0.1.0"))


def table(folder: Path) -> list[dict[str, object]]:
    return [
        {"layer": layer, "x": x, "y": y, "rgba": read_exr(folder / layer / "0001.exr")[y, x].astype(float).tolist()}
        for layer, x, y in PIXELS
    ]


@pytest.fixture(autouse=True)
def make_anew(remake: bool) -> None:
    if remake:
        shutil.rmtree(SET, ignore_errors=True)
        write(SET)
        (HERE / "values.json").write_text(json.dumps(table(SET), indent=1) + "\n")


def test_the_reference_holds_the_values_of_its_table() -> None:
    for entry, wanted in zip(table(SET), json.loads((HERE / "values.json").read_text()), strict=True):
        assert entry == wanted


def test_the_table_is_right_by_hand() -> None:
    values = {(entry["layer"], entry["x"], entry["y"]): entry["rgba"] for entry in table(SET)}
    # 0.5 in display space is 0.2140 in linear light, 0.25 is 0.0509; half covered, half of it.
    assert values["anna", 4, 4] == pytest.approx([0.21404, 0.05088, 1.0, 1.0], abs=TOLERANCE)
    assert values["anna", 8, 8] == pytest.approx([0.10702, 0.02544, 0.5, 0.5], abs=TOLERANCE)
    assert values["anna", 0, 0] == [0, 0, 0, 0]
    # The residual of -0.1 lies on the line: -0.1 / 12.92.
    assert values["residual", 0, 0] == pytest.approx([-0.00774] * 3 + [1], abs=TOLERANCE)
    assert values["residual", 15, 11] == pytest.approx([0.01002] * 3 + [1], abs=TOLERANCE)


@pytest.mark.parametrize("layer", ["background", "anna", "residual"])
def test_files_are_half_rgba_with_zip(layer: str) -> None:
    with OpenEXR.File(str(SET / layer / "0001.exr"), separate_channels=True) as file:
        assert file.header()["compression"] == OpenEXR.ZIP_COMPRESSION
        assert {name: channel.pixels.dtype for name, channel in file.channels().items()} == dict.fromkeys(
            "RGBA", np.float16
        )


@pytest.mark.parametrize("layer", ["background", "anna", "residual"])
def test_todays_writer_makes_the_same_pictures(tmp_path: Path, layer: str) -> None:
    write(tmp_path / "layers")
    found, wanted = (read_exr(folder / layer / "0001.exr") for folder in (tmp_path / "layers", SET))
    difference = np.abs(found - wanted)
    if difference.max() > TOLERANCE:
        picture = tmp_path / f"difference_{layer}.png"
        cv2.imwrite(str(picture), np.clip(difference[..., 2::-1] * 255 * 50, 0, 255).astype(np.uint8))
        pytest.fail(f"{layer} is off by {difference.max():.5f}; see {picture}")


def test_todays_description_is_the_same(tmp_path: Path) -> None:
    write(tmp_path)
    assert json.loads((tmp_path / "layers.json").read_text()) == json.loads((SET / "layers.json").read_text())


def test_todays_reader_puts_it_together() -> None:
    reader = open_layers(SET)
    picture = composite(reader.background(1), [reader.layer("anna", 1)]) + reader.residual(1)
    residual = (8 - 7.5) / 75
    expected = 0.5 * np.array([0.5, 0.25, 1.0]) + 0.5 * np.array([8 / 15, 8 / 11, 0.25]) + residual
    np.testing.assert_allclose(picture[8, 8], expected, atol=TOLERANCE)

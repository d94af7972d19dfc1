"""One layer at other times, written as a sequence of pictures that says what it was made from."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from backend.core.timing import InvalidMap, Times, check_map
from backend.errors import InputError, SettingError
from backend.media.exr import write_exr
from backend.media.files import write_bytes
from backend.media.layer_set import LayerReader, open_layers
from backend.media.pictures import check_new_folder, new_folder
from backend.media.retiming import check_layer, read_map
from backend.media.slow_motion import LayerInTime, open_spans
from backend.protocol import VERSION, DecomposeRequest, Event
from backend.stages.progress import Progress

INFO_NAME = "retimed.json"
FORMAT = "retime-people/retimed-1"
_STAGE = "Making Pictures in Between"
_MOST_DEGREES = 360.0

Report = Callable[[Event], None]


@dataclass(frozen=True)
class Order:
    """Which layer, at which source times, and for how many source frames the shutter is open at each."""

    layer: str
    times: Times
    spans: npt.NDArray[np.float64]


def retime(
    layers: Path, name: str, map_file: Path, out: Path, shutter: float, report: Report, cancelled: Callable[[], bool]
) -> Path:
    """Write a layer at the times of a map, one EXR per entry from 0001 on, into a new folder; returns the folder.

    Args:
        layers: a finished layer set.
        name: of a person's layer, or ``background``.
        map_file: see ``media.retiming.read_map``.
        out: a folder that is new or empty.
        shutter: 0..360 degrees; stretches that go by faster than they were filmed are blurred for so long.
        report: takes the progress.
        cancelled: tells when to stop.

    Raises:
        InputError, LayerSetError, SettingError: the map, the set or the shutter is not as it must be.
        Cancelled, OutputError: nothing is left in the folder then.
    """
    check_new_folder(out)
    if not 0 <= shutter <= _MOST_DEGREES:
        raise SettingError(f"The shutter is {shutter:g} degrees", f"Give 0 to {_MOST_DEGREES:g}")
    reader = open_layers(layers)
    check_layer(reader.info, name)
    times = read_map(map_file, reader.info)
    return _write(reader, Order(name, times, open_spans(times, shutter)), out, report, cancelled)


def retime_job(request: DecomposeRequest, report: Report, cancelled: Callable[[], bool]) -> Path:
    """Do the same for a job: ``plate`` is the layer set, ``hints`` the order, a JSON file.

    The order is ``{"layer": name, "times": [source frames], "spans": [source frames]}``.

    Returns:
        The path of the description, which is written last.

    Raises:
        As ``retime``.
    """
    out = Path(request.out)
    if request.resume and (out / INFO_NAME).is_file():
        return out / INFO_NAME
    check_new_folder(out)
    reader = open_layers(Path(request.plate))
    return _write(reader, _read_order(Path(request.hints), reader), out, report, cancelled) / INFO_NAME


def _write(reader: LayerReader, order: Order, out: Path, report: Report, cancelled: Callable[[], bool]) -> Path:
    layer = LayerInTime(reader, order.layer)
    progress = Progress(
        report, cancelled, {_STAGE: 1.0}, "Retiming was cancelled", "What was begun is gone; start again"
    )
    with new_folder(out):
        for index, (time, span) in enumerate(zip(order.times.tolist(), order.spans.tolist(), strict=True)):
            progress.tell(_STAGE, index / len(order.times))
            write_exr(out / f"{index + 1:04d}.exr", layer.blurred(time, span))
        progress.tell(_STAGE, 1.0)
        write_bytes(out / INFO_NAME, (json.dumps(_description(reader, order), indent=1) + "\n").encode())
    return out


def _description(reader: LayerReader, order: Order) -> dict[str, Any]:
    info = reader.info
    return {
        "format": FORMAT,
        "layers": str(reader.folder),
        "layer": order.layer,
        "map": order.times.tolist(),
        "spans": order.spans.tolist(),
        "width": info.width,
        "height": info.height,
        "fps": [info.fps.numerator, info.fps.denominator],
        "version": VERSION,
    }


def _read_order(path: Path, reader: LayerReader) -> Order:
    advice = "Bake again"
    try:
        data = json.loads(path.read_bytes())
        name, spans = data["layer"], data.get("spans") or [0.0] * len(data["times"])
        times = check_map(data["times"], reader.info.first_frame, reader.info.last_frame)
        opened = check_map(spans, 0, reader.info.frames)
    except InvalidMap as error:
        raise InputError(f"The order {path} can't be followed: {error}", advice) from error
    except (OSError, ValueError, TypeError, KeyError, RecursionError) as error:
        raise InputError(f"The order {path} can't be read", advice) from error
    check_layer(reader.info, str(name))
    if len(opened) != len(times):
        raise InputError(f"The order {path} has {len(times)} times and {len(opened)} spans", advice)
    return Order(str(name), times, opened)

"""A finished set of layers put together again, at the original timing or at another one."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from backend.core.color import Floats
from backend.core.composite import composite
from backend.core.timing import InvalidMap, Times, camera_between, carry, check_map, identity_map
from backend.errors import InputError, LayerSetError
from backend.media.layer_set import BACKGROUND, LayerReader, LayerSetInfo
from backend.media.slow_motion import LayerInTime


def read_map(path: Path, info: LayerSetInfo) -> Times:
    """Read a frame map: a JSON list of source frames, one for each output frame.

    Raises:
        InputError: missing, not JSON, or not a list of numbers within the frames of the layer set.
    """
    advice = f"Give a JSON list of source frames from {info.first_frame} to {info.last_frame}, one per output frame"
    try:
        return check_map(json.loads(path.read_bytes()), info.first_frame, info.last_frame)
    except FileNotFoundError as error:
        raise InputError(f"The map {path} doesn't exist", advice) from error
    except InvalidMap as error:
        raise InputError(f"The map {path} can't be used: {error}", advice) from error
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"The map {path} can't be read as JSON", advice) from error


def check_layer(info: LayerSetInfo, name: str) -> None:
    """Make sure that the set has a person of that name, or that it is the background.

    Raises:
        LayerSetError: naming what there is.
    """
    if name != BACKGROUND:
        check_subject(info, name)


def check_subject(info: LayerSetInfo, name: str) -> None:
    """Make sure that the set has a person of that name.

    Raises:
        LayerSetError: naming the people there are.
    """
    if name not in info.subjects:
        raise LayerSetError(f"There is no layer {name!r} to retime", f"Choose one of {', '.join(info.subjects)}")


class Recomposite:
    """The composited frames of a layer set, each (H, W, 3) display values that may leave 0..1 a little.

    ``maps`` holds for each retimed subject the source frame of each output frame. Everything else keeps its own
    time and holds its last frame where the maps are longer than the clip.
    The residual is added only where nothing is retimed, as it is true only there.
    """

    def __init__(self, reader: LayerReader, maps: Mapping[str, Times]) -> None:
        info = reader.info
        for name in maps:
            check_subject(info, name)
        original = identity_map(info.first_frame, info.last_frame)
        self._reader = reader
        self._maps = {name: times for name, times in maps.items() if not np.array_equal(times, original)}
        self._moving = {name: LayerInTime(reader, name) for name in self._maps}
        self.frames = _common_length({name: len(times) for name, times in maps.items()}, info.frames)

    def __len__(self) -> int:
        return self.frames

    def __iter__(self) -> Iterator[Floats]:
        return (self._frame(index) for index in range(self.frames))

    def _frame(self, index: int) -> Floats:
        info = self._reader.info
        number = min(info.first_frame + index, info.last_frame)
        layers = (self._layer(name, index, number) for name in info.back_to_front(number))
        picture = composite(self._reader.background(number), layers)
        if info.has_residual and not self._maps:
            picture = picture + self._reader.residual(number)
        return picture

    def _layer(self, name: str, index: int, number: int) -> Floats:
        if name not in self._maps:
            return self._reader.layer(name, number)
        time = float(self._maps[name][index])
        layer = self._moving[name].display(time)
        camera = self._reader.info.camera
        if camera.kind == "static":
            return layer
        first = self._reader.info.first_frame
        return carry(layer, camera_between(camera.to_canvas, time - first), camera.to_canvas[number - first])


def _common_length(lengths: Mapping[str, int], default: int) -> int:
    if len(set(lengths.values())) > 1:
        told = ", ".join(f"{name} {length}" for name, length in lengths.items())
        raise InputError(f"The maps have different lengths ({told})", "Give maps with one entry per output frame")
    return next(iter(lengths.values()), default)

"""What a finished layer set on disk holds, checked before anything in Blender is touched."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FORMAT = "retime-people/1"
ROLES = ("background", "subject", "residual")


class LayerSetProblem(Exception):
    """A layer set that cannot be used; the text is one sentence with the remedy."""


@dataclass(frozen=True)
class Layer:
    """One layer: a file for each frame."""

    name: str
    role: str
    files: str
    """Path below the folder of the set, with the number of the frame as in ``anna/%04d.exr``."""

    def file(self, frame: int) -> str:
        """The path of one frame (1-based number of the plate's frame) below the folder of the set."""
        return self.files % frame


@dataclass(frozen=True)
class LayerSet:
    """A layer set as layers.json tells it. Frame numbers are those of the plate, counted from 1."""

    folder: Path
    plate: str
    width: int
    height: int
    first_frame: int
    frames: int
    layers: tuple[Layer, ...]
    order: tuple[tuple[str, ...], ...]
    """For each frame the names of the subjects, back to front."""

    @property
    def numbers(self) -> range:
        """The numbers of the frames."""
        return range(self.first_frame, self.first_frame + self.frames)

    def with_role(self, role: str) -> list[Layer]:
        """The layers of one role, in the order of the file."""
        return [layer for layer in self.layers if layer.role == role]


def read_layer_set(path: Path) -> LayerSet:
    """Read and check a layer set, given its layers.json or its folder.

    Raises:
        LayerSetProblem: naming the file or the layer, and what to do.
    """
    layer_set = read_description(path)
    for layer in layer_set.layers:
        check_files(layer_set, layer)
    return layer_set


def read_description(path: Path) -> LayerSet:
    """Read layers.json alone; whether the files are there is to be seen by check_files(). Raises LayerSetProblem."""
    path = path / "layers.json" if path.is_dir() else path
    return _parse(path, _load_json(path))


def file_name(file: str) -> str:
    """The last part of a path as layers.json writes it."""
    return file.rsplit("/", 1)[-1]


def _load_json(path: Path) -> dict[str, Any]:
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        sentence = f"{path} can't be read ({error.strerror}); choose the layers.json of a finished job"
        raise LayerSetProblem(sentence) from error
    except ValueError as error:
        raise LayerSetProblem(f"{path} is damaged ({error}); decompose the shot again") from None
    if not isinstance(data, dict) or data.get("format") != FORMAT:
        raise LayerSetProblem(f"{path} is not a layer set of this version ({FORMAT}); choose a layers.json of ours")
    return data


def _parse(path: Path, data: dict[str, Any]) -> LayerSet:
    try:
        layers = tuple(Layer(str(x["name"]), str(x["role"]), str(x["files"])) for x in data["layers"])
        layer_set = LayerSet(
            folder=path.parent.resolve(),
            plate=str(data.get("plate", "")),
            width=int(data["width"]),
            height=int(data["height"]),
            first_frame=int(data["first_frame"]),
            frames=int(data["frames"]),
            layers=layers,
            order=tuple(tuple(str(name) for name in names) for names in data["order"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise LayerSetProblem(f"{path} is damaged ({error!r}); decompose the shot again") from None
    _check_layers(path, layer_set)
    return layer_set


def _check_layers(path: Path, layer_set: LayerSet) -> None:
    names = [layer.name for layer in layer_set.layers]
    unknown = [layer.role for layer in layer_set.layers if layer.role not in ROLES]
    complaint = ""
    if unknown:
        complaint = f"has a layer of the unknown kind {unknown[0]!r}"
    elif len(layer_set.with_role("background")) != 1:
        complaint = "has no background"
    elif len(set(names)) != len(names):
        complaint = "has two layers of the same name"
    elif layer_set.frames < 2:
        complaint = "has fewer than two frames, which cannot be retimed"
    elif len(layer_set.order) != layer_set.frames:
        complaint = f"has an order for {len(layer_set.order)} of {layer_set.frames} frames"
    elif any(not _inside(layer) for layer in layer_set.layers):
        complaint = "names files outside its folder"
    if complaint:
        raise LayerSetProblem(f"{path} {complaint}; decompose the shot again")


def _inside(layer: Layer) -> bool:
    try:
        file = Path(layer.file(1))
    except (TypeError, ValueError):
        return False
    return not file.is_absolute() and ".." not in file.parts and layer.file(1) != layer.file(2)


def check_files(layer_set: LayerSet, layer: Layer) -> None:
    """See that all files of a layer are there; raises LayerSetProblem."""
    # The folder is read once, because to ask for each of thousands of files would be felt in the window.
    files = [layer.file(n) for n in layer_set.numbers]
    folder = layer_set.folder / Path(files[0]).parent
    present = {path.name for path in folder.iterdir()} if folder.is_dir() else set()
    missing = [file for file in files if file_name(file) not in present]
    if missing:
        count = f"{len(missing)} of {layer_set.frames} files are missing"
        raise LayerSetProblem(
            f'Layer "{layer.name}": {count} in {layer_set.folder}, first {missing[0]}; '
            "restore the folder or decompose the shot again"
        )

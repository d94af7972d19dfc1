"""What a finished set of layers says about itself in ``layers.json``."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, TypeVar

from backend.protocol import FORMAT, VERSION

ROLES = ("background", "subject", "residual")
BACKGROUND = "background"
RESIDUAL = "residual"
COVERAGE = "coverage"
COVERAGE_FILES = f"{COVERAGE}/%04d.png"
_CAMERA_KINDS = ("static", "homography")

Matrix = tuple[tuple[float, float, float], tuple[float, float, float], tuple[float, float, float]]
T = TypeVar("T")


class InvalidLayers(ValueError):
    """The description of a layer set contradicts the format; the text names the entry."""


@dataclass(frozen=True)
class LayerEntry:
    """One layer: its name, its role and the pattern of its files, such as ``anna/%04d.exr``."""

    name: str
    role: str
    files: str

    @classmethod
    def of(cls, name: str, role: str = "subject") -> LayerEntry:
        """The entry for a layer whose folder is named as the layer."""
        return cls(name, role, f"{name}/%04d.exr")


@dataclass(frozen=True)
class CameraEntry:
    """How the camera moves: per used frame a 3x3 homography from the plate to the canvas, in pixels."""

    kind: str = "static"
    to_canvas: tuple[Matrix, ...] = ()

    @classmethod
    def of(cls, to_canvas: Iterable[Iterable[Iterable[float]]]) -> CameraEntry:
        """A moving camera from its (T, 3, 3) homographies."""
        return cls("homography", _matrices([[[float(v) for v in row] for row in m] for m in to_canvas]))


@dataclass(frozen=True)
class LayerSetInfo:
    """Everything ``layers.json`` holds.

    ``order`` has, for each frame, the names of the background and the subjects from back to front; a subject that
    isn't in the picture may be left out, and so may the background, which is always furthest back.
    """

    plate: str
    width: int
    height: int
    fps: Fraction
    first_frame: int
    frames: int
    layers: tuple[LayerEntry, ...]
    order: tuple[tuple[str, ...], ...]
    camera: CameraEntry = field(default_factory=CameraEntry)
    settings: dict[str, Any] = field(default_factory=dict)
    metrics: dict[str, Any] = field(default_factory=dict)
    observed: float | None = None
    """Share (0..1) of the background that some frame shows; None where there are no coverage maps."""
    version: str = VERSION

    def __post_init__(self) -> None:
        _check_numbers(self)
        _check_layers(self)
        _check_order(self)
        _check_camera(self)

    @property
    def last_frame(self) -> int:
        """Number of the last frame, inclusive."""
        return self.first_frame + self.frames - 1

    @property
    def subjects(self) -> tuple[str, ...]:
        """Names of the layers that can be retimed."""
        return tuple(layer.name for layer in self.layers if layer.role == "subject")

    @property
    def has_residual(self) -> bool:
        """True when the set has what no layer explains."""
        return any(layer.role == RESIDUAL for layer in self.layers)

    def back_to_front(self, frame_number: int) -> tuple[str, ...]:
        """The subjects of one frame, furthest back first."""
        return tuple(name for name in self.order[frame_number - self.first_frame] if name != BACKGROUND)

    def to_json(self) -> dict[str, Any]:
        """The content of ``layers.json``."""
        return {
            "format": FORMAT,
            "plate": self.plate,
            "width": self.width,
            "height": self.height,
            "fps": [self.fps.numerator, self.fps.denominator],
            "first_frame": self.first_frame,
            "frames": self.frames,
            "layers": [{"name": layer.name, "role": layer.role, "files": layer.files} for layer in self.layers],
            "order": [list(names) for names in self.order],
            "camera": {
                "kind": self.camera.kind,
                "to_canvas": [[list(row) for row in m] for m in self.camera.to_canvas],
            },
            "settings": self.settings,
            "metrics": {name: _json_number(value) for name, value in self.metrics.items()},
            **({} if self.observed is None else {"coverage": {"files": COVERAGE_FILES, "observed": self.observed}}),
            "version": self.version,
        }

    @classmethod
    def from_json(cls, data: Any) -> LayerSetInfo:
        """Read the content of ``layers.json``; unknown entries are ignored.

        Raises:
            InvalidLayers: another format, or an entry that is missing, of the wrong type, or contradicts another.
        """
        if not isinstance(data, dict) or data.get("format") != FORMAT:
            found = data.get("format") if isinstance(data, dict) else None
            raise InvalidLayers(f"its format is {found!r}, not {FORMAT!r}")
        camera = _entry(data, "camera", dict)
        return cls(
            plate=_entry(data, "plate", str),
            width=_entry(data, "width", int),
            height=_entry(data, "height", int),
            fps=_read("fps", lambda: _fraction(_entry(data, "fps", list))),
            first_frame=_entry(data, "first_frame", int),
            frames=_entry(data, "frames", int),
            layers=tuple(_layer(entry) for entry in _entry(data, "layers", list)),
            order=_read("order", lambda: _names(_entry(data, "order", list))),
            camera=CameraEntry(
                _entry(camera, "kind", str), _read("camera", lambda: _matrices(camera.get("to_canvas") or []))
            ),
            settings=_entry(data, "settings", dict),
            metrics=_entry(data, "metrics", dict),
            observed=_entry(_entry(data, COVERAGE, dict), "observed", float) if COVERAGE in data else None,
            version=_entry(data, "version", str),
        )


def _json_number(value: Any) -> Any:
    """JSON has no infinities: a perfect PSNR must not cost the description."""
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _entry(data: dict[str, Any], name: str, wanted: type[T]) -> T:
    value = data.get(name)
    if type(value) is not wanted:
        raise InvalidLayers(f"its entry {name!r} is missing or not of type {wanted.__name__}")
    return value


def _read(name: str, read: Callable[[], T]) -> T:
    try:
        return read()
    except InvalidLayers:
        raise
    except (TypeError, ValueError, ArithmeticError) as error:
        raise InvalidLayers(f"its entry {name!r} can't be read") from error


def _fraction(pair: list[Any]) -> Fraction:
    numerator, denominator = pair
    return Fraction(int(numerator), int(denominator))


def _layer(entry: Any) -> LayerEntry:
    if not isinstance(entry, dict):
        raise InvalidLayers("its entry 'layers' holds something that is no layer")
    return LayerEntry(_entry(entry, "name", str), _entry(entry, "role", str), _entry(entry, "files", str))


def _names(lists: list[Any]) -> tuple[tuple[str, ...], ...]:
    if not all(isinstance(names, list) and all(isinstance(name, str) for name in names) for names in lists):
        raise ValueError
    return tuple(tuple(names) for names in lists)


def _matrices(values: list[Any]) -> tuple[Matrix, ...]:
    matrices = []
    for rows in values:
        numbers = [[float(number) for number in row] for row in rows]
        if [len(row) for row in numbers] != [3, 3, 3]:
            raise ValueError
        first, second, third = ((row[0], row[1], row[2]) for row in numbers)
        matrices.append((first, second, third))
    return tuple(matrices)


def _check_numbers(info: LayerSetInfo) -> None:
    for name, least in (("width", 1), ("height", 1), ("first_frame", 1), ("frames", 1)):
        if getattr(info, name) < least:
            raise InvalidLayers(f"its entry {name!r} is {getattr(info, name)}; the least possible is {least}")
    if info.observed is not None and not 0 <= info.observed <= 1:
        raise InvalidLayers(f"its coverage is {info.observed}, which is no share of the background")
    if info.fps <= 0:
        raise InvalidLayers(f"its entry 'fps' is {info.fps}, which is no frame rate")


def _check_layers(info: LayerSetInfo) -> None:
    names = [layer.name for layer in info.layers]
    if len(set(names)) != len(names):
        raise InvalidLayers("two of its layers have the same name")
    for layer in info.layers:
        if layer.role not in ROLES:
            raise InvalidLayers(f"layer {layer.name!r} has the unknown role {layer.role!r}")
        if layer.files != LayerEntry.of(layer.name).files or "/" in layer.name or layer.name in ("", ".", ".."):
            # The pattern is a format string and a path: nothing but the one we write is followed.
            raise InvalidLayers(f"layer {layer.name!r} has the files {layer.files!r}, not 'NAME/%04d.exr'")
    if [layer.name for layer in info.layers if layer.role == BACKGROUND] != [BACKGROUND]:
        raise InvalidLayers("it must have exactly one background, named 'background'")
    if [layer.name for layer in info.layers if layer.role == RESIDUAL] not in ([], [RESIDUAL]):
        raise InvalidLayers("its residual must be named 'residual'")


def _check_order(info: LayerSetInfo) -> None:
    if len(info.order) != info.frames:
        raise InvalidLayers(f"its entry 'order' has {len(info.order)} lists for {info.frames} frames")
    known = {*info.subjects, BACKGROUND}
    for number, names in enumerate(info.order, info.first_frame):
        if not known.issuperset(names) or len(set(names)) != len(names):
            raise InvalidLayers(f"its order of frame {number} names a layer twice, or one that it doesn't have")
        if BACKGROUND in names[1:]:
            raise InvalidLayers(f"its order of frame {number} has the background in front of somebody")


def _check_camera(info: LayerSetInfo) -> None:
    camera = info.camera
    if camera.kind not in _CAMERA_KINDS:
        raise InvalidLayers(f"its camera is {camera.kind!r}; known are {', '.join(_CAMERA_KINDS)}")
    if camera.kind == "homography" and len(camera.to_canvas) != info.frames:
        raise InvalidLayers(f"its camera has {len(camera.to_canvas)} homographies for {info.frames} frames")
    if not all(math.isfinite(number) for matrix in camera.to_canvas for row in matrix for number in row):
        raise InvalidLayers("its camera holds a value that is not a number")

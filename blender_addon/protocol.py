"""What the programs of this project say to each other: settings, requests, events, job states.

Standard library only. The extension ships a byte-for-byte copy (``make protocol``), so nothing here may
import torch, pydantic or bpy.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

VERSION = "0.1.0"
FORMAT = "retime-people/1"


class JobState(StrEnum):
    """Where a job stands; the last three are final (a cancelled or failed job may be resumed)."""

    QUEUED = "queued"
    RUNNING = "running"
    FINISHED = "finished"
    CANCELLED = "cancelled"
    FAILED = "failed"

    @property
    def final(self) -> bool:
        """True when the job will not change by itself any more."""
        return self not in (JobState.QUEUED, JobState.RUNNING)


class EventKind(StrEnum):
    """What one line of a job's event log tells."""

    STATE = "state"
    PROGRESS = "progress"
    MESSAGE = "message"
    PREVIEW = "preview"
    RESULT = "result"
    ERROR = "error"


class Preset(StrEnum):
    """How much work a decomposition may cost."""

    DRAFT = "draft"
    STANDARD = "standard"
    BEST = "best"


class Device(StrEnum):
    """Where the arithmetic runs."""

    AUTO = "auto"
    CPU = "cpu"
    CUDA = "cuda"
    MPS = "mps"


class InvalidSetting(ValueError):
    """A setting outside its limits; the text names the setting, the value and what is allowed."""


@dataclass(frozen=True)
class SettingInfo:
    """What a person reads about one setting, and the values it may take (limits are inclusive)."""

    label: str
    tooltip: str
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[tuple[str, str, str], ...] = ()
    """(value, label, tooltip) for each choice, in the order they are offered."""


def setting(
    default: Any,
    label: str,
    tooltip: str,
    *,
    minimum: float | None = None,
    maximum: float | None = None,
    choices: tuple[tuple[str, str, str], ...] = (),
) -> Any:
    """Declare one setting: its default, its texts and its limits, in the only place they are written."""
    info = SettingInfo(label, tooltip, minimum, maximum, choices)
    return field(default=default, metadata={"setting": info})


PRESET_CHOICES = (
    ("draft", "Draft", "No training, shadows as they usually fall: a look at the layers in seconds"),
    ("standard", "Standard", "Learns whose shadow is whose: minutes without a GPU"),
    ("best", "Best", "Two networks learn, each from twice as many pictures: nearly four times as long as Standard"),
)
DEVICE_CHOICES = (
    ("auto", "Automatic", "The fastest device of this computer"),
    ("cpu", "CPU", "The processor; always works"),
    ("cuda", "CUDA", "An NVIDIA or ROCm graphics card"),
    ("mps", "Metal", "The graphics part of an Apple processor"),
)


FINDER_CHOICES = (
    ("auto", "Automatic", "Neural when its weights are on this computer, else Motion"),
    ("motion", "Motion", "What moves and what looks like a person; works offline"),
    ("neural", "Neural", "A trained network; its weights are downloaded once"),
)


class Task(StrEnum):
    """What a job is for."""

    DECOMPOSE = "decompose"
    PEOPLE = "people"
    RETIME = "retime"


@dataclass(frozen=True)
class DecomposeSettings:
    """Everything an artist may choose about one decomposition."""

    preset: str = setting("standard", "Preset", "How much time the layers may take", choices=PRESET_CHOICES)
    device: str = setting("auto", "Device", "Where the layers are computed", choices=DEVICE_CHOICES)
    first_frame: int = setting(
        0, "First Frame", "First frame of the plate to use, counted from 1; 0 means the beginning", minimum=0
    )
    last_frame: int = setting(0, "Last Frame", "Last frame of the plate to use, inclusive; 0 means the end", minimum=0)
    seed: int = setting(
        0, "Seed", "Start of the random numbers; the same seed gives the same layers", minimum=0, maximum=2**31 - 1
    )
    max_seconds: float = setting(
        0.0, "Time Limit", "Stop training after this many seconds and export what there is; 0 means no limit", minimum=0
    )
    residual: bool = setting(
        True, "Residual Layer", "Also write what no layer explains, so that the untouched composite equals the plate"
    )
    finder: str = setting("auto", "Finder", "How people are found when no masks are given", choices=FINDER_CHOICES)


def settings_info(settings_type: type) -> dict[str, SettingInfo]:
    """The declared settings of a dataclass by name, in the order of declaration."""
    return {f.name: f.metadata["setting"] for f in dataclasses.fields(settings_type) if "setting" in f.metadata}


def check_settings(settings: DecomposeSettings) -> DecomposeSettings:
    """Return the settings unchanged when every value has its type and is inside its limits.

    Raises:
        InvalidSetting: naming the setting, the value and what is allowed.
    """
    for name, info in settings_info(type(settings)).items():
        _check_value(name, getattr(settings, name), info, type(getattr(type(settings), name)))
    if 0 < settings.last_frame < settings.first_frame:
        raise InvalidSetting(
            f"frames {settings.first_frame}-{settings.last_frame}: the last frame lies before the first; swap them"
        )
    return settings


def _check_value(name: str, value: Any, info: SettingInfo, wanted: type) -> None:
    if wanted is float and type(value) is int:
        value = float(value)
    if type(value) is not wanted:
        raise InvalidSetting(f"{name} is {value!r}; it must be of type {wanted.__name__}")
    if info.choices and value not in [choice[0] for choice in info.choices]:
        allowed = ", ".join(choice[0] for choice in info.choices)
        raise InvalidSetting(f"{name} is {value!r}; choose one of {allowed}")
    if not isinstance(value, int | float):
        return
    # Written as "not inside" so that NaN is refused too.
    if info.minimum is not None and not value >= info.minimum:
        raise InvalidSetting(f"{name} is {value!r}; the least allowed is {info.minimum:g}")
    if info.maximum is not None and not value <= info.maximum:
        raise InvalidSetting(f"{name} is {value!r}; the most allowed is {info.maximum:g}")


@dataclass(frozen=True)
class DecomposeRequest:
    """One job: which plate, which masks, where to, and how. Paths are absolute when sent to a server."""

    plate: str
    out: str
    masks: str = ""
    """Folder with one folder of masks per subject; empty when people are to be found first. A task ``people`` takes
    those that were found before, to be corrected by ``hints``."""
    resume: bool = False
    """Go on from the checkpoint in ``out`` when there is one."""
    settings: DecomposeSettings = field(default_factory=DecomposeSettings)
    task: str = Task.DECOMPOSE.value
    """``people`` only finds the people and writes their masks to ``out``.

    ``retime`` writes pictures of one layer at other times to ``out``: ``plate`` is the layer set then, and ``hints`` a
    JSON file, ``{"layer": name, "times": [source frames], "spans": [source frames the shutter is open]}``.
    """
    iuv: str = ""
    """Folder with one folder of body charts (DensePose's IUV) per subject; may be empty."""
    hints: str = ""
    """Folder with rough masks on a few frames, ``NAME/0012.png``, to find just these people by; may be empty."""


def request_from_json(data: Any) -> DecomposeRequest:
    """Read a request from parsed JSON, refusing unknown names, wrong types and values outside their limits.

    Raises:
        InvalidSetting: with one sentence on what is wrong.
    """
    fields = _only_known(data, DecomposeRequest, "the request")
    settings = DecomposeSettings(**_only_known(fields.pop("settings", {}), DecomposeSettings, "settings"))
    for name in ("plate", "out"):
        if not fields.get(name):
            raise InvalidSetting(f"the request has no {name}; give the path of the {name}")
    for name, value in fields.items():
        wanted = bool if name == "resume" else str
        if type(value) is not wanted:
            raise InvalidSetting(f"{name} is {value!r}; it must be of type {wanted.__name__}")
    tasks = [task.value for task in Task]
    if fields.get("task", tasks[0]) not in tasks:
        raise InvalidSetting(f"task is {fields['task']!r}; choose one of {', '.join(tasks)}")
    return DecomposeRequest(**fields, settings=check_settings(settings))


def _only_known(data: Any, target: type, what: str) -> dict[str, Any]:
    if not isinstance(data, dict):
        raise InvalidSetting(f"{what} must be a JSON object, not {type(data).__name__}")
    known = {f.name for f in dataclasses.fields(target)}
    unknown = sorted(str(name) for name in data if name not in known)
    if unknown:
        raise InvalidSetting(f"{what} has an unknown name {unknown[0]!r}; known are {', '.join(sorted(known))}")
    return dict(data)


@dataclass(frozen=True)
class Event:
    """One line of a job's log. The writer of the log adds the number ``n`` (1, 2, …) and the time.

    ``fraction`` is 0..1 or None where unknown; ``seconds_left`` is measured, None where unknown.
    ``data`` holds what belongs to the kind: STATE ``{"state"}``, PREVIEW ``{"file"}``, RESULT ``{"layers"}``
    (path of layers.json, or of retimed.json) or ``{"people"}`` (path of people.json), ERROR ``{"advice"}``.
    """

    kind: str
    message: str = ""
    stage: str = ""
    fraction: float | None = None
    seconds_left: float | None = None
    data: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class RuntimeInfo:
    """What a listening backend writes to ``backend.json`` in its runtime folder (readable by its owner only)."""

    port: int
    token: str
    pid: int
    version: str


@dataclass(frozen=True)
class JobStatus:
    """A job as the server tells of it."""

    id: str
    state: str
    created: float
    request: DecomposeRequest
    last_event: int = 0
    stage: str = ""
    fraction: float | None = None
    seconds_left: float | None = None
    message: str = ""
    layers: str = ""
    """Path of the finished layers.json; empty until there is one."""
    people: str = ""
    """Path of the finished people.json of a job that finds people; empty until there is one."""


def to_json(value: Any) -> Any:
    """A dataclass of this module as plain JSON data."""
    return dataclasses.asdict(value)

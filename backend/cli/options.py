"""What commands are given: options made from the declared settings, and the values people type."""

from __future__ import annotations

import dataclasses
import os
import re
from pathlib import Path
from typing import Any

import typer

from backend.errors import InputError, SettingError
from backend.protocol import DecomposeRequest, DecomposeSettings, InvalidSetting, Task, check_settings, settings_info

_INFO = settings_info(DecomposeSettings)
_DEFAULTS = DecomposeSettings()


def from_setting(name: str) -> Any:
    """The option for a setting, its default and help taken from where the setting is declared."""
    info = _INFO[name]
    choices = "; ".join(f"{value}: {tooltip}" for value, _, tooltip in info.choices)
    text = f"{info.tooltip}. {choices}" if choices else info.tooltip
    metavar = "|".join(choice[0] for choice in info.choices) or None
    return typer.Option(getattr(_DEFAULTS, name), help=text, metavar=metavar)


def frames_range(text: str) -> tuple[int, int]:
    """Parse ``A-B``, counted from 1 and inclusive; empty text is (0, 0), the whole plate.

    Raises:
        SettingError: not two numbers, or not in order.
    """
    if not text:
        return 0, 0
    match = re.fullmatch(r"\s*(\d{1,9})\s*-\s*(\d{1,9})\s*", text)
    first, last = (int(match[1]), int(match[2])) if match else (0, 0)
    if not 1 <= first <= last:
        raise SettingError(f"--frames {text} is not a range of frames", "Write it as A-B, such as 1-40, counted from 1")
    return first, last


def decompose_request(
    plate: str, out: str, masks: str, resume: bool, iuv: str = "", **settings: Any
) -> DecomposeRequest:
    """The request that a command line stands for, with absolute paths.

    Raises:
        SettingError: a setting is outside its limits.
    """
    try:
        checked = check_settings(dataclasses.replace(_DEFAULTS, **settings))
    except InvalidSetting as error:
        raise SettingError(str(error)) from error
    return DecomposeRequest(
        plate=os.path.abspath(plate),  # noqa: PTH100 (links in a path are kept as the user wrote them)
        out=os.path.abspath(out),  # noqa: PTH100
        masks=os.path.abspath(masks) if masks else "",  # noqa: PTH100
        iuv=os.path.abspath(iuv) if iuv else "",  # noqa: PTH100
        resume=resume,
        settings=checked,
    )


def people_request(plate: str, out: str, hints: str, masks: str, **settings: Any) -> DecomposeRequest:
    """The request to find people that a command line stands for, with absolute paths.

    Raises:
        SettingError: a setting is outside its limits.
    """
    request = decompose_request(plate, out, masks, False, **settings)
    path = os.path.abspath(hints) if hints else ""  # noqa: PTH100
    return dataclasses.replace(request, task=Task.PEOPLE.value, hints=path)


def edits_help() -> str:
    """What a person reads about the corrections."""
    return (
        "Correct who is who in DIR: merge A B (B becomes part of A), split A FRAME (from that frame on a new person), "
        "swap A B FRAME (from that frame on), delete A, rename A NEW, forward A FRAME and "
        "backward A FRAME (one place further to the front, or back, as long as the depth order of that frame holds)."
    )


def retime_pairs(texts: list[str]) -> dict[str, Path]:
    """Parse ``NAME=MAP.json`` entries.

    Raises:
        InputError: an entry of another form, or two for one name.
    """
    pairs: dict[str, Path] = {}
    for text in texts:
        name, _, path = text.partition("=")
        if not name or not path:
            raise InputError(f"--retime {text} names no layer and map", "Write it as NAME=MAP.json")
        if name in pairs:
            raise InputError(f"--retime names {name} twice", "Give one map per layer")
        pairs[name] = Path(path)
    return pairs

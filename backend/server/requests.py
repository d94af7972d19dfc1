"""What clients send, checked before anything is done with it."""

from __future__ import annotations

import json
import os
from pathlib import Path

from backend.errors import SettingError
from backend.protocol import DecomposeRequest, InvalidSetting, request_from_json


def parse_request(body: bytes) -> DecomposeRequest:
    """A job from the body of a request. Raises SettingError with one sentence on what is wrong."""
    try:
        request = request_from_json(json.loads(body))
    except InvalidSetting as error:
        raise SettingError(str(error)) from error
    except (ValueError, RecursionError) as error:
        raise SettingError("The body of the request is not JSON", "Send one JSON object as UTF-8 text") from error
    for name in ("plate", "out", "masks", "iuv", "hints"):
        _check_path(name, getattr(request, name))
    return request


def _check_path(name: str, path: str) -> None:
    if name in ("masks", "iuv", "hints") and not path:
        return
    try:
        usable = b"\0" not in os.fsencode(path)
    except UnicodeEncodeError:
        usable = False
    if not usable:
        raise SettingError(f"{name} is {path!r}, which can't be the name of a file")
    # The server's own folder is nobody's business, so nothing may be relative to it.
    if not Path(path).is_absolute():
        raise SettingError(f"{name} is {path!r}, which is not absolute", "Give the whole path, from the root on")


def parse_number(name: str, text: str) -> int:
    """A whole number, 0 or more, from the query of a request. Raises SettingError."""
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise SettingError(f"{name} is {text[:40]!r}", "Give a whole number, 0 or more")
    return int(text)

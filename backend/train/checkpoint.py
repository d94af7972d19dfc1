"""Training state on disk, so that a cancelled or killed run goes on where it was."""

from __future__ import annotations

import io
import pickle
import struct
import zipfile
import zlib
from pathlib import Path
from typing import Any

import torch

from backend.errors import InputError
from backend.media.files import write_bytes
from backend.train.loop import TrainState

CHECKPOINT_NAME = "checkpoint.pt"
_DAMAGE = (
    OSError,
    RuntimeError,
    EOFError,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    struct.error,
    zlib.error,
    zipfile.BadZipFile,
    pickle.UnpicklingError,
)


def save_checkpoint(path: Path, state: TrainState, fingerprint: str) -> None:
    """Write the whole state atomically; ``fingerprint`` says which plate, masks and settings it belongs to."""
    buffer = io.BytesIO()
    torch.save({"fingerprint": fingerprint, **state.content()}, buffer)
    write_bytes(path, buffer.getvalue(), durable=True)


def check_checkpoint(path: Path, fingerprint: str) -> None:
    """Make sure that a run may go on from ``path``, or that there is nothing to go on from.

    Raises:
        InputError: the checkpoint can't be read, or belongs to another plate or to other settings.
    """
    _read(path, fingerprint, torch.device("cpu"))


def _read(path: Path, fingerprint: str, device: torch.device) -> dict[str, Any] | None:
    try:
        _check_sums(path)
        saved: dict[str, Any] = torch.load(path, map_location=device, weights_only=True)
        belongs_to = saved["fingerprint"]
    except FileNotFoundError:
        return None
    except _DAMAGE as error:
        raise _unreadable(path, error) from error
    if belongs_to != fingerprint:
        raise InputError(
            f"{path} belongs to another plate, other masks or other settings",
            "Resume with what it was begun with, or choose another folder",
        )
    return saved


def _check_sums(path: Path) -> None:
    """Read every part once: torch itself takes flipped bits for weights. Raises one of ``_DAMAGE``."""
    with zipfile.ZipFile(path) as file:
        damaged = file.testzip()
    if damaged is not None:
        raise ValueError(f"{damaged} is damaged")


def _unreadable(path: Path, error: Exception) -> InputError:
    return InputError(f"{path} can't be read as a checkpoint ({type(error).__name__})", "Delete it to train anew")


def load_checkpoint(path: Path, state: TrainState, fingerprint: str) -> bool:
    """Put a saved state into ``state``; False when there is none. Raises as ``check_checkpoint``."""
    saved = _read(path, fingerprint, state.background.device)
    if saved is None:
        return False
    try:
        state.restore(saved)
    except _DAMAGE as error:
        raise _unreadable(path, error) from error
    return True

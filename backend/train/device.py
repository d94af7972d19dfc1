"""Which device does the arithmetic."""

from __future__ import annotations

import torch
from torch import autocast

from backend.errors import SettingError
from backend.protocol import Device


def choose_device(name: str) -> torch.device:
    """The device for a setting; ``auto`` takes the fastest there is.

    Raises:
        SettingError: this computer, or the installed torch, lacks the device.
    """
    available = {
        Device.CUDA: torch.cuda.is_available(),
        Device.MPS: torch.backends.mps.is_available(),
        Device.CPU: True,
    }
    # The same seed on the same machine gives the same result.
    torch.backends.cudnn.deterministic = True
    if name == Device.AUTO:
        return torch.device(next(device for device, there in available.items() if there))
    if not available[Device(name)]:
        raise SettingError(f"device is {name!r}, but torch finds none here", "Choose auto or cpu")
    return torch.device(name)


def search_device(device: torch.device) -> torch.device:
    """Where all but the training is computed: CUDA cards know every operation that it takes, others may not."""
    return device if device.type == "cuda" else torch.device("cpu")


def quick_arithmetic(device: torch.device) -> autocast:
    """Convolutions in 16-bit floats (bfloat16) where the processor or the card has instructions for them.

    Where it has none they would be slower, so everything stays as it is.
    """
    return autocast(device.type, torch.bfloat16, enabled=_short_floats_are_quick(device))


def _short_floats_are_quick(device: torch.device) -> bool:
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    if device.type == "cpu":
        able = torch.cpu.get_capabilities()
        return any(able.get(name) for name in ("avx512_bf16", "amx_bf16"))
    return False

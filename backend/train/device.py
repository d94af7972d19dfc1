"""Which device does the arithmetic."""

from __future__ import annotations

import torch

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
    if name == Device.AUTO:
        return torch.device(next(device for device, there in available.items() if there))
    if not available[Device(name)]:
        raise SettingError(f"device is {name!r}, but torch finds none here", "Choose auto or cpu")
    return torch.device(name)

"""Drawn clips as the renderer would meet them: with its own first background, and the answers beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import torch

from backend.core.camera import Camera
from backend.core.color import Floats
from backend.core.opacity import density
from backend.model.sun_search import find_sun
from backend.model.sunlight import cast, trusted
from backend.stages.effects import TrainingBackground, somebody_near
from backend.train.shot_data import ShotData, channels_last, make_shot_data
from pretraining.moving_camera import draw_turning_clip
from pretraining.scenes import DrawnClip, draw_clip

_FRAMES = 24
_ROUGH_MASKS = 0.35
_TURNING = 0.35
_CPU = torch.device("cpu")


@dataclass(frozen=True)
class Format:
    """Pictures of one size."""

    size: tuple[int, int]
    """(w, h)"""
    kept: int
    """How many frames of a clip are kept."""
    share: float = 1.0
    """Of all clips."""


FORMATS = (Format((112, 64), 6, 0.7), Format((160, 96), 4, 0.3))


def _roughened(rng: np.random.Generator, masks: Floats) -> Floats:
    """Masks as people and programs draw them: too large, too small, soft, without feet."""
    if rng.random() > _ROUGH_MASKS:
        return masks
    size = int(rng.integers(1, 3))
    change = cv2.dilate if rng.random() < 0.6 else cv2.erode
    kernel = np.ones((size + 1, size + 1) if rng.random() < 0.5 else (2, 2), np.uint8)
    flat = masks.reshape(-1, *masks.shape[-2:])
    return np.asarray(np.stack([change(mask, kernel) for mask in flat]).reshape(masks.shape), np.float32)


def example(
    rng: np.random.Generator, form: Format, people: int, device: torch.device = _CPU
) -> dict[str, npt.NDArray[np.float16]]:
    """A few frames of one clip: what the network is given, and the densities it should find.

    The device is for finding the sun, which takes most of the time.
    """
    if rng.random() < _TURNING:
        clip, camera = draw_turning_clip(rng, form.size, _FRAMES, people)
    else:
        clip, camera = draw_clip(rng, form.size, _FRAMES, people), Camera.static(_FRAMES, form.size)
    whole, visible = _roughened(rng, np.stack([clip.whole, clip.visible]))
    data = make_shot_data(clip.plate, whole, visible, clip.plate, camera)
    seen = data.seen[:, 0].numpy() > 0
    near = somebody_near(data)
    background = TrainingBackground(clip.plate, seen, clip.visible.max(1) > 0.5, near, camera)
    start = background.start()
    kept = np.sort(rng.choice(_FRAMES, form.kept, replace=False))
    answers = _answers(clip)
    restless = background.restless()
    values = {
        "plate": clip.plate[kept],
        "start": start[kept],
        "background": clip.background[kept],
        "whole": whole[kept],
        "seen": data.seen[kept, 0].numpy(),
        "distance": np.minimum(data.distance[kept, :, 0].numpy(), 30),
        "restless": restless[kept],
        "free": background.free_share()[kept],
        "darkest": background.darkest()[kept],
        "cast": _cast(data, start, restless, device)[kept],
        **{name: answer[kept] for name, answer in answers.items()},
    }
    return {name: np.asarray(value, np.float16) for name, value in values.items()}


def _cast(data: ShotData, start: Floats, restless: Floats, device: torch.device) -> Floats:
    darkness = torch.from_numpy(density(channels_last(data.plate), start).mean(-1)).clamp(min=0).to(device)
    flicker, data = torch.from_numpy(restless).to(device), data.to(device)
    with device:
        sun = find_sun(data.plate, data.masks, data.sway, darkness, data.seen[:, 0], flicker)
        return np.asarray(trusted(cast(data.masks, data.sway, sun), sun).cpu().numpy(), np.float32)


def _answers(clip: DrawnClip) -> dict[str, Floats]:
    alone = density(clip.alone, np.broadcast_to(clip.background[:, None], clip.alone.shape))
    return {"alone": alone, "together": density(clip.together, clip.background)}


def write_examples(
    folder: Path,
    seed: int,
    count: int,
    device: torch.device = _CPU,
    formats: Sequence[Format] = FORMATS,
    per_file: int = 24,
) -> None:
    """Draw ``count`` clips into numbered files of ``per_file`` clips of the same format and number of people."""
    cv2.setNumThreads(1)
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(0, count, per_file):
        rng = np.random.default_rng([seed, number])
        people = int(rng.choice([1, 2, 2, 3, 3, 4]))
        form = formats[int(rng.choice(len(formats), p=[form.share for form in formats]))]
        clips = [example(rng, form, people, device) for _ in range(per_file)]
        path = folder / f"{seed:03d}_{number:06d}.npz"
        temporary = path.with_suffix(".part")
        with temporary.open("wb") as file:
            np.savez(file, **{name: np.stack([clip[name] for clip in clips]) for name in clips[0]})
        temporary.replace(path)

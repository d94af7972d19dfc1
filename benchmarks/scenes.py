"""Rendered scenes: finding them, unpacking them, and handing a decomposition only what it may see."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.float32]


@dataclass(frozen=True)
class Scene:
    """A folder of passes, each a folder of numbered PNGs from 0000, and ``scene.json`` beside them."""

    folder: Path

    @cached_property
    def facts(self) -> dict[str, Any]:
        """The scene's description as it stands in scene.json."""
        facts: dict[str, Any] = json.loads((self.folder / "scene.json").read_text())
        return facts

    @property
    def name(self) -> str:
        return self.folder.name

    @property
    def frames(self) -> int:
        return int(self.facts["frames"])

    @property
    def people(self) -> list[str]:
        """Names of the subjects; their number is the person's number in the scene."""
        return [f"person_{index}" for index in range(len(self.facts["people"]))]

    def picture(self, passed: str, frame: int) -> Image:
        """One frame (0-based) of a pass: (H, W, 3), 0..1. A pass of one file holds it for every frame."""
        return self._read(passed, frame, cv2.IMREAD_COLOR)[..., ::-1]

    def matte(self, passed: str, frame: int) -> Image:
        """One frame (0-based) of a grey pass: (H, W), 0..1."""
        return self._read(passed, frame, cv2.IMREAD_GRAYSCALE)

    def order(self, frame: int) -> list[int]:
        """Numbers of the people, back to front."""
        return list(self.facts["order_back_to_front"][frame])

    def carry(self, picture: Image, source: int, target: int) -> Image:
        """Move a picture of one frame into another frame's view, as the camera moved."""
        if self.facts["camera"]["kind"] != "moving" or source == target:
            return picture
        to_first = [np.array(h) for h in self.facts["camera"]["homography"]]
        move = np.linalg.inv(to_first[target]) @ to_first[source]
        return np.asarray(cv2.warpPerspective(picture, move, picture.shape[1::-1], flags=cv2.INTER_LINEAR), np.float32)

    def _read(self, passed: str, frame: int, flags: int) -> Image:
        files = sorted((self.folder / passed).glob("*.png"))
        picture = cv2.imread(str(files[frame if len(files) > 1 else 0]), flags)
        return np.asarray(picture, np.float32) / 255


def find_scenes(folder: Path, cache: Path, names: list[str], report: Callable[[str], None]) -> list[Scene]:
    """The scenes in a folder, packed ones unpacked into the cache; all of them when no name is given."""
    found = sorted(description.parent for description in folder.glob("*/scene.json"))
    missing = sorted(set(names) - {scene.name for scene in found})
    if missing or not found:
        raise SystemExit(f"{folder} holds no scene {missing[0] if missing else 'at all'}")
    return [_unpacked(scene, cache, report) for scene in found if not names or scene.name in names]


def stage_inputs(scene: Scene, folder: Path) -> tuple[Path, Path]:
    """Links to the plate and to the masks by subject: what a decomposition may see, and nothing else."""
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "masks").mkdir(parents=True)
    (folder / "plate").symlink_to((scene.folder / "full").resolve(), target_is_directory=True)
    for index, person in enumerate(scene.people):
        (folder / "masks" / person).symlink_to((scene.folder / f"mask_{index}").resolve(), target_is_directory=True)
    return folder / "plate", folder / "masks"


def _unpacked(packed: Path, cache: Path, report: Callable[[str], None]) -> Scene:
    if (packed / "full").is_dir():
        return Scene(packed)
    target = cache / packed.name
    if (target / "scene.json").is_file():
        return Scene(target)
    report(f"unpacking {packed.name}")
    for item in sorted(packed.iterdir()):
        if item.suffix == ".mkv":
            _unpack_pass(item, target / item.stem)
        elif item.is_dir():
            shutil.copytree(item, target / item.name, dirs_exist_ok=True)
    # Last, because it is what says that the rest is whole.
    shutil.copyfile(packed / "scene.json", target / "scene.json")
    return Scene(target)


def _unpack_pass(video: Path, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with av.open(str(video)) as container:
        for number, frame in enumerate(container.decode(video=0)):
            grey = frame.format.name.startswith("gray")
            picture = frame.to_ndarray(format="gray" if grey else "bgr24")
            cv2.imwrite(str(folder / f"{number:04d}.png"), picture, [cv2.IMWRITE_PNG_COMPRESSION, 3])

"""Drawn scenes with exact truth, one for each thing that goes wrong easily, in the folders that the scorer reads."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from backend.core.color import Floats
from pretraining.figures import Figure
from pretraining.scenes import Scene
from pretraining.world import covered, outline

FRAMES = 24
SIZE = 320, 192
_SECONDS = 1.6
_DELAY = 6
# How much wider and higher the drawn place is than the picture, where the camera turns.
_ROOM = 100, 12


@dataclass(frozen=True)
class Case:
    """What is special about a scene. People are (manner, place across -1..1, metres behind the first)."""

    about: str
    seed: int
    people: tuple[tuple[str, float, float], ...]
    mirror: bool = False
    waves: bool = False
    turning: bool = False
    drift: float = 0.0


CASES = {
    "overlap": Case(
        "shadows of three people meet", 21, (("jumps", -0.25, 0.0), ("dances", 0.1, 0.3), ("jumps", 0.45, 0.1))
    ),
    "mirror": Case("the floor reflects", 22, (("walks", -0.2, 0.0), ("dances", 0.4, 0.2)), mirror=True),
    "stands": Case("somebody never moves while another walks by", 33, (("walks", -0.5, 0.0), ("stands", 0.3, 0.6))),
    "hidden": Case("somebody is hidden behind another for a while", 14, (("walks", 0.0, 0.0), ("walks", 0.0, 1.2))),
    "turning": Case("the camera turns", 25, (("walks", -0.3, 0.0), ("dances", 0.3, 0.4)), turning=True),
    "drift": Case("the exposure drifts by a fifth", 26, (("walks", 0.2, 0.0), ("jumps", -0.4, 0.2)), drift=0.2),
    "waves": Case("the ground never rests", 27, (("walks", -0.2, 0.0), ("jumps", 0.4, 0.2)), waves=True),
}


class CaseScene(Scene):
    """A place as the case wants it, with everybody's picture for any moment of each."""

    def __init__(self, case: Case) -> None:
        self._case = case
        rng = np.random.default_rng(case.seed)
        room = np.array(_ROOM) * case.turning
        super().__init__(rng, (SIZE[0] + int(room[0]), SIZE[1] + int(room[1])), len(case.people))
        self._shake = 0.0
        across = 0.35 * self.distance / self.view.focal
        self.figures = [
            _figure(rng, manner, np.array([x * across, self.distance + behind])) for manner, x, behind in case.people
        ]
        steps = np.linspace(0, 1, FRAMES)[:, None]
        self._corners = room * (0.1 + 0.8 * steps) + rng.normal(0, 0.3, (FRAMES, 2)) * case.turning
        self._corners = np.clip(self._corners, 0, room)
        self._unrest = rng.normal(0, 0.35, (FRAMES, self.view.height // 4, self.view.width // 8)).astype(np.float32)
        self._gains = 1 + case.drift * (np.linspace(0, 1, FRAMES) - 0.7)

    @property
    def homographies(self) -> list[list[list[float]]]:
        """From each frame to the wide picture that the camera sees parts of."""
        return [[[1.0, 0.0, float(x)], [0.0, 1.0, float(y)], [0.0, 0.0, 1.0]] for x, y in self._corners]

    def order(self, moments: Sequence[float]) -> list[int]:
        """Numbers of the people, back to front."""
        depth = [float(f.at(s).a[0, 2]) for f, s in zip(self.figures, moments, strict=True)]
        return [int(i) for i in np.argsort(-np.array(depth))]

    def passes(self, frame: int, moments: Sequence[float]) -> dict[str, Floats]:
        """All pictures of a frame, with each person at an own moment (seconds): (H, W, 3) or (H, W), 0..1."""
        figures = [figure.at(s) for figure, s in zip(self.figures, moments, strict=True)]
        effects = [(*self.shadow(f), *self.reflection(f, c)) for f, c in zip(figures, self._colors, strict=True)]
        bare = self._ground([], frame)
        pictures = {"background": bare}
        whole = np.stack([covered(self.view, outline(self.view, f)) for f in figures])
        pictures["full"], visible = self._with_bodies(self._ground(effects, frame), figures, whole)
        colors = self._colors
        for person, figure in enumerate(figures):
            self._colors = [colors[person]]
            ground = self._ground([effects[person]], frame)
            pictures[f"solo_{person}"], _ = self._with_bodies(ground, [figure], whole[[person]])
            pictures[f"mask_{person}"], pictures[f"amodal_{person}"] = visible[person], whole[person]
        self._colors = colors
        return {name: self._filmed_by_camera(picture, frame) for name, picture in pictures.items()}

    def _ground(self, effects: list[tuple[Floats, Floats, Floats, Floats]], frame: int) -> Floats:
        ground = self._shown(self._lit(effects))
        if self._waves is not None:
            size = self.view.width, self.view.height
            moved = cv2.resize(self._unrest[frame], size, interpolation=cv2.INTER_CUBIC)
            ground = np.clip(ground + (self._waves * moved)[..., None], 0, 1)
        return ground

    def _filmed_by_camera(self, picture: Floats, frame: int) -> Floats:
        if picture.ndim == 3:
            picture = np.clip(picture * self._gains[frame], 0, 1).astype(np.float32)
        small = self._small(picture[None])[0]
        x, y = self._corners[frame]
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        return np.asarray(cv2.warpAffine(small, np.array([[1, 0, x], [0, 1, y]]), SIZE, flags=flags), np.float32)

    def _light(self) -> None:
        """A low sun from the side, so that everybody casts a shadow that is seen."""
        super()._light()
        self._sun = np.array([0.74, 0.5, -0.45])
        self._sunlight = 1.2 * np.array([1, 0.95, 0.86])
        self._skylight = 0.35 * np.array([0.85, 0.95, 1.1])

    def _reflecting(self) -> tuple[float, float, float] | None:
        return (0.4, 1.0, 0.5) if self._case.mirror else None

    def _moving_ground(self) -> Floats | None:
        if not self._case.waves:
            return None
        small = self._rng.random((5, 7), np.float32)
        field = cv2.resize(small, (self.view.width, self.view.height), interpolation=cv2.INTER_CUBIC)
        return np.asarray(np.clip(field - 0.4, 0, 1) * 0.6, np.float32)


def _figure(rng: np.random.Generator, manner: str, place: Any) -> Figure:
    """Somebody who moves like that: others are sent away."""
    while (figure := Figure(rng, place)).manner != manner:
        pass
    return figure


def write_case(name: str, folder: Path) -> None:
    """Draw a case's pictures and its ``scene.json``, with one other timing: the first person later."""
    case = CASES[name]
    scene, people = CaseScene(case), range(len(case.people))
    moments = np.linspace(-_SECONDS / 2, _SECONDS / 2, FRAMES)
    sources = [max(0, frame - _DELAY) for frame in range(FRAMES)]
    grain = np.random.default_rng(case.seed)
    order, later = [], []
    for frame in range(FRAMES):
        now = [float(moments[frame])] * len(people)
        then = [float(moments[sources[frame]]), *now[1:]]
        pictures = scene.passes(frame, now) | {"retimed_delay": scene.passes(frame, then)["full"]}
        pictures["full"] = pictures["full"] + grain.normal(0, 0.006, pictures["full"].shape).astype(np.float32)
        order.append(scene.order(now))
        later.append(scene.order(then))
        for key, picture in pictures.items():
            _write(folder / key / f"{frame:04d}.png", picture)
    facts = {
        "name": name,
        "width": SIZE[0],
        "height": SIZE[1],
        "frames": FRAMES,
        "people": [{"index": i, "name": f"{case.people[i][0]}_{i}"} for i in people],
        "camera": {"kind": "moving", "homography": scene.homographies} if case.turning else {"kind": "static"},
        "order_back_to_front": order,
        "retimes": [
            {"name": "delay", "person": 0, "frame_map": sources, "order": later, "folder": "retimed_delay"},
        ],
    }
    (folder / "scene.json").write_text(json.dumps(facts))


def _write(path: Path, picture: Floats) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(
        str(path), np.round(np.clip(picture[..., ::-1] if picture.ndim == 3 else picture, 0, 1) * 255).astype(np.uint8)
    )

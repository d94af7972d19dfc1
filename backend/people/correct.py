"""Drawings by the artist taken as truth, and carried to both sides until what was found before is right again."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

import cv2
import numpy as np

from backend.core.color import Floats
from backend.errors import MaskError
from backend.media.files import by_name
from backend.media.frame_store import FrameStore
from backend.media.masks import read_mask
from backend.media.people_info import PeopleInfo
from backend.people.clues import Clues, cleared
from backend.people.follow import Anchors, State, step
from backend.people.lessons import Lessons
from backend.people.refine import refined
from backend.people.scene import Scene, Tell
from backend.people.segmenter import Segmenter, Trainer, body_place

_STEPS = 350
# Two frames in a row that agree this well with what was found before end the way.
_AGREES, _SETTLED = 0.82, 2

Changes = dict[int, dict[int, Floats]]
"""New masks (h, w) at working size by person and frame (0-based)."""


def stored_masks(scene: Scene, folder: Path, info: PeopleInfo, names: Sequence[str], path: Path) -> FrameStore:
    """The masks (T, h, w, N) that were found before, at working size; nothing for those who are not in the list.

    Raises:
        MaskError: masks are missing or don't fit the shot.
    """
    known = {person.name for person in info.people}
    files = {name: by_name((folder / name).glob("[!.]*.png")) for name in names if name in known}
    for name, masks in files.items():
        if len(masks) != len(scene):
            raise MaskError(f"{folder / name} has {len(masks)} masks for {len(scene)} frames", "Find the people again")
    nothing = np.zeros((scene.size[1], scene.size[0]), np.float32)

    def frames() -> Iterator[Floats]:
        for index in range(len(scene)):
            row = [_shrunk(files[name][index], scene.size) if name in files else nothing for name in names]
            yield np.asarray(np.round(np.stack(row, -1) * 255) / 255, np.float32)

    return FrameStore.create(path, frames(), len(scene))


def _shrunk(path: Path, size: tuple[int, int]) -> Floats:
    mask = read_mask(path).astype(np.float32) / np.float32(255)
    return np.asarray(cv2.resize(mask, size, interpolation=cv2.INTER_AREA), np.float32)


def corrected(
    scene: Scene, before: FrameStore, drawn: Mapping[int, Mapping[int, Floats]], work: Path, tell: Tell
) -> Changes:
    """What the drawings change, and nothing else.

    Args:
        scene: the shot at working size.
        before: masks (T, h, w, N) found before.
        drawn: masks (h, w) by person and frame.
        work: folder for what does not fit into memory.
        tell: told how far the work is.
    """
    shot = Clues(scene, cleared(scene, before), work / "clues.raw", lambda done: tell(0.4 * done))
    anchors = Anchors(drawn, [{}] * before.shape[3])
    model = Segmenter(before.shape[3])
    trainer = Trainer(model)
    Lessons(len(scene), anchors, before, shot.evidence, shot.looks).teach(trainer)
    trainer.train(_STEPS)
    nets = refined(before.shape[3], drawn, shot.outline)

    changes: Changes = {}
    for done, (person, frames) in enumerate(drawn.items()):
        tell(0.5 + 0.5 * done / len(drawn))
        found = changes.setdefault(person, dict(frames))
        for start in sorted(frames):
            for way in (1, -1):
                reach = _reach(start, way, frames, len(scene))
                found |= dict(_carried(scene, model, shot, partial(shot.exact, nets), before, anchors, person, reach))
    return changes


def _reach(start: int, way: int, frames: Mapping[int, Floats], count: int) -> range:
    """From a drawn frame to the end of the shot, or half of the way to the next drawn one."""
    ahead = [abs(other - start) for other in frames if (other - start) * way > 0]
    most = (min(ahead) + (1 if way > 0 else 0)) // 2 if ahead else count
    return range(start, max(-1, min(count, start + way * (most + 1))), way)


def _carried(
    scene: Scene,
    model: Segmenter,
    shot: Clues,
    exact: Callable[[int, Floats], Floats],
    before: FrameStore,
    anchors: Anchors,
    person: int,
    frames: range,
) -> Iterator[tuple[int, Floats]]:
    """New masks of one person along the frames, the first of which is drawn, until they agree with those before."""
    start = frames[0]
    mask, settled = anchors.masks[person][start], 0
    state = State(mask.copy(), body_place(mask), since_drawn=0.0)
    for index in frames[1:]:
        last = index - frames.step
        others = before.frame(last).transpose(2, 0, 1)
        states = [State(other, body_place(other)) for other in others]
        states[person] = state
        rough = step(scene, model, shot.looks_and_doubts(index), anchors, states, index, last)
        old = before.frame(index)
        stack = old.copy()
        stack[..., person] = rough[..., person]
        found = exact(index, stack)[..., person]
        state.mask = None if state.mask is None else found
        settled = settled + 1 if _agree(found, old[..., person]) else 0
        if settled >= _SETTLED:
            return
        if not settled:
            yield index, found


def _agree(a: Floats, b: Floats) -> bool:
    first, second = a > 0.5, b > 0.5
    union = int((first | second).sum())
    return not union or float((first & second).sum()) / union > _AGREES

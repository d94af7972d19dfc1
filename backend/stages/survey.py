"""What can be known about a shot without learning: the camera, the depth order, what is hidden."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np

from backend.core.bending import Comparison, Shown, compare
from backend.core.borrowing import Borrowed, borrow, refined
from backend.core.camera import Camera
from backend.core.color import Floats
from backend.core.exposure import exposure_gains
from backend.core.in_step import EVENLY, Places, steadied, told_together
from backend.core.occlusion import Flags, covered_by, estimate_order, figures, order_told
from backend.core.registration import register
from backend.core.side_by_side import in_order
from backend.core.silhouettes import middles
from backend.media.depth_file import arranged, names_at
from backend.stages.shot import Footage, Shot
from backend.train.shot_data import shrink

# Registration needs no more than this many pixels across; more only costs time.
_REGISTER_WIDTH = 960
# Silhouettes are compared at this size.
_ANALYSIS_WIDTH = 224
# Below this share of corners that follow the camera, a homography does not describe the background.
LOW_AGREEMENT = 0.35
# So many planes of the plate's size are in memory while a borrowed body is fitted, besides all masks of two frames.
_FITTING = 20

Tell = Callable[[float], None]


def survey(footage: Footage, tell: Tell, warn: Callable[[str], None]) -> Shot:
    """Register the camera and sort out who covers whom."""
    camera = find_camera(footage, lambda done: tell(0.7 * done), warn)
    size = _analysis_size(footage.view)
    plate = np.stack(list(in_order(lambda t: shrink(footage.plate(t), size), len(footage))))
    masks = np.stack(list(in_order(lambda t: [shrink(mask, size) for mask in footage.masks(t)], len(footage))))
    people = [figures(frame) for frame in masks]
    contact = np.stack([frame.contact for frame in people])
    order = _as_given(footage, estimate_order(people, float(footage.info.fps)))
    gains = exposure_gains(plate, masks.max(1), camera.resized(size))
    tell(0.8)
    found = borrow(plate, masks, covered_by(masks, contact, order), camera.resized(size))
    scale = footage.view[0] / size[0], footage.view[1] / size[1]
    shot = Shot(
        footage,
        camera,
        order,
        [[_scaled(b, scale) for b in frame] for frame in found],
        contact.tolist(),
        _or_given(footage, order_told(people, float(footage.info.fps))),
        gains,
    )
    reach = 1 + int(max(scale))

    def lent(index: int) -> list[Borrowed | None]:
        return [_refined(shot, index, person, reach) for person in range(len(order[index]))]

    memory = 4 * (_FITTING + 2 * len(footage.names)) * footage.view[0] * footage.view[1]
    fitted = list(in_order(lent, len(footage), memory))
    centres = (middles(masks) + 0.5) * scale - 0.5
    places = [Places(camera, centres[:, person]) for person in range(len(footage.names))]
    even = [steadied([frame[person] for frame in fitted], where) for person, where in enumerate(places)]
    shot = dataclasses.replace(shot, borrowed=[list(frame) for frame in zip(*even, strict=True)])

    def bent(index: int) -> list[Borrowed | None]:
        return [_bent(shot, index, person, where) for person, where in enumerate(places)]

    return dataclasses.replace(shot, borrowed=list(in_order(bent, len(footage), memory)))


def _as_given(footage: Footage, order: list[list[int]]) -> list[list[int]]:
    """The order, back to front per frame, as far as it is given in the one that is."""
    names, first = footage.names, footage.info.first_frame
    wanted = [[names.index(n) for n in names_at(footage.depth, first + t) if n in names] for t in range(len(order))]
    return [arranged(ranking, known) for ranking, known in zip(order, wanted, strict=True)]


def _or_given(footage: Footage, told: Flags) -> Flags:
    """(N, N): of whom the order is told, or given in the first frame."""
    known = [name in names_at(footage.depth, footage.info.first_frame) for name in footage.names]
    return np.asarray(told | np.logical_and.outer(known, known))


def find_camera(footage: Footage, tell: Tell, warn: Callable[[str], None]) -> Camera:
    """One homography per frame, or a camera at rest when the picture does not move or nothing fits it."""
    width = min(_REGISTER_WIDTH, footage.view[0])
    size = width, max(1, round(footage.view[1] * width / footage.view[0]))
    count = len(footage)

    def frame(index: int) -> tuple[Floats, Floats]:
        return shrink(footage.plate(index), size), shrink(footage.masks(index).max(0), size)

    found = register(frame, count, tell)
    static = Camera.static(count, footage.view)
    if found.static:
        return static
    camera = Camera.moving_over(found.to_first, size)
    if not camera.plausible or found.agreement < LOW_AGREEMENT:
        warn(
            f"The camera's motion could not be followed ({found.agreement:.0%} of the tracked points agree): "
            "the background is taken from each frame's own surroundings instead"
        )
        return static
    return camera.resized(footage.view)


def _analysis_size(view: tuple[int, int]) -> tuple[int, int]:
    scale = min(1.0, _ANALYSIS_WIDTH / max(view))
    return max(8, round(view[0] * scale)), max(8, round(view[1] * scale))


def _scaled(found: Borrowed | None, scale: tuple[float, float]) -> Borrowed | None:
    if found is None:
        return None
    return Borrowed(found.frame, (found.shift[0] * scale[0], found.shift[1] * scale[1]))


def _refined(shot: Shot, index: int, person: int, reach: int) -> Borrowed | None:
    """The borrowed frame with its shift fitted at the plate's size."""
    found = shot.borrowed[index][person]
    if found is None:
        return None
    target, lent = _shown(shot, index, person), _shown(shot, found.frame, person)
    return Borrowed(found.frame, refined(target, lent, found.shift, reach))


def _bent(shot: Shot, index: int, person: int, places: Places) -> Borrowed | None:
    """The borrowed frame with the body bent onto what is visible of it, in this frame and in those around."""
    found = shot.borrowed[index][person]
    own = None if found is None else _compared(shot, index, person, found)
    if found is None or own is None:
        return found
    way, around = places.moved(found, index), []
    for by in (by for by in range(-EVENLY, EVENLY + 1) if by):
        there, lender = index + by, found.frame + by
        # Whom others cover is not where the middle of what is visible is.
        if min(there, lender) < 0 or max(there, lender) >= len(shot.footage) or _is_covered(shot, lender, person):
            continue
        other = _compared(shot, there, person, places.borrowed(lender, there, way))
        if other is not None:
            around.append((by, other))
    return dataclasses.replace(found, bend=told_together(own, around).bend())


def _compared(shot: Shot, index: int, person: int, found: Borrowed) -> Comparison | None:
    """What a frame shows of a body beside one that it borrows."""
    lent = _shown(shot, found.frame, person)
    return compare(_shown(shot, index, person), Shown(*map(found.laid, (lent.plate, lent.body, lent.front))))


def _is_covered(shot: Shot, index: int, person: int) -> bool:
    return bool(cover_of(shot, index, person, shot.footage.masks(index)).any())


def _shown(shot: Shot, index: int, person: int) -> Shown:
    masks = shot.footage.masks(index)
    return Shown(shot.evened(index), masks[person], cover_of(shot, index, person, masks))


def whole_bodies(shot: Shot, index: int) -> Floats:
    """(N, H, W): the visible bodies of a frame with their covered parts completed."""
    masks = shot.footage.masks(index)
    return np.stack([whole_body(shot, index, person, masks) for person in range(len(masks))])


def whole_body(shot: Shot, index: int, person: int, masks: Floats) -> Floats:
    """(H, W): a person's body with what others hide of it in a frame, taken from the borrowed frame."""
    lent, own = lent_body(shot, index, person), np.asarray(masks[person], np.float32)
    if lent is None:
        return own
    # Of a pixel that shows some ground, no more is body than these take of it together.
    bodies = np.minimum(cover_of(shot, index, person, masks) + own, 1)
    return np.asarray(np.maximum(own, np.minimum(lent, bodies)), np.float32)


def lent_body(shot: Shot, index: int, person: int) -> Floats | None:
    """(H, W): a person's body as the frame shows it from which it is borrowed, moved into place; None without one."""
    found = shot.borrowed[index][person]
    return None if found is None else found.laid(shot.footage.masks(found.frame)[person])


def cover_of(shot: Shot, index: int, person: int, masks: Floats) -> Floats:
    """(H, W): the union of the bodies in front of a person that touch it."""
    ranking = shot.order[index]
    front = [j for j in ranking[ranking.index(person) + 1 :] if shot.touching[index][person][j]]
    return masks[front].max(0) if front else np.zeros(masks.shape[1:], np.float32)

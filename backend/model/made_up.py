"""Holes in a picture made up by the network that has learned how places go on (``ground_net``)."""

from __future__ import annotations

import cv2
import numpy as np
import torch

from backend.core.color import Floats
from backend.core.fill import fill
from backend.core.inpaint_ways import Flags, smoothly
from backend.model.ground_net import SIDE, GroundNet, inputs_of

# The longest side of a hole, in sides of the square in which it is looked at: the mean of what is seen in all of them.
_SPANS = (0.75, 0.62, 0.5)
# A square is at least so large, and specks are smaller than a square of this side; in lengths of the picture.
_LEAST, _SPECK = 0.25, 0.01
# Holes that are nearer to each other than this, in lengths of the picture, are one.
_APART = 0.02
# A pixel of a square is known where so much of it is.
_KNOWN, _LEAST_SHARE = 0.99, 1e-3
# From here on a picture has to be blurred before it is made smaller.
_SHRINKS = 1.3


def made_up(net: GroundNet, picture: Floats, holes: Flags) -> Floats:
    """A picture (h, w, 3; display 0..1) with its holes (h, w) filled.

    Each hole is looked at in squares of ``SIDE`` pixels around it, and comes out as fine as those are; specks are
    filled smoothly.
    """
    filled, length = smoothly(picture, holes), max(holes.shape)
    near = np.ones((2 * round(_APART * length / 2) + 1,) * 2, np.uint8)
    count, labels, boxes, _ = cv2.connectedComponentsWithStats(cv2.dilate(holes.astype(np.uint8), near))
    for number in range(1, count):
        here = holes & (labels == number)
        if here.sum() < (_SPECK * length) ** 2:
            continue
        left, top, width, height, _ = boxes[number]
        box = slice(top, top + height), slice(left, left + width)
        sides = [max(max(width, height) / span, _LEAST * length) for span in _SPANS]
        seen = np.mean([_seen(net, picture, holes, box, side) for side in sides], 0)
        filled[box] = np.where(here[box][..., None], seen, filled[box])
    return filled


@torch.no_grad()
def _seen(net: GroundNet, picture: Floats, holes: Flags, box: tuple[slice, slice], side: float) -> Floats:
    """What the network makes of a box of the picture, (h, w, 3), looking at a square with that side around it."""
    middle = [(part.start + part.stop - 1) / 2 for part in box]
    around = tuple(
        slice(max(0, int(m - side / 2) - 1), min(size, int(m + side / 2) + 2))
        for m, size in zip(middle, holes.shape, strict=True)
    )
    known = (~holes[around]).astype(np.float32)
    maps = np.dstack([picture[around] * known[..., None], known])
    scale = SIDE / side
    if scale * _SHRINKS < 1:
        maps = cv2.GaussianBlur(maps, (0, 0), 0.4 / scale)
    shift = [(SIDE - 1) / 2 - scale * (m - part.start) for m, part in zip(middle, around, strict=True)]
    matrix = np.array([[scale, 0, shift[1]], [0, scale, shift[0]]], np.float32)
    # What lies outside the picture is not known either.
    square = np.asarray(cv2.warpAffine(maps, matrix, (SIDE, SIDE), flags=cv2.INTER_LINEAR), np.float32)
    share, all_of_it = square[..., 3:], cv2.warpAffine(known, matrix, (SIDE, SIDE), flags=cv2.INTER_LINEAR) > _KNOWN
    begun = fill(square[..., :3] / np.maximum(share, _LEAST_SHARE), all_of_it.astype(np.float32))
    parts = (begun, (~all_of_it[..., None]).astype(np.float32))
    inputs = inputs_of(*(torch.from_numpy(part.transpose(2, 0, 1)[None].copy()) for part in parts))
    answers = net(torch.cat([inputs, inputs.flip(3)]))
    answer = ((answers[0] + answers[1].flip(2)) / 2).permute(1, 2, 0).contiguous().numpy()
    # From pixels of the box to those of the square.
    matrix[:, 2] += scale * np.array([box[1].start - around[1].start, box[0].start - around[0].start])
    size = box[1].stop - box[1].start, box[0].stop - box[0].start
    back = cv2.warpAffine(answer, matrix, size, flags=cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP)
    return np.asarray(np.clip(back, 0, 1), np.float32)

"""The finished layers of one frame: bodies from the plate, effects sharpened by it, hidden parts from other frames."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from backend.core.boxes import box_of
from backend.core.color import Floats, least
from backend.core.matte import body_color, edge_alpha, edge_neighbours, edges_as_seen, inner_color, join, softened
from backend.core.mending import missed_parts, trimmed
from backend.core.opacity import (
    corrected,
    least_opacity,
    most_undone,
    settled,
    stronger,
    with_density,
    without_density,
    without_specks,
)
from backend.core.rims import with_rims
from backend.core.silhouettes import others
from backend.stages.clean_plate import CleanPlate
from backend.stages.effects import Effects
from backend.stages.shade import Shades
from backend.stages.shot import Shot
from backend.stages.survey import cover_of, lent_body, whole_body

# From this alpha on a body hides how strong an effect is. Right beside it, where shadows are deepest, nothing does.
_BODY = 0.1
# How much of a shadow that goes on behind a body further away lies over that body: a layer is one picture, so all of it
# would darken the body, and nothing leaves a hole where the body is erased. Half is a quarter of either squared error.
# Half of what then darkens the body is undone in its own colours: too dark below the shadow by as much as it is too
# bright without, a quarter of either error again.
_OVER_BODIES, _UNDONE = np.float32(0.5), np.float32(0.5)


@dataclass(frozen=True)
class FrameLayers:
    """One frame, straight display colour; people in the order of the footage's names."""

    background: Floats
    """(H, W, 3)"""
    color: Floats
    """(N, H, W, 3)"""
    alpha: Floats
    """(N, H, W)"""


def frame_layers(shot: Shot, effects: Effects, clean: CleanPlate, shades: Shades, index: int) -> FrameLayers:
    """Build all layers of frame ``index`` (0-based)."""
    plate, masks = shot.footage.plate(index), shot.footage.masks(index)
    background = clean.frame(index)
    predicted, together = effects.frame(index, shot.footage.view)
    restless = effects.restless_at(index, shot.footage.view)
    ground = with_density(background, together)
    masks = softened(trimmed(masks, plate, ground, clean.observed(index), restless), plate, ground)
    seen = (masks.max(0) <= _BODY).astype(np.float32)
    order = shot.order[index]
    hiding = np.stack([others(masks, person) for person in range(len(masks))])
    alone = settled(corrected(predicted, together, plate, background, seen), seen, hiding)
    alone = with_rims(without_specks(alone, seen), masks, seen, plate, background, restless)
    on_bodies = alone * effects.on_people_at(index, shot.footage.view)[..., None]
    shades.lay(on_bodies, predicted, index, masks)
    over_bodies, undone = _over_bodies(on_bodies, alone, plate)
    color, alpha, bodies = np.zeros_like(alone), np.zeros_like(masks), np.zeros_like(masks)
    behind, drawn = background.copy(), np.zeros_like(seen)
    # What shines through a body's soft edge: ground under everybody's effects, and the bodies further away.
    shown = ground.copy()
    for rank, person in enumerate(order):
        body_alpha, body = _body(shot, shades, index, person, plate, masks, shown)
        bodies[person] = body_alpha
        effect, fallen = alone[person], over_bodies[person] * drawn[..., None]
        # Elsewhere the layer is empty.
        here = box_of((body_alpha > 0) | effect.any(-1) | fallen.any(-1))
        body_alpha, body, masked = body_alpha[here], body[here], masks[person][here]
        # A body hides most of the shadow on the ground behind it, but for one that falls on the body, ...
        ground_alpha, ground_color = least_opacity(with_density(background[here], effect[here]), background[here])
        fallen_alpha, fallen_color = least_opacity(with_density(behind[here], fallen[here]), behind[here])
        shadow = join(fallen_alpha, fallen_color, ground_alpha * (1 - drawn[here]), ground_color)
        shown[here] = body * body_alpha[..., None] + (1 - body_alpha[..., None]) * shown[here]
        # ... which is not in the body's own colours; nor is half of the other, but where the order may be wrong.
        told = shot.order_told[person]
        lighter = [(undone if told[other] else on_bodies)[other][here] for other in order[rank + 1 :]]
        own = without_density(body, np.sum([np.zeros_like(body), *lighter], axis=0) * (masked > 0)[..., None])
        mine, color[person][here] = join(body_alpha, own, *shadow)
        alpha[person][here] = mine
        behind[here] = color[person][here] * mine[..., None] + (1 - mine[..., None]) * behind[here]
        drawn = np.maximum(drawn, masks[person])
    missed, shown = missed_parts(plate, behind, restless, masks, _whole(shot, index, masks))
    for person, part in enumerate(missed):
        alpha[person], color[person] = join(part, shown, alpha[person], color[person])
    color = edges_as_seen(plate, background, color, alpha, bodies, order)
    return FrameLayers(background, color, alpha)


def _over_bodies(on_bodies: Floats, alone: Floats, plate: Floats) -> tuple[Floats, Floats]:
    """Densities (N, H, W, 3) of everybody's effect over bodies further away, and how much these are brighter for it.

    Args:
        on_bodies: what falls on them.
        alone: what lies on the ground behind them.
        plate: (H, W, 3) display values.
    """
    more = stronger(on_bodies, _OVER_BODIES * alone) - on_bodies
    # A body that is nearly white cannot be brightened as much: then less lies over it.
    room = np.maximum(most_undone(plate, more) - np.abs(on_bodies), 0)
    possible = 1 - _UNDONE + room / np.maximum(np.abs(more), np.float32(1e-4))
    more = more * np.minimum(least(possible), 1)[..., None]
    return on_bodies + more, on_bodies + _UNDONE * more


def _whole(shot: Shot, index: int, masks: Floats) -> Floats:
    """(N, H, W): the bodies of a frame, each as large as the frame that it borrows from shows it."""
    lent = (lent_body(shot, index, person) for person in range(len(masks)))
    return np.stack([own if body is None else np.maximum(own, body) for own, body in zip(masks, lent, strict=True)])


def _body(
    shot: Shot, shades: Shades, index: int, person: int, plate: Floats, masks: Floats, behind: Floats
) -> tuple[Floats, Floats]:
    """Alpha (H, W) and straight colour (H, W, 3) of a person's body, covered parts included."""
    beside = edge_neighbours(plate, masks[person], cover_of(shot, index, person, masks), behind)
    visible = edge_alpha(plate, masks[person], beside)
    color = body_color(plate, visible, beside)
    found = shot.borrowed[index][person]
    if found is None:
        return visible, color
    lender = inner_color(shades.lit(found.frame, person), shot.footage.masks(found.frame)[person])
    lent = found.laid(lender) * shot.gains[index]
    whole = np.maximum(visible, whole_body(shot, index, person, masks))
    share = ((whole - visible) / np.maximum(whole, 1e-6))[..., None]
    return whole, np.asarray(color + share * (lent - color), np.float32)

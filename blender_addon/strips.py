"""The strips that layers became: whose they are, what they show, and whether anything was retimed."""

from __future__ import annotations

from collections.abc import Iterable

from .compat import Scene, Strip, content_end, content_start, left_handle, right_handle

# Stored on each strip, so that it survives renaming, copying, saving and grouping.
SHOT, SUBJECT, ROLE = "retime_people_shot", "retime_people_subject", "retime_people_role"
HIDDEN_BY_US, PIECES = "retime_people_hidden", "retime_people_pieces"
BAKED = "baked"
"""Role of a strip that shows pictures in between in place of one that keeps the keys and is muted meanwhile."""
UNFINISHED = "unfinished"
"""Role of a strip while its layer is being loaded."""
BAKE, WAS_MUTED = "retime_people_bake", "retime_people_was_muted"
UNFOLDED = "retime_people_unfolded"
"""Set where a strip's list of pictures repeats or turns round, which Blender's retiming keys can't say."""


def mark(strip: Strip, shot: str, role: str, subject: str = "") -> None:
    """Note on a strip which shot it belongs to, what it is, and whose."""
    strip[SHOT], strip[ROLE], strip[SUBJECT] = shot, role, subject


def layer_strips(scene: Scene, shot: str = "", role: str = "") -> list[Strip]:
    """All strips made from layers, of one shot and one role where these are given, lowest channel first."""
    editor = scene.sequence_editor
    found = [strip for strip in editor.strips_all if strip.get(SHOT)] if editor else []
    found = [s for s in found if shot in ("", s[SHOT]) and role in ("", s[ROLE])]
    return sorted(found, key=lambda strip: (strip.channel, left_handle(strip)))


def people(scene: Scene) -> list[str]:
    """The names of all people who have strips, each once, furthest back first."""
    return list(dict.fromkeys(strip[SUBJECT] for strip in layer_strips(scene, role="subject")))


def pieces_of(scene: Scene, person: str) -> list[Strip]:
    """All strips of one person; several where the person stands now behind, now in front of others."""
    return [strip for strip in layer_strips(scene, role="subject") if strip[SUBJECT] == person]


def shown_pieces(scene: Scene, person: str) -> list[Strip]:
    """The strips that a person is seen by: the baked ones of somebody who is baked, else the person's own."""
    baked = [strip for strip in layer_strips(scene, role=BAKED) if strip[SUBJECT] == person]
    return baked or pieces_of(scene, person)


def active_person(scene: Scene) -> str:
    """The person whose strip is active; empty when it is nobody's."""
    editor = scene.sequence_editor
    strip = editor.active_strip if editor else None
    return strip[SUBJECT] if strip and strip.get(ROLE) in ("subject", BAKED) else ""


def select_person(scene: Scene, person: str) -> None:
    """Make a person's strips the selected ones, unless the active strip is the person's already."""
    pieces = shown_pieces(scene, person)
    if not pieces or active_person(scene) == person:
        return
    for strip in scene.sequence_editor.strips_all:
        strip.select = strip in pieces
    scene.sequence_editor.active_strip = pieces[0]


def is_hidden(scene: Scene, person: str) -> bool:
    """True when none of a person's strips is seen."""
    return all(piece.mute for piece in shown_pieces(scene, person))


def shots(scene: Scene) -> list[str]:
    """The shots that were loaded into this scene."""
    return list(dict.fromkeys(strip[SHOT] for strip in layer_strips(scene)))


def background_of(scene: Scene, shot: str) -> Strip | None:
    """The background of a shot, which tells where the shot lies in time."""
    return next(iter(layer_strips(scene, shot, "background")), None)


def files_of(strip: Strip) -> list[str]:
    """The names of the strip's pictures in the order of the source, each once."""
    names = [element.filename for element in strip.elements]
    return sorted(set(names), key=lambda name: (len(name), name)) if strip.get(UNFOLDED) else names


def source_frames(strip: Strip, frames: Iterable[int]) -> list[int]:
    """What Blender shows: for each timeline frame the index, from 0, of the strip's source frame."""
    index = {name: i for i, name in enumerate(files_of(strip))}
    return [index[strip.strip_elem_from_frame(frame).filename] for frame in frames]


def seen_frames(strip: Strip) -> range:
    """The timeline frames on which a strip is seen."""
    return range(left_handle(strip), right_handle(strip))


def is_retimed(strip: Strip, start: int) -> bool:
    """True unless the strip shows its own frames one after the other, the first at frame ``start``."""
    if content_start(strip) != start or strip.use_reverse_frames or strip.strobe > 1 or strip.get(UNFOLDED):
        return True
    length = len(strip.elements)
    if len(strip.retiming_keys) <= 2:
        return content_end(strip) - start != length
    wanted = [min(max(frame - start, 0), length - 1) for frame in seen_frames(strip)]
    return source_frames(strip, seen_frames(strip)) != wanted


def is_altered(scene: Scene, shot: str) -> bool:
    """True when the layers of a shot no longer add up to the plate: somebody is retimed, hidden, gone or doubled."""
    background = background_of(scene, shot)
    if background is None or background.mute:
        return True
    start = content_start(background)
    pieces = layer_strips(scene, shot, "subject")
    if len(pieces) != background.get(PIECES, len(pieces)):
        return True
    return any(piece.mute or is_retimed(piece, start) for piece in [background, *pieces])


def refresh_residuals(scene: Scene) -> bool:
    """Hide the residual of every shot that is altered, show it again where all is as it was; True if any changed.

    The residual is what the layers leave unexplained at the original timing; it is wrong at any other.
    """
    changed = False
    for residual in layer_strips(scene, role="residual"):
        altered = is_altered(scene, residual[SHOT])
        if altered and not residual.mute:
            residual.mute, residual[HIDDEN_BY_US] = True, True
            changed = True
        elif not altered and residual.mute and residual.get(HIDDEN_BY_US):
            residual.mute, residual[HIDDEN_BY_US] = False, False
            changed = True
    return changed

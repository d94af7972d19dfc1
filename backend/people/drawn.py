"""Whom of the people that were tracked the artist has drawn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from backend.core.color import Floats
from backend.people.detect import Figure, overlap
from backend.people.segmenter import place_of
from backend.people.track import Track

_LEAST_OVERLAP = 0.25
# A track may begin so many frames after the drawing, or end before it.
_LONGEST_WAIT = 12
_STRIDE = 4
_HIT = 0.26


def tracked_as(hints: Sequence[Mapping[int, Floats]], tracks: Sequence[Track], frames: int) -> list[dict[int, Figure]]:
    """Where each drawn person is, by frame, from the tracks that lie under the drawn masks.

    In each frame the nearest drawing says which track is the person's; so a second drawing mends a track that goes over
    from one person to another. Nobody is two people: a figure that two would have goes to the nearer drawing.

    Args:
        hints: per person the drawn masks (h, w) by frame (0-based).
        tracks: everybody who was tracked.
        frames: how many frames there are.
    """
    owners = [_owners(drawn, tracks) for drawn in hints]
    people: list[dict[int, Figure]] = [{} for _ in hints]
    for index in range(frames):
        claims = sorted((min(abs(index - at) for at in known), person) for person, known in enumerate(owners) if known)
        taken: set[int] = set()
        for _, person in claims:
            nearest = min(owners[person], key=lambda at: (abs(index - at), at))
            number = owners[person][nearest]
            if number is not None and number not in taken and index in tracks[number].figures:
                taken.add(number)
                people[person][index] = tracks[number].figures[index]
    return people


def _owners(drawn: Mapping[int, Floats], tracks: Sequence[Track]) -> dict[int, int | None]:
    """For each drawn frame the number of the track under the mask, None where there is none."""
    found: dict[int, int | None] = {}
    for index, mask in drawn.items():
        place = place_of(mask)
        if place is None:
            continue
        body = Figure(place.x, place.y, place.height, 1.0)
        shares = [_share(body, mask, index, track) for track in tracks]
        best = max(range(len(tracks)), key=shares.__getitem__, default=-1)
        found[index] = best if best >= 0 and shares[best] > _LEAST_OVERLAP else None
    return found


def _share(body: Figure, mask: Floats, index: int, track: Track) -> float:
    """How much a drawn body lies on a track, which stays or goes on where it isn't known in the body's frame."""
    nearest = min(track.figures, key=lambda at: abs(at - index))
    gap = index - nearest
    if abs(gap) > _LONGEST_WAIT:
        return 0.0
    figure = track.figures[nearest]
    places = [figure]
    inner = nearest - _STRIDE if gap > 0 else nearest + _STRIDE
    if gap and inner in track.figures:
        before, pace = track.figures[inner], gap / (nearest - inner)
        places.append(figure.moved(pace * (figure.x - before.x), pace * (figure.y - before.y)))
    return max(max(overlap(body, place), _HIT if _lies_on(place, mask) else 0.0) for place in places)


def _lies_on(figure: Figure, mask: Floats) -> bool:
    """Whether the middle of a figure is part of a body: outstretched arms make the one look larger than the other."""
    height, width = mask.shape
    x, y = round(figure.x), round(figure.y)
    return bool(0 <= x < width and 0 <= y < height and mask[y, x] > 0.5)

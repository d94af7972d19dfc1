"""What one way of looking has found, completed by another: who is new, whose pieces are joined, who was cut short."""

from __future__ import annotations

from backend.people.completed import completed
from backend.people.detect import Figure
from backend.people.track import Track


def track(first: int, last: int, x: float, y: float = 80.0, height: float = 100.0, score: float = 1.0) -> Track:
    return Track({index: Figure(x, y, height, score) for index in range(first, last + 1)})


def spans(tracks: list[Track]) -> list[tuple[int, int, float]]:
    return sorted((t.first, t.last, t.figures[t.first].height) for t in tracks)


def test_who_was_not_found_is_added() -> None:
    assert spans(completed([track(0, 30, 50)], [track(0, 30, 52), track(5, 25, 200)])) == [(0, 30, 100), (5, 25, 100)]


def test_who_was_hardly_seen_is_not() -> None:
    assert spans(completed([track(0, 30, 50)], [track(5, 10, 200), track(5, 25, 300, score=0.3)])) == [(0, 30, 100)]


def test_what_is_known_is_believed_where_it_is_known() -> None:
    (found,) = completed([track(4, 20, 50, height=96.0)], [track(0, 30, 55, height=104.0)])
    assert [found.figures[i].height for i in (0, 4, 20, 21, 30)] == [104, 96, 96, 104, 104]


def test_pieces_of_one_person_are_joined() -> None:
    pieces = [track(0, 10, 50), track(20, 30, 52)]
    (found,) = completed(pieces, [track(0, 30, 51)])
    assert sorted(found.figures) == list(range(31))


def test_legs_become_a_person() -> None:
    legs = track(6, 16, 100, y=105.0, height=55.0)
    assert spans(completed([legs], [track(0, 30, 100)])) == [(0, 30, 100)]
    # Who was seen as long is known well enough.
    long = track(0, 30, 100, y=105.0, height=55.0)
    assert spans(completed([long], [track(0, 30, 100)])) == [(0, 30, 55)]


def test_one_who_would_be_two_at_once_is_left_out() -> None:
    both = [track(0, 30, 50), track(0, 30, 75)]
    assert spans(completed(both, [track(0, 30, 62)])) == spans(both)


def test_who_was_added_is_not_taken_for_a_known_one() -> None:
    # The one who stays is known to the network alone, until she is hidden: who is seen there then may be either.
    walker = Track({index: Figure(20.0 * index, 80.0, 100.0, 1.0) for index in range(16)})
    walked, stayed = completed([walker], [track(0, 9, 230)])
    assert sorted(stayed.figures) == list(range(10))
    doubtful = {index for index, figure in walked.figures.items() if figure.score == 0}
    assert doubtful == {10, 11, 12, 13}

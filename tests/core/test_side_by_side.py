from __future__ import annotations

import threading
import time

import pytest

from backend.core.side_by_side import in_order, over


def test_results_come_in_order() -> None:
    def slow_at_first(index: int) -> int:
        time.sleep(0.02 if index % 3 == 0 else 0)
        return index**2

    assert list(in_order(slow_at_first, 11)) == [index**2 for index in range(11)]
    assert list(in_order(slow_at_first, 0)) == []


def test_a_fault_is_raised_where_it_is_met_and_ends_the_work() -> None:
    begun: list[int] = []

    def work(index: int) -> int:
        begun.append(index)
        if index == 3:
            raise ValueError("the fourth")
        return index

    results = in_order(work, 1000)
    with pytest.raises(ValueError, match="the fourth"):
        for _ in results:
            pass
    assert len(begun) < 20


def test_whoever_stops_listening_leaves_no_thread_behind() -> None:
    before = threading.active_count()
    results = in_order(lambda index: index, 100)
    assert next(results) == 0
    results.close()
    assert threading.active_count() == before


def test_what_needs_much_memory_is_done_one_at_a_time() -> None:
    lock, together = threading.Lock(), 0

    def alone(index: int) -> int:
        nonlocal together
        assert lock.acquire(blocking=False)
        together += 1
        time.sleep(0.002)
        lock.release()
        return index

    assert list(over(alone, range(5), memory=1 << 40)) == [0, 1, 2, 3, 4]
    assert together == 5

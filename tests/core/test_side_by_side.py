from __future__ import annotations

import math
import os
import subprocess
import sys
import threading
import time

import pytest

from backend.core import side_by_side
from backend.core.side_by_side import in_order, in_processes, over


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


def test_processes_are_others_and_their_results_come_in_order(monkeypatch) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    assert in_processes(math.factorial, [5, 3, 4]) == [120, 6, 24]
    assert os.getpid() not in in_processes(_process, [0, 1])


def test_a_fault_in_a_process_is_raised_here(monkeypatch) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    with pytest.raises(ValueError, match="factorial"):
        in_processes(math.factorial, [3, -1])


def test_without_processes_the_work_is_done_here(monkeypatch) -> None:
    def refused(*_arguments: object) -> None:
        raise PermissionError("no more processes")

    monkeypatch.setattr(side_by_side, "ProcessPoolExecutor", refused)
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    assert in_processes(_process, [0, 1]) == [os.getpid()] * 2
    monkeypatch.setattr(os, "cpu_count", lambda: 1)
    assert in_processes(_process, [0, 1]) == [os.getpid()] * 2


def test_a_process_that_is_killed_is_made_up_for_here(monkeypatch) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    here = os.getpid()
    assert in_processes(_dies_elsewhere, [here, here]) == [here, here]


def test_processes_end_with_the_one_that_they_work_for() -> None:
    code = (
        "import os; os.cpu_count = lambda: 2\n"
        "from backend.core.side_by_side import in_processes\n"
        "from tests.core.test_side_by_side import _begins\n"
        "in_processes(_begins, [60, 60])\n"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as program:
        assert program.stdout is not None
        assert program.stdout.readline() == b"begun\n"
        program.kill()
        # They hold its output open for as long as they live.
        assert program.communicate(timeout=30)[0] in (b"", b"begun\n")


def _begins(seconds: float) -> None:
    os.write(1, b"begun\n")
    time.sleep(seconds)


def _process(_item: int) -> int:
    return os.getpid()


def _dies_elsewhere(here: int) -> int:
    if os.getpid() != here:
        os._exit(9)
    return here

"""What earlier jobs say about the time of the next one."""

from __future__ import annotations

import json

import pytest

from tests.addon import plain

timings = plain.load("timings")


def description(folder, preset="draft", seconds=20.0, **changes):
    data = {
        "frames": 10,
        "width": 100,
        "height": 50,
        "layers": [{"role": "background"}, {"role": "subject"}, {"role": "subject"}],
        "settings": {"preset": preset},
        "metrics": {"seconds": seconds},
        **changes,
    }
    file = folder / "layers.json"
    file.write_text(json.dumps(data))
    return file


def test_a_job_tells_its_time(tmp_path):
    found = timings.timing_of(description(tmp_path))
    assert (found.preset, found.work, found.seconds) == ("draft", 10 * 100 * 50 * 2, 20.0)


@pytest.mark.parametrize("changes", [{"metrics": {}}, {"frames": 0}, {"settings": {}}, {"layers": []}])
def test_a_job_that_tells_nothing(tmp_path, changes):
    assert timings.timing_of(description(tmp_path, **changes)) is None
    assert timings.timing_of(tmp_path / "missing.json") is None


def test_the_middle_of_the_same_preset(tmp_path):
    file = tmp_path / "timings.json"
    for seconds in (10, 20, 90):
        timings.keep_timing(file, timings.Timing("draft", 100.0, seconds))
    timings.keep_timing(file, timings.Timing("best", 100.0, 500))
    found = timings.estimate(timings.read_timings(file), "draft", 200.0)
    assert (found.seconds, found.known_from) == (40.0, 3)
    assert timings.estimate(timings.read_timings(file), "standard", 200.0) is None


def test_the_newest_are_kept(tmp_path):
    file = tmp_path / "timings.json"
    for seconds in range(1, timings.KEPT + 11):
        timings.keep_timing(file, timings.Timing("draft", 1.0, seconds))
    kept = timings.read_timings(file)
    assert (len(kept), kept[-1].seconds) == (timings.KEPT, timings.KEPT + 10)


def test_a_damaged_file_costs_nothing_but_the_estimate(tmp_path):
    file = tmp_path / "timings.json"
    file.write_text("[{]")
    assert timings.read_timings(file) == ()
    timings.keep_timing(file, timings.Timing("draft", 1.0, 1.0))
    assert len(timings.read_timings(file)) == 1

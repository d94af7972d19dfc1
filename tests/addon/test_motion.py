"""Motion as numbers, without Blender."""

from __future__ import annotations

import numpy as np
import pytest

from tests.addon import plain

motion = plain.load("motion")
curve = plain.load("retime_curve")


def steps(length: int, period: float, phase: float = 0.0) -> np.ndarray:
    """Two channels, one swinging twice as fast and half as far."""
    t = 2 * np.pi * (np.arange(length) - phase) / period
    return np.stack([np.cos(t), 0.5 * np.cos(2 * t + 0.4)], axis=1)


@pytest.mark.parametrize("shift", [-5, -1, 0, 3, 5])
def test_shift_of_periodic_motion(shift):
    found = motion.best_alignment(steps(60, 16), steps(60, 16, shift))
    assert found.shift == shift
    assert found.fit > 0.99


def test_one_jump_is_found_far_away():
    jump = np.zeros((80, 1))
    jump[20:30, 0] = np.hanning(10)
    found = motion.best_alignment(jump, np.roll(jump, 25, axis=0))
    assert found.shift == 25


def test_tempo():
    found = motion.best_alignment(steps(90, 20), steps(60, 15), motion.TEMPOS)
    assert found.tempo == pytest.approx(20 / 15, rel=0.08)
    assert found.fit > 0.9


def test_noise_fits_nothing():
    random = np.random.default_rng(1)
    assert motion.best_alignment(random.random((60, 4)), random.random((60, 4))).fit < 0.6


def test_unequal_lengths_and_stillness():
    assert motion.best_alignment(np.zeros((5, 2)), np.zeros((50, 2))).fit == 0
    assert abs(motion.best_alignment(steps(10, 8), steps(50, 8)).shift) <= 8


def body(height: int, stride: float) -> np.ndarray:
    mask = np.zeros((80, 100), np.float32)
    mask[70 - height : 70 - height // 3, 45:55] = 1
    mask[70 - height // 3 : 70, int(50 - stride * height) : int(50 + stride * height)] = 1
    return mask


def test_posture_does_not_depend_on_size_and_place():
    near, far = motion.posture(body(60, 0.2)), motion.posture(np.roll(body(30, 0.2), 20, axis=1))
    assert near[[0, 1]] == pytest.approx(far[[0, 1]], rel=0.15)
    assert motion.posture(body(60, 0.3))[1] > near[1] * 1.2
    assert not motion.posture(np.zeros((8, 8), np.float32)).any()


def test_signal_bridges_where_nobody_is_seen():
    postures = np.array([motion.posture(body(60, 0.1 + 0.05 * (i % 4))) for i in range(24)])
    postures[7] = 0
    signal = motion.signal(postures)
    assert signal.shape == (24, 4)
    assert np.isfinite(signal).all()
    assert not motion.signal(np.zeros((6, 5), np.float32)).any()


@pytest.mark.parametrize(("start", "end"), [(1, 0), (0, 1), (1, 0.25), (0.5, 2), (1, 1)])
def test_a_ramp_changes_its_speed_evenly(start, end):
    times = [curve.eased(share / 100, start, end) for share in range(101)]
    assert times[0] == pytest.approx(0)
    assert times[-1] == pytest.approx(1)
    mean = (start + end) / 2
    ways = [(start * t + (end - start) * t * t / 2) / mean for t in times]
    assert ways == pytest.approx([share / 100 for share in range(101)], abs=1e-6)


def test_loops_and_turns():
    assert curve.looped([0, 1, 2, 3], 1, 2, 2, False) == [0, 1, 2, 1, 2, 1, 2, 3]
    assert curve.looped([0, 1, 2, 3], 0, 2, 2, True) == [0, 1, 2, 1, 0, 1, 2, 3]
    assert curve.turned([0, 1, 2, 3, 4], 1, 3) == [0, 3, 2, 1, 4]

"""Jointed figures made of capsules, moving in ways that nobody has planned."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Points = npt.NDArray[np.float64]

# Angles (radians) of a limb swing around an offset; (offset low, high, swing low, high).
_LIMBS = {
    "thigh": (-0.25, 0.45, 0.0, 0.6),
    "knee": (-0.9, 0.0, 0.0, 0.5),
    "leg_out": (0.02, 0.25, 0.0, 0.1),
    "shoulder": (-0.6, 2.6, 0.0, 1.0),
    "arm_out": (0.05, 0.9, 0.0, 0.5),
    "elbow": (0.0, 1.6, 0.0, 0.6),
}
# Which capsules are forearms, arms, feet, and legs from the knee down; what hangs on the trunk comes after them.
LIMBS = ((3,), (8,), (2, 3), (7, 8), (6,), (11,), (5, 6), (10, 11))
EXTRAS = 12
_STILL = 0.35
_JUMPS = 0.2
_WALKS = 0.45


@dataclass(frozen=True)
class Capsules:
    """A figure in one frame: K capsules from a to b (metres, y up) with a radius at either end."""

    a: Points
    b: Points
    radius_a: npt.NDArray[np.float64]
    radius_b: npt.NDArray[np.float64]

    def mirrored(self, plane: npt.NDArray[np.float64]) -> Capsules:
        """The figure behind a mirror; ``plane`` is (normal, distance)."""
        normal, distance = plane[:3], plane[3]

        def behind(p: Points) -> Points:
            return np.asarray(p - 2 * ((p @ normal) - distance)[:, None] * normal)

        return Capsules(behind(self.a), behind(self.b), self.radius_a, self.radius_b)

    def without(self, parts: Sequence[int]) -> Capsules:
        """The figure with some of its capsules (see ``LIMBS``) left out."""
        kept = np.setdiff1d(np.arange(len(self.a)), parts)
        return Capsules(self.a[kept], self.b[kept], self.radius_a[kept], self.radius_b[kept])


class Figure:
    """One person: proportions, habits, a path."""

    def __init__(self, rng: np.random.Generator, place: npt.NDArray[np.float64]) -> None:
        """``place`` is (x, z) in metres at the middle of the clip."""
        self._place = place
        self._size = rng.uniform(0.65, 1.1)
        self._build = rng.uniform(0.85, 1.25)
        self._heading = rng.uniform(0, 2 * np.pi)
        self._rate = rng.uniform(0.5, 1.4)
        still = rng.random() < _STILL
        self._jump = rng.uniform(0.1, 0.5) if not still and rng.random() < _JUMPS else 0.0
        walks = not still and not self._jump and rng.random() < _WALKS / (1 - _STILL)
        self._speed = rng.uniform(0.5, 1.8) if walks else 0.0
        self.manner = "stands" if still else "jumps" if self._jump else "walks" if walks else "dances"
        if walks and rng.random() < 0.7:
            self._heading = rng.choice([0, np.pi]) + rng.normal(0, 0.3)
        lively = rng.uniform(0.0, 0.25) if still else 1.0
        self._habits = {
            (limb, side): self._habit(rng, spread, lively, walks) for limb, spread in _LIMBS.items() for side in (0, 1)
        }
        self._phases = rng.uniform(0, 2 * np.pi, 4)
        self._lean, self._sway = rng.normal(0, 0.1), 0.05
        self._extras = [self._extra(rng) for _ in range(rng.integers(0, 3))]

    def _habit(
        self, rng: np.random.Generator, spread: tuple[float, float, float, float], lively: float, walks: bool
    ) -> tuple[float, float, float, float]:
        low, high, least, most = spread
        if walks:
            low, high = 0.35 * low, 0.2 * high
        return rng.uniform(low, high), lively * rng.uniform(least, most), rng.integers(1, 3), rng.uniform(0, 2 * np.pi)

    def _extra(self, rng: np.random.Generator) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64], float]:
        """A bag, a skirt, long hair: something that hangs on the trunk."""
        top = np.array([rng.normal(0, 0.15), rng.uniform(-0.1, 0.6), rng.normal(0, 0.15)])
        return top, top + rng.normal(0, 0.15, 3), rng.uniform(0.05, 0.2)

    def stand_by(self, other: Figure, away: npt.NDArray[np.float64]) -> None:
        """Go where another is, ``away`` metres (x, z) from there."""
        self._place = other._place + away

    def stay(self, rng: np.random.Generator) -> None:
        """Never leave the place, and move no more than perhaps one arm."""
        self._speed = self._jump = 0.0
        self._sway *= rng.uniform(0, 1)
        self.manner = "stands"
        busy = int(rng.integers(-1, 2))
        for limb, which in self._habits:
            if which != busy or limb not in ("shoulder", "elbow"):
                offset, swing, times, phase = self._habits[limb, which]
                self._habits[limb, which] = offset, swing * rng.uniform(0, 0.15), times, phase

    def at(self, seconds: float) -> Capsules:
        """The figure at a time."""
        turn = 2 * np.pi * self._rate * seconds
        forward = np.array([np.cos(self._heading), 0, np.sin(self._heading)])
        side = np.array([-forward[2], 0, forward[0]])
        up = np.array([0.0, 1, 0])

        def angle(limb: str, which: int) -> float:
            offset, swing, times, phase = self._habits[limb, which]
            opposite = np.pi * which + (np.pi if limb == "shoulder" else 0)
            shared = self._phases[0] if self._speed else phase
            return float(offset + swing * np.sin(times * turn + shared + opposite))

        def direction(pitch: float, out: float, which: int) -> Points:
            sign = 1 - 2 * which
            flat = -np.cos(pitch) * up + np.sin(pitch) * forward
            return np.asarray(np.cos(out) * flat + np.sin(out) * sign * side)

        lean = self._lean + self._sway * np.sin(turn + self._phases[1])
        trunk = np.cos(lean) * up + np.sin(lean) * forward
        hip = np.zeros(3)
        neck = hip + 0.55 * trunk
        parts = [(hip, neck, 0.14, 0.16), (neck + 0.15 * trunk, neck + 0.2 * trunk, 0.1, 0.1)]
        for which in (0, 1):
            sign = 1 - 2 * which
            shoulder = neck + 0.17 * sign * side - 0.03 * trunk
            elbow = shoulder + 0.29 * direction(angle("shoulder", which), angle("arm_out", which), which)
            bend = angle("shoulder", which) + angle("elbow", which)
            hand = elbow + 0.3 * direction(bend, 0.5 * angle("arm_out", which), which)
            parts += [(shoulder, elbow, 0.055, 0.045), (elbow, hand, 0.045, 0.04)]
            joint = hip + 0.09 * sign * side
            knee = joint + 0.43 * direction(angle("thigh", which), angle("leg_out", which), which)
            shin = angle("thigh", which) + angle("knee", which)
            foot = knee + 0.43 * direction(shin, 0.5 * angle("leg_out", which), which)
            toe = foot + 0.14 * forward - 0.02 * up
            parts += [(joint, knee, 0.085, 0.06), (knee, foot, 0.055, 0.04), (foot, toe, 0.045, 0.035)]
        parts += [(hip + top, hip + end, radius, radius) for top, end, radius in self._extras]
        a, b = (np.array([part[k] for part in parts]) for k in (0, 1))
        radius_a, radius_b = (self._build * np.array([part[k] for part in parts]) for k in (2, 3))
        lowest = min((a[:, 1] - radius_a)[2:].min(), (b[:, 1] - radius_b)[2:].min())
        bounce = self._jump * max(0.0, np.sin(turn + self._phases[2])) ** 1.5
        shift = np.array([0, bounce - lowest, 0])
        where = np.array([self._place[0], 0, self._place[1]]) + self._speed * seconds * forward
        size = self._size
        return Capsules(size * (a + shift) + where, size * (b + shift) + where, size * radius_a, size * radius_b)

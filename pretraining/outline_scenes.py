"""Drawn places in which outlines are known: people dressed as people are, and light that is cheap to mix."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from backend.core.color import Floats
from pretraining.figures import Capsules
from pretraining.scenes import Scene
from pretraining.world import covered, outline

SIDE = 200
_IN_CONTACT = 0.5


class OutlineScene(Scene):
    """A drawn place in which frames are cheap: shadows are mixed from a lit and an unlit picture."""

    def __init__(self, rng: np.random.Generator, people: int, size: tuple[int, int] = (SIDE, SIDE)) -> None:
        super().__init__(rng, size, people)
        if people > 1 and rng.random() < _IN_CONTACT:
            self.figures[1].stand_by(self.figures[0], rng.normal(0, [0.35, 0.5]))
        self._lit_picture = self._shown(self._lit([]))
        self._unlit_picture = self._shown(np.asarray(self._ambient, np.float32))
        self.ground = self._small(self._lit_picture)
        """(h, w, 3): the empty place."""
        self._clothes = [self._dressed() for _ in self.figures]

    def _dressed(self) -> tuple[Floats, Floats]:
        """Colours per part, and a pattern over the picture."""
        rng = self._rng
        colors = (self._everyday if rng.random() < 0.5 else self._motley)()
        if rng.random() < 0.25:
            row, column = rng.integers(0, self._lit_picture.shape[0], 2)
            colors = 0.5 * colors + 0.5 * self._lit_picture[row, column]
        return np.asarray(np.clip(colors, 0, 1), np.float32), self._pattern()

    def _everyday(self) -> Floats:
        """Shirt, skin, trousers and shoes, as people are dressed."""
        rng = self._rng
        skin = np.array([0.85, 0.62, 0.5]) * rng.uniform(0.25, 1.15) * rng.uniform(0.9, 1.1, 3)
        shirt, trousers, shoes, bag = (rng.uniform(0.02, 0.95) * rng.uniform(0.5, 1, 3) for _ in range(4))
        if rng.random() < 0.4:
            shoes = np.full(3, rng.choice([0.05, 0.9]))
        arm = shirt if rng.random() < 0.7 else skin
        limbs = [arm, shirt if rng.random() < 0.4 else skin, trousers, trousers if rng.random() < 0.7 else skin, shoes]
        parts = [shirt, rng.uniform(0.02, 0.6) * skin if rng.random() < 0.3 else skin, *limbs, *limbs, *[bag] * 8]
        return np.asarray(np.stack(parts) * rng.uniform(0.9, 1.1, (20, 1)), np.float32)

    def _motley(self) -> Floats:
        """Any colour anywhere."""
        rng = self._rng
        if rng.random() < 0.4:
            return np.asarray(rng.uniform(0.02, 0.95, (20, 3)), np.float32)
        palette = rng.uniform(0.02, 0.95, (4, 3)) * rng.uniform(0.2, 1)
        colors = palette[rng.integers(0, 4, 20)] * rng.uniform(0.85, 1.15, (20, 1))
        colors[2:8] = palette[0] if rng.random() < 0.5 else colors[2:8]
        return np.asarray(colors, np.float32)

    def _pattern(self) -> Floats:
        """What a cloth adds to its colour, times 1 in the mean, over the whole picture: blots, checks or stripes."""
        rng, (height, width) = self._rng, self._lit_picture.shape[:2]
        grain = int(rng.integers(3, 40))
        cells = [height // grain + 2, width // grain + 2]
        if rng.random() < 0.25:
            cells[rng.integers(2)] = 1
        coarse = rng.normal(0, rng.uniform(0, 0.35), cells).astype(np.float32)
        way = rng.choice([cv2.INTER_NEAREST, cv2.INTER_CUBIC])
        return np.asarray(1 + cv2.resize(coarse, (width, height), interpolation=way), np.float32)

    def drawn(self, seconds: float) -> tuple[Floats, Floats, Floats]:
        """Picture (h, w, 3), background (h, w, 3), and everybody's visible mask (N, h, w) at one moment."""
        figures = [figure.at(seconds) for figure in self.figures]
        taken = [self.shadow(figure) for figure in figures]
        sun = np.prod([1 - sunless for sunless, _ in taken], 0)[..., None]
        sky = np.prod([1 - skyless for _, skyless in taken], 0)[..., None]
        ground = (self._unlit_picture + sun * (self._lit_picture - self._unlit_picture)) * sky
        for figure, (colors, _) in zip(figures, self._clothes, strict=True):
            color, amount = self.reflection(figure, colors)
            ground = ground + amount[..., None] * (color - ground)
        picture, masks = self._bodies(np.asarray(ground, np.float32), figures)
        return self._small(picture), self.ground, self._small(masks)

    def _bodies(self, ground: Floats, figures: list[Capsules]) -> tuple[Floats, Floats]:
        picture = ground.copy()
        masks = np.stack([covered(self.view, outline(self.view, figure)) for figure in figures])
        far_to_near = np.argsort([-figure.a[0, 2] for figure in figures])
        for place, person in enumerate(far_to_near):
            colors, pattern = self._clothes[person]
            color, mask = self._body(figures[person], colors)
            hip = self.view.project(figures[person].a[:1])[0][0]
            worn = np.roll(pattern, (round(hip[1]), round(hip[0])), (0, 1))
            shade = cv2.GaussianBlur(mask, (0, 0), 4)[..., None] * 0.4 + 0.7
            picture = np.where(mask[..., None] > 0, np.clip(color * worn[..., None] * shade, 0, 1), picture)
            for behind in far_to_near[:place]:
                masks[behind] = np.where(mask > 0, 0, masks[behind])
        return np.asarray(picture, np.float32), masks

    def spoilt(self, seconds: float, person: int, lost: Sequence[int]) -> Floats:
        """(h, w): where somebody is, whether others cover it or not, without some capsules of the figure."""
        rest = self.figures[person].at(seconds).without(lost)
        return self._small(covered(self.view, outline(self.view, rest))[None])[0]

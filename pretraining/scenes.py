"""Drawn scenes with known answers: people, their shadows and reflections, each alone and together.

Light is added up in linear values and shown encoded, as a camera does. Only how light falls is taken from nature;
places, people and clothes are random.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from backend.core.color import Floats, linear_to_srgb
from pretraining.figures import Capsules, Figure
from pretraining.world import View, covered, outline, shadow_outline, texture

_OVERSAMPLED = 2
_GROUND = np.array([0.0, 1, 0, 0])


@dataclass(frozen=True)
class DrawnClip:
    """T frames of N people, all display values 0..1, at training size."""

    plate: Floats
    """(T, h, w, 3)"""
    alone: Floats
    """(T, N, h, w, 3): the background with one person's shadow and reflection, without any body."""
    together: Floats
    """(T, h, w, 3): with everybody's."""
    background: Floats
    """(T, h, w, 3)"""
    whole: Floats
    """(T, N, h, w) masks, hidden parts included."""
    visible: Floats
    """(T, N, h, w)"""


class Scene:
    """A place with its light."""

    def __init__(self, rng: np.random.Generator, size: tuple[int, int], people: int) -> None:
        """``size`` is (w, h) of the pictures."""
        self._rng = rng
        w, h = size[0] * _OVERSAMPLED, size[1] * _OVERSAMPLED
        body = rng.uniform(0.22, 0.75)
        focal = rng.uniform(0.9, 2.2)
        distance = focal * w * 1.7 / (body * h)
        above = rng.uniform(0.6, 2.6) if rng.random() < 0.8 else rng.uniform(2, 5)
        level = np.arctan2(above - rng.uniform(0.3, 1.0), distance)
        self.view = View(w, h, focal, above, float(level + rng.normal(0, 0.03)))
        self._size = size
        self.distance, spread = distance, 0.45 * distance / focal
        places = np.stack([rng.uniform(-spread, spread, people), distance + rng.uniform(-0.8, 0.8, people)], -1)
        self.figures = [Figure(rng, place) for place in places]
        self._colors = [rng.uniform(0.02, 0.9, (20, 3)) for _ in self.figures]
        self._light()
        self._surfaces(distance)
        self._mirror = self._reflecting()
        self._shake = rng.uniform(0, 0.5) if rng.random() < 0.35 else 0.0
        self._waves = self._moving_ground()

    def _light(self) -> None:
        rng = self._rng
        azimuth, elevation = rng.uniform(0, 2 * np.pi), np.radians(rng.uniform(16, 72))
        self._sun = np.array(
            [np.cos(azimuth) * np.cos(elevation), np.sin(elevation), np.sin(azimuth) * np.cos(elevation)]
        )
        overcast = rng.random() < 0.08
        self._sunlight = (0.0 if overcast else 1.0) * rng.uniform(0.5, 1.5) * np.array([1, 0.95, 0.86])
        self._skylight = rng.uniform(0.1, 0.5) * (2 if overcast else 1) * np.array([0.85, 0.95, 1.1])
        self._penumbra = rng.uniform(0.005, 0.03) if rng.random() < 0.7 else rng.uniform(0.03, 0.12)
        self._contact = rng.uniform(0.1, 0.6)

    def _surfaces(self, distance: float) -> None:
        rng, rays = self._rng, self.view.rays()
        with np.errstate(divide="ignore", invalid="ignore"):
            ground = np.where(rays[..., 1] < -1e-3, -self.view.above / rays[..., 1], np.inf)
            normal = np.array([np.sin(turn := rng.normal(0, 0.3)), 0, -np.cos(turn)])
            wall_at = distance + (rng.uniform(0.4, 4) if rng.random() < 0.65 else 1e4)
            self._wall = np.array([*normal, normal[2] * wall_at])
            facing = rays @ normal
            wall = np.where(facing < 0, self._wall[3] / facing, np.inf)
        hit = np.minimum(ground, wall)
        place = rays * np.minimum(hit, 500)[..., None] + [0, self.view.above, 0]
        self._on_wall = np.asarray((wall < ground) & np.isfinite(hit))
        self._on_ground = np.asarray((ground <= wall) & np.isfinite(hit))
        along = place[..., 0] * np.cos(0.2) + place[..., 2] * np.sin(0.2)
        tint = rng.uniform(0.06, 0.75, (3, 1)) * rng.uniform(0.75, 1.2, (3, 3))
        floor = texture(rng, along, place[..., 2])[..., None] * 2 * tint[0]
        upright = texture(rng, along, place[..., 1])[..., None] * 2 * tint[1]
        sky = np.broadcast_to(np.clip(tint[2] + [0.1, 0.2, 0.35], 0, 1), floor.shape)
        albedo = np.where(self._on_wall[..., None], upright, np.where(self._on_ground[..., None], floor, sky))
        self._albedo = self._with_things(np.clip(albedo, 0.01, 0.95))
        facing_sun = np.where(self._on_wall, max(0.0, float(normal @ self._sun)), self._sun[1])
        lit = np.where(self._on_wall | self._on_ground, facing_sun, 0.8) * self._static_shade()
        self._direct = self._albedo * (lit[..., None] * self._sunlight)
        self._ambient = self._albedo * self._skylight
        brightest = np.percentile((self._direct + self._ambient), 97)
        self._exposure = rng.uniform(0.45, 1.1) / max(brightest, 0.05)

    def _with_things(self, albedo: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Posts, windows, bushes: still things of any colour."""
        rng, picture = self._rng, albedo.astype(np.float32).copy()
        for _ in range(rng.integers(0, 8)):
            x, y = rng.uniform(0, self.view.width), rng.uniform(0, self.view.height)
            w, h = rng.uniform(2, 60, 2)
            color = [float(c) for c in rng.uniform(0.02, 0.9) * rng.uniform(0.7, 1.2, 3)]
            if rng.random() < 0.5:
                cv2.rectangle(picture, (int(x), int(y)), (int(x + w), int(y + h)), color, -1)
            else:
                cv2.ellipse(picture, (int(x), int(y)), (int(w / 2) + 1, int(h / 2) + 1), 0, 0, 360, color, -1)
        return picture.astype(np.float64)

    def _static_shade(self) -> Floats:
        """Where the sun comes through: 1, less under trees and houses, which are not in the picture, (H, W)."""
        rng, (h, w) = self._rng, (self.view.height, self.view.width)
        shade = np.ones((h, w), np.float32)
        if rng.random() < 0.35:
            for _ in range(rng.integers(1, 5)):
                corners = rng.uniform(0, 1, 2) * [w, h] + rng.normal(0, rng.uniform(5, 60), (rng.integers(3, 7), 2))
                cv2.fillConvexPoly(shade, cv2.convexHull(corners.astype(np.int32)), 0.0)
            shade = cv2.GaussianBlur(shade, (0, 0), rng.uniform(0.5, 6))
        return shade

    def _reflecting(self) -> tuple[float, float, float] | None:
        """(strength, blur, fading per metre) of reflections in the ground."""
        rng = self._rng
        if rng.random() > 0.3:
            return None
        return rng.uniform(0.05, 0.5), rng.uniform(0.3, 4), rng.uniform(0, 1.5)

    def _moving_ground(self) -> Floats | None:
        """How much water or leaves move, (H, W)."""
        rng = self._rng
        if rng.random() > 0.3:
            return None
        small = rng.random((5, 7), np.float32)
        field = cv2.resize(small, (self.view.width, self.view.height), interpolation=cv2.INTER_CUBIC)
        return np.asarray(np.clip(field - rng.uniform(0.4, 0.8), 0, 1) * rng.uniform(0.1, 1.2), np.float32)

    # ------------------------------------------------------------------ one frame

    def shadow(self, figure: Capsules) -> tuple[Floats, Floats]:
        """What a figure takes of the sun and of the sky, two maps (H, W) 0..1."""
        sunless = np.zeros((self.view.height, self.view.width), np.float32)
        for plane, region in ((_GROUND, self._on_ground), (self._wall, self._on_wall)):
            if plane[:3] @ self._sun > 0.03:
                sunless = np.where(region, self._soft_shadow(figure, plane), sunless)
        return sunless, self._contact_shadow(figure)

    def _soft_shadow(self, figure: Capsules, plane: npt.NDArray[np.float64]) -> Floats:
        """The higher above the surface, the softer."""
        hulls = shadow_outline(self.view, figure, plane, self._sun)
        middle = 0.5 * (figure.a + figure.b)
        fall = (middle @ plane[:3] - plane[3]) / (plane[:3] @ self._sun)
        scale = self.view.focal * self.view.width / max(1.0, float(figure.a[:, 2].mean()))
        total = np.zeros((self.view.height, self.view.width), np.float32)
        for low, high in ((-9.0, 0.6), (0.6, 1.4), (1.4, 1e3)):
            part = [h for h, f in zip(hulls, fall, strict=True) if low <= f < high]
            if part:
                sigma = max(0.3, self._penumbra * scale * (min(high, 2.5) + max(low, 0)) / 2)
                total = np.maximum(total, cv2.GaussianBlur(covered(self.view, part), (0, 0), sigma))
        return total

    def _contact_shadow(self, figure: Capsules) -> Floats:
        feet = np.minimum(figure.a[:, 1], figure.b[:, 1]).min()
        center = figure.a[0] * [1, 0, 1]
        angles = np.linspace(0, 2 * np.pi, 16, endpoint=False)
        ring = center + 0.35 * np.stack([np.cos(angles), 0 * angles, np.sin(angles)], -1)
        flat, depth = self.view.project(ring)
        blob = np.zeros((self.view.height, self.view.width), np.float32)
        if depth.min() > 0.3:
            cv2.fillConvexPoly(blob, flat.round().astype(np.int32), 1.0)
            extent = max(1.0, 0.3 * float(np.ptp(flat[:, 0])))
            blob = cv2.GaussianBlur(blob, (0, 0), extent, sigmaY=max(0.7, 0.3 * float(np.ptp(flat[:, 1]))))
        return np.asarray(blob * self._on_ground * self._contact * np.exp(-2 * feet), np.float32)

    def reflection(self, figure: Capsules, colors: Floats) -> tuple[Floats, Floats]:
        """Colour (H, W, 3) linear and opacity (H, W) of a figure in a glossy ground."""
        color = np.zeros((self.view.height, self.view.width, 3), np.float32)
        mask = np.zeros((self.view.height, self.view.width), np.float32)
        if self._mirror is None:
            return color, mask
        strength, blur, fading = self._mirror
        upside_down = figure.mirrored(_GROUND)
        color, mask = self._body(upside_down, colors, fading)
        soft = cv2.GaussianBlur(mask, (0, 0), blur)
        color = cv2.GaussianBlur(color, (0, 0), blur) / np.maximum(soft, 1e-3)[..., None]
        return color, np.asarray(soft * self._on_ground * strength, np.float32)

    def _body(self, figure: Capsules, colors: Floats, fading: float = 0.0) -> tuple[Floats, Floats]:
        """Premultiplied colour and coverage; ``fading`` is per metre below the ground."""
        color = np.zeros((self.view.height, self.view.width, 3), np.float32)
        mask = np.zeros((self.view.height, self.view.width), np.float32)
        hulls = outline(self.view, figure)
        for part in np.argsort(-(figure.a[:, 2] + figure.b[:, 2])):
            hull = hulls[part]
            if hull is not None:
                depth = max(0.0, -float(figure.a[part, 1] + figure.b[part, 1]) / 2)
                kept = float(np.exp(-fading * depth))
                cv2.fillConvexPoly(color, hull, [float(c) * kept for c in colors[part % len(colors)]])
                cv2.fillConvexPoly(mask, hull, kept)
        return color, mask

    def frame(self, seconds: float) -> tuple[Floats, ...]:
        """plate, alone, together, background, whole and visible of one moment (see ``DrawnClip``)."""
        figures = [figure.at(seconds) for figure in self.figures]
        effects = [(*self.shadow(f), *self.reflection(f, c)) for f, c in zip(figures, self._colors, strict=True)]
        alone = [self._shown(self._lit([one])) for one in effects]
        ground = self._lit(effects)
        together, background = self._shown(ground), self._shown(self._lit([]))
        whole = np.stack([covered(self.view, outline(self.view, f)) for f in figures])
        plate, visible = self._with_bodies(together, figures, whole)
        plate = self._filmed(plate, seconds)
        return tuple(map(self._small, (plate, np.stack(alone), together, background, whole, visible)))

    def _lit(self, effects: list[tuple[Floats, Floats, Floats, Floats]]) -> Floats:
        sun = np.prod([1 - sunless for sunless, _, _, _ in effects], 0) if effects else np.float32(1)
        sky = np.prod([1 - skyless for _, skyless, _, _ in effects], 0) if effects else np.float32(1)
        light = self._direct * np.asarray(sun)[..., None] if effects else self._direct
        light = light + self._ambient * (np.asarray(sky)[..., None] if effects else 1)
        for _, _, color, amount in effects:
            light = light + amount[..., None] * (color * (self._skylight + 0.5 * self._sunlight) - light)
        return np.asarray(light, np.float32)

    def _shown(self, light: Floats) -> Floats:
        return np.clip(linear_to_srgb(np.asarray(light * self._exposure, np.float32)), 0, 1)

    def _with_bodies(self, ground: Floats, figures: list[Capsules], whole: Floats) -> tuple[Floats, Floats]:
        plate, visible = ground.copy(), whole.copy()
        far_to_near = np.argsort([-f.a[0, 2] for f in figures])
        for place, person in enumerate(far_to_near):
            color, mask = self._body(figures[person], self._colors[person])
            shown = self._shown(np.asarray(color * (self._skylight + 0.6 * self._sunlight), np.float32))
            plate = np.where(mask[..., None] > 0, shown, plate)
            for behind in far_to_near[:place]:
                visible[behind] = np.where(mask > 0, 0, visible[behind])
        return plate, visible

    def _filmed(self, plate: Floats, seconds: float) -> Floats:
        """What a camera and a codec add."""
        rng, (h, w) = self._rng, (self.view.height, self.view.width)
        if self._waves is not None:
            noise = cv2.resize(
                rng.normal(0, 0.35, (h // 4, w // 8)).astype(np.float32), (w, h), interpolation=cv2.INTER_CUBIC
            )
            plate = plate + (self._waves * noise)[..., None] * rng.uniform(0.8, 1)
        if self._shake:
            shift = np.float32([[1, 0, rng.normal(0, self._shake)], [0, 1, rng.normal(0, self._shake)]])
            plate = cv2.warpAffine(plate, shift, (w, h), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        return np.clip(plate + rng.normal(0, 0.012, plate.shape).astype(np.float32), 0, 1)

    def _small(self, pictures: Floats) -> Floats:
        w, h = self._size
        shape = pictures.shape
        flat = pictures.reshape(-1, *shape[-3:]) if shape[-1] == 3 else pictures.reshape(-1, *shape[-2:])
        small = np.stack([cv2.resize(p, (w, h), interpolation=cv2.INTER_AREA) for p in flat])
        lead = shape[:-3] if shape[-1] == 3 else shape[:-2]
        return np.asarray(small.reshape(*lead, *small.shape[1:]), np.float32)


def draw_clip(rng: np.random.Generator, size: tuple[int, int], frames: int, people: int) -> DrawnClip:
    """A random scene of one to three seconds."""
    scene = Scene(rng, size, people)
    seconds = rng.uniform(0.8, 3)
    moments = np.linspace(-seconds / 2, seconds / 2, frames)
    return DrawnClip(*(np.stack(part) for part in zip(*(scene.frame(float(s)) for s in moments), strict=True)))

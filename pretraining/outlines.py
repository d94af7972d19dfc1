"""Draw people before what is behind them, and train the network that finds where they end.

python -m pretraining.outlines FOLDER WEIGHTS [--pictures N] [--steps N]
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional as F
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

from backend.core.color import Floats
from backend.people.evidence import Evidence, contrasted
from backend.people.outline import OutlineNet, View, clues, inputs_of
from backend.people.roughen import roughened
from backend.people.segmenter import body_place, place_of
from pretraining.common import keep, options, set_rate
from pretraining.figures import Capsules
from pretraining.scenes import Scene
from pretraining.world import covered, outline

_SIZE = 200
_PER_SCENE = 8
_BATCH = 4
_RATE = 2e-3
_LEAST_BODY = 250
_WORKERS = 2
_LOOK_AGAIN = 100
_STILL = 0.2
_IN_CONTACT = 0.5
_OTHERS_SPOILT = 0.7
# Limbs, and gaps between them, up to so many pixels wide count so many times as much as the rest.
_THIN, _THIN_COUNTS = 9, 4.0
Bytes = npt.NDArray[np.uint8]


class OutlineScene(Scene):
    """A drawn place in which frames are cheap: shadows are mixed from a lit and an unlit picture."""

    def __init__(self, rng: np.random.Generator, people: int) -> None:
        super().__init__(rng, (_SIZE, _SIZE), people)
        if people > 1 and rng.random() < _IN_CONTACT:
            self.figures[1].stand_by(self.figures[0], rng.normal(0, [0.35, 0.5]))
        self._lit_picture = self._shown(self._lit([]))
        self._unlit_picture = self._shown(np.asarray(self._ambient, np.float32))
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
        rng, side = self._rng, self._lit_picture.shape[0]
        grain = int(rng.integers(3, 40))
        cells = [side // grain + 2, side // grain + 2]
        if rng.random() < 0.25:
            cells[rng.integers(2)] = 1
        coarse = rng.normal(0, rng.uniform(0, 0.35), cells).astype(np.float32)
        way = rng.choice([cv2.INTER_NEAREST, cv2.INTER_CUBIC])
        return np.asarray(1 + cv2.resize(coarse, (side, side), interpolation=way), np.float32)

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
        return self._small(picture), self._small(self._lit_picture), self._small(masks)

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


def _seen(rng: np.random.Generator, picture: Floats, background: Floats, masks: Floats) -> tuple[Floats, Floats]:
    """Picture and background as a camera and a median over frames give them."""
    noise = rng.uniform(0, 0.02)
    seen = np.clip(picture + rng.normal(0, noise, picture.shape), 0, 1).astype(np.float32)
    if rng.random() < 0.5:
        quality = int(rng.integers(40, 95))
        _, data = cv2.imencode(".jpg", np.round(seen * 255).astype(np.uint8), [cv2.IMWRITE_JPEG_QUALITY, quality])
        seen = cv2.imdecode(data, cv2.IMREAD_COLOR).astype(np.float32) / 255
    shift = np.array([[1, 0, rng.normal(0, 0.3)], [0, 1, rng.normal(0, 0.3)]], np.float64)
    behind = cv2.warpAffine(background, shift, (_SIZE, _SIZE), borderMode=cv2.BORDER_REPLICATE)
    behind = np.clip(behind * (1 + rng.normal(0, 0.012, 3)) + rng.normal(0, noise / 4, behind.shape), 0, 1)
    return seen, np.asarray(behind, np.float32)


def _certainty(rng: np.random.Generator, picture: Floats, behind: Floats, anybody: Floats) -> tuple[Floats, Floats]:
    """Where the background is known; where it isn't, it is made up or holds somebody's remains."""
    certain = np.ones((_SIZE, _SIZE), np.float32)
    if rng.random() < 0.35:
        for _ in range(rng.integers(1, 4)):
            rows, columns = np.nonzero(anybody > 0.5)
            pick = rng.integers(len(rows))
            axes = [int(v) for v in rng.uniform(5, 60, 2)]
            level = float(rng.choice([0.0, 0.5, 0.5]))
            cv2.ellipse(certain, (int(columns[pick]), int(rows[pick])), axes, 0, 0, 360, (level,), -1)
    if rng.random() < 0.06:
        certain[:] = 0
    remains = cv2.GaussianBlur(picture, (0, 0), rng.choice([0.3, 1, 2, 5]))
    share = (1 - certain[..., None]) * rng.uniform(0, 1)
    return certain, np.asarray(behind + share * (remains - behind), np.float32)


def _motion(rng: np.random.Generator, masks: Floats) -> Floats:
    speed = np.full((_SIZE, _SIZE), rng.uniform(0, 0.15), np.float32)
    for mask in masks:
        own = 0.0 if rng.random() < 0.25 else rng.uniform(0, 6)
        field = cv2.resize(rng.uniform(0.3, 1.3, (5, 5)).astype(np.float32), (_SIZE, _SIZE))
        wide = cv2.GaussianBlur(mask, (0, 0), rng.uniform(0.5, 4))
        speed = np.maximum(speed, own * field * np.clip(wide * 2, 0, 1))
    return np.asarray(speed, np.float32)


def pictures_of(rng: np.random.Generator) -> list[Bytes]:
    """Arrays (h, w, 12) of one drawn place.

    They hold the picture, what is behind, difference / 4, shadow, certain, motion / 4, one's own mask and the others'.
    """
    scene = OutlineScene(rng, int(rng.choice([1, 2, 2, 2, 3])))
    found = []
    for _ in range(_PER_SCENE):
        picture, background, masks = scene.drawn(float(rng.uniform(-1.5, 1.5)))
        person = int(rng.integers(len(masks)))
        if masks[person].sum() < _LEAST_BODY:
            continue
        seen, behind = _seen(rng, picture, background, masks)
        certain, behind = _certainty(rng, seen, behind, masks.max(0))
        flicker = np.full((_SIZE, _SIZE), rng.uniform(0.002, 0.012), np.float32)
        evidence = contrasted(seen, behind, flicker, certain)
        others = np.delete(masks, person, 0).max(0, initial=0)
        maps = [evidence.difference / 4, evidence.shadow, certain, _motion(rng, masks) / 4, masks[person], others]
        values = np.concatenate([seen, behind, np.stack(maps, -1)], -1)
        found.append(np.round(np.clip(values, 0, 1) * 255).astype(np.uint8))
    return found


def _filmed_in_color(rng: np.random.Generator, picture: Floats) -> Floats:
    """Soft edges, and colours at half of the size, as most films have them."""
    if rng.random() < 0.5:
        picture = np.asarray(cv2.GaussianBlur(picture, (0, 0), float(rng.uniform(0.2, 0.7))), np.float32)
    if rng.random() < 0.6:
        wide = cv2.cvtColor(picture, cv2.COLOR_RGB2YCrCb)
        small = cv2.resize(wide, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
        wide[..., 1:] = cv2.resize(small, picture.shape[1::-1], interpolation=cv2.INTER_LINEAR)[..., 1:]
        picture = np.asarray(cv2.cvtColor(wide, cv2.COLOR_YCrCb2RGB), np.float32)
    return picture


def lesson(rng: np.random.Generator, stored: Bytes) -> tuple[Floats, Floats]:
    """Inputs (INPUTS, SIDE, SIDE) and the true mask (SIDE, SIDE) of one picture, spoilt at random."""
    maps = stored.astype(np.float32) / np.float32(255)
    if rng.random() < 0.5:
        maps = maps[:, ::-1]
    maps = np.ascontiguousarray(maps)
    if rng.random() < 0.5:
        maps[..., :6] = np.clip(maps[..., :6] * rng.uniform(0.6, 1.3, 3).repeat(2).reshape(3, 2).T.ravel(), 0, 1)
    picture, behind, own, others = (
        _filmed_in_color(rng, np.ascontiguousarray(maps[..., :3])),
        maps[..., 3:6],
        maps[..., 10],
        maps[..., 11],
    )
    certain = maps[..., 8] * _never_empty(rng, own)
    evidence = Evidence(maps[..., 6] * 4, maps[..., 7], certain)
    changed = np.clip(np.abs(picture - behind).max(-1) * 12, 0, 1)
    rough = roughened(rng, own, others, np.asarray(changed, np.float32))
    place = body_place(rough) or place_of(own)
    assert place is not None
    view = View.around(place)
    seen = clues(picture, behind, evidence, maps[..., 9] * 4)
    if rng.random() < _OTHERS_SPOILT:
        others = roughened(rng, others, own, np.asarray(changed, np.float32))
    near = cv2.GaussianBlur(others, (0, 0), float(rng.uniform(0.3, 2)))
    square = view.cut(np.concatenate([seen, rough[..., None], near[..., None], own[..., None]], -1))
    return inputs_of(square[..., :-3], square[..., -3], square[..., -2]), square[..., -1]


def _never_empty(rng: np.random.Generator, mask: Floats) -> Floats:
    """0 around somebody who hardly moves: there the ground is never to be seen; else 1."""
    seen = np.ones_like(mask)
    rows, columns = np.nonzero(mask > 0.5)
    if len(rows) and rng.random() < _STILL:
        top, bottom, left, right = rows.min(), rows.max(), columns.min(), columns.max()
        room = rng.uniform(-0.1, 0.3, 4) * (bottom - top)
        seen[
            max(0, round(top - room[0])) : round(bottom + room[1]),
            max(0, round(left - room[2])) : round(right + room[3]),
        ] = 0
    return seen


def draw_pictures(folder: Path, seed: int, count: int) -> None:
    """Draw about ``count`` pictures into numbered files."""
    cv2.setNumThreads(1)
    folder.mkdir(parents=True, exist_ok=True)
    made = number = 0
    while made < count:
        found = pictures_of(np.random.default_rng([seed, number]))
        if found:
            np.save(folder / f"{seed:03d}_{number:05d}.npy", np.stack(found))
        made, number = made + len(found), number + 1


class Lessons(IterableDataset[tuple[Floats, Floats]]):
    """Lessons from what is in a folder, without end; what appears there later is used too."""

    def __init__(self, folder: Path, seed: int) -> None:
        self._folder, self._seed = folder, seed

    def __iter__(self) -> Iterator[tuple[Floats, Floats]]:
        """Lessons of this worker."""
        cv2.setNumThreads(1)
        worker = get_worker_info()
        rng = np.random.default_rng([self._seed, worker.id if worker else 0])
        while True:
            files = sorted(self._folder.glob("*.npy"))
            for _ in range(_LOOK_AGAIN):
                stored = np.load(files[int(rng.integers(len(files)))], mmap_mode="r")
                yield lesson(rng, np.asarray(stored[rng.integers(len(stored))]))


def thinness(truth: Tensor) -> Tensor:
    """How much each pixel of masks (B, SIDE, SIDE) counts: more in hands and feet, and in gaps beside them."""

    def grown(masks: Tensor) -> Tensor:
        return F.max_pool2d(masks[:, None], _THIN, 1, _THIN // 2)[:, 0]

    opened, closed = grown(-grown(-truth)), -grown(-grown(truth))
    return 1 + (_THIN_COUNTS - 1) * ((truth - opened) + (closed - truth))


def train_outlines(
    folder: Path, weights: Path, steps: int, seed: int = 0, resume: bool = False, workers: int = _WORKERS
) -> None:
    """Train for ``steps``, or on from what the weights are, and write them (half precision) now and then."""
    torch.manual_seed(seed)
    net = OutlineNet().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    if resume:
        net.load_state_dict(torch.load(weights, map_location="cpu", weights_only=True))
    optimizer = torch.optim.AdamW(net.parameters(), lr=_RATE, weight_decay=1e-4)
    batches = iter(DataLoader(Lessons(folder, seed), _BATCH, num_workers=workers))
    recent = 0.0
    for step in range(steps):
        set_rate(optimizer, _RATE, step, step / steps)
        inputs, truth = next(batches)
        with torch.autocast("cpu", torch.bfloat16):
            odds = net(inputs)
        value = F.binary_cross_entropy_with_logits(odds.float(), truth, thinness(truth))
        optimizer.zero_grad(set_to_none=True)
        value.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimizer.step()
        recent += 0.02 * (float(value.detach()) - recent) if step else float(value.detach())
        if step % 50 == 49:
            print(f"step {step + 1} of {steps}, loss {recent:.4f}", flush=True)
        if step % 200 == 199 or step + 1 == steps:
            keep(net, weights)


def main() -> None:
    """Draw, train, write the weights."""
    args = options("with which outlines are found", "pictures", 6000, 6000).parse_args()
    torch.set_flush_denormal(True)  # several times faster on a processor
    if args.pictures:
        draw_pictures(args.folder, args.seed, args.pictures)
    if args.steps:
        train_outlines(args.folder, args.weights, args.steps, args.seed, args.resume)


if __name__ == "__main__":
    main()

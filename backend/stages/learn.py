"""From a surveyed shot to everybody's effects: the pictures at training size, the training, the prediction."""

from __future__ import annotations

import dataclasses
import math
import time
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from backend.core.color import Floats, least
from backend.core.opacity import FLOOR, density
from backend.core.side_by_side import in_order
from backend.model.effect_net import EffectNet
from backend.model.flops import AnswerFlops
from backend.model.sun_search import calmness
from backend.model.sunlight import MIRROR, Sun, cast
from backend.stages.behind import carry_behind
from backend.stages.effects import (
    Effects,
    TrainingBackground,
    agreed,
    as_the_plate_shows,
    as_usual_where_faint,
    changing,
    somebody_near,
    with_burnt_in,
    without_strange,
)
from backend.stages.prior import (
    as_in_this_clip,
    prior_net,
    shadows_expected,
    shadows_on_people,
    sun_of,
    tell_never_clean,
    told_reflections,
    unusual,
    usual_effects,
)
from backend.stages.progress import Progress
from backend.stages.same_pose import carry_over
from backend.stages.shot import Shot
from backend.stages.survey import whole_bodies
from backend.train.checkpoint import CHECKPOINT_NAME, load_checkpoint, save_checkpoint
from backend.train.device import search_device
from backend.train.loop import Refit, TrainState, new_state, predict, predicted, train
from backend.train.losses import LossTerms
from backend.train.renderer import Renderer
from backend.train.settings import TrainSettings
from backend.train.shot_data import (
    ShotData,
    area_growth,
    body_height,
    channels_first,
    channels_last,
    make_shot_data,
    most_pixels,
    shrink,
    shrink_charts,
    training_size,
)
from backend.train.team import Order, Team

STAGE = "Training"
_SECONDS_BETWEEN_CHECKPOINTS = 20.0
_SECONDS_BETWEEN_PREVIEWS = 15.0
_SECONDS_BETWEEN_REPORTS = 0.5
# So much of a body is mirrored where its reflection is.
_REFLECTED = 0.5
# A sun is known better where it explains so much more of the darkness (as a cosine).
_KNOWN_BETTER = 0.15


@dataclass(frozen=True)
class Run:
    """How and where to train."""

    settings: TrainSettings
    device: torch.device
    seed: int
    folder: Path
    """Checkpoint and preview pictures go here."""
    fingerprint: str
    max_seconds: float = 0.0
    team: Team = field(default_factory=Team)
    """Who shares the steps."""


@dataclass(frozen=True)
class Learned:
    """Everybody's effects, and what it took to learn them."""

    effects: Effects
    flops: int
    steps: int


def learn_effects(shot: Shot, run: Run, progress: Progress) -> Learned:
    """Find everybody's effects.

    Raises:
        Cancelled: with a checkpoint left in the run's folder.
        NumericalError, InputError: see ``train.loop`` and ``train.checkpoint``.
    """
    settings = _sized_for(shot, run.settings, progress)
    run = dataclasses.replace(run, settings=settings)
    data, background = _pictures(shot, settings)
    restless = background.restless()
    data = data.to(search_device(run.device))
    with data.plate.device:
        usual = as_usual(data, background, restless)
    if run.settings.steps == 0:
        effects = _settled(usual.alone, usual.together, usual, data, background, restless)
        frame, device = clearest_frame(data), data.plate.device
        alone = channels_first(effects.alone[frame].astype(np.float32)).to(device)
        progress.preview(write_preview(run.folder, data, frame, data.background[frame], alone))
        return Learned(effects, usual.flops, 0)
    data = data.to(run.device)
    state = new_state(data, run.settings, run.seed)
    checkpoint = run.folder / CHECKPOINT_NAME
    if load_checkpoint(checkpoint, state, run.fingerprint):
        progress.say(f"Going on from step {state.step} of {run.settings.steps}", STAGE)

    def refit(together: Tensor) -> Tensor:
        return channels_first(background.refit(agreed(channels_last(together), usual.together))).to(run.device)

    run.team.order(Order.BEGIN)
    run.team.share((run.settings, run.seed, data.to(torch.device("cpu")), state.content()))
    try:
        settings = _train(state, data, run, refit, progress)
    finally:
        save_checkpoint(checkpoint, state, run.fingerprint)
    with FlopCounterMode(display=False) as counter:
        each, every = _as_learned(state.renderer, data, settings, usual, background.darkest())
    steps = len(state.history)
    flops = state.flops + usual.flops + counter.get_total_flops() * (1 + len(run.settings.refits))
    # It has a background of its own, as large as the clip.
    del state
    return Learned(_settled(each, every, usual, data, background, restless), flops, steps)


@dataclass(frozen=True)
class Usual:
    """The effects as they usually look, see ``stages.prior``."""

    alone: Floats
    """(T, N, h, w, 3)"""
    together: Floats
    """(T, h, w, 3)"""
    on_people: NDArray[np.float16]
    """(T, N, h, w), see ``Effects``."""
    sun_known: float
    """0..1, see ``Effects``."""
    reflecting: float
    """How surely the ground reflects people, 0..1."""
    flops: int


def as_usual(data: ShotData, background: TrainingBackground, restless: Floats) -> Usual:
    """What is known before anything is learned; ``data`` is told of it."""
    reflects = told_reflections(data, background)
    first = sun_of(data, restless, reflects)
    alone, together, flops = _under(first, data, background, restless)
    sun = sun_of(data, restless, reflects)
    if sun.trust > first.trust + _KNOWN_BETTER:
        # The first was a guess, and may have shown the networks shadows where there are none.
        del alone, together
        alone, together, more = _under(sun, data, background, restless)
        flops, sun = flops + more, sun_of(data, restless, reflects)
    data.casts, (on_people, known) = cast(data.masks, data.sway, sun), shadows_on_people(data, sun)
    # Where the picture is never at rest, a difference says little about anybody's shadow.
    data.seen = data.seen * calmness(torch.as_tensor(restless))[:, None]
    return Usual(channels_last(alone), channels_last(together), on_people, known, float(reflects), flops)


def _under(sun: Sun, data: ShotData, background: TrainingBackground, restless: Floats) -> tuple[Tensor, Tensor, int]:
    """What is usual under a sun, alone (T, N, 3, h, w) and together (T, 3, h, w), and the operations that took.

    ``data`` gets its shadows, and a background without them.
    """
    data.casts = cast(data.masks, data.sway, sun)
    with AnswerFlops() as counter:
        alone, together = usual_effects(prior_net().to(data.plate.device), data, background, restless, sun)
    observed = density(channels_last(data.plate), channels_last(data.background)) * channels_last(data.seen)
    amount = channels_last(together).mean(-1)
    always = background.always(amount) * shadows_expected(data, sun)
    seen, light = data.seen[:, 0].cpu().numpy(), least(channels_last(data.background)) + FLOOR
    share = changing(amount, observed.mean(-1), always, seen, restless / light)
    del light
    # A reflection comes and goes with its body whether it darkens or brightens. (Not a double factor: what it
    # multiplies would be as double for a moment, which a long clip has no memory for.)
    mirrored = np.float32(float(sun.reflecting)) * (data.casts[:, :, MIRROR].amax(1) > _REFLECTED).cpu().numpy()
    believed = torch.from_numpy(np.maximum(share, mirrored))[:, None].to(together.device)
    alone *= believed[:, None]
    together *= believed
    as_in_this_clip(alone, together, observed)
    tell_never_clean(alone, together, data, background, observed)
    del observed
    data.unusual = unusual(alone)
    data.background = channels_first(background.refit(channels_last(together))).to(alone.device)
    return alone, together, counter.total


def _as_learned(
    renderer: Renderer, data: ShotData, settings: TrainSettings, usual: Usual, darkest: Floats
) -> tuple[Floats, Floats]:
    """What was learned, alone (T, N, h, w, 3) and together (T, h, w, 3), with what can only be known from the usual.

    A few frames at a time, and in the place of what is usual alone, since a long clip fills the memory already.
    """
    alone, together, unusual = usual.alone, np.empty_like(usual.together), data.unusual[:, :, 0].cpu().numpy()
    end = 0
    for mine, everybodys in predicted(renderer, data, settings):
        part = slice(end, end := end + len(mine))
        each, every = without_strange(channels_last(mine), channels_last(everybodys), unusual[part])
        each, every = as_usual_where_faint(each, every, usual.together[part], alone[part])
        alone[part], together[part] = with_burnt_in(each, every, usual.together[part], alone[part], darkest[part])
    return alone, together


def _settled(
    alone: Floats,
    together: Floats,
    usual: Usual,
    data: ShotData,
    background: TrainingBackground,
    restless: Floats,
) -> Effects:
    """Effects alone (T, N, h, w, 3) and together (T, h, w, 3), settled with what the plate shows."""
    drifts = background.drifts(usual.together)
    clean = background.refit(agreed(together, usual.together))
    effects = as_the_plate_shows(alone, together, usual.together, clean, data, restless, drifts, usual.reflecting)
    carry_behind(effects.alone, data)
    carry_over(effects.alone, data, background.camera)
    return dataclasses.replace(effects, on_people=usual.on_people, sun_known=usual.sun_known)


def _train(state: TrainState, data: ShotData, run: Run, refit: Refit, progress: Progress) -> TrainSettings:
    """Train, with half as many frames at a time where the graphics card turns out too small; returns what was used."""
    deadline = time.monotonic() + run.max_seconds if run.max_seconds else math.inf
    watcher = _Watcher(run, data, progress)

    def go_on(settings: TrainSettings) -> TrainSettings:
        train(state, data, settings, refit, watcher.after_step, progress.cancelled, deadline, run.team)
        return settings

    frames = run.settings.batch_frames
    try:
        return go_on(run.settings)
    except torch.OutOfMemoryError:
        if frames < 2 or run.team.size > 1:
            raise
    # Out here, where the error no longer holds on to what was in the memory.
    torch.cuda.empty_cache()
    progress.say(f"The graphics card has too little memory for {frames} frames at a time: trying {frames // 2}", STAGE)
    return go_on(dataclasses.replace(run.settings, batch_frames=frames // 2))


def _sized_for(shot: Shot, settings: TrainSettings, progress: Progress) -> TrainSettings:
    """Larger training pictures for small people, at the same cost per step, as far as the memory goes."""
    size = training_size(*shot.footage.view, settings.pixels, 1)
    samples = range(0, len(shot.footage), max(1, len(shot.footage) // 12))
    height = body_height(np.stack([[shrink(m, size) for m in shot.footage.masks(t)] for t in samples]))
    growth = area_growth(height, settings) if height else 1.0
    room = most_pixels(len(shot.footage), len(shot.footage.names)) / settings.pixels
    if room < 1:
        progress.say(
            f"So many frames leave room for small pictures only, {room:.0%} of the usual area: effects get coarser. "
            "Decompose a shorter part of the clip for finer ones",
            STAGE,
        )
    growth = min(growth, room)
    frames = max(2, round(settings.batch_frames / growth))
    return dataclasses.replace(settings, pixels=int(settings.pixels * growth), batch_frames=frames)


def _pictures(shot: Shot, settings: TrainSettings) -> tuple[ShotData, TrainingBackground]:
    """Shrink the shot to training size and start its background in closed form."""
    footage = shot.footage
    size = training_size(*footage.view, settings.pixels, EffectNet.size_multiple(settings.levels))
    count = len(footage)
    plate = np.stack(list(in_order(lambda t: shrink(shot.evened(t), size), count)))
    visible = np.stack(list(in_order(lambda t: [shrink(mask, size) for mask in footage.masks(t)], count)))
    whole = np.stack(list(in_order(lambda t: [shrink(mask, size) for mask in whole_bodies(shot, t)], count)))
    camera = shot.camera.resized(size)
    data = make_shot_data(plate, whole, visible, plate, camera)
    if footage.charts is not None:
        charts = np.stack([[shrink_charts(one, size) for one in footage.charts.frame(t)] for t in range(count)])
        data.charts = torch.from_numpy(charts)
    seen = data.seen[:, 0].numpy() > 0
    background = TrainingBackground(plate, seen, visible.max(1) > 0.5, somebody_near(data), camera)
    data.background = channels_first(background.start())
    return data, background


class _Watcher:
    """Checkpoints, previews and progress while training goes on."""

    def __init__(self, run: Run, data: ShotData, progress: Progress) -> None:
        self._run, self._data, self._progress = run, data, progress
        self._begun = self._saved = self._shown = self._told = time.monotonic()

    def after_step(self, state: TrainState, terms: LossTerms) -> None:
        """Called by the training loop after every step."""
        now = time.monotonic()
        if now - self._told > _SECONDS_BETWEEN_REPORTS:
            self._told = now
            steps = self._run.settings.steps
            error = float(terms.reconstruction.detach().mean())
            done = max(state.step / steps, self._time_spent(now))
            self._progress.tell(STAGE, done, f"Step {state.step} of {steps}, error {error:.5f}")
        if now - self._saved > _SECONDS_BETWEEN_CHECKPOINTS:
            self._saved = now
            save_checkpoint(self._run.folder / CHECKPOINT_NAME, state, self._run.fingerprint)
        if now - self._shown > _SECONDS_BETWEEN_PREVIEWS:
            self._shown = now
            self._progress.preview(self._preview(state))

    def _preview(self, state: TrainState) -> Path:
        frame = clearest_frame(self._data)
        alone, _ = predict(state.renderer, self._data, self._run.settings, slice(frame, frame + 1))
        return write_preview(self._run.folder, self._data, frame, state.background[frame], alone[0])

    def _time_spent(self, now: float) -> float:
        """The share of the time that training may take at most, where that is limited."""
        return min(1.0, (now - self._begun) / self._run.max_seconds) if self._run.max_seconds else 0.0


def clearest_frame(data: ShotData) -> int:
    """Where most of everybody is seen, and nobody covers anybody."""
    largest = data.masks.amax(1)
    return int((2 * largest - data.masks.sum(1)).sum((1, 2)).argmax())


def write_preview(folder: Path, data: ShotData, index: int, background: Tensor, alone: Tensor) -> Path:
    """A small picture of one frame: the plate, the background, and every person with the effect, on white.

    Args:
        folder: where it is written.
        data: the shot.
        index: number of the frame in it.
        background: (3, h, w) of this frame.
        alone: (N, 3, h, w) density of everybody's effect in it.
    """
    plate, bodies = data.plate[index], data.masks[index][:, None]
    people = bodies * plate + (1 - bodies) * torch.exp(-alone.abs())
    pictures = [plate, background, *people]
    sheet = as_sheet([p.permute(1, 2, 0).clamp(0, 1).cpu().numpy() for p in pictures])
    path = folder / "preview.png"
    temporary = folder / ".preview.tmp.png"
    cv2.imwrite(str(temporary), np.round(sheet[..., ::-1] * 255).astype(np.uint8))
    temporary.replace(path)
    return path


def as_sheet(pictures: list[Floats]) -> Floats:
    """Pictures of one size (H, W, 3) in rows, as nearly square as can be, since it is shown in a square, on white."""
    count, (height, width, _) = len(pictures), pictures[0].shape
    columns = min(range(1, count + 1), key=lambda n: abs(math.log(width * n / (height * math.ceil(count / n)))))
    filled = [*pictures, *[np.ones_like(pictures[0])] * (-count % columns)]
    rows = [np.concatenate(filled[at : at + columns], axis=1) for at in range(0, len(filled), columns)]
    return np.concatenate(rows, axis=0)

"""From a plate and masks to a finished layer set: every step, one after the other."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import torch

from backend.errors import InputError, SettingError
from backend.locking import FileLock
from backend.media.charts import ChartFolder, open_charts
from backend.media.files import writing
from backend.media.layer_set import (
    BACKGROUND,
    INFO_NAME,
    MASKS,
    RESIDUAL,
    CameraEntry,
    LayerEntry,
    LayerSetInfo,
    LayerSetWriter,
    check_out_folder,
)
from backend.media.masks import MaskFolder, open_masks
from backend.media.people_info import PEOPLE_NAME
from backend.media.plates import Plate, open_plate
from backend.people.find import check_people_folder, choose_finder, find_people
from backend.protocol import VERSION, DecomposeRequest, Event, InvalidSetting, Task, check_settings
from backend.stages import export
from backend.stages.clean_plate import CleanPlate, estimate_canvas
from backend.stages.learn import STAGE as TRAINING
from backend.stages.learn import Learned, Run, learn_effects
from backend.stages.log import logged
from backend.stages.metrics import peak_memory_bytes, psnr
from backend.stages.progress import Progress
from backend.stages.shot import WORK_FOLDER, Shot, read_footage
from backend.stages.survey import survey
from backend.train.checkpoint import CHECKPOINT_NAME, check_checkpoint
from backend.train.device import choose_device
from backend.train.settings import PRESETS
from backend.train.team import Team

READING, SURVEY, BACKGROUNDS, WRITING = "Reading", "Following the Camera", "Cleaning the Background", export.STAGE
# Expected shares of the time when nothing is trained; training comes on top.
_SHARES = {READING: 0.05, SURVEY: 0.2, TRAINING: 0.02, BACKGROUNDS: 0.15, WRITING: 0.5}
_TRAINING_PER_STEP = 0.01
PEOPLE_SHARE = 0.3
"""Expected share of the time that finding people takes."""


def decompose(
    request: DecomposeRequest,
    report: Callable[[Event], None],
    cancelled: Callable[[], bool],
    team: Team | None = None,
) -> Path:
    """Decompose a plate into one layer per person over a clean background.

    All input is checked before anything is written. Without masks the people are found first. A cancelled run leaves a
    checkpoint and goes on with ``request.resume``. A team (see ``train.team``) shares the training.

    Returns:
        The path of the finished ``layers.json``.

    Raises:
        InputError: the request, the plate, the masks or the output folder are not as they must be, or another
            process is writing there.
        Cancelled, OutputError, NumericalError: see there.
    """
    began, team = time.monotonic(), team or Team()
    out = Path(request.out)
    device, plate, masks, charts = _checked(request)
    if check_out_folder(out, request.resume):
        # Killed after the last file and before the tidying up.
        shutil.rmtree(out / WORK_FOLDER, ignore_errors=True)
        return out / INFO_NAME
    with _sole_writer(out):
        # Once more: another process may have finished it between the look and the lock.
        if check_out_folder(out, request.resume):
            return out / INFO_NAME
        if masks is None:
            request, masks = _with_people(request, plate, report, cancelled)
            report = _later(report, PEOPLE_SHARE)
        preset, fingerprint = PRESETS[request.settings.preset], _fingerprint(request, plate, masks)
        check_checkpoint(out / CHECKPOINT_NAME, fingerprint)
        shares = {**_SHARES, TRAINING: _SHARES[TRAINING] + preset.steps * _TRAINING_PER_STEP}
        progress = Progress(logged(report, out), cancelled, shares)
        progress.say(f"Decomposing {plate.info.path} with {json.dumps(dataclasses.asdict(request.settings))}")
        # What another plate has left behind here must not be taken for this one's.
        shot = _surveyed(plate, masks, charts, out / WORK_FOLDER / fingerprint[:16], progress)
        run = Run(
            preset,
            team.device(device),
            request.settings.seed,
            out,
            fingerprint,
            request.settings.max_seconds,
            team,
        )
        path = _written(request, shot, run, progress, began)
        shutil.rmtree(out / WORK_FOLDER, ignore_errors=True)
    return path


@contextlib.contextmanager
def _sole_writer(out: Path) -> Iterator[None]:
    """Hold the output folder, and leave no trace when nothing was written; raises InputError while another holds it."""
    lock, made = FileLock(out / WORK_FOLDER / "lock"), not out.exists()
    with writing(out):
        (out / WORK_FOLDER).mkdir(parents=True, exist_ok=True)
        held = lock.acquire()
    if not held:
        raise InputError(
            f"{out} is being written by another decomposition", "Wait until that is done, or choose another folder"
        )
    try:
        yield
    finally:
        lock.release()
        if all(path.name in (WORK_FOLDER, "lock") for path in out.rglob("*")):
            shutil.rmtree(out if made else out / WORK_FOLDER, ignore_errors=True)


def _written(request: DecomposeRequest, shot: Shot, run: Run, progress: Progress, began: float) -> Path:
    """Learn the effects, clean the background, write the layer set; returns the path of its description."""
    with progress.timed(TRAINING):
        learned = learn_effects(shot, run, progress)
    with progress.timed(BACKGROUNDS):
        canvas = estimate_canvas(shot, learned.effects, lambda done: progress.tell(BACKGROUNDS, done))
    writer = LayerSetWriter(run.folder, Path(request.masks))
    with progress.timed(WRITING):
        clean = CleanPlate(shot, learned.effects, canvas, run.settings.rehearsals)
        written = export.write_frames(writer, shot, learned.effects, clean, request.settings.residual, progress)
    metrics = _metrics(began, progress, learned, clean, written.error)
    path = writer.finish(_describe(request, shot, metrics, written.observed))
    progress.say(f"Finished: {json.dumps(metrics)}")
    return path


def _with_people(
    request: DecomposeRequest, plate: Plate, report: Callable[[Event], None], cancelled: Callable[[], bool]
) -> tuple[DecomposeRequest, MaskFolder]:
    """Find the people of the plate, or take those found before; returns the request with their masks."""
    folder, work = Path(request.out) / MASKS, Path(request.out) / WORK_FOLDER / "people"
    if not (folder / PEOPLE_NAME).exists():
        check_people_folder(folder)
        # Found elsewhere and moved when whole: half a list of people must stop no later run.
        shutil.rmtree(work, ignore_errors=True)
        search = dataclasses.replace(request, out=str(work), task=Task.PEOPLE.value)
        find_people(search, _earlier(report, PEOPLE_SHARE), cancelled)
        with writing(folder):
            shutil.rmtree(folder, ignore_errors=True)
            work.rename(folder)
    return dataclasses.replace(request, masks=str(folder)), open_masks(folder, plate.info)


def _earlier(report: Callable[[Event], None], share: float) -> Callable[[Event], None]:
    """A report of the first part of the work, as seen in the whole; what is left after it is unknown."""

    def told(event: Event) -> None:
        part = None if event.fraction is None else round(share * event.fraction, 4)
        report(dataclasses.replace(event, fraction=part, seconds_left=None))

    return told


def _later(report: Callable[[Event], None], share: float) -> Callable[[Event], None]:
    """A report of the rest of the work, as seen in the whole."""

    def told(event: Event) -> None:
        part = None if event.fraction is None else round(share + (1 - share) * event.fraction, 4)
        report(dataclasses.replace(event, fraction=part))

    return told


def _checked(request: DecomposeRequest) -> tuple[torch.device, Plate, MaskFolder | None, ChartFolder | None]:
    try:
        settings = check_settings(request.settings)
    except InvalidSetting as error:
        raise SettingError(str(error)) from error
    device = choose_device(settings.device)
    plate = open_plate(Path(request.plate), settings.first_frame, settings.last_frame)
    masks = open_masks(Path(request.masks), plate.info) if request.masks else None
    charts = open_charts(Path(request.iuv), plate.info, masks.names if masks else ()) if request.iuv else None
    if charts is not None:
        return device, plate, masks or charts.masks(), charts
    if masks is None:
        choose_finder(settings.finder)
    return device, plate, masks, None


def _surveyed(plate: Plate, masks: MaskFolder, charts: ChartFolder | None, work: Path, progress: Progress) -> Shot:
    with writing(work):
        work.mkdir(parents=True, exist_ok=True)
    with progress.timed(READING):
        footage = read_footage(plate, masks, work, lambda done: progress.tell(READING, done), charts)
    with progress.timed(SURVEY):
        return survey(footage, lambda done: progress.tell(SURVEY, done), progress.say)


def _fingerprint(request: DecomposeRequest, plate: Plate, masks: MaskFolder) -> str:
    """What a checkpoint depends on: another plate, masks, frames, preset or seed would make it meaningless."""
    settings = dataclasses.asdict(request.settings)
    for name in ("device", "max_seconds", "residual", "finder"):
        del settings[name]
    parts = [
        VERSION,
        settings,
        dataclasses.asdict(PRESETS[request.settings.preset]),
        str(plate.info.path.resolve()),
        _state_of(plate.info.path),
        masks.names,
        [_state_of(Path(folder)) for folder in (request.masks, request.iuv) if folder],
    ]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _state_of(path: Path) -> list[tuple[str, int, int]]:
    files = [path] if path.is_file() else sorted(p for p in path.rglob("*") if p.is_file())
    return [(p.name, p.stat().st_size, p.stat().st_mtime_ns) for p in files]


def _metrics(began: float, progress: Progress, learned: Learned, clean: CleanPlate, error: float) -> dict[str, object]:
    return {
        "seconds": round(time.monotonic() - began, 2),
        "stage_seconds": dict(progress.seconds),
        "flops": learned.flops + clean.flops,
        "peak_memory_bytes": peak_memory_bytes(),
        "recon_psnr": round(psnr(error), 2),
        "training_steps": learned.steps,
    }


def _describe(request: DecomposeRequest, shot: Shot, metrics: dict[str, object], observed: float) -> LayerSetInfo:
    info, names = shot.footage.info, shot.footage.names
    layers = [LayerEntry.of(BACKGROUND, BACKGROUND), *map(LayerEntry.of, names)]
    if request.settings.residual:
        layers.append(LayerEntry.of(RESIDUAL, RESIDUAL))
    camera = CameraEntry()
    if shot.camera.moving:
        camera = CameraEntry.of(shot.camera.to_canvas)
    return LayerSetInfo(
        plate=str(info.path),
        width=info.width,
        height=info.height,
        fps=info.fps,
        first_frame=info.first_frame,
        frames=info.frames,
        layers=tuple(layers),
        order=tuple((BACKGROUND, *(names[i] for i in frame)) for frame in shot.order),
        camera=camera,
        settings=dataclasses.asdict(request.settings),
        metrics=metrics,
        observed=round(observed, 5),
    )

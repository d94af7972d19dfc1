from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from backend.core.composite import composite
from backend.decompose import TRAINING, decompose
from backend.errors import Cancelled, InputError, MaskError, PeopleError, PlateError
from backend.media.layer_set import LayerReader, open_layers
from backend.protocol import DecomposeRequest, DecomposeSettings, Event, EventKind
from backend.train.settings import PRESETS, TrainSettings
from tests.end_to_end.tiny_shot import FRAMES, HEIGHT, WALKERS, WIDTH, picture, write_shot
from tests.samples import psnr, write_image, write_images

FEW_STEPS = TrainSettings(steps=6, batch_frames=3, pixels=32 * 48, width=8, levels=3, warm_up_steps=2, refits=(0.5,))
NAMES = {walker.name for walker in WALKERS}

Report = Callable[[Event], None]
Color = tuple[float, float, float]


@pytest.fixture(autouse=True)
def few_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(PRESETS, "standard", FEW_STEPS)


def ignore(_event: Event) -> None:
    """Nobody listens."""


def never() -> bool:
    return False


def request_for(folder: Path, **changes: object) -> DecomposeRequest:
    """A request to decompose the tiny shot in ``folder``, which is written where it isn't there yet."""
    if not (folder / "plate").exists():
        write_shot(folder)
    fields = {field.name for field in dataclasses.fields(DecomposeRequest)}
    settings = DecomposeSettings(device="cpu", **{k: v for k, v in changes.items() if k not in fields})  # type: ignore[arg-type]
    places = {"plate": str(folder / "plate"), "masks": str(folder / "masks"), "out": str(folder / "layers")}
    return DecomposeRequest(**{**places, **{k: v for k, v in changes.items() if k in fields}}, settings=settings)  # type: ignore[arg-type]


def decomposed(
    request: DecomposeRequest, report: Report = ignore, cancelled: Callable[[], bool] = never
) -> LayerReader:
    return open_layers(decompose(request, report, cancelled))


def untouched(reader: LayerReader, number: int, residual: bool = True) -> np.ndarray:
    """The layers of one frame put together again, (H, W, 3) in display space."""
    people = [reader.layer(name, number) for name in reader.info.back_to_front(number)]
    whole = composite(reader.background(number), people)
    return whole + reader.residual(number) if residual else whole


def plate(number: int) -> np.ndarray:
    """The plate's frame as its 8-bit file has it."""
    return np.round(np.clip(picture(number - 1), 0, 1) * 255) / 255


def files_in(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def finished_in(folder: Path) -> dict[str, bytes]:
    """The files that have their final names: others may get theirs from another thread while they are read."""
    finished = (p for p in sorted(folder.rglob("*")) if p.is_file() and ".tmp" not in p.name)
    return {str(p.relative_to(folder)): p.read_bytes() for p in finished}


def test_ground_that_no_frame_shows_is_marked(tmp_path: Path) -> None:
    write_shot(tmp_path)
    always = np.zeros((HEIGHT, WIDTH), np.uint8)
    always[30:50, 50:70] = 255
    write_images(tmp_path / "masks" / "statue", [always] * FRAMES)
    reader = decomposed(request_for(tmp_path, preset="draft"))
    for number in (1, FRAMES):
        coverage = cv2.imread(str(tmp_path / "layers" / "coverage" / f"{number:04d}.png"), cv2.IMREAD_UNCHANGED)
        assert coverage.shape == (HEIGHT, WIDTH)
        assert not coverage[32:48, 52:68].any() and coverage[:20, 40:].all()
    assert reader.info.observed == pytest.approx(np.mean(coverage > 0), abs=1e-4)
    assert 0.9 < reader.info.observed < 1


def test_charts_do_instead_of_masks(tmp_path: Path) -> None:
    write_shot(tmp_path)
    for path in sorted((tmp_path / "masks").rglob("*.png")):
        mask = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
        y, x = np.mgrid[:HEIGHT, :WIDTH].astype(np.uint8)
        charts = np.stack([mask // 127, x, y], -1) * (mask > 0)[..., None]
        write_image(tmp_path / "iuv" / path.parent.name / path.name, charts)
    reader = decomposed(request_for(tmp_path, masks="", iuv=str(tmp_path / "iuv")))
    assert set(reader.info.subjects) == NAMES
    assert psnr(untouched(reader, 3), plate(3)) > 50


@pytest.mark.parametrize("preset", ["draft", "standard"])
def test_layers_and_residual_are_the_plate(tmp_path: Path, preset: str) -> None:
    reader = decomposed(request_for(tmp_path, preset=preset))
    for number in range(1, FRAMES + 1):
        assert psnr(untouched(reader, number), plate(number)) > 50
    without = np.mean([psnr(untouched(reader, n, residual=False), plate(n)) for n in range(1, FRAMES + 1)])
    assert without > 25
    assert reader.info.metrics["recon_psnr"] == pytest.approx(without, abs=1.5)


def test_bodies_are_where_their_masks_are(tmp_path: Path) -> None:
    reader = decomposed(request_for(tmp_path))
    for number in (1, FRAMES):
        for walker in WALKERS:
            alpha = reader.layer(walker.name, number)[..., 3]
            body = walker.mask(number - 1) > 0
            assert alpha[body].min() > 0.95
            assert alpha.min() >= 0 and alpha.max() <= 1
            assert np.abs(reader.layer(walker.name, number)[body][:, :3] - walker.color).mean() < 0.03


def test_what_is_told_about_the_layers_is_valid(tmp_path: Path) -> None:
    info = decomposed(request_for(tmp_path)).info
    assert (info.width, info.height, info.first_frame, info.frames) == (WIDTH, HEIGHT, 1, FRAMES)
    assert set(info.subjects) == NAMES
    assert info.has_residual
    assert all(set(names) == NAMES | {"background"} and names[0] == "background" for names in info.order)
    assert info.camera.kind == "static"
    assert info.settings == dataclasses.asdict(DecomposeSettings(device="cpu"))
    assert {"seconds", "flops", "peak_memory_bytes", "recon_psnr", "stage_seconds", "training_steps"} <= set(
        info.metrics
    )
    for name in ("seconds", "flops", "peak_memory_bytes", "recon_psnr"):
        assert math.isfinite(info.metrics[name]) and info.metrics[name] > 0, name
    assert info.metrics["training_steps"] == FEW_STEPS.steps


def test_the_folder_holds_the_set_and_what_was_used(tmp_path: Path) -> None:
    decomposed(request_for(tmp_path))
    out = tmp_path / "layers"
    names = {path.name for path in out.iterdir()}
    assert names >= NAMES | {"background", "residual", "masks", "layers.json", "log.txt"}
    # What remains is of use, and nothing is hidden.
    assert not {name for name in names if name.startswith(".")}
    for walker in WALKERS:
        used = sorted((out / "masks" / walker.name).iterdir())
        given = sorted((tmp_path / "masks" / walker.name).iterdir())
        assert [p.name for p in used] == [f"{n:04d}.png" for n in range(1, FRAMES + 1)]
        np.testing.assert_array_equal(cv2.imread(str(used[3]), 0), cv2.imread(str(given[3]), 0))


def test_every_message_is_logged_once(tmp_path: Path) -> None:
    events: list[Event] = []
    decomposed(request_for(tmp_path), events.append)
    lines = (tmp_path / "layers" / "log.txt").read_text().splitlines()
    messages = [event.message for event in events if event.kind == EventKind.MESSAGE]
    assert [line.split(" ", 2)[2] for line in lines] == messages
    assert len(messages) >= 2


def test_progress_goes_on_and_says_where_it_is(tmp_path: Path) -> None:
    events: list[Event] = []
    decomposed(request_for(tmp_path), events.append)
    told = [event for event in events if event.kind == EventKind.PROGRESS]
    fractions = [event.fraction for event in told if event.fraction is not None]
    assert fractions == sorted(fractions)
    assert 0 <= fractions[0] < 0.1 and 0.9 < fractions[-1] <= 1
    assert len({event.stage for event in told}) == 5


def test_even_a_draft_shows_what_it_is_going_to_be(tmp_path: Path) -> None:
    events: list[Event] = []
    decompose(request_for(tmp_path, preset="draft"), events.append, never)
    shown = [event.data["file"] for event in events if event.kind == EventKind.PREVIEW]
    sheet = cv2.imread(shown[0])
    # The plate, the background and two people, all on the same few pixels; nobody is in the background.
    plate_there, background = (
        sheet[: len(sheet) // 2, : sheet.shape[1] // 2],
        sheet[: len(sheet) // 2, sheet.shape[1] // 2 :],
    )
    assert len(shown) == 1 and plate_there.shape == background.shape
    assert np.abs(plate_there.astype(float) - background).max() > 40


def test_without_a_residual_none_is_written(tmp_path: Path) -> None:
    reader = decomposed(request_for(tmp_path, residual=False, preset="draft"))
    assert not reader.info.has_residual
    assert not (tmp_path / "layers" / "residual").exists()


def test_a_part_of_the_plate_keeps_the_numbers_of_the_plate(tmp_path: Path) -> None:
    reader = decomposed(request_for(tmp_path, first_frame=3, last_frame=9, preset="draft"))
    assert (reader.info.first_frame, reader.info.last_frame, reader.info.frames) == (3, 9, 7)
    for name in (*NAMES, "background", "residual"):
        assert sorted(p.name for p in (tmp_path / "layers" / name).iterdir()) == [f"{n:04d}.exr" for n in range(3, 10)]
    assert psnr(untouched(reader, 3), plate(3)) > 50
    assert psnr(untouched(reader, 9), plate(9)) > 50


def test_the_same_seed_gives_the_same_layers(tmp_path: Path) -> None:
    for name in ("a", "b"):
        decompose(request_for(tmp_path, out=str(tmp_path / name)), ignore, never)
    for path in (tmp_path / "a").rglob("*.exr"):
        assert path.read_bytes() == (tmp_path / "b" / path.relative_to(tmp_path / "a")).read_bytes(), path


class StopIn:
    """Asks to stop after so many questions in a stage."""

    def __init__(self, stage: str, after: int = 0) -> None:
        self._stage, self._left, self._there = stage, after, False

    def report(self, event: Event) -> None:
        self._there |= event.stage == self._stage

    def __call__(self) -> bool:
        if self._there:
            self._left -= 1
        return self._left < 0


@pytest.mark.parametrize(
    ("stage", "after"),
    [("Reading", 3), ("Following the Camera", 0), (TRAINING, 0), (TRAINING, 3), ("Writing", 5)],
)
def test_a_cancelled_run_goes_on_to_the_same_layers(tmp_path: Path, stage: str, after: int) -> None:
    stop = StopIn(stage, after)
    with pytest.raises(Cancelled):
        decompose(request_for(tmp_path), stop.report, stop)
    assert not (tmp_path / "layers" / "layers.json").exists()
    assert (tmp_path / "layers" / "checkpoint.pt").exists() == (stage in (TRAINING, "Writing"))
    reader = decomposed(request_for(tmp_path, resume=True))
    straight = decomposed(request_for(tmp_path, out=str(tmp_path / "straight")))
    assert reader.info.metrics["training_steps"] == FEW_STEPS.steps
    for number in (1, FRAMES // 2, FRAMES):
        for name in (*NAMES, "background", "residual"):
            np.testing.assert_array_equal(reader.pixels(name, number), straight.pixels(name, number))


def test_resuming_what_is_finished_changes_nothing(tmp_path: Path) -> None:
    path = decompose(request_for(tmp_path, preset="draft"), ignore, never)
    before = files_in(tmp_path / "layers")
    assert decompose(request_for(tmp_path, preset="draft", resume=True), ignore, never) == path
    assert files_in(tmp_path / "layers") == before


def test_a_limit_of_time_ends_training_early_and_finishes_the_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(PRESETS, "standard", dataclasses.replace(FEW_STEPS, steps=1_000_000))
    reader = decomposed(request_for(tmp_path, max_seconds=0.3))
    assert 0 < reader.info.metrics["training_steps"] < 1_000_000
    assert psnr(untouched(reader, 1), plate(1)) > 50


def test_a_checkpoint_of_other_settings_is_refused_and_kept(tmp_path: Path) -> None:
    stop = StopIn(TRAINING, 3)
    with pytest.raises(Cancelled):
        decompose(request_for(tmp_path), stop.report, stop)
    before = files_in(tmp_path / "layers")
    with pytest.raises(InputError, match="other settings"):
        decompose(request_for(tmp_path, seed=5, resume=True), ignore, never)
    assert files_in(tmp_path / "layers") == before


def test_frames_that_another_plate_has_left_behind_are_not_used(tmp_path: Path) -> None:
    stop = StopIn("Following the Camera")
    with pytest.raises(Cancelled):
        decompose(request_for(tmp_path, preset="draft"), stop.report, stop)
    for file in (tmp_path / "plate").iterdir():
        image = cv2.imread(str(file))
        cv2.imwrite(str(file), 255 - image)
    reader = decomposed(request_for(tmp_path, preset="draft"))
    assert psnr(untouched(reader, 4), 1 - plate(4)) > 50


def test_two_never_write_to_one_folder(tmp_path: Path) -> None:
    tries: list[str] = []

    def while_it_runs(event: Event) -> None:
        if event.kind != EventKind.PROGRESS:
            return
        before = finished_in(tmp_path / "layers")
        for resume in (False, True):
            with pytest.raises(InputError) as refused:
                decompose(request_for(tmp_path, preset="draft", resume=resume), ignore, never)
            tries.append(str(refused.value))
        # The one that runs goes on writing meanwhile.
        after = finished_in(tmp_path / "layers")
        assert {name: after.get(name) for name in before} == before

    decomposed(request_for(tmp_path, preset="draft"), while_it_runs)
    assert f"{tmp_path / 'layers'} is being written by another decomposition" in tries
    assert all("being written" in text or "unfinished" in text for text in tries)
    # It is over, so that the next one may begin.
    decomposed(request_for(tmp_path, preset="draft", out=str(tmp_path / "more")))


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"plate": "nowhere.mp4"}, PlateError),
        ({"masks": ""}, PeopleError),
        ({"masks": "nowhere"}, MaskError),
        ({"first_frame": 5, "last_frame": 50}, InputError),
        ({"preset": "huge"}, InputError),
    ],
)
def test_wrong_input_writes_nothing(tmp_path: Path, changes: dict[str, object], error: type[InputError]) -> None:
    with pytest.raises(error):
        decompose(request_for(tmp_path, **changes), ignore, never)
    assert not (tmp_path / "layers").exists()


def write_people(folder: Path, masks: np.ndarray, behind: np.ndarray, colors: tuple[Color, ...]) -> np.ndarray:
    """Write a shot of people in one colour each, the last one in front; gives the plate (T, H, W, 3).

    Args:
        folder: where to.
        masks: (T, N, H, W) whole bodies, 0 or 1.
        behind: (T, H, W, 3) 0..1.
        colors: one per person.
    """
    frames, visible = behind.copy(), masks.copy()
    for person, color in enumerate(colors):
        frames = np.where(masks[:, person, ..., None] > 0, np.float32(color), frames)
        visible[:, person] *= 1 - masks[:, person + 1 :].max(1, initial=0)
        write_images(folder / "masks" / f"p{person}", (255 * visible[:, person]).astype(np.uint8))
    eight_bit = np.round(frames * 255).astype(np.uint8)
    write_images(folder / "plate", eight_bit)
    return eight_bit / 255


def box(left: int, top: int) -> np.ndarray:
    """A person (H, W) as broad as half the height."""
    mask = np.zeros((HEIGHT, WIDTH), np.float32)
    mask[top : top + 28, left : left + 14] = 1
    return mask


def test_somebody_behind_somebody_else_stays_whole(tmp_path: Path) -> None:
    far, near = (0.85, 0.3, 0.2), (0.2, 0.3, 0.85)
    masks = np.stack([[box(10 + 8 * t, 22), box(100 - 8 * t, 26)] for t in range(FRAMES)])
    plates = write_people(tmp_path, masks, np.repeat(picture_of_floor(), FRAMES, 0), (far, near))
    reader = decomposed(request_for(tmp_path, preset="draft"))
    crossing = [n for n in range(1, FRAMES + 1) if (masks[n - 1].sum(0) > 1).sum() > 60]
    assert crossing
    for number in crossing:
        assert reader.info.back_to_front(number) == ("p0", "p1")
        assert psnr(untouched(reader, number), plates[number - 1]) > 50
        hidden = masks[number - 1].sum(0) > 1
        layer = reader.layer("p0", number)[hidden]
        assert np.mean(layer[:, 3] > 0.9) > 0.8
        assert np.abs(layer[:, :3].mean(0) - far).max() < 0.15


def test_behind_somebody_who_stands_there_most_of_the_time_is_what_the_other_frames_show(tmp_path: Path) -> None:
    lefts = [40] * 8 + [60, 75, 90, 105]
    masks = np.stack([[box(left, 30)] for left in lefts])
    write_people(tmp_path, masks, np.repeat(picture_of_floor(), FRAMES, 0), ((0.9, 0.2, 0.2),))
    reader = decomposed(request_for(tmp_path, preset="draft"))
    for number in (1, 8, FRAMES):
        assert np.abs(reader.background(number) - picture_of_floor()[0]).mean() < 0.01
        behind = masks[number - 1, 0] > 0
        assert np.abs(reader.background(number) - picture_of_floor()[0])[behind].mean() < 0.03


def picture_of_floor() -> np.ndarray:
    """(1, H, W, 3): tiles."""
    y, x = np.indices((HEIGHT, WIDTH), np.float32)
    tiles = 0.55 + 0.1 * np.sin(x / 5) * np.cos(y / 7)
    return np.repeat(tiles[None, ..., None], 3, 3)


def wall(index: int, shift: tuple[float, float]) -> np.ndarray:
    """A wall (H, W, 3) as a camera sees it that moves ``shift`` pixels a frame."""
    rng = np.random.default_rng(0)
    spots = [cv2.resize(rng.random((160 // s, 320 // s, 3)), (320, 160), interpolation=cv2.INTER_CUBIC) for s in (3, 8)]
    view = np.array([[1, 0, 20 + shift[0] * index], [0, 1, 40 + shift[1] * index]])
    flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
    return np.clip(cv2.warpAffine(sum(spots) / 2, view, (WIDTH, HEIGHT), flags=flags), 0, 1)


def test_a_moving_camera_is_written_down(tmp_path: Path) -> None:
    shift, walker = (3.0, -1.5), WALKERS[0]
    walls = np.stack([wall(t, shift) for t in range(FRAMES)])
    plates = write_people(tmp_path, np.stack([[walker.mask(t)] for t in range(FRAMES)]), walls, (walker.color,))
    reader = decomposed(request_for(tmp_path, preset="draft"))
    assert reader.info.camera.kind == "homography"
    cameras = np.array(reader.info.camera.to_canvas)
    assert cameras.shape == (FRAMES, 3, 3)
    places = cameras @ np.array([WIDTH / 2, HEIGHT / 2, 1])
    places = places[:, :2] / places[:, 2:]
    np.testing.assert_allclose(places - places[0], np.arange(FRAMES)[:, None] * shift, atol=0.5)
    for number in (1, 6, FRAMES):
        assert psnr(untouched(reader, number), plates[number - 1]) > 50
        # Behind the walker lies the wall that other frames show.
        behind = walker.mask(number - 1) > 0
        assert np.abs(reader.background(number) - walls[number - 1])[behind].mean() < 0.05

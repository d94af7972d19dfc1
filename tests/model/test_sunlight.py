"""Shadows fall where perspective wants them, and the sun of a clip is found again, also when nobody moves."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from backend.model import sun_search
from backend.model.sun_search import _Evidence, _Search, find_sun
from backend.model.sunlight import CASTS, Standing, Sun, cast, cast_on_people, fallen, standing
from tests.model.sunny_clip import STILL, H, T, W, overlap, plate, shadows, walkers

GROUND = (1.0, -0.3, 1.2, 0.0)
WALL = (0.7, -0.3, 1.2, 0.8)
CALM = torch.zeros(T, H, W)


def test_a_point_falls_where_a_pinhole_camera_sees_its_shadow() -> None:
    # Metres: a camera 1.6 above the ground, somebody 1.8 tall at a depth of 8, the sun from behind to the left.
    focal, above, depth, tall, wall = 250.0, 1.6, 8.0, 1.8, 8.6
    horizon, middle = 40.0, (W - 1) / 2
    lean, away = 0.5, 0.9

    def pixel(x: float, y: float, z: float) -> tuple[float, float]:
        return middle + focal * x / z, horizon + focal * (above - y) / z

    feet, height = pixel(0, 0, depth)[1], focal * tall / depth
    people = Standing(torch.tensor([feet]), torch.tensor([feet]), torch.tensor(height))
    eyes = (feet - horizon) / height
    # How far a shadow goes into depth for a row of height, in the units of ``Sun.light``.
    per_row = away * (depth / focal) / depth
    light = torch.tensor([[lean, -per_row * (feet - horizon), eyes, (above * focal / wall) / (feet - horizon)]])
    dot = torch.zeros(1, H, W)
    spot_x, spot_y = pixel(0.3, 1.0, depth)
    dot[0, round(spot_y) - 9 : round(spot_y) + 10, round(spot_x) - 9 : round(spot_x) + 10] = 1
    for tried, distance in ((torch.cat([light[:, :3], torch.zeros(1, 1)], 1), away), (light, wall - depth)):
        ground, up = fallen(dot, people, tried)
        found = (ground + up)[0]
        rows, columns = torch.meshgrid(torch.arange(H), torch.arange(W), indexing="ij")
        center = [float((found * axis).sum() / found.sum()) for axis in (columns, rows)]
        fell = min(distance, away)
        wanted = pixel(0.3 + lean * fell / away, 1.0 - fell / away, depth + fell)
        assert center == pytest.approx(wanted, abs=1.0)


def test_who_jumps_stands_on_the_row_below() -> None:
    masks = torch.zeros(12, 1, H, W)
    for t in range(12):
        up = 6 if 4 <= t < 8 else 0
        masks[t, 0, 20 - up : 41 - up, 10:16] = 1
    assert standing(masks, STILL).feet[:, 0].tolist() == [40.0] * 12


def test_who_jumps_before_a_shaking_camera_stands_on_the_ground_below() -> None:
    masks, sway = torch.zeros(12, 1, H, W), torch.tensor([[3.0 * (t % 3)] for t in range(12)])
    for t in range(12):
        up = (6 if 4 <= t < 8 else 0) + 3 * (t % 3)
        masks[t, 0, 20 - up : 41 - up, 10:16] = 1
    people = standing(masks, sway)
    assert people.feet[:, 0].tolist() == [40.0 - 3 * (t % 3) for t in range(12)]
    assert torch.equal(people.middle, people.feet)


def test_who_is_in_the_air_when_the_clip_ends_stands_on_the_row_below() -> None:
    masks = torch.zeros(12, 1, H, W)
    for t in range(12):
        up = 6 if t >= 8 else 0
        masks[t, 0, 20 - up : 41 - up, 10:16] = 1
    assert standing(masks, STILL).feet[:, 0].tolist() == [40.0] * 12


def test_who_walks_away_until_the_clip_ends_stands_where_the_feet_are() -> None:
    masks = torch.zeros(12, 1, H, W)
    for t in range(12):
        masks[t, 0, 10 : 90 - t // 4, 10:16] = 1
    assert standing(masks, STILL).feet[:, 0].tolist() == [89.0 - t // 4 for t in range(12)]


def test_who_walks_nearer_stands_where_the_feet_are() -> None:
    masks = torch.zeros(12, 1, H, W)
    for t in range(12):
        masks[t, 0, 10 : 31 + t, 10:16] = 1
    assert standing(masks, STILL).feet[:, 0].tolist() == [30.0 + t for t in range(12)]


@pytest.mark.parametrize("light", [GROUND, (-0.8, 0.25, 1.2, 0.0), WALL])
def test_who_stands_still_takes_the_sun_from_who_walks(light: tuple[float, ...]) -> None:
    masks = walkers()
    fall = shadows(masks, light)
    seen = 1 - masks.amax(1)
    # The one who stands has had the shadow burnt into the background: nothing of it is dark any more.
    found = find_sun(plate(masks, fall, 0.4), masks, STILL, 0.4 * fall[:, 0], seen, CALM)
    assert float(found.trust) > 0.5
    guessed = cast(masks, STILL, found)[:, :, :2].amax(2)
    assert overlap(guessed[:, 1] * seen, fall[:, 1] * seen) > 0.8


@pytest.mark.parametrize("light", [GROUND, WALL])
def test_few_frames_tell_which_suns_are_worth_a_look_by_all(
    light: tuple[float, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    masks = walkers()
    fall = shadows(masks, light)
    clip = plate(masks, fall, 0.4), masks, STILL, 0.4 * fall.amax(1), 1 - masks.amax(1), CALM
    quick = find_sun(*clip)
    monkeypatch.setattr(sun_search, "_LIKELY", 10_000)
    assert float(quick.trust) > 0.97 * float(find_sun(*clip).trust)


@pytest.mark.parametrize(("wall", "none", "taken"), [(0.36, 0.39, False), (0.5, 0.49, True), (0.1, 0.2, True)])
def test_edges_alone_make_no_wall_where_darkness_tells_of_none(
    wall: float, none: float, taken: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_Evidence, "cosines", lambda _self, _tried: torch.tensor([[wall, 0.06], [none, 0.03]]))
    evidence = object.__new__(_Evidence)
    assert _Search(evidence, evidence)._as_dark(torch.tensor(WALL), torch.tensor(GROUND)) == taken


def test_the_outlines_tell_the_sun_where_nobody_moves() -> None:
    masks = walkers()[:1, 1:].expand(T, 1, H, W).contiguous()
    fall = shadows(masks, GROUND)
    seen = 1 - masks.amax(1)
    found = find_sun(plate(masks, fall, 0.4), masks, STILL, torch.zeros(T, H, W), seen, CALM)
    people, flat = standing(masks, STILL).flat(), masks.flatten(0, 1)
    guessed = torch.maximum(*fallen(flat, people, found.light.expand(len(flat), 4)))
    assert overlap(guessed * seen, fall[:, 0] * seen) > 0.8


def test_waves_are_no_shadows() -> None:
    masks = walkers()
    fall = shadows(masks, GROUND)
    seen = 1 - masks.amax(1)
    waves, dark = torch.zeros(T, H, W), 0.1 * fall.amax(1)
    # Where the shadows of another sun would fall, it is much darker, but never at rest.
    elsewhere = shadows(masks, (0.8, 0.45, 1.2, 0.0)).amax(1).amax(0) > 0.5
    waves[:, elsewhere], dark[:, elsewhere] = 0.2, 0.4
    grey = torch.full((T, 3, H, W), 0.5)

    def found(restless: Tensor) -> float:
        sun = find_sun(grey, masks, STILL, dark, seen, restless)
        return overlap(cast(masks, STILL, sun)[:, :, :2].amax((1, 2)) * seen, fall.amax(1) * seen)

    assert found(CALM) < 0.3
    assert found(waves) > 0.7


def test_the_mirror_hangs_at_the_feet() -> None:
    masks = torch.zeros(1, 1, 20, 12)
    masks[0, 0, 4:10, 5:7] = 1
    mirror = cast(masks, STILL, Sun(torch.tensor(GROUND), torch.tensor(0.0)))[0, 0, 2]
    assert mirror[10:14, 5:7].min() > 0.9 and not mirror[:9].any() and not mirror[16:].any()


def test_nobody_and_nothing_make_no_trouble() -> None:
    masks = torch.zeros(2, 1, 16, 20)
    nothing = torch.zeros(2, 16, 20)
    found = find_sun(torch.zeros(2, 3, 16, 20), masks, STILL, nothing, torch.ones(2, 16, 20), nothing)
    casts = cast(masks, STILL, found)
    assert casts.shape == (2, 1, CASTS, 16, 20) and not casts.any() and torch.isfinite(casts).all()


def test_a_shadow_falls_on_whom_the_sun_reaches_over_the_caster() -> None:
    masks = torch.zeros(1, 2, H, W)
    masks[0, 0, 30:90, 60:72] = 1
    masks[0, 1, 36:84, 70:82] = 1
    # To the right and away from the camera, onto the one who stands there; or to the left, where nobody does.
    reached, missed = (
        cast_on_people(masks, STILL, Sun(torch.tensor([side, -0.3, 1.2, 0.0]), torch.tensor(1.0)))
        for side in (0.5, -0.5)
    )
    assert reached[0, 0].sum() > 100 and not reached[0, 1].any()
    assert not missed.any()
    assert (reached[0, 0] <= masks[0, 1]).all()

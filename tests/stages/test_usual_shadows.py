from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

import backend.stages.learn as learn
from backend.core.camera import Camera
from backend.core.color import Floats
from backend.core.opacity import FLOOR, density
from backend.model.printed import Printed
from backend.model.sunlight import Sun, cast
from backend.stages.effects import (
    TrainingBackground,
    as_observed,
    as_the_plate_shows,
    as_usual_where_faint,
    changing,
    somebody_near,
    with_burnt_in,
)
from backend.stages.prior import (
    add_printed,
    as_in_this_clip,
    at_two_sizes,
    borne_out,
    full_shadow,
    no_deeper,
    printed_shadows,
    shadows_expected,
)
from backend.train.shot_data import ShotData, channels_first, channels_last, make_shot_data
from tests.model.sunny_clip import plate, shadows, walkers

T, H, W = 6, 12, 20
SHADOW = np.s_[:, 4:8, 5:15]
BLUISH = np.array([0.39, 0.30, 0.21], np.float32)


def usual() -> Floats:
    """A grey shadow of density 0.4 as it would usually be."""
    densities = np.zeros((T, H, W, 3), np.float32)
    densities[SHADOW] = 0.4
    return densities


def scaled(densities: Floats, observed: Floats) -> tuple[Floats, Floats]:
    """What becomes of the densities of one person of two, and of all together."""
    together = channels_first(densities)
    alone = torch.stack([together, torch.zeros_like(together)], 1)
    as_in_this_clip(alone, together, observed)
    assert not alone[:, 1].any()
    return channels_last(alone[:, 0]), channels_last(together)


def test_shadows_take_the_depth_and_the_colour_that_they_have_in_the_clip() -> None:
    observed = np.zeros_like(usual())
    observed[SHADOW] = BLUISH
    alone, together = scaled(usual(), observed)
    np.testing.assert_allclose(together[SHADOW].mean((0, 1, 2)), BLUISH, atol=0.04)
    assert not together[:, :4].any()
    np.testing.assert_array_equal(alone, together)


def test_shadows_stay_as_usual_where_the_clip_tells_nothing() -> None:
    _, together = scaled(usual(), np.zeros_like(usual()))
    np.testing.assert_array_equal(together, usual())


def test_a_brightening_keeps_its_colour() -> None:
    densities, observed = usual(), np.zeros_like(usual())
    densities[:, 0] = -0.3
    observed[SHADOW] = BLUISH
    _, together = scaled(densities.copy(), observed)
    np.testing.assert_array_equal(together[:, 0], densities[:, 0])


def burnt_in(darkest: float) -> tuple[Floats, Floats]:
    """Two people of whom nothing was learned, the first of whom usually casts the shadow."""
    alone = np.stack([usual(), np.zeros_like(usual())], 1)
    found = np.zeros_like(alone)
    return with_burnt_in(found, found.sum(1), usual(), alone, np.full((T, H, W), darkest, np.float32))


def test_a_shadow_that_never_leaves_its_place_goes_to_whom_it_usually_belongs() -> None:
    alone, together = burnt_in(darkest=0.0)
    np.testing.assert_allclose(alone[:, 0][SHADOW], 0.2, atol=1e-6)
    np.testing.assert_array_equal(together, alone[:, 0])
    assert not alone[:, 1].any()


def test_where_the_ground_was_seen_without_it_the_clip_is_believed() -> None:
    alone, together = burnt_in(darkest=0.4)
    assert not alone.any() and not together.any()


def test_where_effects_are_faint_what_is_learned_meets_what_is_usual_half_way() -> None:
    usual_alone = np.zeros((1, 1, 1, 3, 3), np.float32)
    usual_alone[..., 0, :], usual_alone[..., 1, :] = 0.02, 0.4
    learned = np.zeros_like(usual_alone)
    learned[..., 2, :] = 0.3
    each, every = as_usual_where_faint(learned, learned.sum(1), usual_alone.sum(1), usual_alone)
    np.testing.assert_allclose(each[0, 0, 0, :, 0], [0.01, 0, 0.3])
    np.testing.assert_array_equal(every, each.sum(1))


def test_what_is_printed_makes_a_usual_shadow_darker_and_no_reflection_fainter() -> None:
    alone, together = torch.full((2, 2, 3, 4, 5), 0.1), torch.full((2, 3, 4, 5), -0.2)
    printed = torch.zeros_like(alone)
    printed[:, 1, :, 2] = 0.4
    add_printed(alone, together, printed)
    assert (alone[:, 1, :, 2] == 0.4).all() and (alone[:, 0] == 0.1).all()
    assert (together[:, :, 2] == 0.4).all() and (together[:, :, :2] == -0.2).all()


def shot(masks: torch.Tensor, lie: torch.Tensor, fall: torch.Tensor) -> tuple[ShotData, TrainingBackground]:
    """People whose shadows ``lie`` on the ground, and are looked for where they ``fall``, (T, N, H, W) each."""
    pictures = plate(masks, lie, 0.5).permute(0, 2, 3, 1).numpy()
    data = make_shot_data(pictures, masks.numpy(), masks.numpy(), pictures)
    data.casts[:, :, 0] = fall
    seen = data.seen[:, 0].numpy() > 0
    camera = Camera.static(len(masks), (masks.shape[-1], masks.shape[-2]))
    background = TrainingBackground(pictures, seen, masks.amax(1).numpy() > 0.5, somebody_near(data), camera)
    data.background = channels_first(background.start())
    return data, background


@pytest.mark.parametrize("walker_casts_one", [True, False])
def test_the_printed_shadow_of_who_never_moves_is_found_if_moving_ones_bear_it_out(walker_casts_one: bool) -> None:
    masks = walkers()
    fall = shadows(masks, (1.0, -0.5, 1.2, 0.0))
    lie = fall.clone()
    lie[:, 0] *= walker_casts_one
    data, background = shot(masks, lie, fall)
    observed = density(channels_last(data.plate), channels_last(data.background))
    found = torch.stack(list(printed_shadows(data, background, [None, None], observed))).mean(2)
    still = (fall[:, 1] > 0.9) & (fall[:, 0].amax(0) == 0) & (data.seen[:, 0] > 0)
    assert float(found[:, 1][still].median()) == pytest.approx(0.5 * walker_casts_one, rel=0.3, abs=0.05)
    left = (fall[:, 0] > 0.9) & (data.seen[:, 0] > 0)
    assert float(found[:, 0][left].mean()) < 0.1


def test_what_is_printed_is_believed_where_nothing_moves() -> None:
    printed = Printed(torch.full((1, 3), 0.3), ((0, 0),))
    there, dark = torch.ones(4, 1, 6, 8), torch.zeros(4, 6, 8)
    seen = torch.ones(4, 1, 6, 8)
    assert borne_out(printed, there, seen, torch.ones_like(there), dark) == 1
    assert borne_out(printed, there, seen, torch.zeros_like(there), dark) == 0
    assert borne_out(printed, there, seen, torch.zeros_like(there), dark + 0.2) == 1


@pytest.mark.parametrize(("trusts", "told"), [((0.1, 0.5, 0.6), [0.1, 0.5]), ((0.6, 0.7), [0.6])])
def test_what_is_usual_is_told_anew_under_a_sun_that_is_known_better(
    monkeypatch: pytest.MonkeyPatch, trusts: tuple[float, ...], told: list[float]
) -> None:
    masks = walkers()
    fall = shadows(masks, (1.0, -0.5, 1.2, 0.0))
    data, background = shot(masks, fall, fall)
    suns = iter(Sun(torch.tensor([1.0, -0.5, 1.2, 0.0]), torch.tensor(trust)) for trust in trusts)
    asked: list[float] = []

    def usual_effects(*given: Any) -> tuple[torch.Tensor, torch.Tensor]:
        asked.append(round(float(given[-1].trust), 3))
        return torch.zeros(*masks.shape[:2], 3, *masks.shape[2:]), torch.zeros(len(masks), 3, *masks.shape[2:])

    monkeypatch.setattr(learn, "sun_of", lambda *_: next(suns))
    monkeypatch.setattr(learn, "usual_effects", usual_effects)
    usual = learn.as_usual(data, background, np.zeros(masks[:, 0].shape, np.float32))
    assert asked == told and next(suns, None) is None
    assert usual.alone.shape == (*masks.shape, 3)


def test_how_deep_a_full_shadow_is_is_told_by_those_of_known_ground() -> None:
    place, seen = torch.zeros(9, 20, 30), torch.ones(9, 20, 30)
    place[:, 5:15, 5:25] = 1
    deep = torch.tensor([0.6, 0.5, 0.4])
    usual = 0.3 * place[:, None].expand(-1, 3, -1, -1)
    observed = deep[:, None, None] * place[:, None]
    observed[:, :, 5:9] /= 3
    observed[:5] = 0
    full = full_shadow(place, usual, observed, seen)
    assert full is not None and torch.allclose(full, deep)
    assert full_shadow(place, usual, observed * 0, seen) is None
    assert full_shadow(place, usual * 0, observed, seen) is None


def test_what_is_usual_is_no_deeper_than_a_full_shadow_where_nothing_else_tells() -> None:
    alone, together = torch.full((2, 1, 3, 4, 5), 0.9), torch.full((2, 3, 4, 5), 0.9)
    together[:, :, 1] = -0.4
    never = np.zeros((2, 4, 5), np.float32)
    never[:, :2] = 1
    no_deeper(alone, together, torch.tensor([0.5, 0.4, 0.3]), never)
    assert (alone[:, 0, :, :2].amax((2, 3)) < 0.6).all() and (alone[:, 0, :, 2:] == 0.9).all()
    assert torch.equal(alone[0, 0, :, 0, 0], together[0, :, 0, 0])
    assert (together[:, :, 1] == -0.4).all() and (together[:, :, 2:] == 0.9).all()


def test_an_effect_that_comes_and_goes_without_being_seen_is_not_believed() -> None:
    nothing, seen = np.zeros((T, H, W), np.float32), np.ones((T, H, W), np.float32)
    amount = usual().mean(-1)
    assert not changing(amount, nothing, nothing, seen, nothing).any()
    assert (changing(amount, amount, nothing, seen, nothing)[:, 6, 7:13] > 0.999).all()
    assert (changing(amount, nothing, amount, seen, nothing)[SHADOW] == 1).all()


def test_a_change_no_larger_than_the_flicker_shows_no_effect() -> None:
    nothing, seen = np.zeros((T, H, W), np.float32), np.ones((T, H, W), np.float32)
    amount, flicker = usual().mean(-1), nothing + 0.03
    faint = np.full_like(amount, 0.03)
    assert not changing(amount, faint, nothing, seen, flicker).any()
    assert (changing(amount, faint, nothing, seen, flicker / 2)[SHADOW] > 0).all()
    # Among waves everything flickers more than a shadow changes it.
    assert (changing(amount, amount, nothing, seen, nothing + 9)[:, 6, 7:13] > 0.999).all()


def test_behind_a_body_an_effect_is_believed_as_beside_it() -> None:
    nothing, seen = np.zeros((T, H, W), np.float32), np.ones((T, H, W), np.float32)
    seen[:, 5:7, 8:10] = 0
    amount = usual().mean(-1)
    assert not changing(amount, nothing, nothing, seen, nothing).any()
    there = changing(amount, np.ones_like(amount), nothing, seen, nothing)
    np.testing.assert_allclose(there[:, 5:7, 8:10], 1, atol=1e-6)


def test_what_is_always_there_leaves_out_a_few_frames_and_those_in_which_it_is_hidden() -> None:
    frames = 30
    picture = np.full((frames, H, W, 3), 0.5, np.float32)
    seen = np.ones((frames, H, W), bool)
    seen[:20, 2] = seen[:, 3] = False
    camera = Camera.static(frames, (W, H))
    background = TrainingBackground(picture, seen, ~seen, np.zeros_like(seen), camera)
    values = np.full((frames, H, W), 0.4, np.float32)
    values[0] = values[:20, 2] = 0.0
    values[:10, 4] = 0.1
    always = background.always(values)
    np.testing.assert_allclose(always[:, :3], 0.4, atol=1e-6)
    assert (always[:, 3] > 1).all()
    np.testing.assert_allclose(always[:, 4], 0.1, atol=1e-6)


def test_an_effect_is_as_strong_as_the_plate_shows_and_shared_out_as_it_was() -> None:
    ground = np.full((T, H, W, 3), 0.5, np.float32)
    darker = (ground + FLOOR) * np.exp(-usual() / 2) - FLOOR
    masks = np.zeros((T, 2, H, W), np.float32)
    masks[:, 0, 0, 0] = masks[:, 1, 0, -1] = 1
    data = make_shot_data(darker, masks, masks, ground)
    alone = np.stack([0.75 * usual(), 0.25 * usual()], 1)
    each, every = as_observed(alone[0], usual()[0], density(darker[0], ground[0]), data.seen[0, 0].numpy() > 0)
    inside = np.s_[5:7, 6:14]
    np.testing.assert_allclose(every[inside], 0.2, atol=0.01)
    np.testing.assert_allclose(each[0][inside], 0.15, atol=0.01)
    np.testing.assert_allclose(each[1][inside], 0.05, atol=0.01)
    assert not every[:3].any()


@pytest.mark.parametrize("trust", [0.0, 1.0])
def test_shadows_are_expected_about_where_a_known_sun_casts_them_and_further_out(trust: float) -> None:
    masks, light = walkers(), (0.8, -0.3, 1.2, 0.0)
    true = shadows(masks, light)
    pictures = plate(masks, true, 0.5).permute(0, 2, 3, 1).numpy()
    data = make_shot_data(pictures, masks.numpy(), masks.numpy(), pictures)
    # The sun was found too high.
    found = Sun(torch.tensor([0.7, 0.7, 1.0, 1.0]) * torch.tensor(light), torch.tensor(trust))
    data.casts = cast(data.masks, data.sway, found)
    expected = torch.from_numpy(shadows_expected(data, found))
    assert expected[true.amax(1) > 0.5].min() > 0.5
    assert expected[:, :4].amax() <= 1 - trust + 1e-6


def test_a_reflection_stays_bright_and_a_shadow_dark() -> None:
    ground = np.full((T, H, W, 3), 0.5, np.float32)
    brighter = 1 - ((1 - ground + FLOOR) * np.exp(-usual() / 2) - FLOOR)
    change, seen, inside = density(brighter[0], ground[0]), np.ones((H, W), bool), np.s_[5:7, 6:14]
    _, bright = as_observed(-usual()[:1], -usual()[0], change, seen)
    np.testing.assert_allclose(bright[inside], -0.2, atol=0.01)
    _, dark = as_observed(usual()[:1], usual()[0], change, seen)
    assert not dark[inside].any()


@pytest.mark.parametrize("reflecting", [0.0, 1.0])
def test_what_a_mirroring_ground_shows_below_somebody_is_hers_whatever_its_colour(reflecting: float) -> None:
    ground = np.full((T, H, W, 3), 0.5, np.float32)
    masks = np.zeros((T, 2, H, W), np.float32)
    masks[:, 0, 1:5, 4:8] = masks[:, 1, 1:5, 14:18] = 1
    plate = ground.copy()
    plate[:, 5:9, 4:8] = (0.7, 0.3, 0.5)
    data = make_shot_data(plate, masks, masks, ground)
    data.casts = cast(data.masks, data.sway, Sun(torch.zeros(4), torch.tensor(0.0)))
    nothing, calm = np.zeros((T, H, W, 3), np.float32), np.zeros((T, H, W), np.float32)
    alone = np.zeros((T, 2, H, W, 3), np.float32)
    found = as_the_plate_shows(alone, nothing, nothing, ground, data, calm, calm, reflecting)
    below = found.alone[:, 0, 6:8, 5:7].astype(np.float32)
    np.testing.assert_allclose(below, reflecting * density(plate, ground)[:, 6:8, 5:7], atol=0.02)
    assert not found.alone[:, 1].any()


def test_what_the_ground_does_by_itself_is_nobodys() -> None:
    ground = np.full((T, H, W, 3), 0.5, np.float32)
    faint = usual() / 2
    darker = (ground + FLOOR) * np.exp(-faint) - FLOOR
    masks = np.zeros((T, 1, H, W), np.float32)
    masks[:, 0, 0, 0] = 1
    data, calm = make_shot_data(darker, masks, masks, ground), np.zeros((T, H, W), np.float32)
    data.casts = cast(data.masks, data.sway, Sun(torch.zeros(4), torch.tensor(0.0)))
    # The right half of the shadow lies where waves come and go.
    drifts = calm.copy()
    drifts[:, :, 10:] = 0.5
    found = as_the_plate_shows(faint[:, None], faint, faint, ground, data, calm, drifts, 0.0)
    for effects in (found.alone[:, 0], found.together, found.undo):
        np.testing.assert_allclose(effects[:, 5:7, 7:10].astype(np.float32), 0.2, atol=0.01)
        assert not effects[:, :, 10:].any()


def test_ground_is_watched_while_nobodys_effect_is_there() -> None:
    frames = 24
    picture = np.full((frames, H, W, 3), 0.5, np.float32)
    amount = np.zeros_like(picture)
    # A shadow on the left in half of the frames, which is expected, and a wave on the right, which is not.
    amount[::2, :, :6] = 0.4
    picture[::2, :, :6] *= 0.67
    picture[::2, :, 14:] = (0.5, 0.4, 0.3)
    seen = np.ones((frames, H, W), bool)
    background = TrainingBackground(picture, seen, ~seen, ~seen, Camera.static(frames, (W, H)))
    drifts = background.drifts(amount)
    assert not drifts[:, :, :6].any()
    assert (drifts[:, :, 16:] > 0.3).all()


class _Sizes(torch.nn.Module):
    """Says how much of the full width (20) a picture has, and the mask's amount."""

    def forward(self, features: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        alone = features[:, :, :, :1].expand(-1, -1, -1, 3, -1, -1)
        return alone, torch.full_like(alone[:, :, 0], features.shape[-1] / 20)


def test_what_is_usual_is_told_from_two_sizes() -> None:
    features = torch.zeros(1, 3, 2, 5, 12, 20)
    features[:, :, 1, 0, :, :10] = 1
    alone, together = at_two_sizes(_Sizes(), features)  # type: ignore[arg-type]
    assert alone.shape == (1, 3, 2, 3, 12, 20) and together.shape == (1, 3, 3, 12, 20)
    torch.testing.assert_close(together, torch.full_like(together, (1 + 14 / 20) / 2))
    # Both answers lie in the same place: nothing is shifted, and nobody's is another's.
    assert not alone[:, :, 0].any()
    torch.testing.assert_close(alone[:, :, 1, :, :, :8], torch.ones(1, 3, 3, 12, 8), atol=0.05, rtol=0)
    torch.testing.assert_close(alone[:, :, 1, :, :, 12:], torch.zeros(1, 3, 3, 12, 8), atol=0.05, rtol=0)

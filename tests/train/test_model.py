from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from backend.core import opacity
from backend.model.effect_net import OUTPUT_CHANNELS, SHADOW_CHANNELS, EffectNet
from backend.model.shading import Shading, with_density
from backend.model.sunlight import CASTS

B, N, H, W = 2, 3, 16, 24


def effects(shadow: float = 0.0, reflection: float = 0.0, people: int = N) -> torch.Tensor:
    out = torch.full((1, people, OUTPUT_CHANNELS, 4, 4), reflection)
    out[:, :, :SHADOW_CHANNELS] = shadow
    return out


def seen_by(masks: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Masks with some shadows that could be theirs."""
    return masks, masks.roll(2, -1)[:, :, None].expand(-1, -1, CASTS, -1, -1)


@pytest.mark.parametrize("levels", [2, 3, 4])
def test_the_net_paints_an_effect_per_person(levels: int) -> None:
    unit = EffectNet.size_multiple(levels)
    masks = torch.rand(B, N, 2 * unit, 3 * unit)
    assert EffectNet(8, levels)(*seen_by(masks)).shape == (B, N, OUTPUT_CHANNELS, 2 * unit, 3 * unit)


def test_at_first_nobody_has_an_effect() -> None:
    torch.manual_seed(0)
    painted = EffectNet(8, 3)(*seen_by(torch.rand(B, N, H, W))).detach()
    assert 0 < float(painted.abs().max()) < 0.1


def test_a_person_is_known_by_shape_and_not_by_number() -> None:
    torch.manual_seed(0)
    net, masks, order = EffectNet(8, 3), (torch.rand(B, N, H, W) > 0.7).float(), [2, 0, 1]
    with torch.no_grad():
        torch.testing.assert_close(net(*seen_by(masks[:, order])), net(*seen_by(masks))[:, order])
        torch.testing.assert_close(net(*seen_by(masks[:, :1])), net(*seen_by(masks))[:, :1])


def test_frames_do_not_know_of_each_other() -> None:
    torch.manual_seed(0)
    net, masks = EffectNet(8, 3), torch.rand(B, N, H, W)
    with torch.no_grad():
        torch.testing.assert_close(net(*seen_by(masks[1:])), net(*seen_by(masks))[1:])


def test_everything_in_the_net_learns() -> None:
    torch.manual_seed(0)
    net, shading = EffectNet(8, 3), Shading()
    alone, together = shading.densities(net(*seen_by((torch.rand(B, N, H, W) > 0.7).float())))
    (alone.square().sum() + together.square().sum()).backward()
    for name, weights in [*net.named_parameters(), *shading.named_parameters()]:
        assert weights.grad is not None and weights.grad.any(), name


def test_no_effect_is_no_density() -> None:
    alone, together = Shading().densities(effects())
    assert not alone.any() and not together.any()


def test_light_can_be_taken_away_only_once() -> None:
    shading = Shading()
    one, _ = shading.densities(effects(shadow=1.0, people=1))
    _, three = shading.densities(effects(shadow=1.0, people=3))
    torch.testing.assert_close(three, one[:, 0])


@given(st.floats(0, 1), st.floats(0, 1))
def test_two_half_shadows_darken_more_than_one_and_less_than_twice(a: float, b: float) -> None:
    both = torch.cat([effects(shadow=a, people=1), effects(shadow=b, people=1)], 1)
    alone, together = Shading().densities(both)
    assert (together >= alone.max(1).values - 1e-6).all()
    assert (together <= alone.sum(1) + 1e-6).all()


def test_one_person_alone_is_all_there_is() -> None:
    alone, together = Shading().densities(torch.rand(1, 1, OUTPUT_CHANNELS, 4, 4))
    torch.testing.assert_close(alone[:, 0], together)


def test_the_order_of_people_does_not_matter_to_the_light() -> None:
    painted = torch.rand(1, N, OUTPUT_CHANNELS, 4, 4)
    _, together = Shading().densities(painted)
    _, permuted = Shading().densities(painted[:, [1, 2, 0]])
    torch.testing.assert_close(together, permuted)


def test_reflections_add_up() -> None:
    _, together = Shading().densities(effects(reflection=-0.2, people=2))
    torch.testing.assert_close(together, torch.full_like(together, -0.4))


@pytest.mark.parametrize("value", [-5.0, 5.0])
def test_a_prediction_out_of_range_can_find_its_way_back(value: float) -> None:
    painted = effects(shadow=value).requires_grad_()
    alone, together = Shading().densities(painted)
    assert torch.isfinite(alone).all() and torch.isfinite(together).all()
    alone.sum().backward()
    assert painted.grad is not None and (painted.grad[:, :, :SHADOW_CHANNELS] > 0).all()


def test_learned_depth_stays_a_share_of_light() -> None:
    shading = Shading()
    with torch.no_grad():
        shading.depth.copy_(torch.linspace(-3, 3, shading.depth.numel()).reshape(shading.depth.shape))
    depth = shading.depth_map((H, W))
    assert depth.shape == (1, 3, H, W) and depth.min() > 0 and depth.max() < 1


def test_training_and_export_see_through_effects_alike() -> None:
    rng = np.random.default_rng(0)
    background, signed = rng.random((H, W, 3)).astype(np.float32), rng.normal(0, 1, (H, W, 3)).astype(np.float32)
    learned = with_density(torch.from_numpy(background), torch.from_numpy(signed)).clamp(0, 1)
    np.testing.assert_allclose(learned.numpy(), opacity.with_density(background, signed), atol=1e-6)

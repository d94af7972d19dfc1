from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.autograd import gradcheck

from backend.model.effect_net import OUTPUT_CHANNELS
from backend.train.losses import LossTerms, loss_terms, out_of_range, reconstruction, sparsity
from backend.train.settings import LossWeights

B, N, H, W = 2, 3, 4, 5


def random(*shape: int, low: float = 0.0, high: float = 1.0) -> Tensor:
    values = torch.rand(*shape, generator=torch.Generator().manual_seed(sum(shape)), dtype=torch.float64)
    return low + (high - low) * values


def terms(effects: Tensor, picture: Tensor, bootstrap: float = 1.0) -> LossTerms:
    weight = (random(B, 1, H, W) > 0.3).double()
    return loss_terms(
        effects, picture, random(B, 3, H, W), weight, random(B, N, 1, H, W), random(B, N, 1, H, W), bootstrap, 1.0
    )


def test_gradients_are_right() -> None:
    # Away from the kinks at zero, where there is no gradient to check.
    picture = (random(B, 3, H, W) + 0.2).requires_grad_()
    effects = random(B, N, OUTPUT_CHANNELS, H, W, low=0.1, high=1.6).requires_grad_()
    assert gradcheck(lambda p: reconstruction(p, random(B, 3, H, W), random(B, 1, H, W)), picture)
    assert gradcheck(lambda e: sparsity(e.abs(), random(B, N, 1, H, W)), effects)
    assert gradcheck(out_of_range, effects)
    assert gradcheck(out_of_range, (-effects.detach()).requires_grad_())
    assert gradcheck(lambda e, p: terms(e, p).total(LossWeights()), (effects, picture))


def test_small_errors_count_smoothly_up_to_the_kink() -> None:
    plate, weight = torch.zeros(1, 3, 1, 1, dtype=torch.float64), torch.ones(1, 1, 1, 1, dtype=torch.float64)
    for error in (1e-3, 0.029, 0.031, 0.5):
        picture = torch.full_like(plate, error).requires_grad_()
        assert gradcheck(lambda p: reconstruction(p, plate, weight), picture, eps=1e-7)


def test_a_perfect_picture_without_effects_costs_nothing() -> None:
    plate, zeros = random(B, 3, H, W), torch.zeros(B, N, OUTPUT_CHANNELS, H, W, dtype=torch.float64)
    found = loss_terms(
        zeros, plate, plate, torch.ones(B, 1, H, W), random(B, N, 1, H, W), random(B, N, 1, H, W), 5.0, 1.0
    )
    assert float(found.total(LossWeights())) == 0


def test_terms_are_maps() -> None:
    found = terms(random(B, N, OUTPUT_CHANNELS, H, W), random(B, 3, H, W))
    assert found.reconstruction.shape == (B, 3, H, W)
    assert found.shadow_sparsity.shape == (B, N, 1, H, W)
    assert found.reflection_sparsity.shape == (B, N, 3, H, W)
    assert found.range.shape == (B, N, 1, H, W)
    assert found.total(LossWeights()).shape == ()


def test_nothing_is_asked_of_what_a_body_hides() -> None:
    hidden = torch.zeros(B, 1, H, W)
    picture, plate = random(B, 3, H, W), 1 - random(B, 3, H, W)
    assert not reconstruction(picture, plate, hidden).any()
    assert reconstruction(picture, plate, 1 - hidden).any()


def test_an_effect_is_dearer_the_further_it_is_from_its_person() -> None:
    effects = torch.full((1, 1, OUTPUT_CHANNELS, 1, 2), 0.5)
    distance = torch.tensor([0.0, 4.0]).reshape(1, 1, 1, 1, 2)
    pictures, seen = torch.zeros(1, 3, 1, 2), torch.ones(1, 1, 1, 2)
    early = loss_terms(effects, pictures, pictures, seen, distance, 0 * distance, 1.0, 0.0)
    late = loss_terms(effects, pictures, pictures, seen, distance, 0 * distance, 0.0, 0.0)
    for name in ("shadow_sparsity", "reflection_sparsity"):
        near, far = getattr(early, name)[0, 0, 0, 0]
        assert float(far) == pytest.approx(5 * float(near))
        near, far = getattr(late, name)[0, 0, 0, 0]
        assert float(far) == float(near)


def test_a_share_of_light_within_0_to_1_is_left_alone() -> None:
    inside = random(B, N, OUTPUT_CHANNELS, H, W)
    assert not out_of_range(inside).any()
    assert out_of_range(inside + 1.01).min() > 0
    assert out_of_range(inside - 1.01).min() > 0


def test_an_effect_behind_somebody_else_costs_little_since_nothing_speaks_for_it() -> None:
    plate, effects = torch.zeros(1, 3, 1, 3), torch.ones(1, 1, OUTPUT_CHANNELS, 1, 3)
    # Seen, behind another body, under her own.
    weight, distance = torch.tensor([1.0, 0, 0]), torch.tensor([0.5, 0.5, 0])
    found = loss_terms(
        effects,
        plate,
        plate,
        weight.view(1, 1, 1, 3),
        distance.view(1, 1, 1, 1, 3),
        torch.zeros(1, 1, 1, 1, 3),
        0.0,
        0.0,
    )
    seen, behind, under = found.shadow_sparsity.flatten().tolist()
    assert seen == under == 1
    assert 0 < behind < 0.1

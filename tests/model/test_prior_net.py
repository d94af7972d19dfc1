"""The network that knows what shadows look like."""

from __future__ import annotations

import torch

from backend.model.prior_net import FEATURES, Evidence, PriorNet
from backend.model.sunlight import CASTS
from backend.stages.prior import prior_net

S, F, N, H, W = 1, 3, 2, 32, 48


def evidence(people: int = N) -> Evidence:
    random = torch.Generator().manual_seed(3)

    def rand(*shape: int) -> torch.Tensor:
        return torch.rand(*shape, generator=random)

    return Evidence(
        plate=rand(S, F, 3, H, W),
        observed=rand(S, F, 3, H, W) - 0.5,
        masks=(rand(S, F, people, H, W) > 0.8).float(),
        seen=torch.ones(S, F, H, W),
        distance=10 * rand(S, F, people, H, W),
        restless=0.01 * rand(S, F, H, W),
        free=rand(S, F, H, W),
        darkest=rand(S, F, H, W),
        cast=rand(S, F, people, CASTS, H, W),
    )


def test_everybody_gets_the_same_kind_of_input() -> None:
    features = evidence().features()
    assert features.shape == (S, F, N, FEATURES, H, W)
    assert torch.equal(features[:, :, 0, 1], features[:, :, 1, 0])
    assert torch.equal(features[:, :, 0, -CASTS:], features[:, :, 1, -2 * CASTS : -CASTS])


def test_one_person_has_no_others() -> None:
    features = evidence(1).features()
    assert not features[:, :, :, 1].any()
    alone, together = PriorNet()(features)
    assert torch.allclose(alone[:, :, 0], together, atol=1e-5)


def test_densities_are_finite_and_of_everybody() -> None:
    alone, together = prior_net()(evidence().features())
    assert alone.shape == (S, F, N, 3, H, W)
    assert together.shape == (S, F, 3, H, W)
    assert alone.isfinite().all() and together.isfinite().all()


def test_who_comes_first_does_not_matter() -> None:
    features = evidence().features()
    alone, together = prior_net()(features)
    swapped, same = prior_net()(features.flip(2))
    assert torch.allclose(alone.flip(2), swapped, atol=1e-4)
    assert torch.allclose(together, same, atol=1e-4)

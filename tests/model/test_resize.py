from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from backend.model.resize import doubled, doubled_adjoint, enlarged


def random(*shape: int) -> Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


@pytest.mark.parametrize("size", [(3, 5), (1, 1), (8, 2)])
def test_the_gradient_of_a_doubled_picture_is_that_of_torch(size: tuple[int, int]) -> None:
    pictures = random(2, 3, *size).requires_grad_()
    large = doubled(pictures)
    assert large.shape[-2:] == (2 * size[0], 2 * size[1])
    wanted = random(*large.shape)
    large.backward(wanted)  # type: ignore[no-untyped-call]
    assert pictures.grad is not None
    torch.testing.assert_close(doubled_adjoint(wanted), pictures.grad)


def test_small_maps_are_enlarged_as_torch_does() -> None:
    maps = random(1, 2, 8, 8)
    torch.testing.assert_close(enlarged(maps, (28, 50)), F.interpolate(maps, size=(28, 50), mode="bilinear"))

from __future__ import annotations

import torch

from backend.media.charts import PARTS
from backend.model.charts import CHANNELS, ChartAtlas
from backend.model.effect_net import EffectNet


def charts(part: int, u: float, v: float) -> torch.Tensor:
    return torch.tensor([part, u, v], dtype=torch.float32)[None, :, None, None].expand(1, 3, 4, 6)


def test_every_part_has_a_texture_of_its_own() -> None:
    atlas = ChartAtlas()
    with torch.no_grad():
        atlas.texture.copy_(torch.arange(PARTS + 1.0)[None, :, None, None].expand_as(atlas.texture))
    for part in (1, 12, PARTS):
        found = atlas(charts(part, 0.3, 1.0))
        assert found.shape == (1, CHANNELS, 4, 6)
        torch.testing.assert_close(found, torch.full_like(found, part), atol=1e-4, rtol=0)
    assert not atlas(charts(0, 0.5, 0.5)).any()


def test_u_runs_along_the_columns_of_the_texture() -> None:
    atlas = ChartAtlas()
    with torch.no_grad():
        atlas.texture.copy_(torch.linspace(0, 1, 16).expand_as(atlas.texture))
    torch.testing.assert_close(atlas(charts(5, 0.25, 0.9))[0, 0, 0, 0], torch.tensor(0.25))


def test_the_network_learns_from_charts() -> None:
    net = EffectNet(8, 3, charts=True)
    masks, body = torch.ones(1, 1, 16, 16), charts(3, 0.4, 0.6).new_zeros(1, 1, 3, 16, 16)
    body[:, :, 0] = 3
    net(masks, torch.zeros(1, 1, 3, 16, 16), body).square().sum().backward()
    assert net.atlas is not None and net.atlas.texture.grad is not None and net.atlas.texture.grad.abs().sum() > 0

"""The paper's own input: a learned texture on the charts of the body (LNR section 3.1)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from backend.media.charts import PARTS

CHANNELS = 16
_SIDE = 16


class ChartAtlas(nn.Module):
    """A texture of 16 channels and 16x16 texels for each of the 24 parts of the body, the same for all people."""

    def __init__(self) -> None:
        super().__init__()
        self.texture = nn.Parameter(torch.randn(CHANNELS, PARTS + 1, _SIDE, _SIDE) * 0.1)

    def forward(self, charts: Tensor) -> Tensor:
        """The texture where the body is seen, 0 elsewhere: (B, 16, H, W).

        Args:
            charts: (B, 3, H, W): the part (whole numbers, 0 where there is none), and u and v 0..1 within it.
        """
        part, u, v = charts.unbind(1)
        # A part is a slice of a volume, so that nothing bleeds from one chart into the next.
        place = torch.stack([2 * u - 1, 2 * v - 1, part * (2 / PARTS) - 1], -1)[None]
        found = F.grid_sample(self.texture[None], place, align_corners=True)[0].transpose(0, 1)
        return found * (part > 0)[:, None]

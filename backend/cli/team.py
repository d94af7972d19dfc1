"""A decomposition that several processes work on, when torchrun has started them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from backend.libraries import settle_libraries
from backend.protocol import DecomposeRequest, Event
from backend.train.device import choose_device
from backend.train.follower import follow
from backend.train.team import Team


def decompose_in_team(
    request: DecomposeRequest, report: Callable[[Event], None], cancelled: Callable[[], bool]
) -> Path | None:
    """As ``decompose``; None in the processes that only help with the training."""
    from backend.decompose import decompose

    settle_libraries()
    team = Team.from_environment()
    try:
        if team.leads:
            return decompose(request, report, cancelled, team)
        follow(team, team.device(choose_device(request.settings.device)))
        return None
    finally:
        team.leave()

"""Ground made up by the network that has learned how places go on."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from backend.core.inpaint_ways import smoothly
from backend.model.ground_net import ground_net
from backend.model.made_up import made_up

H, W = 144, 256


def place() -> np.ndarray:
    """A wall with a rail and a post before it, above a floor."""
    picture = np.full((H, W, 3), 0.6, np.float32)
    picture[90:] = (0.3, 0.4, 0.3)
    picture[:, 118:124] = (0.35, 0.3, 0.25)
    picture[50:54] = 0.15
    return picture


def somebody() -> np.ndarray:
    holes = np.zeros((H, W), np.uint8)
    cv2.ellipse(holes, (125, 75), (14, 45), 0, 0, 360, 1, -1)
    return holes > 0


@pytest.mark.parametrize("times", [1, 3])
def test_rails_posts_and_floors_go_on_behind_somebody(times: int) -> None:
    picture, holes = (np.repeat(np.repeat(part, times, 0), times, 1) for part in (place(), somebody()))
    given = np.where(holes[..., None], 0, picture).astype(np.float32)
    filled = made_up(ground_net(), given, holes)
    assert np.array_equal(filled[~holes], picture[~holes])
    assert np.abs(filled - picture)[holes].mean() < 0.6 * np.abs(smoothly(given, holes) - picture)[holes].mean()


def test_what_lies_in_a_hole_is_not_looked_at() -> None:
    picture, holes = place(), somebody()
    filled = [made_up(ground_net(), np.where(holes[..., None], v, picture).astype(np.float32), holes) for v in (0, 1)]
    assert np.abs(filled[0] - filled[1]).max() < 1e-5


def test_a_hole_at_the_edge_and_one_that_leaves_little() -> None:
    picture, holes = place(), np.zeros((H, W), bool)
    holes[:, :100] = holes[100:] = True
    filled = made_up(ground_net(), np.where(holes[..., None], 0, picture).astype(np.float32), holes)
    assert np.isfinite(filled).all() and 0.2 < filled[holes].mean() < 0.8


def test_specks_are_not_worth_a_look(monkeypatch: pytest.MonkeyPatch) -> None:
    picture, holes = place(), np.zeros((H, W), bool)
    holes[::24, ::24] = True
    monkeypatch.setattr("backend.model.made_up._seen", lambda *_: pytest.fail("looked at"))
    given = np.where(holes[..., None], 0, picture).astype(np.float32)
    assert np.array_equal(made_up(ground_net(), given, holes), smoothly(given, holes))

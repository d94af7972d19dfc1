from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np
import pytest
import torch

from backend.errors import Cancelled, NumericalError
from backend.train.loop import TrainState, new_state, predict, train
from backend.train.losses import LossTerms
from backend.train.settings import TrainSettings
from backend.train.shot_data import ShotData
from tests.train.toy_shot import QUICK, SHADE, N, T, floor, mask, refit_of, shadow, toy_data

LEARNS = TrainSettings(steps=240, batch_frames=8, width=12, levels=3)


def nothing(_state: TrainState, _terms: LossTerms) -> None:
    """Nobody watches."""


def never() -> bool:
    return False


def trained(
    settings: TrainSettings, seed: int = 0, stop: Callable[[TrainState], bool] = lambda _: False
) -> tuple[TrainState, ShotData]:
    data = toy_data()
    state = new_state(data, settings, seed)
    return train(state, data, settings, refit_of(data), nothing, lambda: stop(state)), data


@pytest.fixture(scope="module")
def learned() -> tuple[TrainState, ShotData]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    result = trained(LEARNS)
    torch.set_num_threads(threads)
    return result


def open_ground(frame: int) -> np.ndarray:
    """(H, W): True where no body is."""
    return np.asarray(sum(mask(i, frame) for i in range(N)) == 0)


def test_each_shadow_is_learned_for_the_person_who_casts_it(learned: tuple[TrainState, ShotData]) -> None:
    state, data = learned
    alone = predict(state.renderer, data, LEARNS)[0].numpy()
    truth = -np.log(SHADE)
    for person in range(N):
        own, others = [], []
        for frame in range(T):
            free = open_ground(frame)
            found = alone[frame, person].mean(0)
            mine, yours = shadow(person, frame), shadow(1 - person, frame)
            own += list(found[(mine > 0) & free])
            others += list(found[(yours > mine) & free])
        assert np.mean(own) == pytest.approx(truth, rel=0.25), person
        assert abs(np.mean(others)) < 0.15 * truth, person


def test_where_there_is_no_shadow_there_is_no_effect(learned: tuple[TrainState, ShotData]) -> None:
    state, data = learned
    together = predict(state.renderer, data, LEARNS)[1].numpy()
    for frame in range(T):
        clear = open_ground(frame) & (sum(shadow(i, frame) for i in range(N)) == 0)
        assert np.abs(together[frame].mean(0)[clear]).mean() < 0.05


def test_the_background_is_the_floor_without_shadows(learned: tuple[TrainState, ShotData]) -> None:
    background = learned[0].background[0].permute(1, 2, 0).numpy()
    assert np.abs(background - floor()).mean() < 0.01
    assert np.quantile(np.abs(background - floor()).max(-1), 0.99) < 0.08


def test_the_error_falls(learned: tuple[TrainState, ShotData]) -> None:
    history = learned[0].history
    assert len(history) == LEARNS.steps
    assert np.mean(history[-20:]) < 0.3 * np.mean(history[:20])


def states_of(state: TrainState) -> dict[str, torch.Tensor]:
    """All numbers of a state by name."""
    moments = state.optimizer.state_dict()["state"]
    return {
        **state.renderer.state_dict(),
        "background": state.background,
        "history": torch.tensor(state.history),
        "generator": state.generator.get_state(),
        **{f"{i}.{name}": torch.as_tensor(value) for i, kept in moments.items() for name, value in kept.items()},
    }


def assert_same(a: TrainState, b: TrainState) -> None:
    first, second = states_of(a), states_of(b)
    assert first.keys() == second.keys()
    for name in first:
        assert torch.equal(first[name], second[name]), name
    assert (a.step, a.flops) == (b.step, b.flops)


def test_the_same_seed_gives_the_same_weights() -> None:
    assert_same(trained(QUICK, seed=3)[0], trained(QUICK, seed=3)[0])


def test_several_networks_answer_with_their_mean() -> None:
    several = dataclasses.replace(QUICK, networks=3)
    state, data = trained(several)
    members = state.renderer.members
    each = [member(*data.geometry(torch.arange(T))) for member in members]
    for found, parts in zip(
        predict(state.renderer, data, several), zip(*(e[1:] for e in each), strict=True), strict=True
    ):
        torch.testing.assert_close(found, torch.stack(parts).mean(0))
    assert not torch.equal(each[0][0], each[1][0])


def test_several_networks_learn_as_each_would_alone() -> None:
    several = dataclasses.replace(QUICK, networks=2, refits=())
    together, alone = trained(several)[0], trained(dataclasses.replace(several, networks=1))[0]
    for ours, theirs in zip(
        together.renderer.members[0].parameters(), alone.renderer.members[0].parameters(), strict=True
    ):
        assert torch.equal(ours, theirs)


def test_another_seed_gives_others() -> None:
    a, b = trained(QUICK, seed=3)[0], trained(QUICK, seed=4)[0]
    assert a.history != b.history


def test_what_others_draw_from_the_global_generator_changes_nothing() -> None:
    data = toy_data()
    state = new_state(data, QUICK, 3)

    def draw(_state: TrainState, _terms: LossTerms) -> None:
        torch.rand(7)

    train(state, data, QUICK, refit_of(data), draw, never)
    assert_same(state, trained(QUICK, seed=3)[0])


def test_a_cancel_leaves_the_state_of_the_last_whole_step() -> None:
    data = toy_data()
    state = new_state(data, QUICK, 0)
    with pytest.raises(Cancelled):
        train(state, data, QUICK, refit_of(data), nothing, lambda: state.step == 5)
    assert state.step == 5 and len(state.history) == 5
    train(state, data, QUICK, refit_of(data), nothing, never)
    assert_same(state, trained(QUICK)[0])


def test_the_watcher_is_called_after_every_step() -> None:
    data, seen = toy_data(), []

    def watch(state: TrainState, terms: LossTerms) -> None:
        seen.append((state.step, terms.reconstruction.shape[0]))

    train(new_state(data, QUICK, 0), data, QUICK, refit_of(data), watch, never)
    assert seen == [(step, QUICK.batch_frames) for step in range(1, QUICK.steps + 1)]


def test_the_background_is_estimated_anew_when_the_schedule_says_so() -> None:
    data, asked = toy_data(), []
    state = new_state(data, QUICK, 0)

    def refit(together: torch.Tensor) -> torch.Tensor:
        asked.append((state.step, together.shape))
        return torch.full_like(data.plate, 0.5)

    train(state, data, QUICK, refit, nothing, never)
    assert asked == [(QUICK.steps // 2, data.plate.shape)]
    assert (state.background == 0.5).all()


def test_work_is_counted_by_the_step() -> None:
    four, eight = trained(dataclasses.replace(QUICK, steps=4))[0], trained(QUICK)[0]
    assert eight.flops == 2 * four.flops > 0


def test_when_time_is_up_training_ends_with_what_there_is() -> None:
    data = toy_data()
    state = train(new_state(data, QUICK, 0), data, QUICK, refit_of(data), nothing, never, deadline=0.0)
    assert state.step == 0


def test_a_shot_shorter_than_a_batch_trains_all_the_same() -> None:
    data = toy_data()
    short = ShotData(**{name: tensor[:2] for name, tensor in vars(data).items() if tensor is not None})
    settings = dataclasses.replace(QUICK, refits=())
    state = train(new_state(short, settings, 0), short, settings, refit_of(data), nothing, never)
    assert state.step == settings.steps


def test_a_loss_that_is_no_number_is_told_in_a_sentence() -> None:
    data = toy_data()
    data.plate[:, 0, 0, 0] = float("nan")
    with pytest.raises(NumericalError, match="Training broke down at step 0: the loss is nan") as caught:
        train(new_state(data, QUICK, 0), data, QUICK, refit_of(data), nothing, never)
    assert "another seed" in caught.value.sentence()


def test_prediction_does_not_depend_on_how_frames_are_grouped() -> None:
    state, data = trained(QUICK)
    alone, together = predict(state.renderer, data, QUICK)
    one_by_one = predict(state.renderer, data, dataclasses.replace(QUICK, batch_frames=1))
    assert alone.shape == (T, N, 3, *data.masks.shape[2:]) and together.shape == data.plate.shape
    torch.testing.assert_close(one_by_one, (alone, together), atol=1e-5, rtol=1e-4)
    assert not alone.requires_grad

from __future__ import annotations

import pytest
import torch

from backend.errors import SettingError
from backend.train.device import choose_device, quick_arithmetic
from backend.train.loop import new_state, predict
from tests.train.toy_shot import QUICK, toy_data


def test_there_is_always_a_device() -> None:
    assert choose_device("cpu") == torch.device("cpu")
    assert choose_device("auto").type in ("cuda", "mps", "cpu")


@pytest.mark.parametrize(("cuda", "mps", "chosen"), [(True, True, "cuda"), (False, True, "mps"), (False, False, "cpu")])
def test_the_fastest_there_is(monkeypatch: pytest.MonkeyPatch, cuda: bool, mps: bool, chosen: str) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)
    assert choose_device("auto").type == chosen


def test_a_device_that_is_not_there_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(SettingError, match=r"'cuda'.*finds none"):
        choose_device("cuda")


@pytest.mark.parametrize(("able", "quick"), [({"avx512_bf16": True}, True), ({"amx_bf16": True}, True), ({}, False)])
def test_short_floats_only_where_the_processor_has_instructions_for_them(
    monkeypatch: pytest.MonkeyPatch, able: dict[str, bool], quick: bool
) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: able)
    left, right = torch.ones(4, 4), torch.ones(4, 4)
    with quick_arithmetic(torch.device("cpu")):
        assert (left @ right).dtype == (torch.bfloat16 if quick else torch.float32)


@pytest.mark.parametrize("able", [True, False])
def test_short_floats_only_where_the_card_has_instructions_for_them(
    monkeypatch: pytest.MonkeyPatch, able: bool
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation=True: able)
    with quick_arithmetic(torch.device("cuda")):
        assert torch.is_autocast_enabled("cuda") == able


def test_short_floats_predict_nearly_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    data = toy_data()
    renderer = new_state(data, QUICK, 0).renderer
    predicted = []
    for able in (False, True):
        monkeypatch.setattr(torch.cpu, "get_capabilities", lambda able=able: {"avx512_bf16": able})
        predicted.append(predict(renderer, data, QUICK)[1])
    assert predicted[1].dtype == torch.float32
    torch.testing.assert_close(predicted[0], predicted[1], atol=5e-3, rtol=0.05)

"""The neural finder, with tiny networks that were never trained, saved and loaded as real ones are."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from backend.errors import InputError, PeopleError, SettingError
from backend.media.people_info import read_people
from backend.people.find import choose_finder, find_people
from backend.people.neural import load_networks
from backend.people.weights import DETECTOR, SEGMENTER, WEIGHTS_VARIABLE
from backend.protocol import DecomposeRequest, DecomposeSettings, Task
from tests.people.walkers import clip, write_frames

transformers = pytest.importorskip("transformers", reason="the neural finder is an extra")


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A detector and a segmenter of a few thousand weights each."""
    folder = tmp_path_factory.mktemp("weights")
    torch.manual_seed(1)
    backbone = transformers.RTDetrResNetConfig(
        embedding_size=8,
        hidden_sizes=[8, 8, 8, 8],
        depths=[1, 1, 1, 1],
        layer_type="basic",
        out_features=["stage2", "stage3", "stage4"],
    )
    detector = transformers.RTDetrV2Config(
        backbone_config=backbone,
        encoder_in_channels=[8, 8, 8],
        encoder_hidden_dim=16,
        d_model=16,
        num_queries=8,
        decoder_in_channels=[16, 16, 16],
        encoder_ffn_dim=16,
        decoder_ffn_dim=16,
        encoder_attention_heads=2,
        decoder_attention_heads=2,
        decoder_layers=2,
        encoder_layers=1,
        num_denoising=0,
        id2label={0: "person", 1: "dog"},
    )
    transformers.RTDetrV2ForObjectDetection(detector).save_pretrained(folder / DETECTOR)
    transformers.Sam2VideoModel(tiny_segmenter()).save_pretrained(folder / SEGMENTER)
    return folder


def tiny_segmenter() -> object:
    vision = transformers.Sam2VisionConfig(
        backbone_config=transformers.Sam2HieraDetConfig(
            hidden_size=8,
            num_attention_heads=1,
            image_size=[128, 128],
            blocks_per_stage=[1, 1, 2, 1],
            embed_dim_per_stage=[8, 16, 32, 64],
            num_attention_heads_per_stage=[1, 1, 1, 1],
            global_attention_blocks=[3],
            window_size_per_stage=[8, 4, 8, 4],
            window_positional_embedding_background_size=[4, 4],
        ),
        backbone_channel_list=[64, 32, 16, 8],
        backbone_feature_sizes=[[32, 32], [16, 16], [8, 8]],
        fpn_hidden_size=128,
    )
    return transformers.Sam2VideoConfig(
        vision_config=vision,
        image_size=128,
        prompt_encoder_config={"hidden_size": 128, "image_size": 128, "mask_input_channels": 8},
        mask_decoder_config={"hidden_size": 128, "mlp_dim": 32, "num_attention_heads": 2, "iou_head_hidden_dim": 128},
        memory_attention_hidden_size=128,
        memory_attention_feed_forward_hidden_size=32,
        memory_attention_num_layers=1,
        memory_attention_rope_feat_sizes=[8, 8],
        memory_encoder_hidden_size=128,
        memory_encoder_output_channels=64,
        mask_downsampler_embed_dim=128,
        memory_fuser_embed_dim=128,
        memory_fuser_intermediate_dim=32,
    )


def request_for(folder: Path, hints: str = "") -> DecomposeRequest:
    settings = DecomposeSettings(finder="neural", device="cpu")
    return DecomposeRequest(
        str(folder / "plate"), str(folder / "masks"), task=Task.PEOPLE.value, hints=hints, settings=settings
    )


def test_drawn_people_are_followed(weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(WEIGHTS_VARIABLE, str(weights))
    pictures, masks = clip(6)
    write_frames(tmp_path / "plate", pictures)
    for person, name in enumerate(("anna", "ben")):
        for frame in (1, 2, 3):
            write_frames(tmp_path / "hints" / name, [masks[person, frame]], frame + 1)
    find_people(request_for(tmp_path, str(tmp_path / "hints")), lambda _event: None, lambda: False)
    info = read_people(tmp_path / "masks")
    assert info.finder == "neural"
    assert [person.name for person in info.people] == ["anna", "ben"]
    assert len(list((tmp_path / "masks" / "anna").glob("*.png"))) == 6


def test_untrained_networks_see_nobody_or_somebody(
    weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(WEIGHTS_VARIABLE, str(weights))
    write_frames(tmp_path / "plate", clip(4)[0])
    try:
        find_people(request_for(tmp_path), lambda _event: None, lambda: False)
    except PeopleError:
        assert not (tmp_path / "masks").exists()


def test_automatic_takes_it_when_it_is_there(weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(WEIGHTS_VARIABLE, str(weights))
    assert (choose_finder("auto"), choose_finder("motion"), choose_finder("neural")) == ("neural", "motion", "neural")
    monkeypatch.setenv(WEIGHTS_VARIABLE, str(tmp_path))
    assert choose_finder("auto") == "motion"
    with pytest.raises(SettingError, match="not available"):
        choose_finder("neural")


def test_damaged_weights_are_said(tmp_path: Path) -> None:
    for part in (DETECTOR, SEGMENTER):
        (tmp_path / part).mkdir()
        (tmp_path / part / "config.json").write_text("{}")
    with pytest.raises(InputError, match="no weights that can be loaded"):
        load_networks(tmp_path, torch.device("cpu"))

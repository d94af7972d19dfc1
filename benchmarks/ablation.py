"""What each idea is worth: the scenes once more with one idea left out at a time.

python -m benchmarks.ablation SCENES_DIR --out DIR [--scene NAME ...] [--idea NAME ...]

Writes ``benchmarks/ABLATION.md`` and its pictures; rows measured before stay. Every run is a process of its own.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest import mock

import cv2
import numpy as np
import torch

from backend.media.files import write_bytes
from backend.media.layer_set import open_layers
from backend.model.sunlight import CASTS
from backend.train.settings import PRESETS
from benchmarks.run import fresh, run_scorer
from benchmarks.scenes import Scene, find_scenes, stage_inputs

HERE = Path(__file__).parent
RECORD, PAGE, PICTURES = HERE / "ablation.json", HERE / "ABLATION.md", HERE / "pictures"
FIGURES = {
    "bg_cov_psnr": "bg_cov",
    "solo_eff_psnr": "solo_eff",
    "effect_recall": "eff_rec",
    "recon_psnr": "recon",
    "retimed_psnr": "retime",
    "retimed_dyn_psnr": "ret_dyn",
}
INTRODUCTION = """# What each idea is worth

Written by `python -m benchmarks.ablation`. The preset *standard* with one idea left out at a time, on smaller
training pictures and with half the steps, so that a run takes a minute; the figures of [RESULTS.md](RESULTS.md),
the mean over the scenes that are named. The pictures show the background and the first person's layer.

"""

# Less than the preset, so that all ideas on a scene take half an hour.
SMALL = dataclasses.replace(PRESETS["standard"], pixels=64 * 112, batch_frames=8, steps=PRESETS["standard"].steps // 2)

Patch = Callable[[], Any]


def _no_prior() -> Any:
    """Nothing is known of what is usual: an untrained background, no cost, no say in the background."""

    def nothing(_net: Any, data: Any, *_others: Any) -> tuple[torch.Tensor, torch.Tensor]:
        return torch.zeros(*data.masks.shape[:2], *data.plate.shape[1:]), torch.zeros_like(data.plate)

    return mock.patch.multiple(
        "backend.stages.learn",
        usual_effects=nothing,
        unusual=lambda alone: torch.zeros_like(alone[:, :, :1]),
        agreed=lambda learned, usual: learned,
    )


def _no_colour() -> Any:
    from backend.stages import learn

    return mock.patch.object(learn, "as_in_this_clip", lambda *_: None)


def _no_change() -> Any:
    from backend.stages import learn

    return mock.patch.object(learn, "changing", lambda usual, *_: np.ones_like(usual))


def _no_burnt_in() -> Any:
    from backend.stages import learn

    return mock.patch.object(learn, "with_burnt_in", lambda each, every, *others: (each, every))


def _no_sunlight() -> Any:
    from backend.stages import learn

    return mock.patch.object(learn, "cast", lambda masks, *_: torch.zeros(*masks.shape[:2], CASTS, *masks.shape[2:]))


def _no_other_shadows() -> Any:
    from backend.stages import learn

    return mock.patch.object(learn, "tell_never_clean", lambda *_: None)


def _over_people() -> Any:
    from backend.stages import learn

    return mock.patch.object(learn, "shadows_on_people", lambda data, sun: (np.ones(data.masks.shape, np.float16), 0.0))


def _holes_behind() -> Any:
    from backend.stages import learn

    return mock.patch.object(learn, "carry_behind", lambda alone, data: None)


def _no_light() -> Any:
    from backend.stages.shade import Shades

    return mock.patch.object(Shades, "_in_the_light", lambda self, index, person: [])


def _thin_edges() -> Any:
    from backend.stages import layers

    return mock.patch.object(layers, "edge_alpha", lambda plate, alpha, behind: alpha)


def _masks_as_given() -> Any:
    from backend.stages import layers

    return mock.patch.object(layers, "softened", lambda masks, plate, ground: masks)


def _edges_as_mixed() -> Any:
    from backend.stages import layers

    return mock.patch.object(layers, "edges_as_seen", lambda plate, background, color, *others: color)


def _no_rims() -> Any:
    from backend.stages import layers

    return mock.patch.object(layers, "with_rims", lambda alone, *others: alone)


def _twice_as_dark() -> Any:
    from backend.stages import layers

    return mock.patch.object(layers, "_UNDONE", np.float32(0))


def _ends_soon() -> Any:
    from backend.stages import effects

    return mock.patch.object(effects, "_widened", lambda densities: densities.astype(np.float32))


def _faint_as_learned() -> Any:
    from backend.stages import learn

    return mock.patch.object(learn, "as_usual_where_faint", lambda each, every, *others: (each, every))


def _ground_is_dead() -> Any:
    from backend.stages import effects

    return mock.patch.multiple(
        effects,
        beyond=lambda found, drifts: np.ones_like(drifts),
        something_else=lambda change, expected: np.zeros(change.shape[:2], np.float32),
    )


def _strictly_cast() -> Any:
    from backend.stages import prior

    return mock.patch.multiple(prior, _LONGER=1.0, _AROUND=0.0)


def _kept_by_bodies() -> Any:
    from backend.stages import shade

    return mock.patch.object(shade, "_GIVEN", np.float32(0))


def _no_refits() -> Any:
    import backend.train.loop as loop

    return mock.patch.object(loop, "refit_steps", lambda settings: ())


def _no_clipping() -> Any:
    import backend.train.loop as loop

    return mock.patch.object(loop, "clip_gradients", lambda optimizer: None)


def _multiplied() -> Any:
    from backend.model.shading import Shading

    def densities(self: Shading, effects: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        shadow, depth = effects[:, :, :1], self.depth_map((effects.shape[-2], effects.shape[-1]))
        inside = shadow.clamp(0, 1)
        held = inside + 0.05 * (shadow - inside)
        alone = -torch.log((1 - depth[:, None] * held).clamp_min(0.02)) + effects[:, :, 1:]
        return alone, alone.sum(1)

    return mock.patch.object(Shading, "densities", densities)


def _no_leftovers() -> Any:
    from backend.stages import effects

    def nobodys(change: Any, distance: Any) -> Any:
        return np.zeros((len(distance), *change.shape), np.float32)

    return mock.patch.object(effects, "_given_by_patches", nobodys)


def _no_evidence() -> Any:
    from backend.stages import layers

    return mock.patch.object(layers, "corrected", lambda predicted, *others: predicted)


def _no_loans() -> Any:
    from backend.stages import survey

    return mock.patch.object(
        survey, "borrow", lambda plate, masks, covered, camera: [[None] * masks.shape[1]] * len(masks)
    )


def _no_texture() -> Any:
    from backend.stages import clean_plate

    return mock.patch.object(
        clean_plate, "textured", lambda ground, holes, known, rehearsals, learned: clean_plate.smoothly(ground, holes)
    )


def _no_learned_ground() -> Any:
    from backend.core import inpaint

    return mock.patch.object(inpaint, "_LEARNED_SAY", 0.0)


def _none_beside() -> Any:
    from backend.core import background

    return mock.patch.object(background, "_LIKE_AROUND", 0.0)


def _no_bends() -> Any:
    from backend.core.bending import Comparison

    return mock.patch.object(Comparison, "bend", lambda self: None)


def _each_alone() -> Any:
    from backend.stages import survey

    return mock.patch.object(survey, "told_together", lambda own, around: own)


IDEAS: dict[str, tuple[str, Patch]] = {
    "everything": ("all ideas", lambda: mock.patch.dict({}, {})),
    "prior": ("without what is usual (`stages/prior.py`)", _no_prior),
    "colour": ("what is usual keeps the depth and colour it was drawn with", _no_colour),
    "change": ("what is usual is believed even where the plate does not change like that", _no_change),
    "burnt-in": ("ground that is never clean keeps its shadow", _no_burnt_in),
    "sun": ("nobody is told where shadows would fall", _no_sunlight),
    "printed": ("shadows that never move are told neither by their outlines nor by other shadows", _no_other_shadows),
    "on-people": ("everybody's effects lie over the people behind", _over_people),
    "behind": ("what a body hides of somebody's shadow stays a hole", _holes_behind),
    "light": ("a body in somebody's shadow is not compared with itself in the light", _no_light),
    "edges": ("soft edges as opaque as the mask says", _thin_edges),
    "soft": ("masks as hard or soft as they come", _masks_as_given),
    "as-mixed": ("what the layers leave over at soft edges is nobody's", _edges_as_mixed),
    "rims": ("what is left over right beside effects and bodies is nobody's", _no_rims),
    "twice": ("bodies make up for nothing of the shadows that lie over them", _twice_as_dark),
    "reach": ("effects end where they are predicted to end", _ends_soon),
    "faint": ("faint effects as learned", _faint_as_learned),
    "living": ("what the ground does by itself may be somebody's", _ground_is_dead),
    "low-sun": ("shadows that never move are expected exactly where the sun casts them", _strictly_cast),
    "given": ("a shadow on a body is its caster's only where it falls on the ground too", _kept_by_bodies),
    "beside": ("ground that is seen only right beside bodies is made up", _none_beside),
    "refits": ("the background is not estimated anew", _no_refits),
    "clipping": ("gradients as long as they are", _no_clipping),
    "sunlight": ("shadows multiply, as in LNR, instead of taking the sunlight once", _multiplied),
    "leftovers": ("nothing is given to the nearest", _no_leftovers),
    "evidence": ("effects as predicted, not sharpened by the plate", _no_evidence),
    "loans": ("hidden parts stay holes", _no_loans),
    "bends": ("what hidden parts are borrowed from is moved, not bent", _no_bends),
    "in-step": ("a borrowed body is bent as its own frame alone tells", _each_alone),
    "ground": ("nothing is learned from other places of how ground goes on", _no_learned_ground),
    "texture": ("ground never seen is filled smoothly", _no_texture),
}


def main() -> None:
    """Run what was asked for, keep the figures, write the page."""
    options = _options()
    if options.child:
        _decompose(*options.child)
        return
    record: dict[str, dict[str, Any]] = json.loads(RECORD.read_text()) if RECORD.is_file() else {}
    scorer = options.score or options.scenes.parent / "score.py"
    for scene in find_scenes(options.scenes, options.out / "unpacked", options.scene, print):
        for idea in options.idea or IDEAS:
            print(f"{scene.name} without {idea}", flush=True)
            record.setdefault(idea, {})[scene.name] = _measured(
                scene, idea, options.out / f"{scene.name}-{idea}", scorer
            )
            write_bytes(RECORD, (json.dumps(record, indent=1, sort_keys=True) + "\n").encode())
            write_bytes(PAGE, _page(record).encode())


def _measured(scene: Scene, idea: str, out: Path, scorer: Path) -> dict[str, float]:
    plate, masks = stage_inputs(scene, out / "inputs")
    layers = fresh(out / "layers")
    command = [sys.executable, "-m", "benchmarks.ablation", "--child", idea, str(plate), str(masks), str(layers)]
    subprocess.run(command, check=True)
    score = run_scorer(scorer, scene.folder, layers, out / "score.json")
    _draw(layers, PICTURES / f"ablation-{scene.name}-{idea}.jpg")
    return {key: score[key] for key in FIGURES}


def _decompose(idea: str, plate: str, masks: str, out: str) -> None:
    from backend.decompose import decompose
    from backend.protocol import DecomposeRequest, DecomposeSettings

    torch.set_flush_denormal(True)
    with mock.patch.dict(PRESETS, standard=SMALL), IDEAS[idea][1]():
        settings = DecomposeSettings(preset="standard", residual=False)
        decompose(DecomposeRequest(plate, out, masks, settings=settings), lambda event: None, lambda: False)


def _draw(folder: Path, path: Path) -> None:
    """The background and the first person's layer on grey, in the middle of the clip."""
    layers = open_layers(folder)
    number = layers.info.first_frame + layers.info.frames // 2
    person = layers.layer(layers.info.subjects[0], number)
    shown = person[..., :3] + (1 - person[..., 3:]) * 0.6
    picture = np.concatenate([layers.background(number), shown], 1)
    small = cv2.resize(np.asarray(picture, np.float32), None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    cv2.imwrite(str(path), np.round(np.clip(small[..., ::-1], 0, 1) * 255).astype(np.uint8))


def _page(record: dict[str, dict[str, Any]]) -> str:
    scenes = sorted(set.intersection(*(set(rows) for rows in record.values())))
    lines = [
        f"Scenes: {', '.join(scenes)}.\n",
        "| | " + " | ".join(FIGURES.values()) + " |",
        "|---" * (len(FIGURES) + 1) + "|",
    ]
    for idea in (name for name in IDEAS if name in record):
        mean = {key: np.mean([record[idea][scene][key] for scene in scenes]) for key in FIGURES}
        shown = [f"{value:.2f}" for value in mean.values()]
        lines.append(f"| {IDEAS[idea][0]} | " + " | ".join(shown) + " |")
    for scene in scenes:
        lines += ["", f"## {scene}", ""]
        for idea in (name for name in IDEAS if name in record):
            lines += [f"{IDEAS[idea][0]}:", "", f"![{idea}](pictures/ablation-{scene}-{idea}.jpg)", ""]
    return INTRODUCTION + "\n".join(lines).rstrip() + "\n"


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("scenes", type=Path, nargs="?", help="folder of scenes, packed or unpacked")
    parser.add_argument("--out", type=Path, help="where layers, scores and unpacked scenes go")
    parser.add_argument("--scene", action="append", default=[])
    parser.add_argument("--idea", action="append", default=[], choices=list(IDEAS))
    parser.add_argument("--score", type=Path, help="the scorer; by default score.py beside the folder of scenes")
    parser.add_argument("--child", nargs=4, help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    main()

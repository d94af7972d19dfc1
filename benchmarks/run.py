"""Decompose rendered scenes, score them against the truth, and write the results page.

python -m benchmarks.run SCENES_DIR --out DIR [--preset standard] [--scene NAME ...] [--score score.py] [--no-record]
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from backend.media.layer_set import LayerReader, open_layers
from backend.media.sheets import Row, contact_sheet, write_sheet
from benchmarks import report
from benchmarks.decomposition import decompose
from benchmarks.flicker import flicker
from benchmarks.pictures import layer_rows, retime_rows, spread
from benchmarks.scenes import Scene, find_scenes, stage_inputs

PICTURE_WIDTH = 224


def main() -> None:
    """Measure the scenes that were asked for; those measured before stay on the page."""
    options = _options()
    scorer = options.score or options.scenes.parent / "score.py"
    if not scorer.is_file():
        raise SystemExit(f"{scorer} is not there; give the scorer with --score")
    for scene in find_scenes(options.scenes, options.out / "unpacked", options.scene, print):
        measured = measure(scene, options.out / f"{scene.name}-{options.preset}", options.preset, scorer)
        if options.record:
            # Read just now, since another run may have written its own since this one began.
            record = report.load()
            record["scenes"].setdefault(scene.name, {})[options.preset] = measured
            report.save(record)


def measure(scene: Scene, out: Path, preset: str, scorer: Path) -> dict[str, Any]:
    """Decompose and score one scene, and draw its sheet."""
    print(f"{scene.name}: decomposing, preset {preset}")
    plate, masks = stage_inputs(scene, out / "inputs")
    outcome = decompose(plate, masks, fresh(out / "layers"), preset)
    layers = open_layers(outcome.folder)
    score = run_scorer(scorer, scene.folder, outcome.folder, out / "score.json")
    first = layers.info.first_frame
    steadiness = flicker(scene, lambda person, frame: layers.layer(person, first + frame)[..., 3])
    write_sheet(report.PICTURES / f"{scene.name}-{preset}.jpg", _sheet(scene, layers))
    print(f"{scene.name}: {outcome.seconds:.0f} s; flicker error {steadiness.error:.4f}")
    return {
        **report.occasion(),
        "seconds": outcome.seconds,
        "stages": outcome.stages,
        "metrics": outcome.metrics,
        "flicker": dataclasses.asdict(steadiness),
        "score": {key: score[key] for key in report.FIGURES},
    }


def run_scorer(scorer: Path, scene: Path, result: Path, out: Path) -> dict[str, Any]:
    """Run the scorer as it stands; its table goes to the terminal, its figures come back."""
    subprocess.run([sys.executable, str(scorer), str(scene), str(result), "--json", str(out)], check=True)
    scores: list[dict[str, Any]] = json.loads(out.read_text())
    return scores[0]


def fresh(folder: Path) -> Path:
    """The folder without what an earlier run left there."""
    shutil.rmtree(folder, ignore_errors=True)
    return folder


def _sheet(scene: Scene, layers: LayerReader) -> Any:
    frames = spread(scene.frames)
    plate = Row("plate", [scene.picture("full", frame) for frame in frames])
    rows = [plate, *layer_rows(layers, frames), *retime_rows(scene, layers, frames)]
    return contact_sheet([f"frame {frame + 1}" for frame in frames], rows, PICTURE_WIDTH)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("scenes", type=Path, help="folder of scenes, packed or unpacked")
    parser.add_argument("--out", type=Path, required=True, help="where layers, scores and unpacked scenes go")
    parser.add_argument("--preset", default="standard")
    parser.add_argument("--scene", action="append", default=[], help="only this scene; may be given several times")
    parser.add_argument("--score", type=Path, help="the scorer; by default score.py beside the folder of scenes")
    parser.add_argument("--no-record", dest="record", action="store_false", help="leave the results page as it is")
    return parser.parse_args()


if __name__ == "__main__":
    main()

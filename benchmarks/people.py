"""Find the people of scenes and clips whose masks are known, and measure how well: outlines, ids, misses, time.

    python -m benchmarks.people SCENE_OR_CLIP ... --out DIR [--hint] [--no-record]

A scene's folder holds full/ (or a clip's clip.mp4) and one folder of true masks per person, mask_0, mask_1 and so on.
"""

from __future__ import annotations

import argparse
import json
import resource
import shutil
import time
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from backend.media.masks import read_mask
from backend.media.people_info import read_people
from backend.media.plates import open_plate
from backend.media.sheets import Row, contact_sheet, write_sheet
from backend.people.assignment import assign
from backend.people.find import find_people
from backend.protocol import DecomposeRequest, DecomposeSettings, Task
from benchmarks.report import occasion

PAGE = Path(__file__).parent / "PEOPLE.md"
RECORD = Path(__file__).parent / "people.json"
# Smaller than this share of the picture nobody can be hit or missed.
LEAST_AREA = 5e-4
MATCH = 0.3
COLUMNS = (
    *("clip", "frames", "mean IoU", "per person", "worst frame", "switches", "missed", "false", "bystanders"),
    *("s/frame", "measured"),
)
SWITCH = 0.5

Masks = NDArray[np.bool_]


@dataclass(frozen=True)
class Score:
    """How well the people of one clip were found."""

    iou: list[float]
    """Per true person the mean over the frames in which the person is to be seen; 0 for somebody missed."""
    least: list[float]
    switches: int
    missed: int
    false: int
    """People found that are nobody, those left to the background not counted."""
    bystanders: int
    seconds_per_frame: float
    peak_megabytes: int
    frames: int
    measured: str = "before 2026-11-22 e8dd6d2"
    """When, and with which code: rows of several builds may stand on one page."""

    @property
    def mean(self) -> float:
        return float(np.mean(self.iou)) if self.iou else 0.0


def main() -> None:
    """Measure each clip and write the page; pictures go to the output folder only."""
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    options = _options()
    for clip in options.clips:
        kind = "one hint each" if options.hint else "no hints"
        score = measure(clip, options.out / f"{clip.name}{'-hint' if options.hint else ''}", options.hint)
        print(f"{clip.name} ({kind}): IoU {score.mean:.3f} {score.iou}, {asdict(score)}", flush=True)
        if options.record:
            record = json.loads(RECORD.read_text()) if RECORD.exists() else {}
            now = occasion()
            record.setdefault(kind, {})[clip.name] = {**asdict(score), "measured": f"{now['date']} {now['code']}"}
            RECORD.write_text(json.dumps(record, indent=1, sort_keys=True) + "\n")
            PAGE.write_text(page(record))


def measure(clip: Path, out: Path, hint: bool) -> Score:
    """Find the people of one clip, compare, and draw their outlines."""
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    plate = clip / "full" if (clip / "full").is_dir() else clip / "clip.mp4"
    truth = true_masks(clip)
    hints = str(write_hints(out / "hints", truth)) if hint else ""
    request = DecomposeRequest(
        str(plate.resolve()),
        str(out / "masks"),
        settings=DecomposeSettings(finder="motion"),
        task=Task.PEOPLE.value,
        hints=hints,
    )
    began = time.process_time()
    find_people(request, lambda _event: None, lambda: False)
    seconds = time.process_time() - began
    names, found, used = found_masks(out / "masks")
    draw(plate, names, found, out / "outlines.png")
    skip = hint_frames(truth) if hint else {}
    return score_of(truth, found, used, seconds, skip)


def true_masks(clip: Path) -> Masks:
    """(N, T, H, W): where everybody is."""
    folders = sorted(clip.glob("mask_*"))
    return np.stack([np.stack([read_mask(p) > 127 for p in sorted(folder.glob("*.png"))]) for folder in folders])


def found_masks(folder: Path) -> tuple[list[str], Masks, list[bool]]:
    """Names, masks (N, T, H, W), and who is to be used."""
    info = read_people(folder)
    masks = [np.stack([read_mask(p) > 127 for p in sorted((folder / p.name).glob("*.png"))]) for p in info.people]
    return [p.name for p in info.people], np.stack(masks), [p.use for p in info.people]


def hint_frames(truth: Masks) -> dict[int, int]:
    """For each person the frame in which most of the body is to be seen."""
    return {person: int(masks.sum((1, 2)).argmax()) for person, masks in enumerate(truth)}


def write_hints(folder: Path, truth: Masks) -> Path:
    """One true mask per person, made as rough as a drawn one."""
    for person, frame in hint_frames(truth).items():
        rough = cv2.GaussianBlur(truth[person, frame].astype(np.float32), (0, 0), 2.0) > 0.45
        target = folder / f"person_{person}" / f"{frame + 1:04d}.png"
        target.parent.mkdir(parents=True)
        cv2.imwrite(str(target), rough.astype(np.uint8) * 255)
    return folder


def score_of(truth: Masks, found: Masks, used: list[bool], seconds: float, skip: dict[int, int]) -> Score:
    """Compare masks (N, T, H, W); ``skip`` holds per true person a frame that was given and doesn't count."""
    count = min(truth.shape[1], found.shape[1])
    overlaps = np.array([[[_iou(t[f], m[f]) for f in range(count)] for m in found] for t in truth])
    least = LEAST_AREA * truth.shape[2] * truth.shape[3]
    seen = np.array(
        [[bool(t[f].sum() > least) and skip.get(n) != f for f in range(count)] for n, t in enumerate(truth)]
    )
    mean = np.array([[o[seen[n]].mean() if seen[n].any() else 0.0 for o in overlaps[n]] for n in range(len(truth))])
    pairs = dict(assign(1 - mean, 1 - 1e-6))
    hit = {n: m for n, m in pairs.items() if mean[n, m] >= MATCH}
    ious = [float(mean[n, pairs[n]]) if n in pairs else 0.0 for n in range(len(truth))]
    worst = [float(overlaps[n, pairs[n]][seen[n]].min()) if n in pairs else 0.0 for n in range(len(truth))]
    spare = [m for m in range(len(found)) if m not in hit.values()]
    return Score(
        iou=[round(value, 3) for value in ious],
        least=[round(value, 3) for value in worst],
        switches=sum(_switches(overlaps[n], pairs[n], seen[n]) for n in pairs),
        missed=len(truth) - len(hit),
        false=sum(used[m] for m in spare),
        bystanders=sum(not used[m] for m in spare),
        seconds_per_frame=round(seconds / count, 2),
        peak_megabytes=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        frames=count,
    )


def _switches(overlaps: NDArray[np.float64], own: int, seen: NDArray[np.bool_]) -> int:
    """How often somebody else's mask takes over a person."""
    holders = [int(o.argmax()) for o in overlaps[:, seen].T if o.max() > SWITCH]
    return sum(a != b for a, b in pairwise(holders)) if holders else int(own < 0)


def _iou(a: Masks, b: Masks) -> float:
    union = int((a | b).sum())
    return float((a & b).sum()) / union if union else 1.0


def draw(plate: Path, names: list[str], found: Masks, path: Path) -> None:
    """A sheet of frames with everybody's outline."""
    count = found.shape[1]
    chosen = [round((i + 0.5) * count / 12) for i in range(12)]
    pictures = {i: frame for i, frame in enumerate(open_plate(plate)) if i in chosen}
    colors = [(1, 0, 0), (0, 1, 0), (0.2, 0.4, 1), (1, 1, 0), (1, 0, 1), (0, 1, 1)]
    drawn = []
    for index in chosen:
        picture = np.ascontiguousarray(np.clip(pictures[index], 0, 1), np.float32)
        for number in range(len(names)):
            lines, _ = cv2.findContours(found[number, index].astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
            cv2.drawContours(picture, lines, -1, colors[number % len(colors)], 1)
        drawn.append(picture)
    rows = [Row(f"{chosen[i] + 1}-{chosen[i + 3] + 1}", drawn[i : i + 4]) for i in range(0, 12, 4)]
    write_sheet(path, contact_sheet(["", "", "", ""], rows, 448))


def page(record: dict[str, dict[str, dict[str, object]]]) -> str:
    """The results as a page."""
    lines = ["# How well people are found", "", "Made by `python -m benchmarks.people`; don't edit.", ""]
    lines += ["Each row names the build it was measured with; the network of outlines came in e8dd6d2.", ""]
    lines += ["Seconds are those of one processor core, all of the work on one thread.", ""]
    lines += ["IoU: found and true mask of a person, the mean over the frames in which the person is to be seen.", ""]
    for kind, clips in sorted(record.items(), reverse=True):
        lines += [f"## `motion`, {kind}", ""]
        lines += [f"| {' | '.join(COLUMNS)} |", "|---" * len(COLUMNS) + "|"]
        for name, fields in sorted(clips.items()):
            score = Score(**fields)  # type: ignore[arg-type]
            each, worst = (", ".join(f"{v:.2f}" for v in values) for values in (score.iou, score.least))
            lines.append(
                f"| {name} | {score.frames} | {score.mean:.2f} | {each} | {worst} | {score.switches} | {score.missed} "
                f"| {score.false} | {score.bystanders} | {score.seconds_per_frame} | {score.measured} |"
            )
        lines.append("")
    return "\n".join(lines)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clips", type=Path, nargs="+", help="folders with full/ or clip.mp4, and mask_0, mask_1 …")
    parser.add_argument("--out", type=Path, required=True, help="where masks and sheets go, outside the repository")
    parser.add_argument("--hint", action="store_true", help="give one true frame per person")
    parser.add_argument("--no-record", dest="record", action="store_false", help="leave the results page as it is")
    options = parser.parse_args()
    for clip in options.clips:
        if not any(clip.glob("mask_*/*.png")):
            parser.error(f"{clip} has no true masks: name a folder with full/ or clip.mp4, and mask_0, mask_1 …")
    return options


if __name__ == "__main__":
    main()

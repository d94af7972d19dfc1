"""The record of what was measured: kept as data, shown as a page of tables and pictures."""

from __future__ import annotations

import json
import os
import platform
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from backend.media.files import write_bytes

HERE = Path(__file__).parent
RECORD = HERE / "results.json"
PAGE = HERE / "RESULTS.md"
PICTURES = HERE / "pictures"

Record = dict[str, Any]

FIGURES = {
    "recon_psnr": "recon",
    "recon_dyn_psnr": "rec_dyn",
    "bg_cov_psnr": "bg_cov",
    "solo_eff_psnr": "solo_eff",
    "effect_recall": "eff_rec",
    "leakage": "leak",
    "retimed_psnr": "retime",
    "retimed_dyn_psnr": "ret_dyn",
}
SCALE = ("oracle", "probe", "closed", "trivial")

INTRODUCTION = """# Results

Written by `python -m benchmarks.run` and `python -m benchmarks.clips`; change those, not this page.

Figures are dB (peak signal to noise ratio) but for `eff_rec` (1: every shadow and reflection is in its owner's
layer, 0: none is) and `leak` (mean opacity of a layer where somebody else is seen). **recon**: composite of the
layers, without the residual layer, against the plate. **bg_cov**: background where people ever hid it. **solo_eff**:
each person alone over the true background, in the area of the person and the effects. **retime**: layers at other
times against a rendering of that retimed scene. `_dyn`: only where something moves. **change**: mean change of opacity
from frame to frame where shadows and reflections lie, ours and the true one; **flicker**: their mean difference.

For scale: **oracle** is made from the truth and is the most that layers can reach; **trivial** is masks cut out without
effects over an inpainted median; **closed** is a closed-form start and **probe** an early prototype.
"""


def load() -> Record:
    """Everything measured so far."""
    record: Record = json.loads(RECORD.read_text()) if RECORD.is_file() else {"scenes": {}, "clips": {}}
    return record


def save(record: Record) -> None:
    """Keep the record and write the page anew from it."""
    write_bytes(RECORD, (json.dumps(record, indent=1, sort_keys=True) + "\n").encode())
    write_bytes(PAGE, page(record).encode())


def page(record: Record) -> str:
    """The whole page as Markdown."""
    reference = json.loads((HERE / "reference.json").read_text())
    parts = [INTRODUCTION]
    for scene, presets in sorted(record["scenes"].items()):
        parts.append(_scene_section(scene, presets, reference.get(scene, {})))
    if record["clips"]:
        parts.append(_clips_section(record["clips"]))
    parts += [_card_section(card, measured) for card, measured in sorted(record.get("cards", {}).items())]
    return "\n".join(parts)


def occasion() -> Record:
    """When, with which code and on what kind of computer something is measured."""
    command = ["git", "-C", str(HERE), "describe", "--always", "--dirty=+"]
    try:
        code = subprocess.run(command, capture_output=True, text=True).stdout.strip()
    except OSError:
        code = ""
    return {"date": datetime.now(UTC).strftime("%Y-%m-%d"), "code": code, "machine": _machine()}


def _scene_section(scene: str, presets: Record, reference: Record) -> str:
    rows = [[f"**{preset}**", *_figures(measured["score"])] for preset, measured in sorted(presets.items())]
    rows += [[row, *_figures(reference[row])] for row in SCALE if row in reference]
    costs = [_cost_row(preset, measured) for preset, measured in sorted(presets.items())]
    lines = [f"## {scene}\n", _table(["", *FIGURES.values()], rows), ""]
    lines.append(_table(["", "seconds", "TFLOP", "peak memory", "change", "true change", "flicker", "measured"], costs))
    for preset, measured in sorted(presets.items()):
        stages = ", ".join(f"{stage} {seconds:.1f} s" for stage, seconds in measured["stages"].items())
        lines += ["", f"{preset}: {stages}. {measured['machine']}.", ""]
        lines += [f"![{scene}, {preset}](pictures/{scene}-{preset}.jpg)"]
    return "\n".join(lines) + "\n"


def _clips_section(clips: Record) -> str:
    header = ["clip", "preset", "layers alone", "with residual", "seconds", "TFLOP", "peak memory", "measured"]
    rows = [
        [clip, preset, _number(m["layers_psnr"]), _number(m["residual_psnr"]), *_costs(m), _measured(m)]
        for clip, presets in sorted(clips.items())
        for preset, m in sorted(presets.items())
    ]
    words = "Composite against the plate, dB. Pictures of these clips are not ours to show.\n"
    return "\n".join(["## Real clips\n", words, _table(header, rows), ""])


def _card_section(card: str, measured: Record) -> str:
    words = (
        f"`python -m benchmarks.card SCENES_DIR --scene {measured['scene']} --out DIR`: {measured['frames']} frames of"
        f" {measured['scene']}, {_measured(measured)}. {measured['machine']}.\n"
    )
    rows = [
        [
            clip,
            f"{m['seconds']:.0f}",
            str(m["tflop"]),
            *(f"{m[key] / 2**30:.1f} GiB" for key in ("card_memory", "memory")),
        ]
        for clip, m in measured["clips"].items()
    ]
    lines = [f"## {card}\n", words, _table(["clip", "seconds", "TFLOP", "memory of the card", "memory"], rows), ""]
    for clip, m in measured["clips"].items():
        lines += [
            f"{clip}: " + ", ".join(f"{stage} {seconds:.1f} s" for stage, seconds in m["stages"].items()) + ".",
            "",
        ]
    steps = ", ".join(f"{way} {milliseconds} ms" for way, milliseconds in measured["steps"].items())
    return "\n".join([*lines, f"A step of training: {steps}.", *measured.get("notes", []), ""])


def _cost_row(preset: str, measured: Record) -> list[str]:
    steadiness = [f"{measured['flicker'][key]:.4f}" for key in ("ours", "truth", "error")]
    return [f"**{preset}**", *_costs(measured), *steadiness, _measured(measured)]


def _costs(measured: Record) -> list[str]:
    metrics = measured["metrics"]
    flops, memory = metrics.get("flops"), metrics.get("peak_memory_bytes")
    return [
        f"{measured['seconds']:.0f}",
        "-" if flops is None else f"{flops / 1e12:.2f}",
        "-" if memory is None else f"{memory / 2**20:.0f} MiB",
    ]


def _measured(measured: Record) -> str:
    return f"{measured['date']} {measured.get('code', '')}".strip()


def _figures(score: Record) -> list[str]:
    return [_number(score.get(key)) for key in FIGURES]


def _number(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:.1f}" if abs(value) > 1.5 else f"{value:.3f}"


def _table(header: list[str], rows: list[list[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _machine() -> str:
    # Without the computer's name: the page is public.
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{os.cpu_count()} cores ({_processor()}), {memory:.0f} GiB, {_graphics()}, {platform.system()}"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def _graphics() -> str:
    command = ["nvidia-smi", "--query-gpu=name", "--format=csv,noheader"]
    try:
        found = subprocess.run(command, capture_output=True, text=True, timeout=20).stdout.split("\n")[0]
    except (OSError, subprocess.TimeoutExpired):
        found = ""
    return found or "no GPU"

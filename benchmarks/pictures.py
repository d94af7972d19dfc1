"""What a decomposition looks like: plate, background, every layer alone, and another timing, side by side."""

from __future__ import annotations

from backend.core.color import Floats
from backend.core.composite import composite
from backend.media.layer_set import LayerReader
from backend.media.sheets import Row, on_checkerboard
from benchmarks.scenes import Scene


def spread(frames: int, count: int = 5) -> list[int]:
    """Frame numbers (0-based) spread over a shot, first and last left out."""
    return [round((index + 0.5) * frames / count) for index in range(count)]


def layer_rows(layers: LayerReader, frames: list[int]) -> list[Row]:
    """The background and every subject on a checkerboard, in these frames (0-based within the set)."""
    numbers = [layers.info.first_frame + frame for frame in frames]
    rows = [Row("background", [layers.background(number) for number in numbers])]
    for name in layers.info.subjects:
        rows.append(Row(name, [on_checkerboard(layers.layer(name, number)) for number in numbers]))
    return rows


def retime_rows(scene: Scene, layers: LayerReader, frames: list[int]) -> list[Row]:
    """The scene's first other timing: composited from the layers, and as it was rendered anew."""
    retime = scene.facts["retimes"][0]
    ours = [composite_retimed(scene, layers, retime, frame) for frame in frames]
    return [Row(retime["name"], ours), Row("rendered", [scene.picture(retime["folder"], frame) for frame in frames])]


def composite_retimed(scene: Scene, layers: LayerReader, retime: dict[str, object], frame: int) -> Floats:
    """One frame of another timing, (H, W, 3): one person's layer comes from another frame, moved as the camera did."""
    sources, order = retime["frame_map"], retime["order"]
    assert isinstance(sources, list) and isinstance(order, list)
    first = layers.info.first_frame
    stack = []
    for index in order[frame]:
        source = sources[frame] if index == retime["person"] else frame
        stack.append(scene.carry(layers.layer(scene.people[index], first + source), source, frame))
    return composite(layers.background(first + frame), stack)

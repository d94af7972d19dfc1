"""Inside Blender, without a window: plate and layers become strips, one person stands still, a film is rendered.

    python examples/in_blender.py PLATE LAYERS_DIR OUT --person anna --frame 15 --duration 8 [--stills]

Started by other programs with BLENDER_USER_RESOURCES set to a folder of their own, so that the preferences of
whoever runs it stay as they are. With --stills every frame is rendered as a 16-bit PNG instead of a film, once
before anything is retimed and once after.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Any

import bpy

ADDON = Path(__file__).resolve().parents[1] / "blender_addon"
MODULE = "bl_ext.dev.retime_people"
SOURCE_CHANNEL = 1
FIRST_LAYER_CHANNEL = 2


def main() -> None:
    """The whole way, as an artist would go it with the mouse."""
    options = _options()
    out: Path = options.out.resolve()
    enable_addon(Path(os.environ["BLENDER_USER_RESOURCES"]))
    description = options.layers.resolve() / "layers.json"
    scene = new_shot(options.plate.resolve(), json.loads(description.read_text()))
    bpy.ops.retime_people.load_layers(filepath=str(description), channel=FIRST_LAYER_CHANNEL)
    if options.stills:
        render_stills(scene, out / "untouched")
    bpy.ops.retime_people.freeze(person=options.person, frame=options.frame, duration=options.duration)
    bpy.ops.wm.save_as_mainfile(filepath=str(out / "retimed.blend"))
    if options.stills:
        render_stills(scene, out / "retimed")
    else:
        render_film(scene, out / "retimed.mp4")
    bpy.ops.preferences.addon_disable(module=MODULE)
    leave()


def leave() -> None:
    """End the program at once: in 4.5 Blender's module may wait for ever for a thread of its own at exit."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


def enable_addon(resources: Path) -> None:
    """Enable the extension from the working copy under the name it has when installed."""
    repository = resources / "dev"
    repository.mkdir(parents=True, exist_ok=True)
    link = repository / "retime_people"
    if not link.exists():
        link.symlink_to(ADDON, target_is_directory=True)
    bpy.context.preferences.extensions.repos.new(
        name="Dev", module="dev", custom_directory=str(repository), remote_url="", source="USER"
    )
    bpy.ops.preferences.addon_enable(module=MODULE)


def new_shot(plate: Path, info: dict[str, Any]) -> bpy.types.Scene:
    """An empty file of the plate's size and speed with the plate as its only strip, selected."""
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    scene = bpy.context.scene
    scene.render.resolution_x, scene.render.resolution_y = info["width"], info["height"]
    scene.render.resolution_percentage = 100
    scene.render.fps, scene.render.fps_base = info["fps"]
    scene.frame_start, scene.frame_end = 1, info["frames"]
    # The film shall look as the clip does, and no random grain may hide a difference between the two.
    scene.view_settings.view_transform = "Standard"
    scene.render.dither_intensity = 0.0
    strip = _plate_strip(scene.sequence_editor_create(), plate)
    strip.select = True
    scene.sequence_editor.active_strip = strip
    return scene


def render_film(scene: bpy.types.Scene, path: Path) -> None:
    """Render all frames of the sequencer as an H.264 film."""
    image = scene.render.image_settings
    if hasattr(image, "media_type"):
        image.media_type = "VIDEO"
    image.file_format = "FFMPEG"
    scene.render.ffmpeg.format = "MPEG4"
    scene.render.ffmpeg.codec = "H264"
    scene.render.ffmpeg.constant_rate_factor = "HIGH"
    scene.render.filepath = str(path)
    bpy.ops.render.render(animation=True, scene=scene.name)


def render_stills(scene: bpy.types.Scene, folder: Path) -> None:
    """Render all frames of the sequencer as 16-bit PNGs, 0001.png and on."""
    image = scene.render.image_settings
    if hasattr(image, "media_type"):
        image.media_type = "IMAGE"
    image.file_format, image.color_mode, image.color_depth = "PNG", "RGB", "16"
    scene.render.filepath = str(folder / "####.png")
    bpy.ops.render.render(animation=True, scene=scene.name)


def _plate_strip(editor: bpy.types.SequenceEditor, plate: Path) -> bpy.types.Strip:
    strips = editor.strips
    if plate.is_file():
        return strips.new_movie(name=plate.stem, filepath=str(plate), channel=SOURCE_CHANNEL, frame_start=1)
    pictures = sorted(path for path in plate.iterdir() if not path.name.startswith("."))
    strip = strips.new_image(name=plate.name, filepath=str(pictures[0]), channel=SOURCE_CHANNEL, frame_start=1)
    for picture in pictures[1:]:
        strip.elements.append(picture.name)
    return strip


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("plate", type=Path)
    parser.add_argument("layers", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--person", required=True)
    parser.add_argument("--frame", type=int, required=True, help="where the person stops, in the timeline")
    parser.add_argument("--duration", type=int, required=True, help="for how many frames")
    parser.add_argument("--stills", action="store_true")
    return parser.parse_args()


if __name__ == "__main__":
    main()

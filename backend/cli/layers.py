"""Commands that work on a finished set of layers: show it again, retimed or not."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TypeVar

from backend.cli.outcome import Stop
from backend.cli.progress import Report
from backend.errors import Cancelled
from backend.media.layer_set import open_layers
from backend.media.pictures import (
    MOVIE_SUFFIX,
    check_new_file,
    check_new_folder,
    write_images,
    write_movie,
)
from backend.media.retiming import Recomposite, check_subject, read_map
from backend.protocol import Event, EventKind

T = TypeVar("T")


def composite_layers(layers: Path, out: Path, map_files: dict[str, Path], report: Report, stop: Stop) -> None:
    """Composite a layer set into a video file or a folder of images; raises children of RetimeError."""
    movie = out.suffix.lower() == MOVIE_SUFFIX
    if movie:
        check_new_file(out)
    else:
        check_new_folder(out)
    reader = open_layers(layers)
    for name in map_files:
        check_subject(reader.info, name)
    maps = {name: read_map(path, reader.info) for name, path in map_files.items()}
    frames = Recomposite(reader, maps)
    watched = _watched(frames, len(frames), "Compositing", report, stop)
    if movie:
        write_movie(out, watched, reader.info.fps)
    else:
        write_images(out, watched)


def _watched(items: Iterable[T], total: int, stage: str, report: Report, stop: Stop) -> Iterator[T]:
    """The items one after the other, telling how far it is and stopping when asked to."""
    for done, item in enumerate(items):
        if stop():
            raise Cancelled("Stopped", "What was begun has been taken away again; run the command again")
        report(Event(EventKind.PROGRESS, stage=stage, fraction=done / total))
        yield item
    report(Event(EventKind.PROGRESS, stage=stage, fraction=1.0))

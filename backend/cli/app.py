"""The command line: its commands, their options and their help."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from backend.cli.options import decompose_request, edits_help, frames_range, from_setting, people_request, retime_pairs
from backend.cli.outcome import Stop, run
from backend.cli.progress import Report
from backend.libraries import keep_freed_memory, settle_libraries
from backend.protocol import VERSION, Event, EventKind

app = typer.Typer(
    name="retime-people",
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

Plate = Annotated[str, typer.Argument(metavar="PLATE", help="A video file or a folder of images")]
Layers = Annotated[Path, typer.Argument(metavar="LAYERS_DIR", help="A folder that decompose has written")]
Json = Annotated[bool, typer.Option("--json", help="Tell progress as one line of JSON per event on stderr")]


@app.callback(invoke_without_command=True)
def start(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Tell the version and exit")] = False,
) -> None:
    """Decompose a clip into one layer per person, shadow included, and retime each of them."""
    if version:
        typer.echo(VERSION)
    elif context.invoked_subcommand is None:
        typer.echo(context.get_help())


@app.command()
def decompose(
    plate: Plate,
    out: Annotated[str, typer.Option(metavar="DIR", help="Folder for the layers, new or empty")],
    masks: Annotated[
        str, typer.Option(metavar="DIR", help="One folder of masks per person; people are found first without it")
    ] = "",
    iuv: Annotated[
        str,
        typer.Option(
            metavar="DIR", help="One folder of body charts (DensePose IUV) per person, instead of masks or beside them"
        ),
    ] = "",
    preset: str = from_setting("preset"),
    device: str = from_setting("device"),
    frames: Annotated[str, typer.Option(metavar="A-B", help="Frames to use, counted from 1, inclusive")] = "",
    seed: int = from_setting("seed"),
    max_seconds: float = from_setting("max_seconds"),
    residual: bool = from_setting("residual"),
    finder: str = from_setting("finder"),
    resume: Annotated[bool, typer.Option("--resume", help="Go on from the checkpoint in DIR")] = False,
    json: Json = False,
) -> None:
    """Decompose PLATE into a background and one layer per person."""

    def work(report: Report, stop: Stop) -> None:
        first, last = frames_range(frames)
        request = decompose_request(
            plate,
            out,
            masks,
            resume,
            iuv,
            preset=preset,
            device=device,
            first_frame=first,
            last_frame=last,
            seed=seed,
            max_seconds=max_seconds,
            residual=residual,
            finder=finder,
        )
        from backend.cli.team import decompose_in_team

        path = decompose_in_team(request, report, stop)
        if path is not None:
            typer.echo(os.fsencode(path))

    raise typer.Exit(run(work, Path(out), json))


@app.command()
def people(
    plate: Plate,
    out: Annotated[str, typer.Option(metavar="DIR", help="Folder for the masks, new or empty")],
    finder: str = from_setting("finder"),
    hints: Annotated[
        str, typer.Option(metavar="DIR", help="Rough masks on a few frames, NAME/0012.png; only these people are found")
    ] = "",
    masks: Annotated[
        str,
        typer.Option(metavar="DIR", help="People found before; the hints correct them, and nothing else is changed"),
    ] = "",
    frames: Annotated[str, typer.Option(metavar="A-B", help="Frames to use, counted from 1, inclusive")] = "",
    json: Json = False,
) -> None:
    """Find the people in PLATE and write a mask of each, with a list of them in people.json."""

    def work(report: Report, stop: Stop) -> None:
        first, last = frames_range(frames)
        request = people_request(plate, out, hints, masks, finder=finder, first_frame=first, last_frame=last)
        from backend.people.find import find_people

        settle_libraries()
        typer.echo(os.fsencode(find_people(request, report, stop)))

    raise typer.Exit(run(work, Path(out), json))


@app.command("people-edit", help=edits_help())
def people_edit(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A folder that people has written")],
    change: Annotated[str, typer.Argument(metavar="CHANGE", help="What to do")],
    names: Annotated[list[str], typer.Argument(metavar="NAME …", help="Who, and from which frame")],
) -> None:
    """Correct who is who, and who is in front."""

    def work(_report: Report, _stop: Stop) -> None:
        from backend.people.edit import edit

        typer.echo(os.fsencode(edit(folder, change, names)))

    raise typer.Exit(run(work, None, False))


@app.command()
def weights(
    description: Annotated[Path, typer.Argument(metavar="SET.json", help="What to download and from where")],
    yes: Annotated[bool, typer.Option("--yes", help="Agree to the download and to the licence that is shown")] = False,
    json: Json = False,
) -> None:
    """Download the trained weights of the neural finder, once; without --yes only tell how large they are."""

    def work(report: Report, stop: Stop) -> None:
        from backend.people.weights import fetch_weights, read_weight_set, weights_folder

        def tell(done: float) -> None:
            report(Event(EventKind.PROGRESS, stage="Downloading", fraction=round(done, 4)))

        fetch_weights(read_weight_set(description), weights_folder(), yes, tell, stop)
        typer.echo(os.fsencode(weights_folder()))

    raise typer.Exit(run(work, None, json))


@app.command()
def retime(
    layers: Layers,
    layer: Annotated[str, typer.Option(metavar="NAME", help="The person to retime")],
    map_file: Annotated[Path, typer.Option("--map", metavar="MAP.json", help="Source frame of each output frame")],
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder for the frames, new or empty")],
    shutter: Annotated[
        float,
        typer.Option(metavar="DEGREES", help="Motion blur where it goes by faster than filmed; 180 is a camera's"),
    ] = 0.0,
    json: Json = False,
) -> None:
    """Write the frames of one layer at other times, as EXR files numbered from 0001.

    A whole source frame is the layer's own picture, bit for bit; a fractional one is a picture in between.
    NAME may be background, which moves as the camera does.
    """

    def work(report: Report, stop: Stop) -> None:
        from backend.stages.retime import retime as retime_layer

        keep_freed_memory()
        typer.echo(os.fsencode(retime_layer(layers, layer, map_file, out, shutter, report, stop)))

    raise typer.Exit(run(work, None, json))


@app.command()
def composite(
    layers: Layers,
    out: Annotated[Path, typer.Option(metavar="FILE.mp4|DIR", help="A new video, or a folder for 16-bit PNG files")],
    retimes: Annotated[
        list[str] | None, typer.Option("--retime", metavar="NAME=MAP.json", help="Retime a person; may be repeated")
    ] = None,
    json: Json = False,
) -> None:
    """Put the layers together again without Blender.

    At a fractional source frame a person is a picture in between. The residual layer is added only when nothing
    is retimed. A video gets even sides: an odd one gets its last row twice.
    """

    def work(report: Report, stop: Stop) -> None:
        maps = retime_pairs(retimes or [])
        from backend.cli.layers import composite_layers

        composite_layers(layers, out, maps, report, stop)
        typer.echo(os.fsencode(out))

    raise typer.Exit(run(work, None, json))


@app.command()
def serve(
    port: Annotated[int, typer.Option(help="Port on this computer; 0 lets the system choose")] = 0,
    runtime_dir: Annotated[str, typer.Option(metavar="DIR", help="Where backend.json and the jobs are kept")] = "",
) -> None:
    """Wait for jobs from Blender, on this computer only."""

    def work(_report: Report, _stop: Stop) -> None:
        from backend.server.app import serve as serve_jobs

        serve_jobs(port, Path(runtime_dir) if runtime_dir else None)

    raise typer.Exit(run(work, None, False))


@app.command()
def doctor() -> None:
    """Tell what this computer has, for bug reports."""

    def work(_report: Report, _stop: Stop) -> None:
        from backend.doctor import report

        typer.echo(report())

    raise typer.Exit(run(work, None, False))

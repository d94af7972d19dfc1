"""Where pictures in between are kept, which of them are there already, and what the backend is asked for the others."""

from __future__ import annotations

import hashlib
import json
import shutil
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from .bake_map import Moment, file_name
from .protocol import DecomposeRequest, Task

LAYERS = "layers.json"


class BakeProblem(Exception):
    """Pictures in between can't be made; the text says why and what to do."""


@dataclass(frozen=True)
class Shelf:
    """The pictures of one layer of one layer set; they are kept, so that a change of time makes few anew."""

    layers: Path
    """Folder of the layer set."""
    layer: str

    @property
    def folder(self) -> Path:
        """Beside the layers, with a name of its own for each set that ever lay there.

        Raises:
            BakeProblem: the layer set is gone.
        """
        try:
            description = (self.layers / LAYERS).read_bytes()
        except OSError as error:
            raise BakeProblem(f"{self.layers / LAYERS} can't be read; put the layers back where they were") from error
        stamp = hashlib.sha256(description).hexdigest()[:8]
        return self.layers.with_name(f"{self.layers.name}-baked") / f"{self.layer}-{stamp}"

    def missing(self, moments: Iterable[Moment]) -> list[Moment]:
        """Those whose pictures are still to be made, each once."""
        folder = self.folder
        return [moment for moment in dict.fromkeys(moments) if not (folder / file_name(moment)).is_file()]


@dataclass(frozen=True)
class Delivery:
    """Some moments that the backend makes, in a folder of their own until all of them are there."""

    shelf: Shelf
    moments: tuple[Moment, ...]
    box: Path

    @classmethod
    def of(cls, shelf: Shelf, moments: list[Moment]) -> Delivery:
        """A delivery with a new name."""
        return cls(shelf, tuple(moments), shelf.folder / f"new-{uuid.uuid4().hex[:8]}")

    @property
    def order(self) -> Path:
        """The file that tells the backend what to make."""
        return self.box.with_suffix(".json")

    def request(self) -> DecomposeRequest:
        """Write the order, and the request that names it.

        Raises:
            BakeProblem: the folder can't be written.
        """
        times, spans = zip(*self.moments, strict=True)
        try:
            self.box.parent.mkdir(parents=True, exist_ok=True)
            self.order.write_text(json.dumps({"layer": self.shelf.layer, "times": times, "spans": spans}))
        except OSError as error:
            raise BakeProblem(f"{self.box.parent} can't be written: {error.strerror}") from error
        task = Task.RETIME.value
        return DecomposeRequest(str(self.shelf.layers), str(self.box), task=task, hints=str(self.order))

    def unpack(self) -> None:
        """Put the pictures under their own names; raises BakeProblem when one isn't there."""
        try:
            for number, moment in enumerate(self.moments, 1):
                (self.box / f"{number:04d}.exr").replace(self.shelf.folder / file_name(moment))
        except OSError as error:
            raise BakeProblem(f"{self.box} holds too few pictures; bake again") from error
        self.discard()

    def discard(self) -> None:
        """Take away what is not needed any more."""
        shutil.rmtree(self.box, ignore_errors=True)
        self.order.unlink(missing_ok=True)

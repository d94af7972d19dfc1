"""What can go wrong in a way that the artist can mend; each error carries the sentence that is shown."""

from __future__ import annotations


class RetimeError(Exception):
    """A fault with a remedy. The text names the file, frame or setting; ``advice`` says what to do.

    ``exit_status`` is what the command line returns, ``http_status`` what the server answers.
    """

    advice = ""
    exit_status = 1
    http_status = 500

    def __init__(self, message: str, advice: str = "") -> None:
        super().__init__(message)
        self.advice = advice or type(self).advice

    def sentence(self) -> str:
        """One line: what is wrong, where, and what to do."""
        text = str(self).rstrip(".")
        return f"{text}. {self.advice.rstrip('.')}." if self.advice else f"{text}."


class InputError(RetimeError):
    """The user's input was wrong; nothing was changed."""

    exit_status = 2
    http_status = 422


class PlateError(InputError):
    """The plate can't be read as a sequence of pictures."""

    advice = "Give a video file, or a folder of png, jpg, tif or exr images of one size"


class MaskError(InputError):
    """The masks don't fit the plate."""

    advice = "Give one folder per person with one 8-bit grey PNG per frame, of the plate's size"


class PeopleError(InputError):
    """Nobody was found in the plate."""


class SettingError(InputError):
    """A setting is outside its limits."""


class OutputError(RetimeError):
    """The output folder can't be written."""

    exit_status = 2
    http_status = 422
    advice = "Choose a folder that can be written"


class NoSpace(OutputError):
    """The disk is full."""

    advice = "Free some space, then run the same command with --resume"


class LayerSetError(InputError):
    """A layer set is unfinished, damaged, or lacks the layer that was asked for."""


class OutOfMemory(RetimeError):
    """The shot is too large for this machine's memory."""

    advice = "Close other programs, use the draft preset, or decompose fewer frames at a time"


class NumericalError(RetimeError):
    """Training produced a value that is not a number."""

    advice = "Run it with another seed into a new folder; if it happens again, send log.txt"


class Cancelled(RetimeError):
    """The user stopped the work; the last checkpoint stays in place."""

    exit_status = 130
    http_status = 409
    advice = "Use --resume to go on from the last checkpoint"

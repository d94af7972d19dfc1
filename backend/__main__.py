"""The program ``retime-people``."""

from __future__ import annotations

import sys

import typer

from backend.cli.app import app


def main() -> None:
    """Run the command that was typed; usage errors are one line and status 2."""
    try:
        status = app(prog_name="retime-people", standalone_mode=False)
    except typer.TyperException as error:
        reason = " ".join(error.format_message().split()).rstrip(".")
        sys.stderr.write(f"{reason}. Try retime-people --help.\n")
        status = error.exit_code
    sys.exit(status)


if __name__ == "__main__":
    main()

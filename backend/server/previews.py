"""The picture a running job shows: read from where the job may write, and from nowhere else."""

from __future__ import annotations

from pathlib import Path

from backend.server.errors import NoPreview

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
SIZE_LIMIT = 32_000_000


def read_preview(file: str, folders: list[Path]) -> bytes:
    """The PNG picture in ``file``, when it really lies inside one of ``folders``.

    Raises:
        NoPreview: there is none, or it is not where, or what, it should be.
    """
    if not file:
        raise NoPreview("The job has no preview yet")
    try:
        # Links are followed first: what counts is where the bytes are.
        real = Path(file).resolve(strict=True)
        inside = any(real.is_relative_to(folder.resolve()) for folder in folders)
        if not inside or real.stat().st_size > SIZE_LIMIT or not real.is_file():
            raise NoPreview("The job's preview is not inside its folders")
        data = real.read_bytes()
    except (OSError, ValueError, RuntimeError) as error:
        raise NoPreview("The job's preview can't be read at the moment") from error
    if not data.startswith(PNG_SIGNATURE):
        raise NoPreview("The job's preview is not a PNG picture")
    return data

"""Make the guide's pictures small: of most screenshots only the sequencer, with the sidebar, is kept, as a JPEG."""

from __future__ import annotations

import sys
from pathlib import Path

import cv2

PICTURES = Path(__file__).resolve().parents[2] / "docs" / "pictures" / "guide"
TOP = 255 / 900
"""Share of the window above the sequencer, as the tour has made it."""
WHOLE = ("05_people", "11_in_front", "12_rendered", "13_drawing", "14_carried")
"""Pictures that are kept as they are, for the preview, or a window over it."""
PATH = "05_people", "11_in_front", "12_rendered", "14_carried"
"""Pictures with a file browser, whose path (rows and columns, of a window of 1600x900) is nobody's business."""
PATH_ROWS, PATH_COLUMNS = slice(62, 84), slice(160, 304)
QUALITY = 88


def main(folder: Path) -> None:
    """Replace each PNG in the folder."""
    for file in sorted(folder.glob("*.png")):
        picture = cv2.imread(str(file))
        if file.stem not in WHOLE:
            picture = picture[round(len(picture) * TOP) :]
        if file.stem in PATH:
            picture[PATH_ROWS, PATH_COLUMNS] = picture[PATH_ROWS.start, PATH_COLUMNS.start]
        cv2.imwrite(str(file.with_suffix(".jpg")), picture, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
        file.unlink()


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else PICTURES)

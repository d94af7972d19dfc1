"""Make the guide's pictures small: of each screenshot only the sequencer, with the sidebar, is kept, as a JPEG."""

from __future__ import annotations

import sys
from pathlib import Path

import cv2

PICTURES = Path(__file__).resolve().parents[2] / "docs" / "pictures" / "guide"
TOP = 280 / 900
"""Share of the window above the sequencer, in Blender's Video Editing layout."""
LEFT = 0.2
"""Share of the window to the left of the preview, where a file browser is."""
WITH_PREVIEW = ("03_install", "11_in_front", "12_rendered", "13_drawing")
"""Pictures that are kept in full height, for a dialog or the preview."""
QUALITY = 88


def main(folder: Path) -> None:
    """Replace each PNG in the folder."""
    for file in sorted(folder.glob("*.png")):
        picture = cv2.imread(str(file))
        height, width = picture.shape[:2]
        whole = file.stem in WITH_PREVIEW
        picture = picture[:, round(width * LEFT) :] if whole else picture[round(height * TOP) :]
        cv2.imwrite(str(file.with_suffix(".jpg")), picture, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
        file.unlink()


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else PICTURES)

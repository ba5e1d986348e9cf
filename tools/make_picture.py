"""Draw docs/report.png, the head of `dicomcore report` over pydicom's files: `python tools/make_picture.py`.

Needs Pillow, and Chromium or Chrome: CHROMIUM names it, or it is the first on the path.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import pydicom.data
from PIL import Image

TARGET = Path(__file__).resolve().parents[1] / "docs/report.png"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
WIDTH, HEIGHT = 1000, 826  # pixels: down to the end of the first row of charts
COLOURS = 160  # a palette takes a third of the bytes


def main() -> None:
    browser = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        sys.exit(f"none of {', '.join(BROWSERS)} is on the path: set CHROMIUM")
    with TemporaryDirectory() as name:
        folder = Path(name)
        shutil.copytree(Path(pydicom.data.__file__).parent / "test_files", folder / "archive")
        for command in (
            ["index", "archive", "-o", "index.parquet", "-q"],
            ["report", "index.parquet", "-o", "report.html", "--title", "The files that pydicom ships"],
        ):
            code = subprocess.run([sys.executable, "-m", "dicomcore", *command], cwd=folder).returncode
            if code not in (0, 1):  # 1: some files could not be read, as expected here
                sys.exit(code)
        subprocess.run(
            [
                *(browser, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"),
                *(f"--user-data-dir={folder / 'browser'}", f"--window-size={WIDTH},{HEIGHT}"),
                *(f"--screenshot={folder / 'report.png'}", (folder / "report.html").as_uri()),
            ],
            check=True,
            capture_output=True,
        )
        with Image.open(folder / "report.png") as shot:
            shot.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE).save(TARGET, optimize=True)
    print(f"{TARGET}: {TARGET.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()

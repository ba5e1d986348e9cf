"""`dicomcore sheet`: a contact sheet of a folder or an index, one picture a series."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

__all__ = ["add_parser"]

ALL_DRAWN, SOME_NOT, WRONG_USE = 0, 1, 2
DESCRIPTION = "Draw one picture a series, the middle frame of its middle file, side by side into a PNG or JPEG file."
EPILOG = "Exit codes: 0 every series was drawn, 1 some could not be decoded, 2 wrong use."


def add_parser(subparsers: Any) -> None:
    """Add the subcommand."""
    parser = subparsers.add_parser(
        "sheet", help="a contact sheet, one picture a series", description=DESCRIPTION, epilog=EPILOG
    )
    parser.add_argument("source", metavar="INDEX_OR_DIR", help="a Parquet index, or a folder of DICOM files")
    parser.add_argument("-o", "--output", required=True, metavar="FILE", help="the picture to write, .png or .jpg")
    parser.add_argument("--size", type=int, default=160, metavar="PIXELS", help="of one picture (default: 160)")
    parser.add_argument("--columns", type=int, default=0, metavar="N", help="pictures side by side")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Draw the sheet; the exit code."""
    from dicomcore.archive.sheet import draw_sheet, series_pictures

    target = Path(arguments.output)
    if target.suffix.lower() not in (".png", ".jpg", ".jpeg"):
        return _told(f"{target}: the name is to end in .png or .jpg", WRONG_USE)
    if not 16 <= arguments.size <= 2048 or arguments.columns < 0:
        return _told("--size is 16 to 2048 pixels, --columns not below 0", WRONG_USE)
    try:
        pictures = list(series_pictures(_table(Path(arguments.source))))
    except (OSError, ValueError, KeyError) as error:
        return _told(f"{arguments.source}: {error}", WRONG_USE)
    if not pictures:
        return _told(f"{arguments.source}: no images there", SOME_NOT)
    half = target.with_name(f".{target.stem}.half{target.suffix}")
    try:
        draw_sheet(pictures, columns=arguments.columns, size=arguments.size).save(half)
        half.replace(target)  # whole or not at all
    except OSError as error:
        half.unlink(missing_ok=True)
        return _told(f"{target}: {error.strerror or error}", WRONG_USE)
    missing = [one for one in pictures if one.picture is None]
    for one in missing:
        _told(f"{one.path}: {one.reason}", SOME_NOT)
    print(f"{target}: {len(pictures) - len(missing)} of {len(pictures)} series")
    return SOME_NOT if missing else ALL_DRAWN


def _table(source: Path) -> Any:
    """The index's table, read from a file or made of a folder."""
    from dicomcore.archive import index
    from dicomcore.archive.sheet import SHEET_COLUMNS

    if source.is_dir():
        return index(source, columns=SHEET_COLUMNS)
    import pyarrow.parquet as pq

    return pq.read_table(source, columns=["path", *SHEET_COLUMNS])


def _told(message: str, code: int) -> int:
    print(f"dicomcore sheet: {message}", file=sys.stderr)
    return code

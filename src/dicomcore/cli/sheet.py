"""`dicomcore sheet`: draw a contact sheet of a folder or an index, with one picture for each series."""

from __future__ import annotations

import argparse
import io
from pathlib import Path
from typing import Any

from dicomcore.cli.console import add_command, printable, report_problem, word
from dicomcore.cli.isolate import add_isolate
from dicomcore.files import write_bytes
from dicomcore.limits import Limits

__all__ = ["add_parser"]

ALL_DRAWN, SOME_NOT, WRONG_USE = 0, 1, 2
DESCRIPTION = "Draw one picture of each series, the middle frame of its middle file, into one PNG or JPEG file."
EXAMPLES = ("dicomcore sheet archive/ -o sheet.png", "dicomcore sheet index.parquet -o sheet.jpg --columns 8")
CODES = "0 every series was drawn, 1 some could not be decoded, 2 wrong use."


def add_parser(subparsers: Any) -> None:
    """Add the subcommand."""
    parser = add_command(
        subparsers,
        "sheet",
        help="a contact sheet, one picture of each series",
        description=DESCRIPTION,
        examples=EXAMPLES,
        codes=CODES,
    )
    parser.add_argument("source", type=word, metavar="INDEX_OR_DIR", help="an index, or a folder of DICOM files")
    parser.add_argument("-o", "--output", required=True, metavar="FILE", help="the picture to write, .png or .jpg")
    parser.add_argument("--size", type=int, default=160, metavar="PIXELS", help="size of one picture (default: 160)")
    parser.add_argument("--columns", type=int, default=0, metavar="N", help="pictures side by side")
    add_isolate(parser)
    parser.set_defaults(run=run, interrupted="nothing was written")


def run(arguments: argparse.Namespace) -> int:
    """Draw the sheet; return the exit code."""
    from dicomcore.archive.reporting.sheet import draw_sheet, series_pictures

    target = Path(arguments.output)
    if target.suffix.lower() not in (".png", ".jpg", ".jpeg"):
        return report_problem("sheet", str(target), "the name must end in .png or .jpg", WRONG_USE)
    if not 16 <= arguments.size <= 2048 or arguments.columns < 0:
        return report_problem("sheet", "", "--size must be 16 to 2048 pixels, --columns 0 or more", WRONG_USE)
    try:
        pictures = list(series_pictures(_table(Path(arguments.source)), limits=Limits(isolate=arguments.isolate)))
    except (OSError, ValueError, KeyError) as error:
        return report_problem("sheet", arguments.source, error, WRONG_USE)
    if not pictures:
        return report_problem("sheet", arguments.source, "no images there", SOME_NOT)
    drawn = io.BytesIO()
    kind = "PNG" if target.suffix.lower() == ".png" else "JPEG"
    draw_sheet(pictures, columns=arguments.columns, size=arguments.size).save(drawn, kind)
    try:
        write_bytes(target, drawn.getbuffer())
    except OSError as error:
        return report_problem("sheet", arguments.output, error, WRONG_USE)
    missing = [one for one in pictures if one.picture is None]
    for one in missing:
        report_problem("sheet", one.path, one.reason, SOME_NOT)
    for one in pictures:
        for issue in one.issues:
            report_problem("sheet", one.path, f"{issue.code} {issue.message}", ALL_DRAWN)
    print(f"{printable(arguments.output)}: {len(pictures) - len(missing)} of {len(pictures)} series")
    return SOME_NOT if missing else ALL_DRAWN


def _table(source: Path) -> Any:
    """The table of an index file, or of a folder that is indexed now."""
    from dicomcore.archive import index
    from dicomcore.archive.reporting.sheet import SHEET_COLUMNS

    if source.is_dir():
        return index(source, columns=SHEET_COLUMNS)
    from dicomcore.archive.listing import open_index

    found = open_index(source)
    missing = [name for name in SHEET_COLUMNS if name not in found.schema.names]
    if missing:
        raise ValueError(f"the index has no column {', '.join(missing)}")
    return found.to_table(columns=["path", *SHEET_COLUMNS])

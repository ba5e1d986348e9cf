"""Contact sheets: one picture for each series, drawn from the files that an index lists."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dicomcore.archive.extra import needs_extra
from dicomcore.errors import DicomError
from dicomcore.issues import Issue
from dicomcore.limits import Limits
from dicomcore.part10.reader import dcmread

if TYPE_CHECKING:
    import pyarrow as pa
    from PIL import Image

__all__ = ["SHEET_COLUMNS", "SeriesPicture", "draw_sheet", "picture_of", "series_pictures"]

SHEET_COLUMNS = ("SeriesInstanceUID", "Modality", "SeriesDescription", "InstanceNumber", "Rows")
"""The columns that an index must have for `series_pictures`, besides `path`."""
CAPTION = 30  # height in pixels of the two lines below a picture
GAP = 8
BACKGROUND, TEXT, FAINT = (16, 16, 18), (235, 235, 235), (150, 150, 155)


class SeriesPicture(NamedTuple):
    """The picture of one series: 8 bits, (rows, columns[, 3]); without a picture None, and `reason` says why."""

    title: str
    subtitle: str
    path: str
    picture: NDArray[np.uint8] | None
    reason: str
    issues: tuple[Issue, ...] = ()
    """The issues of the frames that were decoded for it."""


def series_pictures(table: pa.Table, *, limits: Limits | None = None) -> Iterator[SeriesPicture]:
    """A picture for each series of an index table that has images: the middle frame of its middle file.

    Files are sorted by Instance Number. A series has no picture if none of the three files in the middle can be
    decoded. `limits` are as for `dcmread`.
    """
    for rows in _by_series(table).values():
        rows.sort(key=lambda row: (row["InstanceNumber"] is None, row["InstanceNumber"] or 0, row["path"]))
        middle = len(rows) // 2
        nearest = sorted(rows, key=lambda row: abs(rows.index(row) - middle))[:3]
        yield picture_of(nearest, len(rows), limits=limits)


def _by_series(table: pa.Table) -> dict[str, list[dict[str, Any]]]:
    series: dict[str, list[dict[str, Any]]] = {}
    for row in table.select(["path", *SHEET_COLUMNS]).to_pylist():
        if row["Rows"] is not None:
            series.setdefault(row["SeriesInstanceUID"] or row["path"], []).append(row)
    return series


def picture_of(rows: list[dict[str, Any]], files: int, *, limits: Limits | None = None) -> SeriesPicture:
    """The picture of a series of `files` files: the middle frame of the first of these rows that can be decoded."""
    row, reason = rows[0], ""
    title = f"{row['Modality'] or '?'}  {row['SeriesDescription'] or ''}".strip()
    for candidate in rows:
        try:
            frames = dcmread(candidate["path"], limits=limits).frames
            shown = frames.render(len(frames) // 2)
        except (DicomError, OSError) as error:
            reason = reason or str(error)
            continue
        size = f"{shown.shape[1]} x {shown.shape[0]}"
        count = f"{files} files" if files > 1 else f"{len(frames)} frames" if len(frames) > 1 else "1 file"
        return SeriesPicture(title, f"{size}, {count}", candidate["path"], shown, "", frames.issues)
    return SeriesPicture(title, f"{files} files" if files > 1 else "1 file", row["path"], None, reason)


def draw_sheet(pictures: list[SeriesPicture], *, columns: int = 0, size: int = 160) -> Image.Image:
    """Draw all pictures into one RGB image, in `columns` columns (0: about square), each in a field of `size` pixels.

    A series without a picture gets an empty field that says so. Needs Pillow; ModuleNotFoundError names the extra.
    """
    with needs_extra("PIL", "picture"):
        from PIL import Image, ImageDraw
    columns = columns or max(1, min(12, round((len(pictures) * 1.3) ** 0.5)))
    lines = -(-len(pictures) // columns)
    wide, high = size + GAP, size + CAPTION + GAP
    sheet = Image.new("RGB", (columns * wide + GAP, max(lines, 1) * high + GAP), BACKGROUND)
    draw = ImageDraw.Draw(sheet)
    for i, series in enumerate(pictures):
        x, y = GAP + i % columns * wide, GAP + i // columns * high
        if series.picture is None:
            draw.rectangle((x, y, x + size - 1, y + size - 1), outline=FAINT)
            draw.text((x + 6, y + 6), "no picture", fill=FAINT)
        else:
            shown = Image.fromarray(series.picture).convert("RGB")
            shown.thumbnail((size, size), Image.Resampling.LANCZOS)
            sheet.paste(shown, (x + (size - shown.width) // 2, y + (size - shown.height) // 2))
        draw.text((x, y + size + 3), _fitted(draw, series.title, size), fill=TEXT)
        draw.text((x, y + size + 15), _fitted(draw, series.subtitle, size), fill=FAINT)
    return sheet


def _fitted(draw: Any, text: str, width: int) -> str:
    """The text, shortened to a width in pixels; in old Pillows the built-in font has only Latin-1."""
    text = text.encode("latin-1", "replace").decode("latin-1")
    if draw.textlength(text) <= width:
        return text
    while text and draw.textlength(text + "...") > width:
        text = text[:-1]
    return text + "..."

"""`report`: an index as one self-contained HTML page, without network access or scripts."""

from __future__ import annotations

import base64
import io
import os
from collections.abc import Sequence
from datetime import datetime
from importlib.resources import files
from pathlib import Path
from typing import Any, NamedTuple

from dicomcore.archive.extra import needs_extra
from dicomcore.archive.listing import IndexLike, stored
from dicomcore.archive.reporting.charts import bars, columns
from dicomcore.archive.reporting.findings import Count, Facts, Findings, series_to_show
from dicomcore.archive.reporting.sheet import picture_of
from dicomcore.archive.reporting.sql import connected
from dicomcore.files import write_bytes
from dicomcore.limits import Limits
from dicomcore.version import __version__

__all__ = ["PICTURES", "report"]

PICTURES = 48
PICTURE_PIXELS = 180
MEMORY = "400MB"  # memory of DuckDB for sorting and grouping; more goes to a temporary folder
UNITS = ("B", "KiB", "MiB", "GiB", "TiB", "PiB")
CHARTS = (
    ("Modality", "Modality"),
    ("SOP class", "SOPClassUID"),
    ("Transfer syntax", "TransferSyntaxUID"),
    ("Manufacturer", "Manufacturer"),
)


class _Tile(NamedTuple):
    name: str
    value: str
    tone: str = ""


class _Picture(NamedTuple):
    title: str
    subtitle: str
    data: str
    """JPEG in base 64; empty without a picture, and `reason` says why."""
    reason: str


def report(
    index: IndexLike,
    out: str | os.PathLike[str],
    *,
    title: str = "Archive report",
    pictures: int = PICTURES,
    limits: Limits | None = None,
) -> Path:
    """Write an HTML page about an index: counts, errors, deviations, duplicates, the geometry of slices, and pictures.

    The page contains no script, and all text from files is escaped. It replaces an existing file completely or not at
    all.

    Parameters
    ----------
    index : path or pyarrow.Table
        A Parquet or Arrow file, a folder of Parquet files, or a table. Parts of the page are left out if their columns
        are missing.
    out : path
        The HTML file.
    title : str
        Title of the page.
    pictures : int
        Number of series to show at most, each by the middle image of those of its files that can be read.
    limits : Limits, optional
        Limits for the series' files, as in `dcmread`.

    Returns
    -------
    Path
        The path of the page.

    Raises
    ------
    ValueError
        `index` is no index.
    OSError
        The index can't be read, or the page can't be written.
    ModuleNotFoundError
        The extra `report` is not installed.
    """
    with needs_extra("jinja2", "report"):
        from jinja2 import Environment, StrictUndefined
    environment = Environment(autoescape=True, undefined=StrictUndefined)
    text = files("dicomcore.archive.reporting").joinpath("templates/report.html").read_text("utf-8")
    template = environment.from_string(text)
    with connected(index, memory=MEMORY) as database:
        findings = Findings(database)
        facts, duplicates = findings.facts(), findings.duplicates()
        shown = [_picture(count, rows, limits) for count, rows in series_to_show(findings, pictures)]
        sums, worst = findings.geometry()
        available = any(picture is not None for picture in shown)
        page = template.render(
            title=_text(title),
            source=_text(os.fspath(index)) if isinstance(index, (str, os.PathLike)) else "",
            made=datetime.now().astimezone().strftime("%Y-%m-%d %H:%M %Z"),
            version=__version__,
            facts=facts,
            tiles=_tiles(facts, duplicates[1] if findings.has("SOPInstanceUID") else None),
            charts=_charts(findings) if facts.files else [],
            errors=_texts(findings.errors()),
            others=[_text(path) for path in findings.others()],
            deviations=_texts(findings.deviations()),
            duplicates={"uids": duplicates[0], "extra": duplicates[1], "worst": _texts(duplicates[2])},
            geometry={"sums": sums, "worst": [_oddity(*series) for series in worst]},
            pictures=[picture or _Picture("", "", "", "not available") for picture in shown] if available else [],
            pictures_absent=bool(shown) and not available,
        )
    write_bytes(out, page.encode("utf-8", "replace"))
    return Path(os.fsdecode(out))


def _tiles(facts: Facts, duplicates: int | None) -> list[_Tile]:
    numbers = (("patients", facts.patients), ("studies", facts.studies), ("series", facts.series))
    tiles = [_Tile("files", f"{facts.files:,}")]
    if facts.size is not None:
        tiles.append(_Tile("total size", _size(facts.size)))
    tiles += [_Tile(name, f"{count:,}") for name, count in numbers if count is not None]
    for name, count, tone in (
        ("unreadable", facts.unreadable, "bad"),
        ("with deviations", facts.deviating, "warn"),
        ("duplicates", duplicates, "warn"),
    ):
        if count is not None:
            tiles.append(_Tile(name, f"{count:,}", tone if count else "good"))
    if facts.not_dicom:
        tiles.append(_Tile("not DICOM", f"{facts.not_dicom:,}"))
    return tiles


class _Chart(NamedTuple):
    title: str
    svg: Any
    note: str = ""


def _charts(findings: Findings) -> list[_Chart]:
    from markupsafe import Markup

    charts = []
    for title, column in CHARTS:
        counts = findings.counts(column)
        if counts:
            charts.append(_Chart(title, Markup(bars(title, [(_name(count), count.files) for count in counts]))))
    years = [(str(year), files) for year, files in findings.years()]
    if years:
        charts.append(_Chart("Year of the study", Markup(columns("Year of the study", years))))
    sizes = findings.sizes()
    if sizes:
        named = [(_size(1 << power), files) for power, files in sizes]
        charts.append(
            _Chart("File size", Markup(columns("File size", named)), "Each column ends where the next one begins.")
        )
    return charts


def _name(count: Count) -> str:
    return (count.name or "(none)").removesuffix(" Storage")


def _oddity(uid: str, modality: str, described: str, files: int, *odd: int) -> dict[str, Any]:
    orientations, spacings, missing, doubled = odd
    texts = []
    if missing:
        texts.append(f"{missing:,} slice{'s' if missing > 1 else ''} missing")
    if doubled:
        texts.append(f"{doubled:,} at the place of another")
    if orientations > 1:
        texts.append(f"{orientations:,} orientations")
    if spacings > 1:
        texts.append(f"{spacings:,} pixel spacings")
    name = "  ".join(text for text in (modality, described) if text) or "(no description)"
    return {"uid": _text(uid), "name": _text(name), "files": files, "odd": ", ".join(texts)}


def _picture(count: int, rows: list[dict[str, Any]], limits: Limits | None) -> _Picture | None:
    """The picture of a series; None if none of its files exists."""
    local = [{**row, "path": stored(row["path"])} for row in rows]
    if not any(os.path.exists(row["path"]) for row in local):
        return None
    series = picture_of(local, count, limits=limits)
    title, subtitle = _text(series.title), _text(series.subtitle)
    if series.picture is None:
        return _Picture(title, subtitle, "", _text(series.reason))
    with needs_extra("PIL", "report"):
        from PIL import Image
    shown = Image.fromarray(series.picture).convert("L" if series.picture.ndim == 2 else "RGB")
    shown.thumbnail((PICTURE_PIXELS, PICTURE_PIXELS), Image.Resampling.LANCZOS)
    jpeg = io.BytesIO()
    shown.save(jpeg, "JPEG", quality=82, optimize=True)
    return _Picture(title, subtitle, base64.b64encode(jpeg.getvalue()).decode(), "")


def _texts(rows: Sequence[Sequence[Any]]) -> list[list[Any]]:
    return [[_texts([cell])[0] if isinstance(cell, list) else _text(cell) for cell in row] for row in rows]


def _text(value: Any) -> Any:
    """Text without invisible characters, and without those that reverse the text after them; other values unchanged."""
    if not isinstance(value, str):
        return value
    return "".join(character if character.isprintable() else "\ufffd" for character in value)


def _size(count: int) -> str:
    """A number of bytes in a unit of its magnitude."""
    power = min(max(count.bit_length() - 1, 0) // 10, len(UNITS) - 1)
    number, unit = count / 1024**power, UNITS[power]
    return f"{number:.0f} {unit}" if number >= 10 or number == int(number) else f"{number:.1f} {unit}"

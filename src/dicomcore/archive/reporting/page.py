"""report: an index as one HTML page that needs nothing else, no network and no scripts."""

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
MEMORY = "400MB"  # for what SQL sorts and groups; more goes to a temporary folder
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
    """JPEG in base 64; empty where there is none, and `reason` says why."""
    reason: str


def report(
    index: IndexLike,
    out: str | os.PathLike[str],
    *,
    title: str = "Archive report",
    pictures: int = PICTURES,
    limits: Limits | None = None,
) -> Path:
    """Write an HTML page about an index: counts, errors, deviations, duplicates, how slices lie, and pictures.

    `index` is a Parquet or Arrow file, a folder of Parquet files or a pyarrow.Table; columns that it lacks are left out
    of the page. `pictures` series at most are shown, the middle image of each, as far as their files can be read. The
    page holds no script, and everything that comes from files is escaped; it replaces one that was there whole or not
    at all. Returns its path. `limits` are for the series' files, as in `dcmread`.

    Raises ValueError for what is no index, OSError for what can't be read or written, ModuleNotFoundError without the
    extra `report`.
    """
    with needs_extra("jinja2", "report"):
        from jinja2 import Environment, StrictUndefined
    environment = Environment(autoescape=True, undefined=StrictUndefined)
    text = files("dicomcore.archive.reporting").joinpath("templates/report.html").read_text("utf-8")
    template = environment.from_string(text)
    with connected(index, memory=MEMORY) as database:
        found = Findings(database)
        facts, duplicates = found.facts(), found.duplicates()
        shown = [_picture(count, rows, limits) for count, rows in series_to_show(found, pictures)]
        sums, worst = found.geometry()
        at_hand = any(one is not None for one in shown)
        page = template.render(
            title=_text(title),
            source=_text(os.fspath(index)) if isinstance(index, (str, os.PathLike)) else "",
            made=datetime.now().astimezone().strftime("%Y-%m-%d %H:%M %Z"),
            version=__version__,
            facts=facts,
            tiles=_tiles(facts, duplicates[1] if found.has("SOPInstanceUID") else None),
            charts=_charts(found) if facts.files else [],
            errors=_texts(found.errors()),
            others=[_text(path) for path in found.others()],
            deviations=_texts(found.deviations()),
            duplicates={"uids": duplicates[0], "extra": duplicates[1], "worst": _texts(duplicates[2])},
            geometry={"sums": sums, "worst": [_oddity(*one) for one in worst]},
            pictures=[one or _Picture("", "", "", "not at hand") for one in shown] if at_hand else [],
            pictures_absent=bool(shown) and not at_hand,
        )
    write_bytes(out, page.encode("utf-8", "replace"))
    return Path(os.fsdecode(out))


def _tiles(facts: Facts, duplicates: int | None) -> list[_Tile]:
    numbers = (("patients", facts.patients), ("studies", facts.studies), ("series", facts.series))
    found = [_Tile("files", f"{facts.files:,}")]
    if facts.size is not None:
        found.append(_Tile("in all", _size(facts.size)))
    found += [_Tile(name, f"{count:,}") for name, count in numbers if count is not None]
    for name, count, tone in (
        ("unreadable", facts.unreadable, "bad"),
        ("with deviations", facts.deviating, "warn"),
        ("duplicates", duplicates, "warn"),
    ):
        if count is not None:
            found.append(_Tile(name, f"{count:,}", tone if count else "good"))
    if facts.not_dicom:
        found.append(_Tile("not DICOM", f"{facts.not_dicom:,}"))
    return found


class _Chart(NamedTuple):
    title: str
    svg: Any
    note: str = ""


def _charts(found: Findings) -> list[_Chart]:
    from markupsafe import Markup

    charts = []
    for title, column in CHARTS:
        counts = found.counts(column)
        if counts:
            charts.append(_Chart(title, Markup(bars(title, [(_name(one), one.files) for one in counts]))))
    years = [(str(year), count) for year, count in found.years()]
    if years:
        charts.append(_Chart("Year of the study", Markup(columns("Year of the study", years))))
    sizes = found.sizes()
    if sizes:
        named = [(_size(1 << power), count) for power, count in sizes]
        charts.append(
            _Chart("File size", Markup(columns("File size", named)), "Each column up to the next one's size.")
        )
    return charts


def _name(one: Count) -> str:
    return (one.name or "(none)").removesuffix(" Storage")


def _oddity(uid: str, modality: str, described: str, files: int, *odd: int) -> dict[str, Any]:
    orientations, spacings, missing, doubled = odd
    said = []
    if missing:
        said.append(f"{missing:,} slice{'s' if missing > 1 else ''} missing")
    if doubled:
        said.append(f"{doubled:,} at a place that another has")
    if orientations > 1:
        said.append(f"{orientations:,} orientations")
    if spacings > 1:
        said.append(f"{spacings:,} pixel spacings")
    name = "  ".join(one for one in (modality, described) if one) or "(no description)"
    return {"uid": _text(uid), "name": _text(name), "files": files, "odd": ", ".join(said)}


def _picture(count: int, rows: list[dict[str, Any]], limits: Limits | None) -> _Picture | None:
    """The picture of a series; None where none of its files is at hand."""
    there = [{**row, "path": stored(row["path"])} for row in rows]
    if not any(os.path.exists(row["path"]) for row in there):
        return None
    one = picture_of(there, count, limits=limits)
    title, subtitle = _text(one.title), _text(one.subtitle)
    if one.picture is None:
        return _Picture(title, subtitle, "", _text(one.reason))
    with needs_extra("PIL", "report"):
        from PIL import Image
    shown = Image.fromarray(one.picture).convert("L" if one.picture.ndim == 2 else "RGB")
    shown.thumbnail((PICTURE_PIXELS, PICTURE_PIXELS), Image.Resampling.LANCZOS)
    held = io.BytesIO()
    shown.save(held, "JPEG", quality=82, optimize=True)
    return _Picture(title, subtitle, base64.b64encode(held.getvalue()).decode(), "")


def _texts(rows: Sequence[Sequence[Any]]) -> list[list[Any]]:
    return [[_texts([one])[0] if isinstance(one, list) else _text(one) for one in row] for row in rows]


def _text(value: Any) -> Any:
    """Text without what would show as nothing, or turn what follows round; other values as they are."""
    if not isinstance(value, str):
        return value
    return "".join(one if one.isprintable() else "\ufffd" for one in value)


def _size(count: int) -> str:
    """Bytes in the unit that suits them."""
    power = min(max(count.bit_length() - 1, 0) // 10, len(UNITS) - 1)
    number, unit = count / 1024**power, UNITS[power]
    return f"{number:.0f} {unit}" if number >= 10 or number == int(number) else f"{number:.1f} {unit}"

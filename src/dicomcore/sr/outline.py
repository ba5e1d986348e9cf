"""Content trees as indented lines of text."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from dicomcore.dataset.code import Code
from dicomcore.sr.item import ContentItem, Position, position_text
from dicomcore.sr.table import Table
from dicomcore.sr.values import Coordinates, ImageReference, Numeric, Reference, TemporalRange, WaveformReference
from dicomcore.uids import UID

__all__ = ["outline", "value_text"]

SHOWN_POINTS = 4
INDENT = "  "


def outline(root: ContentItem) -> Iterator[str]:
    """Yield one line per item: position, relationship, value type, concept and value, indented by depth.

    Control characters, including line breaks, are escaped: an item never takes two lines.
    """
    positions = {id(item): position for position, item in root.walk()}
    for position, item in root.walk():
        yield INDENT * (len(position) - 1) + _line(position, item, positions)


def _line(position: Position, item: ContentItem, positions: dict[int, Position]) -> str:
    words = [position_text(position)]
    if item.relationship:
        words.append(item.relationship.lower())
    if item.target is not None:
        target = item.target if isinstance(item.target, tuple) else positions.get(id(item.target), ())
        words.append(f"-> {position_text(target)}")
    else:
        words.append(item.value_type or "(no value type)")
    if item.concept is not None:
        words.append(str(item.concept))
    if item.value is not None:
        words.append(f"= {value_text(item.value)}")
    elif item.continuity:
        words.append(f"= {item.continuity}")
    if item.template is not None:
        words.append(f"[TID {item.template.identifier} {item.template.mapping_resource}]")
    if item.observed:
        words.append(f"{{{item.observed}}}")
    return _printable(" ".join(words))


def value_text(value: Any) -> str:
    """Format a value for people, texts in quotes."""
    for kind, write in WRITERS:
        if isinstance(value, kind):
            return write(value)
    return str(value)


def _numeric(number: Numeric) -> str:
    words = "(none)" if number.exact is None else f"{number.exact:.12g}"
    if number.unit is not None and number.unit.value != "1":
        words += f" {number.unit.value}"
    return words if number.qualifier is None else f"{words} {number.qualifier}"


def _reference(reference: Reference) -> str:
    return f"{UID(reference.sop_class).name} {reference.sop_instance}"


def _image(reference: ImageReference) -> str:
    parts = [_reference(reference)]
    if reference.frames:
        parts.append(f"frames {', '.join(map(str, reference.frames))}")
    if reference.segments:
        parts.append(f"segments {', '.join(map(str, reference.segments))}")
    if reference.presentation_state is not None:
        parts.append(f"shown by {_reference(reference.presentation_state)}")
    if reference.real_world_mapping is not None:
        parts.append(f"mapped by {_reference(reference.real_world_mapping)}")
    return "; ".join(parts)


def _waveform(reference: WaveformReference) -> str:
    channels = ", ".join(f"{group}/{channel}" for group, channel in reference.channels)
    return _reference(reference) + (f"; channels {channels}" if channels else "")


def _coordinates(figure: Coordinates) -> str:
    points = [f"({', '.join(f'{number:g}' for number in point)})" for point in figure.points[:SHOWN_POINTS].tolist()]
    rest = len(figure.points) - len(points)
    return " ".join([figure.graphic_type, *points, *([f"and {rest} more"] if rest else [])])


def _temporal(span: TemporalRange) -> str:
    return " ".join([span.range_type, *map(str, (*span.samples, *span.offsets, *span.moments))])


def _table(table: Table) -> str:
    return f"{table.rows} rows, {table.columns} columns, {len(table.cells)} cells"


WRITERS: tuple[tuple[type, Any], ...] = (
    (Code, str),
    (Numeric, _numeric),
    (ImageReference, _image),
    (WaveformReference, _waveform),
    (Reference, _reference),
    (Coordinates, _coordinates),
    (TemporalRange, _temporal),
    (Table, _table),
    (UID, str),
    (str, lambda text: f'"{text}"'),
)


def _printable(text: str) -> str:
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)

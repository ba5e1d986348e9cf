"""Content trees as one HTML page, without scripts or external resources; all text from the file is escaped."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from typing import TYPE_CHECKING, Any

from dicomcore.dataset.lookup import text_of
from dicomcore.sr.item import ContentItem, Position, position_text
from dicomcore.sr.outline import value_text
from dicomcore.sr.table import Table

if TYPE_CHECKING:
    from dicomcore.dataset import Dataset

__all__ = ["html"]

HEADER = ("PatientName", "PatientID", "PatientBirthDate", "PatientSex", "StudyDate", "ContentDate", "Manufacturer")
FLAGS = ("CompletionFlag", "VerificationFlag")
STYLE = """body{font:15px/1.45 sans-serif;max-width:60em;margin:2em auto;padding:0 1em}
th{text-align:left;padding-right:1em;font-weight:normal;color:#555}
section,div.item{margin:.2em 0 .2em 1.2em}section{border-left:2px solid #ddd;padding-left:.8em}
.said{color:#555}.how{color:#888;font-size:85%}.value{white-space:pre-wrap}
table.cells{border-collapse:collapse}table.cells td{border:1px solid #ccc;padding:.1em .5em}"""
DEEPEST_HEADING = 6


def html(root: ContentItem, data_set: Dataset | None = None) -> str:
    """Format the tree as an HTML page, headed by the patient, dates and flags of `data_set` if it is given.

    Each content item is an element with an id such as ``item-1.2.3``; by-reference relationships link to these ids.
    """
    title = root.concept.meaning if root.concept is not None and root.concept.meaning else "Structured report"
    parts = [
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n',
        f"<title>{escape(title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n",
        *(_header(data_set) if data_set is not None else ()),
        *_body(root),
        "</body>\n</html>\n",
    ]
    return "".join(parts)


def _header(data_set: Dataset) -> Iterator[str]:
    yield "<table>\n"
    for keyword in (*HEADER, *FLAGS):
        value = text_of(data_set, keyword)
        if value:
            yield f"<tr><th>{escape(data_set[keyword].name)}</th><td>{escape(value)}</td></tr>\n"
    yield "</table>\n"


def _body(root: ContentItem) -> Iterator[str]:
    """Yield the items in document order; close open elements before an item that is not deeper than they are."""
    positions = {id(item): position for position, item in root.walk()}
    closing: list[str] = []
    for position, item in root.walk():
        while len(closing) >= len(position):
            yield closing.pop()
        opening, end = _element(position, item, positions)
        yield opening
        closing.append(end)
    while closing:
        yield closing.pop()


def _element(position: Position, item: ContentItem, positions: dict[int, Position]) -> tuple[str, str]:
    name = f'id="item-{position_text(position)}"'
    concept = _concept(item)
    if item.value_type == "CONTAINER" and item.target is None:
        level = min(len(position), DEEPEST_HEADING)
        heading = f"<h{level}>{concept}</h{level}>\n" if concept else ""
        return f"<section {name}>\n{heading}", "</section>\n"
    relationship = item.relationship.lower() if item.relationship else ""
    label = f'<span class="said">{concept}:</span> ' if concept else ""
    prefix = f'<span class="how">{escape(relationship)}</span> ' if relationship not in ("", "contains") else ""
    return f"<div class=item {name}>{prefix}{label}{_value(item, positions)}\n", "</div>\n"


def _concept(item: ContentItem) -> str:
    if item.concept is None:
        return ""
    code = escape(f"{item.concept.value} {item.concept.scheme}", quote=True)
    return f'<span title="{code}">{escape(item.concept.meaning or item.concept.value)}</span>'


def _value(item: ContentItem, positions: dict[int, Position]) -> str:
    if item.target is not None:
        target = item.target if isinstance(item.target, tuple) else positions.get(id(item.target), ())
        position = position_text(target)
        return f'<a href="#item-{position}">see {position}</a>'
    if isinstance(item.value, Table):
        return _table(item.value)
    if item.value_type == "CODE" and item.value is not None:
        code = escape(f"{item.value.value} {item.value.scheme}", quote=True)
        return f'<span class="value" title="{code}">{escape(item.value.meaning or item.value.value)}</span>'
    text = item.value if isinstance(item.value, str) else "" if item.value is None else value_text(item.value)
    return f'<span class="value">{escape(text)}</span>'


def _table(table: Table) -> str:
    """List the cells, each with its row and column, instead of drawing a grid: a table may claim any size."""
    rows = "".join(
        f"<tr><td>{_number(cell.row)}</td><td>{_number(cell.column)}</td><td>{escape(_cell(cell.value))}</td></tr>\n"
        for cell in table.cells
    )
    return f"<table class=cells>\n<tr><td>row</td><td>column</td><td>value</td></tr>\n{rows}</table>\n"


def _number(number: int | None) -> str:
    return "all" if number is None else escape(str(number))


def _cell(value: Any) -> str:
    return "" if value is None else ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)

"""Table: the value of a TABLE content item (PS3.3 C.18.10)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from dicomcore.dataset.code import Code, code_of
from dicomcore.dataset.lookup import first_item, integers_of, items_of, number_of, text_of
from dicomcore.errors import EncodeError

if TYPE_CHECKING:
    from dicomcore.dataset import Dataset

__all__ = ["Cell", "Heading", "Table"]

SELECTORS = {
    "DS": "SelectorDSValue",
    "DT": "SelectorDTValue",
    "FD": "SelectorFDValue",
    "FL": "SelectorFLValue",
    "IS": "SelectorISValue",
    "SL": "SelectorSLValue",
    "SS": "SelectorSSValue",
    "SV": "SelectorSVValue",
    "UC": "SelectorUCValue",
    "UL": "SelectorULValue",
    "US": "SelectorUSValue",
    "UV": "SelectorUVValue",
}


@dataclass(slots=True)
class Heading:
    """The heading of a row or column: its number, from 1 (None for all rows or columns), its concept and its unit."""

    number: int | None
    concept: Code | None
    unit: Code | None = None


@dataclass(slots=True)
class Cell:
    """The value of a cell, or of a whole row or column where the other number is None; both count from 1."""

    row: int | None
    column: int | None
    value: Any = None
    """A number, a text or a list of them; a Code; the position of a content item (tuple of int); or None."""
    VR: str | None = None
    """VR of numbers and texts (Selector Attribute VR)."""
    qualifier: Code | None = None


@dataclass(slots=True)
class Table:
    """Values in rows and columns."""

    rows: int
    columns: int
    cells: list[Cell] = field(default_factory=list)
    row_headings: list[Heading] = field(default_factory=list)
    column_headings: list[Heading] = field(default_factory=list)

    @classmethod
    def of(cls, data_set: Dataset) -> Table | None:
        """Read the table from the attributes of a TABLE content item; None if they have none."""
        item = first_item(data_set, "TabulatedValuesSequence")
        if item is None:
            return None
        return cls(
            int(number_of(item, "NumberOfTableRows") or 0),
            int(number_of(item, "NumberOfTableColumns") or 0),
            [_cell(cell) for cell in items_of(item, "CellValuesSequence")],
            _headings(item, "TableRowDefinitionSequence", "TableRowNumber"),
            _headings(item, "TableColumnDefinitionSequence", "TableColumnNumber"),
        )

    def plain(self) -> dict[str, Any]:
        """Return the attributes of a TABLE content item by keyword."""
        attributes: dict[str, Any] = {"NumberOfTableRows": self.rows, "NumberOfTableColumns": self.columns}
        if self.row_headings:
            attributes["TableRowDefinitionSequence"] = [_plain_heading(h, "TableRowNumber") for h in self.row_headings]
        if self.column_headings:
            headings = [_plain_heading(heading, "TableColumnNumber") for heading in self.column_headings]
            attributes["TableColumnDefinitionSequence"] = headings
        attributes["CellValuesSequence"] = [_plain_cell(cell) for cell in self.cells]
        return {"TabulatedValuesSequence": [attributes]}


def _headings(item: Dataset, keyword: str, number: str) -> list[Heading]:
    return [
        Heading(
            number_of(heading, number),
            code_of(heading, "ConceptNameCodeSequence"),
            code_of(heading, "MeasurementUnitsCodeSequence"),
        )
        for heading in items_of(item, keyword)
    ]


def _plain_heading(heading: Heading, number: str) -> dict[str, Any]:
    attributes: dict[str, Any] = {} if heading.number is None else {number: heading.number}
    if heading.concept is not None:
        attributes["ConceptNameCodeSequence"] = [heading.concept.plain()]
    if heading.unit is not None:
        attributes["MeasurementUnitsCodeSequence"] = [heading.unit.plain()]
    return attributes


def _cell(item: Dataset) -> Cell:
    vr = (text_of(item, "SelectorAttributeVR") or "").strip() or None
    keyword = next((name for name in SELECTORS.values() if name in item), None)
    value = code_of(item, "ConceptCodeSequence") or integers_of(item, "ReferencedContentItemIdentifier") or None
    return Cell(
        number_of(item, "TableRowNumber"),
        number_of(item, "TableColumnNumber"),
        item.get(keyword) if keyword else value,
        vr,
        code_of(item, "NumericValueQualifierCodeSequence"),
    )


def _plain_cell(cell: Cell) -> dict[str, Any]:
    attributes: dict[str, Any] = {} if cell.row is None else {"TableRowNumber": cell.row}
    if cell.column is not None:
        attributes["TableColumnNumber"] = cell.column
    if isinstance(cell.value, Code):
        attributes["ConceptCodeSequence"] = [cell.value.plain()]
    elif isinstance(cell.value, tuple):
        attributes["ReferencedContentItemIdentifier"] = list(cell.value)
    elif cell.value is not None:
        vr = cell.VR or _vr_of(cell.value)
        if vr not in SELECTORS:
            raise EncodeError(f"a table cell cannot have the VR {vr}: {', '.join(SELECTORS)} are allowed")
        attributes["SelectorAttributeVR"] = vr
        attributes[SELECTORS[vr]] = cell.value
    if cell.qualifier is not None:
        attributes["NumericValueQualifierCodeSequence"] = [cell.qualifier.plain()]
    return attributes


def _vr_of(value: Any) -> str:
    first = value[0] if isinstance(value, list) and value else value
    return "UC" if isinstance(first, str) else "IS" if isinstance(first, int) else "FD"

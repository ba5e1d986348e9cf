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
    """What a row or column is about: its number from 1 (None for all of them), its concept and unit."""

    number: int | None
    concept: Code | None
    unit: Code | None = None


@dataclass(slots=True)
class Cell:
    """The values of one cell, of a whole row or of a whole column; row and column count from 1."""

    row: int | None
    column: int | None
    value: Any = None
    """A number, a text, a list of such, a Code; an item's identifier (a tuple of int); None with a qualifier."""
    VR: str | None = None
    """Of numbers and texts (Selector Attribute VR)."""
    qualifier: Code | None = None


@dataclass(slots=True)
class Table:
    """Values by rows and columns."""

    rows: int
    columns: int
    cells: list[Cell] = field(default_factory=list)
    row_headings: list[Heading] = field(default_factory=list)
    column_headings: list[Heading] = field(default_factory=list)

    @classmethod
    def of(cls, data_set: Dataset) -> Table | None:
        """Read the attributes of a TABLE content item; None where there is no table."""
        item = first_item(data_set, "TabulatedValuesSequence")
        if item is None:
            return None
        return cls(
            int(number_of(item, "NumberOfTableRows") or 0),
            int(number_of(item, "NumberOfTableColumns") or 0),
            [_cell(one) for one in items_of(item, "CellValuesSequence")],
            _headings(item, "TableRowDefinitionSequence", "TableRowNumber"),
            _headings(item, "TableColumnDefinitionSequence", "TableColumnNumber"),
        )

    def plain(self) -> dict[str, Any]:
        """The attributes of a TABLE content item."""
        made: dict[str, Any] = {"NumberOfTableRows": self.rows, "NumberOfTableColumns": self.columns}
        if self.row_headings:
            made["TableRowDefinitionSequence"] = [_plain_heading(h, "TableRowNumber") for h in self.row_headings]
        if self.column_headings:
            named = [_plain_heading(heading, "TableColumnNumber") for heading in self.column_headings]
            made["TableColumnDefinitionSequence"] = named
        made["CellValuesSequence"] = [_plain_cell(cell) for cell in self.cells]
        return {"TabulatedValuesSequence": [made]}


def _headings(item: Dataset, keyword: str, number: str) -> list[Heading]:
    return [
        Heading(
            number_of(one, number),
            code_of(one, "ConceptNameCodeSequence"),
            code_of(one, "MeasurementUnitsCodeSequence"),
        )
        for one in items_of(item, keyword)
    ]


def _plain_heading(heading: Heading, number: str) -> dict[str, Any]:
    made: dict[str, Any] = {} if heading.number is None else {number: heading.number}
    if heading.concept is not None:
        made["ConceptNameCodeSequence"] = [heading.concept.plain()]
    if heading.unit is not None:
        made["MeasurementUnitsCodeSequence"] = [heading.unit.plain()]
    return made


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
    made: dict[str, Any] = {} if cell.row is None else {"TableRowNumber": cell.row}
    if cell.column is not None:
        made["TableColumnNumber"] = cell.column
    if isinstance(cell.value, Code):
        made["ConceptCodeSequence"] = [cell.value.plain()]
    elif isinstance(cell.value, tuple):
        made["ReferencedContentItemIdentifier"] = list(cell.value)
    elif cell.value is not None:
        vr = cell.VR or _vr_of(cell.value)
        if vr not in SELECTORS:
            raise EncodeError(f"a table's cell has no VR {vr}: {', '.join(SELECTORS)} are allowed")
        made["SelectorAttributeVR"] = vr
        made[SELECTORS[vr]] = cell.value
    if cell.qualifier is not None:
        made["NumericValueQualifierCodeSequence"] = [cell.qualifier.plain()]
    return made


def _vr_of(value: Any) -> str:
    one = value[0] if isinstance(value, list) and value else value
    return "UC" if isinstance(one, str) else "IS" if isinstance(one, int) else "FD"

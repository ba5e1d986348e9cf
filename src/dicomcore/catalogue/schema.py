"""The tables of a live catalogue, and the values of an instance for them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from dicomcore.catalogue.attributes import (
    COLUMNS,
    COUNTED,
    FOLDED,
    KEYS,
    LEVELS,
    OWN,
    SEQUENCE,
    SORTED,
    TABLES,
    ZONES,
)
from dicomcore.catalogue.matching import fold_name, normal, plain
from dicomcore.catalogue.rows import row_of
from dicomcore.dataset import Dataset
from dicomcore.dataset.lookup import items_of, text_of
from dicomcore.dictionary import dictionary_VR
from dicomcore.uids import UID

__all__ = ["SINCE_THREE", "VERSION", "folded_name", "kept_text", "schema", "sorted_time", "values_of"]

VERSION = 4
OWN_ZONES = {level: name for level, name in ZONES.items() if level != "STUDY"}
SINCE_THREE = tuple(f"ALTER TABLE {TABLES[level]} ADD COLUMN {name} TEXT" for level, name in OWN_ZONES.items())
"""What makes the tables of version 3 those of today; what was in them has the zone of its study."""
PLAIN = frozenset({str, UID})  # types of most values
LONGEST = 1 << 14  # characters of a value that are kept
OWN_TYPES = dict(zip(OWN, ("TEXT", "TEXT", "INTEGER", "TEXT", "REAL"), strict=True))
INDEXED = (
    ("patients", '"PatientName_folded"'),
    ("studies", '"StudyDate_sort" DESC, "StudyTime_sort" DESC, "StudyInstanceUID"'),
    ("studies", '"AccessionNumber"'),
    ("series", '"Modality"'),
    ("series", '"SeriesInstanceUID"'),
)
VRS = {name: dictionary_VR(name) for names in COLUMNS.values() for name in names}


def schema() -> Iterator[str]:
    """The statements that make the tables."""
    above = ""
    for level in LEVELS:
        names = [*COLUMNS[level], *COUNTED[level], *(f"{name}_folded" for name in FOLDED[level]),
                 *(f"{name}_sort" for name in SORTED[level])]  # fmt: skip
        columns = ["id INTEGER PRIMARY KEY AUTOINCREMENT"]
        if above:
            columns.append(f"parent INTEGER NOT NULL REFERENCES {TABLES[above]}(id) ON DELETE CASCADE")
        columns += [f'"{name}" {"INTEGER DEFAULT 0" if name.startswith("NumberOf") and "Related" in name else "TEXT"}'
                    for name in names]  # fmt: skip
        if level == "IMAGE":
            columns += [f"{name} {kind}" for name, kind in OWN_TYPES.items()]
        if level in OWN_ZONES:
            columns.append(f"{OWN_ZONES[level]} TEXT")
        # Two studies may have series of one UID, against PS3.5 B.2: neither takes the instances of the other.
        unique = {"PATIENT": "PatientID, IssuerOfPatientID", "SERIES": "parent, SeriesInstanceUID"}
        yield f"CREATE TABLE {TABLES[level]} ({', '.join(columns)}, UNIQUE ({unique.get(level, KEYS[level])}))"
        if above:
            yield f"CREATE INDEX {TABLES[level]}_parent ON {TABLES[level]} (parent)"
        above = level
    for number, (table, columns_of) in enumerate(INDEXED):
        yield f"CREATE INDEX {table}_{number} ON {table} ({columns_of})"
    yield "CREATE INDEX instances_path ON instances (path)"
    yield "CREATE TABLE multiple (name TEXT PRIMARY KEY) WITHOUT ROWID"
    yield "CREATE TABLE frames (instance INTEGER PRIMARY KEY REFERENCES instances(id) ON DELETE CASCADE, places BLOB)"
    yield "CREATE TABLE aside (path TEXT PRIMARY KEY, instance TEXT) WITHOUT ROWID"
    yield "CREATE TABLE doomed (path TEXT PRIMARY KEY) WITHOUT ROWID"
    yield "CREATE TABLE others (SOPInstanceUID TEXT PRIMARY KEY, SOPClassUID TEXT, path TEXT, transfer_syntax TEXT, " \
          "size INTEGER, source TEXT, arrived REAL, attributes TEXT)"  # fmt: skip
    yield f"PRAGMA user_version={VERSION}"


def kept_text(ds: Dataset, keyword: str) -> str:
    """The text of an attribute as it is kept: several values joined by backslashes, without padding."""
    value = ds.get(keyword)
    if value is None:
        return ""
    if type(value) in PLAIN and value.isascii() and len(value) <= LONGEST and "\0" not in value:
        return str.strip(value)
    text = str(value) if isinstance(value, int) else text_of(ds, keyword) or ""
    if "\\" in text:
        text = "\\".join(one.strip() for one in text.split("\\"))
    return plain(text[:LONGEST].strip())


def folded_name(text: str) -> str:
    """The component groups of names as they are matched, divided by backslashes."""
    return "\\".join(fold_name(group) for one in text.split("\\") for group in one.split("="))


def sorted_time(keyword: str, text: str) -> str:
    """A date or time in a form that sorts; "" for none, and for several."""
    return normal(VRS[keyword], text, low=True) if text and "\\" not in text else ""


def values_of(ds: Dataset, level: str) -> dict[str, Any]:
    """The values of a level by column."""
    values: dict[str, Any] = {name: kept_text(ds, name) for name in COLUMNS[level]}
    for name in FOLDED[level]:
        values[f"{name}_folded"] = folded_name(values[name])
    for name in SORTED[level]:
        values[f"{name}_sort"] = sorted_time(name, values[name])
    if level == "SERIES":
        items = [row_of(item) for item in items_of(ds, SEQUENCE)]
        values[SEQUENCE] = json.dumps(items) if items else ""
    if level in OWN_ZONES:
        values[OWN_ZONES[level]] = kept_text(ds, "TimezoneOffsetFromUTC")
    return values

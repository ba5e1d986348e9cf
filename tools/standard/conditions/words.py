"""A condition's text as tokens: attributes, codes, UIDs, values, numbers and words."""

from __future__ import annotations

import re
from functools import cache
from typing import NamedTuple

from pydicom._dicom_dict import DicomDictionary, RepeatersDictionary
from pydicom.sr._snomed_dict import mapping

from tools.standard.conditions.sources import modules

Code = tuple[str, str]


class Token(NamedTuple):
    """`kind` is attribute (`value` its tag), code, uid, value, number, word or mark."""

    kind: str
    value: str
    codes: tuple[Code, ...] = ()


@cache
def _names() -> dict[str, str]:
    """Tag by name, without what spellings differ in; current names win."""
    found: dict[str, str] = {}
    for retired in (True, False):
        for tag, entry in DicomDictionary.items():
            if bool(entry[3]) == retired:
                found[_plain(entry[2])] = f"{tag:08X}"
    return found


@cache
def _names_of(tag: str) -> tuple[str, ...]:
    """The plain names of a tag, in words: that of the dictionary."""
    entry = RepeatersDictionary.get(tag) if "x" in tag else DicomDictionary.get(int(tag, 16))
    return (_plain(entry[2]),) if entry else ()


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "", name.lower().replace("’", "'"))


def spelled(tag: str) -> str:
    """The keyword of a tag."""
    entry = DicomDictionary.get(int(tag, 16)) if "x" not in tag else None
    return entry[4] if entry else tag


def vr_of(tag: str) -> str:
    """The VR of a tag; that of tags newer than the dictionary by their keyword."""
    entry = DicomDictionary.get(int(tag, 16)) if "x" not in tag else RepeatersDictionary.get(tag)
    if entry:
        return entry[0]
    return "SQ" if tag in _newer() and _newer()[tag].endswith("Sequence") else ""


@cache
def _newer() -> dict[str, str]:
    """Keywords of attributes that the dictionary lacks."""
    return {
        row[1]: row[2]
        for rows in modules().values()
        for row in rows
        if row[1] not in ("+", "*") and "x" not in row[1] and int(row[1], 16) not in DicomDictionary
    }


TAG = re.compile(r"\(([0-9A-Fa-fx]{4}),\s*([0-9A-Fa-fx]{4})\)")
CODE = re.compile(r"\(([A-Z0-9-]+), (DCM|SRT|SCT|SNM3|UMLS), [\"“][^\"”]*[\"”]\)")
UID = re.compile(r"[\"“]?\b(1\.2\.840\.10008(?:\.\d+)+)\b[\"”]?")
GLOSS = re.compile(r"\s*\((?!(?:Patient|Slide|Volume)\))[^()¤¬]*\)")
NO_NAMES = {"00140202"}  # Data Element, which is a term, too
LONGEST = 12


@cache
def equal_codes(scheme: str, value: str) -> tuple[Code, ...]:
    """A code in each scheme that has it: SRT and its relatives are SCT today."""
    if scheme in ("SRT", "SNM3"):
        current = mapping["SRT"].get(value)
        old = (("SRT", value), ("SNM3", value))
        return ((("SCT", current),) if current else ()) + old
    if scheme == "SCT":
        old_value = next((srt for srt, sct in mapping["SRT"].items() if sct == value), None)
        return (("SCT", value), *((("SRT", old_value), ("SNM3", old_value)) if old_value else ()))
    return ((scheme, value),)


def _cut_name(before: str, tag: str) -> int:
    """Where the attribute's name begins that `before` ends with; its end if it has none."""
    words = [match.start() for match in re.finditer(r"\S+", before)]
    for start in reversed(words[-LONGEST - 3 :]):
        if _plain(before[start:]) in _names_of(tag):
            return start
    start = len(before)  # misspelled, or newer than the dictionary: the capitals at the end, and the words between
    for at in reversed(words):
        word = before[at:start].strip()
        if not re.match(r"[A-Z0-9][A-Za-z0-9/'’-]*$", word) or word in ("Required", "May", "Value"):
            break
        start = at
    return start


def _mark_bare_names(text: str, tokens: list[Token]) -> str:
    """Names of attributes that stand without a tag."""
    parts = re.split(r"(\s+)", text)
    words, out, at = parts[::2], [], 0
    while at < len(words):
        for size in range(min(LONGEST, len(words) - at), 0, -1):
            run = words[at : at + size]
            tail = re.search(r"[,.;:]*$", run[-1])
            mark = tail.group() if tail else ""
            last = run[-1][: len(run[-1]) - len(mark)]
            if any(re.search(r"[,.;:¤¬]$", word) or "¤" in word for word in run[:-1]) or "¤" in last:
                continue
            if not run[0][:1].isupper() or (size == 1 and last not in ("Modality", "Rows")):
                continue
            tag = _names().get(_plain(" ".join([*run[:-1], last])))
            if tag and tag not in NO_NAMES:
                tokens.append(Token("attribute", tag))
                out.append(f"¤{len(tokens) - 1}¤{mark}")
                at += size
                break
        else:
            out.append(words[at])
            at += 1
    return " ".join(out)


def mark(text: str) -> tuple[str, list[Token]]:
    """The text in one line, with ``¤number¤`` for each attribute, ``¬number¬`` for codes and UIDs; and these tokens."""
    tokens: list[Token] = []
    text = re.sub(r"\s+", " ", text).strip()

    def keep(token: Token) -> str:
        tokens.append(token)
        sign = "¤" if token.kind == "attribute" else "¬"
        return f"{sign}{len(tokens) - 1}{sign}"

    text = CODE.sub(lambda m: keep(Token("code", m[1], equal_codes(m[2], m[1]))), text)
    text = UID.sub(lambda m: keep(Token("uid", m[1])), text)
    out, at = "", 0
    for match in TAG.finditer(text):
        tag = (match[1] + match[2]).upper().replace("X", "x")
        before = text[at : match.start()].rstrip()
        start = _cut_name(before, tag)
        out += before[:start] + keep(Token("attribute", tag))
        at = match.end()
    return GLOSS.sub("", _mark_bare_names(out + text[at:], tokens)), tokens


PIECE = re.compile(
    r"[¤¬](\d+)[¤¬]|[\"“]([^\"”]+)[\"”]|(-?\d+\b(?![\w-]))|([A-Z0-9][A-Z0-9_]*(?:\b|(?=_))(?!['’a-z-]))|([A-Za-z0-9'’/-]+)|(\S)"
)


def split(text: str, tokens: list[Token]) -> list[Token]:
    """The tokens of a clause, whose values of several words are joined."""
    found: list[Token] = []
    end = -2  # of the last value
    for match in PIECE.finditer(text):
        known, quoted, number, value, word, sign = match.groups()
        if known:
            found.append(tokens[int(known)])
        elif quoted:
            found.append(Token("value", quoted.strip()))
        elif number:
            found.append(Token("number", number))
        elif value:
            joins = match.start() == end + 1 and text[end] == " "
            found[len(found) - joins :] = [Token("value", f"{found[-1].value} {value}" if joins else value)]
            end = match.end()
        elif word:
            found.append(Token("word", word.lower()))
        else:
            found.append(Token("mark", sign))
    return found

"""Text to and from bytes by Specific Character Set (0008,0005): PS3.3 C.12.1.1.2, PS3.5 6.1.

Python's codecs know the sets; what is done here is the choice between them: terms and their misspellings, and the
escape sequences of ISO 2022, which designate one set for bytes below 0x80 (G0) and one for those above (G1).
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

from dicomcore.errors import EncodeError
from dicomcore.vrs import VRS

__all__ = ["DEFAULT_CHARSET", "NAME_DELIMITERS", "TEXT_DELIMITERS", "VALUE_DELIMITERS", "Charset", "charset_for"]

TEXT_DELIMITERS = b"\t\n\f\r"
"""What brings the first set back within ST, LT and UT (PS3.5 6.1.2.5.3)."""
VALUE_DELIMITERS = b"\\" + TEXT_DELIMITERS
"""The same for text that may have several values: SH, LO and UC."""
NAME_DELIMITERS = b"^=" + VALUE_DELIMITERS
"""The same for PN."""

SINGLE_VALUED = frozenset(vr.name for vr in VRS if vr.single and vr.charset)
PADDING = " \0"
UTF_8 = "ISO_IR 192"
ESC = b"\x1b"


class CodeSet(NamedTuple):
    """One set of characters as ISO 2022 designates it; `codec` decodes it together with ASCII below it."""

    term: str  # what follows "ISO_IR " and "ISO 2022 IR "
    codec: str
    escape: bytes
    area: int  # 0: bytes 0x21 to 0x7E (G0), 1: bytes from 0xA0 on (G1)
    width: int = 1  # bytes a character takes


# PS3.3 tables C.12-2 to C.12-4. Romaji (ISO-IR 14) differs from ASCII in yen sign and overline alone, and writers mean
# backslash and tilde there: it is read as ASCII, as by pydicom, lest values could not be divided.
ASCII = CodeSet("6", "latin_1", b"\x1b(B", 0)
ROMAJI = CodeSet("14", "shift_jis", b"\x1b(J", 0)
KATAKANA = CodeSet("13", "shift_jis", b"\x1b)I", 1)
SETS = (
    ASCII,
    ROMAJI,
    KATAKANA,
    CodeSet("100", "latin_1", b"\x1b-A", 1),
    CodeSet("101", "iso8859_2", b"\x1b-B", 1),
    CodeSet("109", "iso8859_3", b"\x1b-C", 1),
    CodeSet("110", "iso8859_4", b"\x1b-D", 1),
    CodeSet("144", "iso8859_5", b"\x1b-L", 1),
    CodeSet("127", "iso8859_6", b"\x1b-G", 1),
    CodeSet("126", "iso8859_7", b"\x1b-F", 1),
    CodeSet("138", "iso8859_8", b"\x1b-H", 1),
    CodeSet("148", "iso8859_9", b"\x1b-M", 1),
    CodeSet("203", "iso8859_15", b"\x1b-b", 1),
    CodeSet("166", "tis_620", b"\x1b-T", 1),
    CodeSet("87", "iso2022_jp", b"\x1b$B", 0, 2),
    CodeSet("159", "iso2022_jp_2", b"\x1b$(D", 0, 2),
    CodeSet("149", "euc_kr", b"\x1b$)C", 1, 2),
    CodeSet("58", "gb2312", b"\x1b$)A", 1, 2),
)
BY_TERM = {known.term: known for known in SETS if known is not ROMAJI}
BY_ESCAPE = {known.escape: known for known in SETS}

# Terms that stand alone, by what is left of them without punctuation (PS3.5 6.1.2.5.4 d).
ALONE = {
    "ISOIR192": (UTF_8, "utf_8"),
    "ISO2022IR192": (UTF_8, "utf_8"),
    "GB18030": ("GB18030", "gb18030"),
    "ISO2022GB18030": ("GB18030", "gb18030"),
    "GBK": ("GBK", "gbk"),
    "ISO2022GBK": ("GBK", "gbk"),
}
# The forms of each term that are written as the standard has them, so that no problem is reported for them.
PROPER = frozenset(
    {"", "ISO_IR 192", "GB18030", "GBK", "ISO 2022 GBK", "ISO 2022 58"}
    | {f"ISO 2022 IR {term}" for term in BY_TERM}
    | {f"ISO_IR {term}" for term, known in BY_TERM.items() if known.width == 1}
)
CODECS = re.compile(
    r"(?:US)?ASCII|UTF8|LATIN\d+|ISO8859\d+|(?:CP|WINDOWS)\d+|KOI8[RTU]|GB2312|BIG5|EUC\w+|S(?:HIFT)?JIS|TIS620"
)
TERM = re.compile(r"(?:ISO)?(?:2022)?(?:IR)?(\d+)")
# Spaces and controls are no part of a two-byte character, whatever set is designated.
RUNS = re.compile(rb"[\x00-\x20\x7f]+|[\x21-\x7e]+|[\x80-\xff]+")


@lru_cache(maxsize=16)
def _tokens(delimiters: bytes) -> re.Pattern[bytes]:
    """Matches an escape sequence, whole or not, or one delimiter."""
    return re.compile(rb"\x1b(?:\$[()].|\$.|[()\-].)?|[%s]" % re.escape(delimiters), re.DOTALL)


def _python_codec(term: str, key: str) -> str | None:
    """The Python codec that a term names, as pydicom allows; none of those in which ASCII bytes mean something else."""
    if not CODECS.fullmatch(key):
        return None
    try:
        name = codecs.lookup(term).name
    except (LookupError, ValueError):  # unknown; with NUL in it
        return None
    printable = bytes(range(0x20, 0x7F))
    return name if printable.decode(name, "replace") == printable.decode("ascii") else None


class Charset:
    """How a data set's text is coded. Immutable; made by `charset_for`, shared between threads."""

    __slots__ = ("_declared", "_first", "codec", "names", "problems")

    is_ascii_superset = True
    """Bytes below 0x80 without ESC are ASCII. True for every set here, as romaji is read as ASCII."""
    names: tuple[str, ...]
    """The terms as the standard spells them, "ISO_IR 6" for an empty one."""
    codec: str | None
    """The Python codec of all text without ESC, or None where a second set may be invoked."""
    problems: tuple[str, ...]
    """What was wrong with the terms and how it was taken, one sentence each."""

    def __init__(
        self, names: tuple[str, ...], codec: str | None, sets: tuple[CodeSet, ...], problems: tuple[str, ...]
    ) -> None:
        self.names, self.problems = names, problems
        # No sets: a codec without code extensions. Otherwise the first set is active until an escape sequence.
        self._declared = sets
        self._first = next((known for known in sets[:1] if known.area == 1), None)
        single = sets[0] if len(sets) == 1 else None
        self.codec = codec or (single.codec if single and (single.area == 1 or single is ASCII) else None)

    def __repr__(self) -> str:
        return f"<Charset {'/'.join(self.names)}>"

    @property
    def declares_sets(self) -> bool:
        """Whether it is made of sets that ISO 2022 can designate, so that others may join them."""
        return bool(self._declared)

    def decode(self, data: bytes, *, delimiters: bytes = VALUE_DELIMITERS) -> tuple[str, bool]:
        """Decode the bytes of a value, all of its components, to text.

        `delimiters` are the bytes that bring the first set back (PS3.5 6.1.2.5.3). Nothing raises: the second item is
        False where the bytes break the rules; bytes that mean nothing became U+FFFD, bytes above 0x7F where no
        set is declared for them were read as Latin-1 (as pydicom does). Divide into values after decoding: a byte 0x5C
        may be half of a character in GBK, GB18030 and Japanese sets.
        """
        if data.isascii() and ESC not in data:
            return data.decode("ascii"), True
        if not self._declared:
            assert self.codec is not None
            return _decode(data, self.codec)
        if ESC not in data:
            return self._decode_high(data, self._first)
        return self._decode_extended(data, delimiters)

    def decode_person_name(self, data: bytes) -> tuple[str, bool]:
        """Decode a PN: as `decode`, the first set coming back at each `^`, `=` and backslash too."""
        return self.decode(data, delimiters=NAME_DELIMITERS)

    def decode_values(self, data: bytes, vr: str) -> tuple[list[str], bool]:
        """Decode the bytes of a text value of VR `vr` and divide it into values, without their trailing padding.

        ST, LT and UT are one value, backslashes included. A PN loses the `=` of empty component groups at its end.
        """
        if vr in SINGLE_VALUED:
            text, ok = self.decode(data, delimiters=TEXT_DELIMITERS)
            return [text.rstrip(PADDING)], ok
        if vr == "PN":
            text, ok = self.decode_person_name(data)
            return [value.rstrip(PADDING).rstrip("=") for value in text.split("\\")], ok
        text, ok = self.decode(data)
        return [value.rstrip(PADDING) for value in text.split("\\")], ok

    def encode(self, text: str, *, delimiters: bytes = VALUE_DELIMITERS) -> bytes:
        """Encode text, with the escape sequences that the declared sets need (PS3.5 6.1.2.5).

        Every set is left before a delimiter and at the end, as the standard wants. Raises EncodeError, which names
        the first character that no declared set has.
        """
        if text.isascii() and "\x1b" not in text:
            return text.encode("ascii")
        if not self._declared:
            assert self.codec is not None
            try:
                return text.encode(self.codec)
            except UnicodeEncodeError as error:
                raise self._lacks(text[error.start]) from None
        return _Encoder(self._declared, self._first, delimiters).encode(text, self._lacks)

    def _lacks(self, character: str) -> EncodeError:
        said = f"U+{ord(character):04X} {character!r} is not in {' or '.join(self.names)}"
        return EncodeError(f"{said}; ISO_IR 192 (UTF-8) has it", character=character)

    def _decode_high(self, data: bytes, high: CodeSet | None) -> tuple[str, bool]:
        """Decode single-byte characters below 0x80 and those of `high` above."""
        if high is None:
            return data.decode("latin_1"), data.isascii()
        return _decode(data, high.codec)

    def _decode_extended(self, data: bytes, delimiters: bytes) -> tuple[str, bool]:
        """Decode data in which ISO 2022 escape sequences designate sets."""
        low, high, stale = ASCII, self._first, False
        pieces: list[str] = []
        ok, start = True, 0

        def flush(stop: int) -> None:
            nonlocal ok
            segment = data[start:stop]
            if low.width == 2:
                text, fine = self._decode_wide(segment, low, high)
            elif segment.isascii():
                text, fine = segment.decode("ascii"), True
            else:
                text, fine = self._decode_high(segment, high)
                fine &= not stale
            pieces.append(text)
            ok &= fine

        for match in _tokens(delimiters).finditer(data):
            token = match.group()
            if token[0] >= 0x20 and low.width == 2:
                continue  # half of a character, not a delimiter
            stop = match.start()
            if stop > start:
                flush(stop)
            start = stop
            designated = BY_ESCAPE.get(token)
            if designated is None:
                # A delimiter, or a sequence that PS3.3 doesn't have: its bytes stay in the text.
                # Writers forget to designate Korean and Chinese again; where there is nothing to go back to, stay.
                ok &= token[0] != 0x1B
                low = ASCII
                high, stale = self._first or high, self._first is None and high is not None
                continue
            start = match.end()
            ok &= self._allows(designated)
            if designated.area == 0:
                low = designated
            else:
                high, stale = designated, False
        flush(len(data))
        return "".join(pieces), ok

    def _decode_wide(self, segment: bytes, low: CodeSet, high: CodeSet | None) -> tuple[str, bool]:
        """Decode characters of two bytes below 0x80, and what else there may be among them."""
        try:
            return (low.escape + segment).decode(low.codec), True
        except UnicodeDecodeError:
            pass
        pieces, ok = [], True
        for run in RUNS.findall(segment):
            wide = 0x21 <= run[0] <= 0x7E
            text, fine = _decode(low.escape + run, low.codec) if wide else self._decode_high(run, high)
            pieces.append(text)
            ok &= fine
        return "".join(pieces), ok

    def _allows(self, designated: CodeSet) -> bool:
        """Whether the terms declare that set; ASCII always is, romaji comes with katakana."""
        return designated is ASCII or (KATAKANA if designated is ROMAJI else designated) in self._declared


def _decode(data: bytes, codec: str) -> tuple[str, bool]:
    try:
        return data.decode(codec), True
    except UnicodeDecodeError:
        return data.decode(codec, "replace"), False


class _Encoder:
    """One text's way into bytes: which sets are designated now."""

    def __init__(self, declared: tuple[CodeSet, ...], first: CodeSet | None, delimiters: bytes) -> None:
        self.first, self.delimiters = first, delimiters.decode("ascii")
        # ISO 2022 IR 13 brings romaji, and a text that began in romaji goes back to it (PS3.5 H.3.2).
        self.home = ROMAJI if first is KATAKANA else ASCII
        self.others = [known for known in declared if known is not first and known is not ASCII]
        self.low, self.high = self.home, first
        self.out = bytearray()

    def encode(self, text: str, lacks: Callable[[str], EncodeError]) -> bytes:
        for character in text:
            if character == "\x1b":
                raise lacks(character)
            if character in self.delimiters:
                self.go_home()
            if not self.put(character):
                raise lacks(character)
        self.go_home()
        return bytes(self.out)

    def put(self, character: str) -> bool:
        if character.isascii():
            self.designate(self.home)
            self.out += character.encode("ascii")
            return True
        current = [known for known in (self.low, self.high) if known and known is not self.home]
        for known in [*current, *([self.first] if self.first else []), *self.others]:
            found = coded(character, known)
            if found:
                self.designate(known)
                self.out += found
                return True
        return False

    def designate(self, known: CodeSet) -> None:
        if known.area == 0 and known is not self.low:
            self.out += known.escape
            self.low = known
        elif known.area == 1 and known is not self.high:
            self.out += known.escape
            self.high = known

    def go_home(self) -> None:
        self.designate(self.home)
        if self.first:
            self.designate(self.first)
        self.high = self.first


def coded(character: str, known: CodeSet) -> bytes:
    """The bytes of a character beyond ASCII in that set, without escape sequences; empty where it has none."""
    try:
        found = character.encode(known.codec)
    except UnicodeEncodeError:
        return b""
    if known.area == 0:
        return found[len(known.escape) :][:2] if found.startswith(known.escape) else b""
    if known is KATAKANA and len(found) != 1:
        return b""
    return found if min(found) >= 0x80 else b""


def _read_term(term: str) -> tuple[str, str | None, CodeSet | None]:
    """The standard's name of a term, with its codec if it stands alone, or its set; neither if it is unknown."""
    if not term:
        return "ISO_IR 6", None, ASCII
    key = re.sub(r"[^A-Z0-9]", "", term.upper())
    if key in ALONE:
        return *ALONE[key], None
    match = TERM.fullmatch(key)
    known = BY_TERM.get(match[1].lstrip("0")) if match else None
    if known:
        form = "ISO 2022 IR" if "2022" in key or known.width == 2 else "ISO_IR"
        return f"{form} {known.term}", None, known
    codec = _python_codec(term, key)
    return codec or term, codec, None


@lru_cache(maxsize=256)
def charset_for(values: tuple[str, ...] = ()) -> Charset:
    """The Charset for the values of Specific Character Set; empty, or one empty value: the default repertoire.

    Misspelt terms are read as what they mean ("ISO IR 100", "ISO_IR_192", "ISO-2022-IR-87", "UTF-8"), unknown ones
    as the default repertoire, and terms that allow no code extensions end the list or are left out of it;
    `problems` of what is returned says so.
    """
    names: list[str] = []
    sets: list[CodeSet] = []
    problems: list[str] = []
    for i, raw in enumerate(values or ("",)):
        term = raw.strip(PADDING)
        name, codec, known = _read_term(term)
        if known is None and codec is None:
            problems.append(f"Specific Character Set {term!r} is unknown, taken as ISO_IR 6")
            name, known = "ISO_IR 6", ASCII
        elif term not in PROPER:
            problems.append(f"Specific Character Set {term!r} is misspelt, taken as {name!r}")
        if codec is not None:
            if i == 0:
                if len(values) > 1:
                    problems.append(f"{name} allows no code extensions, ignored: {', '.join(values[1:])}")
                return Charset((name,), codec, (), tuple(problems))
            problems.append(f"{name} can't be used as a code extension, ignored")
            continue
        assert known is not None
        if known not in sets:
            names.append(name)
            sets.append(known)
    return Charset(tuple(names), None, tuple(sets), tuple(problems))


DEFAULT_CHARSET = charset_for()
"""What governs text where no Specific Character Set is in force."""

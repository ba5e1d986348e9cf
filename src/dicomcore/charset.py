"""Decode and encode text by Specific Character Set (0008,0005): PS3.3 C.12.1.1.2, PS3.5 6.1.

Python's codecs convert the characters. This module chooses the codec: it reads the terms and their misspellings, and
the escape sequences of ISO 2022, which designate one set for bytes below 0x80 (G0) and one for bytes above (G1).
"""

from __future__ import annotations

import codecs
from collections.abc import Callable
from functools import lru_cache

from dicomcore.errors import EncodeError
from dicomcore.records import NamedTuple
from dicomcore.vrs import VRS

TYPE_CHECKING = False
if TYPE_CHECKING:
    import re

__all__ = ["DEFAULT_CHARSET", "NAME_DELIMITERS", "TEXT_DELIMITERS", "VALUE_DELIMITERS", "Charset", "charset_for"]

TEXT_DELIMITERS = b"\t\n\f\r"
"""Characters that switch back to the first set within ST, LT and UT (PS3.5 6.1.2.5.3)."""
VALUE_DELIMITERS = b"\\" + TEXT_DELIMITERS
"""The same for VRs that allow several values: SH, LO and UC."""
NAME_DELIMITERS = b"^=" + VALUE_DELIMITERS
"""The same for PN."""

SINGLE_VALUED = frozenset(vr.name for vr in VRS if vr.single and vr.charset)
PADDING = " \0"
UTF_8 = "ISO_IR 192"
ESC = b"\x1b"


class CodeSet(NamedTuple):
    """A character set that ISO 2022 can designate; `codec` decodes it together with ASCII."""

    term: str  # the number behind "ISO_IR " or "ISO 2022 IR "
    codec: str
    escape: bytes
    area: int  # 0: bytes 0x21 to 0x7E (G0), 1: bytes from 0xA0 on (G1)
    width: int = 1  # bytes per character


# PS3.3 tables C.12-2 to C.12-4. Romaji (ISO-IR 14) differs from ASCII only in yen sign and overline, where writers mean
# backslash and tilde. It is read as ASCII, as pydicom does: otherwise values could not be divided.
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

# Terms that allow no others beside them, by their letters and digits alone (PS3.5 6.1.2.5.4 d).
ALONE = {
    "ISOIR192": (UTF_8, "utf_8"),
    "ISO2022IR192": (UTF_8, "utf_8"),
    "GB18030": ("GB18030", "gb18030"),
    "ISO2022GB18030": ("GB18030", "gb18030"),
    "GBK": ("GBK", "gbk"),
    "ISO2022GBK": ("GBK", "gbk"),
}
# The terms as the standard spells them, for which no problem is reported.
PROPER = frozenset(
    {"", "ISO_IR 192", "GB18030", "GBK", "ISO 2022 GBK", "ISO 2022 58"}
    | {f"ISO 2022 IR {term}" for term in BY_TERM}
    | {f"ISO_IR {term}" for term, known in BY_TERM.items() if known.width == 1}
)
# Patterns are compiled when first used, to keep the import light.
CODECS = r"(?:US)?ASCII|UTF8|LATIN\d+|ISO8859\d+|(?:CP|WINDOWS)\d+|KOI8[RTU]|GB2312|BIG5|EUC\w+|S(?:HIFT)?JIS|TIS620"
TERM = r"(?:ISO)?(?:2022)?(?:IR)?(\d+)"
# Spaces and control characters are never part of a two-byte character, whatever set is designated.
RUNS = rb"[\x00-\x20\x7f]+|[\x21-\x7e]+|[\x80-\xff]+"


@lru_cache(maxsize=16)
def _tokens(delimiters: bytes) -> re.Pattern[bytes]:
    """A pattern that matches an escape sequence, complete or not, or one delimiter."""
    import re

    return re.compile(rb"\x1b(?:\$[()].|\$.|[()\-].)?|[%s]" % re.escape(delimiters), re.DOTALL)


def _python_codec(term: str, key: str) -> str | None:
    """The Python codec that a term names, as pydicom allows; None if ASCII bytes mean something else in it."""
    import re

    if not re.fullmatch(CODECS, key):
        return None
    try:
        name = codecs.lookup(term).name
    except (LookupError, ValueError):  # LookupError for an unknown name, ValueError for a name with NUL
        return None
    printable = bytes(range(0x20, 0x7F))
    return name if printable.decode(name, "replace") == printable.decode("ascii") else None


class Charset:
    """The character sets of a data set's text. Immutable, so threads can share it; see `charset_for`."""

    __slots__ = ("_declared", "_first", "codec", "names", "problems")

    is_ascii_superset = True
    """Whether bytes below 0x80 without ESC are ASCII: True for every set here, since romaji is read as ASCII."""
    names: tuple[str, ...]
    """The terms as the standard spells them, "ISO_IR 6" for an empty one."""
    codec: str | None
    """The Python codec of all text without ESC; None if escape sequences may designate another set."""
    problems: tuple[str, ...]
    """Faults of the terms and how they are read instead, one sentence each."""

    def __init__(
        self, names: tuple[str, ...], codec: str | None, sets: tuple[CodeSet, ...], problems: tuple[str, ...]
    ) -> None:
        self.names, self.problems = names, problems
        # Without sets, `codec` decodes all text, without code extensions. Else the first set applies until an escape
        # sequence.
        self._declared = sets
        self._first = next((known for known in sets[:1] if known.area == 1), None)
        single = sets[0] if len(sets) == 1 else None
        self.codec = codec or (single.codec if single and (single.area == 1 or single is ASCII) else None)

    def __repr__(self) -> str:
        return f"<Charset {'/'.join(self.names)}>"

    @property
    def declares_sets(self) -> bool:
        """Whether ISO 2022 can designate its sets, so that further sets can be declared beside them."""
        return bool(self._declared)

    def decode(self, data: bytes, *, delimiters: bytes = VALUE_DELIMITERS) -> tuple[str, bool]:
        """Decode all bytes of an element to text; return the text and whether the bytes followed the rules.

        `delimiters` are the bytes that switch back to the first set (PS3.5 6.1.2.5.3). This never raises: undecodable
        bytes become U+FFFD, and bytes above 0x7F for which no set is declared are read as Latin-1, as pydicom does.
        Divide the text into values after decoding, because a byte 0x5C may be half of a character in GBK, GB18030 and
        Japanese sets.
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
        """Decode a PN as `decode` does, but `^` and `=` switch back to the first set, too."""
        return self.decode(data, delimiters=NAME_DELIMITERS)

    def decode_values(self, data: bytes, vr: str) -> tuple[list[str], bool]:
        """Decode all bytes of an element of VR `vr` and divide them into values, without trailing padding.

        ST, LT and UT have one value, which may contain backslashes. The `=` of empty component groups at the end of a
        PN are removed. Returns the values and whether the bytes followed the rules.
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

        Before a delimiter and at the end, the first set is designated again, as the standard requires. Raises
        EncodeError, which names the first character that no declared set has.
        """
        if text.isascii() and "\x1b" not in text:
            return text.encode("ascii")
        if not self._declared:
            assert self.codec is not None
            try:
                return text.encode(self.codec)
            except UnicodeEncodeError as error:
                raise self._missing(text[error.start]) from None
        return _Encoder(self._declared, self._first, delimiters).encode(text, self._missing)

    def _missing(self, character: str) -> EncodeError:
        if "\ud800" <= character <= "\udfff":
            half = f"U+{ord(character):04X} is half a character (a surrogate), which no character set has"
            return EncodeError(half, character=character)
        message = f"U+{ord(character):04X} {character!r} is not in {' or '.join(self.names)}"
        return EncodeError(f"{message}; ISO_IR 192 (UTF-8) has it", character=character)

    def _decode_high(self, data: bytes, high: CodeSet | None) -> tuple[str, bool]:
        """Decode single-byte characters: ASCII below 0x80 and those of `high` above."""
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
                continue  # half of a two-byte character, not a delimiter
            stop = match.start()
            if stop > start:
                flush(stop)
            start = stop
            designated = BY_ESCAPE.get(token)
            if designated is None:
                # A delimiter, or an escape sequence that PS3.3 does not list: its bytes stay in the text.
                # Writers forget to designate Korean and Chinese again: without a first set to return to, keep the set.
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
        """Decode two-byte characters of bytes below 0x80, and single-byte characters between them."""
        try:
            return (low.escape + segment).decode(low.codec), True
        except UnicodeDecodeError:
            pass
        import re

        pieces, ok = [], True
        for run in re.findall(RUNS, segment):
            wide = 0x21 <= run[0] <= 0x7E
            text, fine = _decode(low.escape + run, low.codec) if wide else self._decode_high(run, high)
            pieces.append(text)
            ok &= fine
        return "".join(pieces), ok

    def _allows(self, designated: CodeSet) -> bool:
        """Whether the terms declare a set; ASCII always is declared, and romaji is declared with katakana."""
        return designated is ASCII or (KATAKANA if designated is ROMAJI else designated) in self._declared


def _decode(data: bytes, codec: str) -> tuple[str, bool]:
    try:
        return data.decode(codec), True
    except UnicodeDecodeError:
        return data.decode(codec, "replace"), False


class _Encoder:
    """The encoder of one text: its bytes so far and the sets that are designated now."""

    def __init__(self, declared: tuple[CodeSet, ...], first: CodeSet | None, delimiters: bytes) -> None:
        self.first, self.delimiters = first, delimiters.decode("ascii")
        # ISO 2022 IR 13 includes romaji, and a text that began in romaji returns to it (PS3.5 H.3.2).
        self.home = ROMAJI if first is KATAKANA else ASCII
        self.others = [known for known in declared if known is not first and known is not ASCII]
        self.low, self.high = self.home, first
        self.out = bytearray()

    def encode(self, text: str, missing: Callable[[str], EncodeError]) -> bytes:
        for character in text:
            if character == "\x1b":
                raise missing(character)
            if character in self.delimiters:
                self.go_home()
            if not self.put(character):
                raise missing(character)
        self.go_home()
        return bytes(self.out)

    def put(self, character: str) -> bool:
        if character.isascii():
            self.designate(self.home)
            self.out += character.encode("ascii")
            return True
        current = [known for known in (self.low, self.high) if known and known is not self.home]
        for known in [*current, *([self.first] if self.first else []), *self.others]:
            data = coded(character, known)
            if data:
                self.designate(known)
                self.out += data
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
    """The bytes of a character beyond ASCII in a set, without escape sequences; empty if the set lacks it."""
    try:
        data = character.encode(known.codec)
    except UnicodeEncodeError:
        return b""
    if known.area == 0:
        return data[len(known.escape) :][:2] if data.startswith(known.escape) else b""
    if known is KATAKANA and len(data) != 1:
        return b""
    return data if min(data) >= 0x80 else b""


def _read_term(term: str) -> tuple[str, str | None, CodeSet | None]:
    """The standard's spelling of a term, and its codec if it allows no others, or its set; neither if unknown."""
    if not term:
        return "ISO_IR 6", None, ASCII
    if term in PROPER and term.startswith("ISO_IR "):  # nearly all terms, which need no patterns
        return (UTF_8, "utf_8", None) if term == UTF_8 else (term, None, BY_TERM[term[7:]])
    import re

    key = re.sub(r"[^A-Z0-9]", "", term.upper())
    if key in ALONE:
        return *ALONE[key], None
    match = re.fullmatch(TERM, key)
    known = BY_TERM.get(match[1].lstrip("0")) if match else None
    if known:
        form = "ISO 2022 IR" if "2022" in key or known.width == 2 else "ISO_IR"
        return f"{form} {known.term}", None, known
    codec = _python_codec(term, key)
    return codec or term, codec, None


@lru_cache(maxsize=256)
def charset_for(values: tuple[str, ...] = ()) -> Charset:
    """The Charset for the values of Specific Character Set; without values it is the default repertoire.

    Misspelt terms are corrected ("ISO IR 100", "ISO_IR_192", "ISO-2022-IR-87", "UTF-8") and unknown terms are read as
    the default repertoire. A term that allows no code extensions makes all others ignored if it is the first, and is
    ignored otherwise. `Charset.problems` reports this.
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
"""The Charset of text without Specific Character Set."""

"""Targets that read: the index, data sets, values, text, numbers, deflated data sets."""

from __future__ import annotations

import math
import re
import struct
import zlib
from collections.abc import Iterator
from typing import Any

import numpy as np

import dicomcore as dc
from dicomcore import encoding
from dicomcore._native.base import number
from dicomcore.charset import NAME_DELIMITERS, TEXT_DELIMITERS, VALUE_DELIMITERS, charset_for
from dicomcore.encoding.inflate import inflate
from dicomcore.values import PADDING, PersonName, parse_date, parse_datetime, parse_integer, parse_time
from fuzz import seeds
from fuzz.target import LIMITS, FuzzInput, Target, refused
from tests.support import dicom_bytes as raw
from tests.support.mutate import check_issues, check_rows, touch, touch_set

VRS = (
    "AE", "AS", "AT", "CS", "DA", "DS", "DT", "FD", "FL", "IS", "LO", "LT", "OB", "OD", "OF", "OL", "OV", "OW", "PN",
    "SH", "SL", "SQ", "SS", "ST", "SV", "TM", "UC", "UI", "UL", "UN", "UR", "US", "UT", "UV", "??",
)  # fmt: skip
IMPLICIT_TAGS = (0x00080005, 0x00280106, 0x00283006, 0x7FE00010, 0x00200032, 0x00081140, 0x60003000, 0x00091001)
CHARSETS = (
    "", "ISO_IR 100", "ISO_IR 192", "GB18030", "GBK", "ISO_IR 13", "\\ISO 2022 IR 87", "ISO 2022 IR 13\\ISO 2022 IR 87",
    "\\ISO 2022 IR 149", "\\ISO 2022 IR 58", "ISO_IR 166", "\\ISO 2022 IR 87\\ISO 2022 IR 159", "ISO_IR 144", "latin1",
)  # fmt: skip


class Ranged:
    """Bytes that are read by position, like a file on a server."""

    def __init__(self, data: bytes) -> None:
        self.data, self.size = data, len(data)

    def read_at(self, offset: int, length: int) -> bytes:
        return self.data[offset : offset + length]


def scan(data: bytes) -> None:
    """The index of bytes and of a source read by position: the same rows, or the same error."""
    found: list[Any] = []
    for source in (data, Ranged(data)):
        try:
            rows = dc.scan(source, force=True, limits=LIMITS)
        except dc.DicomError as error:
            found.append((type(error), getattr(error, "offset", None)))
        else:
            check_rows(rows)
            found.append(rows.tobytes())
    assert found[0] == found[1], "memory and read_at differ"


def data_set(data: bytes) -> None:
    """Every reading function of a data set, and of chosen elements."""
    touch(data)
    whole = dc.dcmread(data, force=True, limits=LIMITS)
    few = dc.dcmread(data, force=True, specific_tags=[0x00100010, "Rows"], limits=LIMITS)
    ascending = not {"OUT_OF_ORDER", "DUPLICATE_TAG"} & {issue.code for issue in whole.issues}
    for element in few:
        other = whole.get(element.tag)
        assert other is not None
        assert bytes(element.raw) == bytes(other.raw) or not ascending  # one may be repeated behind
    for element in dc.dcmread(data, force=True, stop_before_pixels=True, limits=LIMITS).iterall():
        _ = element.value
    if not refused(lambda: dc.dcmread(data, force=True, strict=True, limits=LIMITS)):
        check_issues(whole, len(data))


def one_value(taken: FuzzInput) -> dc.Dataset:
    """A data set with one value, whose VR, encoding and character set the input chooses."""
    vr, how, charset = taken.one_of(VRS), taken.byte(), taken.one_of(CHARSETS).encode()
    big, implicit = how % 3 == 1, how % 3 == 2
    length = len(charset) + len(charset) % 2
    head = raw.element(0x00080005, None if implicit else "CS", charset.ljust(length), big=big)
    if how & 4:
        order = ">" if big else "<"
        head += raw.element(0x00280103, None if implicit else "US", struct.pack(order + "H", how >> 3 & 1), big=big)
    value = taken.left if vr in raw.LONG else taken.left[:0xFFFF]
    tag = IMPLICIT_TAGS[how >> 4 & 7] if implicit or how & 8 else 0x00990010
    element = raw.element(tag, None if implicit else vr, value, big=big)
    content = head + element if tag > 0x00280103 else element
    syntax = raw.IMPLICIT if implicit else raw.BIG_ENDIAN if big else raw.EXPLICIT
    return dc.dcmread(raw.part10(content, syntax), limits=LIMITS)


def values(data: bytes) -> None:
    """A value of each VR in every form; a value without an issue survives writing and reading."""
    held = one_value(FuzzInput(data))
    for element in held.iterall():
        _ = element.VM, element.array, repr(element), str(element), element.is_empty, element.raw
        value = element.value
        if isinstance(value, PersonName):
            _ = value.components, value.family_name, value.ideographic, value.family_comma_given(), hash(value)
    if held.issues:
        return
    made = dc.Dataset()
    made.validation = "ignore"
    for element in held:
        made[element.tag] = dc.DataElement(element.tag, element.VR, element.value)
    try:
        written = made.to_bytes(enforce_standard=False, transfer_syntax=raw.EXPLICIT)
    except dc.EncodeError:
        return
    again = dc.dcmread(written, force=True, limits=LIMITS)
    for element in held:
        # Spaces before a name's empty component groups are text; written without the groups they are padding.
        components = element.value if isinstance(element.value, list) else [element.value]
        padded = element.VR == "PN" and any(str(name).endswith(tuple(PADDING)) for name in components)
        if element.VR != "SQ" and element.tag in again and not padded:
            # DS is written with at most 16 characters; some values that were read have more.
            digits = 1e-9 if element.VR == "DS" else 0.0
            assert same(element.value, again[element.tag].value, digits), (element, again[element.tag])


def same(one: Any, other: Any, digits: float = 0.0) -> bool:
    """Equality; of floats within a relative tolerance of `digits`, and NaN equals NaN."""
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(same(*pair, digits) for pair in zip(one, other, strict=True))
    if isinstance(one, float) and isinstance(other, float):
        return math.isclose(one, other, rel_tol=digits) or math.isnan(one + other)
    return one == other


def value_seeds() -> Iterator[bytes]:
    texts = (
        b"",
        b"A^B=C=D",
        b"1\\-2.5e3\\ ",
        b"20240229",
        b"235959.5",
        b"1.2.840",
        b"\xff\xfe\0\0\1\0\2\0",
        b"\x1b$B;3",
    )
    for i in range(len(VRS)):
        for j, text in enumerate(texts):
            yield bytes([i, (j + i) % 3 + 8 * (j % 2), j]) + text + b" " * (len(text) % 2)


def charset(data: bytes) -> None:
    """Text in any character set: encoded text decodes to the same text."""
    taken = FuzzInput(data)
    terms = taken.part().decode("latin-1") if taken.byte() & 1 else taken.one_of(CHARSETS)
    known = charset_for(tuple(terms.split("\\")))
    delimiters = taken.one_of((NAME_DELIMITERS, VALUE_DELIMITERS, TEXT_DELIMITERS))
    text, _ = known.decode(taken.left, delimiters=delimiters)
    try:
        coded = known.encode(text, delimiters=delimiters)
    except dc.EncodeError:
        return
    assert known.decode(coded, delimiters=delimiters) == (text, True), (terms, coded)


def charset_seeds() -> Iterator[bytes]:
    texts = (
        b"Yamada^Tarou=\x1b$B;3ED\x1b(B^\x1b$BB@O:\x1b(B", b"\xd4\xcf\xc0\xde^\xc0\xdb\xb3", b"Buc^J\xe9r\xf4me",
        "Äneas^山田=😀".encode(), "王^小东".encode("gb18030"), b"\x1b$)C\xb1\xe8\xc8\xf1\xc1\xdf", b"\x1b$)A\xd5\x1b$",
    )  # fmt: skip
    for i in range(len(CHARSETS)):
        for j, text in enumerate(texts):
            yield bytes([0, i, j]) + text
    yield b"\1\x0cISO 2022 IR87\0text"


BLANK = b" \t\n\v\f\r\0"  # what float() strips, and NUL
PLAIN = re.compile(rb"\s*([+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)[\s\0]*")


def numbers(data: bytes) -> None:
    """Decimal and integer text: numbers equal those of float() and int(), other text is refused."""
    parts = data.split(b"\\")
    found = [PLAIN.fullmatch(part) for part in parts]
    plain = all(one or not part.strip(BLANK) for one, part in zip(found, parts, strict=True))
    blank = not data.strip(BLANK)
    try:
        given = number.decimals(data)
    except dc.DicomError as error:
        assert not plain, (data, error)
    else:
        assert plain, data
        wanted = [] if blank else [float(one[1]) if one else math.nan for one in found]
        assert np.array_equal(given.view(np.uint64), np.array(wanted, np.float64).view(np.uint64)), data
    try:
        given = number.integers(data)
    except (dc.DicomError, OverflowError):  # documented: beyond int64
        return
    assert plain, data
    exact = [one[1] for one in found if one]
    if all(text.lstrip(b"+-").isdigit() for text in exact):
        assert given.tolist() == [int(text) for text in exact], data


def number_seeds() -> Iterator[bytes]:
    yield from (b"1.5\\-2e3\\.5\\", b"9007199254740993", b"2.2250738585072011e-308", b"1e400\\0e9999", b" 7 \0", b"-0")
    yield from (b"9223372036854775807\\-9223372036854775808", b"1.0\\-2.\\15e1\\0e99\\100e-2", b"1_0", b"nan", b"1e+")
    yield b"0." + b"0" * 300 + b"1e301"


def text_helpers(data: bytes) -> None:
    """Functions that turn text into dates, times, integers, tags and names."""
    text = data.decode("utf-8", "replace")
    for parse in (parse_date, parse_time, parse_datetime, parse_integer, dc.Tag):
        try:
            parse(text)  # type: ignore[operator]
        except ValueError as error:  # documented, as for int() and datetime
            assert type(error) is ValueError or isinstance(error, dc.DicomError), type(error)
        except OverflowError:  # only Tag, as in pydicom
            assert parse is dc.Tag
    name = PersonName(text)
    _ = name.components, name.family_name, name.given_name, name.phonetic, name.name_suffix, name.family_comma_given()
    uid = dc.UID(text)
    _ = uid.name, uid.is_valid, uid.is_private, uid.is_transfer_syntax, uid.keyword, uid.type


def deflated(data: bytes) -> None:
    """A deflated data set: any bytes as the stream, or any bytes deflated."""
    taken = FuzzInput(data)
    how = taken.byte()
    packed = taken.left
    if how & 1:
        packer = zlib.compressobj(how >> 4 & 7, wbits=-15 if how & 2 else 15)
        packed = packer.compress(packed) + packer.flush()
        whole, trouble = inflate(packed, LIMITS, 0)
        assert not trouble
        assert whole == taken.left
    touch(raw.PREAMBLE + raw.meta(raw.DEFLATED) + packed)


def deflate_seeds() -> Iterator[bytes]:
    for i, data in enumerate(seeds.files()):
        content = data[132:] if data[128:132] == b"DICM" else data
        yield bytes([0x61 + 2 * (i % 2)]) + content[:2000]
        packer = zlib.compressobj(6, wbits=-15)
        yield b"\0" + packer.compress(content[:1500]) + packer.flush()
    yield b"\0" + zlib.compress(bytes(1 << 20))[2:]


SYNTAXES = (raw.EXPLICIT, raw.IMPLICIT, raw.BIG_ENDIAN, raw.DEFLATED, raw.JPEG_BASELINE, raw.GE, "1.2.3.4.5.6")


def decoded(data: bytes) -> None:
    """A bare data set in any transfer syntax: the same from memory and within other bytes, and written unchanged."""
    taken = FuzzInput(data)
    syntax, before = taken.one_of(SYNTAXES), taken.part()
    body = taken.left
    whole = encoding.decode(body, syntax, limits=LIMITS)
    amid = Ranged(before + body + b"\xff" * 20)
    part = encoding.decode(amid, syntax, offset=len(before), length=len(body), limits=LIMITS)
    touch_set(whole)
    touch_set(part)
    assert whole.transfer_syntax == part.transfer_syntax == syntax
    shifted = [(issue.code, issue.tag, issue.offset - len(before)) for issue in part.issues]
    assert shifted == [(issue.code, issue.tag, issue.offset) for issue in whole.issues]
    if not refused(lambda: encoding.encode(whole, syntax)):
        assert encoding.encode(whole, syntax) == encoding.encode(part, syntax) == body
    for other in SYNTAXES[:4]:
        refused(lambda: encoding.encode(whole, other, repair=True))  # noqa: B023  called at once


def decoded_seeds() -> Iterator[bytes]:
    for i, data in enumerate(seeds.files()):
        yield bytes([i % len(SYNTAXES), 2]) + b"ab" + data[max(data.find(b"\x08\0"), 0) :]  # group 0008 comes first
    for i, syntax in enumerate(SYNTAXES):
        name = raw.element(0x00100010, None if syntax in (raw.IMPLICIT, raw.GE) else "PN", b"A^B ",
                           big=syntax == raw.BIG_ENDIAN)  # fmt: skip
        yield bytes([i, 0]) + (zlib.compress(name)[2:-4] if syntax == raw.DEFLATED else name * 2)


def command(data: bytes) -> None:
    """A command set of any bytes; encoded again it has no deviation."""
    ds = encoding.decode_command(data, limits=LIMITS)
    touch_set(ds)
    try:
        made = encoding.encode_command(ds)
    except dc.EncodeError:
        return
    again = encoding.decode_command(made, limits=dc.Limits(strict=True))
    assert encoding.encode_command(again) == made
    assert {0, *map(int, ds.keys())} == set(map(int, again.keys()))


def command_seeds() -> Iterator[bytes]:
    parts = {0x0002: b"1.2.840.10008.1.1\0", 0x0100: b"\x30\0", 0x0110: b"\1\0", 0x0800: b"\1\1"}
    echo = b"".join(raw.element(tag, None, value) for tag, value in parts.items())
    yield raw.element(0, None, len(echo).to_bytes(4, "little")) + echo
    yield echo + raw.element(0x00001005, None, b"\x10\0\x20\0") + raw.element(0x00080060, None, b"CT")


TARGETS = {
    "scan": Target(scan, seeds.files),
    "dataset": Target(data_set, seeds.files),
    "decode": Target(decoded, decoded_seeds),
    "command": Target(command, command_seeds, 512),
    "values": Target(values, value_seeds, 2048),
    "charset": Target(charset, charset_seeds, 1024),
    "numbers": Target(numbers, number_seeds, 512),
    "text": Target(text_helpers, lambda: (b"20240229", b"235959.999", b"20240102030405.1+0100", b"1.2.840.10008.1.2",
                                          b"PatientName", b"(0010,0010)", b"A^B=C^D=E"), 128),
    "deflate": Target(deflated, deflate_seeds, 4096),
}  # fmt: skip

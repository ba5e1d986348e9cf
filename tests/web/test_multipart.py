"""multipart/related: messages as servers send them, and as they should not."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dicomcore.errors import LimitError, ParseError
from dicomcore.web.multipart import (
    DEFAULT_PART_LIMITS,
    Ended,
    Part,
    PartLimits,
    PartParser,
    PartWriter,
    boundary_of,
    media_type,
    read_parts,
)

ONE = [({"content-type": "application/dicom"}, b"abc")]
TWO = [*ONE, ({"content-type": "image/jpeg", "content-location": "/f/2"}, b"\r\nx\r\n--")]
SECOND = b"\r\n--B\r\nContent-Type: image/jpeg\r\nContent-Location: /f/2\r\n\r\n\r\nx\r\n--\r\n--B--"
FIRST = b"--B\r\nContent-Type: application/dicom\r\n\r\nabc"
MESSAGES = {  # name: (message with the boundary B, its parts)
    "one part": (FIRST + b"\r\n--B--\r\n", ONE),
    "no line end behind the last delimiter": (FIRST + b"\r\n--B--", ONE),
    "a line end before the first delimiter": (b"\r\n" + FIRST + b"\r\n--B--", ONE),
    "a preamble": (b"This is a message\r\nof parts, --B not yet\r\n" + FIRST + b"\r\n--B--", ONE),
    "a preamble with LF alone": (b"text\n" + FIRST + b"\r\n--B--", ONE),
    "a preamble line that begins like the delimiter": (b"--Bx\r\n" + FIRST + b"\r\n--B--", ONE),
    "an epilogue": (FIRST + b"\r\n--B--\r\nthe rest\r\n--B\r\nis silence", ONE),
    "blanks behind the delimiters": (FIRST.replace(b"--B", b"--B \t") + b"\r\n--B--", ONE),
    "blanks behind a later delimiter": (
        FIRST + b"\r\n--B  \r\nContent-Type: application/dicom\r\n\r\nabc\r\n--B--",
        ONE * 2,
    ),
    "two parts, one with half a delimiter": (FIRST + SECOND, TWO),
    "a word that begins like the delimiter in a part": (FIRST + b"\r\n--Bee\r\n--B--", [(ONE[0][0], b"abc\r\n--Bee")]),
    "hyphens behind a delimiter-like line": (FIRST + b"\r\n--B-x\r\n--B--", [(ONE[0][0], b"abc\r\n--B-x")]),
    "a delimiter with LF alone is data": (FIRST + b"\n--B\n\r\n--B--", [(ONE[0][0], b"abc\n--B\n")]),
    "an empty part": (b"--B\r\nContent-Type: a/b\r\n\r\n\r\n--B--", [({"content-type": "a/b"}, b"")]),
    "a part without a head": (b"--B\r\n\r\nabc\r\n--B--", [({}, b"abc")]),
    "no parts": (b"--B--", []),
    "no parts, and an epilogue": (b"--B--B\r\nX: y\r\n\r\nabc\r\n--B\r\n\r\nabc", []),
    "names in any case, values with blanks": (
        b"--B\r\nCONTENT-type:  a/b \r\n\r\nx\r\n--B--",
        [({"content-type": "a/b"}, b"x")],
    ),
    "the first of two fields counts": (b"--B\r\nX: 1\r\nx: 2\r\n\r\n\r\n--B--", [({"x": "1"}, b"")]),
    "a length that is right": (b"--B\r\nContent-Length: 3\r\n\r\nabc\r\n--B--", [({"content-length": "3"}, b"abc")]),
    "an encoding that does nothing": (
        b"--B\r\nContent-Transfer-Encoding: BINARY\r\n\r\nabc\r\n--B--",
        [({"content-transfer-encoding": "BINARY"}, b"abc")],
    ),
}  # fmt: skip
DAMAGED = {  # name: (message, words of the error)
    "empty": (b"", "ends before its first part, without its last delimiter"),
    "no delimiter": (b"just text", "ends before its first part"),
    "another boundary": (b"--C\r\n\r\nabc\r\n--C--", "ends before its first part"),
    "cut in a head": (b"--B\r\nContent-Ty", "ends in part 0"),
    "cut in a part": (FIRST, "ends in part 0"),
    "cut in the last delimiter": (FIRST + b"\r\n--B-", "ends in part 0"),
    "lines end with LF alone": (b"--B\nContent-Type: a/b\n\nabc\n--B--\n", "end with LF, not CR LF"),
    "a field without a colon": (b"--B\r\nnothing\r\n\r\nabc\r\n--B--", "damaged"),
    "a field without a name": (b"--B\r\n: x\r\n\r\nabc\r\n--B--", "damaged"),
}
FAULTY = {  # name: (head fields, words of the fault)
    "shorter than stated": (b"Content-Length: 4", "the part has 3 bytes, its Content-Length is '4'"),
    "longer than stated": (b"Content-Length: 2", "the part has 3 bytes"),
    "length is no number": (b"Content-Length: -3", "its Content-Length is '-3'"),
    "base64": (b"Content-Transfer-Encoding: base64", "which HTTP does not use"),
}
LIMITED = {  # name: (limits, message, words of the error)
    "head": (PartLimits(head=100), b"--B\r\nX: " + b"x" * 200, "more than 100 bytes|header size"),
    "head of many fields": (PartLimits(head=100), b"--B\r\n" + b"X: xxxx\r\n" * 20, "more than 100 bytes"),
    "fields": (PartLimits(fields=2), b"--B\r\n" + b"X: x\r\n" * 3, "header count"),
    "parts": (PartLimits(parts=2), b"--B\r\n\r\n\r\n" * 3, "more than 2 parts"),
    "bytes of a part": (PartLimits(part_bytes=9), b"--B\r\n\r\n0123456789", "more than 9 bytes"),
    "preamble": (PartLimits(preamble=20), b"x" * 21, "no part begins within 20 bytes"),
}
TYPES = {  # name: (Content-Type, boundary)
    "plain": ("multipart/related; boundary=abc", b"abc"),
    "quoted": ('multipart/related; type="application/dicom"; boundary="a;b=c"', b"a;b=c"),
    "quoted pair": (r'multipart/related; boundary="a\"b"', b'a"b'),
    "blanks and case": ("Multipart/Related ;TYPE=application/dicom ; Boundary = abc ", b"abc"),
    "type with an unquoted slash": ("multipart/related; type=application/dicom; boundary=abc", b"abc"),
    "mixed": ("multipart/mixed; boundary=abc", b"abc"),
    "repeated": ("multipart/related; boundary=abc; boundary=def", b"abc"),
    "longer than allowed": ("multipart/related; boundary=" + "a" * 150, b"a" * 150),
}
WRONG_TYPES = {
    "no boundary": "multipart/related",
    "an empty boundary": 'multipart/related; boundary=""',
    "single part": "application/dicom",
    "control character": "multipart/related; boundary=a\r\nb",
    "letters beyond ASCII": "multipart/related; boundary=aé",
    "endless": "multipart/related; boundary=" + "a" * 300,
}


def parts_of(pieces, limits=DEFAULT_PART_LIMITS):
    """The parts that a message gives, with the faults of those that have one."""
    parser = PartParser("B", limits=limits)
    parts, faults, body = [], [], None
    for piece in pieces:
        for event in parser.feed(piece):
            if isinstance(event, Part):
                assert body is None
                assert event.number == len(parts)
                fields, body = dict(event.fields), bytearray()
            elif isinstance(event, Ended):
                assert event.size == len(body)
                parts.append((fields, bytes(body)))
                faults.append(event.fault)
                body = None
            else:
                body += event
    parser.close()
    return parts, faults


def cut(message, seed):
    """The message in pieces of random sizes."""
    choice, at = random.Random(seed), 0
    while at < len(message):
        size = choice.randint(1, 9)
        yield message[at : at + size]
        at += size


@pytest.mark.parametrize(("message", "wanted"), MESSAGES.values(), ids=MESSAGES)
def test_messages(message, wanted):
    whole = parts_of([message])
    assert whole == (wanted, [""] * len(wanted))
    assert parts_of(bytes([one]) for one in message) == whole
    for seed in range(20):
        assert parts_of(cut(message, seed)) == whole


@pytest.mark.parametrize(("message", "words"), DAMAGED.values(), ids=DAMAGED)
def test_damaged_messages(message, words):
    for pieces in ([message], [message[i : i + 1] for i in range(len(message))]):
        with pytest.raises(ParseError, match=words) as caught:
            parts_of(pieces)
        assert 0 <= caught.value.offset <= len(message)


@pytest.mark.parametrize(("message", "wanted"), MESSAGES.values(), ids=MESSAGES)
def test_truncations(message, wanted):
    end = message.rindex(b"--B--") + 5 if b"epilogue" not in message else 0
    for size in range(end - 1 if b"silence" not in message else message.index(b"--B--") + 4):
        with pytest.raises(ParseError):
            parts_of([message[:size]])


@pytest.mark.parametrize(("fields", "words"), FAULTY.values(), ids=FAULTY)
def test_one_faulty_part_does_not_cost_the_others(fields, words):
    message = b"--B\r\n" + fields + b"\r\n\r\nabc" + b"\r\n" + FIRST + b"\r\n--B--"
    parts, faults = parts_of([message])
    assert [body for _, body in parts] == [b"abc", b"abc"]
    assert words in faults[0]
    assert faults[1] == ""
    with pytest.raises(ParseError, match="part 0"):
        list(read_parts([message], "multipart/related; boundary=B"))


@pytest.mark.parametrize(("limits", "message", "words"), LIMITED.values(), ids=LIMITED)
def test_limits(limits, message, words):
    for pieces in ([message], [message[i : i + 1] for i in range(len(message))]):
        with pytest.raises(ParseError, match=words):
            parts_of(pieces, limits)


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_what_is_complete_before_damage_is_given(size):
    message = FIRST + b"\r\n--B\r\nno field\r\n\r\nabc\r\n--B--"
    parser, events = PartParser("B"), []

    def read():
        for start in range(0, len(message), size):
            events.extend(one for one in parser.feed(message[start : start + size]) if isinstance(one, Ended))
        parser.close()

    with pytest.raises(ParseError, match="damaged"):
        read()
    assert events == [Ended(0, 3, "")]


def test_a_failed_parser_stays_failed():
    parser = PartParser("B", limits=PartLimits(parts=1))
    assert len(parser.feed(b"--B\r\n\r\n\r\n--B\r\n\r\n")) == 2, "the first part is complete"
    for _ in range(2):
        with pytest.raises(LimitError, match="more than 1 parts"):
            parser.feed(b"--B\r\n\r\n\r\n--B\r\n\r\n")
    with pytest.raises(LimitError, match="more than 1 parts"):
        parser.close()


@pytest.mark.parametrize(("text", "boundary"), TYPES.values(), ids=TYPES)
def test_boundary_of(text, boundary):
    assert boundary_of(text) == boundary


@pytest.mark.parametrize("text", WRONG_TYPES.values(), ids=WRONG_TYPES)
def test_wrong_content_types(text):
    with pytest.raises(ParseError):
        boundary_of(text)


def test_media_type():
    read = media_type('Application/DICOM; transfer-syntax="1.2.840.10008.1.2.4.50"; q')
    assert read.essence == "application/dicom"
    assert dict(read.parameters) == {"transfer-syntax": "1.2.840.10008.1.2.4.50"}
    assert media_type("").essence == ""


@given(st.lists(st.binary(max_size=60) | st.sampled_from([b"\r\n--B", b"\r\n--", b"--B--"]), max_size=5), st.integers())
def test_what_is_written_is_read(bodies, seed):
    writer = PartWriter("application/dicom", {"transfer-syntax": "*"})
    written = b"".join(
        writer.head(location=f"/{i}", length=len(body)) + body for i, body in enumerate(bodies)
    ) + writer.tail()  # fmt: skip
    parts = list(read_parts(cut(written, seed), writer.content_type))
    assert [body for _, body in parts] == bodies
    assert [part.location for part, _ in parts] == [f"/{i}" for i in range(len(bodies))]
    assert all(part.media_type.essence == "application/dicom" for part, _ in parts)


@pytest.mark.parametrize("value", ["/a\r\nX: y", "/a\nX: y", "/a\0"])
def test_a_writer_takes_no_line_ends_in_fields(value):
    with pytest.raises(ValueError, match="control character"):
        PartWriter("application/dicom").head(location=value)


def test_bytes_are_not_copied():
    body = bytes(1 << 20)
    events = PartParser("B").feed(FIRST + body)
    assert isinstance(events[1], memoryview)
    assert len(events[1]) == len(body) + 3


def test_time_is_linear_in_delimiters_that_almost_match():
    """Counted by the events: a piece gives a bounded number of them, whatever is in it."""
    parser = PartParser("B")
    parser.feed(FIRST)
    events = parser.feed(b"\r\n--" * 20_000)
    assert len(events) <= 2

"""Accept headers: the grammar of RFC 9110, and the spellings that clients really send."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dicomcore import uids
from dicomcore.syntaxes import SYNTAXES
from dicomcore.web.choices import choose_frames, choose_instance
from dicomcore.web.media import ANY, DICOM, JSON, OCTETS, XML, MediaRange, default_syntax, media_of, parse_accept
from dicomcore.web.problems import Problem

JPEG, J2K, LS = str(uids.JPEGBaseline8Bit), str(uids.JPEG2000Lossless), str(uids.JPEGLSLossless)
EXPLICIT, IMPLICIT = str(uids.ExplicitVRLittleEndian), str(uids.ImplicitVRLittleEndian)

ACCEPTED = {  # name: (header, ranges in order)
    "nothing": ("", [MediaRange(ANY)]),
    "anything": ("*/*", [MediaRange(ANY)]),
    "JSON": (JSON, [MediaRange(JSON)]),
    "plain JSON": ("application/json", [MediaRange(JSON)]),
    "both JSONs": ("application/dicom+json, application/json", [MediaRange(JSON)]),
    "quoted type": (f'multipart/related; type="{DICOM}"', [MediaRange(DICOM, "", True)]),
    "bare type": (f"multipart/related; type={DICOM}", [MediaRange(DICOM, "", True)]),
    "type in single quotes": (f"multipart/related; type='{DICOM}'", [MediaRange(DICOM, "", True)]),
    "no blank, capitals": (f'Multipart/Related;TYPE="{DICOM}"', [MediaRange(DICOM, "", True)]),
    "syntax outside": (f'multipart/related; type="image/jpeg"; transfer-syntax={JPEG}',
                       [MediaRange("image/jpeg", JPEG, True)]),
    "syntax quoted": (f'multipart/related; type="image/jpeg"; transfer-syntax="{JPEG}"',
                      [MediaRange("image/jpeg", JPEG, True)]),
    "syntax inside the type": (f'multipart/related; type="image/jpeg;transfer-syntax={JPEG}"',
                               [MediaRange("image/jpeg", JPEG, True)]),
    "any syntax inside": ('multipart/related; type="application/octet-stream; transfer-syntax=*"',
                          [MediaRange(OCTETS, "*", True)]),
    "OHIF": ("multipart/related; type=application/octet-stream; transfer-syntax=*", [MediaRange(OCTETS, "*", True)]),
    "no type=": (f"multipart/related; {DICOM}", [MediaRange(DICOM, "", True)]),
    "no type at all": ("multipart/related", [MediaRange(ANY, "", True, 1.0, True)]),
    "quality": (f"{JSON};q=0.5, {XML};q=0.9", [MediaRange(XML, "", False, 0.9), MediaRange(JSON, "", False, 0.5)]),
    "the narrower first": (f"*/*, {JSON}", [MediaRange(JSON), MediaRange(ANY)]),
    "refused": (f"{JSON};q=0", []),
    "twice the same": (f"{JSON}, {JSON}", [MediaRange(JSON)]),
    "several syntaxes": (f'multipart/related; type="{DICOM}"; transfer-syntax="{JPEG},{LS}"',
                         [MediaRange(DICOM, JPEG, True), MediaRange(DICOM, LS, True)]),
    "a comma in quotes": (f'multipart/related; type="image/jpeg"; x="a,b", {JSON}',
                          [MediaRange("image/jpeg", "", True), MediaRange(JSON)]),
    "empty elements": (f", ,{JSON},,", [MediaRange(JSON)]),
    "an old name": ("image/x-jls", [MediaRange("image/jls")]),
    "jpg": ("image/jpg", [MediaRange("image/jpeg")]),
    "a browser": ("text/html,application/xhtml+xml,*/*;q=0.8",
                  [MediaRange("text/html"), MediaRange("application/xhtml+xml"), MediaRange(ANY, "", False, 0.8)]),
    "rubbish": ("((;;\x00", [MediaRange(ANY)]),
    "a quality that is none": (f"{JSON};q=high", [MediaRange(JSON)]),
    "an open quote": (f'multipart/related; type="{DICOM}', [MediaRange(DICOM, "", True)]),
    "a kind": ("image/*", [MediaRange("image/*")]),
}  # fmt: skip


@pytest.mark.parametrize(("header", "ranges"), ACCEPTED.values(), ids=ACCEPTED)
def test_accept(header: str, ranges: list[MediaRange]) -> None:
    assert list(parse_accept(header)) == ranges


@pytest.mark.parametrize("header", ["a/b," * 65, "x" * 9000])
def test_accept_that_is_too_long(header: str) -> None:
    with pytest.raises(ValueError, match="more than"):
        parse_accept(header)


@given(st.text(max_size=200) | st.text(alphabet='multipart/related;type="=,*q0.19 \\', max_size=200))
def test_any_text_is_read(header: str) -> None:
    for one in parse_accept(header):
        assert "/" in one.media
        assert 0 < one.quality <= 1


def test_every_syntax_has_a_media_type() -> None:
    for row in SYNTAXES:
        media = media_of(row.uid)
        assert "/" in media
        assert media == OCTETS or media_of(default_syntax(media)) == media


INSTANCES = {  # name: (Accept, stored, transfer syntax that is sent, "" for the file as it lies)
    "anything of explicit": ("", EXPLICIT, ""),
    "anything of implicit": ("", IMPLICIT, EXPLICIT),
    "as stored of implicit": (f"{DICOM}; transfer-syntax=*", IMPLICIT, ""),
    "anything of JPEG": ("*/*", JPEG, ""),
    "its own": (f"{DICOM}; transfer-syntax={JPEG}", JPEG, ""),
    "uncompressed": (f"{DICOM}; transfer-syntax={EXPLICIT}", JPEG, EXPLICIT),
    "the second can be made": (f"{DICOM}; transfer-syntax=1.2.3, {DICOM}; transfer-syntax={LS}; q=0.5", EXPLICIT, LS),
}


@pytest.mark.parametrize(("header", "stored", "sent"), INSTANCES.values(), ids=INSTANCES)
def test_instances(header: str, stored: str, sent: str) -> None:
    assert choose_instance(parse_accept(header), stored).transfer_syntax == sent


FRAMES = {  # name: (Accept, stored, transfer syntax, media type, whether in parts)
    "anything": ("", JPEG, "", "image/jpeg", True),
    "as they lie": (
        "multipart/related; type=application/octet-stream; transfer-syntax=*",
        JPEG,
        "",
        "image/jpeg",
        True,
    ),
    "samples": (f'multipart/related; type="{OCTETS}"', JPEG, EXPLICIT, OCTETS, True),
    "samples of one part": (OCTETS, JPEG, EXPLICIT, OCTETS, False),
    "samples that lie there": (OCTETS, IMPLICIT, "", OCTETS, False),
    "JPEG as it is": ("image/jpeg", JPEG, "", "image/jpeg", False),
    "JPEG 2000 of JPEG": ("image/jp2", JPEG, J2K, "image/jp2", False),
    "one of several": ("image/jls, image/jpeg", JPEG, LS, "image/jls", False),
    "a syntax alone": (f"*/*; transfer-syntax={LS}", EXPLICIT, LS, "image/jls", True),
}


@pytest.mark.parametrize(("header", "stored", "syntax", "media", "parts"), FRAMES.values(), ids=FRAMES)
def test_frames(header: str, stored: str, syntax: str, media: str, parts: bool) -> None:
    assert choose_frames(parse_accept(header), stored) == (syntax, media, parts)


@pytest.mark.parametrize("header", ["text/html", "image/jpx", f"{DICOM}; transfer-syntax=1.2.3", f"{JSON};q=0"])
def test_what_cannot_be_made_is_not_acceptable(header: str) -> None:
    with pytest.raises(Problem) as caught:
        choose_frames(parse_accept(header), JPEG)
    assert caught.value.status == 406

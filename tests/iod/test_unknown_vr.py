"""What is found does not depend on whether elements are in UN (PS3.5 6.2.2)."""

from __future__ import annotations

import struct
import warnings

import pytest

import dicomcore as dc
from dicomcore.encoding import decode, encode
from dicomcore.iod import Report, check
from tests.support.corpus import real

SEQUENCE, DELIMITED = 0xFFFFFFFF, struct.pack("<HHI", 0xFFFE, 0xE0DD, 0)
EXPLICIT, IMPLICIT = "1.2.840.10008.1.2.1", "1.2.840.10008.1.2"
RULES = ("structure", "values", "coherence", "-ISSUE")


def header(tag: int, vr: str, length: int) -> bytes:
    return struct.pack("<HH2sHI", tag >> 16, tag & 0xFFFF, vr.encode(), 0, length)


def value(element: dc.DataElement) -> bytes:
    """The value in implicit VR little endian."""
    alone = dc.Dataset()
    alone[element.tag] = element
    return encode(alone, IMPLICIT)[8:]


def in_un(ds: dc.Dataset, depth: int, *, open_ended: bool = False) -> bytes:
    """The data set in explicit VR, with elements in UN from some depth on; `open_ended`: sequences without a length."""
    made = []
    for element in ds:
        tag = int(element.tag)
        if tag >> 16 in (0x0002, 0x7FE0) or tag >> 16 & 1:
            continue
        if element.VR == "SQ" and depth > 0:
            items = [in_un(item, depth - 1, open_ended=open_ended) for item in element.value]
            packed = b"".join(struct.pack("<HHI", 0xFFFE, 0xE000, len(item)) + item for item in items)
            made.append(header(tag, "SQ", len(packed)) + packed)
        elif depth > 0:
            alone = dc.Dataset()
            alone[element.tag] = element
            made.append(encode(alone, EXPLICIT))
        elif element.VR == "SQ" and open_ended:
            made.append(header(tag, "UN", SEQUENCE) + value(element) + DELIMITED)
        else:
            made.append(header(tag, "UN", len(value(element))) + value(element))
    return b"".join(made)


def found(data: bytes) -> list[tuple[object, ...]]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ds = decode(data, EXPLICIT)
        return key(check(ds, rules=RULES, at_least="note"))


def key(report: Report) -> list[tuple[object, ...]]:
    return [(report.iod, report.unknown), *sorted((one.code, one.path, one.count, one.message) for one in report)]


FILES = [
    "CT_small.dcm",
    "rtplan.dcm",
    "rtdose.dcm",
    "liver.dcm",
    "reportsi.dcm",
    "waveform_ecg.dcm",
    "eCT_Supplemental.dcm",
]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("depth", [0, 1, 2])
@pytest.mark.parametrize("open_ended", [False, True], ids=["of a length", "of undefined length"])
@pytest.mark.parametrize("name", FILES)
def test_the_same_is_found(name: str, open_ended: bool, depth: int) -> None:
    ds = dc.dcmread(real(name))
    assert found(in_un(ds, depth, open_ended=open_ended)) == found(in_un(ds, 99))


def test_faults_in_sequences() -> None:
    ds = dc.dcmread(real("rtplan.dcm"))
    beam = ds.BeamSequence[0]
    del beam.ControlPointSequence[1].ControlPointIndex
    beam.BeamType = "NEW"
    (plain, un) = (found(in_un(ds, depth)) for depth in (99, 0))
    assert plain == un
    assert {(one[0], one[1]) for one in un[1:] if str(one[1]).startswith("BeamSequence")} >= {
        ("MISSING", "BeamSequence[0].ControlPointSequence[1].ControlPointIndex"),
        ("NOT_ENUMERATED", "BeamSequence[0].BeamType"),
    }


def test_zeros_in_implicit_vr() -> None:
    """Bytes that may be text elsewhere are a value where the dictionary has OB or OW."""
    ds = dc.dcmread(real("waveform_ecg.dcm"))
    for group in ds.WaveformSequence:
        group.WaveformData = bytes(len(group.WaveformData))
    implicit = decode(encode(ds, IMPLICIT), IMPLICIT)
    assert [one for one in check(implicit) if one.path.endswith("WaveformData")] == []


HOSTILE = {
    "no items": b"\1\2\3\4\5\6\7\10",
    "shorter than an item": b"\xfe\xff",
    "an item that claims too much": struct.pack("<HHI", 0xFFFE, 0xE000, 1000) + b"\0\0",
    "an item without an end": struct.pack("<HHI", 0xFFFE, 0xE000, 0xFFFFFFFF),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_what_is_no_sequence(name: str) -> None:
    """It stays what it is, and is not empty."""
    ds = dc.dcmread(real("CT_small.dcm"))
    plain = in_un(ds, 99)
    at = len(
        in_un(dc.Dataset({int(one.tag): one for one in ds if one.tag < 0x00081110}), 99)
    )  # where the sequence belongs
    data = plain[:at] + header(0x00081110, "UN", len(HOSTILE[name])) + HOSTILE[name] + plain[at:]
    assert [one for one in found(data)[1:] if "ReferencedStudySequence" in str(one[1])] in (
        [],
        [
            ("MISSING", "ReferencedStudySequence[0].ReferencedSOPClassUID", 1, "is missing"),
            ("MISSING", "ReferencedStudySequence[0].ReferencedSOPInstanceUID", 1, "is missing"),
        ],
    )


def test_sequences_in_sequences() -> None:
    """Deeper than the limit: what is too deep stays closed."""
    inner = b""
    for _ in range(2000):
        packed = struct.pack("<HHI", 0xFFFE, 0xE000, len(inner)) + inner
        inner = header(0x00081110, "UN", len(packed)) + packed
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        check(decode(inner, EXPLICIT), at_least="note")

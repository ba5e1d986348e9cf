"""Random data sets, written in every syntax and read again here, by pydicom and by DCMTK."""

from __future__ import annotations

import io
import shutil
import string
import struct
import subprocess
import warnings
from typing import Any

import pydicom
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import dicomcore as dc
from tests.support import corpus
from tests.support.dicom_bytes import BIG_ENDIAN, DEFLATED, EXPLICIT, IMPLICIT

DCMDUMP, DCIODVFY = shutil.which("dcmdump"), shutil.which("dciodvfy")
SYNTAXES = (IMPLICIT, EXPLICIT, BIG_ENDIAN, DEFLATED)
WIDE = st.characters(
    min_codepoint=0x20, max_codepoint=0xFFFF, exclude_characters="\\^=\x7f", exclude_categories=("Cs", "Cc")
)


def text(most: int, alphabet: Any = WIDE) -> Any:
    return st.text(alphabet, max_size=most).map(lambda found: found.strip(" \0"))


def single_floats() -> Any:
    return st.floats(allow_nan=False, allow_infinity=False, width=32)


def fits_ds(number: float) -> bool:
    return len(repr(number)) <= 16


# By keyword of an element with that VR: one value of it.
VALUES = {
    "RetrieveAETitle": text(16, string.ascii_letters + " _"),
    "PatientAge": st.sampled_from(["", "042Y", "003D"]),
    "FrameIncrementPointer": st.integers(0x00080000, 0xFFFDFFFF),
    "ImageType": text(16, string.ascii_uppercase + string.digits + "_ "),
    "DateOfSecondaryCapture": st.sampled_from(["", "20240229", "19000101"]),
    "ImagePositionPatient": st.floats(-1e9, 1e9).map(lambda number: round(number, 4)).filter(fits_ds),
    "AcquisitionDateTime": st.sampled_from(["", "2024", "20240102030405.123456+0100"]),
    "RealWorldValueSlope": st.floats(allow_nan=False),
    "ExaminedBodyThickness": single_floats(),
    "PixelAspectRatio": st.integers(-(2**31), 2**31 - 1),
    "StudyDescription": text(64),
    "AdditionalPatientHistory": text(100),
    "OtherPatientNames": st.lists(text(20), min_size=1, max_size=3).map("=".join).map(lambda name: name.rstrip("=")),
    "AccessionNumber": text(16),
    "ReferencePixelX0": st.integers(-(2**31), 2**31 - 1),
    "TagAngleSecondAxis": st.integers(-(2**15), 2**15 - 1),
    "InstitutionAddress": text(100),
    "StudyTime": st.sampled_from(["", "12", "235959.999999"]),
    "LongCodeValue": text(200),
    "SOPClassesInStudy": st.lists(st.integers(0, 10**6), min_size=1, max_size=8).map(lambda n: ".".join(map(str, n))),
    "DimensionIndexValues": st.integers(0, 2**32 - 1),
    "RetrieveURL": text(40, string.ascii_letters + "/:."),
    "FrameNumbersOfInterest": st.integers(0, 2**16 - 1),
    "TextValue": text(300),
    "ICCProfile": st.binary(max_size=30).map(lambda found: found + bytes(len(found) % 2)),
    "RedPaletteColorLookupTableData": st.binary(max_size=15).map(lambda found: found + found),
    "TrackPointIndexList": st.binary(max_size=9).map(lambda found: found * 4),
    "PointCoordinatesData": st.lists(single_floats(), max_size=4).map(
        lambda found: struct.pack(f"<{len(found)}f", *found)
    ),
    "DoubleFloatPixelData": st.binary(max_size=5).map(lambda found: found * 8),
    "ExtendedOffsetTable": st.binary(max_size=5).map(lambda found: found * 8),
}
SEVERAL = frozenset(
    (
        "ImageType",
        "ImagePositionPatient",
        "StudyDescription",
        "OtherPatientNames",
        "AccessionNumber",
        "DimensionIndexValues",
        "SOPClassesInStudy",
        "RetrieveAETitle",
        "PixelAspectRatio",
        "RealWorldValueSlope",
        "ReferencePixelX0",
        "FrameIncrementPointer",
    )
)
WORDS = {"OW": 2, "OL": 4, "OF": 4, "OD": 8, "OV": 8}


def values(keyword: str) -> Any:
    one = VALUES[keyword]
    if keyword not in SEVERAL:
        return one
    return st.one_of(one, st.lists(one, min_size=2, max_size=4))


def data_sets(depth: int) -> Any:
    flat = st.lists(st.sampled_from(sorted(VALUES)), unique=True, max_size=8).flatmap(
        lambda keywords: st.fixed_dictionaries({keyword: values(keyword) for keyword in keywords})
    )
    if depth == 0:
        return flat
    nested = st.dictionaries(
        st.sampled_from(["RequestAttributesSequence", "ReferencedSeriesSequence", "BeamSequence"]),
        st.lists(data_sets(depth - 1), max_size=2),
        max_size=2,
    )
    return st.tuples(flat, nested).map(lambda both: {**both[0], **both[1]})


def plain(value: Any) -> Any:
    """A value in a form common to both libraries."""
    if value is None or value == "" or value == b"":
        return ""
    if isinstance(value, (bytes, float)):
        return value
    if isinstance(value, int):
        return int(value)
    if isinstance(value, str) or not hasattr(value, "__iter__") or type(value).__name__ == "PersonName":
        return str(value)
    return [plain(one) for one in value]


def content(data_set: Any, big: bool) -> list[tuple[int, Any]]:
    found: list[tuple[int, Any]] = []
    for element in data_set:
        value = element.value
        if element.VR == "SQ":
            found.append((int(element.tag), [content(item, big) for item in value]))
        elif isinstance(value, bytes) and element.VR in WORDS and big:
            width = WORDS[element.VR]
            found.append((int(element.tag), b"".join(value[i : i + width][::-1] for i in range(0, len(value), width))))
        else:
            found.append((int(element.tag), plain(value)))
    return found


def build(values: dict[str, Any]) -> dc.Dataset:
    data_set = dc.Dataset()
    data_set.validation = "ignore"
    data_set.update(
        {
            "SpecificCharacterSet": "ISO_IR 192",
            "SOPClassUID": "1.2.840.10008.5.1.4.1.1.7",
            "SOPInstanceUID": "1.2.3",
            **values,
        }
    )
    return data_set


@pytest.mark.thread_unsafe(reason="Hypothesis' recursive strategies aren't for threads")
@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(values=data_sets(2), lengths=st.sampled_from([None, "defined", "undefined"]))
def test_random_data_sets_come_back_from_every_syntax(values, lengths):
    data_set = build(values)
    expected = None
    for syntax in SYNTAXES:
        made = data_set.to_bytes(transfer_syntax=syntax, lengths=lengths)
        again = dc.dcmread(made)
        assert not again.issues
        assert again.to_bytes() == made
        found = content(again, syntax == BIG_ENDIAN)
        expected = found if expected is None else expected
        assert found == expected
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            read = pydicom.dcmread(io.BytesIO(made))
            assert content(read, syntax == BIG_ENDIAN) == expected
        assert again.to_bytes(transfer_syntax=EXPLICIT, lengths="defined") == data_set.to_bytes(
            transfer_syntax=EXPLICIT, lengths="defined"
        )
    assert {tag for tag, _ in expected} == {int(element.tag) for element in data_set}


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(number=st.floats(allow_nan=False, allow_infinity=False))
def test_any_number_is_written_as_well_as_16_characters_can(number):
    data_set = dc.Dataset()
    data_set.SliceThickness = number
    made = data_set.to_bytes(enforce_standard=False)[8:].decode().strip()
    assert 1 <= len(made) <= 16
    assert float(made) == number or abs(float(made) - number) <= abs(number) * 1e-8


@pytest.mark.skipif(DCMDUMP is None, reason="no dcmdump")
@pytest.mark.skipif(bool(corpus.ABSENT), reason=corpus.ABSENT)
@pytest.mark.parametrize("syntax", SYNTAXES)
def test_dcmtk_reads_what_is_written(tmp_path, syntax):
    for number, name in enumerate(("CT_small.dcm", "rtplan.dcm", "waveform_ecg.dcm", "liver.dcm", "chrH32.dcm")):
        data_set = dc.dcmread(corpus.real(name))
        data_set.PatientID = "changed"
        data_set.RequestAttributesSequence = [{"ScheduledProcedureStepID": "1"}, {}]
        path = tmp_path / f"{number}.dcm"
        data_set.save_as(path, transfer_syntax=syntax, lengths="undefined" if number % 2 else None)
        said = subprocess.run([str(DCMDUMP), "-q", str(path)], capture_output=True, timeout=60, check=False)
        assert (said.returncode, said.stderr) == (0, b""), name
        assert b"[changed]" in said.stdout


@pytest.mark.skipif(DCIODVFY is None, reason="no dciodvfy")
def test_dciodvfy_finds_no_fault_in_the_encoding(tmp_path):
    import numpy as np

    data_set = dc.Dataset({})
    data_set.update(
        {
            "SOPClassUID": "1.2.840.10008.5.1.4.1.1.7",
            "StudyInstanceUID": "1.2",
            "SeriesInstanceUID": "1.3",
            "Modality": "OT",
            "PatientName": "Doe^Jane",
            "PatientID": "1",
            "PatientBirthDate": "",
            "PatientSex": "",
            "StudyDate": "20240101",
            "StudyTime": "12",
            "StudyID": "1",
            "AccessionNumber": "",
            "ReferringPhysicianName": "",
            "SeriesNumber": 1,
            "InstanceNumber": 1,
            "ConversionType": "WSD",
            "PatientOrientation": "",
            "Laterality": "",
        }
    )
    data_set.set_pixels(np.arange(48, dtype="u2").reshape(6, 8), bits_stored=12)
    for syntax in (IMPLICIT, EXPLICIT):
        path = tmp_path / f"{syntax}.dcm"
        data_set.save_as(path, transfer_syntax=syntax)
        said = subprocess.run([str(DCIODVFY), str(path)], capture_output=True, text=True, timeout=60, check=False)
        assert not [line for line in (said.stderr + said.stdout).splitlines() if line.startswith("Error")], said.stderr


@pytest.mark.skipif(bool(corpus.ABSENT), reason=corpus.ABSENT)
def test_gdcm_reads_what_is_written(tmp_path):
    gdcm = pytest.importorskip("gdcm")
    for name in ("CT_small.dcm", "rtplan.dcm", "liver.dcm"):
        for syntax in SYNTAXES:
            path = tmp_path / "one.dcm"
            data_set = dc.dcmread(corpus.real(name))
            data_set.PatientID = "changed"
            data_set.save_as(path, transfer_syntax=syntax)
            reader = gdcm.Reader()
            reader.SetFileName(str(path))
            assert reader.Read(), (name, syntax)
            held = reader.GetFile().GetDataSet()
            assert held.FindDataElement(gdcm.Tag(0x0010, 0x0020)), (name, syntax)

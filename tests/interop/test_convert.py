"""Data sets to pydicom and back: every real file, what was changed in memory, what pydicom can't say."""

from __future__ import annotations

import io
import logging
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import dicomcore as dc
from tests.support import dicom_bytes as raw
from tests.support.corpus import ABSENT, Real, dicom_files, real

pydicom = pytest.importorskip("pydicom")

EVERY = pytest.mark.parametrize("one", dicom_files(), ids=[one.name for one in dicom_files()])
BAD_DS = "files/pylibjpeg-data/ds/JPEGLossless/JPEGLossless_1s_1f_i_16_16_bad.dcm"
TOO_SHORT = "files/pydicom-data/emri_small_jpeg_2k_lossless_too_short.dcm"
MISLABELLED = "test_files/SC_rgb_jpeg.dcm"

# file: where dicomcore's reading differs from pydicom's, and so the data set that comes of it
BETTER_THAN_PYDICOM = {
    TOO_SHORT: "pydicom gives no element of a file that breaks off inside a fragment",
}


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    logging.disable(logging.CRITICAL)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
    logging.disable(logging.NOTSET)


def of_pydicom(one: Real) -> Any:
    return pydicom.dcmread(one.path, force=True)


def of_dicomcore(one: Real) -> dc.Dataset:
    return dc.dcmread(one.path, force=True)


pytestmark = pytest.mark.skipif(bool(ABSENT), reason=ABSENT)


@EVERY
def test_to_pydicom_is_what_pydicom_reads(one: Real):
    if one.name in BETTER_THAN_PYDICOM:
        pytest.skip(BETTER_THAN_PYDICOM[one.name])
    theirs, made = of_pydicom(one), of_dicomcore(one).to_pydicom()
    assert made == theirs
    assert made.file_meta == theirs.file_meta
    assert made.preamble == theirs.preamble
    assert made.original_character_set == theirs.original_character_set
    if one.name != MISLABELLED:  # labelled explicit, found implicit: pydicom tells the label
        assert made.original_encoding == theirs.original_encoding


@EVERY
def test_elements_stay_raw(one: Real):
    """pydicom's laziness is kept: nothing is decoded, and the bytes are the file's."""
    ours = of_dicomcore(one)
    made = ours.to_pydicom()
    for tag, held in made._dict.items():
        if held.VR != "SQ":
            assert held.is_raw
            assert (held.value or b"") == bytes(ours[tag].raw)


@EVERY
def test_there_and_back(one: Real):
    """dicomcore → pydicom → dicomcore, and pydicom → dicomcore → pydicom, raw and decoded."""
    ours, theirs = of_dicomcore(one), of_pydicom(one)
    back = dc.from_pydicom(ours.to_pydicom())
    assert back == ours
    assert back.file_meta == ours.file_meta
    if one.name in BETTER_THAN_PYDICOM:
        return
    assert dc.from_pydicom(of_pydicom(one)) == ours
    assert dc.from_pydicom(of_pydicom(one)).to_pydicom() == theirs
    again = dc.from_pydicom(theirs)  # whose elements were all decoded by the comparison
    assert again == ours
    if one.name != BAD_DS:  # a DS of spaces alone: '' when decoded, and None when empty
        assert again.to_pydicom() == theirs


@EVERY
def test_raw_bytes_survive_both_ways(one: Real):
    """Elements that nobody looked at keep their bytes, padding and all, in items too."""
    ours = of_dicomcore(one)
    back = dc.from_pydicom(ours.to_pydicom())
    expected = [(int(el.tag), bytes(el.raw)) for el in ours.iterall() if el.VR != "SQ"]
    assert [(int(el.tag), bytes(el.raw)) for el in back.iterall() if el.VR != "SQ"] == expected


def test_pydicom_can_write_what_it_gets(tmp_path):
    for name in ("CT_small.dcm", "rtplan.dcm", "JPEG2000.dcm", "chrH31.dcm", "image_dfl.dcm", "MR_small_bigendian.dcm"):
        path = real(name)
        made = dc.dcmread(path, force=True).to_pydicom()
        made.save_as(tmp_path / name)
        assert pydicom.dcmread(tmp_path / name, force=True) == pydicom.dcmread(path, force=True)


def test_changes_go_along():
    data_set = dc.dcmread(real("rtplan.dcm"))
    data_set.PatientName = "Doe^Jane"
    data_set.BeamSequence[0].BeamName = "changed"
    data_set.BeamSequence[0].ControlPointSequence[0].IsocenterPosition = [1.5, -2, 0.1]
    del data_set.PatientID
    data_set.add_new(0x00091001, "US", [1, 2])
    made = data_set.to_pydicom()
    assert made.PatientName == "Doe^Jane"
    assert made.BeamSequence[0].BeamName == "changed"
    assert list(made.BeamSequence[0].ControlPointSequence[0].IsocenterPosition) == [1.5, -2, 0.1]
    assert "PatientID" not in made
    assert list(made[0x00091001].value) == [1, 2]
    assert made.BeamSequence[0].get_item("BeamNumber").is_raw
    assert dc.from_pydicom(made) == data_set


def test_values_handed_out_and_not_changed_stay_raw():
    data_set = dc.dcmread(real("CT_small.dcm"))
    assert len(data_set.ImagePositionPatient) == 3  # a list, which could have been changed
    made = data_set.to_pydicom()
    assert made.get_item("ImagePositionPatient").is_raw
    data_set.ImagePositionPatient[0] = 4.25
    assert data_set.to_pydicom().ImagePositionPatient[0] == 4.25


def test_made_in_memory():
    data_set = dc.Dataset()
    data_set.PatientName = "Nobody"
    item = dc.Dataset()
    item.CodeValue = "T-1"
    data_set.ConceptNameCodeSequence = [item]
    made = data_set.to_pydicom()
    assert made.ConceptNameCodeSequence[0].CodeValue == "T-1"
    assert dc.from_pydicom(made) == data_set


def test_made_in_pydicom():
    theirs = pydicom.Dataset()
    theirs.SpecificCharacterSet = "ISO_IR 192"
    theirs.PatientName = "Müller^Jörg"
    theirs.Rows = 0x0102
    theirs.SliceThickness = "1.50"
    theirs.ReferencedStudySequence = [pydicom.Dataset()]
    theirs.ReferencedStudySequence[0].StudyDescription = "Ärger"
    made = dc.from_pydicom(theirs)
    assert (made.PatientName, made.Rows, made.SliceThickness) == ("Müller^Jörg", 0x0102, 1.5)
    assert made.ReferencedStudySequence[0].StudyDescription == "Ärger"
    assert made.to_pydicom() == theirs


def test_what_pydicom_cannot_encode_comes_as_a_value():
    theirs = pydicom.Dataset()
    theirs.BeamSequence = [pydicom.Dataset()]
    theirs.BeamSequence[0].add(pydicom.DataElement(0x00280010, "US", "many", already_converted=True))
    assert dc.from_pydicom(theirs).BeamSequence[0].Rows == "many"


def test_an_item_alone():
    item = dc.dcmread(real("rtplan.dcm")).BeamSequence[0]
    assert item.to_pydicom() == pydicom.dcmread(real("rtplan.dcm")).BeamSequence[0]
    assert dc.from_pydicom(item.to_pydicom()) == item
    for name in ("chrSQEncoding.dcm", "chrSQEncoding1.dcm"):
        theirs, ours = pydicom.dcmread(real(name)), dc.dcmread(real(name))
        sequence = next(el.tag for el in ours if el.VR == "SQ")
        item = ours[sequence].value[0]
        assert item.to_pydicom() == theirs[sequence].value[0]
        assert dc.from_pydicom(pydicom.dcmread(real(name))[sequence].value[0]) == item


def test_deferred_values_stay_in_the_file():
    path = real("CT_small.dcm")
    made = dc.dcmread(path).to_pydicom(defer_size=1024)
    assert made._dict[0x7FE00010].value is None
    assert np.array_equal(made.pixel_array, pydicom.dcmread(path).pixel_array)
    assert dc.from_pydicom(made) == dc.dcmread(path)


def test_deep_nesting_takes_no_recursion():
    theirs = innermost = pydicom.Dataset()
    for _ in range(3000):
        innermost.BeamSequence = [pydicom.Dataset()]
        innermost = innermost.BeamSequence[0]
    with pytest.raises(dc.LimitError):
        dc.from_pydicom(theirs)
    made = dc.from_pydicom(theirs, limits=dc.Limits(depth=10000)).to_pydicom()
    depth = 0
    while "BeamSequence" in made:
        made, depth = made.BeamSequence[0], depth + 1
    assert depth == 3000


def in_latin_1() -> dc.Dataset:
    inner = raw.sequence(0x00081140, raw.item(raw.element(0x00080104, "LO", b"\xe9\xe9")))
    body = raw.element(0x00080005, "CS", b"ISO_IR 100") + raw.element(0x00080070, "LO", b"\xe8\xe8") + inner
    return dc.dcmread(raw.part10(body + raw.element(0x00100010, "PN", b"M\xfcller^A")))


RECODED = {  # name: what is done to the data set before it goes over
    "UTF-8": lambda ds: setattr(ds, "SpecificCharacterSet", "ISO_IR 192"),
    "items handed out": lambda ds: (
        ds.ReferencedImageSequence[0].CodeMeaning,
        setattr(ds, "SpecificCharacterSet", "GB18030"),
    ),
    "only looked at": lambda ds: ds.SpecificCharacterSet,
}


@pytest.mark.parametrize("change", RECODED.values(), ids=RECODED)
def test_text_outlives_another_character_set(change):
    ours = in_latin_1()
    change(ours)
    theirs = ours.to_pydicom()
    stream = io.BytesIO()
    pydicom.dcmwrite(stream, theirs)
    for found in (theirs, pydicom.dcmread(io.BytesIO(stream.getvalue()))):
        assert str(found.PatientName) == "Müller^A"
        assert found.Manufacturer == "èè"
        assert found.ReferencedImageSequence[0].CodeMeaning == "éé"


def test_an_item_brings_its_character_set():
    ours = dc.dcmread(
        raw.part10(raw.element(0x00080005, "CS", b"ISO_IR 192") + raw.element(0x00080070, "LO", b"\xc3\xa8"))
    )
    ours.ReferencedImageSequence = in_latin_1().ReferencedImageSequence
    stream = io.BytesIO()
    pydicom.dcmwrite(stream, ours.to_pydicom())
    for found in (ours.to_pydicom(), pydicom.dcmread(io.BytesIO(stream.getvalue()))):
        assert found.Manufacturer == "è"
        assert found.ReferencedImageSequence[0].CodeMeaning == "éé"


@pytest.mark.parametrize("undefined", [True, False])
@pytest.mark.parametrize(("sign", "first"), [(b"\1\0", -1024), (b"\0\0", 64512)])
def test_the_sign_of_items_in_implicit_vr(sign, first, undefined):
    inner = raw.element(0x00283002, None, b"\0\0\0\xfc\x10\0")
    body = raw.element(0x00280103, None, sign)
    body += raw.sequence(0x00283010, raw.item(inner, undefined=undefined), vr=None, undefined=undefined)
    ours = dc.dcmread(raw.part10(body, raw.IMPLICIT))
    assert ours.VOILUTSequence[0].LUTDescriptor == [0, first, 16]
    assert ours.to_pydicom().VOILUTSequence[0].LUTDescriptor == [0, first, 16]

"""Data sets are converted to pydicom and back: every real file, changes in memory, and values that pydicom refuses."""

from __future__ import annotations

import contextlib
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
Block = pytest.importorskip("dicomcore.interop.pydicom.block").Block

from dicomcore.interop.pydicom import to_pydicom  # noqa: E402

EVERY = pytest.mark.parametrize("file", dicom_files(), ids=[file.name for file in dicom_files()])
BAD_DS = "files/pylibjpeg-data/ds/JPEGLossless/JPEGLossless_1s_1f_i_16_16_bad.dcm"
TOO_SHORT = "files/pydicom-data/emri_small_jpeg_2k_lossless_too_short.dcm"
MISLABELLED = "test_files/SC_rgb_jpeg.dcm"

# file: how dicomcore reads it differently from pydicom, so that the converted data set differs, too
BETTER_THAN_PYDICOM = {
    TOO_SHORT: "pydicom reads no elements from a file that is truncated inside a fragment",
}


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    logging.disable(logging.CRITICAL)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
    logging.disable(logging.NOTSET)


def of_pydicom(file: Real) -> Any:
    return pydicom.dcmread(file.path, force=True)


def of_dicomcore(file: Real) -> dc.Dataset:
    return dc.dcmread(file.path, force=True)


pytestmark = pytest.mark.skipif(bool(ABSENT), reason=ABSENT)


@EVERY
def test_to_pydicom_equals_the_data_set_that_pydicom_reads(file: Real):
    if file.name in BETTER_THAN_PYDICOM:
        pytest.skip(BETTER_THAN_PYDICOM[file.name])
    theirs, converted = of_pydicom(file), of_dicomcore(file).to_pydicom()
    assert converted == theirs
    assert converted.file_meta == theirs.file_meta
    assert converted.preamble == theirs.preamble
    assert converted.original_character_set == theirs.original_character_set
    if file.name != MISLABELLED:  # labelled explicit but implicit: pydicom reports the label
        assert converted.original_encoding == theirs.original_encoding


@EVERY
def test_elements_stay_raw(file: Real):
    """No element is decoded, and the bytes are those of the file."""
    ours = of_dicomcore(file)
    converted = ours.to_pydicom()
    for tag, element in converted._dict.items():
        if element.VR != "SQ":
            assert element.is_raw
            assert (element.value or b"") == bytes(ours[tag].raw)


@EVERY
def test_every_file_survives_both_conversions(file: Real):
    """dicomcore → pydicom → dicomcore, and pydicom → dicomcore → pydicom, raw and decoded."""
    ours, theirs = of_dicomcore(file), of_pydicom(file)
    back = dc.from_pydicom(ours.to_pydicom())
    assert back == ours
    assert back.file_meta == ours.file_meta
    if file.name in BETTER_THAN_PYDICOM:
        return
    assert dc.from_pydicom(of_pydicom(file)) == ours
    assert dc.from_pydicom(of_pydicom(file)).to_pydicom() == theirs
    again = dc.from_pydicom(theirs)  # the comparison has decoded all its elements
    assert again == ours
    if file.name != BAD_DS:  # a DS of spaces only: '' when decoded, but None when empty
        assert again.to_pydicom() == theirs


@EVERY
def test_raw_bytes_survive_both_conversions(file: Real):
    """Elements that were not accessed keep their bytes, including padding, in items too."""
    ours = of_dicomcore(file)
    back = dc.from_pydicom(ours.to_pydicom())
    expected = [(int(el.tag), bytes(el.raw)) for el in ours.iterall() if el.VR != "SQ"]
    assert [(int(el.tag), bytes(el.raw)) for el in back.iterall() if el.VR != "SQ"] == expected


def test_pydicom_writes_converted_data_sets(tmp_path):
    for name in ("CT_small.dcm", "rtplan.dcm", "JPEG2000.dcm", "chrH31.dcm", "image_dfl.dcm", "MR_small_bigendian.dcm"):
        path = real(name)
        converted = dc.dcmread(path, force=True).to_pydicom()
        converted.save_as(tmp_path / name)
        assert pydicom.dcmread(tmp_path / name, force=True) == pydicom.dcmread(path, force=True)


def test_changes_are_converted():
    data_set = dc.dcmread(real("rtplan.dcm"))
    data_set.PatientName = "Doe^Jane"
    data_set.BeamSequence[0].BeamName = "changed"
    data_set.BeamSequence[0].ControlPointSequence[0].IsocenterPosition = [1.5, -2, 0.1]
    del data_set.PatientID
    data_set.add_new(0x00091001, "US", [1, 2])
    converted = data_set.to_pydicom()
    assert converted.PatientName == "Doe^Jane"
    assert converted.BeamSequence[0].BeamName == "changed"
    assert list(converted.BeamSequence[0].ControlPointSequence[0].IsocenterPosition) == [1.5, -2, 0.1]
    assert "PatientID" not in converted
    assert list(converted[0x00091001].value) == [1, 2]
    assert converted.BeamSequence[0].get_item("BeamNumber").is_raw
    assert dc.from_pydicom(converted) == data_set


def test_values_accessed_and_not_changed_stay_raw():
    data_set = dc.dcmread(real("CT_small.dcm"))
    assert len(data_set.ImagePositionPatient) == 3  # a list, which the caller could change
    converted = data_set.to_pydicom()
    assert converted.get_item("ImagePositionPatient").is_raw
    data_set.ImagePositionPatient[0] = 4.25
    assert data_set.to_pydicom().ImagePositionPatient[0] == 4.25


def test_a_data_set_made_in_memory_is_converted():
    data_set = dc.Dataset()
    data_set.PatientName = "Nobody"
    item = dc.Dataset()
    item.CodeValue = "T-1"
    data_set.ConceptNameCodeSequence = [item]
    converted = data_set.to_pydicom()
    assert converted.ConceptNameCodeSequence[0].CodeValue == "T-1"
    assert dc.from_pydicom(converted) == data_set


def test_a_data_set_made_in_pydicom_is_converted():
    theirs = pydicom.Dataset()
    theirs.SpecificCharacterSet = "ISO_IR 192"
    theirs.PatientName = "Müller^Jörg"
    theirs.Rows = 0x0102
    theirs.SliceThickness = "1.50"
    theirs.ReferencedStudySequence = [pydicom.Dataset()]
    theirs.ReferencedStudySequence[0].StudyDescription = "Ärger"
    converted = dc.from_pydicom(theirs)
    assert (converted.PatientName, converted.Rows, converted.SliceThickness) == ("Müller^Jörg", 0x0102, 1.5)
    assert converted.ReferencedStudySequence[0].StudyDescription == "Ärger"
    assert converted.to_pydicom() == theirs


def test_file_meta_information_without_a_transfer_syntax_stays_without_one():
    theirs = pydicom.Dataset()
    theirs.PatientName = "A^B"
    theirs.file_meta = pydicom.dataset.FileMetaDataset()
    theirs.file_meta.MediaStorageSOPInstanceUID = "1.2.3"
    assert dc.from_pydicom(theirs).to_pydicom().file_meta == theirs.file_meta
    del theirs.file_meta
    assert dc.from_pydicom(theirs).to_pydicom().file_meta.TransferSyntaxUID == "1.2.840.10008.1.2.1"


def test_an_element_that_pydicom_cannot_encode_keeps_its_value():
    theirs = pydicom.Dataset()
    theirs.BeamSequence = [pydicom.Dataset()]
    theirs.BeamSequence[0].add(pydicom.DataElement(0x00280010, "US", "many", already_converted=True))
    assert dc.from_pydicom(theirs).BeamSequence[0].Rows == "many"


def test_an_item_is_converted_alone():
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
    converted = dc.dcmread(path).to_pydicom(defer_size=1024)
    assert converted._dict[0x7FE00010].value is None
    assert np.array_equal(converted.pixel_array, pydicom.dcmread(path).pixel_array)
    assert dc.from_pydicom(converted) == dc.dcmread(path)


def test_deep_nesting_needs_no_recursion():
    theirs = innermost = pydicom.Dataset()
    for _ in range(3000):
        innermost.BeamSequence = [pydicom.Dataset()]
        innermost = innermost.BeamSequence[0]
    with pytest.raises(dc.LimitError):
        dc.from_pydicom(theirs)
    converted = dc.from_pydicom(theirs, limits=dc.Limits(depth=10000)).to_pydicom()
    depth = 0
    while "BeamSequence" in converted:
        converted, depth = converted.BeamSequence[0], depth + 1
    assert depth == 3000


def in_latin_1() -> dc.Dataset:
    inner = raw.sequence(0x00081140, raw.item(raw.element(0x00080104, "LO", b"\xe9\xe9")))
    body = raw.element(0x00080005, "CS", b"ISO_IR 100") + raw.element(0x00080070, "LO", b"\xe8\xe8") + inner
    return dc.dcmread(raw.part10(body + raw.element(0x00100010, "PN", b"M\xfcller^A")))


RECODED = {  # name: the change before the data set is converted
    "UTF-8": lambda ds: setattr(ds, "SpecificCharacterSet", "ISO_IR 192"),
    "items accessed": lambda ds: (
        ds.ReferencedImageSequence[0].CodeMeaning,
        setattr(ds, "SpecificCharacterSet", "GB18030"),
    ),
    "only accessed": lambda ds: ds.SpecificCharacterSet,
}


@pytest.mark.parametrize("change", RECODED.values(), ids=RECODED)
def test_text_survives_a_change_of_character_set(change):
    ours = in_latin_1()
    change(ours)
    theirs = ours.to_pydicom()
    stream = io.BytesIO()
    pydicom.dcmwrite(stream, theirs)
    for converted in (theirs, pydicom.dcmread(io.BytesIO(stream.getvalue()))):
        assert str(converted.PatientName) == "Müller^A"
        assert converted.Manufacturer == "èè"
        assert converted.ReferencedImageSequence[0].CodeMeaning == "éé"


def test_an_item_of_another_data_set_keeps_its_text():
    ours = dc.dcmread(
        raw.part10(raw.element(0x00080005, "CS", b"ISO_IR 192") + raw.element(0x00080070, "LO", b"\xc3\xa8"))
    )
    ours.ReferencedImageSequence = in_latin_1().ReferencedImageSequence
    stream = io.BytesIO()
    pydicom.dcmwrite(stream, ours.to_pydicom())
    for converted in (ours.to_pydicom(), pydicom.dcmread(io.BytesIO(stream.getvalue()))):
        assert converted.Manufacturer == "è"
        assert converted.ReferencedImageSequence[0].CodeMeaning == "éé"


@pytest.mark.parametrize("undefined", [True, False])
@pytest.mark.parametrize(("sign", "first"), [(b"\1\0", -1024), (b"\0\0", 64512)])
def test_the_sign_of_values_in_items_is_kept_in_implicit_vr(sign, first, undefined):
    inner = raw.element(0x00283002, None, b"\0\0\0\xfc\x10\0")
    body = raw.element(0x00280103, None, sign)
    body += raw.sequence(0x00283010, raw.item(inner, undefined=undefined), vr=None, undefined=undefined)
    ours = dc.dcmread(raw.part10(body, raw.IMPLICIT))
    assert ours.VOILUTSequence[0].LUTDescriptor == [0, first, 16]
    assert ours.to_pydicom().VOILUTSequence[0].LUTDescriptor == [0, first, 16]


SET_LATER = {  # name: what pydicom's user does between reading and converting
    "UTF-8": lambda ds: setattr(ds, "SpecificCharacterSet", "ISO_IR 192"),
    "GB18030, items accessed": lambda ds: (
        ds.ReferencedImageSequence[0],
        setattr(ds, "SpecificCharacterSet", "GB18030"),
    ),
    "everything accessed": lambda ds: (str(ds), setattr(ds, "SpecificCharacterSet", "ISO_IR 192")),
    "deleted": lambda ds: delattr(ds, "SpecificCharacterSet"),
    "as it was": lambda ds: None,
}


@pytest.mark.parametrize("change", SET_LATER.values(), ids=SET_LATER)
def test_text_survives_a_character_set_that_was_set_in_pydicom(change):
    """Bytes that pydicom has not decoded are in the character set that they were read with."""
    theirs = pydicom.dcmread(io.BytesIO(in_latin_1().to_bytes(enforce_standard=False)))
    change(theirs)
    ours = dc.from_pydicom(theirs)
    assert ours.PatientName == "Müller^A"
    assert ours.Manufacturer == "èè"
    assert ours.ReferencedImageSequence[0].CodeMeaning == "éé"


def test_an_item_put_into_another_data_set_of_pydicom_keeps_its_text():
    read = pydicom.dcmread(io.BytesIO(in_latin_1().to_bytes(enforce_standard=False)))
    theirs = pydicom.Dataset()
    theirs.SpecificCharacterSet = "ISO_IR 192"
    theirs.ReferencedImageSequence = read.ReferencedImageSequence
    assert dc.from_pydicom(theirs).ReferencedImageSequence[0].CodeMeaning == "éé"


def test_names_are_encoded_anew_for_each_character_set():
    """pydicom keeps in a name the bytes that it encoded first."""
    theirs = pydicom.Dataset()
    theirs.PatientName, theirs.OtherPatientNames = "Müller", ["Ä^B", "C"]
    for terms in ("ISO_IR 100", "ISO_IR 192", "GB18030"):
        theirs.SpecificCharacterSet = terms
        ours = dc.from_pydicom(theirs)
        assert ours.PatientName == "Müller"
        assert ours.OtherPatientNames == ["Ä^B", "C"]


def test_a_uri_with_a_backslash_is_one_value():
    """pydicom splits it when it is set."""
    ours = dc.Dataset()
    ours.SpecificCharacterSet = "ISO_IR 192"
    for value in ("a\\b", "é\\b"):
        ours.RetrieveURI = value
        assert dc.from_pydicom(ours.to_pydicom()).RetrieveURI == value


def test_text_that_the_character_set_lacks_is_no_question_mark():
    theirs = pydicom.Dataset()
    theirs.SpecificCharacterSet = "ISO_IR 100"
    theirs.PatientName, theirs.PatientComments = "山田", "山"
    ours = dc.from_pydicom(theirs)
    assert (ours.PatientName, ours.PatientComments) == ("山田", "山")
    with pytest.raises(dc.EncodeError):
        ours.to_bytes(enforce_standard=False)


UNDECODABLE = {  # name: (element, transfer syntax) that pydicom fails to decode
    "LUT Data without a descriptor": (raw.element(0x00283006, None, b""), raw.IMPLICIT),
    "a value cut short": (raw.element(0x00280106, None, b"\1"), raw.IMPLICIT),
    "dates for numbers": (raw.element(0x00280120, "DA", b"x "), raw.EXPLICIT),
    "an item of implicit VR in UN": (
        raw.sequence(0x00081140, raw.item(raw.element(0x00281101, None, b"abc")), vr="UN", undefined=True),
        raw.EXPLICIT,
    ),
}


@pytest.mark.parametrize("accessed", [False, True])
@pytest.mark.parametrize(("body", "syntax"), UNDECODABLE.values(), ids=UNDECODABLE)
def test_what_pydicom_cannot_decode_is_converted(body, syntax, accessed):
    data = raw.part10(body + raw.element(0x00400008, None if syntax == raw.IMPLICIT else "SQ"), syntax)
    theirs = pydicom.dcmread(io.BytesIO(data))
    if accessed:
        for tag in list(theirs.keys()):
            with contextlib.suppress(Exception):
                theirs[tag].value  # noqa: B018
    ours = dc.from_pydicom(theirs)
    assert list(ours.keys()) == list(dc.dcmread(data).keys())


def test_the_vr_survives_implicit_vr():
    """Of an element from another file, or that the dictionary has another VR for: implicit VR does not state it."""
    theirs = pydicom.Dataset()
    theirs.set_original_encoding(True, True, "iso8859")
    theirs.add_new(0x00280106, "SS", -5)
    theirs.add_new(0x00100020, "UT", "long")
    explicit = raw.part10(raw.element(0x00110010, "LO", b"ME") + raw.element(0x00111001, "US", b"\1\2"))
    theirs.update(pydicom.dcmread(io.BytesIO(explicit)))
    ours = dc.from_pydicom(theirs)
    assert (ours[0x00280106].VR, ours[0x00280106].value) == ("SS", -5)
    assert (ours[0x00100020].VR, ours[0x00100020].value) == ("UT", "long")
    assert (ours[0x00111001].VR, ours[0x00111001].value) == ("US", 0x0201)


def test_numbers_that_are_text_of_any_kind_are_converted():
    ours = dc.Dataset()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ours.SliceThickness = "é\x93"
    assert ours.to_pydicom()["SliceThickness"].value == "é\x93"


def test_pixel_data_has_the_length_of_its_transfer_syntax():
    """Whether it is delimited is corrected by pydicom only when it writes."""
    for name, value, syntax, undefined in (
        ("CT_small.dcm", pydicom.encaps.encapsulate([b"\0" * 80]), pydicom.uid.RLELossless, True),
        ("MR_small_RLE.dcm", bytes(64 * 64 * 2), pydicom.uid.ExplicitVRLittleEndian, False),
    ):
        theirs = pydicom.dcmread(real(name))
        theirs.PixelData, theirs.file_meta.TransferSyntaxUID = value, syntax
        stream = io.BytesIO()
        ours = dc.from_pydicom(theirs)
        assert ours["PixelData"].is_undefined_length is undefined
        theirs.save_as(stream)
        assert ours.to_bytes() == stream.getvalue()


NOT_TO_CONVERT = {  # name: (conversion, its argument, what the error says)
    "dicomcore's to dicomcore": (dc.from_pydicom, dc.Dataset(), "of dicomcore, which needs no conversion"),
    "pydicom's to pydicom": (to_pydicom, pydicom.Dataset(), "of pydicom, which needs no conversion"),
    "a path to dicomcore": (dc.from_pydicom, "a.dcm", "takes a data set of pydicom, not str"),
    "bytes to pydicom": (to_pydicom, b"", "takes a data set of dicomcore, not bytes"),
}


@pytest.mark.parametrize(("convert", "given", "said"), NOT_TO_CONVERT.values(), ids=NOT_TO_CONVERT)
def test_what_is_not_to_be_converted_is_refused(convert, given, said):
    with pytest.raises(TypeError, match=said):
        convert(given)


# ---- sequences that stay raw ---------------------------------------------------------------------------------------


def tree(data_set: Any) -> list[Any]:
    """All that pydicom knows about a data set and its items, without what tells a raw sequence from a parsed one."""
    found: list[Any] = []
    for element in data_set:
        value = [tree(item) for item in element.value] if element.VR == "SQ" else element.value
        found.append((element.tag, element.VR, element.is_undefined_length, value))
    charset = data_set.original_character_set
    encodings = data_set.original_encoding, charset if isinstance(charset, list) else [charset]
    return [*encodings, getattr(data_set, "is_undefined_length_sequence_item", None), *found]


@EVERY
def test_a_sequence_that_stays_raw_has_the_items_of_the_index(file: Real, monkeypatch):
    lazy = of_dicomcore(file).to_pydicom()
    monkeypatch.setattr(Block, "_stays_raw", lambda *_: False)
    eager = of_dicomcore(file).to_pydicom()
    assert repr(tree(lazy)) == repr(tree(eager))


CODE = raw.element(0x00080100, "SH", b"A ") + raw.element(0x00080102, "SH", b"B ")
IN_IMPLICIT = raw.element(0x00080100, None, b"A ")
WITHIN = raw.sequence(0x00081140, raw.item(CODE), raw.item(CODE, undefined=True))
TAG = 0x0040A730


def lone(*items: bytes, vr: str | None = "SQ", undefined: bool = False) -> bytes:
    return raw.sequence(TAG, *items, vr=vr, undefined=undefined)


def nested(times: int, undefined: bool = True) -> bytes:
    data = CODE
    for _ in range(times):
        data = lone(raw.item(data), undefined=undefined)
    return data


SEQUENCES = {  # name: (transfer syntax, the sequence's bytes, whether it stays raw)
    "plain": (raw.EXPLICIT, lone(raw.item(CODE), raw.item(CODE)), True),
    "items of undefined length": (raw.EXPLICIT, lone(raw.item(CODE, undefined=True)), True),
    "sequences inside": (raw.EXPLICIT, lone(raw.item(WITHIN)), True),
    "undefined inside": (raw.EXPLICIT, lone(raw.item(raw.sequence(TAG, raw.item(CODE), undefined=True))), True),
    "implicit": (raw.IMPLICIT, lone(raw.item(IN_IMPLICIT), vr=None), True),
    "big endian": (
        raw.BIG_ENDIAN,
        raw.sequence(TAG, raw.item(raw.element(0x00280010, "US", b"\1\2", big=True), big=True), big=True),
        True,
    ),
    "UN of no dictionary": (raw.EXPLICIT, lone(raw.item(raw.element(0x00091001, "UN", b"abc "))), True),
    "undefined length": (raw.EXPLICIT, lone(raw.item(CODE, undefined=True), undefined=True), True),
    "implicit of undefined length": (raw.IMPLICIT, lone(raw.item(IN_IMPLICIT), vr=None, undefined=True), True),
    "16 of undefined length": (raw.EXPLICIT, nested(16), True),
    "17 of undefined length": (raw.EXPLICIT, nested(17), False),
    "40 of defined length": (raw.EXPLICIT, nested(40, undefined=False), True),
    "as UN": (raw.EXPLICIT, lone(raw.item(IN_IMPLICIT), vr="UN"), False),
    "empty item": (raw.EXPLICIT, lone(raw.item()), False),
    "implicit inside explicit": (raw.EXPLICIT, lone(raw.item(IN_IMPLICIT)), False),
    "a character set of its own": (
        raw.EXPLICIT,
        lone(raw.item(raw.element(0x00080005, "CS", b"ISO_IR 192") + CODE)),
        False,
    ),
    "a length too large": (raw.EXPLICIT, lone(raw.item(raw.element(0x00080100, "SH", b"A ", length=90))), False),
    "an item too long": (raw.EXPLICIT, lone(raw.item(CODE, length=90)), False),
    "bytes behind the items": (raw.EXPLICIT, lone(raw.item(CODE), b"\0\0\0\0\0\0"), False),
    "no items": (raw.EXPLICIT, lone(b"abcdefghij"), False),
    "no items inside": (raw.EXPLICIT, lone(raw.item(raw.element(0x00081140, "SQ", b"abcdefghij"))), False),
    "UN that is a sequence inside": (
        raw.EXPLICIT,
        lone(raw.item(raw.sequence(0x00081140, raw.item(IN_IMPLICIT), vr="UN"))),
        False,
    ),
    "an unknown VR": (raw.EXPLICIT, lone(raw.item(raw.element(0x00080100, "QQ", b"A "))), False),
    "fragments": (
        raw.EXPLICIT,
        lone(raw.item(raw.sequence(0x7FE00010, raw.item(), raw.item(b"ab"), vr="OB", undefined=True))),
        False,
    ),
    "a VR that depends on the data set": (
        raw.IMPLICIT,
        lone(raw.item(raw.element(0x00280106, None, b"\1\0")), vr=None),
        False,
    ),
}


@pytest.mark.parametrize(("syntax", "data", "stays"), SEQUENCES.values(), ids=SEQUENCES)
def test_only_a_regular_sequence_stays_raw(syntax, data, stays, monkeypatch):
    ours = dc.dcmread(raw.part10(data, syntax))
    converted = ours.to_pydicom()
    element = converted._dict[TAG]
    assert (element.is_raw and element.VR == "SQ") is stays
    written = dc.from_pydicom(ours.to_pydicom())
    assert written == ours
    monkeypatch.setattr(Block, "_stays_raw", lambda *_: False)
    assert repr(tree(converted)) == repr(tree(ours.to_pydicom()))


def looked_at(data_set: Any) -> None:
    for _ in data_set.iterall():
        pass
    assert all(item.ControlPointSequence is not None for item in data_set.BeamSequence)


def swapped(data_set: Any) -> None:
    data_set.BeamSequence[0].ControlPointSequence.reverse()


def appended(data_set: Any) -> None:
    data_set.BeamSequence.append(dc.Dataset())


def removed(data_set: Any) -> None:
    del data_set.BeamSequence[0].ControlPointSequence[-1]


def replaced(data_set: Any) -> None:
    data_set.BeamSequence[0] = data_set.BeamSequence[0].copy()
    data_set.BeamSequence[0].BeamName = "other"


def set_inside(data_set: Any) -> None:
    data_set.BeamSequence[0].ControlPointSequence[0].GantryAngle = 7.0


def deleted_inside(data_set: Any) -> None:
    del data_set.BeamSequence[0].ControlPointSequence[0].GantryAngle


def list_changed(data_set: Any) -> None:
    data_set.BeamSequence[0].ControlPointSequence[0].IsocenterPosition[1] = 0.5


def added_inside(data_set: Any) -> None:
    data_set.BeamSequence[0].ControlPointSequence[0].PatientComments = "added"


def moved_inside(data_set: Any) -> None:
    first, second = data_set.BeamSequence[0].ControlPointSequence[:2]
    first["CumulativeMetersetWeight"] = second["CumulativeMetersetWeight"]


TOUCHED = {  # name: (what happens to the sequence, whether it stays raw)
    "looked at": (looked_at, True),
    "swapped": (swapped, False),
    "appended": (appended, False),
    "removed": (removed, False),
    "replaced": (replaced, False),
    "value set inside": (set_inside, False),
    "deleted inside": (deleted_inside, False),
    "list changed in place": (list_changed, False),
    "added inside": (added_inside, False),
    "moved inside": (moved_inside, False),
}


@pytest.mark.parametrize(("touch", "stays"), TOUCHED.values(), ids=TOUCHED)
def test_a_sequence_stays_raw_until_it_is_changed(touch, stays):
    data_set = dc.dcmread(real("rtplan.dcm"))
    stream = io.BytesIO()
    data_set.save_as(stream)
    data_set = dc.dcmread(stream.getvalue())
    touch(data_set)
    converted = data_set.to_pydicom()
    assert converted._dict[0x300A00B0].is_raw is stays
    assert dc.from_pydicom(converted) == data_set
    assert dc.from_pydicom(data_set.to_pydicom()).to_json() == data_set.to_json()

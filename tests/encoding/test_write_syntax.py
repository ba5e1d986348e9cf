"""dcmwrite into other transfer syntaxes, lengths and character sets; repairing deviations."""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator
from typing import Any

import pydicom
import pytest

import dicomcore as dc
from tests.support import corpus
from tests.support.dicom_bytes import (
    BIG_ENDIAN,
    DEFLATED,
    EXPLICIT,
    GE,
    IMPLICIT,
    JPEG_BASELINE,
    element,
    item,
    part10,
    sequence,
)

UNCOMPRESSED = {"implicit": IMPLICIT, "explicit": EXPLICIT, "big endian": BIG_ENDIAN, "deflated": DEFLATED}
WORDS = {"OW": 2, "OL": 4, "OF": 4, "OD": 8, "OV": 8}
BULK = frozenset(("OB", "OW", "OL", "OF", "OD", "OV", "UN"))
# Without file meta information or public elements the reader can't recognise the encoding.
UNTOLD = ("meta_missing_tsyntax.dcm", "priv_SQ.dcm", "no_meta.dcm", "nested_priv_SQ.dcm")


def swapped(data: bytes, width: int) -> bytes:
    whole = len(data) - len(data) % width
    return b"".join(data[i : i + width][::-1] for i in range(0, whole, width)) + data[whole:]


def content(data_set: Any, big: bool, path: str = "") -> Iterator[tuple[str, Any]]:
    """(path, value) of every element, in a form that no transfer syntax changes; of private ones only the path."""
    for found in data_set:
        here = f"{path}{int(found.tag):08X}"
        if found.tag.element == 0 or found.keyword in ("LUTData", "LUTDescriptor"):
            continue  # recomputed; their VR depends on other elements
        if found.VR == "SQ":
            yield here, len(found.value)
            for i, inner in enumerate(found.value):
                yield from content(inner, big, f"{here}[{i}].")
        elif found.tag.group & 1:
            yield here, "private"
        elif found.VR in BULK or isinstance(found.value, bytes):
            value = bytes(found.value or b"")
            width = WORDS.get(found.VR, 1)
            if found.keyword == "PixelData" and width == 2:
                width = max(width, data_set.BitsAllocated // 8)  # real files have such cells in their own order
            value = swapped(value, width) if big else value
            yield here, value + b"\0" * (len(value) % 2)
        else:
            yield here, found.value


def by_pydicom(data: bytes) -> list[tuple[str, Any]]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        read = pydicom.dcmread(io.BytesIO(data), force=True)
        return list(content(read, not read.original_encoding[1]))


@pytest.mark.skipif(bool(corpus.ABSENT), reason=corpus.ABSENT)
@pytest.mark.parametrize("lengths", [None, "defined", "undefined"])
@pytest.mark.parametrize("syntax", UNCOMPRESSED.values(), ids=UNCOMPRESSED)
def test_real_files_say_the_same_in_every_syntax(syntax, lengths):
    for one in corpus.small_files(100_000):
        original = dc.dcmread(one.path, force=True)
        known = original.transfer_syntax.is_transfer_syntax
        if "PixelData" in original and (not known or original.transfer_syntax.is_encapsulated):
            continue
        if one.name.endswith(UNTOLD) or (syntax == DEFLATED and not original.file_meta):
            continue
        made = original.to_bytes(transfer_syntax=syntax, lengths=lengths, enforce_standard=False)
        again = dc.dcmread(made, force=True)
        expected = list(content(original, not original.is_little_endian))
        assert list(content(again, not again.is_little_endian)) == expected, one.name
        if original.file_meta and lengths is None:
            assert again.transfer_syntax == syntax
            assert by_pydicom(made) == by_pydicom(one.data()), one.name


@pytest.mark.parametrize("name", ["rtdose_1frame.dcm", "rtdose_expb_1frame.dcm"])
@pytest.mark.parametrize("syntax", UNCOMPRESSED.values(), ids=UNCOMPRESSED)
def test_cells_of_32_bits_keep_their_values_in_every_byte_order(name, syntax):
    original = pydicom.dcmread(corpus.real("rtdose_1frame.dcm")).pixel_array
    made = dc.dcmread(corpus.real(name)).to_bytes(transfer_syntax=syntax)
    assert (dc.dcmread(made).pixel_array == original).all()
    assert (pydicom.dcmread(io.BytesIO(made)).pixel_array == original).all()


def test_pixel_data_is_not_relabelled():
    pixels = sequence(0x7FE00010, item(), item(b"\xff\xd8\xff\xd9"), vr="OB", undefined=True)
    data_set = dc.dcmread(part10(pixels, JPEG_BASELINE))
    for syntax in (EXPLICIT, IMPLICIT, "1.2.840.10008.1.2.4.90"):
        with pytest.raises(dc.EncodeError, match="transcode"):
            data_set.to_bytes(transfer_syntax=syntax, enforce_standard=False)
    plain = dc.dcmread(part10(element(0x7FE00010, "OW", b"\1\2")))
    with pytest.raises(dc.EncodeError, match="transcode"):
        plain.to_bytes(transfer_syntax=JPEG_BASELINE, enforce_standard=False)
    with pytest.raises(dc.EncodeError, match="big-endian pixels"):
        dc.dcmread(part10(element(0x7FE00010, None, b"\1\2"), GE)).to_bytes(
            transfer_syntax=EXPLICIT, enforce_standard=False
        )
    icon = sequence(0x00880200, item(pixels))
    nested = dc.dcmread(part10(icon, JPEG_BASELINE))
    with pytest.raises(dc.EncodeError, match=r"IconImageSequence\[0\]\..*PixelData.*transcode"):
        nested.to_bytes(transfer_syntax=IMPLICIT, enforce_standard=False)


PIXELS_READ = {
    "samples": element(0x7FE00010, "OW", b"\1\2"),
    "fragments": sequence(0x7FE00010, item(), item(b"\xff\xd8\xff\xd9"), vr="OB", undefined=True),
}
LABELS = {  # name: (pixel data, as labelled in the file, as set in file_meta, whether that fits)
    "samples called JPEG": ("samples", EXPLICIT, JPEG_BASELINE, False),
    "samples called encapsulated": ("samples", EXPLICIT, "1.2.840.10008.1.2.1.98", False),
    "samples in GE's order called little endian": ("samples", GE, IMPLICIT, False),
    "fragments called native": ("fragments", JPEG_BASELINE, EXPLICIT, False),
    "fragments called implicit": ("fragments", JPEG_BASELINE, IMPLICIT, False),
    "another uncompressed syntax": ("samples", EXPLICIT, BIG_ENDIAN, True),
    "another JPEG": ("fragments", JPEG_BASELINE, "1.2.840.10008.1.2.4.51", True),
    "a wrong native label mended": ("fragments", EXPLICIT, JPEG_BASELINE, True),
    "a wrong JPEG label mended": ("samples", JPEG_BASELINE, EXPLICIT, True),
    "a syntax of somebody's own": ("samples", EXPLICIT, "1.2.3.4", True),
}


@pytest.mark.parametrize("enforce_standard", [True, False], ids=["completed", "as it is"])
@pytest.mark.parametrize(("held", "label", "wanted", "fits"), LABELS.values(), ids=LABELS)
def test_a_label_set_in_file_meta_fits_the_pixel_data(held, label, wanted, fits, enforce_standard):
    vr = None if label == GE else "UI"
    identity = element(0x00080016, vr, b"1.2.3\0") + element(0x00080018, vr, b"1.2.4\0")
    pixels = element(0x7FE00010, None, b"\1\2") if label == GE else PIXELS_READ[held]
    data_set = dc.dcmread(part10(identity + pixels, label))
    data_set.file_meta.TransferSyntaxUID = wanted
    if not fits:
        with pytest.raises(dc.EncodeError, match=r"transcode|big-endian pixels"):
            data_set.to_bytes(enforce_standard=enforce_standard)
        return
    made = pydicom.dcmread(io.BytesIO(data_set.to_bytes(enforce_standard=enforce_standard)))
    assert made.file_meta.TransferSyntaxUID == wanted
    assert made["PixelData"].is_undefined_length == (held == "fragments")


ENCAPSULATED = item() + item(b"\xff\xd8\xff\xd9")


@pytest.mark.parametrize("value", [ENCAPSULATED, ENCAPSULATED + bytes.fromhex("FEFFDDE000000000")])
def test_encapsulated_items_are_not_written_as_samples(value):
    """Encapsulated pixel data copied into a data set without its transfer syntax."""
    data_set = dc.Dataset()
    data_set.PixelData = value
    with pytest.raises(dc.EncodeError, match=r"PixelData.*encapsulated"):
        data_set.to_bytes(enforce_standard=False)
    data_set.PixelData = value[:-2]  # samples that only begin like items
    assert value[:-2] in data_set.to_bytes(enforce_standard=False)


def test_text_too_long_for_its_length_field_becomes_unknown():
    data_set = dc.dcmread(part10(b""))
    data_set.ContourData = [1.25] * 20_000
    made = data_set.to_bytes(enforce_standard=False)
    assert made == part10(element(0x30060050, "UN", b"\\".join([b"1.25"] * 20_000) + b" "))
    read = dc.dcmread(made)["ContourData"]
    assert (read.VR, read.value) == ("DS", [1.25] * 20_000)
    implicit = dc.dcmread(data_set.to_bytes(enforce_standard=False, transfer_syntax=IMPLICIT))
    assert implicit.ContourData == [1.25] * 20_000
    assert implicit.to_bytes(transfer_syntax=EXPLICIT, enforce_standard=False) == made


CHARSETS = {  # name: (declared, text, option `widen`, terms afterwards)
    "Latin-1 has it": ("ISO_IR 100", "Äneas", None, "ISO_IR 100"),
    "Greek by UTF-8": ("ISO_IR 100", "Διονυσιος", "utf-8", "ISO_IR 192"),
    "Greek by code extension": ("ISO_IR 100", "Äneas Διον", "iso2022", ["ISO 2022 IR 100", "ISO 2022 IR 126"]),
    "from the default": ("", "Åsa", "iso2022", ["", "ISO 2022 IR 100"]),
    "Japanese and Cyrillic": ("", "Люкceмбypг 山田", "iso2022", ["", "ISO 2022 IR 144", "ISO 2022 IR 87"]),
}


@pytest.mark.parametrize(("declared", "text", "way", "terms"), CHARSETS.values(), ids=CHARSETS)
def test_character_sets_are_widened_when_told(declared, text, way, terms):
    inner = sequence(0x00101002, item(element(0x00100010, "PN", "Grüße^x ".encode("latin-1"))))
    start = element(0x00080005, "CS", declared.encode().ljust(len(declared) + len(declared) % 2))
    name = b"Other "
    data_set = dc.dcmread(part10(start + element(0x00100010, "PN", name) + (inner if declared else b"")))
    data_set.PatientName = text
    if way is not None:
        with pytest.raises(dc.EncodeError, match=r"\(0010,0010\) PatientName: U\+"):
            data_set.to_bytes(enforce_standard=False)
    made = data_set.to_bytes(enforce_standard=False, widen=way)
    again = dc.dcmread(made)
    assert (again.PatientName, again.SpecificCharacterSet) == (text, terms)
    assert not again.issues
    read = pydicom.dcmread(io.BytesIO(made))
    assert read.PatientName == text
    if declared:
        assert again.OtherPatientIDsSequence[0].PatientName == "Grüße^x"
        assert read.OtherPatientIDsSequence[0].PatientName == "Grüße^x"


NOT_WIDENED = {  # (declared, text, option `widen`): no further character set helps
    "UTF-8 is the widest": ("ISO_IR 192", "\udc80", "utf-8"),
    "no set has it": ("ISO_IR 100", "\U0001f600", "iso2022"),
    "a set that stands alone": ("GBK", "\U0001f600", "iso2022"),
}


@pytest.mark.parametrize(("declared", "text", "way"), NOT_WIDENED.values(), ids=NOT_WIDENED)
def test_text_that_cannot_be_widened_is_an_error(declared, text, way):
    data_set = dc.Dataset()
    data_set.SpecificCharacterSet = declared
    data_set.PatientName = text
    with pytest.raises(dc.EncodeError, match=r"\(0010,0010\) PatientName: U\+"):
        data_set.to_bytes(enforce_standard=False, widen=way)


@pytest.mark.parametrize("syntax", [None, IMPLICIT, BIG_ENDIAN])
def test_items_with_character_sets_of_their_own_are_widened_too(syntax):
    comment = element(0x00104000, "LT", "é ".encode("latin-1"))
    own = element(0x00080005, "CS", b"ISO_IR 100")
    items = sequence(0x00081140, item(own + comment), item(comment))
    data_set = dc.dcmread(part10(own + items + element(0x00100010, "PN", "é ".encode("latin-1"))))
    data_set.PatientID = "山"
    made = dc.dcmread(data_set.to_bytes(enforce_standard=False, widen="utf-8", transfer_syntax=syntax))
    assert made.issues == ()
    assert (made.SpecificCharacterSet, made.PatientID, str(made.PatientName)) == ("ISO_IR 192", "山", "é")
    inside = [(one.get("SpecificCharacterSet"), one.PatientComments) for one in made.ReferencedImageSequence]
    assert inside == [("ISO_IR 192", "é"), (None, "é")]


@pytest.mark.parametrize(
    ("value", "message"),
    [(b"\xff\xfe", "not decodable with ISO_IR 192"), ("山 ".encode(), "is not in ISO_IR 100")],
    ids=["undecodable", "not in the new set"],
)
def test_text_that_another_character_set_cannot_hold_is_an_error(value, message):
    data_set = dc.dcmread(part10(element(0x00080005, "CS", b"ISO_IR 192") + element(0x00100010, "PN", value)))
    data_set.SpecificCharacterSet = "ISO_IR 100"
    with pytest.raises(dc.EncodeError, match=message):
        data_set.to_bytes(enforce_standard=False)


def test_ways_to_widen_are_known():
    data_set = dc.Dataset()
    data_set.PatientName = "Ä"
    with pytest.raises(ValueError, match="widen is 'utf-8', 'iso2022' or None, not 'latin'"):
        data_set.to_bytes(enforce_standard=False, widen="latin")


def test_a_new_character_set_brings_all_text_along():
    data_set = dc.dcmread(corpus.real("chrSQEncoding.dcm"))
    texts = [(found.tag, found.value) for found in data_set.iterall() if found.VR in ("PN", "LO", "LT")]
    data_set.SpecificCharacterSet = "ISO_IR 192"
    again = dc.dcmread(data_set.to_bytes())
    assert [(found.tag, found.value) for found in again.iterall() if found.VR in ("PN", "LO", "LT")] == texts


def test_an_item_of_another_character_set_is_recoded():
    other = dc.dcmread(part10(element(0x00080005, "CS", b"ISO_IR 100") + element(0x00081030, "LO", b"Gr\xfc\xdfe ")))
    data_set = dc.dcmread(part10(element(0x00080005, "CS", b"ISO_IR 192")))
    del other.SpecificCharacterSet
    data_set.ReferencedSeriesSequence = [other]
    again = dc.dcmread(data_set.to_bytes(enforce_standard=False))
    assert again.ReferencedSeriesSequence[0].StudyDescription == "Grüße"


REPAIRS = {  # name: (data set, syntax, the repaired data set)
    "out of order": (
        element(0x00100020, "LO", b"b ") + element(0x00100010, "PN", b"a "), EXPLICIT,
        element(0x00100010, "PN", b"a ") + element(0x00100020, "LO", b"b "),
    ),
    "twice": (
        element(0x00100010, "PN", b"a ") + element(0x00100010, "PN", b"b "), EXPLICIT, element(0x00100010, "PN", b"b "),
    ),
    "odd length": (
        element(0x00100010, "PN", b"abc") + element(0x00100020, "LO", b"b "), EXPLICIT,
        element(0x00100010, "PN", b"abc ") + element(0x00100020, "LO", b"b "),
    ),
    "cut short": (element(0x00100010, "PN", b"ab", length=8), EXPLICIT, element(0x00100010, "PN", b"ab")),
    "trailing zeros": (element(0x00100010, "PN", b"ab") + bytes(24), EXPLICIT, element(0x00100010, "PN", b"ab")),
    "implicit where explicit was due": (
        element(0x00100010, None, b"ab") + element(0x00100020, None, b"1 "), EXPLICIT,
        element(0x00100010, "PN", b"ab") + element(0x00100020, "LO", b"1 "),
    ),
    "missing delimiter": (
        sequence(0x00081140, item(element(0x00081150, "UI", b"1\0"), undefined=True), undefined=True)[:-8], EXPLICIT,
        sequence(0x00081140, item(element(0x00081150, "UI", b"1\0"), undefined=True), undefined=True),
    ),
    "in an item": (
        sequence(0x00081140, item(element(0x00081155, "UI", b"1\0") + element(0x00081150, "UI", b"2\0"))), EXPLICIT,
        sequence(0x00081140, item(element(0x00081150, "UI", b"2\0") + element(0x00081155, "UI", b"1\0"))),
    ),
}  # fmt: skip


@pytest.mark.parametrize(("data", "syntax", "mended"), REPAIRS.values(), ids=REPAIRS)
def test_repair_mends_and_otherwise_nothing_is_touched(data, syntax, mended):
    data_set = dc.dcmread(part10(data, syntax))
    assert data_set.issues
    assert data_set.to_bytes(enforce_standard=False) == part10(data, syntax)
    made = data_set.to_bytes(enforce_standard=False, repair=True)
    assert made == part10(mended, syntax)
    assert not dc.dcmread(made).issues


@pytest.mark.skipif(bool(corpus.ABSENT), reason=corpus.ABSENT)
def test_repair_of_real_files_leaves_no_issue_of_structure():
    values = {"BAD_VALUE", "BAD_LENGTH", "CHARACTER_SET", "NO_ITEMS"}
    for one in corpus.small_files(1 << 20):
        data_set = dc.dcmread(one.path, force=True)
        if not data_set.file_meta or one.name.endswith(UNTOLD):
            continue
        again = dc.dcmread(data_set.to_bytes(repair=True, enforce_standard=False), force=True)
        left = {issue.code for issue in again.issues} - values
        assert not left, (one.name, again.issues)
        assert {found.tag for found in again} == {found.tag for found in data_set}, one.name


@pytest.mark.parametrize(
    ("name", "uid"), [("implicit", IMPLICIT), ("ExplicitVRBigEndian", BIG_ENDIAN), (DEFLATED, DEFLATED)]
)
def test_syntaxes_by_name(name, uid):
    ds = dc.dcmread(corpus.real("CT_small.dcm"))
    assert dc.dcmread(ds.to_bytes(transfer_syntax=name)).transfer_syntax == uid


def test_no_syntax_of_that_name(tmp_path):
    with pytest.raises(ValueError, match="'gif' is no transfer syntax; names are implicit"):
        dc.dcmread(corpus.real("CT_small.dcm")).save_as(tmp_path / "x", transfer_syntax="gif")
    assert not list(tmp_path.iterdir())


RELABELLED = {  # name: (file, the transfer syntax set in its file meta information, the message or None)
    "fragments, explicit": ("JPEG2000.dcm", EXPLICIT, "is encapsulated, .* can't be Explicit VR Little Endian"),
    "fragments, implicit": ("MR_small_RLE.dcm", IMPLICIT, "is encapsulated"),
    "fragments, deflated": ("JPEG2000.dcm", DEFLATED, "is encapsulated"),
    "native, JPEG 2000": ("CT_small.dcm", "1.2.840.10008.1.2.4.90", "is not encapsulated, .* can't be JPEG 2000"),
    "native, RLE": ("CT_small.dcm", "1.2.840.10008.1.2.5", "is not encapsulated"),
    "native, implicit": ("CT_small.dcm", IMPLICIT, None),
    "fragments, another codec": ("JPEG2000.dcm", "1.2.840.10008.1.2.4.91", None),
    "no pixel data": ("rtplan.dcm", "1.2.840.10008.1.2.4.90", None),
}


@pytest.mark.parametrize(("name", "syntax", "said"), RELABELLED.values(), ids=RELABELLED)
def test_a_label_that_contradicts_the_pixel_data_is_refused(name, syntax, said):
    data_set = dc.dcmread(corpus.real(name))
    data_set.file_meta.TransferSyntaxUID = syntax
    if said is not None:
        with pytest.raises(dc.EncodeError, match=said):
            data_set.to_bytes()
        return
    again = dc.dcmread(data_set.to_bytes())
    assert again.transfer_syntax == syntax
    assert [element.tag for element in again] == [element.tag for element in data_set]


def test_a_wrong_label_read_from_a_file_stays_and_can_be_corrected():
    data = corpus.real("JPEG2000.dcm").read_bytes()
    wrong = data.replace(b"1.2.840.10008.1.2.4.91\0"[:22], b"1.2.840.10008.1.2.1\0\0\0", 1)
    data_set = dc.dcmread(wrong)
    assert data_set.transfer_syntax == EXPLICIT
    assert data_set.to_bytes(enforce_standard=False) == wrong
    data_set.PatientID = "new"
    assert dc.dcmread(data_set.to_bytes()).PatientID == "new"
    data_set.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.4.91"
    assert dc.dcmread(data_set.to_bytes()).frames.issues == ()

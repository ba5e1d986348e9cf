"""DICOM JSON: compared with a simple writer and with other software, and read back."""

from __future__ import annotations

import base64
import io
import json
import struct

import numpy as np
import pytest
from hypothesis import given, settings

import dicomcore as dc
from dicomcore.forms import read_json_lines, write_json_lines
from tests.support import json_oracle
from tests.support.corpus import ABSENT, dicom_files, real, small_files
from tests.support.dicom_bytes import BIG_ENDIAN, IMPLICIT, element, item, part10, sequence
from tests.support.json_forms import DCM2JSON, by_dcm2json, by_pydicom, dcmtk_way, differences, until_pixels
from tests.support.random_sets import data_sets

FILES = small_files(1 << 20)


def name_of(file) -> str:
    return file.name.rsplit("/", 1)[-1]


def is_little(file) -> bool:
    return dc.dcmread(file.path, force=True).is_little_endian


def without_lengths(data_set: dc.Dataset) -> list[dc.DataElement]:
    return [found for found in data_set if found.tag.element]


def content(data_set: dc.Dataset) -> str:
    """All content of a data set as text, so that NaN equals itself."""
    return repr([(found.tag, found.VR, found.value if found.VR != "SQ" else [content(item) for item in found.value])
                 for found in without_lengths(data_set)])  # fmt: skip


@pytest.mark.parametrize("file", FILES, ids=name_of)
def test_real_files_are_written_like_the_simple_writer_and_read_back(file):
    data_set = dc.dcmread(file.path, force=True)
    text = data_set.to_json()
    assert json.loads(text) == json_oracle.model(data_set)
    assert list(json.loads(text)) == sorted(json.loads(text))
    back = dc.Dataset.from_json(text)
    assert back.to_json_dict() == data_set.to_json_dict()
    if data_set.is_little_endian:
        assert content(back) == content(data_set)


# Files for which pydicom 3.0 differs. For all others it gives the same, except for forms that `flat` makes equal: group
# lengths are kept, sequences without items have an empty Value, empty values among several are "" and not null.
PYDICOM = {
    "badVR.dcm": "raises for an invalid number",
    "emri_small_jpeg_2k_lossless_too_short.dcm": "reads an empty data set",
}


@pytest.mark.parametrize("file", FILES, ids=name_of)
def test_real_files_are_written_as_pydicom_writes_them(file):
    if name_of(file) in PYDICOM:
        pytest.skip(PYDICOM[name_of(file)])
    different = differences(dc.dcmread(file.path, force=True).to_json_dict(), by_pydicom(file.path))
    if not is_little(file):  # pydicom leaves words in big endian, which a reader of the JSON cannot know
        different = {place: both for place, both in different.items() if both[0][0] != "OW"}
    assert not different


# Files that DCMTK 3.6.7 reads differently; `dcmtk_way` knows the differences in what it writes.
DCMTK = {
    "bad_sequence.dcm": "finds no elements in an item",
    "rtdose_rle.dcm": "takes a sequence written as UN for bytes",
    "rtdose_rle_1frame.dcm": "takes a sequence written as UN for bytes",
    "OsirixFake16BitsStoredFakeSpacing.dcm": "keeps the NUL after a DS, and writes it as text",
}
GIVES_UP = {
    "explicit_VR-UN.dcm", "ELSCINT1_JP2vsJ2K.dcm", "JPEG2KLossless_1s_1f_u_16_16.dcm", "J2K_pixelrep_mismatch.dcm",
    "SC_rgb_jpeg.dcm", "no_meta.dcm", "rtplan_truncated.dcm", "chrH31.dcm", "chrH32.dcm", "chrJapMulti.dcm",
    "chrJapMultiExplicitIR6.dcm", "chrSQEncoding.dcm", "chrSQEncoding1.dcm",
}  # fmt: skip


@pytest.mark.skipif(DCM2JSON is None, reason="dcm2json is not installed")
@pytest.mark.skipif(ABSENT != "", reason=ABSENT)
@pytest.mark.parametrize("step", [5, pytest.param(1, marks=pytest.mark.long)])
def test_real_files_are_written_as_dcmtk_writes_them(step, tmp_path):
    compared = 0
    for file in small_files(1 << 20)[::step]:
        if name_of(file) in DCMTK or name_of(file) in GIVES_UP:
            continue
        path = file.path
        theirs = by_dcm2json(path)
        if theirs is None:
            path = until_pixels(path, tmp_path / "header.dcm")
            theirs = by_dcm2json(path)
        assert theirs is not None, file.name
        different = differences(dc.dcmread(path, force=True).to_json_dict(), theirs)
        unknown = {place: both for place, both in different.items() if not dcmtk_way(place, *both)}
        assert not unknown, file.name
        compared += 1
    assert compared > 250 / step


@pytest.mark.thread_unsafe(reason="Hypothesis' recursive strategies aren't for threads")
@pytest.mark.filterwarnings("ignore::UserWarning")  # values that their VR does not allow are intended
@settings(max_examples=150, deadline=None)
@given(data_sets())
def test_random_data_sets_are_read_as_they_were_written(data_set):
    text = data_set.to_json()
    assert json.loads(text) == json_oracle.model(data_set)
    back = dc.Dataset.from_json(text)
    assert content(back) == content(data_set)
    assert json.loads(data_set.to_json(indent=1)) == json.loads(text)


def values(tag: int, vr: str, value: bytes, big: bool = False) -> dict:
    """The attribute object of an element that was read from a file."""
    ds = dc.dcmread(part10(element(tag, vr, value, big=big), BIG_ENDIAN if big else "1.2.840.10008.1.2.1"))
    return json.loads(ds.to_json())[f"{tag:08X}"]


VALUES = {  # name: (VR, bytes of the file, members of the attribute object after "vr")
    "empty": ("LO", b"", {}),
    "spaces alone": ("LO", b"    ", {}),
    "text": ("LO", b"a b ", {"Value": ["a b"]}),
    "quotes, backslash, controls": ("UT", b'"\\\t\r\n\x0c\x08\x01\x7f ', {"Value": ['"\\\t\r\n\x0c\x08\x01\x7f']}),
    "empty among several": ("CS", b"a\\\\b", {"Value": ["a", None, "b"]}),
    "empty at the end": ("CS", b"a\\ ", {"Value": ["a", None]}),
    "nothing but a backslash": ("LO", b"\\ ", {"Value": [None, None]}),
    "each padded": ("SH", b"a \\b ", {"Value": ["a", "b"]}),
    "AE": ("AE", b"  A \\ B", {"Value": ["A", "B"]}),
    "UID": ("UI", b"1.2\0", {"Value": ["1.2"]}),
    "one backslash in ST": ("ST", b"a\\b ", {"Value": ["a\\b"]}),
    "name": ("PN", b"A^B ", {"Value": [{"Alphabetic": "A^B"}]}),
    "name with groups": ("PN", b"A=B=C=", {"Value": [{"Alphabetic": "A", "Ideographic": "B", "Phonetic": "C"}]}),
    "name, phonetic alone": ("PN", b"==C ", {"Value": [{"Phonetic": "C"}]}),
    "empty name": ("PN", b"==", {}),
    "names, one empty": ("PN", b"A\\=", {"Value": [{"Alphabetic": "A"}, None]}),
    "decimals": ("DS", b"1.50\\ -2\\+3e2 ", {"Value": [1.5, -2, 3e2]}),
    "decimals JSON does not allow": ("DS", b".5\\5.\\-.5\\007\\+.25E-1\\-0 ", {"Value": [0.5, 5, -0.5, 7, 0.025, 0]}),
    "decimal of all digits": ("DS", b"0.12345678901234567890", {"Value": [0.12345678901234568]}),
    "decimal, empty": ("DS", b"1\\\\2", {"Value": [1, None, 2]}),
    "decimal beyond doubles": ("DS", b"1e400 ", {"Value": ["1e400"]}),
    "not a decimal": ("DS", b"1\\x1", {"Value": [1, "x1"]}),
    "minus alone": ("DS", b"- ", {"Value": ["-"]}),
    "exponent without digits": ("DS", b"1e", {"Value": ["1e"]}),
    "integers": ("IS", b"1\\-2\\+3\\ 4 \\007", {"Value": [1, -2, 3, 4, 7]}),
    "integers written as decimals": ("IS", b"1.0\\15e1", {"Value": [1, 150]}),
    "integer beyond doubles": ("IS", b"9007199254740993", {"Value": ["9007199254740993"]}),
    "integer of 15 digits": ("IS", b"-999999999999999", {"Value": [-999999999999999]}),
    "not an integer": ("IS", b"1A", {"Value": ["1A"]}),
    "a fraction in IS": ("IS", b"14.50\\1 ", {"Value": ["14.50", 1]}),
    "a character that decimals do not have": ("DS", b"1\x1b2 ", {"InlineBinary": "MRsyIA=="}),
    "US": ("US", struct.pack("<2H", 0, 65535), {"Value": [0, 65535]}),
    "SS": ("SS", struct.pack("<2h", -32768, 7), {"Value": [-32768, 7]}),
    "UL": ("UL", struct.pack("<I", 2**32 - 1), {"Value": [2**32 - 1]}),
    "SL": ("SL", struct.pack("<i", -(2**31)), {"Value": [-(2**31)]}),
    "UV": ("UV", struct.pack("<2Q", 2**53 - 1, 2**64 - 1), {"Value": [2**53 - 1, str(2**64 - 1)]}),
    "SV": ("SV", struct.pack("<2q", 1 - 2**53, -(2**53)), {"Value": [1 - 2**53, str(-(2**53))]}),
    "FL": ("FL", struct.pack("<2f", 0.1, -3), {"Value": [0.10000000149011612, -3.0]}),
    "FD": ("FD", struct.pack("<4d", 0.1, 1e300, 5e-324, 1e15), {"Value": [0.1, 1e300, 5e-324, 1e15]}),
    "FD that is not finite": ("FD", struct.pack("<3d", float("nan"), float("inf"), float("-inf")),
                        {"Value": ["NaN", "Infinity", "-Infinity"]}),
    "AT": ("AT", struct.pack("<4H", 0x10, 0x20, 0x7FE0, 0xA), {"Value": ["00100020", "7FE0000A"]}),
    "OB": ("OB", b"\0\1\2\3", {"InlineBinary": "AAECAw=="}),
    "OW of an odd length": ("OW", b"\0\1\2", {"InlineBinary": "AAEC"}),
    "US of an odd length": ("US", b"\0\1\2", {"InlineBinary": "AAEC"}),
}  # fmt: skip


@pytest.mark.parametrize(("vr", "value", "wanted"), VALUES.values(), ids=VALUES)
def test_values_are_written_as_their_vr_says(vr, value, wanted):
    assert values(0x00091001, vr, value) == {"vr": vr, **wanted}


def test_big_endian_words_become_little_endian():
    assert values(0x00091001, "OW", b"\0\1\2\3\4", big=True)["InlineBinary"] == "AQADAgQ="
    assert values(0x00091001, "OD", bytes(range(8)), big=True)["InlineBinary"] == "BwYFBAMCAQA="
    assert values(0x00091001, "AT", b"\0\x10\0\x20", big=True)["Value"] == ["00100020"]
    assert values(0x00091001, "FL", struct.pack(">f", 2.5), big=True)["Value"] == [2.5]


@pytest.mark.parametrize("size", [0, 1, 2, 3, 4, 383, 384, 385, 386, 387, 770, 1155, 65536, 200001])
def test_bytes_of_every_length_are_written_in_base64(size):
    data = bytes(range(256)) * (size // 256 + 1)
    data = data[-size:] if size else b""
    attribute = json.loads(dc.dcmread(part10(element(0x00091001, "OB", data))).to_json())["00091001"]
    assert base64.b64decode(attribute.get("InlineBinary", "")) == data


def test_elements_out_of_order_are_sorted():
    inner = element(0x00100020, "LO", b"b ") + element(0x00080060, "CS", b"CT") + element(0x00100020, "LO", b"c ")
    ds = dc.dcmread(part10(sequence(0x00081140, item(inner), undefined=True) + inner))
    model = json.loads(ds.to_json())
    assert list(model) == ["00080060", "00081140", "00100020"]
    assert list(model["00081140"]["Value"][0].items()) == [
        ("00080060", {"vr": "CS", "Value": ["CT"]}),
        ("00100020", {"vr": "LO", "Value": ["c"]}),
    ]


def test_sequences_written_as_un_are_written_as_sequences():
    inner = item(element(0x00080060, None, b"CT") + element(0x00080000, None, b"\0\0\0\0"))
    hidden = element(0x00081140, "UN", inner + item() + inner)
    ds = dc.dcmread(part10(sequence(0x00081115, item(hidden), item())))
    assert json.loads(ds.to_json()) == json_oracle.model(ds)
    assert len(ds.to_json_dict()["00081115"]["Value"][0]["00081140"]["Value"]) == 3


class TestChanged:
    """Values that were set in memory are written, at any depth; all others are still written by native code."""

    @pytest.fixture
    def plan(self):
        return dc.dcmread(real("rtplan.dcm"))

    def test_reading_values_changes_nothing(self, plan):
        before = dc.dcmread(real("rtplan.dcm")).to_json()
        for found in plan.iterall():
            _ = found.value
        _ = plan.BeamSequence[0].ControlPointSequence[0].BeamLimitingDevicePositionSequence[0].LeafJawPositions
        assert plan.to_json() == before

    @pytest.mark.thread_unsafe(reason="changes the fixture's data set")
    def test_a_value_set_in_a_nested_item_is_written(self, plan):
        plan.BeamSequence[0].BeamName = "α"
        plan.BeamSequence[0].ControlPointSequence[0].BeamLimitingDevicePositionSequence[0].LeafJawPositions[1] = 7.25
        plan.PatientName = "A^B=山"
        del plan.StudyDate
        plan.add_new(0x00091001, "OB", b"\1")
        model = json.loads(plan.to_json())
        assert model == json_oracle.model(plan)
        assert model["300A00B0"]["Value"][0]["300A00C2"]["Value"] == ["α"]
        assert model["00100010"]["Value"] == [{"Alphabetic": "A^B", "Ideographic": "山"}]

    def test_items_of_another_file_are_written(self, plan):
        ds = dc.Dataset()
        ds.BeamSequence = plan.BeamSequence
        ds.ReferencedImageSequence = [dc.Dataset()]
        ds.ReferencedStudySequence = []
        assert json.loads(ds.to_json()) == json_oracle.model(ds)

    def test_a_choice_of_vrs_is_settled_by_the_data_set(self):
        ds = dc.Dataset()
        ds.SmallestImagePixelValue = 5
        ds.PixelData = b"\0\1"
        assert ds.to_json_dict()["00280106"] == {"vr": "US", "Value": [5]}
        assert ds.to_json_dict()["7FE00010"] == {"vr": "OW", "InlineBinary": "AAE="}
        ds.PixelRepresentation = 1
        assert ds.to_json_dict()["00280106"]["vr"] == "SS"

    def test_arrays_are_written_as_their_values(self):
        ds = dc.Dataset()
        ds.PixelData = np.array([1, 258], "u2")
        ds.add_new(0x00091001, "US", np.array([1, 2], "u2"))
        ds.add_new(0x00091002, "FD", np.float64(0.5))
        wanted = {"vr": "OW", "InlineBinary": "AQACAQ=="}, {"vr": "US", "Value": [1, 2]}, {"vr": "FD", "Value": [0.5]}
        model = ds.to_json_dict()
        assert (model["7FE00010"], model["00091001"], model["00091002"]) == wanted
        assert dc.Dataset.from_xml(ds.to_xml()).to_json_dict() == model

    @pytest.mark.parametrize("form", ["to_json", "to_xml"])
    def test_a_value_that_does_not_fit_its_vr_is_refused(self, form):
        for vr, value in (("US", "a"), ("FD", "a"), ("US", [1, None, "b"]), ("OB", "text"), ("AT", [object()])):
            ds = dc.Dataset()
            ds.validation = "ignore"
            try:
                ds.add_new(0x00080008, vr, value)
            except (ValueError, TypeError):
                continue
            with pytest.raises(dc.EncodeError, match="ImageType"):
                getattr(ds, form)()

    def test_a_data_set_that_contains_itself_is_refused(self):
        ds = dc.Dataset()
        ds.ReferencedImageSequence = [ds]
        with pytest.raises(dc.EncodeError, match="contain itself"):
            ds.to_json()

    def test_half_a_surrogate_pair_is_refused(self):
        ds = dc.Dataset()
        ds.PatientID = "\ud800"
        with pytest.raises(dc.EncodeError, match="PatientID"):
            ds.to_json()

    def test_only_specific_tags_are_written(self):
        ds = dc.dcmread(real("CT_small.dcm"), specific_tags=["PatientID"])
        assert list(ds.to_json_dict()) == ["00080005", "00100020"]


class TestBulkData:
    def test_only_values_above_the_threshold_become_bulk_data(self):
        ds = dc.dcmread(real("CT_small.dcm"))
        calls = []

        def uri_of(element):
            calls.append((element.tag, element.keyword, element.VR, len(element.value)))
            return f"https://example.org/ü/{element.tag.json_key}"

        model = json.loads(ds.to_json(bulk_data_element_handler=uri_of))
        assert calls == [(0x00431029, "", "OB", 2068), (0x7FE00010, "PixelData", "OW", 32768)]
        assert model["7FE00010"] == {"vr": "OW", "BulkDataURI": "https://example.org/ü/7FE00010"}
        ds.to_json(bulk_data_element_handler=uri_of, bulk_data_threshold=0)
        assert len(calls) > 2

    def test_the_threshold_counts_base64_as_pydicom_does(self):
        for size in (765, 766, 768, 769, 771):
            ds = dc.dcmread(part10(element(0x00091001, "OB", bytes(size))))
            bulk = "BulkDataURI" in ds.to_json_dict(bulk_data_element_handler=lambda _: "u")["00091001"]
            assert bulk == (size > 1024 // 4 * 3)

    def test_the_handler_gets_elements_that_know_their_private_creator(self):
        private = element(0x00090010, "LO", b"ME") + element(0x00091001, "OB", bytes(8))
        ds = dc.dcmread(part10(sequence(0x00081140, item(private))))
        creators = []

        def uri_of(element):
            creators.append(element.private_creator)
            return "u"

        ds.to_json(bulk_data_element_handler=uri_of, bulk_data_threshold=4)
        assert creators == ["ME"]

    def test_changed_bytes_become_bulk_data(self):
        ds = dc.dcmread(real("CT_small.dcm"))
        for value in (bytes(4000), memoryview(bytes(4000)), np.zeros(2000, "u2")):
            ds.PixelData = value
            assert "BulkDataURI" in ds.to_json_dict(bulk_data_element_handler=lambda _: "u")["7FE00010"]

    def test_a_handler_that_returns_no_text_is_refused(self):
        ds = dc.dcmread(real("CT_small.dcm"))
        with pytest.raises(TypeError, match="URI"):
            ds.to_json(bulk_data_element_handler=lambda _: None)

    def test_bulk_data_is_fetched_by_uri_or_by_tag_vr_and_uri(self):
        ds = dc.dcmread(real("CT_small.dcm"))
        text = ds.to_json(bulk_data_element_handler=lambda found: f"bulk/{found.tag.json_key}")
        assert dc.Dataset.from_json(text, bulk_data_uri_handler=lambda uri: ds[uri[5:]].value).PixelData == ds.PixelData
        by_all = dc.Dataset.from_json(text, bulk_data_uri_handler=lambda tag, vr, uri: ds[tag].value)
        assert without_lengths(by_all) == without_lengths(ds)

    def test_bulk_data_of_every_vr_is_converted(self):
        def read(vr, given):
            model = {"00091001": {"vr": vr, "BulkDataURI": "u"}}
            return dc.Dataset.from_json(model, bulk_data_uri_handler=lambda _: given)[0x00091001].value

        assert read("DS", b"1\\2.5 ") == [1.0, 2.5]
        assert read("US", b"\1\0\2\0") == [1, 2]
        assert read("AT", b"\x10\0\x20\0") == 0x00100020
        assert read("UT", "ä\\b ".encode()) == "ä\\b"
        assert read("FL", [0.5, "NaN"])[0] == 0.5
        assert read("OB", None) is None
        assert read("PN", b"A=B=\\C ") == ["A=B", "C"]

    def test_without_a_handler_bulk_data_is_empty_and_reported(self):
        ds = dc.Dataset.from_json({"7FE00010": {"vr": "OW", "BulkDataURI": "u"}})
        assert ds.PixelData is None
        assert [(issue.code, issue.tag) for issue in ds.issues] == [("BULK_DATA", 0x7FE00010)]


def test_file_meta_is_written_and_read_on_request():
    ds = dc.dcmread(real("CT_small.dcm"))
    assert not any(key.startswith("0002") for key in ds.to_json_dict())
    model = json.loads(ds.to_json(file_meta=True))
    assert list(model)[:2] == ["00020001", "00020002"]
    assert list(model)[-1] == "FFFCFFFC" or list(model)[-1] == "7FE00010"
    back = dc.Dataset.from_json(model)
    assert without_lengths(back.file_meta) == without_lengths(ds.file_meta)
    assert back.transfer_syntax == ds.transfer_syntax
    assert without_lengths(back) == without_lengths(ds)
    assert json.loads(dc.Dataset().to_json(file_meta=True)) == {}


def test_deviations_of_other_writers_are_read():
    model = {
        "0008001a": {"vr": "UI", "Value": ["1.2"]},
        "00080005": {"vr": "CS", "Value": ["ISO_IR 192"]},
        "00080008": {"vr": "CS", "Value": []},
        "00100010": {"vr": "PN", "Value": ["A^B"]},
        "00101010": {"vr": "AS", "Value": None},
        "00100020": {"vr": "LO", "Value": ["a\\b"]},
        "00186060": {"vr": "FL", "Value": ["NaN", "-inf", None, 1]},
        "00200013": {"vr": "IS", "Value": ["12", 1.0, None]},
        "00200032": {"vr": "DS", "Value": ["1.50", " 2 ", 3]},
        "00280010": {"vr": "US", "Value": ["512"]},
        "00081140": {"vr": "SQ", "Value": [None, {}]},
        "7FE00010": {"vr": "OB", "InlineBinary": ["AA\r\nEC"]},
        "00100000": {"vr": "UL", "Value": [5]},
        "00091001": {"vr": "OB", "Value": []},
    }
    ds = dc.Dataset.from_json(json.dumps(model).encode("utf-8-sig"))
    assert ds[0x0008001A].value == "1.2"
    assert (ds.ImageType, ds.PatientName, ds.PatientID) == ("", "A^B", ["a", "b"])
    assert repr(ds[0x00186060].value) == "[nan, -inf, nan, 1.0]"
    assert (ds.InstanceNumber, ds.ImagePositionPatient, ds.Rows) == ([12, 1, ""], [1.5, 2.0, 3.0], 512)
    assert len(ds.ReferencedImageSequence) == 2
    assert ds.PixelData == b"\0\1\2"
    assert 0x00100000 not in ds


def test_bare_nan_is_read():
    assert (
        repr(dc.Dataset.from_json('{"00186060":{"vr":"FL","Value":[NaN,-Infinity]}}')[0x00186060].value)
        == "[nan, -inf]"
    )


def test_json_lines_and_arrays_are_read():
    sets = [dc.dcmread(real(name)) for name in ("CT_small.dcm", "MR_small.dcm")]
    stream = io.StringIO()
    assert write_json_lines(sets, stream) == 2
    lines = stream.getvalue().splitlines(keepends=True)
    assert len(lines) == 2
    assert [one.PatientID for one in read_json_lines(["\n", *lines])] == ["1CT1", "4MR1"]
    array = "[" + ",".join(lines).replace("\n", "") + "]"
    assert [one.PatientID for one in read_json_lines([array.encode()])] == ["1CT1", "4MR1"]
    with pytest.raises(dc.ParseError, match="read_json_lines"):
        dc.Dataset.from_json(array)
    with pytest.raises(dc.ParseError, match="object"):
        list(read_json_lines(["[1]"]))


def test_implicit_vr_is_written_with_the_vr_of_the_dictionary():
    ds = dc.dcmread(part10(element(0x00280010, None, b"\1\0") + element(0x00091001, None, b"ab"), IMPLICIT))
    assert json.loads(ds.to_json()) == json_oracle.model(ds)


def test_a_subclass_reads_its_own_class():
    class Mine(dc.Dataset):
        pass

    assert type(Mine.from_json("{}")) is Mine


def test_every_truncated_file_is_written():
    data = real("rtplan.dcm").read_bytes()
    for cut in range(140, len(data), 41):
        ds = dc.dcmread(data[:cut], force=True)
        assert json.loads(ds.to_json()) == json_oracle.model(ds)


def test_the_corpus_is_complete():
    assert ABSENT or len(dicom_files()) > 300

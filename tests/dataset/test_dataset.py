"""Dataset: access, order, changes, private blocks, walks, copies, pickles and text, as in pydicom."""

from __future__ import annotations

import copy
import pickle
from pathlib import Path

import numpy as np
import pydicom
import pytest

import dicomcore as dc
from tests.support import dicom_bytes as raw
from tests.support.corpus import ABSENT, Real, real, small_files

INSIDE = raw.element(0x00081150, "UI", b"1.2.3\0")
CONTENT = (
    raw.element(0x00080060, "CS", b"MR")
    + raw.sequence(0x00081140, raw.item(INSIDE), raw.item())
    + raw.element(0x00090010, "LO", b"MAKER ")
    + raw.element(0x00091001, "SH", b"mine")
    + raw.element(0x00100010, "PN", b"A^B ")
    + raw.element(0x00280010, "US", b"\2\1")
    + raw.element(0x00280030, "DS", b"0.5\\0.25")
    + raw.element(0x7FE00010, "OW", b"\1\2\3\4")
)
TAGS = [0x00080060, 0x00081140, 0x00090010, 0x00091001, 0x00100010, 0x00280010, 0x00280030, 0x7FE00010]


@pytest.fixture
def data_set() -> dc.Dataset:
    return dc.dcmread(raw.part10(CONTENT))


# ---- access ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", ["PatientName", 0x00100010, (0x0010, 0x0010), dc.Tag(0x00100010), "00100010"])
def test_keys(data_set: dc.Dataset, key: object):
    element = data_set[key]
    assert element.value == "A^B"
    assert data_set[key] is element
    assert key in data_set
    assert (element.tag, element.VR, element.VM, element.keyword) == (0x00100010, "PN", 1, "PatientName")
    assert element.name == "Patient's Name"


def test_missing_elements(data_set: dc.Dataset):
    for key in ("PatientID", 0x00100020, (0x10, 0x20)):
        assert key not in data_set
        with pytest.raises(KeyError):
            _ = data_set[key]
        assert data_set.get(key) is None
        assert data_set.get(key, 5) == 5
    with pytest.raises(AttributeError, match="PatientID"):
        _ = data_set.PatientID
    with pytest.raises(AttributeError):
        _ = data_set.no_such_thing
    assert "no such keyword" not in data_set
    assert hasattr(data_set, "PatientName")
    assert not hasattr(data_set, "PatientID")
    with pytest.raises(AttributeError):
        del data_set.PatientID
    with pytest.raises(KeyError):
        del data_set[0x00100020]


def test_get_gives_values_by_keyword_and_elements_by_tag(data_set: dc.Dataset):
    assert data_set.get("Rows") == 0x0102
    assert data_set.get(0x00280010).value == 0x0102
    assert data_set.get((0x0028, 0x0010)).value == 0x0102


def test_order_and_sizes(data_set: dc.Dataset):
    assert [element.tag for element in data_set] == TAGS
    assert data_set.keys() == TAGS
    assert [element.tag for element in data_set.values()] == TAGS
    assert [tag for tag, _ in data_set.items()] == TAGS
    assert len(data_set) == len(TAGS)
    assert dc.dcmread(raw.part10(b"")).keys() == []
    assert bool(data_set)


def test_iterall_and_walk(data_set: dc.Dataset):
    everything = [*TAGS[:2], 0x00081150, *TAGS[2:]]
    assert [element.tag for element in data_set.iterall()] == everything
    seen = []
    data_set.walk(lambda owner, element: seen.append((element.tag, len(owner))))
    assert [tag for tag, _ in seen] == everything
    assert dict(seen)[0x00081150] == 1
    seen.clear()
    data_set.walk(lambda _, element: seen.append(element.tag), recursive=False)
    assert seen == TAGS


@pytest.mark.thread_unsafe(reason="changes the fixture's data set")
def test_groups_and_slices(data_set: dc.Dataset):
    assert data_set.group_dataset(0x0028).keys() == [0x00280010, 0x00280030]
    assert data_set[0x00100000:0x00280030].keys() == [0x00100010, 0x00280010]
    del data_set[0x00280000:0x00290000]
    assert "Rows" not in data_set
    assert "PixelData" in data_set


def test_elements_give_their_offsets(data_set: dc.Dataset):
    data = raw.part10(CONTENT)
    for element in data_set:
        assert data[element.offset : element.offset + element.length] == element.raw


# ---- changes -----------------------------------------------------------------------------------------------------


@pytest.mark.thread_unsafe(reason="changes the fixture's data set")
def test_set_and_delete(data_set: dc.Dataset):
    data_set.PatientName = "C^D"
    data_set.PatientID = "12"
    data_set[0x00280010].value = 7
    del data_set.Modality
    assert data_set.PatientName == "C^D"
    assert isinstance(data_set.PatientName, dc.PersonName)
    assert data_set[0x00100020].VR == "LO"
    assert data_set.Rows == 7
    assert "Modality" not in data_set
    assert data_set.keys() == [*TAGS[1:5], 0x00100020, *TAGS[5:]]
    walked = [element.tag for element in data_set.iterall()]
    assert walked == [*TAGS[1:2], 0x00081150, *TAGS[2:5], 0x00100020, *TAGS[5:]]
    assert data_set["PatientName"].raw is None
    data_set.Modality = "CT"
    assert data_set.Modality == "CT"


@pytest.mark.thread_unsafe(reason="changes the fixture's data set")
def test_add_new_and_elements(data_set: dc.Dataset):
    data_set.add_new(0x00100030, "DA", "20240102")
    data_set.add(dc.DataElement("PatientSex", "CS", "F"))
    data_set[0x00101010] = dc.DataElement(0x00101010, "AS", "047Y")
    assert (data_set.PatientBirthDate, data_set.PatientSex, data_set.PatientAge) == ("20240102", "F", "047Y")
    with pytest.raises(ValueError, match="tag"):
        data_set[0x00101011] = dc.DataElement(0x00101010, "AS", "047Y")
    with pytest.raises(ValueError, match="VR"):
        data_set.add_new(0x00100030, "XX", "20240102")
    with pytest.raises(TypeError):
        data_set.PatientSex = dc.DataElement("PatientSex", "CS", "F")
    data_set.update({"PatientSex": "M", 0x00100020: dc.DataElement(0x00100020, "LO", "7")})
    assert (data_set.PatientSex, data_set.PatientID) == ("M", "7")
    assert data_set.pop("PatientSex").value == "M"
    assert data_set.pop("PatientSex", None) is None
    with pytest.raises(KeyError):
        data_set.pop("PatientSex")
    assert data_set.setdefault(0x00100020, dc.DataElement(0x00100020, "LO", "8")).value == "7"
    data_set.clear()
    assert len(data_set) == 0


def test_a_keyword_that_is_a_plain_attribute(data_set: dc.Dataset):
    data_set.note = "kept beside the elements"
    assert data_set.note == "kept beside the elements"
    assert len(data_set) == len(TAGS)


def test_lists_change_in_place(data_set: dc.Dataset):
    data_set.PixelSpacing[0] = 9.0
    assert data_set.PixelSpacing == [9.0, 0.25]
    assert data_set["PixelSpacing"].value == [9.0, 0.25]
    assert next(e for e in data_set if e.keyword == "PixelSpacing").value == [9.0, 0.25]


def test_sequences_change_in_place(data_set: dc.Dataset):
    sequence = data_set[0x00081140].value
    assert isinstance(sequence, dc.Sequence)
    sequence[0].ReferencedSOPClassUID = "1.9"
    sequence[1].ReferencedSOPInstanceUID = "1.8"
    added = dc.Dataset()
    added.PatientID = "new"
    sequence.append(added)
    del sequence[1]
    again = data_set[0x00081140].value
    assert [item.keys() for item in again] == [[0x00081150], [0x00100020]]
    assert again[0].ReferencedSOPClassUID == "1.9"
    assert "1.9" in str(data_set)
    assert [e.value for e in data_set.iterall()][2] == "1.9"
    with pytest.raises(TypeError):
        sequence.append("no data set")
    with pytest.raises(TypeError):
        dc.Sequence([1])


def test_a_change_made_through_iterall_lasts(data_set: dc.Dataset):
    for element in data_set.iterall():
        if element.tag == 0x00081150:
            element.value = "1.7"
    assert data_set[0x00081140].value[0].ReferencedSOPClassUID == "1.7"


def test_late_sequences_change_in_place():
    inside = raw.item(raw.sequence(0x00081140, raw.item(raw.element(0x00100020, None, b"in")), vr=None))
    late = dc.dcmread(raw.part10(raw.sequence(0x00081140, inside, vr="UN")))
    for element in late.iterall():
        if element.tag == 0x00100020:
            element.value = "out"
    assert late[0x00081140].value[0][0x00081140].value[0].PatientID == "out"


def test_walk_may_delete(data_set: dc.Dataset):
    data_set.walk(lambda owner, element: owner.pop(element.tag) if element.tag in (0x00081150, 0x00280010) else None)
    assert "Rows" not in data_set
    assert [len(item) for item in data_set[0x00081140].value] == [0, 0]
    data_set.remove_private_tags()
    assert not any(element.is_private for element in data_set.iterall())


def test_a_data_set_made_in_memory():
    made = dc.Dataset()
    made.PatientName = "A^B"
    made.Rows = 5
    made.ImagePositionPatient = [1, 2.5, 3]
    made[0x00081140] = dc.DataElement(0x00081140, "SQ", [dc.Dataset()])
    made[0x00081140].value[0].StudyDescription = "in"
    assert made.keys() == [0x00081140, 0x00100010, 0x00200032, 0x00280010]
    assert (made.issues, made.preamble, made.filename) == ((), None, None)
    assert made[0x00200032].array.tolist() == [1, 2.5, 3]
    assert made["Rows"].array.tolist() == [5]
    assert dc.Dataset(made) == made
    assert made == pickle.loads(pickle.dumps(made))


# ---- private blocks ----------------------------------------------------------------------------------------------


@pytest.mark.thread_unsafe(reason="changes the fixture's data set")
def test_private_block(data_set: dc.Dataset):
    block = data_set.private_block(0x0009, "MAKER")
    assert block[0x01].value == "mine"
    assert 0x01 in block
    assert 0x02 not in block
    assert block.get_tag(0x01) == 0x00091001
    block.add_new(0x02, "LO", "more")
    assert data_set[0x00091002].value == "more"
    assert data_set[0x00091002].private_creator == "MAKER"
    del block[0x01]
    assert 0x00091001 not in data_set
    with pytest.raises(KeyError):
        data_set.private_block(0x0009, "OTHER")
    other = data_set.private_block(0x0009, "OTHER", create=True)
    assert other.get_tag(0x01) == 0x00091101
    assert data_set[0x00090011].value == "OTHER"
    assert data_set.private_creators(0x0009) == ["MAKER", "OTHER"]
    assert data_set.get_private_item(0x0009, 0x02, "MAKER").value == "more"
    for group, creator in ((0x0008, "MAKER"), (0x0009, "")):
        with pytest.raises(ValueError, match="private"):
            data_set.private_block(group, creator)


# ---- copies, pickles, equality -----------------------------------------------------------------------------------


def test_copies_keep_their_own_changes(data_set: dc.Dataset):
    for copied in (data_set.copy(), copy.copy(data_set), copy.deepcopy(data_set)):
        assert copied == data_set
        copied.PatientName = "X"
        del copied.Modality
        assert (data_set.PatientName, data_set.Modality) == ("A^B", "MR")
        assert copied.file_meta == data_set.file_meta
        assert copied.preamble == data_set.preamble


def test_deep_copies_share_no_items(data_set: dc.Dataset):
    deep = copy.deepcopy(data_set)
    deep[0x00081140].value[0].ReferencedSOPClassUID = "1.9"
    deep.PixelSpacing[0] = 3.0
    assert data_set[0x00081140].value[0].ReferencedSOPClassUID == "1.2.3"
    assert data_set.PixelSpacing == [0.5, 0.25]


@pytest.mark.thread_unsafe(reason="changes the fixture's data set")
def test_deep_copy_after_a_change(data_set: dc.Dataset):
    data_set[0x00081140].value[0].ReferencedSOPClassUID = "1.9"
    deep = copy.deepcopy(data_set)
    deep[0x00081140].value[0].ReferencedSOPClassUID = "1.8"
    assert data_set[0x00081140].value[0].ReferencedSOPClassUID == "1.9"
    assert data_set != deep


@pytest.mark.thread_unsafe(reason="changes the fixture's data set")
@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_pickles(data_set: dc.Dataset, protocol: int):
    data_set.PatientName = "C^D"
    del data_set.Modality
    data_set[0x00081140].value[0].ReferencedSOPClassUID = "1.9"
    back = pickle.loads(pickle.dumps(data_set, protocol))
    assert back == data_set
    assert back.PatientName == "C^D"
    assert "Modality" not in back
    assert back[0x00081140].value[0].ReferencedSOPClassUID == "1.9"
    assert back.file_meta.TransferSyntaxUID == raw.EXPLICIT
    item = pickle.loads(pickle.dumps(data_set[0x00081140].value[0], protocol))
    assert item.ReferencedSOPClassUID == "1.9"
    element = pickle.loads(pickle.dumps(data_set["Rows"], protocol))
    assert (element.tag, element.VR, element.value) == (0x00280010, "US", 0x0102)


def test_a_pickle_works_without_its_file(tmp_path: Path):
    path = tmp_path / "one.dcm"
    path.write_bytes(raw.part10(CONTENT))
    kept = pickle.dumps(dc.dcmread(path))
    path.unlink()
    back = pickle.loads(kept)
    assert back[0x7FE00010].value == b"\1\2\3\4"
    assert back.PatientName == "A^B"


@pytest.mark.parametrize("options", [{"stop_before_pixels": True}, {"specific_tags": ["PatientName"]}])
def test_pickles_of_part_of_a_file(options: dict):
    part = dc.dcmread(raw.part10(CONTENT), **options)
    assert pickle.loads(pickle.dumps(part)).keys() == part.keys()
    assert copy.deepcopy(part).keys() == part.keys()


SIGNED = raw.part10(  # elements behind more fragments than the index reserves memory for
    raw.sequence(0x7FE00010, raw.item(), *[raw.item(b"ab")] * 5000, vr="OB", undefined=True)
    + raw.sequence(0xFFFAFFFA, raw.item(raw.element(0x04000100, "UI", b"1.2.9\0")))
    + raw.element(0xFFFCFFFC, "OB", bytes(6)),
    raw.JPEG_BASELINE,
)


def test_an_item_behind_pixel_data_is_pickled():
    signature = dc.dcmread(SIGNED).DigitalSignaturesSequence[0]
    back = pickle.loads(pickle.dumps(signature))
    assert back == signature
    assert back.DigitalSignatureUID == "1.2.9"


def test_changes_behind_pixel_data_are_pickled():
    data_set = dc.dcmread(SIGNED)
    data_set.DigitalSignaturesSequence[0].DigitalSignatureUID = "1.2.8"
    data_set.DataSetTrailingPadding = b"ab"
    back = pickle.loads(pickle.dumps(data_set))
    assert back.DigitalSignaturesSequence[0].DigitalSignatureUID == "1.2.8"
    written = back.to_bytes(enforce_standard=False)
    assert written == data_set.to_bytes(enforce_standard=False)
    assert written.endswith(b"1.2.8\0" + raw.element(0xFFFCFFFC, "OB", b"ab"))


def test_equality(data_set: dc.Dataset):
    other = dc.dcmread(raw.part10(CONTENT))
    assert data_set == other
    other.Rows = 8
    assert data_set != other
    assert data_set["PatientName"] == other["PatientName"]
    assert data_set["Rows"] != other["Rows"]
    assert data_set != 5
    with pytest.raises(TypeError):
        hash(data_set)
    implicit = dc.dcmread(raw.part10(raw.element(0x00100010, None, b"A^B "), raw.IMPLICIT))
    explicit = dc.dcmread(raw.part10(raw.element(0x00100010, "PN", b"A^B ")))
    assert implicit == explicit  # file meta information is not compared, as in pydicom


# ---- text and completion -----------------------------------------------------------------------------------------


def test_an_element_takes_another_vr_if_its_value_does():
    element = dc.DataElement("Rows", "US", 3)
    element.VR = "UL"
    assert (element.VR, element.value) == ("UL", 3)
    with pytest.raises(ValueError, match="'XX' is not a VR"):
        element.VR = "XX"


def test_an_element_of_several_values():
    element = dc.DataElement("ImageType", "CS", ["A", "B"])
    other = copy.deepcopy(element)
    other.value.append("C")
    assert (element[1], element.value, other.value) == ("B", ["A", "B"], ["A", "B", "C"])
    assert element.array.tolist() == ["A", "B"]
    assert element != other
    assert element != "A"


def test_text(data_set: dc.Dataset):
    lines = str(data_set).split("\n")
    assert repr(data_set) == str(data_set)
    assert lines[0].startswith("Dataset.file_meta ----")
    assert "(0010,0010) Patient's Name                      PN: 'A^B'" in lines
    assert "   (0008,1150) Referenced SOP Class UID            UI: 1.2.3" in lines
    assert str(data_set["Rows"]) == "(0028,0010) Rows                                US: 258"
    assert "0008,1150" not in data_set.top()


def test_dir(data_set: dc.Dataset):
    names = dir(data_set)
    assert {"PatientName", "Rows", "walk", "file_meta"} <= set(names)
    assert "PatientID" not in names
    assert data_set.dir("pat", "row") == ["PatientName", "Rows"]
    assert "PatientID" in data_set.trait_names()
    assert data_set._ipython_key_completions_() == data_set.dir()


# ---- beside pydicom ----------------------------------------------------------------------------------------------

NAMES = [
    "CT_small.dcm",
    "rtplan.dcm",
    "nested_priv_SQ.dcm",
    "DICOMDIR",
    "test-SR.dcm",
    "rtstruct.dcm",
    "UN_sequence.dcm",
]


@pytest.mark.parametrize("name", NAMES)
def test_walks_visit_the_elements_that_pydicom_visits(name: str):
    ours, theirs = dc.dcmread(real(name), force=True), pydicom.dcmread(real(name), force=True)
    found: list[int] = []
    expected: list[int] = []
    ours.walk(lambda _, element: found.append(int(element.tag)))
    theirs.walk(lambda _, element: expected.append(int(element.tag)))
    assert found == expected
    assert [int(element.tag) for element in ours.iterall()] == [int(element.tag) for element in theirs.iterall()]
    assert ours.dir() == theirs.dir()
    for group in (0x0008, 0x0010, 0x3006):
        assert ours.group_dataset(group).keys() == [int(e.tag) for e in theirs.group_dataset(group)]


@pytest.mark.skipif(bool(ABSENT), reason=ABSENT)
@pytest.mark.parametrize("one", small_files(6000)[::3], ids=lambda one: one.name)
def test_copies_and_pickles_of_real_files(one: Real):
    data_set = dc.dcmread(one.path, force=True)
    text = str(data_set)
    for other in (copy.deepcopy(data_set), data_set.copy(), pickle.loads(pickle.dumps(data_set))):
        assert str(other) == text
        assert [(e.tag, e.VR) for e in other.iterall()] == [(e.tag, e.VR) for e in data_set.iterall()]


@pytest.mark.skipif(bool(ABSENT), reason=ABSENT)
@pytest.mark.parametrize("one", small_files(6000)[::5], ids=lambda one: one.name)
def test_reading_changes_nothing(one: Real):
    """The answers don't depend on what was read before."""
    fresh, used = dc.dcmread(one.path, force=True), dc.dcmread(one.path, force=True)
    for element in used.iterall():
        _ = element.value, element.array, element.name
    _ = str(used), used.issues, list(used), used.group_dataset(8), dir(used)
    assert str(fresh) == str(used)
    for a, b in zip(fresh.iterall(), used.iterall(), strict=True):
        assert (a.tag, a.VR, a.raw) == (b.tag, b.VR, b.raw)
        assert np.array_equal(a.array, b.array) or a.array is None or a.array.dtype.kind == "f"


ONE = {  # name: (keyword, a list of one value, what it is), as a file of it gives it
    "CS": ("ImageType", ["ORIGINAL"], "ORIGINAL"),
    "DS": ("PixelSpacing", [1], 1.0),
    "US": ("Rows", [5], 5),
    "PN": ("PatientName", ["A^B"], "A^B"),
    "AT": ("FrameIncrementPointer", ["FrameTime"], 0x00181063),
    "a tuple": ("ImageType", ("ORIGINAL",), "ORIGINAL"),
    "text that a backslash divides": ("ImageType", ["A\\B"], ["A", "B"]),
}


@pytest.mark.parametrize(("keyword", "value", "expected"), ONE.values(), ids=ONE)
def test_a_list_of_one_value_is_that_value(keyword, value, expected):
    data_set = dc.Dataset()
    data_set[keyword] = dc.DataElement(keyword, dc.dictionary.dictionary_VR(keyword), value)
    assert data_set[keyword].value == expected
    setattr(data_set, keyword, value)
    assert data_set[keyword].value == expected
    assert dc.dcmread(data_set.to_bytes(enforce_standard=False), force=True)[keyword].value == expected


SET_ITEMS = {
    "append": lambda items: items.append("x"),
    "insert": lambda items: items.insert(0, "x"),
    "extend": lambda items: items.extend(["x"]),
    "in place": lambda items: items.__iadd__(["x"]),
    "by index": lambda items: items.__setitem__(0, "x"),
    "by slice": lambda items: items.__setitem__(slice(0, 1), ["x"]),
}


@pytest.mark.parametrize("change", SET_ITEMS.values(), ids=SET_ITEMS)
def test_a_sequence_takes_only_data_sets(change):
    items = dc.Sequence([dc.Dataset()])
    with pytest.raises(TypeError, match="are data sets, not str"):
        change(items)
    assert items == [dc.Dataset()]


def test_a_sequence_changes_as_a_list_does():
    data_set = dc.Dataset()
    data_set.RequestAttributesSequence = [{"PatientID": "1"}]
    items = data_set.RequestAttributesSequence
    items.extend(dc.Dataset(items[0]) for _ in range(2))
    items[1].PatientID, items[2].PatientID = "2", "3"
    items[:] = [items[2], items[0]]
    items += [items[1]]
    items.insert(0, items[0])
    assert [item.PatientID for item in data_set.RequestAttributesSequence] == ["3", "3", "1", "1"]
    assert [item.PatientID for item in pickle.loads(pickle.dumps(items))] == ["3", "3", "1", "1"]


def test_a_sequence_set_to_none_is_empty():
    data_set = dc.Dataset()
    data_set.RequestAttributesSequence = None
    assert list(data_set.RequestAttributesSequence) == []
    data_set.RequestAttributesSequence.append(dc.Dataset())
    assert len(dc.dcmread(data_set.to_bytes(enforce_standard=False), force=True).RequestAttributesSequence) == 1


def test_changes_in_pixel_array_last():
    data_set = dc.dcmread(real("CT_small.dcm"))
    before = data_set.pixel_array.copy()
    data_set.pixel_array[:64] = 7
    assert np.array_equal(data_set.pixel_array[64:], before[64:])
    assert (data_set.pixel_array[:64] == 7).all()
    assert np.array_equal(data_set.frames[0], before)
    assert np.array_equal(data_set.copy().pixel_array, before)
    data_set.PixelData = data_set.pixel_array.tobytes()
    assert (data_set.pixel_array[:64] == 7).all()
    assert (dc.dcmread(data_set.to_bytes()).pixel_array[:64] == 7).all()
    data_set.PixelData = before.tobytes()
    assert np.array_equal(data_set.pixel_array, before)


class Named(dc.Dataset):
    """A subclass whose constructor requires an argument."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.PatientID = name


@pytest.mark.parametrize(
    "way", [copy.copy, copy.deepcopy, lambda ds: pickle.loads(pickle.dumps(ds))], ids=["copy", "deepcopy", "pickle"]
)
def test_copies_of_a_subclass(way):
    made = way(Named("x"))
    assert type(made) is Named
    assert made.PatientID == "x"

"""File-sets: DICOMDIRs of other software read by us, ours read by others, and the results of add, find and write."""

from __future__ import annotations

import io
import logging
import os
import re
import shutil
import struct
import subprocess
import warnings
from pathlib import Path

import pydicom
import pydicom.data
import pydicom.fileset
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import dicomcore as dc
from dicomcore.fileset import FileSet
from dicomcore.fileset.fileid import FileNames, Medium, file_id_faults, path_of, to_file_id
from dicomcore.fileset.keys import LEAVES, RECORD_TYPES, record_type_of
from dicomcore.fileset.records import walk
from tests.support.corpus import PYDICOM, real
from tests.support.dicom_bytes import element, item, sequence

DIRS = PYDICOM / "test_files" / "dicomdirtests"
DCMDUMP, DCMMKDIR = shutil.which("dcmdump"), shutil.which("dcmmkdir")
KEYS = ("PatientID", "PatientName", "StudyInstanceUID", "StudyDate", "SeriesInstanceUID", "Modality", "InstanceNumber")

READ = {  # name: (DICOMDIR, root records, files, codes of issues)
    "as it should be": ("DICOMDIR", 2, 31, set()),
    "big endian": ("DICOMDIR-bigEnd", 2, 31, set()),
    "implicit": ("DICOMDIR-implicit", 2, 31, set()),
    "no records": ("DICOMDIR-empty.dcm", 0, 0, set()),
    "records in another order": ("DICOMDIR-reordered", 2, 31, set()),
    "the last record cut short": ("DICOMDIR-nooffset", 2, 31, {"LENGTH_BEYOND_END", "RECORD_LINK_MISSING"}),
    "one patient": ("TINY_ALPHA/DICOMDIR", 1, 50, set()),
}


@pytest.fixture(scope="module")
def images(tmp_path_factory) -> list[Path]:
    """Real images of one study, under names that are no File IDs."""
    folder = tmp_path_factory.mktemp("images")
    found = sorted(path for path in (DIRS / "77654033").rglob("*") if path.is_file())
    return [Path(shutil.copy(path, folder / f"image {i}.dcm")) for i, path in enumerate(found)]


def by_pydicom(path: Path) -> dict[tuple[str, ...], list[str]]:
    """The keys of every instance that pydicom's FileSet finds, by File ID."""
    logging.disable(logging.CRITICAL)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = pydicom.fileset.FileSet(str(path))
        return {
            Path(*([i] if isinstance(i := one.ReferencedFileID, str) else i)).parts: [
                str(getattr(one, key, None)) for key in KEYS
            ]
            for one in found
        }


def by_ours(file_set: FileSet) -> dict[tuple[str, ...], list[str]]:
    return {one.ReferencedFileID: [str(one.get(key)) for key in KEYS] for one in file_set}


def by_dcmdump(path: Path) -> list[tuple[str, str]]:
    """Record types and offsets as DCMTK's directory classes find them; they warn about a wrong link."""
    done = subprocess.run([DCMDUMP, str(path)], capture_output=True, timeout=60, check=True)
    assert done.stderr == b""
    text = done.stdout.decode("latin-1")
    return re.findall(r'"Directory Record" ([A-Z ]+?) #=\d+.*\n\s*#\s+offset=\$(\d+)', text)


# -- reading


@pytest.mark.parametrize(("name", "roots", "files", "codes"), READ.values(), ids=READ)
def test_dicomdirs_of_others_are_read(name, roots, files, codes):
    file_set = FileSet(DIRS / name)
    assert (len(file_set.roots), len(file_set)) == (roots, files)
    assert {issue.code for issue in file_set.issues} == codes


@pytest.mark.parametrize("name", ["DICOMDIR", "DICOMDIR-reordered", "DICOMDIR-implicit", "TINY_ALPHA/DICOMDIR"])
def test_instances_are_those_that_pydicom_finds(name):
    path = DIRS / name
    assert by_ours(FileSet(path)) == by_pydicom(path)


@pytest.mark.parametrize("kind", ["path", "text", "folder", "bytes", "stream", "data set"])
def test_every_kind_of_source_is_read(kind, tmp_path):
    path = Path(shutil.copy(DIRS / "DICOMDIR", tmp_path))
    src = {
        "path": path,
        "text": str(path),
        "folder": tmp_path,
        "bytes": path.read_bytes(),
        "stream": io.BytesIO(path.read_bytes()),
        "data set": dc.dcmread(path),
    }[kind]
    file_set = dc.FileSet(src)
    assert len(file_set) == 31
    assert file_set.path == (None if kind in ("bytes", "stream") else str(tmp_path))


def test_a_file_that_is_no_dicomdir_is_refused():
    with pytest.raises(dc.DicomError, match="no DICOMDIR"):
        FileSet(real("CT_small.dcm"))
    with pytest.raises(FileNotFoundError):
        FileSet("nowhere")


def test_orphans_are_added_by_their_order_or_left_out():
    taken, left = FileSet(DIRS / "DICOMDIR-nopatient"), FileSet(DIRS / "DICOMDIR-nopatient", include_orphans=False)
    assert len(taken) == 31
    assert len(left) < 31
    assert "RECORD_ORPHAN" in {issue.code for issue in taken.issues}


NEXT, LOWER, IN_USE = (b"\x04\0\0\x14UL\x04\0", b"\x04\0\x20\x14UL\x04\0", b"\x04\0\x10\x14US\x02\0")
SPOILT = {  # name: (the link of the record, its faulty value, the code of the issue)
    "a record behind itself": (NEXT, 0, "self", "RECORD_LOOP"),
    "a record below itself": (LOWER, 0, "self", "RECORD_LOOP"),
    "behind the end": (NEXT, 0, 0xFFFFFFF0, "RECORD_LINK"),
    "between two records": (LOWER, 1, 401, "RECORD_LINK"),
    "back to the first": (LOWER, 3, 396, "RECORD_LOOP"),
    "nothing below a patient": (LOWER, 0, 0, "RECORD_ORPHAN"),
}


def patched(data: bytes, field: bytes, which: int, value: int | str) -> bytes:
    at = [match.start() for match in re.finditer(re.escape(field), data)][which]
    item = data.rindex(b"\xfe\xff\x00\xe0", 0, at)
    number = item if value == "self" else value
    return data[: at + 8] + struct.pack("<I", number) + data[at + 12 :]


@pytest.mark.parametrize(("field", "which", "value", "code"), SPOILT.values(), ids=SPOILT)
def test_faulty_links_are_reported_and_every_record_has_one_place(field, which, value, code):
    data = patched((DIRS / "DICOMDIR").read_bytes(), field, which, value)
    file_set = FileSet(data)
    assert code in {issue.code for issue in file_set.issues}
    assert len(list(walk(file_set.roots))) == 52
    assert len(file_set) == 31
    again = FileSet(file_set.to_bytes())
    assert by_ours(again) == by_ours(file_set)
    assert {issue.code for issue in again.issues} <= {"RECORD_PLACE"}


@pytest.mark.parametrize("name", ["DICOMDIR", "DICOMDIR-reordered"])
def test_a_lost_root_is_made_up_for(name):
    """Without links from the root, links among the records count before their order does."""
    data = bytearray((DIRS / name).read_bytes())
    at = data.index(b"\x04\0\0\x12UL") + 8
    data[at : at + 4] = bytes(4)
    file_set = FileSet(bytes(data))
    assert {"RECORD_LINK", "RECORD_ORPHAN"} == {issue.code for issue in file_set.issues}
    assert by_ours(file_set) == by_ours(FileSet(DIRS / name))


def test_records_not_in_use_are_reported_and_not_listed():
    data = (DIRS / "DICOMDIR").read_bytes()
    at = data.index(IN_USE) + len(IN_USE)
    file_set = FileSet(data[:at] + b"\0\0" + data[at + 2 :])
    assert "RECORD_INACTIVE" in {issue.code for issue in file_set.issues}
    assert {one.PatientID for one in file_set} == {FileSet(data).roots[1].keys.PatientID}
    assert len(FileSet(file_set.to_bytes()).roots) == 1


def test_levels_are_bounded():
    """A chain of records, each below the one before: the limit ends it, and nothing recurses."""
    links = b"\x04\0\0\x14UL\x04\0\0\0\0\0\x04\0\x10\x14US\x02\0\xff\xff\x04\0\x20\x14UL\x04\0%s"
    item = links + b"\x04\0\x30\x14CS\x08\0PRIVATE "
    size, count, first = len(item) - 2 + 4 + 8, 5000, 0
    head = FileSet().to_bytes()
    first = len(head)
    data = bytearray(head)
    struct.pack_into("<I", data, head.index(b"\x04\0\0\x12") + 8, first)
    struct.pack_into("<I", data, head.index(b"\x04\0\x20\x12") + 8, size * count)
    for i in range(count):
        below = struct.pack("<I", first + size * (i + 1) if i + 1 < count else 0)
        body = item.replace(b"%s", below)
        data += b"\xfe\xff\0\xe0" + struct.pack("<I", len(body)) + body
    file_set = FileSet(bytes(data))
    assert "RECORD_DEPTH" in {issue.code for issue in file_set.issues}
    assert len(list(walk(file_set.roots))) == count
    assert max(len(record.chain()) for record in walk(file_set.roots)) == dc.Limits().depth


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 103), st.integers(-1, 51)), max_size=104))
def test_however_records_are_linked_each_has_one_place(links):
    """Any link set to any record or none: no record is lost or doubled, and the written DICOMDIR is valid."""
    data = bytearray((DIRS / "DICOMDIR").read_bytes())
    fields = [match.start() + 8 for match in re.finditer(rb"\x04\0[\0\x20]\x14UL\x04\0", data)]
    items = [match.start() for match in re.finditer(rb"\xfe\xff\0\xe0", data)]
    for which, record in links:
        struct.pack_into("<I", data, fields[which], 0 if record < 0 else items[record])
    file_set = FileSet(bytes(data))
    records = list(walk(file_set.roots))
    assert len({id(record) for record in records}) == len(records) == 52
    again = FileSet(file_set.to_bytes())
    assert {issue.code for issue in again.issues} <= {"RECORD_PLACE"}
    assert by_ours(again) == by_ours(file_set)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_any_bytes_are_read_or_refused(data):
    whole = bytearray((DIRS / "DICOMDIR").read_bytes())
    for _ in range(data.draw(st.integers(1, 20))):
        whole[data.draw(st.integers(128, len(whole) - 1))] = data.draw(st.integers(0, 255))
    try:
        file_set = FileSet(bytes(whole[: data.draw(st.integers(132, len(whole)))]))
        records = list(walk(file_set.roots))
        assert len({id(record) for record in records}) == len(records)  # each has one place
        assert all(record.chain()[0] in file_set.roots for record in records)
        list(file_set)
        file_set.check(files=False)
    except dc.DicomError:
        pass


def test_files_of_multi_referenced_file_records_are_resolved():
    """In earlier editions a record could refer to its file through an MRDR record, which is in no entity."""

    def record(kind: bytes, *more: bytes) -> bytes:
        links = element(0x00041400, "UL", bytes(4)) + element(0x00041410, "US", b"\xff\xff")
        return item(links + element(0x00041420, "UL", bytes(4)) + element(0x00041430, "CS", kind) + b"".join(more))

    named = element(0x00041500, "CS", b"A\\B ") + element(0x00041511, "UI", b"1.2\0")
    shared = record(b"MRDR", named)
    head = FileSet().to_bytes()[:-12]
    first = len(head) + 12
    image = record(b"PRIVATE ", element(0x00041504, "UL", struct.pack("<I", first)))
    data = bytearray(head + sequence(0x00041220, shared, image))
    at = head.index(b"\x04\0\0\x12") + 8
    data[at : at + 4] = data[at + 12 : at + 16] = struct.pack("<I", first + len(shared))
    file_set = FileSet(bytes(data))
    assert [(one.ReferencedFileID, one.SOPInstanceUID) for one in file_set] == [(("A", "B"), "1.2")]
    assert file_set.issues == ()


# -- writing what was read


@pytest.mark.parametrize("name", [name for name, *_ in READ.values()])
def test_a_rewritten_dicomdir_has_the_same_records(name, tmp_path):
    file_set = FileSet(DIRS / name)
    (tmp_path / "DICOMDIR").write_bytes(file_set.to_bytes())
    again = FileSet(tmp_path)
    assert again.issues == ()
    assert again.UID == file_set.UID
    assert [str(record.keys.get("PatientName")) for record in walk(again.roots)] == [
        str(record.keys.get("PatientName")) for record in walk(file_set.roots)
    ]
    if "no" not in name:  # pydicom's reading of broken ones isn't compared
        shutil.copytree((DIRS / name).parent, tmp_path, dirs_exist_ok=True, ignore=shutil.ignore_patterns("DICOMDIR*"))
        assert by_pydicom(tmp_path / "DICOMDIR") == by_ours(again)
    if DCMDUMP:
        assert len(by_dcmdump(tmp_path / "DICOMDIR")) == len(list(walk(file_set.roots)))


def test_offsets_are_those_that_dcmtk_finds(tmp_path):
    if DCMDUMP is None:
        pytest.skip("dcmdump is not here")
    (tmp_path / "DICOMDIR").write_bytes(FileSet(DIRS / "DICOMDIR").to_bytes())
    ours = [(record.type, str(record.offset)) for record in walk(FileSet(tmp_path).roots)]
    assert by_dcmdump(tmp_path / "DICOMDIR") == ours


# -- making


def test_made_from_real_files_and_read_by_pydicom(images, tmp_path):
    file_set = FileSet()
    file_set.ID = "MY SET"
    for path in images:
        assert file_set.add(path).is_staged
    file_set.write(tmp_path / "set")
    assert not file_set.is_staged
    theirs = by_pydicom(tmp_path / "set" / "DICOMDIR")
    assert theirs == by_ours(FileSet(tmp_path / "set")) == by_ours(file_set)
    for one in file_set:
        assert one.load().SOPInstanceUID == one.SOPInstanceUID
        assert file_id_faults(one.ReferencedFileID) == []
    stored = {Path(one.path).read_bytes() for one in file_set}
    assert stored == {path.read_bytes() for path in images}
    assert file_set.check() == ()


def test_dcmmkdir_makes_the_same_tree(tmp_path):
    if DCMMKDIR is None:
        pytest.skip("dcmmkdir is not here")
    shutil.copytree(DIRS / "77654033", tmp_path / "77654033")
    ours = FileSet.new(tmp_path)
    for path in sorted((tmp_path / "77654033").rglob("*")):
        if path.is_file():
            ours.add(path)
    subprocess.run(
        [DCMMKDIR, "+r", "+id", str(tmp_path), "-Nxc", "+D", str(tmp_path / "THEIRS")], check=True, capture_output=True
    )
    theirs = FileSet(tmp_path / "THEIRS")
    assert theirs.issues == ()
    assert by_ours(theirs) == by_ours(ours)


def test_dcmmkdir_appends_to_ours(tmp_path):
    if DCMMKDIR is None:
        pytest.skip("dcmmkdir is not here")
    shutil.copy(real("CT_small.dcm"), tmp_path / "CT1")
    shutil.copy(real("MR_small.dcm"), tmp_path / "MR1")
    file_set = FileSet.new(tmp_path)
    file_set.add(tmp_path / "CT1")
    file_set.write()
    command = [DCMMKDIR, "+A", "+D", str(tmp_path / "DICOMDIR"), "+id", str(tmp_path), "-Nxc", "+I", "MR1"]
    subprocess.run(command, check=True, capture_output=True)
    again = FileSet(tmp_path)
    assert {one.ReferencedFileID for one in again} == {("CT1",), ("MR1",)}
    assert again.issues == ()


def test_every_record_of_a_mixed_set_has_its_keys(tmp_path):
    """For all real files: the records meet the rules, and every SOP class has its record type."""
    file_set = FileSet()
    for path in sorted((PYDICOM / "test_files").glob("*.dcm")):
        try:
            file_set.add(path, invent=True)
        except (dc.DicomError, OSError):
            continue
    kinds = {one.record.type for one in file_set}
    assert {"IMAGE", "SR DOCUMENT", "WAVEFORM", "RT PLAN", "RT DOSE"} <= kinds
    file_set.write(tmp_path)
    assert file_set.check() == ()
    assert by_pydicom(tmp_path / "DICOMDIR") == by_ours(FileSet(tmp_path))


def test_character_sets_are_kept(tmp_path):
    file_set = FileSet()
    names = {}
    for path in sorted((PYDICOM / "charset_files").glob("*.dcm")):
        ds = dc.dcmread(path)
        if "PatientName" not in ds or not ds.PatientName:
            continue
        ds = dc.Dataset(ds)
        ds.SOPClassUID, ds.Rows = "1.2.840.10008.5.1.4.1.1.7", 1
        ds.SOPInstanceUID = ds.StudyInstanceUID = ds.SeriesInstanceUID = f"1.2.3.{len(names)}"
        ds.PatientID = path.stem
        names[path.stem] = str(ds.PatientName)
        file_set.add(ds, invent=True)
    again = FileSet(file_set.to_bytes())
    assert len(names) > 10
    assert {one.PatientID: str(one.PatientName) for one in again} == names
    written = pydicom.dcmread(io.BytesIO(file_set.to_bytes()))
    theirs = {r.PatientID: str(r.PatientName) for r in written.DirectoryRecordSequence if "PatientID" in r}
    assert theirs == names


@pytest.mark.parametrize(
    "name", ["ExplVR_BigEnd.dcm", "MR_small_implicit.dcm", "MR_small_bigendian.dcm", "image_dfl.dcm"]
)
def test_keys_of_every_encoding(name):
    file_set = FileSet(profile="STD-CTMR-CD")
    made = file_set.add(real(name), invent=True)
    ds, again = dc.dcmread(real(name)), next(iter(FileSet(file_set.to_bytes())))
    assert (again.Rows, again.Columns) == (made.Rows, made.Columns) == (ds.Rows, ds.Columns)
    assert again.TransferSyntaxUID == ds.transfer_syntax


def test_files_in_the_folder_stay_where_they_are(tmp_path):
    place = tmp_path / "A" / "CT1"
    place.parent.mkdir()
    shutil.copy(real("CT_small.dcm"), place)
    file_set = FileSet.new(tmp_path)
    instance = file_set.add(place)
    assert instance.ReferencedFileID == ("A", "CT1")
    assert not instance.is_staged
    file_set.write()
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["A", "CT1", "DICOMDIR"]
    assert FileSet(tmp_path).check() == ()


def test_an_instance_is_added_once():
    file_set = FileSet()
    assert file_set.add(real("CT_small.dcm")) == file_set.add(real("CT_small.dcm"))
    assert len(file_set) == 1


def test_missing_keys_are_named_or_made_up():
    ds = dc.dcmread(real("CT_small.dcm"))
    ds = dc.Dataset(ds)
    del ds.PatientID, ds.SeriesNumber
    file_set = FileSet()
    with pytest.raises(dc.EncodeError, match="PatientID"):
        file_set.add(ds)
    assert file_set.roots == []
    made = file_set.add(ds, invent=True)
    assert (made.PatientID, made.SeriesNumber) == ("UNKNOWN1", 1)
    del ds.StudyInstanceUID
    ds.SOPInstanceUID = "1.2.3"
    with pytest.raises(dc.EncodeError, match="StudyInstanceUID"):
        file_set.add(ds, invent=True)


def test_a_patient_id_with_two_names_is_reported():
    file_set = FileSet()
    ds = dc.Dataset(dc.dcmread(real("CT_small.dcm")))
    file_set.add(ds)
    ds.SOPInstanceUID, ds.PatientName = "1.2.3", "Other^Name"
    file_set.add(ds)
    assert [issue.code for issue in file_set.issues] == ["PATIENT_NAME"]
    assert len(file_set.roots) == 1


@pytest.mark.parametrize("name", ["DICOMDIR", "TINY_ALPHA/DICOMDIR"])
def test_a_dicomdir_is_no_instance(name):
    with pytest.raises(dc.DicomError, match="can't refer to a DICOMDIR"):
        FileSet().add(DIRS / name)


def test_icons(tmp_path):
    file_set = FileSet()
    file_set.add(real("CT_small.dcm"), icon=True)
    file_set.add(real("SC_rgb_gdcm_KY.dcm"), icon=32, invent=True)
    file_set.write(tmp_path)
    icons = [one.IconImageSequence[0] for one in FileSet(tmp_path)]
    assert [(icon.Rows, icon.Columns, icon.BitsAllocated) for icon in icons] == [(64, 64, 8), (32, 32, 8)]
    theirs = [one.IconImageSequence[0] for one in pydicom.fileset.FileSet(str(tmp_path / "DICOMDIR"))]
    for ours, icon in zip(icons, theirs, strict=True):
        assert bytes(ours.PixelData) == icon.PixelData
        assert ours.frames[0].std() > 10
    full = dc.dcmread(real("CT_small.dcm")).frames.render(0)
    assert abs(int(full.mean()) - int(icons[0].frames[0].mean())) <= 1
    text = FileSet()
    assert "IconImageSequence" not in text.add(real("test-SR.dcm"), icon=True, invent=True)


# -- finding


def test_find_by_every_level():
    file_set = FileSet(DIRS / "DICOMDIR")
    patient = file_set.find_values("PatientID")[0]
    assert len(file_set.find(PatientID=patient)) == sum(one.PatientID == patient for one in file_set)
    one = file_set.find(Modality="CT")[0]
    assert one in file_set.find(SeriesInstanceUID=one.SeriesInstanceUID)
    assert file_set.find(SOPInstanceUID=one.SOPInstanceUID) == [one] == [file_set.instance(one.SOPInstanceUID)]
    assert file_set.find(PatientID="nobody") == []
    assert file_set.find(load=True, PatientID=patient, SamplesPerPixel=1) == file_set.find(PatientID=patient)
    assert file_set.find(PatientID=patient, SamplesPerPixel=1) == []
    with pytest.raises(AttributeError, match="NoSuchThing"):
        one.NoSuchThing  # noqa: B018
    with pytest.raises(KeyError):
        file_set.instance("1.2.3")


# -- File IDs

FILE_IDS = {  # name: (components, whether they are in order)
    "eight of eight": (("ABCDEFGH",) * 8, True),
    "figures and line": (("0_9",), True),
    "none": ((), False),
    "nine components": (("A",) * 9, False),
    "nine characters": (("ABCDEFGHI",), False),
    "lower case": (("a",), False),
    "a point": (("A.DCM",), False),
    "a space": (("A B",), False),
    "empty": (("A", ""), False),
    "not ASCII": (("Ä",), False),
    "the directory itself": (("DICOMDIR",), False),
}


@pytest.mark.parametrize(("file_id", "good"), FILE_IDS.values(), ids=FILE_IDS)
def test_file_ids_are_accepted_or_refused(file_id, good):
    assert (file_id_faults(file_id) == []) is good
    if good:
        assert to_file_id("\\".join(file_id)) == to_file_id("/".join(file_id)) == file_id
    else:
        with pytest.raises(dc.DicomError):
            to_file_id(file_id)


@pytest.mark.parametrize("file_id", [("..", "x"), ("/etc", "passwd"), ("a\0b",), (".",), ("a/b",), ("C:",), ()])
def test_no_new_file_leads_out_of_the_folder(file_id, tmp_path):
    with pytest.raises(dc.DicomError, match="leads out"):
        path_of(str(tmp_path), file_id)


@pytest.mark.parametrize(
    "file_id", [("..", "x"), ("a\0b",), (".",), ("a", "../../x"), ("..\\x",), ("C:",), ("C:\\x",), ("/",), ()]
)
def test_no_file_is_looked_for_outside_of_the_folder(file_id, tmp_path):
    with pytest.raises(dc.DicomError, match="leads out"):
        Medium(str(tmp_path / "disc")).find(file_id)


NAMES = {  # name: (File ID, the file on the medium)
    "as it is": (("PT0", "IM1"), "PT0/IM1"),
    "lower case": (("PT0", "IM1"), "pt0/im1"),
    "mixed case": (("PT0", "IM1"), "Pt0/Im1"),
    "suffix": (("PT0", "IM1"), "PT0/IM1.dcm"),
    "suffix, lower case": (("PT0", "IM1"), "pt0/im1.dcm"),
    "suffix, upper case": (("PT0", "IM1"), "PT0/IM1.DCM"),
    "ISO 9660's version": (("PT0", "IM1"), "PT0/IM1.;1"),
    "the suffix in the File ID": (("PT0", "IM1.DCM"), "PT0/IM1"),
    "a path in one component": (("PT0/IM1",), "PT0/IM1"),
    "a Windows path in one component": (("PT0\\IM1",), "PT0/IM1"),
    "a leading point": ((".", "PT0", "IM1"), "PT0/IM1"),
    "a leading point in a path": (("./PT0/IM1",), "PT0/IM1"),
    "a leading separator": (("", "PT0", "IM1"), "PT0/IM1"),
    "an absolute path stays inside": (("/PT0", "IM1"), "PT0/IM1"),
}


@pytest.mark.parametrize(("file_id", "name"), NAMES.values(), ids=NAMES)
def test_files_are_found_under_slightly_different_names(file_id, name, tmp_path):
    path = tmp_path / name
    path.parent.mkdir()
    path.write_bytes(b"")
    path.with_name("IM10").write_bytes(b"")
    assert Medium(str(tmp_path)).find(file_id) == str(path)


def test_a_name_without_suffix_wins(tmp_path):
    for name in ("Im1.Dcm", "Im1", "IM1.;1"):
        (tmp_path / name).write_bytes(b"")
    assert Medium(str(tmp_path)).find(("iM1",)) == str(tmp_path / "Im1")


def sloppy_medium(folder, rename) -> FileSet:
    """A file-set of three files, each renamed without a change of the DICOMDIR."""
    file_set = FileSet.new(folder)
    for name in ("CT_small.dcm", "MR_small.dcm", "rtdose.dcm"):
        file_set.add(pydicom.data.get_testdata_file(name), invent=True)
    file_set.write()
    for instance in file_set:
        path = Path(instance.path)
        path.rename(path.with_name(rename(path.name)))
    return FileSet(folder)


@pytest.mark.parametrize("rename", [lambda name: name + ".dcm", lambda name: name.lower() + ".DCM"])
def test_a_medium_with_suffixes_is_read_checked_and_changed(rename, tmp_path):
    file_set = sloppy_medium(tmp_path / "disc", rename)
    assert [instance.load().SOPInstanceUID for instance in file_set] == [one.SOPInstanceUID for one in file_set]
    found = [finding.code for finding in file_set.check()]
    assert found.count("FILE_NAME") == 3
    assert "FILE_MISSING" not in found
    assert "FILE_UNREFERENCED" not in found
    first = next(iter(file_set))
    path = Path(first.path)
    file_set.remove(first)
    file_set.write()
    assert not path.exists()
    assert len(FileSet(tmp_path / "disc")) == 2


def test_new_file_ids_skip_those_that_are_taken():
    taken = {("PT000000",), ("PT000001", "ST000000")}
    file_set = FileSet(DIRS / "DICOMDIR")
    record = next(iter(file_set)).record
    made = FileNames(taken.__contains__).new(record)
    assert made == ("PT000001", "ST000001", "SE000000", "IM000000")


# -- record types


def test_each_storage_class_has_a_record_type():
    """Every composite class that pydicom's file-sets know has the same type here."""
    theirs = pydicom.fileset._SINGLE_LEVEL_SOP_CLASSES | pydicom.fileset._FOUR_LEVEL_SOP_CLASSES
    differing = {
        uid: (kind, record_type_of(uid, has_pixels=False))
        for uid, kind in theirs.items()
        if isinstance(kind, str) and record_type_of(uid, has_pixels=False) != kind
    }
    assert {pydicom.uid.UID(uid).keyword for uid in differing} <= DIFFERING


DIFFERING: set[str] = set()


def test_record_types_are_those_of_the_standard():
    assert len(RECORD_TYPES) == 33
    assert len(LEAVES) == 30
    for kind in RECORD_TYPES.values():
        assert all(key.tag for key in kind.keys)


def test_another_file_of_an_instance_is_reported(tmp_path):
    """A file that is not added, but differs from the file of its instance, is an issue."""
    first, copy, other = (tmp_path / name for name in ("first.dcm", "copy.dcm", "other.dcm"))
    data = real("CT_small.dcm").read_bytes()
    first.write_bytes(data)
    copy.write_bytes(data)
    other.write_bytes(data[:-200] + bytes(200))
    made = dc.FileSet()
    instance = made.add(first)
    assert made.add(copy) == made.add(other) == instance
    assert [issue.code for issue in made.issues] == ["DUPLICATE_INSTANCE"]
    assert str(other) in made.issues[0].message


def test_errors_advise_only_options_that_exist(tmp_path):
    bare = tmp_path / "bare"
    bare.write_bytes(bytes(200))
    for read in (dc.FileSet, dc.FileSet().add):
        with pytest.raises(dc.InvalidDicomError, match=r"at byte 0$"):
            read(bare)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no such files")
def test_a_pipe_is_refused_as_a_dicomdir(tmp_path):
    os.mkfifo(tmp_path / "DICOMDIR")
    with pytest.raises(OSError, match="a pipe"):
        dc.FileSet(tmp_path)

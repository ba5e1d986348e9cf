"""Checks of a file-set: faults by PS3.3 and PS3.10, and the application profiles that it meets."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import dicomcore as dc
from dicomcore.fileset import PROFILES, FileSet, Record
from dicomcore.fileset.profiles import ANY, MULTI_FRAME
from tests.fileset.test_changes import an_instance
from tests.support.corpus import real

CT, XA, US, DX = (
    "1.2.840.10008.5.1.4.1.1.2",
    "1.2.840.10008.5.1.4.1.1.12.1",
    "1.2.840.10008.5.1.4.1.1.6.1",
    "1.2.840.10008.5.1.4.1.1.1.1",
)
EXPLICIT, SV1, MPEG2 = "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.4.70", "1.2.840.10008.1.2.4.100"


def an_image(sop_class: str, syntax: str = EXPLICIT, **values) -> dc.Dataset:
    ds = an_instance(1)
    ds.SOPClassUID = sop_class
    ds.file_meta = dc.Dataset()
    ds.file_meta.TransferSyntaxUID = syntax
    ds.Rows = ds.Columns = 64
    ds.BitsAllocated = ds.BitsStored = 8
    ds.HighBit, ds.PixelRepresentation, ds.SamplesPerPixel = 7, 0, 1
    ds.PhotometricInterpretation = "MONOCHROME2"
    for keyword, value in values.items():
        setattr(ds, keyword, value)
    return ds


def verdict_on(ds: dc.Dataset, profile: str, **options) -> tuple[bool, set[str]]:
    file_set = FileSet(profile=profile)
    file_set.add(ds, **options)
    verdict = file_set.check_profile()
    return verdict.meets, {finding.code for finding in verdict.findings}


CASES = {  # (profile, image): (SOP class, transfer syntax, attributes, codes of the violations)
    ("STD-GEN-CD", "CT"): (CT, EXPLICIT, {}, set()),
    ("STD-GEN-CD", "CT in JPEG"): (CT, SV1, {}, {"PROFILE_SYNTAX"}),
    ("STD-GEN-USB-JPEG", "CT in JPEG"): (CT, SV1, {}, set()),
    ("STD-GEN-USB-J2K", "CT in JPEG"): (CT, SV1, {}, {"PROFILE_SYNTAX"}),
    ("STD-GEN-SEC-CD", "CT"): (CT, EXPLICIT, {}, {"PROFILE_SECURE"}),
    ("STD-CTMR-CD", "CT in JPEG"): (CT, SV1, {"Modality": "CT"}, set()),
    ("STD-CTMR-CD", "CT of another modality"): (CT, EXPLICIT, {"Modality": "MR"}, {"PROFILE_VALUE"}),
    ("STD-CTMR-CD", "US"): (US, EXPLICIT, {"Modality": "US"}, {"PROFILE_CLASS"}),
    ("STD-XABC-CD", "XA without icon"): (XA, SV1, {"Modality": "XA", "ImageType": "ORIGINAL"}, {"PROFILE_ICON"}),
    ("STD-XABC-CD", "large XA"): (
        XA,
        SV1,
        {"Modality": "XA", "ImageType": "ORIGINAL", "Rows": 513},
        {"PROFILE_ICON", "PROFILE_VALUE"},
    ),
    ("STD-US-ID-SF-CDR", "US"): (US, EXPLICIT, {}, set()),
    ("STD-US-SC-SF-CDR", "US without regions"): (US, EXPLICIT, {}, {"PROFILE_VALUE"}),
    ("STD-DEN-CD", "DX"): (DX, EXPLICIT, {}, set()),
    ("STD-DEN-CD", "DX of 12 bits in 8"): (DX, EXPLICIT, {"BitsStored": 12}, {"PROFILE_VALUE"}),
    ("STD-DVD-MPEG2-MPML", "single frame"): (US, MPEG2, {}, {"PROFILE_CLASS"}),
    ("STD-DVD-MPEG2-MPML", "video"): (US, MPEG2, {"NumberOfFrames": 3}, set()),
    ("STD-GEN-MIME", "anything"): (US, "1.2.840.10008.1.2.2", {}, set()),
}


@pytest.mark.parametrize(
    ("profile", "sop_class", "syntax", "values", "codes"),
    [(profile, *case) for (profile, _), case in CASES.items()],
    ids=[" ".join(name) for name in CASES],
)
def test_profiles(profile, sop_class, syntax, values, codes):
    assert verdict_on(an_image(sop_class, syntax, **values), profile, icon=False) == (not codes, codes)


def test_a_profile_adds_its_keys():
    ds = an_image(CT, Modality="CT", PixelSpacing=[1, 2], PatientSex="O", ImageType=["ORIGINAL", "PRIMARY"])
    general, localized, person = (FileSet(profile=name) for name in ("STD-GEN-CD", "STD-CTMR-CD", "STD-GEN-DVD-JPEG"))
    one, other, third = (file_set.add(ds) for file_set in (general, localized, person))
    assert "PixelSpacing" not in one
    assert one.ImageType == ["ORIGINAL", "PRIMARY"]
    assert other.PixelSpacing == [1, 2]
    assert (third.PatientSex, third.Rows) == ("O", 64)
    assert localized.check_profile().meets
    lacking = localized.check_profile("STD-GEN-DVD-JPEG").findings
    assert {finding.code for finding in lacking} == {"KEY_MISSING"}
    assert any("PatientSex" in finding.message for finding in lacking)


def test_levels_get_keys_that_only_a_later_instance_has():
    file_set = FileSet(profile="STD-GEN-DVD-JPEG")
    file_set.add(an_image(CT))
    assert "PatientSex" not in file_set.roots[0].keys
    file_set.add(an_image(CT, SOPInstanceUID="1.2.3.4", PatientSex="O"))
    assert file_set.roots[0].keys.PatientSex == "O"
    assert file_set.check_profile().meets


def test_keys_in_shared_functional_groups_are_found():
    ds = an_image("1.2.840.10008.5.1.4.1.1.2.1", NumberOfFrames=2)
    measures, group = dc.Dataset(), dc.Dataset()
    measures.PixelSpacing = [3, 4]
    group.PixelMeasuresSequence = [measures]
    ds.SharedFunctionalGroupsSequence = [group]
    assert FileSet(profile="STD-GEN-BD-JPEG").add(ds).PixelSpacing == [3, 4]


def test_icons_that_a_profile_requires_are_made(tmp_path):
    file_set = FileSet(profile="STD-XA1K-CD")
    one = file_set.add(real("CT_small.dcm"))
    assert (one.IconImageSequence[0].Rows, one.IconImageSequence[0].PhotometricInterpretation) == (128, "MONOCHROME2")
    assert "PROFILE_ICON" not in {finding.code for finding in file_set.check_profile().findings}


def test_every_profile_is_checked():
    file_set = FileSet()
    file_set.add(an_image(CT, Modality="CT"))
    verdicts = file_set.check_profiles()
    assert verdicts.keys() == PROFILES.keys()
    good = {name for name, verdict in verdicts.items() if verdict.meets}
    assert good == {
        "STD-GEN-CD",
        "STD-GEN-DVD-RAM",
        "STD-GEN-BD",
        "STD-GEN-MIME",
        "STD-GEN-ZIP-MAIL",
        "STD-GEN-SEC-ZIP-MAIL",
    }
    for verdict in verdicts.values():
        assert all(verdict.profile.clause in finding.message or finding.where for finding in verdict.findings)


def test_the_profile_tables_are_complete():
    assert len(PROFILES) == 82
    for profile in PROFILES.values():
        assert profile.contents
        for content in profile.contents:
            assert content.sop_classes
            for uid in content.sop_classes:
                assert uid in (ANY, MULTI_FRAME) or dc.UID(uid).type == "SOP Class"
            assert all(dc.UID(uid).is_transfer_syntax for uid in content.syntaxes)
        for _, key in profile.keys:
            assert key.tag
            assert key.type in ("1", "1C", "2", "2C", "3")


def test_unknown_profiles_are_refused():
    with pytest.raises(ValueError, match="STD-CTMR-CD"):
        FileSet(profile="STD-CTMR-XY")


# -- faults


@pytest.fixture
def file_set(tmp_path) -> FileSet:
    made = FileSet()
    made.add(real("CT_small.dcm"))
    made.add(real("MR_small.dcm"))
    made.write(tmp_path / "set")
    return FileSet(tmp_path / "set")


def path(file_set, i=0):
    return list(file_set)[i].path


def set_file_id(file_set, *components):
    keys = next(iter(file_set)).record.keys
    with pytest.warns(UserWarning, match="CS is a code"):
        keys.ReferencedFileID = list(components)


FAULTS = {  # name: (the change to the file-set, code, words in the message)
    "file gone": (lambda fs: Path(path(fs)).unlink(), "FILE_MISSING", "missing"),
    "file no DICOM": (lambda fs: Path(path(fs)).write_bytes(b"x" * 999), "FILE_FORMAT", "not DICOM"),
    "another file": (lambda fs: shutil.copy(path(fs, 1), path(fs)), "FILE_DIFFERS", "SOP instance"),
    "unreferenced file": (lambda fs: shutil.copy(path(fs), fs.path + "/NEW"), "FILE_UNREFERENCED", "no record"),
    "File ID in lower case": (
        lambda fs: set_file_id(fs, "a.dcm"),
        "FILE_ID",
        "'a.dcm'",
    ),
    "File ID that leads out": (
        lambda fs: set_file_id(fs, "..", "X"),
        "FILE_ID",
        "'..'",
    ),
    "key empty": (lambda fs: setattr(fs.roots[0].keys, "PatientID", ""), "KEY_MISSING", "PatientID is empty"),
    "key gone": (lambda fs: delattr(fs.roots[0].keys, "PatientName"), "KEY_MISSING", "PatientName is missing"),
    "file twice": (
        lambda fs: setattr(next(iter(fs)).record.keys, "ReferencedFileID", list(list(fs)[1].ReferencedFileID)),
        "FILE_TWICE",
        "F.2.1",
    ),
    "instance twice": (
        lambda fs: setattr(next(iter(fs)).record.keys, "ReferencedSOPInstanceUIDInFile", list(fs)[1].SOPInstanceUID),
        "INSTANCE_TWICE",
        "instance",
    ),
    "record in the wrong place": (
        lambda fs: fs.roots.append(Record(next(iter(fs)).record.parent.keys)),
        "RECORD_PLACE",
        "root entity",
    ),
}


def test_a_valid_file_set_has_no_faults(file_set):
    assert file_set.check() == ()


@pytest.mark.thread_unsafe(reason="changes the fixture's files")
@pytest.mark.parametrize(("spoil", "code", "words"), FAULTS.values(), ids=FAULTS)
def test_faults_are_reported(spoil, code, words, file_set):
    spoil(file_set)
    found = [finding for finding in file_set.check() if finding.code == code]
    assert found
    assert any(words in finding.message for finding in found)


def test_record_types_of_earlier_editions_are_reported():
    keys = dc.Dataset()
    keys.DirectoryRecordType = "CURVE"
    made = FileSet()
    made.roots.append(Record(keys))
    again = FileSet(made.to_bytes())
    assert [finding.code for finding in again.check()] == ["RECORD_RETIRED"]

"""A damaged header gives a sequence another VR: every function treats it as a missing sequence."""

from __future__ import annotations

from pathlib import Path

import pytest

import dicomcore as dc
from dicomcore.fileset.directory import read_directory
from tests.support.corpus import PYDICOM

UIDS = ["1.2", "1.3"]
DICOMDIR = "dicomdirtests/DICOMDIR"


def damaged(name: str, *keywords: str) -> dc.Dataset:
    """A test file of pydicom whose element at this path of keywords holds two UIDs, as read from bytes."""
    ds = dc.dcmread(PYDICOM / "test_files" / name)
    place = ds
    for step in keywords[:-1]:
        place = place[step].value[0]
    place[keywords[-1]] = dc.DataElement(keywords[-1], "UI", UIDS)
    return dc.dcmread(ds.to_bytes(enforce_standard=False))


def read_records(tmp_path: Path) -> None:
    ds = damaged(DICOMDIR, "DirectoryRecordSequence")
    assert ds.DirectoryRecordSequence == UIDS
    assert read_directory(ds).roots == []


def change_a_directory(tmp_path: Path) -> None:
    path = tmp_path / "DICOMDIR"
    damaged(DICOMDIR, "DirectoryRecordSequence").save_as(path, enforce_standard=False)
    with pytest.warns(UserWarning, match="not linked any more"):
        dc.patch(path, {"FileSetID": "A LONGER NAME"})
    assert dc.dcmread(path).DirectoryRecordSequence == UIDS


def index_a_directory(tmp_path: Path) -> None:
    archive = pytest.importorskip("dicomcore.archive")
    path = tmp_path / "DICOMDIR"
    damaged(DICOMDIR, "DirectoryRecordSequence").save_as(path, enforce_standard=False)
    assert archive.index(path).num_rows == 0


def colour_profile(tmp_path: Path) -> None:
    assert damaged("SC_rgb_rle.dcm", "OpticalPathSequence").frames.icc_profile is None


def transcode_icons(tmp_path: Path) -> None:
    dc.transcode(damaged("MR_small.dcm", "IconImageSequence"), tmp_path / "made", to="rle")
    assert dc.dcmread(tmp_path / "made").IconImageSequence == UIDS


def scale_waveforms(tmp_path: Path) -> None:
    ds = damaged("waveform_ecg.dcm", "WaveformSequence", "ChannelDefinitionSequence")
    assert (ds.waveforms.decode(0, scaled=True) == ds.waveforms[0]).all()


def render_tables(tmp_path: Path) -> None:
    ds = damaged("MR_small.dcm", "ModalityLUTSequence")
    for keyword in ("PresentationLUTSequence", "VOILUTSequence", "PerFrameFunctionalGroupsSequence"):
        ds[keyword] = dc.DataElement(keyword, "UI", UIDS)
    plain = dc.dcmread(PYDICOM / "test_files" / "MR_small.dcm")
    assert (ds.frames.render(0) == plain.frames.render(0)).all()


def slices_of_groups(tmp_path: Path) -> None:
    slices = pytest.importorskip("dicomcore.archive.imaging.slices")
    ds = damaged("MR_small.dcm", "PerFrameFunctionalGroupsSequence")
    ds.SharedFunctionalGroupsSequence = []
    assert [one.frame for one in slices.slices_of("", ds)[0]] == [0]
    ds = damaged("liver_1frame.dcm", "SharedFunctionalGroupsSequence")
    slices.slices_of("", ds)
    ds = damaged("liver_1frame.dcm", "SharedFunctionalGroupsSequence", "PixelMeasuresSequence")
    slices.slices_of("", ds)


def record_a_file(tmp_path: Path) -> None:
    for keyword in ("SharedFunctionalGroupsSequence", "VerifyingObserverSequence", "ContentSequence"):
        path = tmp_path / keyword[:8].upper()
        damaged("MR_small.dcm", keyword).save_as(path, enforce_standard=False)
        file_set = dc.FileSet()
        file_set.add(path)
        assert len(file_set) == 1


@pytest.mark.filterwarnings("ignore:the DICOMDIR's records are not linked")
@pytest.mark.parametrize(
    "case",
    [
        read_records, change_a_directory, index_a_directory, colour_profile, transcode_icons, scale_waveforms,
        render_tables, slices_of_groups, record_a_file,
    ],
)  # fmt: skip
def test_values_in_place_of_a_sequence_count_as_no_items(case, tmp_path):
    case(tmp_path)

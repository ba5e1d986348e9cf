"""The de-identification set and its scorer: what the key says is true of the files, and no fault goes unseen."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import pydicom
import pytest
from pydicom.dataset import Dataset

from benches.bench_deid import our_set
from benches.deid_files import ACTIONS, KEEPING, Action
from benches.deid_score import Output, Scorer, folded, in_bytes, resolve, score, texts
from benches.deid_set import make
from tests.support import corpus, standard

pytestmark = [
    pytest.mark.skipif(bool(corpus.ABSENT), reason=corpus.ABSENT),
    pytest.mark.skipif(bool(standard.ABSENT), reason=standard.ABSENT),
    pytest.mark.filterwarnings("ignore:VR lookup failed"),  # bytes after the data set, as pydicom reads them
]


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("set")
    make(folder, seed=7, count=4, quick=True)
    return folder


@pytest.fixture(scope="module")
def untouched(small: Path) -> Scorer:
    """The set as its own output: a tool that does nothing."""
    return Scorer(small, small / "in")


def test_the_same_seed_makes_the_same_bytes(small: Path, tmp_path: Path) -> None:
    make(tmp_path, seed=7, count=4, quick=True)
    names = sorted(one.relative_to(small) for one in small.rglob("*") if one.is_file())
    assert names == sorted(one.relative_to(tmp_path) for one in tmp_path.rglob("*") if one.is_file())
    different = [str(name) for name in names if (small / name).read_bytes() != (tmp_path / name).read_bytes()]
    assert not different


def test_another_seed_makes_other_people(small: Path, tmp_path: Path) -> None:
    make(tmp_path, seed=8, count=4, quick=True)
    assert (small / "key.jsonl").read_bytes() != (tmp_path / "key.jsonl").read_bytes()


def test_every_kind_of_action_and_forty_places(untouched: Scorer) -> None:
    assert {line.action for line in untouched.lines} == set(ACTIONS)
    assert len({line.place for line in untouched.lines}) >= 40


def test_every_needle_is_in_the_input(untouched: Scorer) -> None:
    absent = []
    for line in untouched.lines:
        if line.action != "text_removed" or line.place.startswith("any identifier"):
            continue
        out = untouched.input(line.file)
        found = resolve(out.ds, line.path) if line.path and line.path != "@path" else None
        said = out.said if not line.path else folded(" ".join(texts(found))) if found is not None else folded(out.name)
        hay = out.hay if not line.path else found.value if found is not None and isinstance(found.value, bytes) else b""
        absent += [(line, one) for one in line.values if folded(one) not in said and not in_bytes(hay.lower(), one)]
    # A directory holds some of the identifiers only, and the key asks for none of them.
    assert not [one for one in absent if one[0].place != "directories of file-sets"]


def test_what_is_kept_is_right_in_the_input_and_nothing_else_is(untouched: Scorer) -> None:
    """A tool that does nothing has every keeping action right and every other one wrong."""
    wrong = {id(one.action) for one in untouched.wrong()}
    assert not [line for line in untouched.lines if (id(line) in wrong) == (line.action in KEEPING)]


# ---- a fault of each kind, planted into the output of an invented tool that is right


FAULTS: dict[str, Callable[[Dataset], None]] = {
    "tag_retained": lambda ds: delattr(ds, "SliceThickness"),
    "text_notnull": lambda ds: setattr(ds, "StructureSetLabel", ""),
    "text_retained": lambda ds: setattr(ds, "ImageComments", ""),
    "text_removed": lambda ds: setattr(ds, "PatientName", "Quill^X"),
    "date_shifted": lambda ds: setattr(ds, "StudyDate", "20190103"),
    "uid_changed": lambda ds: setattr(ds, "StudyInstanceUID", "1.2.3"),
    "uid_consistent": lambda ds: setattr(ds, "StudyInstanceUID", "1.2.999"),
    "patid_consistent": lambda ds: setattr(ds, "PatientID", "other"),
    "pixels_hidden": lambda ds: setattr(ds, "PixelData", bytes(8) + b"\xff" * 16 + bytes(40)),
    "pixels_retained": lambda ds: setattr(ds, "PixelData", bytes(48) + b"\x01" + bytes(15)),
}


def image(**values: object) -> Dataset:
    ds = Dataset()
    ds.SOPClassUID, ds.SOPInstanceUID, ds.InstanceNumber = "1.2.840.10008.5.1.4.1.1.7", "1.2.77", 1
    ds.Rows = ds.Columns = ds.BitsAllocated = ds.BitsStored = 8
    ds.HighBit, ds.SamplesPerPixel, ds.PixelRepresentation = 7, 1, 0
    ds.PhotometricInterpretation = "MONOCHROME2"
    for keyword, value in values.items():
        setattr(ds, keyword, value)
    ds.file_meta = pydicom.dataset.FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian
    ds.file_meta.MediaStorageSOPClassUID, ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPClassUID, "1.2.77"
    return ds


def planted(folder: Path, fault: Callable[[Dataset], None] | None) -> Scorer:
    """A set of two files, and the output for it with a fault in the first file."""
    before = {
        "PatientName": "Quill^X", "PatientID": "Q1", "StudyDate": "20190101", "StudyInstanceUID": "1.2.3",
        "SliceThickness": "2", "StructureSetLabel": "L", "ImageComments": "lung",
        "PixelData": bytes(8) + b"\xff" * 16 + bytes(40),
    }  # fmt: skip
    after = {**before, "PatientName": "A^B", "PatientID": "P1", "StudyDate": "20180101", "StudyInstanceUID": "2.25.1",
             "PixelData": bytes(64)}  # fmt: skip
    for number in (1, 2, 3):
        for place, values in (("in", before), ("out", after)):
            ds = image(**{**values, "InstanceNumber": number})
            if fault and place == "out" and number == 1:
                fault(ds)
            (folder / place).mkdir(exist_ok=True)
            ds.save_as(folder / place / f"{place}{number}.dcm", enforce_file_format=True)
    lines = [asdict(line) for number in (1, 2, 3) for line in key_of(number)]
    (folder / "key.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return Scorer(folder, folder / "out")


def key_of(number: int) -> list[Action]:
    def line(action: str, path: str, *values: str, box: tuple[int, ...] = ()) -> Action:
        return Action(
            f"in{number}.dcm", "1.2.840.10008.5.1.4.1.1.7", number, action, "place", path, values, "Q1", box, False
        )

    return [
        line("tag_retained", "SliceThickness", "2"),
        line("text_notnull", "StructureSetLabel"),
        line("text_retained", "ImageComments", "lung"),
        line("text_removed", "PatientName", "Quill"),
        line("date_shifted", "StudyDate", "20190101"),
        line("uid_changed", "StudyInstanceUID", "1.2.3"),
        line("uid_consistent", "StudyInstanceUID", "1.2.3"),
        line("patid_consistent", "PatientID", "Q1"),
        line("pixels_hidden", "PixelData", box=(0, 0, 4, 8)),
        line("pixels_retained", "", box=(4, 0, 4, 8)),
    ]


def test_a_right_output_has_nothing_wrong(tmp_path: Path) -> None:
    assert not planted(tmp_path, None).wrong()


@pytest.mark.parametrize("kind", FAULTS)
def test_a_planted_fault_is_found(tmp_path: Path, kind: str) -> None:
    wrong = planted(tmp_path, FAULTS[kind]).wrong()
    assert kind in {one.action.action for one in wrong}
    assert {one.action.number for one in wrong} == {1}
    expected = {"uid_changed": {"uid_changed", "uid_consistent"}}.get(kind, {kind})
    assert {one.action.action for one in wrong} == expected


def test_an_output_that_is_not_there_is_wrong(small: Path, tmp_path: Path) -> None:
    shutil.copytree(small / "in", tmp_path / "out")
    gone = next((tmp_path / "out").rglob("root.dcm"))
    name = str(gone.relative_to(tmp_path / "out"))
    gone.unlink()
    found = score(small, tmp_path / "out")
    assert found.missing == 1
    assert {one.action.file for one in found.wrong if one.why == "no output"} == {name}


def test_an_output_is_found_under_another_name(small: Path, tmp_path: Path) -> None:
    for number, one in enumerate(sorted((small / "in").rglob("*"))):
        if one.is_file():
            shutil.copy(one, tmp_path / f"{number:05}")
    scorer = Scorer(small, tmp_path)
    assert all(scorer.output(line) for line in scorer.lines)
    assert isinstance(scorer.output(scorer.lines[0]), Output)


@pytest.mark.parametrize("held_out", [False, True], ids=["the set", "the set of other files"])
def test_dicomcore_has_every_action_right(tmp_path: Path, held_out: bool) -> None:
    make(tmp_path, seed=7 + held_out, count=4, quick=True, held_out=held_out)
    our_set(tmp_path, tmp_path / "out")
    found = score(tmp_path, tmp_path / "out")
    wrong = [
        f"{one.action.action} | {one.action.place} | {one.action.file} {one.action.path} | {one.why}"
        for one in found.wrong
    ]
    assert len(wrong) <= 0.001 * sum(found.counts.values()), wrong
    assert found.over_removed <= 0.5, wrong
    assert not [line for line in wrong if line.startswith("text_removed")]


def test_the_third_set_has_nothing_wrong_but_pixels_that_look_like_text(tmp_path: Path) -> None:
    """A head and a small picture are still blanked where there is no text; nothing else may be wrong."""
    make(tmp_path, seed=9, count=3, quick=True, third=True)
    our_set(tmp_path, tmp_path / "out")
    found = score(tmp_path, tmp_path / "out")
    assert not found.missing
    wrong = [(one.action.action, one.action.file.split("/")[1], one.why) for one in found.wrong]
    assert {(action, name) for action, name, _ in wrong} <= {
        ("pixels_retained", name) for name in ("lines.dcm", "uids.dcm", "zones.dcm")
    }, wrong


def test_the_fourth_set_has_nothing_wrong_but_what_is_known(tmp_path: Path) -> None:
    """Texture in places of text, upright text, and the name of somebody whom neither the file nor a title names."""
    make(tmp_path, seed=10, count=8, quick=True, fourth=True)
    our_set(tmp_path, tmp_path / "out")
    found = score(tmp_path, tmp_path / "out")
    assert not found.missing
    wrong = {(one.action.action, one.action.file.split("/")[1]): one.why for one in found.wrong}
    known = {("pixels_retained", name) for name in ("machine.dcm", "vendors.dcm", "untouched.dcm")}
    assert wrong.keys() <= known | {("text_removed", "dictated.dcm"), ("pixels_hidden", "burnt-odd1.dcm")}, wrong

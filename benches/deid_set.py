"""The de-identification set: made-up identities, hidden in real files in more than forty places, with an answer key.

``python -m benches.deid_set FOLDER [--seed N] [--people N]`` writes the files below FOLDER/in and the key, an object a
line, to FOLDER/key.jsonl. The ten kinds of action are those of the MIDI-B challenge. What the key asks for is Table
E.1-1 of PS3.15 with the options OPTIONS, and that nothing else is lost: what is to be kept weighs as much as what is
to go. `benches.deid_score` scores the output of any tool.
"""

from __future__ import annotations

import argparse
import io
import json
import warnings
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian

from benches import deid_fourth, deid_hides, deid_objects, deid_pixels, deid_third
from benches.deid_files import DIRECTORY, HELD_OUT, Action, File, Maker, item
from benches.deid_people import Person, people


def disc(m: Maker, who: Person) -> None:
    """A file-set whose directory and file IDs have the name."""
    folder = who.latin.upper()[:8]
    records = []
    files = []
    for number in range(3):
        file = m.open("MR_small.dcm", who, f"disc{number}")
        file.name = f"disc/{folder}/IM{number}"
        file.lines = [replace(one, file=file.name) for one in file.lines]
        files.append(file)
    files[1].ds.SeriesInstanceUID = files[0].ds.SeriesInstanceUID
    files[2].ds.SeriesInstanceUID = files[0].ds.SeriesInstanceUID
    for file in files[1:]:
        file.lines = [one for one in file.lines if one.path != "SeriesInstanceUID"]
    first = files[0].ds
    records.append(record("PATIENT", PatientName=who.named.name, PatientID=who.id))
    records.append(record("STUDY", StudyDate=first.StudyDate, StudyTime="104512", StudyDescription=f"MR {who.latin}",
                          StudyInstanceUID=who.study_uid, StudyID="SID", AccessionNumber=who.accession))  # fmt: skip
    records.append(record("SERIES", Modality="MR", SeriesInstanceUID=first.SeriesInstanceUID, SeriesNumber=1))
    for file in files:
        m.write(file)
        records.append(record("IMAGE", ReferencedFileID=file.name.split("/")[1:], InstanceNumber=file.number,
                              ReferencedSOPClassUIDInFile=file.ds.SOPClassUID,
                              ReferencedSOPInstanceUIDInFile=file.ds.SOPInstanceUID,
                              ReferencedTransferSyntaxUIDInFile=ExplicitVRLittleEndian))  # fmt: skip
    data = directory(records, who, m.uid())
    place = m.folder / "in" / "disc/DICOMDIR"
    place.write_bytes(data)
    about = File(m, "disc/DICOMDIR", Dataset(), who)
    about.number = 0
    about.removed("directories of file-sets", "", *who.identifiers, folder)
    of = f":{files[0].number}/"  # the record above the first file's: a tool may write one directory of several
    about.line("patid_consistent", "directories of file-sets", f"PATIENT{of}PatientID", who.id)
    study = f"STUDY{of}"
    about.shifted("directories of file-sets", study + "StudyDate", first.StudyDate)
    about.uid("directories of file-sets", study + "StudyInstanceUID", who.study_uid)
    about.uid("directories of file-sets", f"SERIES{of}SeriesInstanceUID", first.SeriesInstanceUID)
    about.tag("directories of file-sets", f"SERIES{of}Modality", "MR")
    for file in files:
        path = f"IMAGE:{file.number}/ReferencedSOPInstanceUIDInFile"
        about.uid("directories of file-sets", path, file.ds.SOPInstanceUID)
    m.lines += about.lines


def record(kind: str, **attributes: Any) -> Dataset:
    made = item(OffsetOfTheNextDirectoryRecord=0, RecordInUseFlag=0xFFFF, OffsetOfReferencedLowerLevelDirectoryEntity=0,
                DirectoryRecordType=kind)  # fmt: skip
    for keyword, value in attributes.items():
        setattr(made, keyword, value)
    return made


def directory(records: list[Dataset], who: Person, uid: str) -> bytes:
    """A DICOMDIR of one patient, study and series: written once for the offsets, and again with them."""
    ds = Dataset()
    if who.named.charset:
        for one in records:
            one.SpecificCharacterSet = list(who.named.charset)
    ds.FileSetID, ds.FileSetConsistencyFlag = "WEXSET", 0
    ds.OffsetOfTheFirstDirectoryRecordOfTheRootDirectoryEntity = 0
    ds.OffsetOfTheLastDirectoryRecordOfTheRootDirectoryEntity = 0
    ds.DirectoryRecordSequence = records
    ds.file_meta = FileMetaDataset()
    ds.file_meta.MediaStorageSOPClassUID, ds.file_meta.MediaStorageSOPInstanceUID = DIRECTORY, uid
    ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data = written(ds)
    at = [index for index in range(len(data) - 4) if data[index : index + 4] == b"\xfe\xff\x00\xe0"]
    ds.OffsetOfTheFirstDirectoryRecordOfTheRootDirectoryEntity = at[0]
    ds.OffsetOfTheLastDirectoryRecordOfTheRootDirectoryEntity = at[0]
    for number in range(3):
        records[number].OffsetOfReferencedLowerLevelDirectoryEntity = at[number + 1]
    for number in range(3, len(records) - 1):
        records[number].OffsetOfTheNextDirectoryRecord = at[number + 1]
    return written(ds)


def written(ds: Dataset) -> bytes:
    out = io.BytesIO()
    ds.save_as(out, enforce_file_format=True)
    return out.getvalue()


RECIPES: tuple[Callable[[Maker, Person], None], ...] = (
    deid_hides.root,
    deid_hides.characteristics,
    deid_hides.nested,
    deid_hides.persons,
    deid_hides.private,
    deid_hides.unread,
    deid_hides.around,
    deid_hides.trailing,
    deid_hides.descriptors,
    deid_hides.deflated,
    deid_hides.scripts,
    deid_hides.texts,
    deid_hides.dates,
    deid_hides.trial,
    deid_objects.frames,
    deid_objects.segments,
    deid_objects.report,
    deid_objects.structures,
    deid_objects.plans,
    deid_objects.presentation,
    deid_objects.waveform,
    deid_objects.overlays,
    deid_objects.document,
    deid_objects.icon,
    deid_objects.specimen,
    deid_objects.photo,
    deid_objects.nuclear,
    deid_objects.registered,
    deid_hides.path_name,
    deid_pixels.burnt_native_us,
    deid_pixels.burnt_native_ct,
    deid_pixels.burnt_rle,
    deid_pixels.burnt_jpeg2000,
    deid_pixels.burnt_jpegls,
    deid_pixels.burnt_jpeg,
    deid_pixels.burnt_cine,
)


def make(
    folder: Path, *, seed: int = 1, count: int = 8, quick: bool = False, held_out: bool = False, third: bool = False,
    fourth: bool = False,
) -> list[Action]:  # fmt: skip
    """Write the set below `folder`; its key. `quick` gives each recipe to one person only, in turn; `held_out` takes
    other files, `third` and `fourth` other people and recipes, too."""
    m = Maker(folder, seed, HELD_OUT if held_out else None)
    apart = deid_third if third else deid_fourth if fourth else None
    who = people(seed, count, m.uid) if apart is None else apart.people(seed, count, m.uid)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for number, recipe in enumerate(RECIPES if apart is None else apart.RECIPES):
            for person in who:
                if not quick or number % count == person.number:
                    recipe(m, person)
        if apart is None:
            disc(m, who[0])
    text = "".join(json.dumps(asdict(line), ensure_ascii=False) + "\n" for line in m.lines)
    (folder / "key.jsonl").write_text(text, encoding="utf-8")
    return m.lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--people", type=int, default=8)
    parser.add_argument("--held-out", action="store_true", help="of other files")
    parser.add_argument("--third", action="store_true", help="of other people, files and places")
    parser.add_argument("--fourth", action="store_true", help="of still other people, files and places")
    told = parser.parse_args()
    lines = make(
        told.folder, seed=told.seed, count=told.people, held_out=told.held_out, third=told.third, fourth=told.fourth
    )  # fmt: skip
    places = {line.place for line in lines}
    print(f"{len({line.file for line in lines})} files, {len(lines)} actions in {len(places)} places")


if __name__ == "__main__":
    main()

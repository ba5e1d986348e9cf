"""The live catalogue: counts, removal, agreement with the folder, several threads, and a kill in the middle."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pydicom.data
import pytest

from dicomcore import Dataset, catalogue, dcmread
from dicomcore.errors import DicomError

FILES = sorted(Path(pydicom.data.__file__).parent.rglob("*.dcm"))


def asked(level: str, **keys: str) -> catalogue.Query:
    ds = Dataset()
    for keyword, value in keys.items():
        setattr(ds, keyword, value)
    return catalogue.compile_identifier(ds, level=level)


@pytest.fixture
def store(tmp_path: Path) -> catalogue.LiveCatalogue:
    return catalogue.open(tmp_path / "store")


def test_counts(store: catalogue.LiveCatalogue) -> None:
    added, failed = store.add_all(FILES)
    assert added + len(failed) == len(FILES)
    studies = list(store.search(asked("STUDY")))
    instances = list(store.search(asked("IMAGE")))
    assert len(instances) == len(store)
    for study in studies:
        uid = study["StudyInstanceUID"]
        inside = [row for row in instances if row["StudyInstanceUID"] == uid]
        assert study["NumberOfStudyRelatedInstances"] == len(inside)
        assert study["NumberOfStudyRelatedSeries"] == len({row["SeriesInstanceUID"] for row in inside})
        modalities = {row["Modality"] for row in inside} - {""}
        assert (
            set(filter(None, study["ModalitiesInStudy"].split("\\") if study["ModalitiesInStudy"] else []))
            == modalities
        )
    for row in instances:
        ds = dcmread(row["path"], force=True)
        assert row["SOPInstanceUID"] == ds.SOPInstanceUID
        assert row["transfer_syntax"] == ds.transfer_syntax
    assert sum(one["NumberOfPatientRelatedInstances"] for one in store.search(asked("PATIENT"))) == len(store)


def test_adding_twice_changes_nothing(store: catalogue.LiveCatalogue) -> None:
    store.add_all(FILES[:20])
    before = [list(store.search(asked(level))) for level in ("PATIENT", "STUDY", "SERIES", "IMAGE")]
    store.add_all(FILES[:20])
    assert [list(store.search(asked(level))) for level in ("PATIENT", "STUDY", "SERIES", "IMAGE")] == before


def test_removal(store: catalogue.LiveCatalogue) -> None:
    store.add_all(FILES)
    for row in list(store.search(asked("IMAGE"))):
        assert store.remove(row["SOPInstanceUID"]).result()
        for study in store.search(asked("STUDY", StudyInstanceUID=row["StudyInstanceUID"])):
            uid = study["StudyInstanceUID"]
            left = list(store.search(asked("IMAGE", StudyInstanceUID=uid)))
            assert study["NumberOfStudyRelatedInstances"] == len(left) > 0
    assert [len(list(store.search(asked(level)))) for level in ("PATIENT", "STUDY", "SERIES", "IMAGE")] == [0] * 4
    assert not store.remove("1.2.3").result()


def test_pages(store: catalogue.LiveCatalogue) -> None:
    store.add_all(FILES)
    everything = list(store.search(asked("IMAGE")))
    pages = [row for at in range(0, len(everything) + 7, 7) for row in store.search(asked("IMAGE"), limit=7, offset=at)]
    assert pages == everything


def test_it_agrees_with_the_folder(tmp_path: Path) -> None:
    folder = tmp_path / "store"
    folder.mkdir()
    for path in FILES[:12]:
        shutil.copy(path, folder / path.name)
    with catalogue.open(folder) as store:
        added, gone = store.renew()
        assert (added, gone) == (len(store) + (added - len(store)), 0)
        count = len(store)
        row = next(store.search(asked("IMAGE")))
        os.unlink(row["path"])
        assert store.renew()[1] == 1
        assert len(store) == count - 1
    with catalogue.open(folder) as again:
        assert len(again) == count - 1


def test_threads(store: catalogue.LiveCatalogue) -> None:
    with ThreadPoolExecutor(4) as pool:
        futures = list(pool.map(lambda path: store.add(path), FILES))
        counts = list(pool.map(lambda _: len(list(store.search(asked("STUDY")))), range(20)))
    assert sum(1 for one in futures if one.exception() is None) >= len(store)
    assert all(count >= 0 for count in counts)


def test_a_kill_leaves_a_catalogue_that_opens(tmp_path: Path) -> None:
    code = (
        "import sys, time\nfrom dicomcore import catalogue\nstore = catalogue.open(sys.argv[1], durable=True)\n"
        "print('ready', flush=True)\n"
        "while True:\n    store.add_all(sys.argv[2:])\n"
    )
    command = [sys.executable, "-c", code, str(tmp_path), *map(str, FILES[:30])]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(0.3)
        process.send_signal(signal.SIGKILL if hasattr(signal, "SIGKILL") else signal.SIGTERM)
    with catalogue.open(tmp_path) as store:
        for study in store.search(asked("STUDY")):
            left = list(store.search(asked("IMAGE", StudyInstanceUID=study["StudyInstanceUID"])))
            assert study["NumberOfStudyRelatedInstances"] == len(left)


def test_another_version_is_refused(tmp_path: Path) -> None:
    import sqlite3

    connection = sqlite3.connect(tmp_path / "catalogue.sqlite")
    connection.execute("PRAGMA user_version=99")
    connection.close()
    with pytest.raises(DicomError, match="version 99"):
        catalogue.open(tmp_path)


def made(**values: str) -> Dataset:
    ds = dcmread(FILES[0], stop_before_pixels=True)
    for keyword, value in values.items():
        setattr(ds, keyword, value)
    return ds


def test_counts_follow_the_study_whatever_patient_a_file_names(store: catalogue.LiveCatalogue, tmp_path: Path) -> None:
    files = [("1", "A", "1.1"), ("2", "A", "1.1"), ("3", "B", "1.1"), ("4", "B", "1.2")]
    for uid, patient, series in files:
        made(
            SOPInstanceUID=f"1.2.{uid}", PatientID=patient, StudyInstanceUID="1.3", SeriesInstanceUID=series,
            Modality="CT" if uid != "4" else "MR",
        ).save_as(tmp_path / f"{uid}.dcm")  # fmt: skip
    futures = [store.add(tmp_path / f"{uid}.dcm") for uid, *_ in files]
    gone = store.remove("1.2.2")  # of the same group, as a rule
    again = store.add(tmp_path / "2.dcm")
    assert [one.result() for one in (*futures, gone, again)] == [True] * 6
    (patient,) = store.search(asked("PATIENT"))
    assert [patient[f"NumberOfPatientRelated{what}"] for what in ("Studies", "Series", "Instances")] == [1, 2, 4]
    (study,) = store.search(asked("STUDY"))
    assert (study["NumberOfStudyRelatedSeries"], study["NumberOfStudyRelatedInstances"]) == (2, 4)
    assert study["ModalitiesInStudy"] == "CT\\MR"
    assert [one["NumberOfSeriesRelatedInstances"] for one in store.search(asked("SERIES"))] == [3, 1]


def test_a_file_without_a_series_leaves_nothing(store: catalogue.LiveCatalogue, tmp_path: Path) -> None:
    made(SeriesInstanceUID="").save_as(tmp_path / "bad.dcm")
    added, failed = store.add_all([tmp_path / "bad.dcm"])
    assert (added, len(failed)) == (0, 1)
    assert "SeriesInstanceUID" in failed[0][1]
    assert [len(list(store.search(asked(level)))) for level in ("PATIENT", "STUDY", "SERIES", "IMAGE")] == [0] * 4

"""Files that a store takes: duplicates, names, a full disk, and a process that is killed in the middle."""

from __future__ import annotations

import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pydicom.data
import pytest

from dicomcore import catalogue, dcmread
from dicomcore.catalogue.receiving import DUPLICATES

FILES = sorted(Path(pydicom.data.__file__).parent.rglob("*.dcm"))
SOURCE = next(path for path in FILES if path.name == "MR_small.dcm")


def part(store: catalogue.LiveCatalogue, **values: Any) -> str:
    """A complete file beside the store."""
    ds = dcmread(SOURCE)
    for keyword, value in {"SOPInstanceUID": "1.2.3", **values}.items():
        setattr(ds, keyword, value)
    path = store.part()
    ds.save_as(path)
    return path


def files_of(folder: str | Path) -> list[str]:
    return sorted(
        os.path.relpath(os.path.join(root, name), folder)
        for root, _, names in os.walk(folder)
        for name in names
        if name.endswith((".dcm", ".part", ".new"))
    )


def only(store: catalogue.LiveCatalogue) -> dict[str, Any]:
    (row,) = store.search(catalogue.query(level="IMAGE"))
    return row


AGAIN = {  # name: (rule, what changes, status, whether the later one is shown, files)
    "the same, keep": ("keep", {}, 0, False, 1),
    "the same, replace": ("replace", {}, 0, False, 1),
    "the same, reject": ("reject", {}, 0, False, 1),
    "the same, version": ("version", {}, 0, False, 1),
    "other data, keep": ("keep", {"Modality": "CT"}, 0xB000, False, 1),
    "other data, replace": ("replace", {"InstanceNumber": "7"}, 0, True, 1),
    "other data, reject": ("reject", {"InstanceNumber": "7"}, 0x0111, False, 1),
    "other data, version": ("version", {"InstanceNumber": "7"}, 0, True, 2),
    "another series, keep": ("keep", {"SeriesInstanceUID": "1.9"}, 0xB000, False, 1),
    "another series, replace": ("replace", {"SeriesInstanceUID": "1.9", "InstanceNumber": "7"}, 0, True, 1),
    "another study, reject": ("reject", {"StudyInstanceUID": "1.9", "SeriesInstanceUID": "1.8"}, 0x0111, False, 1),
    "another study, version": (
        "version", {"StudyInstanceUID": "1.9", "SeriesInstanceUID": "1.8", "InstanceNumber": "7"}, 0, True, 2,
    ),
}  # fmt: skip


@pytest.mark.parametrize("durable", ["none", "group"])
@pytest.mark.parametrize(("rule", "changes", "status", "is_later", "count"), AGAIN.values(), ids=AGAIN)
def test_an_instance_that_comes_again(
    tmp_path: Path, rule: str, changes: dict[str, str], status: int, is_later: bool, count: int, durable: str
) -> None:
    with catalogue.open(tmp_path, durable=durable) as store:
        first = store.receive(part(store, InstanceNumber="5"), source="ONE", duplicates=rule).result()
        assert (first.status, first.is_new) == (0, True)
        again = {"InstanceNumber": "5", **changes}
        second = store.receive(part(store, **again), source="TWO", duplicates=rule).result()
        assert (second.status, second.is_new) == (status, False)
        row = only(store)
        assert row["InstanceNumber"] == ("7" if is_later else "5")
        assert row["source"] == ("TWO" if is_later else "ONE")
        assert str(dcmread(row["path"]).InstanceNumber) == row["InstanceNumber"]
        assert len(files_of(tmp_path)) == count
        for study in store.search(catalogue.query(level="STUDY")):
            assert study["NumberOfStudyRelatedInstances"] == 1
        assert store.renew() == (0, 0)
        assert store.delete(instance="1.2.3").result() == 1
        assert files_of(tmp_path) == []
        assert [store.count(catalogue.query(level=level)) for level in ("PATIENT", "STUDY", "SERIES", "IMAGE")] == [
            0
        ] * 4


@pytest.mark.parametrize("rule", ["replace", "version"])
def test_a_study_that_comes_again_with_another_patient(tmp_path: Path, rule: str) -> None:
    """As after a merge of patients: what is found agrees with what the files say."""
    merged = {"PatientID": "MERGED", "PatientName": "Doe^Jane", "StudyDescription": "HEAD", "SeriesNumber": "9"}
    other = {"StudyInstanceUID": "1.9", "SeriesInstanceUID": "1.9.1", "SOPInstanceUID": "1.9.1.1"}
    with catalogue.open(tmp_path) as store:
        for uid in ("1.2.3", "1.2.4"):
            store.receive(part(store, SOPInstanceUID=uid), duplicates=rule).result()
        store.receive(part(store, **other)).result()
        for uid in ("1.2.3", "1.2.4"):
            received = store.receive(part(store, SOPInstanceUID=uid, **merged), duplicates=rule).result()
            assert (received.action, received.status) == ("U", 0)
        (found,) = store.search(catalogue.query({"PatientID": "MERGED"}, level="STUDY"))
        assert (found["PatientName"], found["StudyDescription"]) == ("Doe^Jane", "HEAD")
        assert found["NumberOfStudyRelatedInstances"] == 2
        (series,) = store.search(catalogue.query({"StudyInstanceUID": found["StudyInstanceUID"]}, level="SERIES"))
        assert series["SeriesNumber"] == "9"
        counts = {
            row["PatientID"]: (row["NumberOfPatientRelatedStudies"], row["NumberOfPatientRelatedInstances"])
            for row in store.search(catalogue.query(level="PATIENT"))
        }
        assert counts == {"MERGED": (1, 2), str(dcmread(SOURCE).PatientID): (1, 1)}
        store.receive(part(store, **other, **merged), duplicates=rule).result()
        assert store.count(catalogue.query(level="PATIENT")) == 1
        assert store.count(catalogue.query({"PatientID": "MERGED"}, level="IMAGE")) == 3


def test_an_instance_whose_study_is_another_patients(tmp_path: Path) -> None:
    """It is found with its study, and whoever sends it is told so."""
    for again in (False, True):  # what an earlier process had is known, too
        with catalogue.open(tmp_path) as store:
            if not again:
                assert store.receive(part(store, PatientID="ONE")).result().status == 0
            uid = f"1.2.{again:d}"
            received = store.receive(part(store, PatientID="TWO", SOPInstanceUID=uid)).result()
            assert (received.status, received.comment) == (0xB000, "its study is another patient's here")
            assert (received.is_new, received.action) == (True, "C")
            (study,) = store.search(catalogue.query(level="STUDY"))
            assert study["PatientID"] == "ONE"
            for number, patient in enumerate(("ONE", "")):
                same = store.receive(part(store, PatientID=patient, SOPInstanceUID=f"{uid}.{number}")).result()
                assert same.status == 0


def test_both_of_one_group(tmp_path: Path) -> None:
    with catalogue.open(tmp_path) as store:
        parts = [part(store, InstanceNumber=str(number)) for number in range(4)]
        found = [one.result() for one in [store.receive(path, duplicates="reject") for path in parts]]
        assert sorted(one.status for one in found) == [0, 0x0111, 0x0111, 0x0111]
        assert only(store)["InstanceNumber"] == "0"


CUTS = {  # name: (bytes that are missing at the end, status)
    "nothing": (0, 0),
    "one byte of the pixel data": (1, 0xC000),
    "all of the pixel data": (128 * 128 * 2, 0xC000),
}


@pytest.mark.parametrize(("missing", "status"), CUTS.values(), ids=CUTS)
def test_a_data_set_that_is_cut_short(tmp_path: Path, missing: int, status: int) -> None:
    whole = next(path for path in FILES if path.name == "CT_small.dcm").read_bytes()
    end = whole.rindex(b"\xfc\xff\xfc\xffOB")  # without the trailing padding
    with catalogue.open(tmp_path) as store:
        path = tmp_path / "incoming.part"
        path.write_bytes(whole[: end - missing])
        found = store.receive(path).result()
        assert (found.status, found.comment) == (status, "the data set is cut short" if status else "")
        assert store.count(catalogue.query(level="IMAGE")) == (not status)
        assert len(files_of(tmp_path)) == (not status)


NAMES = {  # what a sender calls an instance, its series and its study (class E)
    "up": "..", "up and up": "../../etc/passwd", "absolute": "/etc/passwd", "dots": "." * 64, "a NUL": "1.2\0.3",
    "a device": "CON", "long": "1" * 300, "letters": "größe", "a slash": "1/2", "a drive": "C:\\x",
    "a stream": "1.2:3", "a blank": "1 2", "a leading dot": ".1.2", "a tilde": "~root",
}  # fmt: skip


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("keyword", ["SOPInstanceUID", "SeriesInstanceUID", "StudyInstanceUID", "PatientID"])
@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
def test_a_name_is_no_path(tmp_path: Path, name: str, keyword: str) -> None:
    folder = tmp_path / "outer" / "store"
    with catalogue.open(folder) as store:
        raw = name.encode()
        stand_in = name if name.isascii() else "7" * len(raw)
        path = part(store, **{keyword: stand_in})
        Path(path).write_bytes(Path(path).read_bytes().replace(stand_in.encode(), raw))
        found = store.receive(path).result()
        assert found.status in (0, 0xC000)
        assert len(files_of(folder)) == (found.status == 0)
        outside = [one for one in tmp_path.rglob("*") if one.is_file() and not one.is_relative_to(folder)]
        assert outside == []
        if found.status == 0:
            assert found.path is not None
            assert os.path.realpath(found.path).startswith(os.path.realpath(folder) + os.sep)


BAD = {  # name: (bytes of a file, status)
    "empty": (b"", 0xC000),
    "no DICOM": (b"no" * 400, 0xC000),
    "cut off in the head": (SOURCE.read_bytes()[:500], 0xC000),
}


@pytest.mark.parametrize(("data", "status"), BAD.values(), ids=BAD)
def test_a_file_that_is_none(tmp_path: Path, data: bytes, status: int) -> None:
    with catalogue.open(tmp_path) as store:
        path = store.part()
        Path(path).write_bytes(data)
        assert store.receive(path).result().status == status
        assert store.receive(store.part()).result().status == 0xA700  # there is no such file
        assert files_of(tmp_path) == []
        assert len(store) == 0


def test_who_waits_no_more_does_not_end_the_writer(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A future that is cancelled, as asyncio's are with their tasks, and a function that fails."""

    def fails(found: list[catalogue.Received]) -> None:
        raise KeyError("whatever a caller does")

    with catalogue.open(tmp_path / "store") as store:
        held = threading.Event()
        store.receive_all([part(store, SOPInstanceUID="1.2.1")], done=lambda _: held.wait(60))
        cancelled = store.receive(part(store, SOPInstanceUID="1.2.2"))
        assert cancelled.cancel()
        store.receive_all([part(store, SOPInstanceUID="1.2.3")], done=fails)
        last = store.receive(part(store, SOPInstanceUID="1.2.4"))
        held.set()
        assert last.result(60).status == 0
        assert {row["SOPInstanceUID"] for row in store.search(catalogue.query(level="IMAGE"))} == {
            f"1.2.{number}" for number in (1, 2, 3, 4)
        }
    assert [record.message for record in caplog.records] == ["what was written could not be told"]


def test_a_full_database_undoes_the_group(tmp_path: Path) -> None:
    with catalogue.open(tmp_path) as store:
        pages = store._connection.execute("PRAGMA page_count").fetchone()[0]
        store._connection.execute(f"PRAGMA max_page_count={pages + 1}")
        parts = [part(store, SOPInstanceUID=f"1.2.{number}", ImageType="X" * 4000) for number in range(40)]
        found = [one.result() for one in [store.receive(path) for path in parts]]
        assert {one.status for one in found} <= {0, 0xA700}
        assert 0xA700 in {one.status for one in found}
        stored = [one.path for one in found if one.status == 0]
        assert [os.path.relpath(path or "", tmp_path) for path in stored] == files_of(tmp_path)
        assert len(store) == len(stored)
        store._connection.execute("PRAGMA max_page_count=1073741823")
        assert store.receive(part(store)).result().status == 0


SENDER = """
import shutil, sys
from dicomcore import catalogue
store = catalogue.open(sys.argv[1], durable=sys.argv[2])
print("ready", flush=True)
number = 0
while True:
    for path in sys.argv[3:]:
        part = store.part()
        shutil.copy(path, part)
        number += 1
        store.receive(part, duplicates="replace")
        if number % 7 == 0:
            print(store.receive(shutil.copy(path, store.part())).result().path, flush=True)
    store.delete(series="1.3.1")
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs a kill")
@pytest.mark.parametrize("seed", range(5))
def test_a_kill_in_the_middle(tmp_path: Path, seed: int) -> None:
    """Whenever the process is killed: what it had answered is there, and the catalogue agrees with the files."""
    chosen = random.Random(seed)
    sources = []
    for number in range(20):
        ds = dcmread(SOURCE)
        ds.SOPInstanceUID = ds.file_meta.MediaStorageSOPInstanceUID = f"1.2.{number}"
        ds.SeriesInstanceUID = f"1.3.{number % 3}"
        sources.append(str(tmp_path / f"{number}.dcm"))
        ds.save_as(sources[-1])
    folder = tmp_path / "store"
    command = [sys.executable, "-c", SENDER, str(folder), chosen.choice(["none", "group"]), *sources]
    answered = set()
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        for _ in range(chosen.randrange(1, 12)):
            answered.add(process.stdout.readline().strip())
        process.kill()
        process.wait(20)
    with catalogue.open(folder) as store:
        rows = list(store.search(catalogue.query(level="IMAGE")))
        assert sorted(os.path.relpath(row["path"], folder) for row in rows) == files_of(folder)
        assert {path for path in answered if "/1.3.1/" not in path} <= {row["path"] for row in rows}
        for row in rows:
            assert str(dcmread(row["path"]).SOPInstanceUID) == row["SOPInstanceUID"]
        for series in store.search(catalogue.query(level="SERIES")):
            uid = series["SeriesInstanceUID"]
            assert series["NumberOfSeriesRelatedInstances"] == len(store.instances(series=uid))
        assert store.renew() == (0, 0)


def test_what_was_linked_and_not_recorded_is_found(tmp_path: Path) -> None:
    with catalogue.open(tmp_path) as store:
        path = part(store)
        place = tmp_path / str(dcmread(path).StudyInstanceUID) / str(dcmread(path).SeriesInstanceUID) / "1.2.3.dcm"
        place.parent.mkdir(parents=True)
        os.link(path, place)
        Path(store.part()).write_bytes(b"half")
        with catalogue.open(tmp_path) as second:  # while another has it open, nothing is cleared up
            assert len(second) == 0
    assert len(files_of(tmp_path)) == 3
    with catalogue.open(tmp_path) as store:
        assert only(store)["path"] == str(place)
        assert files_of(tmp_path) == [os.path.relpath(place, tmp_path)]


def test_a_catalogue_of_the_first_version_is_made_anew(tmp_path: Path) -> None:
    shutil.copy(SOURCE, tmp_path / "one.dcm")
    connection = sqlite3.connect(tmp_path / "catalogue.sqlite")
    for table in ("patients", "studies", "series"):
        connection.execute(f"CREATE TABLE {table} (id INTEGER PRIMARY KEY)")
    connection.execute("CREATE TABLE instances (id INTEGER PRIMARY KEY, path TEXT)")
    connection.execute("INSERT INTO instances VALUES (1, ?)", (str(tmp_path / "one.dcm"),))
    connection.execute("PRAGMA user_version=1")
    connection.commit()
    connection.close()
    with catalogue.open(tmp_path) as store:
        assert only(store)["path"] == str(tmp_path / "one.dcm")


def test_every_rule_is_named() -> None:
    assert {rule for rule, *_ in AGAIN.values()} == set(DUPLICATES)

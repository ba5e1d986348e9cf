"""A node of storage, query, retrieval and worklist, asked by our own face, DCMTK and pynetdicom."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from dicomcore import Dataset, catalogue, dcmread, net, services
from tests.net.test_server import FILES, NODELAY, QUICK, body, identity, stored


@pytest.fixture
def node(tmp_path: Path) -> Iterator[tuple[net.Server, catalogue.LiveCatalogue]]:
    with catalogue.open(tmp_path / "store") as store, net.Server(ae="THIRD", folder=tmp_path / "third") as third:
        server = net.Server(ae="NODE", timeouts=QUICK)
        peers = {"THIRD": f"127.0.0.1:{third.port}", "GONE": "127.0.0.1:1"}
        server.add(services.Storage(store), services.Query(store), services.Retrieve(store, peers))
        with server:
            yield server, store


def send(server: net.Server) -> None:
    with net.associate(server.address, timeouts=QUICK) as association:
        assert {int(one.status) for one in association.store(FILES)} == {0}


def test_what_is_stored_is_found_and_comes_back(
    node: tuple[net.Server, catalogue.LiveCatalogue], tmp_path: Path
) -> None:
    server, store = node
    send(server)
    assert len(store) == len(FILES)
    kinds = {
        (str(dcmread(path, force=True).SOPClassUID), (str(dcmread(path, force=True).transfer_syntax),))
        for path in FILES
    }
    with net.associate(server.address, timeouts=QUICK) as association:
        studies = list(
            association.find({"StudyDate": "", "ModalitiesInStudy": "", "NumberOfStudyRelatedInstances": ""})
        )
        assert sum(int(one.NumberOfStudyRelatedInstances) for one in studies) == len(FILES)
        assert {one.RetrieveAETitle for one in studies} == {"NODE"}
        for study in studies:
            keys = {"StudyInstanceUID": study.StudyInstanceUID}
            outcomes = list(association.get(keys, into=tmp_path / "got", storage=kinds))
            assert {int(one.status) for one in outcomes} == {0}
            (*_, last) = association.move(keys, to="THIRD")
            assert (last.status, last.completed) == (0, int(study.NumberOfStudyRelatedInstances))
        (unknown,) = association.move({"StudyInstanceUID": "1.2"}, to="NOBODY")
        assert unknown.status == 0xA801
        (*_, lost) = association.move({"StudyInstanceUID": studies[0].StudyInstanceUID}, to="GONE")
        assert lost.status == 0xA702
        (*_, none) = association.move({"StudyInstanceUID": "1.2.3.4"}, to="THIRD")
        assert (none.status, none.completed) == (0, 0)
    expected = {identity(path): body(path) for path in FILES}
    assert {uid: body(path) for uid, path in stored(tmp_path / "got").items()} == expected
    assert set(stored(tmp_path / "third")) == set(expected)


def test_the_sender_is_told_why(node: tuple[net.Server, catalogue.LiveCatalogue]) -> None:
    server, store = node
    ct = dcmread(next(path for path in FILES if path.name == "CT_small.dcm"))
    other, nowhere = ct.copy(), ct.copy()
    other.InstanceNumber = "77"
    del nowhere.StudyInstanceUID
    with net.associate(server.address, timeouts=QUICK) as association:
        outcomes = list(association.store([ct, other, nowhere]))
    assert {(int(one.status), one.error) for one in outcomes} == {
        (0, ""),
        (0xB000, "the instance is here with other data, which was kept"),
        (0xC000, "the file has no StudyInstanceUID"),
    }
    assert len(store) == 1


def test_levels(node: tuple[net.Server, catalogue.LiveCatalogue]) -> None:
    server, _ = node
    send(server)
    ct = next(dcmread(path) for path in FILES if path.name == "CT_small.dcm")
    with net.associate(server.address, timeouts=QUICK) as association:
        (patient,) = association.find({"PatientID": ct.PatientID, "PatientName": ""}, model="patient")
        assert str(patient.PatientName) == str(ct.PatientName)
        keys = {"StudyInstanceUID": ct.StudyInstanceUID, "Modality": "CT", "SeriesDescription": ""}
        (series,) = association.find(keys, level="SERIES")
        assert series.SeriesInstanceUID == ct.SeriesInstanceUID
        assert list(association.find({**keys, "Modality": "MR"}, level="SERIES")) == []
        (image,) = association.find(
            {"StudyInstanceUID": ct.StudyInstanceUID, "SOPInstanceUID": "", "Rows": "", "PixelSpacing": ""},
            level="IMAGE",
        )
        assert (image.SOPInstanceUID, image.Rows) == (ct.SOPInstanceUID, ct.Rows)
        assert "PixelSpacing" in image


def test_worklist(tmp_path: Path) -> None:
    step, item = Dataset(), Dataset()
    step.Modality, step.ScheduledStationAETitle, step.ScheduledProcedureStepStartDate = "CT", "CT1", "20250102"
    item.PatientName, item.SpecificCharacterSet = "Müller^Jörg", "ISO_IR 100"
    item.ScheduledProcedureStepSequence = [step]
    item.save_as(tmp_path / "one.wl", enforce_standard=False)
    (tmp_path / "bad.wl").write_bytes(b"bad")
    server = net.Server(ae="RIS")
    server.add(services.Worklist(tmp_path))

    def found(**keys: str) -> list[str]:
        inner, outer = Dataset(), Dataset()
        inner.ScheduledStationAETitle = ""
        for keyword, value in keys.items():
            setattr(inner, keyword, value)
        outer.PatientName = ""
        outer.ScheduledProcedureStepSequence = [inner]
        return [str(ds.PatientName) for ds in association.find(outer, model="worklist")]

    with server, net.associate(server.address, timeouts=QUICK) as association:
        assert found() == ["Müller^Jörg"]
        assert found(Modality="CT", ScheduledProcedureStepStartDate="20250101-20250131") == ["Müller^Jörg"]
        assert found(Modality="MR") == []


needs_dcmtk = pytest.mark.skipif(shutil.which("findscu") is None, reason="DCMTK is not installed")


@needs_dcmtk
def test_dcmtk_asks(node: tuple[net.Server, catalogue.LiveCatalogue], tmp_path: Path) -> None:
    server, _ = node
    send(server)
    ct = next(dcmread(path) for path in FILES if path.name == "CT_small.dcm")
    place = ["-aec", "NODE", "127.0.0.1", str(server.port)]
    key = ["-k", "QueryRetrieveLevel=STUDY", "-k", f"StudyInstanceUID={ct.StudyInstanceUID}", "-k", "PatientName"]
    done = subprocess.run(
        ["findscu", "-v", "-S", *key, *place], env=NODELAY, capture_output=True, timeout=60, check=True
    )
    assert str(ct.PatientName).encode() in done.stdout + done.stderr
    out = tmp_path / "theirs"
    out.mkdir()
    subprocess.run(["getscu", "-S", "+B", "-od", out, *key[:4], *place], env=NODELAY, timeout=60, check=True)
    (path,) = out.iterdir()
    assert body(path) == body(next(one for one in FILES if one.name == "CT_small.dcm"))


def test_pynetdicom_asks(node: tuple[net.Server, catalogue.LiveCatalogue]) -> None:
    pynetdicom = pytest.importorskip("pynetdicom")
    import pydicom

    server, _ = node
    send(server)
    entity = pynetdicom.AE("THEM")
    model = "1.2.840.10008.5.1.4.1.2.2.1"
    entity.add_requested_context(model)
    association = entity.associate("127.0.0.1", server.port, ae_title="NODE")
    keys = pydicom.Dataset()
    keys.QueryRetrieveLevel, keys.PatientName, keys.StudyInstanceUID = "STUDY", "*", ""
    answers = [(status.Status, found) for status, found in association.send_c_find(keys, model)]
    assert answers[-1][0] == 0
    assert {status for status, _ in answers[:-1]} == {0xFF00}
    keys.QueryRetrieveLevel = "NONSENSE"
    assert [status.Status for status, _ in association.send_c_find(keys, model)] == [0xA900]
    association.release()


def test_the_command_serves(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "dicomcore", "serve", "--ae", "NODE", "--port", "0", "--store", str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            address = process.stdout.readline().split(": ")[0]
            sent = net.send(FILES[:4], address, timeouts=QUICK)
            assert sent.stored == 4
        finally:
            process.send_signal(signal.SIGINT if os.name != "nt" else signal.SIGTERM)
        process.wait(20)
    assert process.returncode in (0, 130)
    assert len(stored(tmp_path)) == 4

"""What queries say: character sets, extended negotiation, keys that the catalogue does not keep, an index."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pydicom.data
import pytest

from dicomcore import Dataset, catalogue, dcmread, net, services
from dicomcore.net.models import MODELS
from tests.net.test_server import QUICK

FILES = sorted(Path(pydicom.data.__file__).parent.rglob("*.dcm"))
BASE = next(path for path in FILES if path.name == "MR_small.dcm")
NAMES = {"1.1": "Müller^Jörg", "1.2": "山田^太郎", "1.3": "Plain^Name", "1.4": "Иванов^Иван"}


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[catalogue.LiveCatalogue]:
    with catalogue.open(tmp_path_factory.mktemp("store")) as made:
        for uid, name in NAMES.items():
            ds = dcmread(BASE)
            ds.SpecificCharacterSet = "ISO_IR 192"
            ds.PatientName, ds.PatientID, ds.StudyInstanceUID = name, uid, uid
            ds.SeriesInstanceUID, ds.SOPInstanceUID = f"{uid}.1", f"{uid}.1.1"
            ds.StudyDate, ds.StudyTime = f"2024010{uid[-1]}", f"1{uid[-1]}0000"
            path = made.part()
            ds.save_as(path)
            assert made.receive(path).result().status == 0
        yield made


@pytest.fixture(scope="module")
def server(store: catalogue.LiveCatalogue) -> Iterator[net.Server]:
    made = net.Server("NODE", timeouts=QUICK)
    made.add(services.Query(store), services.Retrieve(store))
    with made:
        yield made


SAID = {  # name: (Specific Character Set of the request, study, that of the answer)
    "nothing, Latin": (None, "1.1", "ISO_IR 192"),
    "nothing, plain": (None, "1.3", None),
    "Latin-1, Latin": ("ISO_IR 100", "1.1", "ISO_IR 100"),
    "Latin-1, plain": ("ISO_IR 100", "1.3", "ISO_IR 100"),
    "Latin-1, Japanese": ("ISO_IR 100", "1.2", "ISO_IR 192"),
    "Japanese, Japanese": (["", "ISO 2022 IR 87"], "1.2", ["", "ISO 2022 IR 87"]),
    "Japanese, Latin": (["", "ISO 2022 IR 87"], "1.1", "ISO_IR 192"),
    "Cyrillic, Cyrillic": ("ISO_IR 144", "1.4", "ISO_IR 144"),
    "GB18030, Japanese": ("GB18030", "1.2", "GB18030"),
    "UTF-8, plain": ("ISO_IR 192", "1.3", "ISO_IR 192"),
    "unknown, Latin": ("ISO_IR 999", "1.1", "ISO_IR 192"),
}


def text_of_set(value: Any) -> Any:
    return [str(one or "") for one in value] if isinstance(value, list) else value and str(value)


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize(("asked", "study", "said"), SAID.values(), ids=SAID)
def test_an_answer_is_in_the_set_of_the_request(server: net.Server, asked: Any, study: str, said: Any) -> None:
    keys = Dataset()
    if asked is not None:
        keys.SpecificCharacterSet = asked
    keys.StudyInstanceUID, keys.PatientName = study, ""
    with net.associate(server.address, timeouts=QUICK) as association:
        (found,) = association.find(keys)
    assert str(found.PatientName) == NAMES[study]
    assert text_of_set(found.get("SpecificCharacterSet")) == said


@pytest.mark.parametrize(("asked", "name", "study"), [
    ("ISO_IR 100", "MÜLLER*", "1.1"), ("ISO_IR 192", "山田*", "1.2"), (["", "ISO 2022 IR 87"], "山田^太郎", "1.2"),
    ("ISO_IR 144", "иванов*", "1.4"), (None, "muller^jorg", "1.1"),
])  # fmt: skip
def test_a_key_is_in_the_set_of_the_request(server: net.Server, asked: Any, name: str, study: str) -> None:
    keys = Dataset()
    if asked is not None:
        keys.SpecificCharacterSet = asked
    keys.StudyInstanceUID, keys.PatientName = "", name
    with net.associate(server.address, timeouts=QUICK) as association:
        assert [str(one.StudyInstanceUID) for one in association.find(keys)] == [study]


STUDY_FIND = MODELS["study"].find
AGREED = {  # name: (information of the requestor, of the acceptor)
    "relational": (b"\1", b"\1"),
    "nothing": (b"\0\0\0\0", b"\0\0\0\0"),
    "all": (b"\1" * 7, b"\1\1\1\1\0\1\1"),
    "too many": (b"\1" * 12, b"\1\1\1\1\0\1\1"),
    "odd values": (b"\7\1", b"\0\1"),
    "none at all": (b"", b""),
}


@pytest.mark.parametrize(("offered", "said"), AGREED.values(), ids=AGREED)
def test_extended_negotiation(server: net.Server, offered: bytes, said: bytes) -> None:
    with net.associate(server.address, contexts=[STUDY_FIND], timeouts=QUICK,
                       extended=(net.Extended(STUDY_FIND, offered),)) as association:  # fmt: skip
        keys = {"StudyDate": "20240101-20240103", "StudyTime": "1030-1130", "StudyInstanceUID": ""}
        found = {str(one.StudyInstanceUID) for one in association.find(keys)}
        assert found == ({"1.1", "1.2"} if said[1:2] == b"\1" else {"1.1"})
        fuzzy = list(association.find({"PatientName": "jor mul", "StudyInstanceUID": ""}))
        assert [str(one.StudyInstanceUID) for one in fuzzy] == (["1.1"] if said[2:3] == b"\1" else [])


def test_keys_that_the_catalogue_does_not_keep(store: catalogue.LiveCatalogue) -> None:
    server = net.Server("NODE", timeouts=QUICK)
    server.add(services.Query(store, deep=True))
    keys = Dataset()
    keys.StudyInstanceUID, keys.SOPInstanceUID, keys.MagneticFieldStrength, keys.EchoTime = "1.1", "", "", ""
    keys.add_new_private("ACME", 0x0009, 0x01, "", "LO")
    with server, net.associate(server.address, timeouts=QUICK) as association:
        (found,) = association.find(keys, level="IMAGE")
        assert str(found.EchoTime) == str(dcmread(BASE).EchoTime)
        assert found.get_private_item(0x0009, 0x01, "ACME").value in (None, "")
        keys.EchoTime = "9999"
        assert list(association.find(keys, level="IMAGE")) == []


def test_an_index_is_served(tmp_path: Path) -> None:
    pytest.importorskip("duckdb")
    archive = pytest.importorskip("dicomcore.archive")
    archive.index([BASE], out=tmp_path / "index.parquet")
    with catalogue.open(tmp_path / "index.parquet") as table:
        with pytest.raises(ValueError, match="read only"):
            services.Storage(table)
        server = net.Server("NODE", timeouts=QUICK)
        server.add(services.Query(table), services.Retrieve(table))
        ds = dcmread(BASE)
        with server, net.associate(server.address, timeouts=QUICK) as association:
            (study,) = association.find({"PatientName": "*", "StudyInstanceUID": ""})
            assert study.StudyInstanceUID == ds.StudyInstanceUID
            kinds = {(str(ds.SOPClassUID), (str(ds.transfer_syntax),))}
            keys = {"StudyInstanceUID": study.StudyInstanceUID}
            (outcome,) = association.get(keys, into=tmp_path / "got", storage=kinds)
        assert outcome.status == 0
        assert dcmread(outcome.path).PixelData == ds.PixelData

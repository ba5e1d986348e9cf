"""Instances that belong to no patient: stored, found and retrieved by the models of their own."""

from __future__ import annotations

from pathlib import Path

import pytest

from dicomcore import Dataset, catalogue, dcmread, net, services, uids
from dicomcore.catalogue.attributes import OBJECTS
from tests.net.test_server import QUICK


def made(folder: Path, sop_class: str, number: int) -> Path:
    ds = Dataset()
    ds.SOPClassUID, ds.SOPInstanceUID, ds.SpecificCharacterSet = sop_class, f"1.2.{number}", "ISO_IR 192"
    ds.HangingProtocolName, ds.ContentLabel = f"Schädel {number}", f"LABEL{number}"
    definition = Dataset()
    definition.Modality = "CT" if number % 2 else "MR"
    ds.HangingProtocolDefinitionSequence = [definition]
    path = folder / f"{number}.dcm"
    ds.file_meta = Dataset()
    ds.file_meta.TransferSyntaxUID = uids.ExplicitVRLittleEndian
    ds.save_as(path, enforce_standard=True)
    return path


@pytest.mark.parametrize("model", OBJECTS)
def test_objects(tmp_path: Path, model: str) -> None:
    sop_class = OBJECTS[model][0]
    paths = [made(tmp_path, sop_class, number) for number in range(3)]
    with catalogue.open(tmp_path / "store") as store:
        server = net.Server("NODE", timeouts=QUICK)
        server.add(services.Storage(store), services.Query(store), services.Retrieve(store))
        with server:
            with net.associate(server.address, timeouts=QUICK) as association:
                assert {int(one.status) for one in association.store([*paths, paths[0]])} == {0}
            keys, inner = Dataset(), Dataset()
            inner.Modality = "CT"
            keys.SOPInstanceUID, keys.HangingProtocolName, keys.HangingProtocolDefinitionSequence = "", "", [inner]
            with net.associate(server.address, timeouts=QUICK) as association:
                (found,) = association.find(keys, model=model)
                assert (found.SOPInstanceUID, found.HangingProtocolName) == ("1.2.1", "Schädel 1")
                assert found.SpecificCharacterSet == "ISO_IR 192"
                wanted = {"SOPInstanceUID": ["1.2.0", "1.2.2"]}
                kinds = {(sop_class, (str(uids.ExplicitVRLittleEndian),))}
                outcomes = list(association.get(wanted, model=model, into=tmp_path / "got", storage=kinds))
                (unknown,) = association.move(wanted, model=model, to="NOBODY")
        assert {one.sop_instance for one in outcomes if one.status == 0} == {"1.2.0", "1.2.2"}
        assert unknown.status == 0xA801
        assert len(list((tmp_path / "store" / "objects").rglob("*.dcm"))) == 3
        assert len(store) == 0
        assert store.renew() == (0, 0)
        assert store.delete(instance="1.2.1").result() == 1
        assert [entry.sop_instance for entry, _ in store.objects(OBJECTS[model])] == ["1.2.0", "1.2.2"]
    assert str(dcmread(paths[0]).SOPInstanceUID) == "1.2.0"

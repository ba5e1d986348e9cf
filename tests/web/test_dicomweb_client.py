"""The Python dicomweb-client against the server: every transaction that it has."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dicomcore import catalogue, dcmread, web
from tests.web.calling import FILES

api = pytest.importorskip("dicomweb_client.api", reason="dicomweb-client is not installed")
import pydicom  # noqa: E402

CT, J2K = FILES["CT_small.dcm"], FILES["JPEG2000.dcm"]


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    folder = tmp_path_factory.mktemp("store")
    with catalogue.open(folder) as held, web.Running(web.app(held, delete=True)) as running:
        made = api.DICOMwebClient(url=running.url)
        answer = made.store_instances([pydicom.dcmread(path) for path in (CT, J2K)])
        assert len(answer.ReferencedSOPSequence) == 2
        assert "FailedSOPSequence" not in answer
        yield made


def uids(path: Path) -> tuple[str, str, str]:
    ds = dcmread(path)
    return str(ds.StudyInstanceUID), str(ds.SeriesInstanceUID), str(ds.SOPInstanceUID)


def test_search(client: Any) -> None:
    study, series, instance = uids(CT)
    assert study in {one["0020000D"]["Value"][0] for one in client.search_for_studies()}
    (found,) = client.search_for_series(study, search_filters={"Modality": "CT"})
    assert found["0020000E"]["Value"] == [series]
    (found,) = client.search_for_instances(study, series, fields=["PatientID"], limit=5)
    assert found["00080018"]["Value"] == [instance]
    assert client.search_for_studies(search_filters={"PatientID": "nobody"}) == []


@pytest.mark.parametrize("path", [CT, J2K], ids=["native", "JPEG 2000"])
def test_retrieve(client: Any, path: Path) -> None:
    study, series, instance = uids(path)
    own = pydicom.dcmread(path)
    for found in (
        client.retrieve_instance(study, series, instance, media_types=(("application/dicom", "*"),)),
        client.retrieve_series(study, series, media_types=(("application/dicom", "*"),))[0],
        client.retrieve_study(study, media_types=(("application/dicom", "*"),))[0],
    ):
        assert found == own
    (model,) = client.retrieve_study_metadata(study)
    assert model["00280010"]["Value"] == [own.Rows]
    assert client.retrieve_series_metadata(study, series)[0]["00080018"]["Value"] == [instance]
    assert client.retrieve_instance_metadata(study, series, instance)["00080018"]["Value"] == [instance]
    samples = (("application/octet-stream", "1.2.840.10008.1.2.1"),)
    (frame,) = client.retrieve_instance_frames(study, series, instance, [1], media_types=samples)
    assert np.frombuffer(frame, own.pixel_array.dtype).tolist() == own.pixel_array.reshape(-1).tolist()


def test_coded_frames(client: Any) -> None:
    study, series, instance = uids(J2K)
    (frame,) = client.retrieve_instance_frames(study, series, instance, [1], media_types=("image/jp2",))
    assert frame == bytes(dcmread(J2K).frames.encoded(0))


def test_rendered(client: Any) -> None:
    study, series, instance = uids(CT)
    assert client.retrieve_instance_rendered(study, series, instance, media_types=("image/png",)).startswith(b"\x89PNG")
    shown = client.retrieve_instance_frames_rendered(
        study, series, instance, [1], media_types=("image/jpeg",), params={"window": "40,400,linear", "quality": 90}
    )
    assert shown.startswith(b"\xff\xd8")


def test_bulk_data(client: Any) -> None:
    study, series, instance = uids(CT)
    model = client.retrieve_instance_metadata(study, series, instance)
    place = client.base_url + f"/studies/{study}/series/{series}/instances/{instance}/"
    (data,) = client.retrieve_bulkdata(place + model["7FE00010"]["BulkDataURI"])
    assert data == dcmread(CT).PixelData


def test_delete(client: Any) -> None:
    ds = pydicom.dcmread(FILES["MR_small.dcm"])
    client.store_instances([ds])
    client.delete_instance(ds.StudyInstanceUID, ds.SeriesInstanceUID, ds.SOPInstanceUID)
    assert client.search_for_instances(ds.StudyInstanceUID) == []

"""Our client and our server, over a socket: what is stored comes back, by every way that there is."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from dicomcore import catalogue, dcmread, web
from dicomcore.errors import WebError
from tests.web.calling import FILES
from tests.web.faces import FACES
from tests.web.serving import serving
from tests.web.test_client_retrieve import files_below, uids

SHOWN = [name for name, path in FILES.items() if "Rows" in dcmread(path)]


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with (
        catalogue.open(tmp_path_factory.mktemp("store")) as held,
        serving(web.app(held, delete=True)) as made,
    ):
        with web.Client(made) as client:
            result = client.store(FILES.values())
        assert result.stored == len(FILES), result
        yield made


@pytest.fixture(params=FACES.values(), ids=FACES)
def face(request: pytest.FixtureRequest, url: str) -> Any:
    return lambda **options: request.param(None, url=url, **options)


def test_search(face):
    found = face().run("studies", page=3)
    studies = {uids(path)[0] for path in FILES.values()}
    assert {ds.StudyInstanceUID for ds in found} == studies
    assert len(found) == len(studies)
    ct = dcmread(FILES["CT_small.dcm"])
    name = str(ct.PatientName)
    assert [ds.StudyInstanceUID for ds in face().run("studies", PatientName=name)] == [ct.StudyInstanceUID]
    assert [ds.Modality for ds in face().run("series", ct.StudyInstanceUID)] == ["CT"]
    (one,) = face().run("instances", ct.StudyInstanceUID, ct.SeriesInstanceUID, include="all")
    assert (one.SOPInstanceUID, one.Rows) == (ct.SOPInstanceUID, ct.Rows)


@pytest.mark.parametrize("name", FILES)
def test_instances_come_back_byte_for_byte(face, tmp_path, name):
    place = uids(FILES[name])
    assert face().run("retrieve", *place, into=tmp_path).received == 1
    assert files_below(tmp_path) == {os.path.join(*place[:2], place[2] + ".dcm"): FILES[name].read_bytes()}


def test_studies_come_back(face, tmp_path):
    for study in {uids(path)[0] for path in FILES.values()}:
        assert face().run("retrieve", study, into=tmp_path)
    assert sorted(files_below(tmp_path).values()) == sorted(path.read_bytes() for path in FILES.values())
    for study in {uids(path)[0] for path in FILES.values()}:
        result = face().run("retrieve", study, into=tmp_path)
        assert (result.received, result.failures) == (0, [])


@pytest.mark.parametrize("name", FILES)
def test_data_sets_are_equal(face, name):
    (ds,) = face().run("retrieve", *uids(FILES[name]))
    assert ds == dcmread(FILES[name])


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("bulk", ["lazy", "fetch"])
def test_metadata_with_values_is_the_data_set(url, name, bulk):
    own = dcmread(FILES[name])
    with web.Client(url) as client:
        (ds,) = client.metadata(*uids(FILES[name]), bulk=bulk)
        pixels = ("PixelData", "FloatPixelData")
        for element in own:
            if element.keyword in pixels:
                continue
            assert ds[element.tag] == element, element.tag
        if "Rows" in own:
            assert np.array_equal(ds.pixel_array, own.pixel_array)


@pytest.mark.parametrize("name", SHOWN)
def test_frames(face, name):
    own = dcmread(FILES[name])
    found = face().run("frames", *uids(FILES[name]))
    assert len(found) == len(own.frames)
    for mine, theirs in zip(found, own.frames, strict=True):
        assert np.array_equal(mine, theirs)


def test_frames_in_another_syntax(face):
    own = dcmread(FILES["JPEG2000.dcm"])
    (found,) = face().run("frames", *uids(FILES["JPEG2000.dcm"]), transfer_syntax="1.2.840.10008.1.2.1")
    assert np.array_equal(found, own.frames[0])


def test_pictures(face):
    place = uids(FILES["CT_small.dcm"])
    assert face().run("rendered", *place).startswith(b"\x89PNG")
    assert face().run("rendered", *place, 1, accept="image/jpeg", window=(40, 400)).startswith(b"\xff\xd8")
    assert face().run("thumbnail", *place, viewport=(32, 32)).startswith(b"\xff\xd8")


def test_a_span_of_bulk_data(face, url):
    own = dcmread(FILES["CT_small.dcm"])
    with web.Client(url) as client:
        (ds,) = client.metadata(*uids(FILES["CT_small.dcm"]), bulk="leave")
    assert face().run("bulkdata", ds["PixelData"], span=(10, 20)) == own.PixelData[10:20]


def test_refusals(face):
    with pytest.raises(WebError) as caught:
        face().run("metadata", "1.2.3.4.5.6")
    assert caught.value.status == 404
    assert caught.value.text


def test_delete(url, tmp_path):
    ds = dcmread(FILES["CT_small.dcm"])
    ds.StudyInstanceUID, ds.SeriesInstanceUID = "1.2.3.4", "1.2.3.4.0"
    ds.SOPInstanceUID = ds.file_meta.MediaStorageSOPInstanceUID = "1.2.3.4.1"
    with web.Client(url) as client:
        assert client.store(ds)
        assert len(list(client.instances("1.2.3.4"))) == 1
        client.delete("1.2.3.4")
        assert list(client.instances("1.2.3.4")) == []


def test_a_name_beyond_ascii(face, url):
    ds = dcmread(FILES["CT_small.dcm"])
    ds.SpecificCharacterSet, ds.PatientID, ds.PatientName = "ISO_IR 192", "OTHER", "Müller^Jürgen=山田"
    ds.StudyInstanceUID, ds.SeriesInstanceUID = "1.2.3.5", "1.2.3.5.0"
    ds.SOPInstanceUID = ds.file_meta.MediaStorageSOPInstanceUID = "1.2.3.5.1"
    assert face().run("store", ds)
    (found,) = face().run("studies", PatientName="Müller*")
    assert str(found.PatientName) == "Müller^Jürgen=山田"
    with web.Client(url) as client:
        client.delete("1.2.3.5")

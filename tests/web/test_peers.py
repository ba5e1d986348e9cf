"""dicomweb-client of Python against our server, for every transaction that it has; DICOMCORE_PEERS names a folder of
packages that has it, if this environment does not."""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from PIL import Image

from dicomcore import catalogue, dcmread, web
from tests.web.calling import FILES
from tests.web.serving import serving
from tests.web.test_client_retrieve import uids

if folder := os.environ.get("DICOMCORE_PEERS"):
    sys.path.append(folder)
api = pytest.importorskip("dicomweb_client.api", reason="no dicomweb-client: the peer is not tried")
pytestmark = pytest.mark.long
CT = FILES["CT_small.dcm"]


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with catalogue.open(tmp_path_factory.mktemp("store")) as held, serving(web.app(held, delete=True)) as made:
        with web.Client(made) as client:
            assert client.store(FILES.values())
        yield made


@pytest.fixture
def peer(url: str) -> Any:
    return api.DICOMwebClient(url, permissive_uid=True)


def test_search(peer):
    studies = {uids(path)[0] for path in FILES.values()}
    found = peer.search_for_studies(get_remaining=True, limit=4)
    assert {one["0020000D"]["Value"][0] for one in found} == studies
    ct = dcmread(CT)
    (one,) = peer.search_for_studies(search_filters={"PatientID": ct.PatientID}, fields=["StudyDescription"])
    assert one["0020000D"]["Value"] == [ct.StudyInstanceUID]
    assert len(peer.search_for_studies(search_filters={"PatientName": "compressedsamples*"}, fuzzymatching=False)) >= 3
    (series,) = peer.search_for_series(ct.StudyInstanceUID)
    assert series["0020000E"]["Value"] == [ct.SeriesInstanceUID]
    (instance,) = peer.search_for_instances(ct.StudyInstanceUID, ct.SeriesInstanceUID)
    assert instance["00080018"]["Value"] == [ct.SOPInstanceUID]
    assert len(peer.search_for_instances()) == len(FILES)
    assert len(peer.search_for_series()) >= len(studies)


@pytest.mark.parametrize("name", FILES)
def test_retrieve(peer, name):
    place = uids(FILES[name])
    own = pydicom.dcmread(FILES[name])
    syntax = str(own.file_meta.TransferSyntaxUID)
    got = peer.retrieve_instance(*place, media_types=(("application/dicom", "*"),))
    assert got == own
    assert str(got.file_meta.TransferSyntaxUID) == syntax
    assert own in peer.retrieve_series(*place[:2], media_types=(("application/dicom", "*"),))
    assert own in peer.retrieve_study(place[0], media_types=(("application/dicom", "*"),))


def test_streams(peer):
    found = list(peer.iter_study(uids(CT)[0], media_types=(("application/dicom", "*"),)))
    assert found == [pydicom.dcmread(CT)]


@pytest.mark.parametrize("name", FILES)
def test_metadata(peer, name):
    place = uids(FILES[name])
    got = pydicom.Dataset.from_json(json.dumps(peer.retrieve_instance_metadata(*place)), lambda uri: b"")
    own = pydicom.dcmread(FILES[name])
    assert (got.SOPInstanceUID, got.get("Rows")) == (own.SOPInstanceUID, own.get("Rows"))
    assert len(peer.retrieve_series_metadata(*place[:2])) >= 1
    assert len(peer.retrieve_study_metadata(place[0])) >= 1


FRAMED = [name for name in FILES if "Rows" in dcmread(FILES[name])]


@pytest.mark.parametrize("name", FRAMED)
def test_frames(peer, name):
    own = dcmread(FILES[name])
    numbers = list(range(1, min(len(own.frames), 3) + 1))
    got = peer.retrieve_instance_frames(*uids(FILES[name]), numbers, media_types=(("application/octet-stream", "*"),))
    kept = [bytes(own.frames.encoded(number - 1)) for number in numbers]
    if own.is_little_endian and own.BitsAllocated > 1:
        assert got == kept
    plain = peer.retrieve_instance_frames(*uids(FILES[name]), numbers)
    size = own.frames.description.samples * max(own.BitsAllocated, 8) // 8
    if own.BitsAllocated > 1:
        assert plain == kept or {len(one) for one in plain} <= {size, size * 2 // 3}


def test_bulk_data(peer):
    header = peer.retrieve_instance_metadata(*uids(CT))
    uri = header["7FE00010"]["BulkDataURI"]
    if "://" not in uri:
        place = uids(CT)
        uri = f"{peer.base_url}/studies/{place[0]}/series/{place[1]}/instances/{place[2]}/{uri}"
    assert b"".join(peer.retrieve_bulkdata(uri)) == dcmread(CT).PixelData
    assert b"".join(peer.retrieve_bulkdata(uri, byte_range=(0, 9)))[:10] == dcmread(CT).PixelData[:10]


@pytest.mark.parametrize("media", ["image/png", "image/jpeg"])
def test_rendered(peer, media):
    got = peer.retrieve_instance_rendered(*uids(CT), media_types=(media,))
    shown = np.asarray(Image.open(io.BytesIO(got)).convert("L"), int)
    assert np.abs(shown - dcmread(CT).frames.render(0)).mean() < 3
    framed = peer.retrieve_instance_frames_rendered(*uids(CT), [1], media_types=(media,))
    assert Image.open(io.BytesIO(framed)).size == (128, 128)


def test_store_and_delete(peer):
    ds = pydicom.dcmread(CT)
    ds.StudyInstanceUID, ds.SeriesInstanceUID, ds.PatientID = "1.2.3.4", "1.2.3.4.1", "STORED"
    ds.SOPInstanceUID = ds.file_meta.MediaStorageSOPInstanceUID = "1.2.3.4.1.1"
    said = peer.store_instances([ds])
    assert [item.ReferencedSOPInstanceUID for item in said.ReferencedSOPSequence] == ["1.2.3.4.1.1"]
    assert "FailedSOPSequence" not in said
    got = peer.retrieve_instance("1.2.3.4", "1.2.3.4.1", "1.2.3.4.1.1", media_types=(("application/dicom", "*"),))
    assert got == ds
    peer.delete_study("1.2.3.4")
    assert peer.search_for_instances("1.2.3.4") == []


# -- dicomweb-client of npm

SCRIPT = """
import { api } from "dicomweb-client";
const [url, study, series, instance] = process.argv.slice(2);
const client = new api.DICOMwebClient({ url, verbose: false });
const ids = { studyInstanceUID: study, seriesInstanceUID: series, sopInstanceUID: instance };
const progress = { progressCallback: () => {} };
const one = (part) => (Array.isArray(part) ? part[0] : part);
const size = (part) => one(part).byteLength ?? one(part).length ?? one(part).size;
const sizes = (parts) => parts.map(size);
const out = {};
out.studies = (await client.searchForStudies({ ...progress })).length;
out.series = (await client.searchForSeries({ ...ids, ...progress })).length;
out.instances = (await client.searchForInstances({ ...ids, ...progress })).length;
out.metadata = (await client.retrieveInstanceMetadata({ ...ids, ...progress }))[0]["00080018"].Value[0];
out.seriesMetadata = (await client.retrieveSeriesMetadata({ ...ids, ...progress })).length;
out.studyMetadata = (await client.retrieveStudyMetadata({ ...ids, ...progress })).length;
out.instance = (await client.retrieveInstance({ ...ids, ...progress })).byteLength;
out.wholeSeries = sizes(await client.retrieveSeries({ ...ids, ...progress }));
out.wholeStudy = sizes(await client.retrieveStudy({ ...ids, ...progress }));
out.frames = sizes(await client.retrieveInstanceFrames({ ...ids, frameNumbers: [1], ...progress }));
const png = { mediaTypes: [{ mediaType: "image/png" }], ...progress };
out.rendered = size(await client.retrieveInstanceRendered({ ...ids, ...png }));
out.renderedFrames = size(await client.retrieveInstanceFramesRendered({ ...ids, frameNumbers: [1], ...png }));
const whole = await client.retrieveInstance({ ...ids, ...progress });
await client.storeInstances({ datasets: [whole], ...progress });
out.stored = true;
console.log(JSON.stringify(out));
"""
BROWSER = 'globalThis.XMLHttpRequest = (await import("xhr2")).default;\n'


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the peer of npm and what stands for a browser's requests."""
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("no npm: its dicomweb-client is not tried")
    made = tmp_path_factory.mktemp("npm")
    (made / "package.json").write_text('{"type": "module", "private": true}')
    command = [npm, "install", "--no-audit", "--no-fund", "--ignore-scripts", "dicomweb-client@0.11.3", "xhr2@0.2.1"]
    done = subprocess.run(command, cwd=made, capture_output=True, text=True, timeout=250)
    if done.returncode:
        pytest.skip(f"npm install failed: {done.stderr[-300:]}")
    (made / "first.mjs").write_text(BROWSER)
    (made / "script.mjs").write_text(SCRIPT)
    return made


@pytest.mark.parametrize("name", FRAMED[:6])
def test_the_peer_of_npm(node, url, name):
    place = uids(FILES[name])
    done = subprocess.run(
        ["node", "--import", "./first.mjs", "script.mjs", url, *place],
        cwd=node,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    got = json.loads(done.stdout)
    own = dcmread(FILES[name])
    assert got["studies"] == len({uids(path)[0] for path in FILES.values()})
    assert got["metadata"] == place[2]
    assert got["instance"] > 300
    assert got["frames"] == [len(own.frames.encoded(0))] or got["frames"] == [own.frames[0].nbytes]
    assert got["wholeSeries"]
    assert got["rendered"] > 60
    assert got["renderedFrames"] > 60
    assert got["stored"]

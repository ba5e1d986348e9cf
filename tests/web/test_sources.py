"""An index of what lies elsewhere is served: objects in stores, and members of archives, as if they were files."""

from __future__ import annotations

import io
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

fsspec = pytest.importorskip("fsspec")
pytest.importorskip("pyarrow")

from dicomcore import catalogue, dcmread, net, services  # noqa: E402
from dicomcore.archive import index  # noqa: E402
from tests.net.test_server import QUICK  # noqa: E402
from tests.web.calling import AS_STORED, DICOM, FILES, Caller, calling, parts_of, place_of, reading  # noqa: E402

CHOSEN = ("CT_small.dcm", "JPEG2000.dcm", "rtdose.dcm", "test-SR.dcm", "image_dfl.dcm")
HERE = {name: FILES[name] for name in CHOSEN}
RAW = "application/octet-stream; transfer-syntax=*"


def in_memory(_: Path) -> str:
    system = fsspec.filesystem("memory")
    for name, path in HERE.items():
        system.pipe(f"/served/{name}", path.read_bytes())
    return "memory://served"


def in_zip(folder: Path) -> str:
    with zipfile.ZipFile(folder / "a.zip", "w", zipfile.ZIP_DEFLATED) as packed:
        for name, path in HERE.items():
            packed.write(path, name)
    return str(folder / "a.zip")


def in_tar(folder: Path) -> str:
    with tarfile.open(folder / "a.tar", "w") as packed:
        for name, path in HERE.items():
            info = tarfile.TarInfo(name)
            info.size = path.stat().st_size
            packed.addfile(info, io.BytesIO(path.read_bytes()))
    return str(folder / "a.tar")


def in_bucket(_: Path) -> str:
    s3fs = pytest.importorskip("s3fs", reason="s3fs is not installed: S3 is not served")
    system = s3fs.S3FileSystem()
    if not system.exists("served"):
        system.mkdir("served")
    for name, path in HERE.items():
        system.pipe(f"served/{name}", path.read_bytes())
    return "s3://served"


PLACES = {"objects in memory": in_memory, "a zip": in_zip, "a tar": in_tar, "S3": in_bucket}


@pytest.fixture(scope="module")
def bucket() -> Iterator[None]:
    moto = pytest.importorskip("moto.server", reason="moto is not installed: S3 is not served")
    s3fs = pytest.importorskip("s3fs", reason="s3fs is not installed: S3 is not served")
    server = moto.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    s3fs.S3FileSystem.clear_instance_cache()  # of servers of other tests
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ACCESS_KEY_ID", "test")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "test")
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        patch.setenv("AWS_ENDPOINT_URL", "http://{}:{}".format(*server.get_host_and_port()))
        yield
    s3fs.S3FileSystem.clear_instance_cache()
    server.stop()


@pytest.fixture(params=PLACES)
def listed(request: Any, tmp_path: Path) -> Iterator[Any]:
    """A catalogue over an index."""
    if request.param == "S3":
        request.getfixturevalue("bucket")
    index(PLACES[request.param](tmp_path), out=str(tmp_path / "index.parquet"))
    with catalogue.open(tmp_path / "index.parquet") as held:
        assert len(held) == len(HERE)
        yield held


@pytest.fixture
def near(tmp_path: Path) -> Iterator[Caller]:
    """The same instances as files."""
    with calling(tmp_path / "files") as (caller, _):
        assert caller.store(HERE.values()).status_code == 200
        yield caller


SAME = {
    "metadata": ("/metadata", None),
    "a picture": ("/rendered", None),
    "a thumbnail": ("/thumbnail", "image/png"),
    "a frame": ("/frames/1", RAW),
    "pixel data": ("/bulkdata/7FE00010", RAW),
}


def contents(answer: Any) -> Any:
    """The body of an answer, without the delimiters of parts."""
    return parts_of(answer) if "multipart" in answer.headers["content-type"] else answer.content


def test_what_lies_elsewhere_is_served(listed: Any, near: Caller) -> None:
    with reading(listed) as far:
        for path in HERE.values():
            place = place_of(path)
            ((_, data),) = parts_of(far.get(place, AS_STORED))
            assert data == path.read_bytes()
            alone = far.get(place, f"{DICOM}; transfer-syntax=*")
            assert alone.content == data
            assert far.get(place, f"{DICOM}; transfer-syntax=*", if_none_match=alone.headers["etag"]).status_code == 304
            assert far.get(place, f"{DICOM}; transfer-syntax=*", range="bytes=128-131").content == b"DICM"
            for what, (view, accept) in SAME.items():
                one, other = far.get(place + view, accept), near.get(place + view, accept)
                assert one.status_code == other.status_code, (path, what)
                assert contents(one) == contents(other), (path, what)


def test_what_is_gone_is_said(tmp_path: Path) -> None:
    index(in_zip(tmp_path), out=str(tmp_path / "index.parquet"))
    with catalogue.open(tmp_path / "index.parquet") as held, reading(held) as far:
        (tmp_path / "a.zip").unlink()
        for view in ("", "/metadata", "/frames/1", "/rendered"):
            answer = far.get(place_of(FILES["CT_small.dcm"]) + view)
            assert answer.status_code in (410, 500)
            assert str(tmp_path) not in answer.text
            assert "the server has an error" not in answer.text


def test_it_is_sent_over_dimse(listed: Any, tmp_path: Path) -> None:
    ct = dcmread(HERE["CT_small.dcm"])
    server = net.Server("NODE", timeouts=QUICK)
    server.add(services.Query(listed), services.Retrieve(listed))
    kinds = {(str(ct.SOPClassUID), (str(ct.transfer_syntax),))}
    with server, net.associate(server.address, timeouts=QUICK) as association:
        keys = {"StudyInstanceUID": str(ct.StudyInstanceUID)}
        (outcome,) = association.get(keys, into=tmp_path / "got", storage=kinds)
        assert dcmread(outcome.path).to_json() == ct.to_json()

"""Sources at URLs: real servers on this machine, read by ranges, with few requests and bytes for each file."""

from __future__ import annotations

import os
import pickle
import re
import threading
import time
import zipfile
from collections.abc import Iterator
from typing import Any

import pytest

from tests.archive.test_sources import NAMES, SHORT, pack, rows_of, told
from tests.support.corpus import real, small_files
from tests.support.dicom_bytes import element, part10
from tests.support.servers import S3Server, WebServer, s3_server, wait_until, web_server

pytest.importorskip("pyarrow")
fsspec = pytest.importorskip("fsspec")
pq = pytest.importorskip("pyarrow.parquet")

import dicomcore.archive.sources.ranges as ranges  # noqa: E402
from dicomcore.archive import PathList, index  # noqa: E402
from dicomcore.archive.sources.sources import Sources  # noqa: E402
from dicomcore.cli import main  # noqa: E402


@pytest.fixture
def web() -> Iterator[WebServer]:
    pytest.importorskip("aiohttp", reason="aiohttp is not installed: HTTP sources are not tested")
    with web_server() as server:
        yield server


@pytest.fixture(scope="module")
def files() -> dict[str, bytes]:
    return {name: real(name).read_bytes() for name in NAMES} | {"notes.txt": b"no DICOM", "empty": b""}


@pytest.fixture(scope="module")
def expected(files, tmp_path_factory) -> list[dict[str, Any]]:
    top = tmp_path_factory.mktemp("local")
    for name, data in files.items():
        (top / name).write_bytes(data)
    return told(rows_of(*(top / name for name in files)))


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(ranges, "PAUSE", 0.01)


# ---- memory:// and chains --------------------------------------------------------------------------------------------


def test_a_file_system_that_is_not_asynchronous_gives_the_same_rows(files, expected):
    fs = fsspec.filesystem("memory")
    for name, data in files.items():
        fs.pipe(f"/sources/{name}", data)
    assert told(rows_of(*(f"memory://sources/{name}" for name in files))) == expected
    rows = rows_of("memory://sources")
    assert [row["path"] for row in rows] == [f"memory:///sources/{name}" for name in sorted(files)]
    assert {row["path"] for row in rows_of("memory://sources/*.dcm")} == {
        row["path"] for row in rows if "dcm" in row["path"]
    }
    for missing in ("memory://none", "memory://none/*.dcm"):
        assert rows_of(missing)[0]["error"].startswith("FileNotFoundError")


def test_archives_at_urls_are_opened(files, expected, tmp_path):
    fs = fsspec.filesystem("memory")
    for end in (".zip", ".tar", ".tar.gz"):
        fs.pipe(f"/packed/a{end}", pack(tmp_path / f"a{end}", files).read_bytes())
        rows = rows_of(f"memory://packed/a{end}")
        assert told(rows) == expected
        assert rows[0]["path"] == f"memory:///packed/a{end}!/CT_small.dcm"
    assert len(rows_of("memory://packed")) == 3 * len(files)
    chained = rows_of("zip://CT_small.dcm::memory://packed/a.zip")
    assert [row["path"] for row in chained] == ["zip://CT_small.dcm::memory://packed/a.zip"]
    assert told(chained) == expected[:1]


def test_file_urls_name_local_files(tmp_path):
    (tmp_path / "one.dcm").write_bytes(SHORT)
    assert list(Sources(f"file://{tmp_path}/one.dcm")) == [f"{tmp_path}/one.dcm"]


def test_unknown_protocols_are_refused():
    with pytest.raises(ValueError, match="nonesuch"):
        index("nonesuch://a/b")


# ---- HTTP ------------------------------------------------------------------------------------------------------------


def test_http_takes_one_request_a_file(web, files, expected):
    web.files = files
    rows = rows_of(*(f"{web.url}/{name}" for name in files))
    assert told(rows) == expected
    assert [row["path"] for row in rows] == [f"{web.url}/{name}" for name in files]
    assert rows[0]["mtime"].year == 2015
    assert len(web.log) == len(files)
    assert max(asked.sent for asked in web.log) <= 64 * 1024


def test_every_real_file_has_the_same_row_over_http(web, tmp_path):
    found = small_files(300_000) or pytest.skip("no corpus")
    web.files = {f"{i:04}": one.data() for i, one in enumerate(found)}
    for name, data in web.files.items():
        (tmp_path / name).write_bytes(data)
    assert told(rows_of(*(f"{web.url}/{name}" for name in web.files))) == told(rows_of(tmp_path))
    assert len(web.log) <= 1.1 * len(found)
    assert sum(asked.sent for asked in web.log) <= 64 * 1024 * len(found)


def test_only_long_headers_take_a_second_request(web):
    web.files = {
        "long": part10(element(0x00091010, "OB", os.urandom(50_000)) + element(0x00100020, "LO", b"id")),
        "far": part10(element(0x00091010, "OB", bytes(9_000_000)) + element(0x00100020, "LO", b"id") + bytes(10)),
    }
    assert [row["PatientID"] for row in rows_of(f"{web.url}/long", f"{web.url}/far")] == ["id", "id"]
    assert len(web.log) == 4
    assert sum(asked.sent for asked in web.log if asked.path == "far") <= 80_000


def test_a_file_from_a_server_without_ranges_is_not_read_to_its_end(web):
    web.files = {"one": SHORT + element(0x7FE00010, "OB", bytes(60_000_000)), "short": SHORT}
    web.faults = {"one": "no ranges", "short": "no ranges"}
    begin = time.perf_counter()
    rows = rows_of(f"{web.url}/one", f"{web.url}/short")
    assert [row["PatientID"] for row in rows] == ["id", "id"]
    assert [row["size"] for row in rows] == [len(data) for data in web.files.values()]
    assert time.perf_counter() - begin < 10


FAULTS = {  # name: (the server's fault, the error, number of requests)
    "403": (403, "PermissionError: HTTP status 403", 1),
    "404": (404, "FileNotFoundError: HTTP status 404", 1),
    "500": (500, "OSError: HTTP status 500", 3),
    "once 503": ([503], None, 2),
    "reset": ("reset", "Connection reset|disconnected", 6),  # aiohttp retries each request once
    "once reset": (["reset"], None, 2),
    "stall": ("stall", "TimeoutError: no answer within 2 s", 1),
    "cut": ("cut", "Payload", 3),
}


@pytest.mark.parametrize(("fault", "error", "requests"), FAULTS.values(), ids=FAULTS)
def test_a_server_that_fails_is_one_row(web, monkeypatch, fault, error, requests):
    monkeypatch.setattr(ranges, "TIMEOUT", 2)
    web.files = {"bad": SHORT, "good": SHORT}
    web.faults = {"bad": fault}
    rows = rows_of(f"{web.url}/bad", f"{web.url}/good")
    assert rows[1]["PatientID"] == "id"
    assert (rows[0]["error"] is None) if error is None else re.search(error, rows[0]["error"])
    made = len([asked for asked in web.log if asked.path == "bad"])
    assert made <= requests if fault == "reset" else made == requests


def test_a_server_that_is_not_there_is_one_row(web):
    (row,) = rows_of("http://127.0.0.1:9/one.dcm")
    assert "connect" in row["error"].lower()


def test_many_requests_run_at_a_time(web):
    web.files = {f"{i}": SHORT for i in range(60)}
    web.faults = {f"{i}": "stall" for i in range(59)}
    begin = time.perf_counter()
    threading.Timer(1.0, web.released.set).start()
    rows = rows_of(*(f"{web.url}/{i}" for i in range(60)), workers=1)
    assert len(rows) == 60
    assert time.perf_counter() - begin < 10  # not a second each
    assert rows[-1]["PatientID"] == "id"


def test_a_list_of_urls_takes_one_request_each(web, files, expected, tmp_path):
    web.files = files
    (tmp_path / "list.txt").write_text("\n".join(f"{web.url}/{name}" for name in files))
    assert told(rows_of(PathList(tmp_path / "list.txt"))) == expected
    assert len(web.log) == len(files)


def test_a_zip_on_a_server_is_not_fetched_whole(web, tmp_path):
    data = real("CT_small.dcm").read_bytes() + os.urandom(1_000_000)
    web.files = {
        "a.zip": pack(tmp_path / "a.zip", {f"{i}.dcm": data for i in range(10)}, zipfile.ZIP_STORED).read_bytes()
    }
    rows = rows_of(f"{web.url}/a.zip")
    assert [row["PatientID"] for row in rows] == ["1CT1"] * 10
    assert sum(asked.sent for asked in web.log if asked.method == "GET") < 1_000_000


def test_places_can_be_sent_to_other_processes(web):
    web.files = {"one": SHORT}
    (place,) = Sources(f"{web.url}/one")
    again = pickle.loads(pickle.dumps(place))
    assert again == place
    assert again.open().read_at(128, 4) == b"DICM"


# ---- S3 --------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def s3() -> Iterator[tuple[S3Server, Any, dict[str, Any]]]:
    pytest.importorskip("moto", reason="moto is not installed: S3 sources are not tested")
    s3fs = pytest.importorskip("s3fs", reason="s3fs is not installed: S3 sources are not tested")
    pytest.importorskip("flask", reason="moto[server] is not installed: S3 sources are not tested")
    kept = dict(os.environ)
    os.environ.update(AWS_ACCESS_KEY_ID="test", AWS_SECRET_ACCESS_KEY="test", AWS_DEFAULT_REGION="us-east-1")
    try:
        with s3_server() as server:
            options = {"endpoint_url": server.url}
            fs = s3fs.S3FileSystem(**options)
            fs.call_s3("create_bucket", Bucket="archive")
            yield server, fs, options
    finally:
        os.environ.clear()
        os.environ.update(kept)


@pytest.fixture(scope="module")
def bucket(s3, files) -> str:
    _, fs, _ = s3
    for name, data in files.items():
        fs.pipe_file(f"archive/study/{name}", data)
    return "s3://archive/study"


@pytest.fixture(params=["obstore", "signed URLs"])
def by_both(request, monkeypatch) -> str:
    """Runs a test with obstore, and with the requests that s3fs signs, as where obstore is not installed."""
    if request.param == "obstore":
        pytest.importorskip("obstore", reason="obstore is not installed: S3 is read through signed URLs alone")
    else:
        monkeypatch.setattr(ranges.Obstore, "of", lambda fs: None)
    return str(request.param)


def asked_since(server: S3Server, mark: int, least: int) -> list[Any]:
    wait_until(lambda: len(server.log) - mark >= least)
    return [asked for asked in server.log[mark:] if asked.status]


def test_s3_takes_one_request_a_file_and_one_a_folder(s3, bucket, files, expected, by_both):
    server, _, options = s3
    mark = len(server.log)
    rows = index(bucket, storage_options=options).to_pylist()
    order = sorted(files)
    assert [row["path"] for row in rows] == [f"{bucket}/{name}" for name in order]
    assert told(rows) == [expected[list(files).index(name)] for name in order]
    asked = asked_since(server, mark, len(files))
    reads = [one for one in asked if "/study/" in one.path.partition("?")[0]]
    assert len(reads) == len(files) - 1  # the empty object takes no request
    assert len(asked) - len(reads) <= 3  # what the URL is, and the listing
    assert all(one.status == 206 for one in reads)
    assert all(("?" in one.path) == (by_both == "signed URLs") for one in reads)


def test_s3_places_have_etags(s3, bucket):
    server, _, options = s3
    mark = len(server.log)
    places = list(Sources(bucket, options=options))
    assert all(place.etag and place.mtime and place.size is not None for place in places)
    assert not [one for one in server.log[mark:] if "/study/" in one.path.partition("?")[0]]


def test_s3_options_may_stand_by_protocol(s3, bucket, tmp_path):
    _, _, options = s3
    (tmp_path / "one.dcm").write_bytes(SHORT)
    rows = index([tmp_path, f"{bucket}/CT*"], storage_options={"s3": options}).to_pylist()
    assert [row["PatientID"] for row in rows] == ["id", "1CT1"]


def test_s3_lists_take_one_request_a_file(s3, bucket, files, expected, tmp_path, by_both):
    server, _, options = s3
    (tmp_path / "list.txt").write_text("\n".join(f"{bucket}/{name}" for name in files))
    mark = len(server.log)
    assert told(index(PathList(tmp_path / "list.txt"), storage_options=options).to_pylist()) == expected
    twice = by_both == "obstore"  # the empty object, which the listing would have shown to be empty
    assert len(asked_since(server, mark, len(files) + twice)) == len(files) + twice


def test_s3_without_signed_urls_gives_the_same(s3, bucket, files, expected, monkeypatch):
    _, _, options = s3

    async def none(*_: Any, **__: Any) -> str:
        raise NotImplementedError

    import s3fs

    monkeypatch.setattr(ranges.Obstore, "of", lambda fs: None)
    monkeypatch.setattr(s3fs.S3FileSystem, "_url", none)
    paths = [f"{bucket}/{name}" for name in files]
    assert told(index(paths, storage_options=options).to_pylist()) == expected


def test_s3_objects_that_do_not_exist_are_rows_with_errors(s3, bucket, by_both):
    _, _, options = s3
    rows = index([f"{bucket}/none.dcm", "s3://none/x"], storage_options=options).to_pylist()
    assert all("Error" in row["error"] for row in rows)
    assert all("obstore" not in row["error"].lower() for row in rows)


def test_s3_facts_are_the_same_by_both_ways(s3, bucket, tmp_path, monkeypatch):
    """Objects that no listing described: size and mtime come with the bytes."""
    pytest.importorskip("obstore", reason="obstore is not installed: S3 is read through signed URLs alone")
    _, _, options = s3
    (tmp_path / "list.txt").write_text(f"{bucket}/CT_small.dcm\n{bucket}/notes.txt\n{bucket}/empty\n")
    both = []
    for of in (ranges.Obstore.of, lambda fs: None):
        monkeypatch.setattr(ranges.Obstore, "of", of)
        both.append(index(PathList(tmp_path / "list.txt"), storage_options=options))
    assert both[0].equals(both[1])


def test_s3_is_read_otherwise_where_obstore_fails(s3, bucket, files, expected, monkeypatch):
    pytest.importorskip("obstore", reason="obstore is not installed: S3 is read through signed URLs alone")
    _, _, options = s3
    tried = []

    async def fail(self: Any, path: str, offset: int, length: int) -> None:
        tried.append(path)
        raise OSError("the endpoint redirects")

    monkeypatch.setattr(ranges.Obstore, "read", fail)
    paths = [f"{bucket}/{name}" for name in files]
    assert told(index(paths, storage_options=options, workers=1).to_pylist()) == expected
    assert tried


def test_options_that_obstore_is_not_told_leave_s3_to_s3fs(s3):
    pytest.importorskip("obstore", reason="obstore is not installed: S3 is read through signed URLs alone")
    _, fs, options = s3
    told = {
        "config_kwargs": {"proxies": {"https": "http://127.0.0.1:9"}},
        "client_kwargs": {"verify": False},
        "s3_additional_kwargs": {"ServerSideEncryption": "AES256"},
    }
    assert ranges.Obstore.of(type(fs)(**options, skip_instance_cache=True)) is not None
    assert ranges.Obstore.of(fsspec.filesystem("memory")) is None
    for name, value in told.items():
        assert ranges.Obstore.of(type(fs)(**options, **{name: value}, skip_instance_cache=True)) is None


def test_s3_by_the_command_line(s3, bucket, files, tmp_path, monkeypatch):
    server, _, _ = s3
    monkeypatch.setenv("AWS_ENDPOINT_URL", server.url)
    out = tmp_path / "index.parquet"
    assert main(["index", bucket, "-o", str(out), "-q"]) == 1
    assert pq.read_table(out).num_rows == len(files)

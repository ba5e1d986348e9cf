"""The engine `dask`: a real cluster of processes, some of which are killed, gives the same table as threads."""

from __future__ import annotations

import os
import shutil
import signal
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.corpus import real

pa = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")
distributed = pytest.importorskip("distributed")

import dicomcore.archive.tables.run as run  # noqa: E402
from dicomcore.archive import index, iter_batches  # noqa: E402
from dicomcore.archive.tables.batch import read_batch  # noqa: E402
from dicomcore.archive.tables.cluster import write_part  # noqa: E402
from dicomcore.archive.tables.parts import Parts, parts_of  # noqa: E402
from dicomcore.archive.tables.stored import open_stored  # noqa: E402
from dicomcore.cli import main  # noqa: E402

pytestmark = [pytest.mark.filterwarnings("ignore"), pytest.mark.thread_unsafe(reason="a cluster for all")]
NAMES = ("CT_small.dcm", "MR_small.dcm", "rtplan.dcm", "JPEG2000.dcm", "chrH31.dcm", "MR_small_bigendian.dcm")


@pytest.fixture(scope="module")
def store():
    """The URL of a bucket of a real S3 server, with its address in the environment of this and later processes."""
    server = pytest.importorskip("moto.server").ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    s3fs = pytest.importorskip("s3fs")
    server.start()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ACCESS_KEY_ID", "test")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "test")
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        patch.setenv("AWS_ENDPOINT_URL", "http://{}:{}".format(*server.get_host_and_port()))
        s3fs.S3FileSystem().mkdir("bucket")
        yield "s3://bucket"
    server.stop()


@pytest.fixture(scope="module")
def cluster():
    with (
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None) as cluster,
        distributed.Client(cluster, set_as_default=False) as client,
    ):
        yield client


@pytest.fixture
def archive(tmp_path: Path, monkeypatch) -> Path:
    """400 real files and one that is not DICOM."""
    data = [real(name).read_bytes() for name in NAMES]
    for i in range(400):
        path = tmp_path / "archive" / f"{i % 4}" / f"{i:04}.dcm"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data[i % len(data)])
    (tmp_path / "archive" / "2" / "notes.txt").write_text("no DICOM")
    monkeypatch.setattr(run, "BATCH", 3)
    return tmp_path / "archive"


def test_a_cluster_gives_the_same_table_as_threads(archive, tmp_path, cluster):
    out = tmp_path / "index.parquet"
    index(archive, out=out, engine="dask", scheduler=cluster)
    table = pq.read_table(out)
    assert table.equals(index(archive))
    assert not os.path.exists(parts_of(str(out)))
    (archive / "0" / "0004.dcm").unlink()
    shutil.copy(real("CT_small.dcm"), archive / "3" / "new.dcm")
    gone: list[str] = []
    index(archive, out=out, engine="dask", scheduler=cluster.scheduler.address, gone=gone.append)
    assert pq.read_table(out).equals(index(archive))
    assert gone == [str(archive / "0" / "0004.dcm")]


def test_a_cluster_gives_the_same_batches_and_rows_by_frame(archive, cluster):
    options = {"columns": ["SOPInstanceUID", "all"], "level": "frame", "content_hash": "md5"}
    batches = list(iter_batches(archive, engine="dask", scheduler=cluster, **options))
    assert len(batches) > 5
    assert pa.Table.from_batches(batches).equals(index(archive, **options))
    assert index(archive, engine="dask", scheduler=cluster).equals(index(archive))


def test_members_of_archives_and_faults_on_a_cluster(archive, tmp_path, cluster):
    shutil.make_archive(str(tmp_path / "some"), "zip", archive / "0")
    shutil.make_archive(str(tmp_path / "more"), "gztar", archive / "1")
    sources = [tmp_path / "some.zip", tmp_path / "nowhere", tmp_path / "more.tar.gz"]
    assert index(sources, engine="dask", scheduler=cluster).equals(index(sources))


@pytest.mark.skipif(os.name == "nt", reason="SIGKILL")
@pytest.mark.parametrize("workers", [1, 2])
def test_workers_that_are_killed_lose_nothing(archive, tmp_path, cluster, workers):
    """Also when the last worker is killed, with all that the cluster has in memory."""
    cluster.wait_for_workers(2)
    out = tmp_path / "index.arrow"
    before = set(cluster.scheduler_info()["workers"])
    pids = list(cluster.run(os.getpid).values())
    killed = threading.Event()

    def kill(batch):
        if not killed.is_set():
            killed.set()
            for pid in pids[:workers]:
                os.kill(pid, signal.SIGKILL)

    index(archive, out=out, engine="dask", scheduler=cluster, progress=kill)
    assert killed.is_set()
    stored = open_stored(str(out))
    assert pa.concat_tables([stored.read(i) for i in range(len(stored.sizes))]).equals(index(archive))
    deadline = time.monotonic() + 20
    while set(cluster.scheduler_info()["workers"]) == before and time.monotonic() < deadline:
        time.sleep(0.05)
    assert set(cluster.scheduler_info()["workers"]) != before


def test_an_interrupted_run_on_a_cluster_resumes(archive, tmp_path, cluster):
    out, parts = tmp_path / "index.parquet", tmp_path / "parts"

    def stop(batch):
        raise RuntimeError

    with pytest.raises(RuntimeError):
        index(archive, out=out, engine="dask", scheduler=cluster, parts=str(parts), progress=stop)
    kept = list(parts.glob("*.parquet"))
    assert kept
    assert not out.exists()
    (parts / "00000900.parquet").write_bytes(kept[0].read_bytes()[:-9])  # truncated, which no run leaves behind
    index(archive, out=out, engine="dask", scheduler=cluster, parts=f"file://{parts}")
    assert pq.read_table(out).equals(index(archive))
    assert list(parts.glob("*.parquet")) == []


def test_a_batch_written_twice_is_one_part(tmp_path):
    batch = pa.RecordBatch.from_pydict({"path": ["a", "b"]})
    with Parts(str(tmp_path / "index.parquet")) as parts:
        for _ in range(2):
            write_part(batch, parts.place(7))
        assert [os.path.basename(path) for path in parts.paths()] == ["00000007.parquet"]
        assert sorted(os.listdir(parts.folder)) == ["00000007.parquet", "lock"]
        assert open_stored(parts.place(7)).read(0).to_batches() == [batch]


def test_parts_are_written_to_a_url(tmp_path):
    pytest.importorskip("fsspec")
    batch = pa.RecordBatch.from_pydict({"path": ["a", "b"]})
    with Parts(str(tmp_path / "index.parquet"), "memory://parts/run") as parts:
        write_part(batch, parts.place(0))
        write_part(batch, parts.place(1))
        assert [path.rpartition("/")[2] for path in parts.paths()] == ["00000000.parquet", "00000001.parquet"]
        assert open_stored(parts.paths()[1]).read(0).to_batches() == [batch]
        parts.clear()
        assert parts.paths() == []


def test_parts_are_written_to_an_object_store(archive, tmp_path, store):
    """The cluster is the test's own, so that its workers know the store's address."""
    fsspec = pytest.importorskip("fsspec")
    out, parts = tmp_path / "index.parquet", f"{store}/parts"

    def stop(batch):
        raise RuntimeError

    with (
        distributed.LocalCluster(n_workers=1, threads_per_worker=2, processes=True, dashboard_address=None) as cluster,
        distributed.Client(cluster, set_as_default=False) as client,
    ):
        options = {"engine": "dask", "scheduler": client, "parts": parts}
        with pytest.raises(RuntimeError):
            index(archive, out=out, progress=stop, **options)
        system = fsspec.filesystem("s3")
        assert system.glob("bucket/parts/*.parquet")
        index(archive, out=out, **options)
        assert pq.read_table(out).equals(index(archive))
        system.invalidate_cache()
        assert system.glob("bucket/parts/*.parquet") == []


def test_a_local_cluster_is_started_for_the_run(archive, tmp_path):
    out = tmp_path / "index.parquet"
    assert main(["index", str(archive), "-o", str(out), "--engine", "dask", "--workers", "1", "-q"]) == 0
    assert pq.read_table(out).equals(index(archive))


@pytest.mark.parametrize("way", ["index", "iter_batches"])
def test_the_threads_end_before_the_cluster(archive, tmp_path, monkeypatch, way):
    """A thread that waits for a closed cluster would never end."""
    left: list[str] = []

    class Reader:
        threads = 4

        def __init__(self, columns, schema):
            self.columns, self.schema = columns, schema

        def __call__(self, number, paths, place):
            time.sleep(0.01 * (number % 4))
            return read_batch(paths, self.columns, self.schema)

    @contextmanager
    def fake(columns, schema, scheduler, workers):
        try:
            yield Reader(columns, schema)
        finally:
            left.extend(one.name for one in threading.enumerate() if one.name.startswith("dicomcore-index"))
            left.append("ended")

    def stop(batch):
        raise RuntimeError

    monkeypatch.setattr(run, "_cluster", fake)
    if way == "index":
        with pytest.raises(RuntimeError):
            index(archive, out=tmp_path / "index.parquet", engine="dask", progress=stop)
    else:
        batches = iter_batches(archive, engine="dask")
        next(batches)
        batches.close()
    assert left == ["ended"]


def test_wrong_use(archive, tmp_path, capsys):
    assert main(["index", str(archive), "-o", str(tmp_path / "i.parquet"), "--parts", "there"]) == 2
    assert "engine='dask'" in capsys.readouterr().err

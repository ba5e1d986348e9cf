"""Worker processes wherever frames are decoded: bulk jobs, reports, commands, pydicom's plugin."""

from __future__ import annotations

import shutil
from io import BytesIO

import pytest

import dicomcore as dc
from dicomcore.cli.program import main
from dicomcore.errors import PixelDecodeError
from dicomcore.pixels.isolation import pool
from tests.pixels.test_isolation import APART, HOSTILE, SMALL, file_of, hostile, imagecodecs  # noqa: F401
from tests.support.corpus import real

HERE = dc.Limits()
J2K, BASELINE, JPEG_XL = "MR_small_jp2klossless.dcm", "1.2.840.10008.1.2.4.50", "jpeg-xl-jpeg"


def by_frames(path, tmp_path, limits):
    from dicomcore.archive import frames

    (record,) = frames([path], limits=limits)
    assert (record.array == dc.dcmread(path).pixel_array).all()


def by_volume(path, tmp_path, limits):
    from dicomcore.archive import series_volume

    assert (series_volume(path, rescale=False, limits=limits).array[0] == dc.dcmread(path).pixel_array).all()


def by_transcode(path, tmp_path, limits):
    target = tmp_path / "made.dcm"
    dc.transcode(path, target, "rle", limits=limits)
    assert (dc.dcmread(target).pixel_array == dc.dcmread(path).pixel_array).all()


def by_verified(path, tmp_path, limits):
    assert dc.transcode(path, tmp_path / "made.dcm", "jpeg-ls", verify=True, limits=limits).verified


def by_folder(path, tmp_path, limits):
    from dicomcore.archive.organizing.transcoding import transcode_folder

    (tmp_path / "in").mkdir()
    shutil.copy(path, tmp_path / "in")
    assert transcode_folder(tmp_path / "in", tmp_path / "out", "explicit", limits=limits).counts == {"transcoded": 1}


def by_report(path, tmp_path, limits):
    pytest.importorskip("jinja2")
    from dicomcore.archive import index, report

    page = report(index(path), tmp_path / "page.html", limits=limits).read_text()
    assert "data:image/jpeg" in page


def by_sheet(path, tmp_path, limits):
    from dicomcore.archive import index
    from dicomcore.archive.reporting.sheet import SHEET_COLUMNS, series_pictures

    (one,) = series_pictures(index(path, columns=SHEET_COLUMNS), limits=limits)
    assert one.picture is not None


def by_icon(path, tmp_path, limits):
    from dicomcore.fileset import FileSet

    file_set = FileSet.new(tmp_path, limits=limits)
    added = file_set.add(path, icon=True, invent=True)
    assert len(added.record.keys.IconImageSequence) == 1


def by_plugin_options(path, tmp_path, limits):
    pydicom = pytest.importorskip("pydicom")
    from dicomcore.interop.pydicom import PLUGIN, register, unregister

    register()
    try:
        data_set = pydicom.dcmread(path)
        data_set.pixel_array_options(decoding_plugin=PLUGIN, limits=limits)
        assert (data_set.pixel_array == dc.dcmread(path).pixel_array).all()
    finally:
        unregister()


def by_plugin(path, tmp_path, limits):
    pydicom = pytest.importorskip("pydicom")
    from dicomcore.interop.pydicom import register, unregister

    register(limits=limits)
    try:
        assert (pydicom.dcmread(path).pixel_array == dc.dcmread(path).pixel_array).all()
    finally:
        unregister()


def by_command(*words):
    def run(path, tmp_path, limits):
        (tmp_path / "in").mkdir()
        shutil.copy(path, tmp_path / "in" / "one.dcm")
        from dicomcore.archive import index

        index(tmp_path / "in", out=tmp_path / "index.parquet")
        given = [word.format(folder=tmp_path) for word in words]
        assert main([*given, *(["--isolate"] if limits.isolate else [])]) == 0

    return run


ENTRIES = {
    "frames": by_frames,
    "series_volume": by_volume,
    "transcode": by_transcode,
    "transcode, verified": by_verified,
    "transcode_folder": by_folder,
    "report": by_report,
    "sheet": by_sheet,
    "icon": by_icon,
    "pydicom's plugin": by_plugin,
    "pydicom's plugin by its options": by_plugin_options,
    "dicomcore frames": by_command("frames", "{folder}/in/one.dcm", "-o", "{folder}/out"),
    "dicomcore transcode": by_command("transcode", "{folder}/in", "-o", "{folder}/out", "--to", "rle"),
    "dicomcore sheet": by_command("sheet", "{folder}/in", "-o", "{folder}/sheet.png"),
    "dicomcore report": by_command("report", "{folder}/index.parquet", "-o", "{folder}/page.html"),
    "dicomcore dicomdir": by_command("dicomdir", "create", "{folder}/set", "{folder}/in/one.dcm", "--icon", "--invent"),
}


@pytest.fixture
def asked(monkeypatch):
    """The number of codestreams in each request to the workers."""
    found = []
    decode = pool.Pool.decode

    def counted(self, job, codestreams, *rest, **options):
        found.append(len(codestreams))
        return decode(self, job, codestreams, *rest, **options)

    monkeypatch.setattr(pool.Pool, "decode", counted)
    return found


@pytest.mark.parametrize("limits", [APART, HERE], ids=["isolated", "here"])
@pytest.mark.parametrize("work", ENTRIES.values(), ids=ENTRIES)
def test_workers_decode_wherever_isolation_is_requested(work, limits, asked, tmp_path):
    pytest.importorskip("pyarrow")
    work(str(real(J2K)), tmp_path, limits)
    assert bool(asked) == limits.isolate


def test_recompressing_is_isolated_too(asked, tmp_path):
    source, made, back = (tmp_path / name for name in ("source.dcm", "made.dcm", "back.dcm"))
    source.write_bytes(file_of([imagecodecs.jpeg8_encode(SMALL, level=90)], BASELINE, SMALL))
    dc.transcode(source, made, JPEG_XL, limits=APART, verify=True)
    dc.transcode(made, back, "jpeg", limits=APART)
    assert len(asked) == 3
    first, again = (bytes(dc.dcmread(one).frames.encoded(0)) for one in (source, back))
    assert first.rstrip(b"\0") == again.rstrip(b"\0")


def test_recompressing_damaged_frames(tmp_path):
    stream = imagecodecs.jpeg8_encode(SMALL, level=90)
    damaged = file_of([stream[: len(stream) // 3]], BASELINE, SMALL)
    with pytest.raises(PixelDecodeError):
        dc.transcode(BytesIO(damaged), tmp_path / "made.dcm", JPEG_XL, limits=APART)
    assert not list(tmp_path.iterdir())


def test_a_crash_in_a_bulk_job_loses_one_frame(hostile, tmp_path):  # noqa: F811  the fixture
    pytest.importorskip("pyarrow")
    from dicomcore.archive import frames
    from dicomcore.archive.organizing.transcoding import transcode_folder

    for name, words in {"a": [b"a", b"S", b"c"], "b": [b"d"]}.items():
        (tmp_path / f"{name}.dcm").write_bytes(file_of(words, HOSTILE, SMALL[:2]))
    records = list(frames(tmp_path, limits=APART, errors="yield"))
    told = [record.array[0, 0] if record.error is None else type(record.error) for record in records]
    assert told == [ord("a"), PixelDecodeError, ord("c"), ord("d")]
    done = transcode_folder(tmp_path, tmp_path / "out", "explicit", limits=APART)
    assert done.counts == {"failed": 1, "transcoded": 1}
    assert "SIGSEGV" in done.failures[0].reason

"""Failures while writing: full disks, read-only targets, kills, values and structures that can't be written."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import textwrap
import time

import numpy as np
import pytest

import dicomcore as dc
from tests.support.dicom_bytes import EXPLICIT, element, part10

posix = pytest.mark.skipif(os.name != "posix", reason="POSIX alone")


def sample(size: int = 10_000) -> dc.Dataset:
    return dc.dcmread(part10(element(0x00080018, "UI", b"1.2\0") + element(0x7FE00010, "OW", bytes(size))))


def run(script: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script), *map(str, arguments)],
        env=environment, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip


class Full(io.RawIOBase):
    """A stream that accepts a few bytes at a time, and then none."""

    def __init__(self, room: int) -> None:
        self.taken, self.room = bytearray(), room

    def writable(self) -> bool:
        return True

    def write(self, data) -> int:
        if len(self.taken) >= self.room:
            raise OSError(28, "No space left on device")
        part = bytes(data[:1000])
        self.taken += part
        return len(part)


def test_a_stream_with_short_writes_gets_all_bytes():
    stream = Full(1 << 30)
    data_set = sample()
    dc.dcmwrite(stream, data_set, enforce_standard=False)
    assert bytes(stream.taken) == data_set.to_bytes(enforce_standard=False)
    with pytest.raises(OSError, match="No space left"):
        dc.dcmwrite(Full(5000), data_set, enforce_standard=False)


@posix
@pytest.mark.parametrize("large", [False, True], ids=["one write", "streamed"])
def test_a_full_disk_leaves_the_old_file(tmp_path, large):
    path = tmp_path / "old.dcm"
    path.write_bytes(
        part10(element(0x00100020, "LO", b"old ") + element(0x7FE00010, "OW", bytes(3 << 20 if large else 900_000)))
    )
    before = path.read_bytes()
    done = run(
        """
        import resource, signal, sys
        import dicomcore as dc
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        ds = dc.dcmread(sys.argv[1])
        ds.PatientID = "new"
        resource.setrlimit(resource.RLIMIT_FSIZE, (500_000, 500_000))
        try:
            ds.save_as(sys.argv[1], enforce_standard=False)
        except OSError as error:
            print("refused", error.errno)
        """,
        path,
    )
    assert done.stdout.split() == ["refused", "27"], done.stderr
    assert path.read_bytes() == before
    assert [each.name for each in tmp_path.iterdir()] == ["old.dcm"]


@posix
def test_a_kill_at_any_moment_leaves_one_whole_file(tmp_path):
    path = tmp_path / "file.dcm"
    old = part10(element(0x00100020, "LO", b"old ") + element(0x7FE00010, "OW", bytes(6 << 20)))
    new = part10(element(0x00100020, "LO", b"a new one ") + element(0x7FE00010, "OW", bytes(6 << 20)))
    path.write_bytes(old)
    script = textwrap.dedent("""
        import sys
        import dicomcore as dc
        print("ready", flush=True)
        while True:
            for name in ("old", "a new one"):
                ds = dc.dcmread(sys.argv[1])
                ds.PatientID = name
                ds.save_as(sys.argv[1], enforce_standard=False, durable=False)
        """)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    seen = set()
    for i in range(6):
        child = subprocess.Popen(
            [sys.executable, "-c", script, str(path)], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        assert child.stdout is not None
        child.stdout.readline()
        time.sleep(0.003 + 0.0137 * i)
        child.send_signal(signal.SIGKILL)
        child.wait()
        child.stdout.close()
        child.stderr.close()
        found = path.read_bytes()
        assert found in (old, new)
        seen.add(found)
    assert seen


@posix
@pytest.mark.skipif(hasattr(os, "geteuid") and os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_target_is_refused(tmp_path):
    path = tmp_path / "file.dcm"
    path.write_bytes(b"old")
    path.chmod(0o444)
    with pytest.raises(PermissionError):
        sample().save_as(path, enforce_standard=False)
    assert path.read_bytes() == b"old"


def test_a_read_only_file_is_not_replaced(tmp_path, monkeypatch):
    path = tmp_path / "file.dcm"
    path.write_bytes(b"old")
    monkeypatch.setattr(os, "access", lambda place, mode: False)  # the message for users other than root
    with pytest.raises(PermissionError):
        sample().save_as(path, enforce_standard=False)
    assert path.read_bytes() == b"old"


def test_folders_and_missing_folders(tmp_path):
    with pytest.raises(IsADirectoryError):
        sample().save_as(tmp_path, enforce_standard=False)
    with pytest.raises(FileNotFoundError):
        sample().save_as(tmp_path / "none" / "file.dcm", enforce_standard=False)


@posix
def test_links_permissions_and_devices(tmp_path):
    path, link = tmp_path / "file.dcm", tmp_path / "link.dcm"
    path.write_bytes(b"old")
    path.chmod(0o640)
    link.symlink_to(path)
    sample().save_as(link, enforce_standard=False)
    assert link.is_symlink()
    assert path.stat().st_mode & 0o777 == 0o640
    assert path.read_bytes() == sample().to_bytes(enforce_standard=False)
    sample().save_as("/dev/null", enforce_standard=False)
    assert not os.path.isfile("/dev/null")


def test_a_source_that_changed_since_reading_is_not_mixed_in(tmp_path):
    path, target = tmp_path / "source.dcm", tmp_path / "target.dcm"
    path.write_bytes(sample(4 << 20).to_bytes(enforce_standard=False))
    data_set = dc.dcmread(path)
    path.write_bytes(sample(5 << 20).to_bytes(enforce_standard=False))
    with pytest.raises(dc.DicomError, match="changed"):
        data_set.save_as(target, enforce_standard=False)
    assert not target.exists()


@pytest.mark.skipif(not os.path.exists("/proc/self/status"), reason="only Linux tells a process's most memory")
def test_a_large_file_is_edited_in_little_memory(tmp_path):
    path = tmp_path / "large.dcm"
    with open(path, "wb") as file:  # sparse: 300 MB that take no disk space
        file.write(part10(element(0x00100020, "LO", b"old ") + element(0x7FE00010, "OW", length=300 << 20)))
        file.truncate(file.tell() + (300 << 20))
    done = run(
        """
        import sys
        import dicomcore as dc
        def most():
            return next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM"))
        ds = dc.dcmread(sys.argv[1])
        before = most()
        ds.PatientID = "a longer one"
        ds.save_as(sys.argv[1], enforce_standard=False, durable=False)
        assert not dc.patch(sys.argv[1], {"PatientID": "a still longer one"}, durable=False)
        print(most() - before)
        """,
        path,
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) < 24 << 10  # KB
    assert dc.dcmread(path).PatientID == "a still longer one"
    assert path.stat().st_size > 300 << 20


UNWRITABLE = {  # name: (keyword, value, what the message says)
    "text in a number": ("Rows", "many", r"\(0028,0010\) Rows"),
    "beyond 16 bits": ("Rows", 65_536, r"Rows: VR US can't hold 65536"),
    "negative": ("Rows", -1, "Rows"),
    "not a number": ("SliceThickness", float("nan"), r"SliceThickness: VR DS can't hold nan"),
    "infinity for an integer": ("InstanceNumber", float("inf"), "InstanceNumber"),
    "an integer of 13 digits": ("InstanceNumber", 10**13, "InstanceNumber"),
    "a character without its set": ("PatientName", "山田", r"PatientName: U\+5C71"),
    "a number for a name": ("StudyDescription", 5, "StudyDescription: VR LO takes text"),
    "a number for a person": ("PatientName", 5, "PatientName: VR PN takes text, not int"),
    "a mapping for a person": ("PatientName", {"family": "Doe"}, "PatientName: VR PN takes text, not dict"),
    "a data set for a person": ("PatientName", dc.Dataset(), "PatientName: VR PN takes text, not Dataset"),
    "a number for an identifier": ("StudyInstanceUID", 1.2, "StudyInstanceUID: VR UI takes text, not float"),
    "half a character": ("PatientName", "a\ud800", r"PatientName: U\+D800 is half a character"),
    "accents in a code": ("Modality", "CÉ", "Modality"),
    "text in bulk": ("PixelData", "pixels", "PixelData"),
    "two texts where one may be": ("TextValue", ["a", "b"], "TextValue"),
    "beyond a float": ("ExposureTimeInms", 1e999, None),
    "words beyond": ("RedPaletteColorLookupTableData", [70_000], "RedPalette"),
}


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize(("keyword", "value", "said"), UNWRITABLE.values(), ids=UNWRITABLE)
def test_an_unwritable_value_raises_an_error_that_names_its_element(tmp_path, keyword, value, said):
    path = tmp_path / "file.dcm"
    path.write_bytes(b"old")
    data_set = sample()
    inner = dc.Dataset()
    setattr(inner, keyword, value)
    data_set.RequestAttributesSequence = [{"PatientID": "1"}, inner]
    if said is None:
        assert (
            dc.dcmread(data_set.to_bytes(enforce_standard=False)).RequestAttributesSequence[1][keyword].value == value
        )
        return
    with pytest.raises(dc.EncodeError, match=rf"RequestAttributesSequence\[1\]\..*{said}") as caught:
        data_set.save_as(path, enforce_standard=False)
    assert caught.value.tag == dc.Tag(keyword)
    assert path.read_bytes() == b"old"
    assert len(list(tmp_path.iterdir())) == 1


def test_a_data_set_inside_itself_is_refused():
    data_set = sample()
    inner = dc.Dataset()
    data_set.RequestAttributesSequence = [inner]
    inner.ReferencedSeriesSequence = [data_set]
    with pytest.raises(dc.EncodeError, match="item of itself"):
        data_set.to_bytes(enforce_standard=False)


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_deep_nesting_is_written_without_recursion():
    data_set = innermost = dc.Dataset()
    for _ in range(20_000):
        inner = dc.Dataset()
        innermost.ReferencedSeriesSequence = [inner]
        innermost = inner
    innermost.PatientID = "deep"
    made = data_set.to_bytes(enforce_standard=False)
    assert len(made) == 20_000 * 20 + 12
    again = dc.dcmread(part10(made), limits=dc.Limits(depth=50_000))
    again.PatientName = "A"
    assert made in again.to_bytes(enforce_standard=False)
    open_ended = again.to_bytes(enforce_standard=False, lengths="undefined")
    assert len(open_ended) > len(made) + 20_000 * 16
    innermost.Rows = "many"
    with pytest.raises(dc.EncodeError, match="Rows") as caught:
        data_set.to_bytes(enforce_standard=False)
    assert len(str(caught.value)) < 1000
    while "ReferencedSeriesSequence" in data_set:  # taken apart here: Python would free it recursively
        data_set = data_set.ReferencedSeriesSequence[0]


def test_hostile_items_raise_our_errors():
    data_set = sample()
    data_set.ReferencedSeriesSequence = []
    data_set.ReferencedSeriesSequence.append(dc.Dataset())
    list.append(data_set.ReferencedSeriesSequence, 5)
    with pytest.raises(dc.EncodeError, match="item is a data set"):
        data_set.to_bytes(enforce_standard=False)
    with pytest.raises(ValueError, match="lengths"):
        sample().to_bytes(lengths="long")
    with pytest.raises(ValueError, match="validate"):
        sample().to_bytes(validate="never", enforce_standard=False)


VALIDATION = {  # name: (keyword, value, whether it is what its VR allows)
    "code": ("Modality", "CT", True),
    "small letters": ("Modality", "ct", False),
    "long code": ("Modality", "C" * 17, False),
    "date": ("StudyDate", "20240229", True),
    "month 13": ("StudyDate", "20241301", False),
    "range": ("StudyDate", "2024-", False),
    "dates": ("StudyDate", "20240101-20241231", True),
    "time": ("StudyTime", "235960.123456", True),
    "hour 25": ("StudyTime", "25", False),
    "age": ("PatientAge", "042Y", True),
    "age in years": ("PatientAge", "42", False),
    "UID": ("StudyInstanceUID", "1.2.840.0.1", True),
    "leading zero": ("StudyInstanceUID", "1.02", False),
    "name": ("PatientName", "A^B^C^D^E=F=G", True),
    "six components": ("PatientName", "A^B^C^D^E^F", False),
    "long name": ("PatientName", "A" * 65, False),
    "long text": ("StudyDescription", "A" * 65, False),
    "integer": ("InstanceNumber", 2**31 - 1, True),
    "large integer": ("InstanceNumber", 2**31, False),
    "decimal": ("SliceThickness", 1 / 3, True),
    "infinite": ("SliceThickness", float("inf"), False),
    "words": ("Rows", 512, True),
    "negative words": ("Rows", -1, False),
    "empty": ("Modality", "", True),
    "none": ("Rows", None, True),
}


@pytest.mark.parametrize(("keyword", "value", "good"), VALIDATION.values(), ids=VALIDATION)
def test_values_are_checked_when_set(keyword, value, good, recwarn):
    data_set = dc.Dataset()
    setattr(data_set, keyword, value)
    assert len(recwarn) == (0 if good else 1)
    assert [issue.tag for issue in data_set.validate()] == ([] if good else [dc.Tag(keyword)])
    strict = dc.Dataset()
    strict.validation = "raise"
    if good:
        setattr(strict, keyword, value)
    else:
        with pytest.raises(dc.EncodeError):
            setattr(strict, keyword, value)
        with pytest.raises(dc.EncodeError):
            strict.ReferencedSeriesSequence = [{keyword: value}]
        assert len(strict) == 0
        with pytest.raises(dc.EncodeError, match=keyword):
            data_set.to_bytes(validate="raise", enforce_standard=False)
    loose = dc.Dataset()
    loose.validation = "ignore"
    setattr(loose, keyword, value)
    assert len(recwarn) == (0 if good else 1)


def test_items_from_dictionaries_and_values_in_other_forms():
    from datetime import date, datetime, time

    data_set = dc.Dataset()
    data_set.update(
        {"StudyDate": date(2024, 2, 29), "StudyTime": time(12, 30), "AcquisitionDateTime": datetime(2024, 1, 2)}
    )
    data_set.ImageType = "ORIGINAL\\PRIMARY"
    data_set.BeamSequence = [{"BeamName": "1", "ControlPointSequence": [{"ControlPointIndex": 0}, {}]}, {}]
    again = dc.dcmread(part10(data_set.to_bytes(enforce_standard=False), EXPLICIT))
    assert (again.StudyDate, again.StudyTime, again.AcquisitionDateTime) == ("20240229", "123000", "20240102000000")
    assert again.ImageType == ["ORIGINAL", "PRIMARY"]
    assert again.BeamSequence[0].ControlPointSequence[0].ControlPointIndex == 0
    assert [len(each) for each in again.BeamSequence] == [2, 0]


DECIMALS = {  # number: its text
    1.0: "1", 0.1: "0.1", -0.0: "-0", 1e-5: "1e-5", 1e20: "1e20", 1 / 3: ".333333333333333", -1 / 3: "-.33333333333333",
    123456789.123456789: "123456789.123457", 1.2345678901234567e-05: "123456789012e-16", 9.999999999999999e22: None,
    5e-324: "5e-324", -1.7976931348623157e308: None, 0.9999999999999999: None, 99999999999999.99: "100000000000000",
}  # fmt: skip


@pytest.mark.parametrize(("number", "text"), DECIMALS.items())
def test_decimals_keep_the_precision_of_16_characters(number, text):
    from dicomcore._native.write.encode import format_decimal

    made = format_decimal(number)
    assert len(made) <= 16
    assert made == text or text is None
    rivals = [f"{number:.{digits}{kind}}" for digits in range(17) for kind in "efg"]
    best = min(abs(float(rival) - number) for rival in rivals if len(rival) <= 16)
    assert abs(float(made) - number) <= best


def test_words_from_arrays_and_lists_are_the_same():
    for vr, dtype in (
        ("US", "u2"),
        ("SS", "i2"),
        ("UL", "u4"),
        ("SL", "i4"),
        ("UV", "u8"),
        ("SV", "i8"),
        ("FL", "f4"),
        ("FD", "f8"),
    ):
        values = np.array([1, 2, 100], dtype)
        for syntax in (EXPLICIT, "1.2.840.10008.1.2.2"):
            made = []
            for value in (values, values.tolist(), values.astype(">" + dtype)):
                data_set = dc.Dataset()
                data_set.add(dc.DataElement(0x00189999, vr, value))
                made.append(data_set.to_bytes(transfer_syntax=syntax, enforce_standard=False))
            assert made[0] == made[1] == made[2]


def test_new_uids():
    assert dc.new_uid() != dc.new_uid()
    assert dc.new_uid(entropy="a") == dc.new_uid(entropy=["a"]) != dc.new_uid(entropy="b")
    assert dc.new_uid("1.2.3.").startswith("1.2.3.")
    assert all(dc.new_uid(prefix).is_valid for prefix in (None, "1.2.3."))

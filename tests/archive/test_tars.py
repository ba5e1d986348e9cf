"""How a tar ends: nothing that follows its last member may be lost without a row that says so."""

from __future__ import annotations

import bz2
import gzip
import io
import tarfile
from pathlib import Path
from typing import Any

import pytest

from tests.support.dicom_bytes import element, part10

pytest.importorskip("pyarrow")

from dicomcore.archive import index

BLOCK = 512
FILE = part10(element(0x00100020, "LO", b"id"))
MEMBER = 2 * BLOCK  # a header, and the file in one block
PACKINGS = {".tar": lambda data: data, ".tgz": gzip.compress, ".tar.bz2": bz2.compress}


def tar(*names: str) -> bytes:
    """A tar of small files, with an end mark and padded to 10 KiB."""
    assert len(FILE) <= BLOCK
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for name in names:
            entry = tarfile.TarInfo(name)
            entry.size = len(FILE)
            archive.addfile(entry, io.BytesIO(FILE))
    return packed.getvalue()


def spoilt(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 0x55]) + data[at + 1 :]


AB = tar("a", "b")
ENDS: dict[str, tuple[bytes, list[str], str]] = {  # name: (tar, its members, what the error says)
    "as written": (AB, ["a", "b"], ""),
    "one block of zeros": (AB[: 2 * MEMBER + BLOCK], ["a", "b"], ""),
    "no end mark": (AB[: 2 * MEMBER], ["a", "b"], f"ends at byte {2 * MEMBER} without an end mark"),
    "cut within a header": (AB[: MEMBER + 99], ["a"], f"ends at byte {MEMBER + 99} without an end mark"),
    "cut within a file": (AB[: MEMBER - 99], ["a"], "unexpected end of data"),
    "a damaged header": (spoilt(tar("a", "b", "c"), MEMBER + 5), ["a"], f"a damaged header at byte {MEMBER}"),
    "two tars": (AB + tar("c"), ["a", "b", "c"], ""),
    "three tars, the second empty": (AB + tar() + tar("c"), ["a", "b", "c"], ""),
    "two tars, the second damaged": (AB + spoilt(tar("c", "d"), MEMBER + 5), ["a", "b", "c"], "a damaged header"),
    "something else behind the end": (AB + b"no header" * 200, ["a", "b"], ""),
    "less than a block behind the end": (AB + b"no header", ["a", "b"], ""),
    "empty": (tar(), [], ""),
}


@pytest.mark.parametrize("suffix", PACKINGS)
@pytest.mark.parametrize(("data", "names", "said"), ENDS.values(), ids=ENDS)
def test_no_member_is_lost_silently(tmp_path, data, names, said, suffix):
    archive: Path = tmp_path / f"a{suffix}"
    archive.write_bytes(PACKINGS[suffix](data))
    rows: list[dict[str, Any]] = index(archive, columns=["PatientID"]).to_pylist()
    if said:
        last = rows.pop()
        assert (last["path"], last["error_kind"]) == (str(archive), "damaged")
        assert said in last["error"]
    if names and data[BLOCK:MEMBER] == AB[BLOCK:MEMBER]:
        assert {row["PatientID"] for row in rows} == {"id"}
    assert [row["path"].partition("!/")[2] for row in rows] == names


def test_a_gzip_stream_of_several_members_is_one_tar(tmp_path):
    parts = AB[:700], AB[700:]
    (tmp_path / "a.tgz").write_bytes(b"".join(map(gzip.compress, parts)) + gzip.compress(tar("c")))
    rows = index(tmp_path / "a.tgz", columns=["PatientID"]).to_pylist()
    assert [row["path"].partition("!/")[2] for row in rows] == ["a", "b", "c"]
    assert {row["PatientID"] for row in rows} == {"id"}

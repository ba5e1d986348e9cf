"""Targets that compare dicomcore with pydicom, the bulk loop with the reader, and written bytes with those read."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import dicomcore as dc
from fuzz import pydicom_apart, seeds
from fuzz.target import LIMITS, Target

PEER = pydicom_apart.Peer()


def peer(data: bytes) -> None:
    """pydicom reads a file without issues to the same elements, VRs, value bytes and values."""
    ds = dc.dcmread(data, limits=LIMITS)
    if ds.issues:
        return
    ours = pydicom_apart.described(ds, pydicom_apart.raw_of)
    if ds.issues:  # found in values
        return
    theirs = PEER.ask(data)
    if theirs is None or isinstance(theirs, str):
        raise AssertionError(f"pydicom: {theirs}")
    explained = pydicom_apart.explained
    differ = [(a, b) for a, b in zip(ours, theirs, strict=False) if a != b and not explained(a, b)]
    assert not differ, differ[:2]
    assert len(ours) == len(theirs)


def bulk_loop(data: bytes) -> None:
    """The archive's bulk loop and its reader give the same row for a file."""
    from dicomcore.archive.tables.batch import read_batch
    from dicomcore.archive.tables.columns import Columns
    from dicomcore.archive.tables.table import schema_of

    columns = Columns()
    schema = schema_of(columns)
    with tempfile.TemporaryDirectory(dir="/dev/shm" if os.path.isdir("/dev/shm") else None) as folder:
        path = Path(folder, "a.dcm")
        path.write_bytes(data)
        bulk = read_batch([str(path)], columns, schema).to_pylist()
        slow = read_batch([str(path)], columns, schema, bulk=False).to_pylist()
        assert bulk == slow or repr(bulk) == repr(slow), (bulk, slow)


def index_again(data: bytes) -> None:
    """A data set that is written unchanged has the same index as the bytes it was read from."""
    rows = dc.scan(data, force=True, limits=LIMITS)
    ds = dc.dcmread(data, force=True, limits=LIMITS)
    again = dc.scan(ds.to_bytes(enforce_standard=False), force=True, limits=LIMITS)
    assert again.tobytes() == rows.tobytes()


TARGETS: dict[str, Target] = {
    "pydicom": Target(peer, seeds.files),
    "bulk": Target(bulk_loop, seeds.files),
    "index": Target(index_again, seeds.files),
}

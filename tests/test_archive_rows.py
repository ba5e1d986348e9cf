"""The bulk loop and dcmread give the same rows of every real file."""

from __future__ import annotations

import pytest
from corpus import PYDICOM, ROOT

pytest.importorskip("pyarrow")

from dicomcore._native.extract import Extractor
from dicomcore.archive.batch import read_batch
from dicomcore.archive.columns import DEFAULT_COLUMNS, KIND_OF_VR, Columns
from dicomcore.archive.row import read_row
from dicomcore.archive.table import schema_of
from dicomcore.archive.walk import Entry, walk
from dicomcore.dictionary import get_entry, keywords

# Columns that reach behind pixel data, and every element that a column can show.
COLUMN_SETS = {
    "default": DEFAULT_COLUMNS,
    "file meta": ("MediaStorageSOPClassUID", "ImplementationVersionName"),
    "all": tuple(one for one in keywords() if get_entry(one)[0] in KIND_OF_VR),
}


@pytest.fixture(scope="module")
def files() -> list[Entry]:
    found = [entry for entry in walk([str(PYDICOM), str(ROOT / "files")]) if entry.fault is None]
    assert len(found) > 150
    return found


@pytest.mark.parametrize("names", COLUMN_SETS.values(), ids=COLUMN_SETS)
def test_both_ways_give_the_same_rows(files, names):
    columns = Columns(names)
    schema = schema_of(columns)
    bulk = read_batch(files, columns, schema).to_pylist()
    slow = read_batch(files, columns, schema, bulk=False).to_pylist()
    for one, other in zip(bulk, slow, strict=True):
        assert one == other or repr(one) == repr(other), one["path"]  # repr: NaN equals itself there


def test_most_files_take_the_bulk_way(files):
    columns = Columns()
    readable = [entry.path for entry in files if read_row(entry.path, columns).error is None]
    alone = [Extractor(columns.native, columns.stop_tag, [path]).run() for path in readable]
    assert sum(alone) > 0.75 * len(readable)

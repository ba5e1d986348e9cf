"""The bulk loop and dcmread give the same rows of every real file."""

from __future__ import annotations

import os
from pathlib import Path

import pydicom.data
import pytest

pytest.importorskip("pyarrow")

from dicomcore._native.extract import Extractor
from dicomcore.archive.batch import read_batch
from dicomcore.archive.columns import DEFAULT_COLUMNS, KIND_OF_VR, Columns
from dicomcore.archive.row import read_row
from dicomcore.archive.table import schema_of
from dicomcore.archive.walk import Entry, walk
from dicomcore.dictionary import get_entry, keywords

CORPUS = Path(os.environ.get("DICOMCORE_CORPUS", Path(__file__).parents[2] / "shared" / "corpus")) / "files"
PACKAGED = Path(pydicom.data.__file__).parent

# Columns that reach behind pixel data, and every element that a column can show.
COLUMN_SETS = {
    "default": DEFAULT_COLUMNS,
    "file meta": ("MediaStorageSOPClassUID", "ImplementationVersionName"),
    "all": tuple(one for one in keywords() if get_entry(one)[0] in KIND_OF_VR),
}


@pytest.fixture(scope="module")
def files() -> list[Entry]:
    found = list(walk([str(PACKAGED), str(CORPUS)])) if CORPUS.is_dir() else list(walk([str(PACKAGED)]))
    assert len(found) > 150
    return found


@pytest.mark.parametrize("names", COLUMN_SETS.values(), ids=COLUMN_SETS)
def test_both_ways_give_the_same_rows(files, names):
    columns = Columns(names)
    schema = schema_of(columns)
    bulk = read_batch(files, columns, schema).to_pylist()
    for entry, row in zip(files, bulk, strict=True):
        slow = read_batch([entry], columns, schema, bulk=False).to_pylist()[0]
        assert row == slow or repr(row) == repr(slow), entry.path  # repr: NaN equals itself there


def test_most_files_take_the_bulk_way(files):
    columns = Columns()
    readable = [entry.path for entry in files if read_row(entry.path, columns).error is None]
    alone = [Extractor(columns.native, columns.stop_tag, [path]).run() for path in readable]
    assert sum(alone) > 0.75 * len(readable)

"""An index of a DICOMweb server beside an index of the same files."""

from __future__ import annotations

import shutil
from pathlib import Path

import httpx
import pytest

from dicomcore import archive, catalogue, web
from tests.web.calling import FILES
from tests.web.serving import serving
from tests.web.test_client_retrieve import uids

CT = FILES["CT_small.dcm"]
# What says where a file is, how long it is, or what only its bytes tell.
OWN = {"path", "size", "mtime", "etag", "file_size", "duplicate"}


def test_an_index_of_a_server_has_the_rows_of_its_files(tmp_path: Path) -> None:
    folder = tmp_path / "files"
    folder.mkdir()
    for path in FILES.values():
        shutil.copy(path, folder)
    with catalogue.open(tmp_path / "store") as held, serving(web.app(held)) as url:
        with web.Client(url) as client:
            assert client.store(folder)
        theirs = archive.index(f"dicomweb+{url}").to_pylist()
        one = archive.index(f"dicomweb+{url}/studies/{uids(CT)[0]}").to_pylist()
    own = archive.index(folder).to_pylist()
    assert len(theirs) == len(own) == len(FILES)
    mine = {row["SOPInstanceUID"]: row for row in own}
    for row in theirs:
        assert row["path"].startswith(f"dicomweb+{url}/studies/{row['StudyInstanceUID']}/series/")
        assert row["error"] is None
        other = mine[row["SOPInstanceUID"]]
        for name in (
            "PatientName",
            "PatientID",
            "StudyDate",
            "Modality",
            "SOPClassUID",
            "Rows",
            "Columns",
            "SeriesNumber",
        ):
            if name in row:
                assert row[name] == other[name], (name, row["path"])
    assert [row["SOPInstanceUID"] for row in one] == [uids(CT)[2]]


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("dicomweb+http://127.0.0.1:9/dicom-web", "cannot be reached"),
        ("dicomweb+https://host/x/studies/1/instances/2", "names no study"),
    ],
)
def test_a_server_that_cannot_be_indexed_is_a_row_with_the_reason(url, words, monkeypatch):
    monkeypatch.setattr("dicomcore.web.client.time.sleep", lambda seconds: None)
    (row,) = archive.index(url, storage_options={"retries": 0}).to_pylist()
    assert words in row["error"]


def test_options_go_to_the_client():
    seen = []

    def refuse(request: httpx.Request) -> httpx.Response:
        seen.append(request.headers["authorization"])
        return httpx.Response(204)

    options = {"transport": httpx.MockTransport(refuse), "auth": ("me", "pw")}
    archive.index("dicomweb+https://host/x", storage_options=options)
    assert seen == ["Basic bWU6cHc="]

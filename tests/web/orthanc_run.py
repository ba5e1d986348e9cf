"""Our client against Orthanc, in a network namespace of its own: it listens on all addresses, and so reaches nobody.

``unshare -n python -m tests.web.orthanc_run FOLDER`` prints a JSON object: what was tried, and "" or what went wrong.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import traceback
from pathlib import Path
from typing import Any

import httpx
import numpy as np

from dicomcore import dcmread, web
from dicomcore.errors import WebError
from tests.web.calling import FILES
from tests.web.test_client_retrieve import files_below, uids

PLUGIN = "/usr/share/orthanc/plugins/libOrthancDicomWeb.so"
PORT = 8042
URL = f"http://127.0.0.1:{PORT}/dicom-web"
CT = FILES["CT_small.dcm"]


def started(folder: Path) -> subprocess.Popen[bytes]:
    """Orthanc, once it answers."""
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    settings = {
        "StorageDirectory": str(folder / "store"),
        "IndexDirectory": str(folder / "store"),
        "Plugins": [PLUGIN],
        "HttpPort": PORT,
        "DicomPort": 4242,
        "AuthenticationEnabled": False,
        "RemoteAccessAllowed": True,
        "DicomWeb": {"Enable": True, "Root": "/dicom-web/"},
    }
    (folder / "orthanc.json").write_text(json.dumps(settings))
    environment = {**os.environ, "TCP_NODELAY": "1"}
    running = subprocess.Popen(
        ["Orthanc", str(folder / "orthanc.json")], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment
    )
    for _ in range(300):
        try:
            httpx.get(f"{URL}/studies", timeout=2).raise_for_status()
            return running
        except httpx.HTTPError:
            time.sleep(0.1)
    running.kill()
    raise RuntimeError("Orthanc does not answer")


class Works:
    """What is tried, one method each."""

    def __init__(self, client: web.Client, folder: Path) -> None:
        self.client, self.folder = client, folder

    def store(self) -> None:
        result = self.client.store(FILES.values())
        assert result.stored == len(FILES), result.failures

    def search(self) -> None:
        found = list(self.client.studies(page=3))
        assert {ds.StudyInstanceUID for ds in found} == {uids(path)[0] for path in FILES.values()}
        ct = dcmread(CT)
        assert [ds.StudyInstanceUID for ds in self.client.studies(PatientID=ct.PatientID)] == [ct.StudyInstanceUID]
        assert [ds.Modality for ds in self.client.series(ct.StudyInstanceUID)] == ["CT"]
        (one,) = self.client.instances(*uids(CT)[:2], include=["Rows"])
        assert one.Rows == ct.Rows

    def retrieve(self) -> None:
        for path in FILES.values():
            assert self.client.retrieve(*uids(path), into=self.folder / "out").received == 1, path.name
        want = sorted(path.name for path in FILES.values())
        got = {dcmread(data).SOPInstanceUID: data for data in files_below(self.folder / "out").values()}
        assert len(got) == len(want)
        for path in FILES.values():
            assert got[uids(path)[2]] == path.read_bytes(), path.name

    def resume(self) -> None:
        for study in {uids(path)[0] for path in FILES.values()}:
            result = self.client.retrieve(study, into=self.folder / "out")
            assert (result.received, result.failures) == (0, [])

    def data_sets(self) -> None:
        assert list(self.client.retrieve(*uids(CT))) == [dcmread(CT)]

    def metadata(self) -> None:
        for path in FILES.values():
            own = dcmread(path)
            (ds,) = self.client.metadata(*uids(path))
            assert ds.SOPClassUID == own.SOPClassUID
            assert ds.get("PatientName") == own.get("PatientName")

    def values(self) -> None:
        (ds,) = self.client.metadata(*uids(CT))
        assert np.array_equal(ds.pixel_array, dcmread(CT).pixel_array)

    def frames(self) -> None:
        for path in FILES.values():
            own = dcmread(path)
            if "Rows" not in own or own.transfer_syntax.is_deflated:  # it answers 500 for frames of deflated files
                continue
            found = list(self.client.frames(*uids(path)))
            for mine, theirs in zip(found, own.frames, strict=True):
                assert np.array_equal(mine, theirs), path.name

    def rendered(self) -> None:
        assert self.client.rendered(*uids(CT)).startswith(b"\x89PNG")

    def refusals(self) -> None:
        try:
            list(self.client.metadata("1.2.3.4.5.6.7"))
        except WebError as error:
            assert error.status == 404
        else:
            raise AssertionError("nothing was refused")

    def delete(self) -> None:
        try:
            self.client.delete(uids(CT)[0])
        except WebError as error:
            assert error.status in (400, 404, 405)  # its plugin of 2022 has no DELETE


def main() -> None:
    """Try everything, and print what came of it."""
    folder = Path(sys.argv[1])
    running = started(folder)
    results: dict[str, Any] = {}
    try:
        with web.Client(URL) as client:
            works = Works(client, folder)
            for name in [name for name in vars(Works) if not name.startswith("_")]:
                try:
                    getattr(works, name)()
                    results[name] = ""
                except Exception:
                    results[name] = traceback.format_exc(limit=-3)
    finally:
        running.kill()
    print(json.dumps(results))


if __name__ == "__main__":
    main()

"""The client retrieves: to files and data sets, frames and values, from answers that are whole, cut and hostile."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from dicomcore import dcmread, web
from dicomcore.errors import DicomError, LimitError, WebError
from dicomcore.web.multipart import PartLimits
from tests.net.test_server import FILES
from tests.web.faces import FACES, JSON, URL, Script, answer
from tests.web.test_client import BY_NAME, SMALL, STUDY, parts

CT = BY_NAME["CT_small.dcm"]


@pytest.fixture(params=FACES.values(), ids=FACES)
def face(request: pytest.FixtureRequest) -> Any:
    return request.param


def uids(path: Path) -> tuple[str, str, str]:
    ds = dcmread(path)
    return str(ds.StudyInstanceUID), str(ds.SeriesInstanceUID), str(ds.SOPInstanceUID)


def files_below(folder: Path) -> dict[str, bytes]:
    """All files by their paths."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def wanted(paths: list[Path]) -> dict[str, bytes]:
    """The files that these give."""
    return {os.path.join(*uids(path)[:2], uids(path)[2] + ".dcm"): path.read_bytes() for path in paths}


# -- into a folder


@pytest.mark.parametrize("size", [1, 1000, 1 << 20])
def test_parts_become_files(face, tmp_path, size):
    pieces, headers = parts([path.read_bytes() for path in SMALL])
    whole = b"".join(pieces)
    cut = [whole[i : i + size] for i in range(0, len(whole), size)]
    script = Script(lambda request: answer(200, cut, headers))
    seen: list[web.Outcome] = []
    result = face(script).run("retrieve", STUDY, into=tmp_path, each=seen.append)
    assert result
    assert (result.received, result.present, result.failures) == (len(SMALL), 0, [])
    assert files_below(tmp_path) == wanted(SMALL)
    assert [one.sop_instance for one in seen] == [uids(path)[2] for path in SMALL]
    assert script.requests[0].headers["accept"] == 'multipart/related; type="application/dicom"; transfer-syntax=*'


def test_one_instance_may_come_alone(face, tmp_path):
    script = Script(lambda request: answer(200, CT.read_bytes(), {"content-type": "application/dicom"}))
    assert face(script).run("retrieve", *uids(CT), into=tmp_path).received == 1
    assert files_below(tmp_path) == wanted([CT])


def test_a_large_part_goes_to_its_file_as_it_comes(face, tmp_path):
    ds = dcmread(CT)
    ds.PixelData = np.arange(3 << 20, dtype="u4").tobytes()
    data = ds.to_bytes()
    pieces, headers = parts([data, CT.read_bytes()])
    whole = b"".join(pieces)
    cut = [whole[i : i + 65536] for i in range(0, len(whole), 65536)]
    result = face(Script(lambda request: answer(200, cut, headers))).run("retrieve", STUDY, into=tmp_path)
    assert (result.received, [one.error for one in result.failures]) == (1, [])
    assert list(files_below(tmp_path).values()) == [data]  # the second has its UID, and other bytes


HOSTILE_UIDS = {
    "a path upward": "../../../../etc/passwd",
    "an absolute path": "/etc/passwd",
    "two dots": "..",
    "a NUL": "1.2\0.3",
    "a hidden file": ".ssh",
    "a device": "CON",
    "endless": "1." * 150,
}


@pytest.mark.parametrize("uid", HOSTILE_UIDS.values(), ids=HOSTILE_UIDS)
def test_uids_are_no_paths(face, tmp_path, uid):
    ds = dcmread(CT)
    ds.validation = "ignore"
    ds.StudyInstanceUID = ds.SeriesInstanceUID = ds.SOPInstanceUID = uid
    pieces, headers = parts([ds.to_bytes(enforce_standard=False)])
    folder = tmp_path / "inside"
    face(Script(lambda request: answer(200, pieces, headers))).run("retrieve", STUDY, into=folder)
    outside = [path for path in tmp_path.rglob("*") if path.is_file() and folder not in path.parents]
    assert outside == []
    for path in folder.rglob("*"):
        assert all(part.startswith(("x-", "1")) or part == uid for part in path.relative_to(folder).parts), path


BAD_PARTS = {  # name: (body of the second part of three, words)
    "no DICOM": (b"<html>", "no DICOM file"),
    "nothing": (b"", "no DICOM file"),
    "cut in the head": (SMALL[1].read_bytes()[:200], "DICOM"),
}


@pytest.mark.parametrize(("body", "words"), BAD_PARTS.values(), ids=BAD_PARTS)
def test_one_bad_part_does_not_cost_the_others(face, tmp_path, body, words):
    pieces, headers = parts([SMALL[0].read_bytes(), body, SMALL[2].read_bytes()])
    result = face(Script(lambda request: answer(200, pieces, headers))).run("retrieve", STUDY, into=tmp_path)
    assert not result
    assert result.received == 2
    assert [words in one.error for one in result.failures] == [True]
    assert files_below(tmp_path) == wanted([SMALL[0], SMALL[2]])


class Node:
    """A server with some files of one study and series, whose answers may break off."""

    def __init__(self, paths: list[Path], *breaks: int | None) -> None:
        self.paths, self.breaks = paths, list(breaks)

    def __call__(self, request: httpx.Request) -> Any:
        path = request.url.path
        if path.endswith("/instances"):
            names = {"0020000E": 1, "00080018": 2}
            rows = [
                {tag: {"vr": "UI", "Value": [uids(one)[place]]} for tag, place in names.items()} for one in self.paths
            ]
            return answer(200, json.dumps(rows).encode(), JSON)
        chosen = [one for one in self.paths if path.endswith(uids(one)[2])] or self.paths
        if "/series/" in path and "/instances/" not in path:
            chosen = [one for one in self.paths if path.endswith(uids(one)[1])]
        pieces, headers = parts([one.read_bytes() for one in chosen])
        if self.breaks and (at := self.breaks.pop(0)) is not None:
            whole = b"".join(pieces)[:at]
            return answer(200, [whole, httpx.ReadError("reset by peer")], headers)
        return answer(200, pieces, headers)


def test_what_breaks_off_is_gone_on_with(face, tmp_path):
    first, second = (path.stat().st_size for path in SMALL[:2])
    node = Node(SMALL, first + 1000, second + 100)
    script = Script(node)
    result = face(script).run("retrieve", STUDY, into=tmp_path)
    assert result
    assert files_below(tmp_path) == wanted(SMALL)
    assert script.paths[0] == f"studies/{STUDY}"
    assert uids(SMALL[0])[2] not in "".join(script.paths[1:])


def test_data_sets_are_given_once_when_the_answer_breaks_off(face):
    script = Script(Node(SMALL, SMALL[0].stat().st_size + 1000, SMALL[0].stat().st_size + 2000, None))
    found = face(script).run("retrieve", STUDY)
    assert [ds.SOPInstanceUID for ds in found] == [uids(path)[2] for path in SMALL]


def test_what_breaks_off_at_the_same_place_is_given_up(face, tmp_path):
    script = Script(Node(SMALL, *[SMALL[0].stat().st_size + 1000] * 20))
    with pytest.raises(WebError, match="the connection broke"):
        face(script).run("retrieve", STUDY)
    assert len(script.requests) <= 6


def test_an_answer_that_is_cut_leaves_no_half_file(face, tmp_path):
    pieces, headers = parts([SMALL[0].read_bytes(), CT.read_bytes()])
    whole = b"".join(pieces)
    script = Script(lambda request: answer(200, whole[: SMALL[0].stat().st_size + 500], headers))
    with pytest.raises(WebError, match="without its last delimiter"):
        face(script).run("retrieve", STUDY, into=tmp_path)
    assert files_below(tmp_path) == wanted([SMALL[0]])


def test_a_second_run_passes_over_what_is_there(face, tmp_path):
    study = uids(SMALL[0])[0]
    script = Script(Node(SMALL[:1]))
    client = face(script)
    assert client.run("retrieve", study, into=tmp_path).received == 1
    again = Script(Node(SMALL[:1]))
    result = face(again).run("retrieve", study, into=tmp_path)
    assert (result.received, result.present) == (0, 1)
    assert again.paths == [f"studies/{study}/instances?limit=1000"]
    over = Script(Node(SMALL[:1]))
    result = face(over).run("retrieve", study, into=tmp_path, resume=False)
    assert (result.received, result.present) == (0, 1)
    assert over.paths == [f"studies/{study}"]


def test_instances_with_other_bytes_are_treated_as_asked(face, tmp_path):
    other = dcmread(CT)
    other.PatientName = "Other"
    for duplicates, state, name in (("keep", "warning", ""), ("reject", "failed", ""), ("replace", "stored", "Other")):
        folder = tmp_path / duplicates
        for body in (CT.read_bytes(), other.to_bytes()):
            pieces, headers = parts([body])
            script = Script(lambda request, made=(pieces, headers): answer(200, *made))
            seen: list[web.Outcome] = []
            face(script).run(
                "retrieve", STUDY, into=folder, resume=False, duplicates=duplicates, each=seen.append
            )  # fmt: skip
        assert seen[0].state == state
        (kept,) = folder.rglob("*.dcm")
        assert (str(dcmread(kept).PatientName) == "Other") == bool(name)


def test_limits_of_parts(face, tmp_path):
    pieces, headers = parts([CT.read_bytes()] * 3)
    for limits, words in (
        (web.ClientLimits(parts=PartLimits(parts=2)), "more than 2 parts"),
        (web.ClientLimits(parts=PartLimits(part_bytes=1000)), "more than 1000 bytes"),
    ):
        with pytest.raises(LimitError, match=words):
            face(Script(lambda request: answer(200, pieces, headers)), limits=limits).run(
                "retrieve", STUDY, into=tmp_path
            )
    with pytest.raises(LimitError, match="not read into memory"):
        face(Script(lambda request: answer(200, pieces, headers)), limits=web.ClientLimits(part=1000)).run(
            "retrieve", STUDY
        )


# -- metadata and values


def model(path: Path, uri: str) -> bytes:
    """The metadata of a file, with its pixel data at a URI."""
    ds = dcmread(path, stop_before_pixels=True)
    made = ds.to_json_dict()
    made["7FE00010"] = {"vr": "OW", "BulkDataURI": uri}
    return json.dumps([made]).encode()


URIS = {  # name: (URI in the metadata, URL that is asked)
    "absolute": (f"{URL}/bulk/1", f"{URL}/bulk/1"),
    "of the host": ("/dicom-web/bulk/1", f"{URL}/bulk/1"),
    "relative": ("../bulk/1", f"{URL}/studies/bulk/1"),
    "with a query": (f"{URL}/bulk?id=1&x=%2F", f"{URL}/bulk?id=1&x=%2F"),
}


@pytest.mark.parametrize(("uri", "url"), URIS.values(), ids=URIS)
def test_values_stay_on_the_server_until_they_are_used(uri, url):
    pixels = dcmread(CT).PixelData

    def serve(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/metadata"):
            return answer(200, model(CT, uri), JSON)
        return answer(200, pixels, {"content-type": "application/octet-stream"})

    script = Script(serve)
    with web.Client(URL, transport=script) as client:
        (ds,) = client.metadata(STUDY)
        assert "PixelData" in ds
        assert f"at {url}" in str(ds)
        assert len(script.requests) == 1
        assert np.array_equal(ds.pixel_array, dcmread(CT).pixel_array)
        assert ds.PixelData == pixels
        assert str(script.requests[1].url) == url
        assert len(script.requests) == 2


def test_a_data_set_is_saved_with_the_values_of_the_server(tmp_path):
    pieces, headers = parts([dcmread(CT).PixelData], "application/octet-stream")

    def serve(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/metadata"):
            return answer(200, model(CT, "../bulk"), JSON)
        return answer(200, pieces, headers)

    with web.Client(URL, transport=Script(serve)) as client:
        (ds,) = client.metadata(STUDY)
        ds.save_as(tmp_path / "made.dcm")
    assert np.array_equal(dcmread(tmp_path / "made.dcm").pixel_array, dcmread(CT).pixel_array)


@pytest.mark.parametrize("bulk", ["fetch", "leave"])
def test_values_are_fetched_at_once_or_left(face, bulk):
    pixels = dcmread(CT).PixelData

    def serve(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/metadata"):
            return answer(200, model(CT, "../bulk"), JSON)
        return answer(200, pixels, {"content-type": "application/octet-stream"})

    script = Script(serve)
    (ds,) = face(script).run("metadata", STUDY, bulk=bulk)
    if bulk == "fetch":
        assert ds.PixelData == pixels
        return
    assert len(script.requests) == 1
    with pytest.raises(WebError, match="left on the server"):
        _ = ds.PixelData
    assert face(script).run("bulkdata", ds["PixelData"]) == pixels


def test_the_asynchronous_face_does_not_block_when_a_value_is_used():
    with pytest.raises(ValueError, match="bulk is one of fetch, leave"):
        FACES["asynchronous"](Script(lambda request: answer(204))).run("metadata", STUDY, bulk="lazy")


ELSEWHERE = {  # name: (URI, hosts, words of the error, None if it is asked for)
    "another host": ("https://other.example.org/x", (), "another server"),
    "one that is named": ("https://other.example.org/x", ("Other.example.org",), None),
    "the address of a cloud's secrets": ("http://169.254.169.254/latest/meta-data", (), "another server"),
    "a file": ("file:///etc/passwd", (), "no http or https URL"),
    "a line end": (f"{URL}/x\r\nHost: y", (), "no http or https URL"),
}


@pytest.mark.parametrize(("uri", "hosts", "words"), ELSEWHERE.values(), ids=ELSEWHERE)
def test_values_at_other_servers(face, uri, hosts, words):
    script = Script(lambda request: answer(200, b"1234", {"content-type": "application/octet-stream"}))
    client = face(script, hosts=hosts, auth=("me", "pw"), headers={"X-Key": "k"})
    if words is None:
        assert client.run("bulkdata", uri) == b"1234"
        assert "authorization" not in script.requests[0].headers
        assert "x-key" not in script.requests[0].headers
        return
    with pytest.raises((DicomError, ValueError), match=words):
        client.run("bulkdata", uri)
    assert script.requests == []


@pytest.mark.parametrize("ranges", [True, False], ids=["a server with ranges", "one without"])
def test_a_span_of_a_value(face, ranges):
    def serve(request: httpx.Request) -> httpx.Response:
        assert request.headers["range"] == "bytes=2-4"
        return answer(206, b"cde", {}) if ranges else answer(200, b"abcdefgh", {})

    assert face(Script(serve)).run("bulkdata", "bulk", span=(2, 5)) == b"cde"


# -- frames


def frames_of(path: Path) -> Any:
    return dcmread(path).frames


CODED = {
    "RLE": ("MR_small_RLE.dcm", "image/dicom-rle"),
    "JPEG 2000": ("JPEG2000.dcm", "image/jp2"),
    "JPEG Lossless": ("SC_rgb_jpeg_gdcm.dcm", "image/jpeg"),
    "JPEG Extended": ("JPGExtended.dcm", "image/jpeg"),
    "JPEG Baseline, several": ("examples_ybr_color.dcm", "image/jpeg"),
    "JPEG-LS": ("MR_small_jpeg_ls_lossless.dcm", "image/jls"),
    "RLE, colour": ("SC_rgb_rle_16bit_2frame.dcm", "image/dicom-rle"),
    "uncompressed": ("CT_small.dcm", "application/octet-stream"),
    "uncompressed, several": ("rtdose.dcm", "application/octet-stream"),
    "uncompressed, colour": ("SC_rgb_small_odd.dcm", "application/octet-stream"),
    "uncompressed, half the colour": ("SC_ybr_full_422_uncompressed.dcm", "application/octet-stream"),
    "single bits": ("liver_1frame.dcm", "application/octet-stream"),
}


@pytest.mark.parametrize(("name", "kind"), CODED.values(), ids=CODED)
@pytest.mark.parametrize("stated", [True, False], ids=["with its transfer syntax", "without"])
def test_frames_are_decoded_as_those_of_the_file(face, name, kind, stated):
    path = BY_NAME[name]
    ds = dcmread(path)
    suffix = f"; transfer-syntax={ds.transfer_syntax}" if stated and "octet" not in kind else ""
    numbers = list(range(1, len(ds.frames) + 1))[::-1]

    def serve(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/metadata"):
            return answer(200, model(path, "../bulk"), JSON)
        asked = [int(word) for word in request.url.path.rpartition("/")[2].split(",")]
        pieces, headers = parts([bytes(ds.frames.encoded(one - 1)) for one in asked], kind + suffix)
        return answer(200, pieces, headers)

    script = Script(serve)
    found = face(script, limits=web.ClientLimits(frames=3)).run("frames", *uids(path), numbers)
    assert len(found) == len(numbers)
    for number, array in zip(numbers, found, strict=True):
        assert np.array_equal(array, ds.frames[number - 1])
    raw = face(script).run("frames", *uids(path), [1], raw=True)
    assert raw == [bytes(ds.frames.encoded(0))]


def test_frames_that_do_not_come_are_missed(face):
    def serve(request: httpx.Request) -> httpx.Response:
        pieces, headers = parts([b"one"], "application/octet-stream")
        return answer(200, pieces, headers)

    with pytest.raises(WebError, match="2 frames were asked for, and 1 came"):
        face(Script(serve)).run("frames", *uids(CT), [1, 2], raw=True)


WRONG_FRAMES = {  # name: (content type, body, words)
    "too short": ("application/octet-stream", b"x", "frame 1"),
    "no codestream": ("image/jpeg", b"x" * 100, "frame 1"),
    "HTML": ("text/html", b"<html>", "says no transfer syntax"),
}


@pytest.mark.parametrize(("kind", "body", "words"), WRONG_FRAMES.values(), ids=WRONG_FRAMES)
def test_frames_that_are_none(face, kind, body, words):
    def serve(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/metadata"):
            return answer(200, model(CT, "../bulk"), JSON)
        return answer(200, body, {"content-type": kind})

    with pytest.raises(DicomError, match=words):
        face(Script(serve)).run("frames", *uids(CT), [1])


def test_pictures(face):
    script = Script(lambda request: answer(200, b"\x89PNG", {"content-type": "image/png"}))
    place = ("1", "2", "3")
    assert face(script).run("rendered", *place, 2, window=(40, 400), viewport=(100, 50), quality=90) == b"\x89PNG"
    assert face(script).run("thumbnail", "1", viewport=(64, 64)) == b"\x89PNG"
    assert script.paths == [
        "studies/1/series/2/instances/3/frames/2/rendered?window=40%2C400%2Clinear&viewport=100%2C50&quality=90",
        "studies/1/thumbnail?viewport=64%2C64",
    ]
    assert [request.headers["accept"] for request in script.requests] == ["image/png", "image/jpeg"]
    with pytest.raises(WebError, match="an empty picture"):
        face(Script(lambda request: answer(200))).run("rendered", *place)


def test_all_files_come_back_byte_for_byte(face, tmp_path):
    whole = [path for path in FILES if path.read_bytes()[128:132] == b"DICM"]
    pieces, headers = parts([path.read_bytes() for path in whole])
    result = face(Script(lambda request: answer(200, pieces, headers))).run("retrieve", STUDY, into=tmp_path)
    assert result
    assert files_below(tmp_path) == wanted(whole)

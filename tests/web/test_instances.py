"""What is stored comes back, byte for byte or as the client asks; how what is wrong is said."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from dicomcore import dcmread, uids, web
from dicomcore.web.limits import WebLimits
from tests.web.calling import AS_STORED, DICOM, FILES, Caller, calling, message, parts_of, place_of

EXPLICIT = str(uids.ExplicitVRLittleEndian)


@pytest.mark.parametrize("name", FILES)
def test_an_instance_comes_back_byte_for_byte(caller: Caller, name: str) -> None:
    ((media, data),) = parts_of(caller.get(place_of(FILES[name]), AS_STORED))
    assert data == FILES[name].read_bytes()
    assert media == f"{DICOM};transfer-syntax={dcmread(FILES[name]).transfer_syntax}"
    single = caller.get(place_of(FILES[name]), f"{DICOM}; transfer-syntax=*")
    assert single.content == data
    assert single.headers["content-type"] == media


@pytest.mark.parametrize("level", ["study", "series"])
def test_levels(caller: Caller, level: str) -> None:
    wanted = FILES["CT_small.dcm"]
    path = re.sub("/instances/.*" if level == "series" else "/series/.*", "", place_of(wanted))
    found = [data for _, data in parts_of(caller.get(path, AS_STORED))]
    assert wanted.read_bytes() in found
    attribute = "SeriesInstanceUID" if level == "series" else "StudyInstanceUID"
    assert {dcmread(data)[attribute].value for data in found} == {dcmread(wanted)[attribute].value}


def test_without_a_transfer_syntax_nothing_is_implicit(caller: Caller) -> None:
    for name in ("MR_small_implicit.dcm", "MR_small_bigendian.dcm", "rtplan.dcm"):
        if name in FILES:
            answer = caller.get(place_of(FILES[name]), DICOM)
            made, own = dcmread(answer.content), dcmread(FILES[name])
            assert made.transfer_syntax == EXPLICIT
            assert answer.headers["content-type"].endswith(EXPLICIT)
            assert made.to_json_dict() == own.to_json_dict()


def test_transcoding(caller: Caller) -> None:
    wanted = FILES["CT_small.dcm"]
    answer = caller.get(place_of(wanted), f"{DICOM}; transfer-syntax={uids.JPEGLSLossless}")
    made = dcmread(answer.content)
    assert made.transfer_syntax == uids.JPEGLSLossless
    assert (made.pixel_array == dcmread(wanted).pixel_array).all()


def test_ranges_and_tags(caller: Caller) -> None:
    wanted = FILES["CT_small.dcm"]
    place, data, accept = place_of(wanted), wanted.read_bytes(), f"{DICOM}; transfer-syntax=*"
    whole = caller.get(place, accept)
    tag = whole.headers["etag"]
    assert caller.get(place, accept, if_none_match=tag).status_code == 304
    assert caller.get(place, accept, if_none_match='"other"').status_code == 200
    table = {
        "bytes=0-9": (206, data[:10]),
        "bytes=100-": (206, data[100:]),
        "bytes=-7": (206, data[-7:]),
        f"bytes=0-{10**18}": (206, data),
        "bytes=5-4": (200, data),
        "bytes=0-1,3-4": (200, data),
        "bytes=a-b": (200, data),
        "lines=0-3": (200, data),
    }
    for asked, (status, expected) in table.items():
        answer = caller.get(place, accept, range=asked)
        assert (answer.status_code, answer.content) == (status, expected), asked
        assert int(answer.headers["content-length"]) == len(expected)
    for asked in (f"bytes={len(data)}-", "bytes=-0"):
        answer = caller.get(place, accept, range=asked)
        assert answer.status_code == 416
        assert answer.headers["content-range"] == f"bytes */{len(data)}"
    assert caller.get(place, accept, range="bytes=0-9", if_range='"old"').status_code == 200


MISSING = {
    "/studies/1.2.3": 404,
    "/studies/1.2.3/series/4": 404,
    "/studies/1.2.3/metadata": 404,
    "/studies/1.2.3/series/4/instances/5/frames/1": 404,
    "/nothing": 404,
    "/studies/..%2F..%2Fetc/metadata": 404,
    "/studies/1.2.3/what": 404,
    f"/studies/{'1' * 65}": 404,
    "/studies/1%00/metadata": 404,
}


@pytest.mark.parametrize(("path", "status"), MISSING.items(), ids=MISSING)
def test_what_is_not_there(caller: Caller, path: str, status: int) -> None:
    answer = caller.get(path)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["status"] == status


def test_one_bad_part_does_not_cost_the_others(tmp_path: Path) -> None:
    good = FILES["CT_small.dcm"]
    no_study = dcmread(FILES["MR_small.dcm"])
    del no_study.StudyInstanceUID
    with calling(tmp_path) as (caller, held):
        answer = caller.store([good, b"not DICOM", no_study.to_bytes(), b""])
        model = answer.json()
        assert answer.status_code == 202
        assert len(held) == 1
        (item,) = model["00081199"]["Value"]
        assert item["00081155"]["Value"] == [str(dcmread(good).SOPInstanceUID)]
        assert item["00081190"]["Value"] == [f"http://node{place_of(good)}"]
        (failed,) = model["00081198"]["Value"]
        assert failed["00081155"]["Value"] == [str(no_study.SOPInstanceUID)]
        assert failed["00081197"]["Value"] == [0xC000]
        assert len(model["0008119A"]["Value"]) == 2
        assert not list(tmp_path.glob(".incoming/*.part"))
        assert str(tmp_path) not in answer.text


def test_each_instance_of_a_group_has_its_own_outcome(tmp_path: Path) -> None:
    """Complete parts go to the catalogue together; one that it cannot keep costs none of those beside it."""
    files = []
    for number in range(40):
        ds = dcmread(FILES["CT_small.dcm"])
        ds.SOPInstanceUID = ds.file_meta.MediaStorageSOPInstanceUID = f"1.2.826.0.1.40.{number}"
        files.append(ds.to_bytes())
    cut, double = 7, 11
    files[cut] = files[cut][:-1000]
    files[double] = files[double + 1].replace(b"CompressedSamples", b"CompressedSomples")
    with calling(tmp_path) as (caller, held):
        answer = caller.store(files)
        assert answer.status_code == 202
        model = answer.json()
        stored = [item["00081155"]["Value"][0] for item in model["00081199"]["Value"]]
        warned = [number for number, item in enumerate(model["00081199"]["Value"]) if "00081196" in item]
        (failed,) = model["00081198"]["Value"]
        assert failed["00081155"]["Value"] == [f"1.2.826.0.1.40.{cut}"]
        names = [number for number in range(40) if number != cut]
        names[names.index(double)] = double + 1
        assert stored == [f"1.2.826.0.1.40.{number}" for number in names], "in the order of the parts"
        assert warned == [stored.index(f"1.2.826.0.1.40.{double + 1}") + 1]
        assert len(held) == 38
        assert not list(tmp_path.glob(".incoming/*.part"))


def test_statuses(tmp_path: Path) -> None:
    ct, mr = FILES["CT_small.dcm"], FILES["MR_small.dcm"]
    changed = dcmread(ct)
    changed.StudyDescription = "other bytes"
    with calling(tmp_path) as (caller, held):
        study = place_of(ct).partition("/series")[0]
        assert caller.store([mr], study).status_code == 409
        assert len(held) == 0
        assert caller.store([ct], study).status_code == 200
        assert caller.store([ct], study).status_code == 200, "the same bytes are a success"
        answer = caller.store([changed.to_bytes()])
        assert answer.status_code == 202
        (item,) = answer.json()["00081199"]["Value"]
        assert item["00081196"]["Value"] == [0xB000]
        assert caller.store([]).status_code == 400
        assert caller.store([ct], media="image/png").status_code == 415
        assert caller.ask("POST", "/studies", content=b"x").status_code == 415
        assert caller.ask("POST", "/studies", content=ct.read_bytes(),
                          headers={"content-type": DICOM}).status_code == 200  # fmt: skip
        form = {"content-type": "multipart/form-data; boundary=x"}
        assert caller.ask("POST", "/studies", content=b"", headers=form).status_code == 415
        xml = caller.ask("POST", "/studies", content=message([ct])[0].replace(b"x", b"x"),
                         headers=message([ct])[1] | {"accept": "application/dicom+xml"})  # fmt: skip
        assert xml.status_code in (200, 400)


def test_bodies_that_are_cut_short(tmp_path: Path) -> None:
    body, fields = message([FILES["CT_small.dcm"], FILES["MR_small.dcm"]])
    with calling(tmp_path) as (caller, held):
        cut = caller.ask("POST", "/studies", content=body[:30000], headers=fields)
        assert cut.status_code == 400
        assert len(held) == 0
        later = caller.ask("POST", "/studies", content=body[:-1000], headers=fields)
        assert later.status_code == 202, "the first part was whole"
        assert len(held) == 1
        assert not list(tmp_path.glob(".incoming/*.part"))


@pytest.mark.parametrize("size", [1 << 20, 1 << 12])
def test_damage_behind_a_part_does_not_cost_it(tmp_path: Path, size: int) -> None:
    """However the bytes arrive: all at once, or a few at a time."""
    body, fields = message([FILES["CT_small.dcm"]])
    delimiter = body.partition(b"\r\n")[0]
    body = body[: body.rindex(delimiter)] + delimiter + b"\r\n" + body

    async def pieces() -> AsyncIterator[bytes]:
        for start in range(0, len(body), size):
            yield body[start : start + size]

    with calling(tmp_path) as (caller, held):
        answer = caller.ask("POST", "/studies", content=pieces(), headers=fields)
        assert answer.status_code == 202, "the first part was whole"
        assert len(held) == 1
        assert len(answer.json()["0008119A"]["Value"]) == 1


def test_a_server_that_only_reads(tmp_path: Path) -> None:
    with calling(tmp_path, store=False) as (caller, _):
        answer = caller.store([FILES["CT_small.dcm"]])
        assert answer.status_code == 405
        assert "POST" not in answer.headers["allow"]


def test_replacing(tmp_path: Path) -> None:
    ct = FILES["CT_small.dcm"]
    changed = dcmread(ct)
    changed.StudyDescription = "other bytes"
    with calling(tmp_path, duplicates="replace") as (caller, _):
        caller.store([ct])
        place = place_of(ct)
        before = caller.get(f"{place}/metadata").json()
        assert caller.store([changed.to_bytes()]).status_code == 200
        after = caller.get(f"{place}/metadata").json()
        assert before != after
        assert after[0]["00081030"]["Value"] == ["other bytes"]


def test_deleting(tmp_path: Path) -> None:
    ct, mr = FILES["CT_small.dcm"], FILES["MR_small.dcm"]
    with calling(tmp_path / "a") as (caller, held):
        caller.store([ct])
        assert caller.ask("DELETE", place_of(ct)).status_code == 405
        assert len(held) == 1
    with calling(tmp_path / "b", delete=True) as (caller, held):
        caller.store([ct, mr])
        assert caller.get(f"{place_of(ct)}/frames/1").status_code == 200
        assert caller.ask("DELETE", place_of(ct)).status_code == 204
        assert caller.ask("DELETE", place_of(ct)).status_code == 404
        assert caller.get(f"{place_of(ct)}/frames/1").status_code == 404
        assert len(held) == 1
        assert caller.ask("DELETE", place_of(mr).partition("/series")[0]).status_code == 204
        assert len(held) == 0
        assert caller.get("/studies").status_code == 204


def test_limits_of_a_file(tmp_path: Path) -> None:
    limits = WebLimits(file_bytes=1000, part_head_bytes=200)
    with calling(tmp_path, limits=limits) as (caller, held):
        answer = caller.store([FILES["CT_small.dcm"]])
        assert answer.status_code in (400, 409)
        assert len(held) == 0
        assert not list(tmp_path.glob(".incoming/*.part"))


def test_the_names_are_public() -> None:
    assert callable(web.app)
    assert web.WebLimits().requests == 100


CUT = {  # name: (file, bytes that are missing at its end)
    "in its pixels": ("CT_small.dcm", 1000),
    "in a fragment": ("JPEG2000.dcm", 9),
    "in a nested value": ("test-SR.dcm", 20),
}


@pytest.mark.parametrize(("name", "missing"), CUT.values(), ids=CUT)
def test_a_file_that_is_cut_short_is_not_stored(tmp_path: Path, name: str, missing: int) -> None:
    with calling(tmp_path) as (caller, held):
        answer = caller.store([FILES[name].read_bytes()[:-missing], FILES["MR_small.dcm"]])
        assert answer.status_code == 202
        assert "cut short" in answer.text
        assert len(held) == 1


def test_a_type_in_single_quotes(tmp_path: Path) -> None:
    body, fields = message([FILES["CT_small.dcm"]])
    kind = fields["content-type"].replace('"application/dicom"', "'application/dicom'")
    assert "'" in kind
    with calling(tmp_path) as (caller, _):
        assert caller.ask("POST", "/studies", content=body, headers={"content-type": kind}).status_code == 200


JPEG, EXPLICIT = "1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.1"


def test_what_cannot_be_made_is_passed_over(caller: Caller) -> None:
    """Samples of 16 bits are no baseline JPEG: the next that the client takes is sent."""
    place = place_of(FILES["CT_small.dcm"])
    several = f'multipart/related; type="{DICOM}"; transfer-syntax={JPEG}, '
    answer = caller.get(place, several + f'multipart/related; type="{DICOM}"; transfer-syntax={EXPLICIT}; q=0.9')
    ((media, _),) = parts_of(answer)
    assert EXPLICIT in media
    assert caller.get(place, several).status_code == 406
    frame = f'multipart/related; type="image/jpeg"; transfer-syntax={JPEG}'
    answer = caller.get(f"{place}/frames/1", frame + ", multipart/related; type=application/octet-stream; q=0.5")
    ((media, data),) = parts_of(answer)
    assert EXPLICIT in media
    assert data == dcmread(FILES["CT_small.dcm"]).PixelData
    assert caller.get(f"{place}/frames/1", frame).status_code == 406
    tag = answer.headers["etag"]
    again = caller.get(f"{place}/frames/1", frame + ", application/octet-stream", if_none_match=tag)
    assert again.status_code == 200, "another way has another tag"


@pytest.mark.parametrize("media", ["application/zip", "application/dicom+json", "video/mp4"])
def test_what_is_never_taken_is_refused_before_the_answer_begins(caller: Caller, media: str) -> None:
    for path in (place_of(FILES["JPEG2000.dcm"]), place_of(FILES["CT_small.dcm"])):
        for place in (path, path.partition("/series")[0], f"{path}/pixeldata"):
            assert caller.get(place, media).status_code == 406

"""Frames, bulk data and pixel data: as they lie, or as the client asks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from dicomcore import dcmread, uids
from dicomcore.web.media import OCTETS, media_of
from tests.web.calling import FILES, Caller, calling, parts_of, place_of

AS_THEY_LIE = f'multipart/related; type="{OCTETS}"; transfer-syntax=*'
IMAGES = [name for name in FILES if "PixelData" in dcmread(FILES[name])]
EXPLICIT = str(uids.ExplicitVRLittleEndian)


@pytest.mark.parametrize("name", IMAGES)
def test_frames_as_they_lie(caller: Caller, name: str) -> None:
    ds = dcmread(FILES[name])
    place, syntax = place_of(FILES[name]), str(ds.transfer_syntax)
    count = len(ds.frames)
    for number in {1, count}:
        ((media, data),) = parts_of(caller.get(f"{place}/frames/{number}", AS_THEY_LIE))
        assert media.startswith(media_of(syntax))
        if ds.frames.is_encapsulated:
            assert data == bytes(ds.frames.encoded(number - 1))
            assert media.endswith(syntax)
        else:
            assert media.endswith(EXPLICIT)
            wanted = ds.frames.decode(number - 1, raw=True)
            if ds.BitsAllocated == 1:
                wanted = np.packbits(wanted.reshape(-1), bitorder="little")
            assert data == wanted.astype(wanted.dtype.newbyteorder("<")).tobytes()
    numbers = [count, 1, 1]
    listed = parts_of(caller.get(f"{place}/frames/{','.join(map(str, numbers))}", AS_THEY_LIE))
    assert len(listed) == 3
    assert listed[1] == listed[2]


@pytest.mark.parametrize("name", IMAGES)
def test_samples(caller: Caller, name: str) -> None:
    """What is made of compressed frames is what `transcode` makes of the file."""
    from dicomcore import transcode

    made = bytearray()
    transcode(dcmread(FILES[name]), made, EXPLICIT)
    expected = dcmread(bytes(made)).frames
    answer = caller.get(f"{place_of(FILES[name])}/frames/1", OCTETS)
    assert answer.headers["content-type"] == f"{OCTETS};transfer-syntax={EXPLICIT}"
    assert answer.content == bytes(expected.encoded(0))


def test_other_syntaxes(caller: Caller) -> None:
    from imagecodecs import jpegls_decode

    name = "CT_small.dcm"
    answer = caller.get(f"{place_of(FILES[name])}/frames/1", "image/jls")
    assert (jpegls_decode(answer.content).view(np.int16) == dcmread(FILES[name]).pixel_array).all()


WRONG = {
    "frames/0": 400, "frames/-1": 400, "frames/a": 400, "frames/1,": 400, "frames/2": 404, "frames/1,2": 404,
    "frames/": 404, "frames/1/what": 404, "frames/999999999": 404, "frames/99999999999999": 400,
}  # fmt: skip


@pytest.mark.parametrize(("path", "status"), WRONG.items(), ids=WRONG)
def test_frames_that_are_none(caller: Caller, path: str, status: int) -> None:
    assert caller.get(f"{place_of(FILES['CT_small.dcm'])}/{path}").status_code == status


def test_an_instance_without_frames(caller: Caller) -> None:
    assert caller.get(f"{place_of(FILES['test-SR.dcm'])}/frames/1").status_code == 404


def test_tags_of_frames(caller: Caller) -> None:
    place = f"{place_of(FILES['CT_small.dcm'])}/frames/1"
    first = caller.get(place, OCTETS)
    assert caller.get(place, OCTETS, if_none_match=first.headers["etag"]).status_code == 304
    assert caller.get(place, "image/jls").headers["etag"] != first.headers["etag"]
    part = caller.get(place, OCTETS, range="bytes=4-7")
    assert (part.status_code, part.content) == (206, first.content[4:8])


@pytest.mark.parametrize("name", FILES)
def test_every_bulk_data_uri_leads_to_its_value(caller: Caller, name: str) -> None:
    from urllib.parse import urljoin

    place = place_of(FILES[name])
    own = dcmread(FILES[name])
    (model,) = caller.get(f"{place}/metadata").json()
    for tag, attribute in model.items():
        if "BulkDataURI" not in attribute:
            continue
        uri = urljoin(f"{place}/metadata", attribute["BulkDataURI"])
        answer = caller.get(uri, OCTETS)
        assert answer.status_code == 200, tag
        element = own[int(tag, 16)]
        if not element.is_undefined_length and not own.is_little_endian:
            continue
        if not element.is_undefined_length:
            assert answer.content == bytes(element.value)
            assert parts_of(caller.get(uri, f'multipart/related; type="{OCTETS}"')) == [(OCTETS, answer.content)]


def test_relative_uris_agree_at_every_level(caller: Caller) -> None:
    from urllib.parse import urljoin

    place = place_of(FILES["CT_small.dcm"])
    found = set()
    for level in (place, place.partition("/instances")[0], place.partition("/series")[0]):
        for model in caller.get(f"{level}/metadata").json():
            if "7FE00010" in model:
                found.add(urljoin(f"{level}/metadata", model["7FE00010"]["BulkDataURI"]))
    assert len([uri for uri in found if uri.startswith(place)]) == 1


def test_pixel_data(caller: Caller) -> None:
    name = "emri_small.dcm" if "emri_small.dcm" in FILES else "CT_small.dcm"
    ds = dcmread(FILES[name])
    parts = parts_of(caller.get(f"{place_of(FILES[name])}/pixeldata"))
    assert len(parts) == len(ds.frames)
    assert b"".join(data for _, data in parts) == bytes(ds.PixelData)[: sum(len(data) for _, data in parts)]
    assert caller.get(f"{place_of(FILES['test-SR.dcm'])}/pixeldata").status_code == 404


@pytest.mark.parametrize(
    "path",
    ["7FE00010/1", "00100010", "zz", "7FE00010/a", "7FE00010/1/2", "7FE0001", "00000000/0", "-FE00010", "7FE00010/-1"],
)
def test_bulk_data_that_is_none(caller: Caller, path: str) -> None:
    assert caller.get(f"{place_of(FILES['CT_small.dcm'])}/bulkdata/{path}").status_code == 404


BROKEN = {  # name: (values of the data set, bytes of pixel data, status of each frame)
    "one that breaks off": ({}, 128 * 128 * 2 - 100, [500, 404]),
    "a second that breaks off": ({"NumberOfFrames": 3}, 128 * 128 * 2 + 1000, [200, 500, 404]),
    "whole ones": ({"NumberOfFrames": 2}, 128 * 128 * 4, [200, 200, 404]),
}


@pytest.mark.parametrize("behind", [b"", bytes(range(200))], ids=["at the end", "before other elements"])
@pytest.mark.parametrize(("values", "size", "statuses"), BROKEN.values(), ids=BROKEN)
def test_pixel_data_that_is_too_short(
    tmp_path: Path, values: dict[str, int], size: int, statuses: list[int], behind: bytes
) -> None:
    """No bytes of other elements are taken for pixels."""
    ds = dcmread(FILES["CT_small.dcm"])
    pixels = bytes(ds.PixelData) * 2
    for keyword, value in values.items():
        setattr(ds, keyword, value)
    ds.PixelData = pixels[:size]
    ds.DataSetTrailingPadding = behind
    ds.save_as(tmp_path / "short.dcm")
    with calling(tmp_path / "store") as (caller, _):
        assert caller.store([tmp_path / "short.dcm"]).status_code == 200
        for number, status in enumerate(statuses):
            answer = caller.get(f"{place_of(FILES['CT_small.dcm'])}/frames/{number + 1}")
            assert answer.status_code == status
            if status == 200:
                ((_, data),) = parts_of(answer)
                assert data == pixels[number * 32768 : (number + 1) * 32768]


def test_frames_of_single_bits_that_begin_inside_bytes(tmp_path: Path) -> None:
    ds = dcmread(FILES["liver_1frame.dcm"])
    ds.Rows, ds.Columns, ds.NumberOfFrames = 5, 3, 3
    del ds.PerFrameFunctionalGroupsSequence
    bits = np.random.default_rng(5).integers(0, 2, (3, 15), np.uint8)
    ds.PixelData = np.packbits(bits.reshape(-1), bitorder="little").tobytes()
    ds.save_as(tmp_path / "bits.dcm")
    with calling(tmp_path / "store") as (caller, _):
        assert caller.store([tmp_path / "bits.dcm"]).status_code == 200
        for number in range(3):
            ((_, data),) = parts_of(caller.get(f"{place_of(FILES['liver_1frame.dcm'])}/frames/{number + 1}"))
            assert data == np.packbits(bits[number], bitorder="little").tobytes()

"""Instances that come as metadata and bulk data, in JSON and XML, with pixels in several formats."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from dicomcore import dcmread, uids
from dicomcore.web.media import JSON, OCTETS, XML
from dicomcore.web.multipart import PartWriter
from tests.web.calling import FILES, Caller, calling, place_of

Bulk = tuple[str, str, bytes]  # location, media type, bytes
PIXELS = "7FE00010"


def described(caller: Caller, form: str, documents: Sequence[bytes], bulk: Sequence[Bulk] = ()) -> httpx.Response:
    writer = PartWriter(form)
    parts = [writer.head(form) + one for one in documents]
    parts += [writer.head(media, location=location) + data for location, media, data in bulk]
    body = b"".join([*parts, writer.tail()])
    return caller.ask("POST", "/studies", content=body, headers={"content-type": writer.content_type})


def model_of(name: str, **changes: Any) -> tuple[dict[str, Any], Any]:
    """The model of a file, with its pixel data as a reference, and its data set."""
    ds = dcmread(FILES[name])
    model = json.loads(ds.to_json(bulk_data_threshold=1 << 30, bulk_data_element_handler=lambda one: "x"))
    model.pop(PIXELS, None)
    if "PixelData" in ds:
        model[PIXELS] = {"vr": ds["PixelData"].VR, "BulkDataURI": "pixels"}
    return model | changes, ds


def stored(tmp_path: Path, name: str) -> Any:
    (path,) = tmp_path.rglob(f"{dcmread(FILES[name]).SOPInstanceUID}.dcm")
    return dcmread(path)


@pytest.mark.parametrize("form", [JSON, XML])
def test_native_pixels(tmp_path: Path, form: str) -> None:
    name = "CT_small.dcm"
    model, ds = model_of(name)
    document = json.dumps([model]).encode() if form == JSON else _as_xml(model)
    with calling(tmp_path) as (caller, _):
        answer = described(caller, form, [document], [("pixels", OCTETS, ds.PixelData)])
        assert answer.status_code == 200, answer.text
        made = stored(tmp_path, name)
        assert made.transfer_syntax == uids.ExplicitVRLittleEndian
        assert made.to_json_dict(bulk_data_threshold=1 << 30) == ds.to_json_dict(bulk_data_threshold=1 << 30)
        assert caller.get(f"{place_of(FILES[name])}/frames/1", OCTETS).content == ds.PixelData
        assert not list(tmp_path.glob(".incoming/*.part"))


def _as_xml(model: dict[str, Any]) -> bytes:
    from dicomcore import Dataset

    ds = Dataset.from_json({tag: value for tag, value in model.items() if tag != PIXELS})
    text = ds.to_xml(bulk_data_threshold=1 << 30)
    pixels = f'<DicomAttribute tag="{PIXELS}" vr="OW" keyword="PixelData"><BulkData uri="pixels"/></DicomAttribute>'
    return text.replace("</NativeDicomModel>", pixels + "</NativeDicomModel>").encode()


def test_codestreams(tmp_path: Path) -> None:
    name = "JPEG2000.dcm"
    model, ds = model_of(name)
    frame = bytes(ds.frames.encoded(0))
    for tag in ("00280010", "00280011", "00280100", "00280101", "00280102", "00280103", "00280002", "00280004"):
        model.pop(tag)
    with calling(tmp_path) as (caller, _):
        answer = described(caller, JSON, [json.dumps([model]).encode()], [("pixels", "image/jp2", frame)])
        assert answer.status_code == 200, answer.text
        made = stored(tmp_path, name)
        assert bytes(made.frames.encoded(0)).rstrip(b"\0") == frame.rstrip(b"\0")
        assert (made.Rows, made.Columns) == (ds.Rows, ds.Columns)
        assert (made.pixel_array == ds.pixel_array).all()


def test_pictures(tmp_path: Path) -> None:
    image = pytest.importorskip("PIL.Image")
    name = "CT_small.dcm"
    model, _ = model_of(name)
    for tag in list(model):
        if tag.startswith("0028"):
            del model[tag]
    picture = np.arange(300, dtype=np.uint8).reshape(10, 10, 3)
    held = io.BytesIO()
    image.fromarray(picture).save(held, "PNG")
    with calling(tmp_path / "png") as (caller, _):
        answer = described(caller, JSON, [json.dumps([model]).encode()], [("pixels", "image/png", held.getvalue())])
        assert answer.status_code == 200, answer.text
        assert (stored(tmp_path / "png", name).pixel_array == picture).all()
    held = io.BytesIO()
    image.fromarray(picture).save(held, "JPEG", quality=95)
    with calling(tmp_path / "jpeg") as (caller, _):
        answer = described(caller, JSON, [json.dumps([model]).encode()], [("pixels", "image/jpeg", held.getvalue())])
        assert answer.status_code == 200, answer.text
        made = stored(tmp_path / "jpeg", name)
        assert made.transfer_syntax == uids.JPEGBaseline8Bit
        assert made.pixel_array.shape == (10, 10, 3)


WRONG: dict[str, tuple[bytes, list[Bulk], int]] = {  # name: (document, bulk data, status)
    "no JSON": (b"{", [], 409),
    "a number": (b"1", [], 409),
    "a large number": (b"[5000000000]", [], 409),
    "nothing": (b"[]", [], 400),
    "no identity": (b"[{}]", [], 409),
    "a VR that is none": (b'[{"00080018":{"vr":"ZZ","Value":["1"]}}]', [], 409),
    "bulk data that no part has": (b'[{"7FE00010":{"vr":"OW","BulkDataURI":"x"}}]', [], 409),
    "bulk data from elsewhere": (b'[{"7FE00010":{"vr":"OW","BulkDataURI":"file:///etc/passwd"}}]', [], 409),
    "deep": (b"[" * 100_000, [], 409),
    "pixels of no format": (b'[{"7FE00010":{"vr":"OW","BulkDataURI":"x"}}]', [("x", "image/jpeg", b"none")], 409),
    "a picture that is none": (b'[{"7FE00010":{"vr":"OW","BulkDataURI":"x"}}]', [("x", "image/png", b"none")], 409),
}


@pytest.mark.parametrize(("document", "bulk", "status"), WRONG.values(), ids=WRONG)
def test_what_is_wrong(tmp_path: Path, document: bytes, bulk: list[Bulk], status: int) -> None:
    with calling(tmp_path) as (caller, held):
        answer = described(caller, JSON, [document], bulk)
        assert answer.status_code == status, answer.text
        assert len(held) == 0
        assert not list(tmp_path.glob(".incoming/*.part"))


def test_one_bad_model_does_not_cost_the_others(tmp_path: Path) -> None:
    model, ds = model_of("CT_small.dcm")
    bad = model | {"00080018": {"vr": "UI", "Value": ["1.2.3"]}, PIXELS: {"vr": "OW", "BulkDataURI": "gone"}}
    with calling(tmp_path) as (caller, held):
        document = json.dumps([bad, model]).encode()
        answer = described(caller, JSON, [document], [("pixels", OCTETS, ds.PixelData)])
        assert answer.status_code == 202
        assert len(held) == 1
        others = answer.json()["0008119A"]["Value"]
        assert others[0]["00081197"]["Value"] == [0xC002]


CHARACTERS = {
    "none": (None, [{"Alphabetic": "Müller^Å"}], "ISO_IR 192"),
    "one that has them": ("ISO_IR 100", [{"Alphabetic": "Müller^Å"}], "ISO_IR 100"),
    "one that has them not": ("ISO_IR 100", [{"Alphabetic": "Yamada^Tarou", "Ideographic": "山田^太郎"}], "ISO_IR 192"),
    "UTF-8": ("ISO_IR 192", [{"Alphabetic": "Müller^Å"}], "ISO_IR 192"),
}


@pytest.mark.parametrize(("stated", "names", "kept"), CHARACTERS.values(), ids=CHARACTERS)
def test_characters(tmp_path: Path, stated: str | None, names: list[Any], kept: str) -> None:
    """JSON is in UTF-8, whatever Specific Character Set says: no character is lost."""
    ct = "CT_small.dcm"
    model, ds = model_of(ct, **{"00100010": {"vr": "PN", "Value": names}})
    model.pop("00080005", None)
    if stated:
        model["00080005"] = {"vr": "CS", "Value": [stated]}
    with calling(tmp_path) as (caller, _):
        answer = described(caller, JSON, [json.dumps(model).encode()], [("pixels", OCTETS, ds.PixelData)])
        assert answer.status_code == 200, answer.text
        (made,) = caller.get(f"{place_of(FILES[ct])}/metadata").json()
    assert made["00100010"]["Value"] == names
    assert made["00080005"]["Value"] == [kept]

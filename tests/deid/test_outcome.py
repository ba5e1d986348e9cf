"""What an outcome tells, and what is done to pixels on the way."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

import dicomcore as dc
from dicomcore import deid
from tests.deid.objects import file_of, text
from tests.support.corpus import real
from tests.support.dicom_bytes import element

KEY = deid.Key(bytes(range(32)))


def applied(data: bytes, plan: deid.Plan) -> tuple[dc.Dataset, deid.Outcome]:
    out = bytearray()
    outcome = deid.apply(data, out, plan)
    return dc.dcmread(bytes(out)), outcome


def test_rows_and_counts() -> None:
    elements = [text(0x00104000, "LT", "tall"), text(0x00090010, "LO", "ACME"), element(0x0008F010, "UN", b"abcd")]
    _, outcome = applied(file_of(*elements), deid.Plan(key=KEY, overrides={"PatientComments": "D"}))
    assert outcome.rows == (
        (0x00080018, "mapped", "table", 1),
        (0x0008F010, "removed", "undecodable", 1),
        (0x00090010, "removed", "private", 1),
        (0x00104000, "dummy", "override", 1),
    )
    assert outcome.counts["dummy", "override"] == 1
    assert outcome.undecodable == (0x0008F010,)
    again = pickle.loads(pickle.dumps(outcome))
    assert again == outcome
    assert again.rows == outcome.rows


def with_text() -> bytes:
    drawing = pytest.importorskip("PIL.ImageDraw")
    font = pytest.importorskip("PIL.ImageFont").load_default(20)
    image = pytest.importorskip("PIL.Image").new("L", (512, 512), 20)
    drawing.Draw(image).text((20, 20), "DOE^JANE 19700102", fill=255, font=font)
    ds = dc.dcmread(real("CT_small.dcm"))
    ds.Rows = ds.Columns = 512
    ds.BitsAllocated = ds.BitsStored = 8
    ds.HighBit, ds.PixelRepresentation = 7, 0
    ds.PixelData = np.asarray(image).tobytes()
    del ds.PixelPaddingValue
    return bytes(ds.to_bytes())


def test_pixels() -> None:
    data = with_text()
    plan = deid.Plan(["clean_pixel_data"], KEY, pixels={"how": ("detect",)})
    ds, outcome = applied(data, plan)
    assert outcome.pixels
    assert outcome.boxes
    assert ds.pixel_array.max() == 20
    assert ds.BurnedInAnnotation == "NO"
    assert "113101" in [item.CodeValue for item in ds.DeidentificationMethodCodeSequence]
    assert outcome.counts["cleaned", "pixels"] == 1
    assert deid.deidentify(dc.dcmread(data), plan).pixel_array.max() == 20


def test_pixels_without_a_second_look() -> None:
    """What was not looked at again is not claimed to be clean."""
    ds, outcome = applied(with_text(), deid.Plan(["clean_pixel_data"], KEY, pixels={"how": ("masks",)}))
    assert not outcome.pixels
    assert "BurnedInAnnotation" not in ds
    assert "113101" not in [item.CodeValue for item in ds.DeidentificationMethodCodeSequence]


def test_damaged_pixels_are_refused() -> None:
    ds = dc.dcmread(with_text())
    ds.PixelData = bytes(100)
    with pytest.raises(deid.DeidError, match="pixel data cannot be cleaned"):
        applied(ds.to_bytes(), deid.Plan(["clean_pixel_data"], KEY, pixels={"how": ("detect",)}))


def test_descriptors() -> None:
    elements = [
        text(0x00081030, "LO", "CT chest of Jane Doe, 03.02.2001"), text(0x00100010, "PN", "Doe^Jane"),
        text(0x00180015, "CS", "CHEST"),
    ]  # fmt: skip
    ds, _ = applied(file_of(*elements), deid.Plan(["clean_descriptors"], KEY))
    assert "chest" in ds.StudyDescription
    assert not [word for word in ("Jane", "Doe", "2001") if word in ds.StudyDescription]
    assert ds.BodyPartExamined == "CHEST"
    shout = deid.Plan(["clean_descriptors"], KEY, cleaner=lambda text, identifiers: text.upper())
    assert applied(file_of(*elements), shout)[0].StudyDescription == ds.StudyDescription.upper()

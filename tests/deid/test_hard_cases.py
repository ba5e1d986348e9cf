"""What other software is known to have left behind, by what was reported of it: the words SECRET… have to be gone."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.uid import ImplicitVRLittleEndian

from dicomcore import deid

KEY = deid.Key.generate()
FILES = Path(pydicom.__file__).parent / "data" / "test_files"
pytestmark = pytest.mark.filterwarnings("ignore")


def real(name: str) -> Dataset:
    ds = pydicom.dcmread(FILES / name, force=True)
    ds.walk(lambda inner, element: None)
    if "TransferSyntaxUID" not in ds.file_meta:
        ds.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian
    return ds


def without_private() -> Dataset:
    ds = real("CT_small.dcm")
    ds.remove_private_tags()
    return ds


def done(ds: Dataset, *options: str) -> tuple[bytes, Dataset, deid.Outcome]:
    source, out = io.BytesIO(), bytearray()
    ds.save_as(source, enforce_file_format=True)
    outcome = deid.apply(source.getvalue(), out, deid.Plan(options, KEY))
    return bytes(out), pydicom.dcmread(io.BytesIO(out)), outcome


def item(**values: object) -> list[Dataset]:
    ds = Dataset()
    for keyword, value in values.items():
        setattr(ds, keyword, value)
    return [ds]


def wrong_creator(ds: Dataset) -> None:
    ds.add_new(0x70530010, "LO", "Somebody Else")
    ds.add_new(0x70531000, "LO", "SECRET1")


def no_creator(ds: Dataset) -> None:
    ds.add_new(0x70531000, "LO", "SECRET2")
    ds.add_new(0x00110011, "LO", "SECRET CREATOR")


def text_in_a_safe_place(ds: Dataset) -> None:
    ds.add_new(0x70530010, "LO", "Philips PET Private Group")
    ds.add_new(0x70531000, "LO", "SECRET3")  # a number, by Table E.3.10-1


def private_meta(ds: Dataset) -> None:
    ds.file_meta.PrivateInformationCreatorUID, ds.file_meta.PrivateInformation = "1.2.3", b"SECRET"
    ds.file_meta.SourceApplicationEntityTitle = "SECRET_AE"


def icon(ds: Dataset) -> None:
    ds.IconImageSequence = item(Rows=8, Columns=8, BitsAllocated=8, PixelData=b"SECRET!!" * 8)


def nested_pixels(ds: Dataset) -> None:
    ds.ReferencedImageSequence = item(
        BitsAllocated=8, Rows=8, Columns=8, PixelData=b"SECRET!!" * 8, PatientName="SECRET^A"
    )


def curve(ds: Dataset) -> None:
    ds.add_new(0x50020010, "US", 1)
    ds.add_new(0x50022500, "LO", "SECRET CURVE")
    ds.add_new(0x50023000, "OW", b"SECRET")


def overlay_texts(ds: Dataset) -> None:
    ds.add_new(0x601E0022, "LO", "SECRET OVERLAY")
    ds.add_new(0x601E1500, "LO", "SECRET LABEL")
    ds.add_new(0x601E3000, "OW", b"SECRET")


def device(ds: Dataset) -> None:
    ds.UDISequence = item(UniqueDeviceIdentifier="(01)SECRET", DeviceDescription="SECRET")


HIDDEN: dict[str, tuple[Callable[[Dataset], None], tuple[str, ...]]] = {
    "a private element of another creator": (wrong_creator, ("retain_safe_private",)),
    "a private element without a creator": (no_creator, ("retain_safe_private",)),
    "text in the place of a safe number": (text_in_a_safe_place, ("retain_safe_private",)),
    "private file meta information": (private_meta, ()),
    "an icon": (icon, ()),
    "pixel data in an item": (nested_pixels, ()),
    "a curve": (curve, ()),
    "texts of an overlay": (overlay_texts, ()),
    "a device identifier": (device, ()),
}


@pytest.mark.parametrize(("put", "options"), HIDDEN.values(), ids=HIDDEN)
def test_nothing_of_it_is_left(put: Callable[[Dataset], None], options: tuple[str, ...]) -> None:
    ds = without_private()
    put(ds)
    source = io.BytesIO()
    ds.save_as(source, enforce_file_format=True)
    assert b"SECRET" in source.getvalue()
    assert b"SECRET" not in done(ds, *options)[0]


def with_embedded_overlay() -> Dataset:
    """An overlay in bit 15 of samples of 12 bits (PS3.5 8.1.2, retired)."""
    ds = without_private()
    pixels = ds.pixel_array.astype(np.uint16) & 0x0FFF
    pixels[10:20, 10:40] |= 0x8000
    ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 12, 11, 0
    ds.PixelData = pixels.tobytes()
    for tag, vr, value in (
        (0x60000010, "US", 128), (0x60000011, "US", 128), (0x60000040, "CS", "G"), (0x60000050, "SS", [1, 1]),
        (0x60000100, "US", 16), (0x60000102, "US", 15),
    ):  # fmt: skip
        ds.add_new(tag, vr, value)
    return ds


@pytest.mark.parametrize("option", ["", "clean_graphics", "clean_pixel_data"])
def test_an_overlay_in_the_bits_beside_the_samples(option: str) -> None:
    ds = with_embedded_overlay()
    _, made, outcome = done(ds, *filter(None, [option]))
    assert not [element.tag for element in made if element.tag.group == 0x6000]
    before, after = (np.frombuffer(one.PixelData, np.uint16) for one in (ds, made))
    assert (before & 0x8000).any()
    assert (after == before & 0x0FFF).all()
    assert "bits beside the samples" in " ".join(outcome.notes)


AGES = {"089Y": "089Y", "090Y": "090Y", "110Y": "090Y", "200W": "200W", "95Y": None, "Y095": None, "1200M": None}


@pytest.mark.parametrize(("age", "wanted"), AGES.items(), ids=AGES)
def test_ages(age: str, wanted: str | None) -> None:
    ds = without_private()
    ds["PatientAge"] = pydicom.DataElement(0x00101010, "AS", age, validation_mode=0)
    assert done(ds, "retain_patient_characteristics")[1].get("PatientAge") == wanted


DATE_TIMES = {
    "20190101101010.123456+0230": "{}101010.123456+0230",
    "2019010110-0500": "{}10-0500",
    "20190101": "{}",
    "201901011099": None,
    "20190399": None,
}


@pytest.mark.parametrize(("given", "wanted"), DATE_TIMES.items(), ids=DATE_TIMES)
def test_date_times(given: str, wanted: str | None) -> None:
    ds = without_private()
    ds.StudyDate = "20190101"
    ds["AcquisitionDateTime"] = pydicom.DataElement(0x0008002A, "DT", given, validation_mode=0)
    made = done(ds, "retain_longitudinal_modified_dates")[1]
    assert made.get("AcquisitionDateTime") == (wanted and wanted.format(made.StudyDate))


def test_uids_of_several_values_and_dates_in_uids() -> None:
    ds = without_private()
    ds.add_new(0x0040A124, "UI", ["1.2.3.4.20190101", ds.StudyInstanceUID])
    data, made, _ = done(ds)
    assert b"20190101" not in data
    assert made[0x0040A124].value[1] == made.StudyInstanceUID
    assert all(one.is_valid for one in made[0x0040A124].value)


def test_names_of_regions() -> None:
    ds = real("rtstruct.dcm")
    ds.StructureSetROISequence[0].ROIName = "SECRET GTV"
    ds.StructureSetROISequence[0].ROIDescription = "SECRET"
    assert b"SECRET" not in done(ds)[0]


def test_a_name_in_three_alphabets() -> None:
    ds = without_private()
    ds.SpecificCharacterSet = ["", "ISO 2022 IR 87"]
    ds.PatientName = "Doe^Jane Ann=\u5c71\u7530^\u82b1\u5b50=\u3084\u307e\u3060^\u306f\u306a\u3053"
    ds.SeriesDescription = "scan of Jane DOE and DOE,JANE \u5c71\u7530\u82b1\u5b50"
    made = done(ds, "clean_descriptors")[1]
    assert str(made.SeriesDescription).split() == ["scan", "of", "and"]
    assert str(made.PatientName) == made.PatientID

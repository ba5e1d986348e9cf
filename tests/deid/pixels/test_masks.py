"""Masks of devices by conditions over attributes, and CTP's scripts."""

from __future__ import annotations

import pytest

from dicomcore import Dataset
from dicomcore.deid.pixels.masks import Mask, known_masks, read_ctp
from dicomcore.deid.pixels.rectangles import Rectangle, outside_of
from dicomcore.deid.pixels.regions import outside_regions
from tests.support.standard import ABSENT, load


def data_set(**attributes: object) -> Dataset:
    made = Dataset()
    for keyword, value in attributes.items():
        setattr(made, keyword, value)
    return made


DEVICES = {  # name: (attributes, label, rectangles)
    "LOGIQ 9": (
        {"Modality": "US", "Manufacturer": "GE MEDICAL SYSTEMS", "ManufacturerModelName": "LOGIQ9"},
        "Logiq US (LOGIQ9)",
        [(0, 0, 640, 30)],
    ),
    "corners became sizes": (
        {
            "Modality": "US",
            "Manufacturer": "ATL",
            "ManufacturerModelName": "HDI 5000",
            "Rows": 476,
            "Columns": 640,
        },
        "ATL HDI 5000",
        [(40, 0, 200, 40), (240, 0, 190, 16)],
    ),
    "a keyword that the source misspells": (
        {"Manufacturer": "ADAC", "Rows": 832, "Columns": 1024},
        "ADAC",
        [(0, 0, 1024, 80), (0, 762, 1024, 80)],
    ),
    "any overlay": (
        {"Modality": "PT", "Manufacturer": "SIEMENS", "_overlay": "Siemens MedCom Object Graphics"},
        "Overlay",
        [(0, 0, 512, 90)],
    ),
    "a number as text": (
        {
            "Modality": "CT",
            "Manufacturer": "TOSHIBA",
            "Rows": 512,
            "Columns": 512,
            "WindowWidth": 1.0,
            "ManufacturerModelName": "Aquilion ONE",
            "ImageType": ["DERIVED", "SECONDARY"],
        },
        "Toshiba Aquilion One CT Dose Series",
        [(0, 0, 410, 240)],
    ),
}


@pytest.mark.parametrize(("attributes", "label", "boxes"), DEVICES.values(), ids=DEVICES)
def test_device_has_its_mask(attributes: dict[str, object], label: str, boxes: list[tuple[int, ...]]) -> None:
    overlay = attributes.get("_overlay")
    made = data_set(**{keyword: value for keyword, value in attributes.items() if keyword != "_overlay"})
    if overlay:
        made.add_new(0x60020022, "LO", overlay)
    found = {mask.label: mask for mask in known_masks().matching(made) if mask.kind == "mask"}
    assert [tuple(box) for box in found[label].rectangles] == boxes


def test_other_device_has_none() -> None:
    made = data_set(Modality="MR", Manufacturer="SIEMENS", ImageType=["ORIGINAL", "PRIMARY"], Rows=512)
    assert not [mask for mask in known_masks().matching(made) if mask.kind == "mask"]


def test_code_meaning_in_items() -> None:
    inner = data_set(CodeMeaning="IEC Body Dosimetry Phantom")
    item = data_set(CTDIPhantomTypeCodeSequence=[inner])
    made = data_set(Modality="CT", Manufacturer="GE", CTExposureSequence=[item])
    assert "CT Dose Series" in {mask.label for mask in known_masks().matching(made)}


@pytest.mark.skipif(bool(ABSENT), reason=ABSENT)
def test_every_label_is_there() -> None:
    listed = [row for row in load("pixel_masks")["labels"] if row[0] == "deid.dicom"]
    masks = known_masks().rows
    assert len(masks) == len(listed) == 118
    for mask, (_, _, _, _, _, corners) in zip(masks, listed, strict=True):
        assert [(box.x, box.y, box.x + box.width, box.y + box.height) for box in mask.rectangles] == [
            tuple(corner) for corner in corners
        ]


SCRIPT = """A library (of the test)

GE (any)
 First { Modality.equals("CT") * !Rows.equals("512") }
 (1,2,30,40) (5, 6, 7, 8)
 Second
  { Manufacturer.containsIgnoreCase("ge med") *
    ( SeriesDescription.startsWith("AAA") + [0028,0010].isGreaterThan("600") ) }
  (0,0,10,20)
 { true. }
 (9,9,9,9)
"""
SCRIPTS = {  # name: (attributes, label and rectangles of the signature that counts)
    "and, not": ({"Modality": "CT", "Rows": 480}, ("First", [(1, 2, 30, 40), (5, 6, 7, 8)])),
    "a tag, a number": ({"Manufacturer": "GE Medical", "Rows": 700}, ("Second", [(0, 0, 10, 20)])),
    "or": ({"Manufacturer": "GE Medical", "SeriesDescription": "AAA x"}, ("Second", [(0, 0, 10, 20)])),
    "case counts": ({"Manufacturer": "GE Medical", "SeriesDescription": "aaa"}, ("line 10", [(9, 9, 9, 9)])),
    "only the first": ({"Modality": "CT", "Manufacturer": "GE Medical", "Rows": 700}, ("First", None)),
}


@pytest.mark.parametrize(("attributes", "expected"), SCRIPTS.values(), ids=SCRIPTS)
def test_ctp_script(attributes: dict[str, object], expected: tuple[str, list[tuple[int, ...]] | None]) -> None:
    masks = read_ctp(SCRIPT)
    assert len(masks) == 3
    found = masks.matching(data_set(**attributes))
    assert [mask.label.partition(" {")[0] for mask in found] == [expected[0]]
    if expected[1] is not None:
        assert [tuple(box) for box in found[0].rectangles] == expected[1]


FAULTS = {
    "unknown test": '{ Modality.resembles("CT") }',
    "unknown attribute": '{ Mode.equals("CT") }',
    "no end of a bracket": '{ ( Modality.equals("CT") }',
    "two tests without operator": '{ Modality.equals("CT") Rows.equals("1") }',
    "nothing": "{ }",
    "no test": "{ Modality }",
}


@pytest.mark.parametrize("text", FAULTS.values(), ids=FAULTS)
def test_faulty_script_names_its_line(text: str) -> None:
    with pytest.raises(ValueError, match="line 2"):
        read_ctp(f"title\n{text}\n(0,0,1,1)")


def test_first_only_is_of_scripts() -> None:
    always = ("always", True)
    assert not known_masks().first_only
    assert Mask("x", always, ()).matches(Dataset())


OUTSIDE = {  # name: (kept, count of pixels outside in 10 rows of 20)
    "nothing kept": ([], 200),
    "all kept": ([(0, 0, 20, 10)], 0),
    "one": ([(2, 3, 5, 4)], 180),
    "overlapping": ([(2, 3, 5, 4), (4, 4, 5, 4)], 169),
    "over the edge": ([(15, 5, 50, 50)], 175),
    "beside each other": ([(0, 0, 10, 10), (10, 0, 10, 10)], 0),
}


@pytest.mark.parametrize(("kept", "count"), OUTSIDE.values(), ids=OUTSIDE)
def test_outside_covers_the_rest_once(kept: list[tuple[int, ...]], count: int) -> None:
    seen = [[0] * 20 for _ in range(10)]
    for box in outside_of([Rectangle(*each) for each in kept], 10, 20):
        for y in range(box.y, box.y + box.height):
            for x in range(box.x, box.x + box.width):
                seen[y][x] += 1
    inside = {
        (x, y)
        for left, top, width, height in kept
        for x in range(left, min(left + width, 20))
        for y in range(top, min(top + height, 10))
    }
    assert sum(map(sum, seen)) == count
    assert all(seen[y][x] == ((x, y) not in inside) for y in range(10) for x in range(20))


def region(left: int, top: int, right: int, bottom: int) -> Dataset:
    return data_set(
        RegionLocationMinX0=left, RegionLocationMinY0=top, RegionLocationMaxX1=right, RegionLocationMaxY1=bottom
    )


REGIONS = {  # name: (regions, pixels blanked of 10 rows of 20)
    "the last row and column belong to it": ([region(2, 3, 6, 6)], 180),
    "to the edge": ([region(0, 0, 19, 9)], 0),
    "one pixel over the edge": ([region(0, 0, 20, 10)], 0),
    "two": ([region(0, 0, 4, 9), region(10, 0, 19, 9)], 50),
    "empty": ([region(3, 3, 3, 3)], 0),
    "outside": ([region(0, 0, 40, 9)], 0),
    "none": ([], 0),
}


@pytest.mark.parametrize(("regions", "count"), REGIONS.values(), ids=REGIONS)
def test_ultrasound_regions(regions: list[Dataset], count: int) -> None:
    made = data_set(SequenceOfUltrasoundRegions=regions) if regions else Dataset()
    assert sum(box.width * box.height for box in outside_regions(made, 10, 20)) == count

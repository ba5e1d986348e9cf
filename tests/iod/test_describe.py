"""`describe`: every SOP class, by every name; and its paths beside those of another extraction of PS3.3 2026b."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path

import pytest

import dicomcore as dc
from dicomcore._native.base.dictionary import registered_uids
from dicomcore.tags import Tag
from tests.iod import flattened
from tests.support import standard

CT = "1.2.840.10008.5.1.4.1.1.2"

NAMES = {
    "UID": CT,
    "UID of a data set": dc.UID(CT),
    "padded UID": CT + "\0",
    "name": "CT Image Storage",
    "keyword": "CTImageStorage",
    "another case": "ct image storage",
}

UNKNOWN = {
    "no SOP class": "1.2.840.10008.1.2",
    "longer UID": CT + ".99",
    "shorter UID": CT[:-1],
    "private": "1.2.3",
    "misspelt": "CT Image Storrage",
    "empty": "",
    "not ASCII": "CT Bild Speicherung für 画像",
    "surrogate": "\udcff",
    "very long": "9" * 100_000,
}


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
def test_a_sop_class_by_its_names(name):
    iod = dc.iod.describe(name)
    assert (iod.name, iod.sop_class) == ("CT Image", CT)


@pytest.mark.parametrize("name", UNKNOWN.values(), ids=UNKNOWN)
def test_unknown_names_are_named(name):
    with pytest.raises(KeyError) as caught:
        dc.iod.describe(name)
    assert repr(name) in caught.value.args[0]


def test_every_sop_class():
    known = dc.iod.sop_classes()
    assert len(known) == 184
    for uid, name in known.items():
        iod = dc.iod.describe(uid)
        assert iod.sop_class == uid
        assert dc.iod.describe(name) == iod
        assert iod.modules
        assert {module.usage for module in iod.modules} <= {"M", "C", "U"}
        if uid.keyword:
            assert dc.iod.describe(uid.keyword) == dc.iod.describe(uid.name) == iod


def test_storage_sop_classes_of_the_dictionary():
    """Those of PS3.6 that store objects and are not retired; DICOS and DICONDE are other standards."""
    storage = {
        uid.name
        for uid in map(dc.UID, registered_uids())
        if uid.type == "SOP Class" and "Storage" in uid.name and not uid.is_retired
    }
    others = {name for name in storage if name.startswith(("DICOS", "Eddy Current", "Storage Commitment"))}
    assert len(others) == 10
    assert storage - {uid.name for uid in dc.iod.sop_classes()} == others


MODULES = [  # of CT Image, in the order of PS3.3 Table A.3-1
    ("Patient", "M", "Patient", "C.7.1.1", "C.7-1"),
    ("Clinical Trial Subject", "U", "Patient", "C.7.1.3", "C.7-2b"),
    ("General Study", "M", "Study", "C.7.2.1", "C.7-3"),
]


def test_modules():
    modules = dc.iod.describe(CT).modules
    assert [module[:5] for module in modules[:3]] == MODULES
    assert all(module.functional_groups == () for module in modules)


def attributes(sop_class: str, module: str) -> dict[str, dc.iod.Attribute]:
    """The attributes of one module, by their keywords with those of the sequences around them."""
    found = next(one for one in dc.iod.describe(sop_class).modules if one.name == module)
    tags = {one.tag: one.keyword for one in found.attributes}
    return {".".join(tags[tag] for tag in one.path): one for one in found.attributes}


PLACES = {  # name: (SOP class, module, path, type, macro, items, values)
    "own": ("CTImageStorage", "Patient", "PatientName", "2", "", (0, None), []),
    "enumerated": ("CTImageStorage", "Image Pixel", "PlanarConfiguration", "1C", "Image Pixel Description", (0, None), [
        ("enumerated", (0, 1), 0),
    ]),
    "first value": ("CTImageStorage", "General Image", "ImageType", "3", "", (0, None), [
        ("enumerated", ("DERIVED", "ORIGINAL"), 1), ("enumerated", ("PRIMARY", "SECONDARY"), 2),
    ]),
    "macro in a macro": (
        "CTImageStorage", "General Study",
        "ReferringPhysicianIdentificationSequence.PersonIdentificationCodeSequence.CodeMeaning", "1",
        "Basic Code Sequence", (0, None), [],
    ),
    "number of items": (
        "CTImageStorage", "General Study", "ReferringPhysicianIdentificationSequence", "3", "", (1, 1), [],
    ),
    "any number of items": (
        "CTImageStorage", "SOP Common", "CodingSchemeIdentificationSequence", "3", "", (1, None), [],
    ),
    "type of the module that includes": (
        "NuclearMedicineImageStorage", "NM/PET Patient Orientation",
        "PatientOrientationCodeSequence.PatientOrientationModifierCodeSequence.CodeMeaning", "3",
        "Basic Code Sequence", (0, None), [],
    ),
    "signed numbers": (
        "DigitalXRayImageStorageForPresentation", "DX Image", "PixelIntensityRelationshipSign", "1", "", (0, None),
        [("enumerated", (-1, 1), 0)],
    ),
    "context group": (
        "DigitalMammographyXRayImageStorageForPresentation", "Mammography Image", "ViewCodeSequence", "1", "", (1, 1),
        [("DCID", (4014,), 0)],
    ),
    "context group of an attribute that is included": (
        "DigitalMammographyXRayImageStorageForPresentation", "Mammography Image", "AnatomicRegionSequence", "1",
        "General Anatomy Mandatory", (1, 1), [("DCID", (4013,), 0)],
    ),
    "shared group": (
        "EnhancedMRImageStorage", "Multi-frame Functional Groups",
        "SharedFunctionalGroupsSequence.PixelMeasuresSequence.PixelSpacing", "1C", "Pixel Measures", (0, None), [
            ("nonzero", (), 0),
        ],
    ),
    "group of a frame": (
        "EnhancedMRImageStorage", "Multi-frame Functional Groups",
        "PerFrameFunctionalGroupsSequence.FrameContentSequence.StackID", "1C", "Frame Content", (0, None), [],
    ),
    "group of a current frame": (
        "VideoEndoscopicImageRealTimeCommunication", "Current Frame Functional Groups",
        "CurrentFrameFunctionalGroupsSequence.TimeOfFrameGroupSequence", "1", "Time of Frame Functional Group", (1, 1),
        [],
    ),
    "unknown to the dictionary": (
        "RTDoseStorage", "RT Dose", "RecommendedIsodoseLevelSequence", "3", "", (1, None), [],
    ),
    "type of 2026b": ("RTDoseStorage", "RT Dose", "SpatialTransformOfDose", "1C", "", (0, None), [
        ("defined", ("NONE", "RIGID", "NON_RIGID"), 0),
    ]),
}  # fmt: skip


@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES)
def test_an_attribute(place):
    sop_class, module, path, kind, macro, items, values = place
    found = attributes(sop_class, module)[path]
    assert (found.type, found.module, found.macro, found.items) == (kind, module, macro, items)
    assert [(one.kind, one.values, one.number) for one in found.values] == values


def test_values_that_the_iod_asks_for():
    """The modality of visible light endoscopes is given with the IOD (PS3.3 A.32.1), not in its series module."""
    (modality,) = [one for one in dc.iod.describe("VLEndoscopicImageStorage").attributes if one.keyword == "Modality"]
    assert ("enumerated", ("ES",)) in [one[:2] for one in modality.values]


ALTERNATIVES = {  # modules of which an object has one
    ("BitsAllocated", "Floating Point Image Pixel", "Double Floating Point Image Pixel"),
    ("ShutterShape", "Display Shutter", "Bitmap Display Shutter"),
}


def test_modules_of_an_iod_agree_on_values():
    """An attribute that several modules restrict has a value that all of them allow."""
    apart = set()
    for uid in dc.iod.sop_classes():
        allowed: dict[tuple, list] = {}
        for one in dc.iod.describe(uid).attributes:
            for values in one.values:
                if values.kind == "enumerated" and not values.conditional:
                    place = allowed.setdefault((one.path, values.number), [one.keyword, set(values.values)])
                    place[1] &= set(values.values)
                    place.append(one.module)
        apart |= {(keyword, *modules) for keyword, common, *modules in allowed.values() if not common}
    assert apart == ALTERNATIVES


def test_values_in_an_icon():
    """Of a macro that PS3.3 has no table of, where a module brings its attributes by another."""
    found = attributes("CTImageStorage", "General Image")["IconImageSequence.SamplesPerPixel"]
    assert ("enumerated", (1,)) in [one[:2] for one in found.values]


def test_repeating_groups_have_their_first_tag():
    found = attributes("CTImageStorage", "Overlay Plane")
    assert found["OverlayRows"].path == (Tag(0x60000010),)


def test_content_items_are_not_entered_twice():
    paths = [one.path for one in dc.iod.describe("ComprehensiveSRStorage").attributes]
    content = [path for path in paths if Tag(0x0040A730) in path]
    assert content
    assert max(path.count(Tag(0x0040A730)) for path in content) == 1


def test_attributes_of_a_module_come_once():
    for uid in dc.iod.sop_classes():
        for module in dc.iod.describe(uid).modules:
            paths = [one.path for one in module.attributes]
            assert len(paths) == len(set(paths)), (uid, module.name)
            assert all(one.type and one.keyword for one in module.attributes)


def test_parents_of_an_attribute_are_listed():
    for uid in dc.iod.sop_classes():
        for module in dc.iod.describe(uid).modules:
            paths = {one.path for one in module.attributes}
            assert all(path[:-1] in paths for path in paths if len(path) > 1), (uid, module.name)


# The other extraction.

TABLE = Path(__file__).with_name("path_differences.csv")
REASONS = {
    "attribute unknown": "highdicom leaves out attributes that pydicom's dictionary does not have, with all below",
    "module left out": "highdicom has no table of the module",
    "functional groups left out": "highdicom does not expand the functional groups of the module",
    "specialised": "the module gives the type beside the macro that it includes; highdicom has the macro's",
}

with TABLE.open(encoding="ascii", newline="") as file:
    EXPLAINED = list(csv.DictReader(file))

needs_highdicom = pytest.mark.skipif(flattened.SPEC is None, reason="highdicom is not installed: no paths to compare")


@needs_highdicom
def test_paths_and_types_equal_another_extraction():
    """Every difference is listed in path_differences.csv, and every one listed is there."""
    equal, differences = 0, []
    for iod, key, module in flattened.pairs():
        same, differ = flattened.compare(key, module)
        equal += same
        differences += [(iod if module.functional_groups else "", *map(str, one)) for one in differ]
    listed = [tuple(row.values())[:-1] for row in EXPLAINED]
    assert sorted(differences) == listed
    assert equal == 90_532


@needs_highdicom
@pytest.mark.parametrize("row", EXPLAINED, ids=lambda row: f"{row['iod'] or row['module']} {row['path']}")
def test_a_difference_has_its_reason(row):
    unknown = [tag for tag in row["path"].split("/") if not flattened.known(tag)]
    has_table = row["module"] in flattened.read("module_attribute_map.json")
    assert row["reason"] in REASONS
    if row["reason"] == "attribute unknown":
        assert unknown == [row["path"].split("/")[-1]]
    elif row["reason"] == "module left out":
        assert not has_table
    elif row["reason"] == "functional groups left out":
        outer, _, inner = row["path"].partition("/")
        theirs = flattened.theirs(row["module"])
        assert inner
        assert (int(outer, 16),) in theirs
    else:
        assert row["ours"]
        assert row["highdicom"]


@needs_highdicom
@pytest.mark.skipif(bool(standard.ABSENT), reason=standard.ABSENT)
def test_paths_of_each_iod_are_those_of_2026b():
    """The number of distinct paths of each IOD, as counted when the sources were laid; ours have them all."""
    counted = {iod: (modules, distinct) for iod, modules, _, _, _, distinct, _ in standard.load("types_2026b")["paths"]}
    seen = Counter()
    for uid, iod in flattened.sop_classes().items():
        described = dc.iod.describe(uid)
        theirs = set().union(*(flattened.theirs(key) for key in flattened.keys(iod)))
        assert (len(described.modules), len(theirs)) == counted[iod]
        assert theirs <= {tuple(one.path) for one in described.attributes}
        seen[iod] += 1
    assert seen.keys() == counted.keys()

"""Hanging protocols as they are made for mammograms, CT and its priors, matched against studies (PS3.3 C.23)."""

from __future__ import annotations

import pytest

from dicomcore import iod
from dicomcore.dataset.building import build
from dicomcore.display import Hanging
from dicomcore.errors import LimitError, ParseError
from dicomcore.tags import Tag


def selector(keyword: str, vr: str, *values, usage: str = "NO_MATCH", number: int = 1, **more):
    return {
        "ImageSetSelectorUsageFlag": usage,
        "SelectorAttribute": int(Tag(keyword)) if isinstance(keyword, str) else keyword,
        "SelectorAttributeVR": vr,
        f"Selector{vr}Value": list(values),
        "SelectorValueNumber": number,
    } | more


def filtered(keyword: str, vr: str, operator: str, *values, **more):
    return selector(keyword, vr, *values, **more) | {"FilterByOperator": operator}


def now(number: int, label: str = ""):
    return {
        "ImageSetNumber": number,
        "ImageSetSelectorCategory": "RELATIVE_TIME",
        "RelativeTime": [0, 0],
        "RelativeTimeUnits": "DAYS",
        "ImageSetLabel": label,
    }


def aged(number: int, low: int, high: int, units: str):
    return now(number) | {"RelativeTime": [low, high], "RelativeTimeUnits": units}


def prior(number: int, first: int, last: int):
    return {
        "ImageSetNumber": number,
        "ImageSetSelectorCategory": "ABSTRACT_PRIOR",
        "AbstractPriorValue": [first, last],
    }


def box(left=0.0, top=1.0, right=1.0, bottom=0.0, **more):
    return {
        "ImageBoxNumber": 1,
        "DisplayEnvironmentSpatialPosition": [left, top, right, bottom],
        "ImageBoxLayoutType": "STACK",
    } | more


def shown(number: int, image_set: int, box_=None, filters=(), sortings=(), **more):
    return {
        "DisplaySetNumber": number,
        "DisplaySetPresentationGroup": 1,
        "ImageSetNumber": image_set,
        "ImageBoxesSequence": [box_ or box()],
        "FilterOperationsSequence": list(filters),
        "SortingOperationsSequence": list(sortings),
    } | more


def protocol(image_sets, display_sets, screens=(), **more):
    plain = {
        "SOPClassUID": "1.2.840.10008.5.1.4.38.1",
        "SOPInstanceUID": "1.2.3",
        "HangingProtocolName": "TEST",
        "HangingProtocolDescription": "for tests",
        "HangingProtocolLevel": "SITE",
        "HangingProtocolCreator": "Doe^Jane",
        "HangingProtocolCreationDateTime": "20260101120000",
        "HangingProtocolDefinitionSequence": [
            {"Modality": "CT", "ProcedureCodeSequence": [], "ReasonForRequestedProcedureCodeSequence": []}
        ],
        "NumberOfPriorsReferenced": 1,
        "ImageSetsSequence": list(image_sets),
        "HangingProtocolUserIdentificationCodeSequence": [],
        "NumberOfScreens": len(screens) or None,
        "NominalScreenDefinitionSequence": list(screens),
        "DisplaySetsSequence": list(display_sets),
        "PartialDataDisplayHandling": "MAINTAIN_LAYOUT",
    }
    return build(plain | more)


def image(uid: str, study: str = "1.1", **attributes):
    dates = {"1.1": "20260601", "1.2": "20260301", "1.3": "20250601", "1.4": "20200101"}
    plain = {"ImageComments": uid, "StudyInstanceUID": study, "StudyDate": dates[study], "Modality": "CT"}
    return build(plain | attributes)


def sets(*times, selectors=()):
    return [{"ImageSetSelectorSequence": list(selectors), "TimeBasedImageSetsSequence": list(times)}]


def uids(screens):
    return {
        one.number: [image_.ImageComments for image_ in one.images] for screen in screens for one in screen.display_sets
    }


CT = selector("Modality", "CS", "CT")
VIEWS = {"RCC": (0.0, 0.5), "LCC": (0.5, 1.0)}


def test_mammograms_hang_side_by_side_with_their_priors():
    image_sets, display_sets = [], []
    for place, (name, (left, right)) in enumerate(VIEWS.items()):
        selectors = [
            selector("ImageLaterality", "CS", name[0]),
            selector(
                "CodeValue",
                "SH",
                "399162004",
                SelectorSequencePointer=int(Tag("ViewCodeSequence")),
            ),
        ]
        image_sets += sets(now(2 * place + 1), prior(2 * place + 2, 1, 1), selectors=selectors)
        display_sets += [
            shown(2 * place + 1, 2 * place + 1, box(left, 1.0, right, 0.5, ImageBoxLayoutType="SINGLE")),
            shown(2 * place + 2, 2 * place + 2, box(left, 0.5, right, 0.0, ImageBoxLayoutType="SINGLE")),
        ]
    screens = [
        {
            "NumberOfVerticalPixels": 2560,
            "NumberOfHorizontalPixels": 2048,
            "DisplayEnvironmentSpatialPosition": [left, 1.0, right, 0.0],
            "ScreenMinimumGrayscaleBitDepth": 8,
        }
        for left, right in VIEWS.values()
    ]
    made = protocol(image_sets, display_sets, screens)
    assert [str(finding) for finding in iod.check(made)] == []
    cc, mlo = ([{"CodeValue": code, "CodingSchemeDesignator": "SCT"}] for code in ("399162004", "399368009"))
    images = [
        image(f"{study}.{side}.{name}", study, ImageLaterality=side, ViewCodeSequence=view)
        for study in ("1.3", "1.1", "1.2")
        for side in "LR"
        for name, view in (("1", cc), ("2", mlo))
    ]
    found = Hanging(made).match(images)
    assert [screen.pixels for screen in found] == [(2560, 2048), (2560, 2048)]
    assert [[one.number for one in screen.display_sets] for screen in found] == [[1, 2], [3, 4]]
    assert uids(found) == {1: ["1.1.R.1"], 2: ["1.2.R.1"], 3: ["1.1.L.1"], 4: ["1.2.L.1"]}
    assert found[0].display_sets[0].boxes[0].layout == "SINGLE"


SELECTORS = {  # name: (selector, the images taken of a to e)
    "one of the values": (selector("Modality", "CS", "MR", "PT"), "bc"),
    "absent images too": (selector("SeriesNumber", "IS", 2, usage="MATCH"), "bcde"),
    "absent images not": (selector("SeriesNumber", "IS", 2), "b"),
    "any value": (selector("ImageType", "CS", "PRIMARY", number=0), "ab"),
    "the second value": (selector("ImageType", "CS", "PRIMARY", number=2), "a"),
    "number of another VR": (selector("SliceThickness", "DS", 2.5), "a"),
    "code": (
        {
            "ImageSetSelectorUsageFlag": "NO_MATCH",
            "SelectorAttribute": int(Tag("AnatomicRegionSequence")),
            "SelectorAttributeVR": "SQ",
            "SelectorCodeSequenceValue": [
                {"CodeValue": "69536005", "CodingSchemeDesignator": "SCT", "CodeMeaning": "Head"}
            ],
            "SelectorValueNumber": 1,
        },
        "c",
    ),
    "inside a sequence": (
        selector("CodeValue", "SH", "69536005", SelectorSequencePointer=int(Tag("AnatomicRegionSequence"))),
        "c",
    ),
    "inside a functional group": (
        selector("FrameLaterality", "CS", "L", FunctionalGroupPointer=int(Tag("FrameAnatomySequence"))),
        "d",
    ),
    "private": (selector(0x00290005, "LO", "yes", SelectorAttributePrivateCreator="ACME"), "e"),
    "private of another creator": (selector(0x00290005, "LO", "yes", SelectorAttributePrivateCreator="OTHER"), ""),
}


def _several():
    region = [{"CodeValue": "69536005", "CodingSchemeDesignator": "SCT", "CodeMeaning": "Kopf"}]
    anatomy = {"FrameAnatomySequence": [{"FrameLaterality": "L"}]}
    images = [
        image("a", SeriesNumber=1, ImageType=["ORIGINAL", "PRIMARY"], SliceThickness="2.50"),
        image("b", Modality="MR", SeriesNumber=2, ImageType=["PRIMARY", "OTHER"]),
        image("c", Modality="PT", AnatomicRegionSequence=region),
        image("d", PerFrameFunctionalGroupsSequence=[anatomy, {}]),
        image("e"),
    ]
    images[4].private_block(0x29, "ACME", create=True).add_new(5, "LO", "yes")
    return images


@pytest.mark.parametrize(("chosen", "taken"), SELECTORS.values(), ids=SELECTORS)
def test_selectors(chosen, taken):
    found = Hanging(protocol(sets(now(1), selectors=[chosen]), [shown(1, 1)])).match(_several())
    assert "".join(uids(found)[1]) == taken


def test_all_selectors_must_fit():
    chosen = [CT, selector("SeriesNumber", "IS", 1)]
    assert uids(Hanging(protocol(sets(now(1), selectors=chosen), [shown(1, 1)])).match(_several())) == {1: ["a"]}


TRANSVERSE, SAGITTAL, OBLIQUE = [1, 0, 0, 0, 1, 0], [0, 1, 0, 0, 0, -1], [0.7, 0.7, 0, 0, 0.1, -0.99]
FILTERS = {  # name: (filter, the images left of a to e)
    "member": (filtered("EchoTime", "DS", "MEMBER_OF", 10, 30), "ac"),
    "not a member": (filtered("EchoTime", "DS", "NOT_MEMBER_OF", 10, 30), "b"),
    "range": (filtered("EchoTime", "DS", "RANGE_INCL", 20, 30), "bc"),
    "outside a range": (filtered("EchoTime", "DS", "RANGE_EXCL", 20, 30), "a"),
    "at least": (filtered("EchoTime", "DS", "GREATER_OR_EQUAL", 20), "bc"),
    "more": (filtered("EchoTime", "DS", "GREATER_THAN", 20), "c"),
    "at most": (filtered("EchoTime", "DS", "LESS_OR_EQUAL", 20), "ab"),
    "less, or absent": (filtered("EchoTime", "DS", "LESS_THAN", 20, usage="MATCH"), "ade"),
    "present": ({"SelectorAttribute": int(Tag("EchoTime")), "FilterByAttributePresence": "PRESENT"}, "abc"),
    "not present": ({"SelectorAttribute": int(Tag("EchoTime")), "FilterByAttributePresence": "NOT_PRESENT"}, "de"),
    "plane": (
        {
            "FilterByCategory": "IMAGE_PLANE",
            "FilterByOperator": "MEMBER_OF",
            "SelectorAttributeVR": "CS",
            "SelectorCSValue": ["SAGITTAL", "OBLIQUE"],
            "SelectorValueNumber": 1,
        },
        "bd",
    ),
    "number and text": (filtered("PatientID", "IS", "GREATER_THAN", 5), ""),
}


@pytest.mark.parametrize(("chosen", "left"), FILTERS.values(), ids=FILTERS)
def test_filters(chosen, left):
    images = [
        image("a", EchoTime="10", PatientID="9", ImageOrientationPatient=TRANSVERSE),
        image("b", EchoTime="20", ImageOrientationPatient=SAGITTAL),
        image("c", EchoTime="30.0"),
        image("d", ImageOrientationPatient=OBLIQUE),
        image("e"),
    ]
    found = Hanging(protocol(sets(now(1)), [shown(1, 1, filters=[chosen])])).match(images)
    assert "".join(uids(found)[1]) == left


def sorting(keyword="", category="", direction="INCREASING"):
    what = {"SortByCategory": category} if category else {"SelectorAttribute": int(Tag(keyword))}
    return what | {"SelectorValueNumber": 1, "SortingDirection": direction}


SORTINGS = {  # name: (operations, order)
    "attribute": ([sorting("InstanceNumber")], "bcad"),
    "decreasing": ([sorting("InstanceNumber", direction="DECREASING")], "acbd"),
    "axis": ([sorting(category="ALONG_AXIS")], "cbad"),
    "time": ([sorting(category="BY_ACQ_TIME")], "abcd"),
    "first the one, then the other": ([sorting("SeriesDescription"), sorting("InstanceNumber")], "bacd"),
    "none": ([], "abcd"),
}


@pytest.mark.parametrize(("operations", "order"), SORTINGS.values(), ids=SORTINGS)
def test_sortings(operations, order):
    planes = {"ImageOrientationPatient": TRANSVERSE}
    images = [
        image("a", InstanceNumber=10, ImagePositionPatient=[0, 0, 9], AcquisitionDateTime="20260601100000", **planes),
        image(
            "b", InstanceNumber=2, ImagePositionPatient=[9, 0, 0], ContentDate="20260601", ContentTime="1001", **planes
        ),
        image("c", InstanceNumber=3, ImagePositionPatient=[0, 0, -5.5], AcquisitionDateTime="20260602", **planes),
        image("d"),
    ]
    for one, series in zip(images, "AABB", strict=True):
        one.SeriesDescription = series
    found = Hanging(protocol(sets(now(1)), [shown(1, 1, sortings=operations)])).match(images)
    assert "".join(uids(found)[1]) == order


TIMES = {  # name: (time-based image set, studies)
    "current": (now(1), ["1.1"]),
    "three months ago": (aged(1, 3, 3, "MONTHS"), ["1.2"]),
    "up to a year": (aged(1, 0, 1, "YEARS"), ["1.1", "1.2", "1.3"]),
    "a year and more": (aged(1, 1, 10, "YEARS"), ["1.3", "1.4"]),
    "days": (aged(1, 90, 95, "DAYS"), ["1.2"]),
    "weeks, high before low": (aged(1, 14, 13, "WEEKS"), ["1.2"]),
    "the latest prior": (prior(1, 1, 1), ["1.2"]),
    "the second prior": (prior(1, 2, 2), ["1.3"]),
    "the earliest": (prior(1, -1, -1), ["1.4"]),
    "all priors": (prior(1, 1, -1), ["1.2", "1.3", "1.4"]),
    "a prior that is not there": (prior(1, 9, 9), []),
}


@pytest.mark.parametrize(("time", "studies"), TIMES.values(), ids=TIMES)
def test_times(time, studies):
    images = [image(study, study) for study in ("1.4", "1.2", "1.1", "1.3")]
    found = Hanging(protocol(sets(time), [shown(1, 1)])).match(images)
    assert uids(found) == {1: studies}


def test_an_older_study_may_be_the_current_one():
    images = [image(study, study) for study in ("1.4", "1.2", "1.1", "1.3")]
    hanging = Hanging(protocol(sets(now(1), prior(2, 1, 1)), [shown(1, 1), shown(2, 2)]))
    assert uids(hanging.match(images, current="1.3")) == {1: ["1.3"], 2: ["1.4"]}
    with pytest.raises(ValueError, match=r"no image is of the current study 1\.9"):
        hanging.match(images, current="1.9")
    with pytest.raises(ValueError, match="there are no images"):
        hanging.match([])
    with pytest.raises(ValueError, match="no Study Instance UID"):
        hanging.match([build({"Modality": "CT"})])


def test_boxes_and_options_are_read():
    tiled = box(ImageBoxLayoutType="TILED", ImageBoxTileHorizontalDimension=3, ImageBoxTileVerticalDimension=2)
    tiled["ImageBoxScrollDirection"] = "VERTICAL"
    made = protocol(sets(now(1)), [shown(7, 1, tiled, VOIType="LUNG", ShowImageTrueSizeFlag="YES")])
    (screen,) = Hanging(made).match([image("a")])
    (display_set,) = screen.display_sets
    (found,) = display_set.boxes
    assert (found.layout, found.tiles, found.options) == ("TILED", (3, 2), {"ImageBoxScrollDirection": "VERTICAL"})
    assert display_set.options == {"VOIType": "LUNG", "ShowImageTrueSizeFlag": "YES"}
    assert screen.pixels is None


def test_fits_by_modality_anatomy_and_procedure():
    head = [{"CodeValue": "69536005", "CodingSchemeDesignator": "SCT", "CodeMeaning": "Head"}]
    definition = [{"Modality": "CT"}, {"AnatomicRegionSequence": head, "Laterality": "L"}]
    hanging = Hanging(protocol(sets(now(1)), [shown(1, 1)], HangingProtocolDefinitionSequence=definition))
    assert hanging.fits([image("a")])
    assert not hanging.fits([image("a", Modality="MR")])
    assert hanging.fits([image("a", Modality="MR", AnatomicRegionSequence=head, ImageLaterality="L")])
    assert not hanging.fits([image("a", Modality="MR", AnatomicRegionSequence=head, ImageLaterality="R")])


def _bad(**changes):
    """A protocol with one attribute changed, by where it is."""
    made = protocol(sets(now(1), selectors=[CT]), [shown(1, 1, filters=[filtered("EchoTime", "DS", "LESS_THAN", 5)])])
    places = {
        "set": made.ImageSetsSequence[0].TimeBasedImageSetsSequence[0],
        "selector": made.ImageSetsSequence[0].ImageSetSelectorSequence[0],
        "display": made.DisplaySetsSequence[0],
        "box": made.DisplaySetsSequence[0].ImageBoxesSequence[0],
        "filter": made.DisplaySetsSequence[0].FilterOperationsSequence[0],
    }
    for key, value in changes.items():
        place, keyword = key.split("_")
        if value is None:
            del places[place][keyword]
        else:
            setattr(places[place], keyword, value)
    return made


BAD = {  # what is changed: what the error names
    "set_ImageSetNumber": (None, r"ImageSetsSequence\[0\]\.TimeBasedImageSetsSequence\[0\]\.ImageSetNumber"),
    "set_ImageSetSelectorCategory": ("SOON", "ImageSetSelectorCategory must be RELATIVE_TIME or ABSTRACT_PRIOR"),
    "set_RelativeTime": ([1], "RelativeTime must be two numbers"),
    "selector_SelectorAttribute": (None, r"ImageSetSelectorSequence\[0\]\.SelectorAttribute must be there"),
    "selector_SelectorCSValue": (None, r"SelectorCSValue must be there"),
    "selector_ImageSetSelectorUsageFlag": ("MAYBE", "MATCH or NO_MATCH, not 'MAYBE'"),
    "display_ImageSetNumber": (9, r"DisplaySetsSequence\[0\]\.ImageSetNumber must be one of \[1\]"),
    "display_ImageBoxesSequence": (None, "ImageBoxesSequence must be there"),
    "box_ImageBoxLayoutType": ("HEAP", "ImageBoxLayoutType must be TILED"),
    "box_DisplayEnvironmentSpatialPosition": ([0.0, 0.0, 1.0, 1.0], "with a size"),
    "filter_FilterByOperator": ("LIKE", r"FilterOperationsSequence\[0\]\.FilterByOperator must be MEMBER_OF"),
    "filter_SelectorDSValue": ([1, 2], "LESS_THAN with 1 values, not 2"),
    "filter_FilterByCategory": ("MOOD", "FilterByCategory must be IMAGE_PLANE"),
}


@pytest.mark.parametrize("key", BAD)
def test_errors_name_the_element(key):
    value, message = BAD[key]
    with pytest.raises(ParseError, match=message):
        Hanging(_bad(**{key: value}))


def test_what_is_no_protocol_or_too_large_is_refused():
    with pytest.raises(ParseError, match="no hanging protocol"):
        Hanging(build({"Modality": "CT"}))
    many = protocol(sets(*(now(number) for number in range(5000))), [shown(1, 1)])
    with pytest.raises(LimitError, match="TimeBasedImageSetsSequence has 5000 items"):
        Hanging(many)
    with pytest.raises(ParseError, match="of one image set alone"):
        Hanging(protocol(sets(now(1), now(1)), [shown(1, 1)]))

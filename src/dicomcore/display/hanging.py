"""Hanging: a hanging protocol, and what it shows of given studies where (PS3.3 C.23, PS3.17 V)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from dicomcore.dataset import Dataset
from dicomcore.dataset.lookup import float_array, integers_of, items_of, number_of, text_of
from dicomcore.display.selectors import Selector, Sorting, filter_of, moment, selector_of, sorting_of
from dicomcore.errors import LimitError, ParseError
from dicomcore.tags import Tag

__all__ = ["DisplaySet", "Hanging", "HungScreen", "ImageBox", "ImageSet"]

LAYOUTS = ("TILED", "STACK", "CINE", "PROCESSED", "SINGLE")
UNITS = {"SECONDS": 1, "MINUTES": 60, "HOURS": 3600, "DAYS": 86400, "WEEKS": 604800}
MONTHS = {"MONTHS": 1, "YEARS": 12}
MOST = 4096
"""Image sets, display sets, boxes, selectors and screens of one protocol, each; no real protocol comes near."""
SHOWN = (
    *("BlendingOperationType", "ReformattingOperationType", "ReformattingThickness", "ReformattingInterval"),
    *("ReformattingOperationInitialViewDirection", "ThreeDRenderingType", "DisplaySetPatientOrientation"),
    *("DisplaySetHorizontalJustification", "DisplaySetVerticalJustification", "VOIType", "PseudoColorType"),
    *("ShowGrayscaleInverted", "ShowImageTrueSizeFlag", "ShowGraphicAnnotationFlag"),
    *("ShowPatientDemographicsFlag", "ShowAcquisitionTechniquesFlag", "DisplaySetPresentationGroupDescription"),
)
BOX = (
    *("ImageBoxScrollDirection", "ImageBoxSmallScrollType", "ImageBoxSmallScrollAmount", "ImageBoxLargeScrollType"),
    *("ImageBoxLargeScrollAmount", "ImageBoxOverlapPriority", "PreferredPlaybackSequencing"),
    *("RecommendedDisplayFrameRate", "CineRelativeToRealTime"),
)


@dataclass(frozen=True, slots=True)
class ImageBox:
    """A part of the display environment, and how images are laid out in it."""

    number: int
    position: tuple[float, float, float, float]
    """Left, top, right, bottom; 0, 0 is the bottom left and 1, 1 the top right of the whole environment."""
    layout: str
    """TILED, STACK, CINE, PROCESSED or SINGLE."""
    tiles: tuple[int, int] = (1, 1)
    """Columns and rows of tiles."""
    options: dict[str, Any] = field(default_factory=dict)
    """Scrolling and playing, by keyword."""


@dataclass(frozen=True, slots=True)
class ImageSet:
    """The images that fulfil all selectors, in the studies of a certain age."""

    number: int
    label: str
    selectors: tuple[Selector, ...]
    category: str
    """RELATIVE_TIME or ABSTRACT_PRIOR."""
    age: tuple[int, int]
    """Of the study, in `units`, or the number of the prior, 1 for the latest and -1 for the earliest."""
    units: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class DisplaySet:
    """The images of one image set, filtered and sorted, and the boxes that show them."""

    number: int
    label: str
    group: int
    """Display Set Presentation Group: display sets of one group are shown together, group by group."""
    image_set: int
    boxes: tuple[ImageBox, ...]
    options: dict[str, Any]
    """How images are to be shown, by keyword."""
    filters: tuple[Selector, ...] = field(repr=False, default=())
    sortings: tuple[Sorting, ...] = field(repr=False, default=())
    images: tuple[Dataset, ...] = field(repr=False, default=())


@dataclass(frozen=True, slots=True, eq=False)
class HungScreen:
    """A screen of the display environment, and the display sets with a box in it."""

    pixels: tuple[int, int] | None
    """Rows and columns that the protocol expects; None if it states no screens."""
    position: tuple[float, float, float, float]
    display_sets: tuple[DisplaySet, ...]


class Hanging:
    """A hanging protocol: ``Hanging(protocol).match(images)`` gives screens with the images to show.

    Raises ParseError if the protocol lacks what it needs; the error names the element.
    """

    def __init__(self, data_set: Dataset) -> None:
        self.data_set = data_set
        if "ImageSetsSequence" not in data_set or "DisplaySetsSequence" not in data_set:
            raise ParseError("the data set is no hanging protocol: it has no Image Sets and Display Sets Sequence")
        self.name = text_of(data_set, "HangingProtocolName") or ""
        self.description = text_of(data_set, "HangingProtocolDescription") or ""
        self.level = text_of(data_set, "HangingProtocolLevel") or ""
        self.priors = int(number_of(data_set, "NumberOfPriorsReferenced") or 0)
        self.image_sets = tuple(_image_sets(data_set))
        self.display_sets = tuple(_display_sets(data_set))
        known = {one.number for one in self.image_sets}
        for place, one in enumerate(self.display_sets):
            if one.image_set not in known:
                raise _wrong(f"DisplaySetsSequence[{place}].ImageSetNumber", f"one of {sorted(known)[:20]}")

    def fits(self, images: Iterable[Dataset]) -> bool:
        """Whether the protocol is meant for such images: modality, anatomy, laterality and procedure of an item fit.

        What an item of the definition leaves empty fits everything, and so does a protocol without a definition.
        """
        items = _several(self.data_set, "HangingProtocolDefinitionSequence")
        shown = list(images)
        return not items or any(_defined(item, image) for item in items for image in shown)

    def match(self, studies: Iterable[Dataset], *, current: str | None = None) -> list[HungScreen]:
        """Return the screens, with the images of each display set.

        Parameters
        ----------
        studies
            The images of the current study and of earlier ones, in any order.
        current
            The UID of the current study; by default the latest.

        Raises
        ------
        ValueError
            The current study is not among them, or a study has no UID.
        """
        by_study: dict[str, list[Dataset]] = {}
        for image in studies:
            uid = text_of(image, "StudyInstanceUID")
            if not uid:
                raise ValueError("an image has no Study Instance UID (0020,000D)")
            by_study.setdefault(uid, []).append(image)
        order = sorted(by_study, key=lambda uid: -(_moment(by_study[uid]) or 0))
        now = current or (order[0] if order else "")
        if now not in by_study:
            raise ValueError(f"no image is of the current study {now}" if now else "there are no images")
        sets = {one.number: _chosen(one, by_study, order, now) for one in self.image_sets}
        filled = [_filled(one, sets[one.image_set]) for one in self.display_sets]
        return _screens(self.data_set, filled)


def _several(data_set: Dataset, keyword: str) -> list[Dataset]:
    items = items_of(data_set, keyword)
    if len(items) > MOST:
        raise LimitError(f"{keyword} has {len(items)} items, and {MOST} at most are possible", tag=int(Tag(keyword)))
    return items


def _wrong(path: str, wanted: str) -> ParseError:
    return ParseError(f"{path} must be {wanted}", tag=int(Tag(path.rsplit(".", 1)[-1])))


def _image_sets(data_set: Dataset) -> Iterable[ImageSet]:
    found: set[int] = set()
    for place, item in enumerate(_several(data_set, "ImageSetsSequence")):
        where = f"ImageSetsSequence[{place}]"
        selectors = tuple(
            selector_of(one, f"{where}.ImageSetSelectorSequence[{number}]")
            for number, one in enumerate(_several(item, "ImageSetSelectorSequence"))
        )
        timed = _several(item, "TimeBasedImageSetsSequence")
        if not timed:
            raise _wrong(f"{where}.TimeBasedImageSetsSequence", "there, with an item at least")
        for number, one in enumerate(timed):
            made = _timed(one, f"{where}.TimeBasedImageSetsSequence[{number}]", selectors)
            if made.number in found:
                raise _wrong(f"{where}.TimeBasedImageSetsSequence[{number}].ImageSetNumber", "of one image set alone")
            found.add(made.number)
            yield made
            if len(found) > MOST:
                raise LimitError(f"the protocol has more than {MOST} image sets", tag=int(Tag("ImageSetsSequence")))


def _timed(item: Dataset, where: str, selectors: tuple[Selector, ...]) -> ImageSet:
    number, category = number_of(item, "ImageSetNumber"), text_of(item, "ImageSetSelectorCategory")
    if not isinstance(number, int):
        raise _wrong(f"{where}.ImageSetNumber", "a number")
    label = text_of(item, "ImageSetLabel") or ""
    if category == "RELATIVE_TIME":
        age, units = integers_of(item, "RelativeTime"), text_of(item, "RelativeTimeUnits") or ""
        if len(age) != 2:
            raise _wrong(f"{where}.RelativeTime", f"two numbers, not {age}")
        if units not in (*UNITS, *MONTHS) and any(age):
            raise _wrong(f"{where}.RelativeTimeUnits", f"{', '.join((*UNITS, *MONTHS))}, not {units!r}")
        return ImageSet(number, label, selectors, category, (age[0], age[1]), units)
    if category != "ABSTRACT_PRIOR":
        raise _wrong(f"{where}.ImageSetSelectorCategory", f"RELATIVE_TIME or ABSTRACT_PRIOR, not {category!r}")
    prior = integers_of(item, "AbstractPriorValue")
    if len(prior) != 2 and "AbstractPriorCodeSequence" in item:
        prior = (1, -1)  # the code is words for people: all priors
    if len(prior) != 2 or 0 in prior:
        raise _wrong(f"{where}.AbstractPriorValue", f"two numbers other than 0, not {prior}")
    return ImageSet(number, label, selectors, category, (prior[0], prior[1]))


def _display_sets(data_set: Dataset) -> Iterable[DisplaySet]:
    for place, item in enumerate(_several(data_set, "DisplaySetsSequence")):
        where = f"DisplaySetsSequence[{place}]"
        numbers = [number_of(item, f"{name}Number") for name in ("DisplaySet", "ImageSet")]
        if not all(isinstance(number, int) for number in numbers):
            raise _wrong(f"{where}.{'DisplaySet' if numbers[0] is None else 'ImageSet'}Number", "a number")
        boxes = [
            _box(one, f"{where}.ImageBoxesSequence[{number}]")
            for number, one in enumerate(_several(item, "ImageBoxesSequence"))
        ]
        if not boxes:
            raise _wrong(f"{where}.ImageBoxesSequence", "there, with an item")
        filters = [
            filter_of(one, f"{where}.FilterOperationsSequence[{number}]")
            for number, one in enumerate(_several(item, "FilterOperationsSequence"))
        ]
        sortings = [
            sorting_of(one, f"{where}.SortingOperationsSequence[{number}]")
            for number, one in enumerate(_several(item, "SortingOperationsSequence"))
        ]
        yield DisplaySet(
            numbers[0],
            text_of(item, "DisplaySetLabel") or "",
            int(number_of(item, "DisplaySetPresentationGroup") or 0),
            numbers[1],
            tuple(boxes),
            {keyword: item[keyword].value for keyword in SHOWN if keyword in item},
            tuple(filters),
            tuple(sortings),
        )


def _box(item: Dataset, where: str) -> ImageBox:
    layout = text_of(item, "ImageBoxLayoutType")
    if layout not in LAYOUTS:
        raise _wrong(f"{where}.ImageBoxLayoutType", f"{', '.join(LAYOUTS)}, not {layout!r}")
    tiles = [number_of(item, f"ImageBoxTile{axis}Dimension", 1) for axis in ("Horizontal", "Vertical")]
    if layout == "TILED" and not all(isinstance(number, int) and number > 0 for number in tiles):
        raise _wrong(f"{where}.ImageBoxTileHorizontalDimension", f"1 or more, not {tiles}")
    return ImageBox(
        int(number_of(item, "ImageBoxNumber") or 0),
        _position(item, where),
        layout,
        (tiles[0], tiles[1]) if layout == "TILED" else (1, 1),
        {keyword: item[keyword].value for keyword in BOX if keyword in item},
    )


def _position(item: Dataset, where: str) -> tuple[float, float, float, float]:
    numbers = float_array(item, "DisplayEnvironmentSpatialPosition")
    values = [] if numbers is None else numbers.tolist()
    if len(values) != 4 or not all(0 <= number <= 1 for number in values):
        raise _wrong(f"{where}.DisplayEnvironmentSpatialPosition", f"four numbers from 0 to 1, not {values}")
    left, top, right, bottom = values
    if not (left < right and bottom < top):
        raise _wrong(f"{where}.DisplayEnvironmentSpatialPosition", f"left, top, right, bottom with a size: {values}")
    return left, top, right, bottom


# -- studies


def _moment(images: Sequence[Dataset]) -> float | None:
    return next((found for image in images if (found := moment(image, "Study")) is not None), None)


def _chosen(one: ImageSet, by_study: dict[str, list[Dataset]], order: list[str], now: str) -> list[Dataset]:
    """Return the images of an image set: of the studies of that age, those that all selectors take."""
    if one.category == "RELATIVE_TIME":
        studies = [uid for uid in order if uid == now or one.age != (0, 0)]
        present = _moment(by_study[now])
        studies = [uid for uid in studies if _is_of_age(one, _moment(by_study[uid]), present, uid == now)]
    else:
        priors = order[order.index(now) + 1 :]
        first, last = (place - 1 if place > 0 else len(priors) + place for place in one.age)
        studies = priors[max(first, 0) : last + 1] if last >= 0 else []
    return [image for uid in studies for image in by_study[uid] if all(part.takes(image) for part in one.selectors)]


def _is_of_age(one: ImageSet, then: float | None, now: float | None, is_current: bool) -> bool:
    """Whether a study's age in whole units lies in the range, both ends included."""
    low, high = sorted(one.age)
    if is_current:
        return low <= 0 <= high
    if then is None or now is None or then > now:
        return False
    return low <= _age(one.units, then, now) <= high and (low, high) != (0, 0)


def _age(units: str, then: float, now: float) -> int:
    if units in UNITS:
        return int((now - then) // UNITS[units])
    earlier, later = (datetime(1, 1, 1) + timedelta(seconds=seconds) for seconds in (then, now))
    months = (later.year - earlier.year) * 12 + later.month - earlier.month
    begun = (later.day, later.time()) < (earlier.day, earlier.time())
    return (months - begun) // MONTHS[units]


def _filled(one: DisplaySet, images: list[Dataset]) -> DisplaySet:
    """Return a display set with its images: filtered, and sorted by the first operation before the others."""
    shown = [image for image in images if all(part.takes(image) for part in one.filters)]
    for sorting in reversed(one.sortings):
        shown = sorting.sorted(shown)
    return DisplaySet(
        one.number,
        one.label,
        one.group,
        one.image_set,
        one.boxes,
        one.options,
        one.filters,
        one.sortings,
        tuple(shown),
    )


def _screens(data_set: Dataset, display_sets: list[DisplaySet]) -> list[HungScreen]:
    """Return the screens that the protocol states, each with the display sets whose first box lies in it."""
    items = _several(data_set, "NominalScreenDefinitionSequence")
    if not items:
        return [HungScreen(None, (0.0, 1.0, 1.0, 0.0), tuple(display_sets))]
    places = [_position(item, f"NominalScreenDefinitionSequence[{i}]") for i, item in enumerate(items)]
    by_screen: list[list[DisplaySet]] = [[] for _ in items]
    for one in display_sets:
        shared = [_overlap(one.boxes[0].position, place) for place in places]
        by_screen[shared.index(max(shared))].append(one)
    return [
        HungScreen(_size(item), place, tuple(members))
        for item, place, members in zip(items, places, by_screen, strict=True)
    ]


def _size(item: Dataset) -> tuple[int, int] | None:
    rows, columns = (number_of(item, f"NumberOf{axis}Pixels") for axis in ("Vertical", "Horizontal"))
    return (rows, columns) if isinstance(rows, int) and isinstance(columns, int) else None


def _overlap(one: tuple[float, ...], other: tuple[float, ...]) -> float:
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[1], other[1]) - max(one[3], other[3])
    return max(width, 0.0) * max(height, 0.0)


def _defined(item: Dataset, image: Dataset) -> bool:
    """Whether an image is as an item of Hanging Protocol Definition Sequence says."""
    for keyword in ("Modality", "Laterality"):
        asked = text_of(item, keyword)
        stated = text_of(image, keyword) or (text_of(image, "ImageLaterality") if keyword == "Laterality" else "")
        if asked and asked != stated:
            return False
    codes = ("AnatomicRegionSequence", "ProcedureCodeSequence", "ReasonForRequestedProcedureCodeSequence")
    return all(not (wanted := _codes(item, keyword)) or bool(wanted & _codes(image, keyword)) for keyword in codes)


def _codes(data_set: Dataset, keyword: str) -> set[tuple[str, str]]:
    return {
        (text_of(item, "CodeValue") or "", text_of(item, "CodingSchemeDesignator") or "")
        for item in _several(data_set, keyword)
    }

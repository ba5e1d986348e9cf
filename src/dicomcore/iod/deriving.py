"""Values that follow from other attributes of an object, and from its SOP class."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

from dicomcore._native.check.object_rules import modalities
from dicomcore._native.rules import tables as _tables
from dicomcore.dataset import Dataset
from dicomcore.dataset.lookup import items_of, text_of, texts_of
from dicomcore.dictionary import get_entry, keyword_for_tag
from dicomcore.iod.definitions import describe
from dicomcore.syntaxes import syntax_of
from dicomcore.tags import Tag

__all__ = ["Derived", "derived"]

COUNTS = frozenset(("IS", "US", "UL"))
MODALITY = 0x00080060
SAMPLES = {
    "MONOCHROME1": 1,
    "MONOCHROME2": 1,
    "PALETTE COLOR": 1,
    "RGB": 3,
    "YBR_FULL": 3,
    "YBR_FULL_422": 3,
    "YBR_PARTIAL_420": 3,
    "YBR_ICT": 3,
    "YBR_RCT": 3,
}


SUBSAMPLED = ("YBR_FULL_422", "YBR_PARTIAL_422", "YBR_PARTIAL_420")


class Derived(NamedTuple):
    """A value, and what tells it."""

    value: Any
    how: str


def derived(tag: int, parent: Dataset, root: Dataset, sop_class: str) -> Derived | None:
    """The value of an attribute of a data set, or of an item of `root`; None if nothing tells it without a doubt."""
    if tag == MODALITY and parent is root:
        return _modality(sop_class)
    rule = RULES.get(keyword_for_tag(Tag(tag)) or "")
    found = rule(parent, root) if rule is not None else None
    return found or _told_by_items(tag, parent)


def _told_by_items(tag: int, parent: Dataset) -> Derived | None:
    """A number of items, if all sequences that it counts agree."""
    counted = {keyword: len(items_of(parent, keyword)) for keyword in _tellers().get(tag, ()) if keyword in parent}
    if len(set(counted.values())) != 1 or 0 in counted.values():
        return None
    return Derived(next(iter(counted.values())), f"the items of {', '.join(counted)}")


@cache
def _tellers() -> dict[int, tuple[str, ...]]:
    """The sequences that an attribute counts, by its tag."""
    found: dict[int, dict[str, None]] = {}
    for module in range(_tables.counts()["modules"]):
        for _, tag, _, _, items, *_ in _tables.rows(module):
            teller = (_tables.items(items)[0] or 0) if tag is not None and items else 0
            if teller and (keyword_for_tag(Tag(teller)) or "").startswith("NumberOf") and _is_count(teller):
                found.setdefault(teller, {})[keyword_for_tag(Tag(tag or 0)) or ""] = None
    return {tag: tuple(keywords) for tag, keywords in found.items()}


def _is_count(tag: int) -> bool:
    return get_entry(Tag(tag))[0] in COUNTS


@cache
def _modality(sop_class: str) -> Derived | None:
    """The modality, if the SOP class has only one."""
    words = modalities(str(sop_class)).split()
    if len(words) == 1:
        return Derived(words[0], "the SOP class")
    allowed: set[str] | None = None
    try:
        attributes = describe(sop_class).attributes
    except KeyError:
        return None
    for attribute in attributes:
        if attribute.path == (MODALITY,):
            for one in attribute.values:
                if one.kind == "enumerated" and not one.conditional:
                    terms = set(map(str, one.values))
                    allowed = terms if allowed is None else allowed & terms
    if allowed is None or len(allowed) != 1:
        return None
    return Derived(allowed.pop(), "the SOP class")


# -- rules of single attributes ------------------------------------------------------------------------------------


def _whole(data_set: Dataset, keyword: str) -> int | None:
    value = data_set.get(keyword)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _length(data_set: Dataset, keyword: str) -> int:
    """The number of values, or of bytes."""
    value = data_set.get(keyword)
    if value is None or isinstance(value, str):
        return 0
    return len(value) if hasattr(value, "__len__") else 1


def _samples(parent: Dataset, _: Dataset) -> Derived | None:
    known = SAMPLES.get(text_of(parent, "PhotometricInterpretation") or "")
    return None if known is None else Derived(known, "PhotometricInterpretation")


def _high_bit(parent: Dataset, _: Dataset) -> Derived | None:
    stored, allocated = _whole(parent, "BitsStored"), _whole(parent, "BitsAllocated")
    if stored is None or allocated is None or not 1 <= stored <= allocated:
        return None
    return Derived(stored - 1, "BitsStored")


def _bits_stored(parent: Dataset, _: Dataset) -> Derived | None:
    high, allocated = _whole(parent, "HighBit"), _whole(parent, "BitsAllocated")
    if high is None or allocated is None or not 0 <= high < allocated:
        return None
    return Derived(high + 1, "HighBit")


def _frames(parent: Dataset, root: Dataset) -> Derived | None:
    if parent is not root:
        return None
    if count := len(items_of(root, "PerFrameFunctionalGroupsSequence")):
        return Derived(count, "the items of PerFrameFunctionalGroupsSequence")
    return _frames_by_length(root)


def _frames_by_length(root: Dataset) -> Derived | None:
    """How many frames native pixel data has: whole ones alone, of samples of whole bytes."""
    sizes = [_whole(root, name) for name in ("Rows", "Columns", "SamplesPerPixel", "BitsAllocated")]
    if "PixelData" not in root or text_of(root, "PhotometricInterpretation") in SUBSAMPLED:
        return None
    if root.transfer_syntax is not None and syntax_of(root.transfer_syntax).encapsulated:
        return None
    rows, columns, samples, bits = (size or 0 for size in sizes)
    frame = rows * columns * samples * bits // 8
    element = root["PixelData"]
    length = _length(root, "PixelData") if element.length is None else element.length  # one that was set has none yet
    # A frame of one byte may be followed by a byte of padding.
    if bits % 8 or frame < 2 or not length or element.is_undefined_length or length % frame:
        return None
    return Derived(length // frame, "the length of PixelData")


def _frame_type(_: Dataset, root: Dataset) -> Derived | None:
    words = texts_of(root, "ImageType")
    return Derived(list(words), "ImageType") if len(words) == 4 and "MIXED" not in words else None


def _in_groups(keyword: str, size: int) -> Callable[[Dataset, Dataset], Derived | None]:
    """How many points there are, each of `size` coordinates."""

    def count(parent: Dataset, _: Dataset) -> Derived | None:
        number = _length(parent, keyword)
        return Derived(number // size, keyword) if number and number % size == 0 else None

    return count


def _channels(parent: Dataset, _: Dataset) -> Derived | None:
    count = len(items_of(parent, "ChannelDefinitionSequence"))
    return Derived(count, "the items of ChannelDefinitionSequence") if count else None


RULES: dict[str, Callable[[Dataset, Dataset], Derived | None]] = {
    "SamplesPerPixel": _samples,
    "HighBit": _high_bit,
    "BitsStored": _bits_stored,
    "NumberOfFrames": _frames,
    "FrameType": _frame_type,
    "NumberOfContourPoints": _in_groups("ContourData", 3),
    "NumberOfGraphicPoints": _in_groups("GraphicData", 2),
    "NumberOfWaveformChannels": _channels,
}

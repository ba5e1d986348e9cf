"""pydicom.tag."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from dicomcore.tags import ITEM, ITEM_DELIMITER, SEQUENCE_DELIMITER, SPECIFIC_CHARACTER_SET, Tag, TagLike

__all__ = [
    "BaseTag",
    "ItemDelimiterTag",
    "ItemTag",
    "SequenceDelimiterTag",
    "Tag",
    "TagType",
    "TupleTag",
    "tag_in_exception",
]

BaseTag = Tag
TagType = TagLike
ItemTag = ITEM
ItemDelimiterTag = ITEM_DELIMITER
SequenceDelimiterTag = SEQUENCE_DELIMITER
TAG_PIXREP = Tag(0x00280103)
TAG_CHARSET = SPECIFIC_CHARACTER_SET
_LUT_DESCRIPTOR_TAGS = {Tag(0x00281101), Tag(0x00281102), Tag(0x00281103), Tag(0x00283002)}


def TupleTag(group_elem: tuple[int, int]) -> Tag:
    """The tag of a (group, element) pair."""
    return Tag(group_elem)


@contextmanager
def tag_in_exception(tag: Tag) -> Iterator[None]:
    """Put the tag before the message of an exception, whose type stays."""
    try:
        yield
    except Exception as error:
        raise type(error)(f"With tag {tag} got exception: {error}") from error

"""What a directory says of an instance: the keys of its records, taken from its header (PS3.3 F.5)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from typing import NamedTuple

from dicomcore._native.views.dataset import make_dataset
from dicomcore.dataset import DataElement, Dataset, Sequence
from dicomcore.dataset.lookup import first_item, items_of
from dicomcore.dataset.state import DATA_SET
from dicomcore.encoding.syntax import own_syntax
from dicomcore.errors import DicomError, EncodeError
from dicomcore.fileset.invent import invented
from dicomcore.fileset.keys import LEVELS, RECORD_TYPES, ROOT, Key, record_type_of
from dicomcore.fileset.profiles import Profile
from dicomcore.limits import DEFAULT_LIMITS
from dicomcore.part10.reader import open_source, unforced
from dicomcore.uids import MediaStorageDirectoryStorage
from dicomcore.vrs import WITH_CHARSET

__all__ = [
    "Extra",
    "Instance",
    "KeyTable",
    "fill_in",
    "key_table",
    "keys_of",
    "leaf_keys",
    "read_instance",
    "stands_at_root",
]

SPECIFIC_CHARACTER_SET = 0x00080005
SOP_CLASS, SOP_INSTANCE, ROWS = 0x00080016, 0x00080018, 0x00280010
NUMBER_OF_FRAMES = 0x00280008
SHARED_GROUPS, VERIFYING_OBSERVERS = 0x52009229, 0x0040A073
NEVER_COPIED = frozenset(("IconImageSequence",))  # it is made, when it is asked for
STRICTEST_FIRST = {"1": 0, "1C": 1, "2": 2, "2C": 3, "3": 4}

Extra = Mapping[str, tuple[Key, ...]]
"""Keys that a profile asks for besides those of PS3.3 F.5, by record type."""


class Instance(NamedTuple):
    """A SOP instance that records are made for: its header, the type of its record, and what it is."""

    data_set: Dataset
    type: str
    sop_class_uid: str
    sop_instance_uid: str
    transfer_syntax_uid: str


def wanted_keys(kind: str, extra: Extra) -> tuple[tuple[int, Key], ...]:
    """The keys of a record type, a profile's among them: the stricter type counts."""
    found: dict[int, Key] = {}
    known = RECORD_TYPES.get(kind)
    for key in (*(known.keys if known else ()), *extra.get(kind, ())):
        if key.keyword in NEVER_COPIED:
            continue
        old = found.get(key.tag)
        if old is None or STRICTEST_FIRST[key.type] < STRICTEST_FIRST[old.type]:
            found[key.tag] = key
    return tuple(sorted(found.items()))


class Wanted(NamedTuple):
    """Elements that are read of a header, and the tag to stop at."""

    tags: frozenset[int]
    stop: int

    @classmethod
    def of(cls, *tags: int) -> Wanted:
        """These, and the character set."""
        return cls(frozenset(tags) | {SPECIFIC_CHARACTER_SET}, max(tags) + 1)


class KeyTable:
    """The keys of all record types with one profile's, and which elements must be read for them."""

    def __init__(self, extra: Extra) -> None:
        self.by_type = {kind: wanted_keys(kind, extra) for kind in RECORD_TYPES}
        self.conditional = {
            kind: tuple((tag, key) for tag, key in self.by_type[kind] if key.type == "1C") for kind in LEVELS
        }
        levels = [tag for kind in LEVELS for tag, _ in self.by_type[kind]]
        common = (SOP_CLASS, SOP_INSTANCE, ROWS, NUMBER_OF_FRAMES, *levels)
        more = {"SR DOCUMENT": (VERIFYING_OBSERVERS,)}
        self.wanted = {
            kind: Wanted.of(*common, *(tag for tag, _ in keys), *more.get(kind, ()))
            for kind, keys in self.by_type.items()
        }
        grouped = any(IN_GROUPS.get(key.keyword) for key in extra.get("IMAGE", ()))
        self.with_groups = Wanted.of(*self.wanted["IMAGE"].tags, SHARED_GROUPS) if grouped else None


@cache
def key_table(profile: Profile) -> KeyTable:
    """The table of one profile: profiles are few and don't change."""
    return KeyTable(profile.keys_by_type())


def read_instance(src: str | Dataset, table: KeyTable) -> Instance:
    """The header of an instance, as far as its records need it, from a path or a data set.

    Raises DicomError for what no record can stand for: DICOMDIRs, files without SOP class, classes that have no type.
    """
    if isinstance(src, Dataset):
        data_set = src
        kind, sop_class = _type_of(data_set)
    else:
        data_set = _read(src, table.wanted["IMAGE"])
        kind, sop_class = _type_of(data_set)
        if kind != "IMAGE":
            data_set = _read(src, table.wanted[kind])
        elif table.with_groups is not None and NUMBER_OF_FRAMES in data_set:
            data_set = _read(src, table.with_groups)
    sop_instance = _uid(data_set, SOP_INSTANCE, "SOPInstanceUID")
    return Instance(data_set, kind, sop_class, sop_instance, str(own_syntax(data_set)))


def _read(path: str, wanted: Wanted) -> Dataset:
    """As dcmread() with specific_tags, whose tags needn't be looked up for each of many files."""
    with unforced():
        index = open_source(path, limits=DEFAULT_LIMITS, stop_before_pixels=True, stop_tag=wanted.stop)
    return make_dataset(Dataset, index, DATA_SET, wanted.tags)


def _uid(data_set: Dataset, tag: int, keyword: str) -> str:
    value = data_set.get(keyword)
    if not value and data_set.file_meta is not None:
        value = data_set.file_meta.get(f"MediaStorage{keyword}")
    if not isinstance(value, str) or not value:
        raise DicomError(f"no {keyword}, which a directory record names (PS3.3 F.3.2.2)")
    return str(value)


def _type_of(data_set: Dataset) -> tuple[str, str]:
    """The type of the record for an instance, and its SOP class."""
    sop_class = _uid(data_set, SOP_CLASS, "SOPClassUID")
    if sop_class == MediaStorageDirectoryStorage:
        raise DicomError("a DICOMDIR is not referred to by a directory record")
    kind = record_type_of(sop_class, has_pixels=ROWS in data_set)
    if kind is None:
        raise DicomError(f"SOP class {sop_class} has no directory record type (PS3.3 F.4)")
    return kind, sop_class


def keys_of(kind: str, data_set: Dataset, table: KeyTable, *, invent: bool = False, number: int = 1) -> Dataset:
    """The elements of a record of type `kind` for an instance, without those that refer to a file or link it.

    Values are taken over as they are encoded, with the character set that they need. `invent` makes up values that
    a record must have and the instance lacks; without it EncodeError names them. `number` is one that no record beside
    this one has.
    """
    made = Dataset()
    made.validation = "ignore"  # the instance has the values: the record repeats them, whatever they are
    made.DirectoryRecordType = kind
    lacking = []
    needs_charset = False
    for tag, key in table.by_type[kind]:
        element = _element(data_set, tag, key, kind)
        if element is not None and not _is_empty(element):
            made[tag] = element
            needs_charset = needs_charset or (element.VR in WITH_CHARSET and not _is_default(element))
            needs_charset = needs_charset or element.VR == "SQ"
        elif key.type == "1":
            value = invented(key.keyword, data_set, number) if invent else None
            if value is None:
                lacking.append(key.keyword)
            else:
                setattr(made, key.keyword, value)
        elif key.type == "2":
            setattr(made, key.keyword, Sequence() if key.keyword.endswith("Sequence") else "")
    if lacking:
        more = "; invent=True makes values up" if not invent else ""
        raise EncodeError(f"its {kind} record must have {', '.join(lacking)}, which the instance lacks{more}")
    if needs_charset and SPECIFIC_CHARACTER_SET in data_set:
        made[SPECIFIC_CHARACTER_SET] = data_set[SPECIFIC_CHARACTER_SET]
    return made


def fill_in(keys: Dataset, kind: str, data_set: Dataset, table: KeyTable) -> None:
    """Give a level's record the conditional keys that it lacks and another instance below it has.

    Those alone that need no character set: the record has the one of its first instance.
    """
    for tag, key in table.conditional[kind]:
        if tag in data_set and key.keyword not in keys:
            element = data_set[tag]
            if not _is_empty(element) and element.VR != "SQ" and _is_default(element):
                keys[tag] = element


def leaf_keys(keys: Dataset, instance: Instance, file_id: Iterable[str]) -> Dataset:
    """`keys` of a record that refers to a file, completed by which file and instance it is."""
    keys.ReferencedFileID = list(file_id)
    keys.ReferencedSOPClassUIDInFile = instance.sop_class_uid
    keys.ReferencedSOPInstanceUIDInFile = instance.sop_instance_uid
    keys.ReferencedTransferSyntaxUIDInFile = instance.transfer_syntax_uid
    return keys


def _element(data_set: Dataset, tag: int, key: Key, kind: str) -> DataElement | None:
    if tag in data_set:
        element = data_set[tag]
        if key.keyword == "ContentSequence":
            return _title_modifiers(element)
        return element
    if key.keyword == "VerificationDateTime":
        return _last_verified(data_set)
    if key.keyword in IN_GROUPS and SHARED_GROUPS in data_set:
        return _in_shared_groups(data_set, tag, IN_GROUPS[key.keyword])
    return None


def _title_modifiers(element: DataElement) -> DataElement | None:
    """The content items that modify a document's title; the record takes no others (PS3.3 F.5.25)."""
    if element.VR != "SQ":
        return None
    wanted = [item for item in element.value if item.get("RelationshipType") == "HAS CONCEPT MOD"]
    return DataElement(element.tag, "SQ", Sequence(wanted)) if wanted else None


def _last_verified(data_set: Dataset) -> DataElement | None:
    """The most recent of the document's verifications (PS3.3 F.5.25)."""
    times = [item.get("VerificationDateTime") for item in items_of(data_set, "VerifyingObserverSequence")]
    texts = [text for text in times if isinstance(text, str) and text]
    return DataElement("VerificationDateTime", "DT", max(texts)) if texts else None


# Keys that enhanced images have in their functional groups (PS3.11 H.3.3.1), by the sequence they stand in.
IN_GROUPS = {
    "ImagePositionPatient": "PlanePositionSequence",
    "ImageOrientationPatient": "PlaneOrientationSequence",
    "PixelSpacing": "PixelMeasuresSequence",
    "ReferencedImageSequence": "",
}


def _in_shared_groups(data_set: Dataset, tag: int, sequence: str) -> DataElement | None:
    holder = first_item(data_set, "SharedFunctionalGroupsSequence")
    if holder is not None and sequence:
        holder = first_item(holder, sequence)
    return holder[tag] if holder is not None and tag in holder else None


def _is_empty(element: DataElement) -> bool:
    value = element.value
    return value is None or (isinstance(value, (str, bytes, list)) and len(value) == 0)


def _is_default(element: DataElement) -> bool:
    """Whether a text needs no character set: ASCII without escapes."""
    raw = element.raw
    data = bytes(raw) if raw is not None else str(element.value).encode("utf-8", "replace")
    return data.isascii() and b"\x1b" not in data


def stands_at_root(kind: str) -> bool:
    """Whether records of this type stand in the root entity."""
    return RECORD_TYPES[kind].parents == (ROOT,)

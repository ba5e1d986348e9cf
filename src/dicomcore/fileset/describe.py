"""The keys of an instance's directory records, taken from its header (PS3.3 F.5)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from typing import NamedTuple

from dicomcore._native.views.dataset import make_dataset
from dicomcore.dataset import DataElement, Dataset, Sequence
from dicomcore.dataset.lookup import first_item, items_of
from dicomcore.dataset.state import DATA_SET, meta_of
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
NEVER_COPIED = frozenset(("IconImageSequence",))  # an icon is rendered on request only
STRICTEST_FIRST = {"1": 0, "1C": 1, "2": 2, "2C": 3, "3": 4}

Extra = Mapping[str, tuple[Key, ...]]
"""Keys that a profile asks for besides those of PS3.3 F.5, by record type."""


class Instance(NamedTuple):
    """A SOP instance to describe in records: its header, the type of its record, and its UIDs."""

    data_set: Dataset
    type: str
    sop_class_uid: str
    sop_instance_uid: str
    transfer_syntax_uid: str


def wanted_keys(kind: str, extra: Extra) -> tuple[tuple[int, Key], ...]:
    """The keys of a record type, those of a profile included. Of two types of one key the stricter one counts."""
    wanted: dict[int, Key] = {}
    known = RECORD_TYPES.get(kind)
    for key in (*(known.keys if known else ()), *extra.get(kind, ())):
        if key.keyword in NEVER_COPIED:
            continue
        old = wanted.get(key.tag)
        if old is None or STRICTEST_FIRST[key.type] < STRICTEST_FIRST[old.type]:
            wanted[key.tag] = key
    return tuple(sorted(wanted.items()))


class Wanted(NamedTuple):
    """The elements to read from a header, and the tag at which reading stops."""

    tags: frozenset[int]
    stop: int

    @classmethod
    def of(cls, *tags: int) -> Wanted:
        """The elements with these tags, and Specific Character Set."""
        return cls(frozenset(tags) | {SPECIFIC_CHARACTER_SET}, max(tags) + 1)


class KeyTable:
    """The keys of all record types, those of one profile included, and the elements that must be read for them."""

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
    """The table of one profile. It is cached, as profiles are few and don't change."""
    return KeyTable(profile.keys_by_type())


def read_instance(src: str | Dataset, table: KeyTable) -> Instance:
    """Read the elements of an instance that its records need, from a path or a data set.

    Raises DicomError for files that no record can refer to: DICOMDIRs, files without a SOP class or a SOP Instance UID,
    and SOP classes that have no record type.
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
    """Read as dcmread() with specific_tags does, without looking the tags up again for each of many files."""
    with unforced():
        index = open_source(path, limits=DEFAULT_LIMITS, stop_before_pixels=True, stop_tag=wanted.stop)
    return make_dataset(Dataset, index, DATA_SET, wanted.tags)


def _uid(data_set: Dataset, tag: int, keyword: str) -> str:
    value = data_set.get(keyword)
    meta = meta_of(data_set)
    if not value and meta is not None:
        value = meta.get(f"MediaStorage{keyword}")
    if not isinstance(value, str) or not value:
        raise DicomError(f"no {keyword}, which a directory record must name (PS3.3 F.3.2.2)")
    return str(value)


def _type_of(data_set: Dataset) -> tuple[str, str]:
    """The type of the record for an instance, and its SOP class."""
    sop_class = _uid(data_set, SOP_CLASS, "SOPClassUID")
    if sop_class == MediaStorageDirectoryStorage:
        raise DicomError("a directory record can't refer to a DICOMDIR")
    kind = record_type_of(sop_class, has_pixels=ROWS in data_set)
    if kind is None:
        raise DicomError(f"SOP class {sop_class} has no directory record type (PS3.3 F.4)")
    return kind, sop_class


def keys_of(kind: str, data_set: Dataset, table: KeyTable, *, invent: bool = False, number: int = 1) -> Dataset:
    """The elements of a record of type `kind` for an instance, without those that refer to a file or link the record.

    Values are copied as they are encoded, with the character set that they need. `invent` makes up values that a
    record must have and the instance lacks; without it EncodeError names the missing keys. `number` is a number that no
    other record of the entity has.
    """
    keys = Dataset()
    keys.validation = "ignore"  # the record repeats the values of the instance, valid or not
    keys.DirectoryRecordType = kind
    missing = []
    needs_charset = False
    for tag, key in table.by_type[kind]:
        element = _element(data_set, tag, key, kind)
        if element is not None and not _is_empty(element):
            keys[tag] = element
            needs_charset = needs_charset or (element.VR in WITH_CHARSET and not _is_ascii(element))
            needs_charset = needs_charset or element.VR == "SQ"
        elif key.type == "1":
            value = invented(key.keyword, data_set, number) if invent else None
            if value is None:
                missing.append(key.keyword)
            else:
                setattr(keys, key.keyword, value)
        elif key.type == "2":
            setattr(keys, key.keyword, Sequence() if key.keyword.endswith("Sequence") else "")
    if missing:
        more = "; invent=True makes values up" if not invent else ""
        raise EncodeError(f"its {kind} record must have {', '.join(missing)}, which the instance lacks{more}")
    if needs_charset and SPECIFIC_CHARACTER_SET in data_set:
        keys[SPECIFIC_CHARACTER_SET] = data_set[SPECIFIC_CHARACTER_SET]
    return keys


def fill_in(keys: Dataset, kind: str, data_set: Dataset, table: KeyTable) -> None:
    """Add conditional keys to a level's record that lacks them, from another instance below it.

    Only keys that need no character set are added, as the record has the character set of its first instance.
    """
    for tag, key in table.conditional[kind]:
        if tag in data_set and key.keyword not in keys:
            element = data_set[tag]
            if not _is_empty(element) and element.VR != "SQ" and _is_ascii(element):
                keys[tag] = element


def leaf_keys(keys: Dataset, instance: Instance, file_id: Iterable[str]) -> Dataset:
    """Add the references to a file and its instance to `keys`, and return them."""
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
    """The content items that modify a document's title; the record has no other items (PS3.3 F.5.25)."""
    if element.VR != "SQ":
        return None
    wanted = [item for item in element.value if item.get("RelationshipType") == "HAS CONCEPT MOD"]
    return DataElement(element.tag, "SQ", Sequence(wanted)) if wanted else None


def _last_verified(data_set: Dataset) -> DataElement | None:
    """The date and time of the document's most recent verification (PS3.3 F.5.25)."""
    times = [item.get("VerificationDateTime") for item in items_of(data_set, "VerifyingObserverSequence")]
    texts = [text for text in times if isinstance(text, str) and text]
    return DataElement("VerificationDateTime", "DT", max(texts)) if texts else None


# Keys that enhanced images have in their functional groups (PS3.11 H.3.3.1), with the sequence that contains them.
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


def _is_ascii(element: DataElement) -> bool:
    """Whether a text needs no character set: it is ASCII without escape sequences."""
    raw = element.raw
    data = bytes(raw) if raw is not None else str(element.value).encode("utf-8", "replace")
    return data.isascii() and b"\x1b" not in data


def stands_at_root(kind: str) -> bool:
    """Whether records of this type belong in the root entity."""
    return RECORD_TYPES[kind].parents == (ROOT,)

"""Dataset, DataElement, Sequence: pydicom's views of a data set, over the native index."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from typing import Any, Self, SupportsIndex

from dicomcore._native.base.dictionary import keywords
from dicomcore._native.views.data_element import DataElement
from dicomcore._native.views.dataset import DatasetBase, make_dataset
from dicomcore._native.views.facade import set_classes
from dicomcore._native.views.state import copy_of, file_index, index_of, part_of, pickled, unpickled
from dicomcore.dataset.doors import Doors
from dicomcore.dataset.paths import Below, unfolded
from dicomcore.dataset.printing import data_set_lines, element_line
from dicomcore.dataset.private_block import PrivateBlock
from dicomcore.dataset.validation import check_name, check_value, faults
from dicomcore.dictionary.private import private_dictionary_VR
from dicomcore.issues import Issue, noted_issue, scanned_issue
from dicomcore.tags import Tag, TagLike
from dicomcore.uids import UID, ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

__all__ = ["DataElement", "Dataset", "Sequence"]

DATA_SET, FILE_META = -1, -2  # rows that stand for what is no item
FOUND_SYNTAXES = (ExplicitVRLittleEndian, ImplicitVRLittleEndian, ExplicitVRBigEndian, ExplicitVRBigEndian)
_uid = lru_cache(maxsize=64)(UID)


# Dataset gets no more methods: what a room above does with a data set is a function of that room. See `Doors`.
class Dataset(Doors):
    """A data set (PS3.5 7): its elements by keyword, tag or (group, element), in ascending order of tags.

    What `dcmread` returns reads from its source when asked; `Dataset()` makes an empty one in memory, and
    `Dataset({tag: element})` or `Dataset(other)` one that holds these elements.
    """

    def __init__(self, elements: Dataset | dict[Any, DataElement] | Iterable[DataElement] = ()) -> None:
        for element in elements.values() if isinstance(elements, dict) else elements:
            self.add(element)

    # -- the file around the data set

    @property
    def file_meta(self) -> Dataset | None:
        """File Meta Information (PS3.10 7.1); None for an item or a data set made in memory."""
        kept = self._kept
        index = file_index(self)
        if index is not None and "file_meta" not in kept:
            kept.setdefault("file_meta", make_dataset(Dataset, index, FILE_META))
        return kept.get("file_meta")

    @file_meta.setter
    def file_meta(self, value: Dataset | None) -> None:
        self._kept["file_meta"] = value

    @property
    def preamble(self) -> bytes | None:
        """The 128 bytes before the DICM prefix; None where there were none."""
        index = index_of(self)
        stored: bytes | None = self._kept.get("preamble", None if index is None else index.preamble)
        return stored

    @preamble.setter
    def preamble(self, value: bytes | None) -> None:
        self._kept["preamble"] = value

    @property
    def transfer_syntax(self) -> UID | None:
        """The transfer syntax UID as the file meta information has it, or as found where it doesn't."""
        meta = self._kept.get("file_meta")
        stated = None if meta is None else meta.get("TransferSyntaxUID")
        if isinstance(stated, list):
            stated = stated[0] if stated else None
        if isinstance(stated, str):  # a damaged header can give it any VR
            return UID(stated)
        index = index_of(self)
        if index is None:
            return None
        return _uid(index.transfer_syntax or FOUND_SYNTAXES[index.mode & 3])

    @property
    def is_implicit_VR(self) -> bool | None:
        """Whether the data set was read in implicit VR, whatever its transfer syntax says; None when not read."""
        index = index_of(self)
        return None if index is None else bool(index.mode & 1)

    @property
    def is_little_endian(self) -> bool | None:
        """Whether the data set was read in little endian; None when not read."""
        index = index_of(self)
        return None if index is None else not index.mode & 2

    @property
    def filename(self) -> Any:
        """The path it was read from, as given; None for memory."""
        index = index_of(self)
        return None if index is None else index.path

    @property
    def issues(self) -> tuple[Issue, ...]:
        """What deviates from the standard, in the order of offsets; reading values can add to it.

        Structure is known once this is asked for; what is wrong inside a value, once that value was decoded.
        """
        index, kept = index_of(self), self._kept
        if index is None:
            return tuple(kept.get("noted", ()))
        self.keys()
        scanned, noted = index.deviations()
        found = {scanned_issue(*one) for one in scanned} | {noted_issue(*one) for one in noted}
        frames = kept.get("frames")
        if frames is not None:
            found |= set(frames.issues)
        return tuple(sorted(found, key=lambda issue: (issue.offset, issue.code, issue.message)))

    # -- elements

    def values(self) -> list[DataElement]:
        """All elements, ascending."""
        return list(self)

    def items(self) -> list[tuple[Tag, DataElement]]:
        """(Tag, DataElement) of all elements, ascending."""
        return [(element.tag, element) for element in self]

    def add(self, element: DataElement) -> None:
        """Put an element in, in the place of one with its tag."""
        self[element.tag] = element

    def add_new(self, tag: TagLike, VR: str, value: Any) -> None:
        """Put in a new element made of `tag`, `VR` and `value`; see `validation`."""
        self.add(DataElement(tag, VR, value))

    def validate(self) -> tuple[Issue, ...]:
        """What is wrong with values, () where all are well.

        Values, those of items included, that their VRs don't allow (PS3.5 6.2), and pixel data that isn't as long, or
        of as many frames, as the attributes that describe it say.
        """
        return faults(self)

    def update(self, other: Dataset | dict[Any, Any]) -> None:
        """Take over elements (by tag) and values (by keyword, or the tag of a public element)."""
        for key, value in other.items():
            if isinstance(value, DataElement):
                self[key] = value
            else:
                self._set(int(Tag(key)), value)

    def pop(self, key: Any, *default: Any) -> Any:
        """Take an element out and return it."""
        if key in self:
            element = self[key]
            del self[key]
            return element
        if default:
            return default[0]
        raise KeyError(key)

    def popitem(self) -> tuple[Tag, DataElement]:
        """Take the last element out and return it with its tag; KeyError where there is none."""
        tags = self.keys()
        if not tags:
            raise KeyError("the data set is empty")
        return tags[-1], self.pop(tags[-1])

    def setdefault(self, key: Any, default: Any = None) -> DataElement:
        """The element at `key`, put in from `default` where there is none: an element, or a value for a known tag."""
        if key not in self:
            if isinstance(default, DataElement):
                self[key] = default
            else:
                self._set(int(Tag(key)), default)
        return self[key]

    def elements(self) -> Iterator[DataElement]:
        """The elements, ascending."""
        return iter(self)

    def get_item(self, key: Any) -> DataElement | Dataset:
        """``self[key]``: values are decoded when asked for, so that there is no rawer element."""
        found: DataElement | Dataset = self[key]
        return found

    def decode(self) -> None:
        """Nothing: text is decoded when it is asked for."""

    def ensure_file_meta(self) -> None:
        """Give the data set an empty `file_meta` if it has none."""
        if self.file_meta is None:
            self.file_meta = Dataset()

    def add_new_private(
        self, private_creator: str, group: int, element_offset: int, value: Any, vr: str | None = None
    ) -> None:
        """Put in an element of a creator's block, reserved if need be; KeyError without `vr` for an unknown one."""
        vr = vr or private_dictionary_VR(Tag(group, element_offset), private_creator)
        self.private_block(group, private_creator, create=True).add_new(element_offset, vr, value)

    def clear(self) -> None:
        """Take all elements out."""
        for tag in self.keys():
            del self[tag]

    def group_dataset(self, group: int) -> Dataset:
        """A data set of the elements of one group."""
        return self[group << 16 : (group + 1) << 16]

    def private_block(self, group: int, private_creator: str, create: bool = False) -> PrivateBlock:
        """The block that `private_creator` reserved in `group` (PS3.5 7.8.1); KeyError unless there or `create`."""
        return PrivateBlock.of(self, group, private_creator, create)

    def private_creators(self, group: int) -> list[str]:
        """Who reserved blocks in a private group, in the order of blocks."""
        if not group & 1:
            raise ValueError(f"group {group:04X} is not private")
        return [element.value for element in self[(group << 16 | 0x10) : (group << 16 | 0x100)]]

    def get_private_item(self, group: int, element_offset: int, private_creator: str) -> DataElement:
        """The element at `element_offset` (0 to FFH) of a private block."""
        return self.private_block(group, private_creator)[element_offset]

    def remove_private_tags(self) -> None:
        """Take out all private elements, in items too."""
        self.walk(lambda data_set, element: data_set.pop(element.tag) if element.is_private else None)

    def data_element(self, name: str) -> DataElement | None:
        """The element with keyword `name`, None where there is none."""
        return self[name] if name in self else None  # noqa: SIM401  get() gives values for keywords

    def walk(self, callback: Callable[[Dataset, DataElement], Any], recursive: bool = True) -> None:
        """Call ``callback(data_set, element)`` for every element, a sequence's before those of its items."""
        for data_set, element in unfolded(self, _visited(self, recursive)):
            callback(data_set, element)

    def _slice(self, wanted: slice) -> Dataset:
        start = 0 if wanted.start is None else int(Tag(wanted.start))
        stop = 1 << 32 if wanted.stop is None else wanted.stop
        stop = stop if isinstance(stop, int) else int(Tag(stop))
        chosen = frozenset([tag for tag in map(int, self.keys()) if start <= tag < stop][:: wanted.step])
        part = part_of(self, chosen)
        part.file_meta = None if file_index(self) is None else Dataset()
        return part

    # -- copies, comparison, text

    def copy(self) -> Self:
        """A shallow copy: it shares values, and its own changes stay its own."""
        return copy_of(self)

    __copy__ = copy

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return copy_of(self, memo)

    def __reduce__(self) -> tuple[Any, ...]:
        return unpickled, pickled(self)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, DatasetBase):
            return NotImplemented
        return self is other or (self.keys() == other.keys() and all(a == b for a, b in zip(self, other, strict=True)))

    __hash__ = None  # type: ignore[assignment]

    def __str__(self) -> str:
        return "\n".join(data_set_lines(self))

    __repr__ = __str__

    def top(self) -> str:
        """The text of the top level alone."""
        return "\n".join(data_set_lines(self, items=False))

    def __dir__(self) -> list[str]:
        present = {element.keyword for element in self}
        return sorted({*object.__dir__(self), *present} - {""})

    def dir(self, *filters: str) -> list[str]:
        """Keywords of the elements that are there, those that contain one of `filters`, whatever their case."""
        names = sorted({element.keyword for element in self} - {""})
        return [n for n in names if any(f.lower() in n.lower() for f in filters)] if filters else names

    def _ipython_key_completions_(self) -> list[str]:
        return self.dir()

    def trait_names(self) -> list[str]:
        """Every keyword of the dictionary: what may stand behind ``ds.``."""
        return keywords()


class Sequence(list):  # type: ignore[type-arg]
    """The items of an SQ element: a list of Dataset (PS3.5 7.5)."""

    def __init__(self, items: Iterable[Dataset] = ()) -> None:
        super().__init__(items)
        _items(self)

    def append(self, item: Dataset) -> None:
        """Add an item at the end."""
        super().append(*_items([item]))

    def insert(self, index: SupportsIndex, item: Dataset) -> None:
        """Put an item before the one at `index`."""
        super().insert(index, *_items([item]))

    def extend(self, items: Iterable[Dataset]) -> None:
        """Add several items at the end."""
        super().extend(_items(items))

    def __iadd__(self, items: Iterable[Dataset]) -> Self:  # type: ignore[override, misc]
        return super().__iadd__(_items(items))

    def __setitem__(self, key: Any, value: Any) -> None:
        if isinstance(key, slice):
            super().__setitem__(key, _items(value))
        else:
            super().__setitem__(key, *_items([value]))

    def __repr__(self) -> str:
        return f"<{type(self).__name__}, length {len(self)}>"


def _items(items: Iterable[Any]) -> list[Dataset]:
    """What is to be in a sequence, all of it data sets; TypeError for anything else."""
    found = items if isinstance(items, list) else list(items)
    for item in found:
        if not isinstance(item, DatasetBase):
            raise TypeError(f"items of a sequence are data sets, not {type(item).__name__}")
    return found


def _visited(data_set: Dataset, recursive: bool) -> Iterator[Any]:
    """(data set, element) of all elements that are still there when their turn comes: visitors may take some out."""
    for tag in data_set.keys():  # noqa: SIM118  iterating gives elements
        if tag not in data_set:
            continue
        yield data_set, data_set[tag]
        if recursive and tag in data_set and data_set[tag].VR == "SQ":
            for item in list(data_set[tag].value):
                yield Below(item, _visited(item, recursive))


set_classes(
    dataset=Dataset,
    sequence=Sequence,
    element_line=element_line,
    check_value=check_value,
    check_name=check_name,
)

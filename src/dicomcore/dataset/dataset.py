"""Dataset, DataElement, Sequence: pydicom's interface to a data set, over the native index."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache

from dicomcore._native.base.dictionary import keywords
from dicomcore._native.views.data_element import DataElement
from dicomcore._native.views.dataset import DatasetBase
from dicomcore._native.views.state import copy_of, file_index, index_of, part_of, pickled, unpickled
from dicomcore.dataset.doors import Doors
from dicomcore.dataset.meta import ensured_meta, meta_of, preamble_of
from dicomcore.dataset.paths import Below, unfolded
from dicomcore.dataset.printing import data_set_lines
from dicomcore.dataset.private_block import PrivateBlock
from dicomcore.dataset.validation import faults
from dicomcore.issues import Issue, noted_issue, scanned_issue
from dicomcore.tags import Tag, TagLike
from dicomcore.uids import UID, ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, ClassVar, Self, SupportsIndex

__all__ = ["DataElement", "Dataset", "Sequence"]

SYNTAXES_BY_MODE = (ExplicitVRLittleEndian, ImplicitVRLittleEndian, ExplicitVRBigEndian, ExplicitVRBigEndian)
_uid = lru_cache(maxsize=64)(UID)


# Dataset gets no more methods: packages that stand on it offer functions of a data set. See `Doors`.
class Dataset(Doors):
    """A data set (PS3.5 7): its elements by keyword, tag or (group, element), in ascending order of tags.

    A data set from `dcmread` reads values from its source when they are first used. `Dataset()` is empty;
    `Dataset({tag: element})` and `Dataset(other)` contain these elements.
    """

    _meta_class: ClassVar[type[Dataset]]
    """The class of `file_meta`, which a subclass may name."""

    def __init__(self, elements: Dataset | dict[Any, DataElement] | Iterable[DataElement] = ()) -> None:
        for element in elements.values() if isinstance(elements, dict) else elements:
            self.add(element)

    # -- the file around the data set

    @property
    def file_meta(self) -> Dataset | None:
        """File Meta Information (PS3.10 7.1); None for an item or a data set made in memory."""
        return meta_of(self)

    @file_meta.setter
    def file_meta(self, value: Dataset | None) -> None:
        self._kept["file_meta"] = value

    @property
    def preamble(self) -> bytes | None:
        """The 128 bytes before the DICM prefix; None if the source has no preamble."""
        return preamble_of(self)

    @preamble.setter
    def preamble(self, value: bytes | None) -> None:
        self._kept["preamble"] = value

    @property
    def transfer_syntax(self) -> UID | None:
        """The transfer syntax UID of the file meta information, or, if that has none, the one that the data is in."""
        meta = self._kept.get("file_meta")
        stated = None if meta is None else meta.get("TransferSyntaxUID")
        if isinstance(stated, list):
            stated = stated[0] if stated else None
        if isinstance(stated, str):  # a damaged header can give it any VR
            return UID(stated)
        index = index_of(self)
        if index is None:
            return None
        return _uid(index.transfer_syntax or SYNTAXES_BY_MODE[index.mode & 3])

    @property
    def is_implicit_VR(self) -> bool | None:
        """Whether the data set was read in implicit VR, whatever its transfer syntax says; None if it was not read."""
        index = index_of(self)
        return None if index is None else bool(index.mode & 1)

    @property
    def is_little_endian(self) -> bool | None:
        """Whether the data set was read in little endian; None if it was not read."""
        index = index_of(self)
        return None if index is None else not index.mode & 2

    @property
    def filename(self) -> Any:
        """The path that the data set was read from, as the caller gave it; None if it was not read from a path."""
        index = index_of(self)
        return None if index is None else index.path

    @property
    def issues(self) -> tuple[Issue, ...]:
        """Deviations from the standard, in the order of offsets.

        All deviations of structure are listed: the first use of this property completes the index. A deviation inside
        a value is listed only after that value was decoded.
        """
        index, kept = index_of(self), self._kept
        if index is None:
            return tuple(kept.get("noted", ()))
        self.keys()
        scanned, noted = index.deviations()
        issues = {scanned_issue(*facts) for facts in scanned} | {noted_issue(*facts) for facts in noted}
        frames = kept.get("frames")
        if frames is not None:
            issues |= set(frames.issues)
        return tuple(sorted(issues, key=lambda issue: (issue.offset, issue.code, issue.message)))

    # -- elements

    def values(self) -> list[DataElement]:
        """All elements, in ascending order of tags."""
        return list(self)

    def items(self) -> list[tuple[Tag, DataElement]]:
        """(Tag, DataElement) of all elements, in ascending order of tags."""
        return [(element.tag, element) for element in self]

    def add(self, element: DataElement) -> None:
        """Add an element; it replaces an element with the same tag."""
        self[element.tag] = element

    def add_new(self, tag: TagLike, VR: str, value: Any) -> None:
        """Add a new element made of `tag`, `VR` and `value`; see `validation`."""
        self.add(DataElement(tag, VR, value))

    def validate(self) -> tuple[Issue, ...]:
        """Check all values, those of items included, and return an issue for each fault.

        Faults are values that their VRs don't allow (PS3.5 6.2), and pixel data whose length or number of frames
        contradicts the attributes that describe it.
        """
        return faults(self)

    def update(self, other: Dataset | dict[Any, Any]) -> None:
        """Set elements (by tag) and values (by keyword, or by the tag of a public element)."""
        for key, value in other.items():
            if isinstance(value, DataElement):
                self[key] = value
            else:
                self._set(int(Tag(key)), value)

    def pop(self, key: Any, *default: Any) -> Any:
        """Remove an element and return it."""
        if key in self:
            element = self[key]
            del self[key]
            return element
        if default:
            return default[0]
        raise KeyError(key)

    def popitem(self) -> tuple[Tag, DataElement]:
        """Remove the last element and return it with its tag; KeyError if the data set is empty."""
        tags = self.keys()
        if not tags:
            raise KeyError("the data set is empty")
        return tags[-1], self.pop(tags[-1])

    def setdefault(self, key: Any, default: Any = None) -> DataElement:
        """The element at `key`; if missing, it is added from `default`, an element, or a value if the tag is known."""
        if key not in self:
            if isinstance(default, DataElement):
                self[key] = default
            else:
                self._set(int(Tag(key)), default)
        return self[key]

    def elements(self) -> Iterator[DataElement]:
        """Iterate over the elements in ascending order of tags."""
        return iter(self)

    def get_item(self, key: Any) -> DataElement | Dataset:
        """``self[key]``. There are no raw elements as in pydicom: every element decodes its value when asked."""
        item: DataElement | Dataset = self[key]
        return item

    def decode(self) -> None:
        """Do nothing, for code written for pydicom: text is decoded when it is first used."""

    def ensure_file_meta(self) -> None:
        """Add an empty `file_meta` if the data set has none."""
        ensured_meta(self)

    def add_new_private(
        self, private_creator: str, group: int, element_offset: int, value: Any, vr: str | None = None
    ) -> None:
        """Add a private element to its creator's block, which is reserved first if the data set has none.

        Parameters
        ----------
        private_creator : str
            The name of the creator.
        group : int
            An odd group.
        element_offset : int
            The element's offset in the block, 0 to 0xFF.
        value
            The element's value.
        vr : str, optional
            The VR; by default the one of the private dictionary.

        Raises
        ------
        KeyError
            The dictionary does not know the element and `vr` is missing, or the group has no free block.
        """
        from dicomcore.dictionary.private import private_dictionary_VR

        vr = vr or private_dictionary_VR(Tag(group, element_offset), private_creator)
        self.private_block(group, private_creator, create=True).add_new(element_offset, vr, value)

    def clear(self) -> None:
        """Remove all elements."""
        for tag in self.keys():
            del self[tag]

    def group_dataset(self, group: int) -> Dataset:
        """A data set of the elements of one group."""
        return self[group << 16 : (group + 1) << 16]

    def private_block(self, group: int, private_creator: str, create: bool = False) -> PrivateBlock:
        """The block of `private_creator` in `group` (PS3.5 7.8.1). `create` reserves a missing one, else KeyError."""
        return PrivateBlock.of(self, group, private_creator, create)

    def private_creators(self, group: int) -> list[str]:
        """The private creators of a private group, in the order of their blocks."""
        if not group & 1:
            raise ValueError(f"group {group:04X} is not private")
        return [element.value for element in self[(group << 16 | 0x10) : (group << 16 | 0x100)]]

    def get_private_item(self, group: int, element_offset: int, private_creator: str) -> DataElement:
        """The element at `element_offset` (0 to FFH) of a private block."""
        return self.private_block(group, private_creator)[element_offset]

    def remove_private_tags(self) -> None:
        """Remove all private elements, those of items too."""
        self.walk(lambda data_set, element: data_set.pop(element.tag) if element.is_private else None)

    def data_element(self, name: str) -> DataElement | None:
        """The element with keyword `name`; None if the data set has none."""
        return self[name] if name in self else None  # noqa: SIM401  get() gives values for keywords

    def walk(self, callback: Callable[[Dataset, DataElement], Any], recursive: bool = True) -> None:
        """Call ``callback(data_set, element)`` for every element, for a sequence before the elements of its items."""
        for data_set, element in unfolded(self, _visited(self, recursive)):
            callback(data_set, element)

    def _slice(self, wanted: slice) -> Dataset:
        start = 0 if wanted.start is None else int(Tag(wanted.start))
        stop = 1 << 32 if wanted.stop in (None, 1 << 32) else int(Tag(wanted.stop))
        chosen = frozenset([tag for tag in map(int, self.keys()) if start <= tag < stop][:: wanted.step])
        part = part_of(self, chosen)
        if file_index(self) is not None:
            part.file_meta = part._meta_class()
        return part

    # -- copies, comparison, text

    def copy(self) -> Self:
        """A shallow copy: it shares values; setting or deleting its elements does not change the original."""
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
        """The text of the data set without its items."""
        return "\n".join(data_set_lines(self, items=False))

    def __dir__(self) -> list[str]:
        present = {element.keyword for element in self}
        return sorted({*object.__dir__(self), *present} - {""})

    def dir(self, *filters: str) -> list[str]:
        """Keywords of all elements, or of those whose keyword contains one of `filters`, in upper or lower case."""
        names = sorted({element.keyword for element in self} - {""})
        return [n for n in names if any(f.lower() in n.lower() for f in filters)] if filters else names

    def _ipython_key_completions_(self) -> list[str]:
        return self.dir()

    def trait_names(self) -> list[str]:
        """Every keyword of the dictionary, for completion after ``ds.``."""
        return keywords()


Dataset._meta_class = Dataset


class Sequence(list):  # type: ignore[type-arg]
    """The items of an SQ element: a list of Dataset (PS3.5 7.5)."""

    def __init__(self, items: Iterable[Dataset] = ()) -> None:
        super().__init__(items)
        _items(self)

    def append(self, item: Dataset) -> None:
        """Add an item at the end."""
        super().append(*_items([item]))

    def insert(self, index: SupportsIndex, item: Dataset) -> None:
        """Insert an item before the item at `index`."""
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
    """The items as a list; TypeError if any is not a data set."""
    checked = items if isinstance(items, list) else list(items)
    for item in checked:
        if not isinstance(item, DatasetBase):
            raise TypeError(f"items of a sequence are data sets, not {type(item).__name__}")
    return checked


def _visited(data_set: Dataset, recursive: bool) -> Iterator[Any]:
    """(data set, element) of all elements that still exist when their turn comes: callbacks may remove some."""
    for tag in data_set.keys():  # noqa: SIM118  iterating gives elements
        if tag not in data_set:
            continue
        yield data_set, data_set[tag]
        if recursive and tag in data_set and data_set[tag].VR == "SQ":
            for item in list(data_set[tag].value):
                yield Below(item, _visited(item, recursive))

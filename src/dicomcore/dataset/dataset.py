"""Dataset, DataElement, Sequence: pydicom's views of a data set, over the native index."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from copy import deepcopy
from functools import lru_cache
from typing import IO, TYPE_CHECKING, Any, Self, SupportsIndex
from weakref import ref

from dicomcore._native.base.dictionary import keywords
from dicomcore._native.views.data_element import DataElement, set_classes
from dicomcore._native.views.dataset import DatasetBase, make_dataset
from dicomcore.dataset.nesting import enter
from dicomcore.dataset.printing import data_set_lines
from dicomcore.dataset.private_block import PrivateBlock
from dicomcore.dictionary.private import private_dictionary_VR
from dicomcore.issues import Issue, noted_issue, scanned_issue
from dicomcore.tags import Tag, TagLike
from dicomcore.uids import UID, ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dicomcore.limits import Limits
    from dicomcore.objects.waveforms import Waveforms
    from dicomcore.part10.target import Target
    from dicomcore.pixels.frames import Frames

__all__ = ["DataElement", "Dataset", "Sequence"]

DATA_SET, FILE_META = -1, -2  # DatasetBase places that are no item
FOUND_SYNTAXES = (ExplicitVRLittleEndian, ImplicitVRLittleEndian, ExplicitVRBigEndian, ExplicitVRBigEndian)
_uid = lru_cache(maxsize=64)(UID)


class Dataset(DatasetBase):
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
        stored: Dataset | None = self.__dict__.get("_file_meta")
        if stored is None and self._index is not None and self._row == DATA_SET:
            stored = self.__dict__.setdefault("_file_meta", make_dataset(Dataset, self._index, FILE_META))
        return stored

    @file_meta.setter
    def file_meta(self, value: Dataset | None) -> None:
        self.__dict__["_file_meta"] = value

    @property
    def preamble(self) -> bytes | None:
        """The 128 bytes before the DICM prefix; None where there were none."""
        if "_preamble" in self.__dict__:
            stored: bytes | None = self.__dict__["_preamble"]
            return stored
        return self._index.preamble if self._index is not None else None

    @preamble.setter
    def preamble(self, value: bytes | None) -> None:
        self.__dict__["_preamble"] = value

    @property
    def transfer_syntax(self) -> UID | None:
        """The transfer syntax UID as the file meta information has it, or as found where it doesn't."""
        meta = self.__dict__.get("_file_meta")
        stated = None if meta is None else meta.get("TransferSyntaxUID")
        if isinstance(stated, list):
            stated = stated[0] if stated else None
        if isinstance(stated, str):  # a damaged header can give it any VR
            return UID(stated)
        index = self._index
        if index is None:
            return None
        return _uid(index.transfer_syntax or FOUND_SYNTAXES[index.mode & 3])

    @property
    def is_implicit_VR(self) -> bool | None:
        """Whether the data set was read in implicit VR, whatever its transfer syntax says; None when not read."""
        return None if self._index is None else bool(self._index.mode & 1)

    @property
    def is_little_endian(self) -> bool | None:
        """Whether the data set was read in little endian; None when not read."""
        return None if self._index is None else not self._index.mode & 2

    @property
    def filename(self) -> Any:
        """The path it was read from, as given; None for memory."""
        return None if self._index is None else self._index.path

    @property
    def issues(self) -> tuple[Issue, ...]:
        """What deviates from the standard, in the order of offsets; reading values can add to it.

        Structure is known once this is asked for; what is wrong inside a value, once that value was decoded.
        """
        if self._index is None:
            return tuple(self.__dict__.get("_noted", ()))
        self.keys()
        scanned, noted = self._index.deviations()
        found = {scanned_issue(*one) for one in scanned} | {noted_issue(*one) for one in noted}
        frames = self.__dict__.get("_frames")
        if frames is not None:
            found |= set(frames.issues)
        return tuple(sorted(found, key=lambda issue: (issue.offset, issue.code, issue.message)))

    # -- writing

    def save_as(self, target: Target, **options: Any) -> None:
        """Write it to a path, a binary stream or a bytearray, with the options of `dcmwrite`."""
        from dicomcore.part10.writer import dcmwrite  # part10 stands on data sets

        dcmwrite(target, self, **options)

    def to_bytes(self, **options: Any) -> bytes:
        """The bytes of the file that `save_as` would write, with the same options."""
        from dicomcore.part10.writer import to_bytes

        return to_bytes(self, **options)

    # -- pixels

    @property
    def frames(self) -> Frames:
        """The frames of the pixel data, a lazy sequence; PixelDecodeError where there is none."""
        stored: Frames | None = self.__dict__.get("_frames")
        if stored is None or not stored.is_of(self):
            # imported here: pixels stands on data sets, and most callers never ask for any
            from dicomcore.pixels.frames import Frames

            stored = self.__dict__["_frames"] = Frames(self)
        return stored

    @property
    def pixel_array(self) -> NDArray[Any]:
        """All frames, decoded in parallel: pydicom's shape, dtype and colour.

        The array is kept with the data set, so that a change made in it is there the next time, until pixel data or
        what describes it is set anew. ``frames.array()`` gives a new one, which nobody keeps.
        """
        return self.frames.kept_array()

    def set_pixels(
        self,
        array: Any,
        *,
        photometric_interpretation: str | None = None,
        bits_stored: int | None = None,
        new_instance: bool = True,
    ) -> None:
        """Set uncompressed pixel data from an array, and the Image Pixel attributes that describe it (PS3.3 C.7.6.3).

        `array` is (rows, columns) or (frames, rows, columns); with ``photometric_interpretation`` "RGB", "YBR_FULL",
        "HSV" (3), "ARGB" or "CMYK" (4) there is an axis of samples behind. Without it four axes are RGB, and three are
        if the numbers are unsigned and the last axis has 3. Other arrays of three axes that end in 3 or 4 columns are
        refused: "MONOCHROME2" says that they are frames. A data set in MONOCHROME1 stays so, as its stored values are
        what `pixel_array` gives; one in PALETTE COLOR wants to be told what one sample a pixel means. Whole numbers of
        8 to 64 bits, bool for single bits; float32 and float64 for the SOP classes that have them (Parametric Map,
        Height Map Segmentation) or none.

        `bits_stored` is all bits by default. Where the sign changes, values that depend on it (Pixel Padding Value,
        descriptors of look-up tables, …) change their VR along; what the new pixels can't be goes. A transfer syntax
        that is compressed or private becomes Explicit VR Little Endian; `new_instance` gives a new SOP Instance UID.
        Raises EncodeError for what doesn't fit; nothing has changed then.
        """
        from dicomcore.pixels.setting import set_pixels  # pixels stands on data sets

        set_pixels(
            self,
            array,
            photometric_interpretation=photometric_interpretation,
            bits_stored=bits_stored,
            new_instance=new_instance,
        )

    @property
    def waveforms(self) -> Waveforms:
        """The multiplex groups of the Waveform Sequence, a sequence of arrays; ParseError where there is none."""
        from dicomcore.objects.waveforms import Waveforms  # few data sets have any

        return Waveforms(self)

    # -- pydicom

    def to_pydicom(self, *, defer_size: int | None = None) -> Any:
        """The same as a data set of pydicom's, see `dicomcore.interop.pydicom.to_pydicom`; needs pydicom."""
        from dicomcore.interop.pydicom import to_pydicom  # pydicom takes its time to import

        return to_pydicom(self, defer_size=defer_size)

    # -- interchange forms

    def to_json(
        self,
        bulk_data_threshold: int = 1024,
        bulk_data_element_handler: Callable[[DataElement], str] | None = None,
        dump_handler: Callable[[dict[str, Any]], str] | None = None,
        suppress_invalid_tags: bool = False,
        *,
        indent: int | None = None,
        file_meta: bool = False,
    ) -> str:
        """The data set as a DICOM JSON Model object (PS3.18 Annex F).

        What doesn't fit its VR is told so that `from_json` gives it back: a DS or IS that is no number as text, bytes
        that no character set decodes as InlineBinary, text where items are due as UN.

        Parameters
        ----------
        bulk_data_threshold, bulk_data_element_handler
            Binary values go inline in base64, little endian. Those whose base64 takes more than `bulk_data_threshold`
            characters become the URI that the handler gives for their element, if there is one.
        dump_handler
            Called with the model as dicts and lists; what it gives is given back.
        suppress_invalid_tags
            Leave out elements that can't be written, with a warning for each, instead of raising EncodeError.
        indent
            Lay the text out in lines, with so many spaces a level.
        file_meta
            Put group 0002 in front, which PS3.18 doesn't ask for.
        """
        from dicomcore.forms.json_text import to_json, writable  # a room that not everyone enters

        text = to_json(
            writable(self) if suppress_invalid_tags else self,
            bulk_data_threshold=bulk_data_threshold,
            bulk_data_element_handler=bulk_data_element_handler,
            indent=indent,
            file_meta=file_meta,
        )
        if dump_handler is None:
            return text
        from dicomcore.forms.json_text import as_dict

        return dump_handler(as_dict(text))

    def to_json_dict(
        self,
        *,
        bulk_data_threshold: int = 1024,
        bulk_data_element_handler: Callable[[DataElement], str] | None = None,
        file_meta: bool = False,
    ) -> dict[str, Any]:
        """What `to_json` writes, as dicts, lists, strings and numbers."""
        from dicomcore.forms.json_text import to_json_dict

        return to_json_dict(
            self,
            bulk_data_threshold=bulk_data_threshold,
            bulk_data_element_handler=bulk_data_element_handler,
            file_meta=file_meta,
        )

    @classmethod
    def from_json(
        cls,
        json_dataset: dict[str, Any] | str | bytes | bytearray,
        bulk_data_uri_handler: Callable[..., Any] | None = None,
        *,
        limits: Limits | None = None,
    ) -> Self:
        """A data set from a DICOM JSON Model object (PS3.18 Annex F), as text or as `to_json_dict` has it.

        `bulk_data_uri_handler` is called with a URI, or with tag, VR and URI, and gives bytes or values; without one
        the value is left empty and `issues` says so. Group 0002 becomes `file_meta`. UN of an attribute that a
        dictionary knows gets its VR, as in a file. What deviates and can be read is in `issues`: numbers that are none,
        members that no attribute object has. Raises ParseError for the rest, whose message begins with the place of the
        fault (``00081140[0].00081150``), and LimitError beyond `limits`.
        """
        from dicomcore.forms.json_reader import from_json

        made: Self = from_json(json_dataset, bulk_data_uri_handler=bulk_data_uri_handler, limits=limits, cls=cls)
        return made

    def to_xml(
        self,
        *,
        bulk_data_threshold: int = 1024,
        bulk_data_element_handler: Callable[[DataElement], str] | None = None,
        file_meta: bool = False,
    ) -> str:
        """The data set as a document of the Native DICOM Model (PS3.19 A.1), with the options of `to_json`.

        Text that XML can't hold (control characters) goes as inline binary, in UTF-8. A group 0002 that is asked for
        stands first. Raises EncodeError for values that can't be written.
        """
        from dicomcore.forms.xml_writer import xml_pieces

        return "".join(xml_pieces(self, bulk_data_threshold, bulk_data_element_handler, file_meta))

    @classmethod
    def from_xml(
        cls,
        source: str | bytes | bytearray | IO[bytes],
        *,
        bulk_data_uri_handler: Callable[..., Any] | None = None,
        limits: Limits | None = None,
    ) -> Self:
        """A data set from a document of the Native DICOM Model (PS3.19 A.1): text, bytes, or a binary stream, read in
        blocks. Options and errors are those of `from_json`; a document type declaration is refused.
        """
        from dicomcore.forms.xml_reader import from_xml

        made: Self = from_xml(source, bulk_data_uri_handler=bulk_data_uri_handler, limits=limits, cls=cls)
        return made

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
        from dicomcore.dataset.validation import faults

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
        none: Iterator[Dataset] = iter(())
        above = {id(self)}
        stack = [(self, iter(self.keys()), none)]  # open data sets, with the items of the sequence they are at
        while stack:
            data_set, tags, items = stack[-1]
            item = next(items, None)
            if item is not None:
                enter(above, item)
                stack.append((item, iter(item.keys()), none))
                continue
            tag = next(tags, None)
            if tag is None:
                stack.pop()
                above.discard(id(data_set))
            elif tag in data_set:
                callback(data_set, data_set[tag])
                if recursive and tag in data_set and data_set[tag].VR == "SQ":
                    stack[-1] = (data_set, tags, iter(list(data_set[tag].value)))

    def _slice(self, wanted: slice) -> Dataset:
        start = 0 if wanted.start is None else int(Tag(wanted.start))
        stop = 1 << 32 if wanted.stop is None else wanted.stop
        stop = stop if isinstance(stop, int) else int(Tag(stop))
        part = Dataset()
        chosen = frozenset([tag for tag in map(int, self.keys()) if start <= tag < stop][:: wanted.step])
        index, row, _, elements = self._state()
        part._restore(index, row, chosen, None)
        part._take(elements, chosen, None)
        part.__dict__["_file_meta"] = Dataset() if row == DATA_SET else None
        return part

    # -- copies, comparison, text

    def copy(self) -> Self:
        """A shallow copy: it shares values, and its own changes stay its own."""
        return self._copied(None)

    __copy__ = copy

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self._copied(memo)

    def _copied(self, memo: dict[int, Any] | None) -> Self:
        made = type(self).__new__(type(self))  # a subclass may want other arguments
        index, row, wanted, elements = self._state()
        made._restore(index, row, wanted, None)
        made._take(elements, None, memo)
        made.validation = self.validation
        lasting = self._lasting()
        extra = {name: value.copy() if isinstance(value, Dataset) else value for name, value in lasting.items()}
        made.__dict__.update(extra if memo is None else deepcopy(lasting, memo))
        return made

    def __reduce__(self) -> tuple[Any, ...]:
        index, row, wanted, elements = self._state()
        changed = None if elements is None else {t: e for t, e in elements.items() if e is None or e._changed}
        return _unpickled, (type(self), index, row, wanted, changed, self._lasting())

    def _lasting(self) -> dict[str, Any]:
        # What a copy takes along: its frames are its own.
        # The dict is copied first: another thread may be asking for the frames.
        return {name: value for name, value in self.__dict__.copy().items() if name != "_frames"}

    def _recall(self) -> Callable[[], Dataset]:
        # What gives this data set as long as somebody holds it, then another over the same rows and changes.
        cls, place, overlay, extra, myself = type(self), self._state()[:3], self._overlay, self._lasting(), ref(self)

        def recall() -> Dataset:
            found = myself()
            if found is None:
                found = cls.__new__(cls)
                found._restore(*place, overlay)
                found.__dict__.update(extra)
            return found

        return recall

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


def _unpickled(
    cls: type[Dataset],
    index: Any,
    row: int,
    wanted: Any,
    elements: dict[int, DataElement | None] | None,
    extra: dict[str, Any],
) -> Dataset:
    made = cls.__new__(cls)
    made._restore(index, row, wanted, None)
    made._take(elements, None, None)
    made.__dict__.update(extra)
    return made


set_classes(Dataset, Sequence)

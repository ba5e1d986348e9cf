"""`Dataset` and `FileMetaDataset`, with pydicom's further methods."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from dicomcore import dataset as _dataset
from dicomcore.dataset.meta import meta_of, preamble_of, set_meta_class
from dicomcore.dataset.private_block import PrivateBlock
from dicomcore.dataset.state import file_index, is_changed, item_header
from dicomcore.dictionary import dictionary_VR, private_dictionary_VR, tag_for_keyword
from dicomcore.interop.pydicom import wanted
from dicomcore.interop.pydicom.names.dataelem import VRS, DataElement, RawDataElement, convert_raw_data_element
from dicomcore.interop.pydicom.names.pixel_methods import PixelMethods
from dicomcore.interop.pydicom.names.stated_encoding import StatedEncoding
from dicomcore.interop.pydicom.names.tag import Tag
from dicomcore.part10.meta import IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION_NAME

if TYPE_CHECKING:
    from types import TracebackType

    from numpy.typing import NDArray

__all__ = ["Dataset", "FileMetaDataset", "absent", "validate_file_meta"]


class _AnyDataset(type):
    def __instancecheck__(cls, value: object) -> bool:
        return isinstance(value, _dataset.Dataset) if cls is Dataset else type.__instancecheck__(cls, value)


class Dataset(StatedEncoding, PixelMethods, metaclass=_AnyDataset):
    """A data set with pydicom's further methods."""

    indent_chars = "   "
    default_element_format = "%(tag)s %(name)-35.35s %(VR)s: %(repval)s"
    default_sequence_element_format = "%(tag)s %(name)-35.35s %(VR)s: %(repval)s"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        elements = args[0] if args else ()
        super().__init__(())
        for element in elements.values() if isinstance(elements, dict) else elements:
            self.add(element)
        if "parent_encoding" in kwargs:
            self._parent_encoding = kwargs["parent_encoding"]

    def __enter__(self) -> Dataset:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None

    def __array__(self, dtype: Any = None, copy: Any = None) -> NDArray[Any]:
        import numpy as np

        array = np.empty((), object)
        array[()] = self
        return array

    # -- elements

    def __setitem__(self, key: Any, element: Any) -> None:
        if isinstance(element, RawDataElement):
            element = convert_raw_data_element(element, ds=self)
        if isinstance(key, slice):
            raise NotImplementedError("Slicing is not supported when setting Dataset items")
        if isinstance(key, str) or not isinstance(key, int):
            try:
                key = Tag(key)
            except Exception as error:
                raise ValueError(f"Unable to convert the key '{key}' to an element tag") from error
        if not isinstance(element, _dataset.DataElement):
            raise TypeError("Dataset items must be 'DataElement' instances")
        super().__setitem__(key, element)

    def add_new(self, tag: Any, VR: str, value: Any) -> None:
        """Add a new element."""
        self[Tag(tag)] = DataElement(tag, VR, value)

    def get_item(self, key: Any, *, keep_deferred: bool = False) -> Any:
        """``self[key]``, None if it is missing: every element decodes its value when it is read."""
        return self[key] if isinstance(key, slice) or key in self else None

    def data_element(self, name: str) -> Any:
        """The element of a keyword; None for what is no keyword. KeyError if it is missing."""
        tag = tag_for_keyword(name)
        return None if tag is None else self[tag]

    def setdefault(self, key: Any, default: Any = None) -> Any:
        """The element at `key`; if missing, it is added from `default`, an element or a value."""
        if key in self:
            return self[key]
        if isinstance(default, _dataset.DataElement):
            self[key] = default
        else:
            tag = Tag(key)
            self.add_new(tag, _vr_for(self, tag), default)
        return self[key]

    def update_raw_element(self, tag: Any, *, vr: str | None = None, value: bytes | None = None) -> None:
        """Decode an element that was read anew: by another VR, from other bytes, or both.

        Raises ValueError without `vr` and `value`, TypeError for a value that is not bytes or an element that was set,
        KeyError for a missing element.
        """
        if vr is None and value is None:
            raise ValueError("Either or both of 'vr' and 'value' are required")
        if vr is not None and vr not in VRS and " or " not in vr:
            raise ValueError(f"Invalid VR value '{vr}'")
        if value is not None and not isinstance(value, bytes):
            raise TypeError(f"'value' must be bytes, not '{type(value).__name__}'")
        number = Tag(tag)
        if number not in self:
            raise KeyError(f"No element with tag {number} was found")
        element = self[number]
        if is_changed(element):
            raise TypeError(
                f"The element with tag {number} has already been converted to a 'DataElement' instance, this method"
                " must be called earlier"
            )
        stored = bytes(element.raw or b"") if value is None else value
        little = self.original_encoding[1] is not False
        self[number] = RawDataElement(number, vr or element.VR, len(stored), stored, 0, False, little)

    def __contains__(self, name: Any) -> bool:
        found = super().__contains__(name)
        if not found and isinstance(name, str) and tag_for_keyword(name) is None:
            _check_key(name)
        return found

    def trait_names(self) -> list[str]:
        """Attributes and keywords, for completion after ``ds.``."""
        return sorted({*dir(type(self)), *super().trait_names()})

    # -- items

    @property
    def seq_item_tell(self) -> int:
        """The offset of an item's tag in its source; AttributeError for a data set that is no item of a source."""
        header = item_header(self)
        if "seq_item_tell" in self._kept:
            return self._kept["seq_item_tell"]  # type: ignore[no-any-return]
        if header is None:
            raise AttributeError(f"{type(self).__name__!r} object has no attribute 'seq_item_tell'")
        return header[0]

    @seq_item_tell.setter
    def seq_item_tell(self, value: int) -> None:
        self._kept["seq_item_tell"] = value

    @property
    def is_undefined_length_sequence_item(self) -> bool:
        """Whether an item had undefined length in its source, and keeps it when written; setting has no effect."""
        header = item_header(self)
        return header is not None and header[1]

    @is_undefined_length_sequence_item.setter
    def is_undefined_length_sequence_item(self, value: bool) -> None:
        return

    def _slice(self, wanted: slice) -> _dataset.Dataset:
        part = super()._slice(wanted)
        if hasattr(part, "file_meta"):
            del part.file_meta
        del part.preamble
        return part

    # -- file meta information

    @property
    def file_meta(self) -> Any:
        """File Meta Information; AttributeError if the data set has none."""
        meta = meta_of(self)
        if meta is None and self._kept.get("no_file_meta", "file_meta" not in self._kept):
            raise AttributeError(f"{type(self).__name__!r} object has no attribute 'file_meta'")
        return meta

    @file_meta.setter
    def file_meta(self, value: Any) -> None:
        if value is not None and not isinstance(value, _dataset.Dataset):
            raise TypeError(f"'{type(self).__name__}.file_meta' must be a 'FileMetaDataset' instance")
        if value is not None and not isinstance(value, FileMetaDataset):
            value = FileMetaDataset(value)
        self._kept["file_meta"], self._kept["no_file_meta"] = value, False

    @file_meta.deleter
    def file_meta(self) -> None:
        if not hasattr(self, "file_meta"):
            raise AttributeError("file_meta")
        self._kept["file_meta"], self._kept["no_file_meta"] = None, True

    @property
    def preamble(self) -> Any:
        """The 128 bytes before the DICM prefix; AttributeError for a data set that is not of a file."""
        found = preamble_of(self)
        absent = "preamble" not in self._kept and file_index(self) is None
        if found is None and (absent or self._kept.get("no_file_meta")):
            raise AttributeError(f"{type(self).__name__!r} object has no attribute 'preamble'")
        return found

    @preamble.setter
    def preamble(self, value: bytes | None) -> None:
        self._kept["preamble"] = value

    @preamble.deleter
    def preamble(self) -> None:
        self._kept["preamble"] = None

    @property
    def filename(self) -> Any:
        """The path that the data set was read from, or what was set."""
        return self._kept.get("filename", _dataset.Dataset.filename.fget(self))  # type: ignore[attr-defined]

    @filename.setter
    def filename(self, value: Any) -> None:
        self._kept["filename"] = value

    @property
    def _dict(self) -> _Elements:
        return _Elements(self)

    @property
    def _private_blocks(self) -> dict[tuple[int, str], PrivateBlock]:
        found = {}
        for tag in self.keys():
            if tag.is_private_creator:
                creator = self[tag].value
                if creator:
                    found[(tag.group, str(creator))] = PrivateBlock(self, tag.group, str(creator), tag.element)
        return found

    # -- writing

    def save_as(  # type: ignore[override]
        self,
        filename: Any,
        /,
        __write_like_original: bool | None = None,
        *,
        implicit_vr: bool | None = None,
        little_endian: bool | None = None,
        enforce_file_format: bool = False,
        overwrite: bool = True,
        **kwargs: Any,
    ) -> None:
        """Write the data set, see `dcmwrite`."""
        from dicomcore.interop.pydicom.names.filewriter import dcmwrite

        dcmwrite(
            filename,
            self,
            __write_like_original,
            implicit_vr=implicit_vr,
            little_endian=little_endian,
            enforce_file_format=enforce_file_format,
            overwrite=overwrite,
            **kwargs,
        )

    def formatted_lines(
        self,
        element_format: str = "%(tag)s %(name)-35.35s %(VR)s: %(repval)s",
        sequence_element_format: str = "",
        indent_format: Any = None,
    ) -> Iterator[str]:
        """A line for each element, formatted with its attributes."""
        for element in self.iterall():
            chosen = element_format
            if element.VR == "SQ":
                chosen = sequence_element_format or self.default_sequence_element_format
            names = ("tag", "name", "VR", "repval", "value", "keyword", "VM", "is_undefined_length")
            yield chosen % {name: getattr(element, name) for name in names}


class _Elements(Mapping[Any, Any]):
    """The elements of a data set by tag, for code that reads pydicom's `_dict`."""

    def __init__(self, data_set: Dataset) -> None:
        self._data_set = data_set

    def __getitem__(self, tag: Any) -> Any:
        return self._data_set[tag]

    def __contains__(self, tag: object) -> bool:
        return tag in self._data_set

    def __iter__(self) -> Iterator[Any]:
        return iter(self._data_set.keys())

    def __len__(self) -> int:
        return len(self._data_set)


class FileMetaDataset(Dataset):
    """A data set of group 0002 alone."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if args and args[0] is not None:
            self.validate(args[0])
        super().__init__(*[arg for arg in args if arg is not None], **kwargs)

    @staticmethod
    def validate(init_value: Any) -> None:  # type: ignore[override]
        """Raise TypeError or ValueError for what holds other elements than those of group 0002."""
        if init_value is None:
            return
        if not isinstance(init_value, (_dataset.Dataset, dict)):
            raise TypeError(f"Argument must be a dict or Dataset, not {type(init_value)}")
        others = [str(Tag(tag)) for tag in init_value.keys() if Tag(tag).group != 2]  # noqa: SIM118
        if others:
            raise ValueError(
                "File meta datasets may only contain group 2 elements but the following elements are present: "
                + ", ".join(others)
            )

    def __setitem__(self, key: Any, value: Any) -> None:
        if Tag(value.tag).group != 2:
            raise ValueError("Only group 2 data elements are allowed in a FileMetaDataset")
        super().__setitem__(key, value)

    def _set(self, tag: int, value: Any) -> None:
        if tag >> 16 != 2:
            raise ValueError("Only group 2 data elements are allowed in a FileMetaDataset")
        super()._set(tag, value)

    @property
    def _tsyntax_encoding(self) -> tuple[bool | None, bool | None]:
        syntax = self.get("TransferSyntaxUID")
        if not syntax or syntax.is_private or not syntax.is_transfer_syntax:
            return (None, None)
        return (syntax.is_implicit_VR, syntax.is_little_endian)


set_meta_class(Dataset, FileMetaDataset)


def _check_key(name: str) -> None:
    """Warn of a key that can't be a tag."""
    try:
        Tag(name)
    except Exception:
        warnings.warn(
            f"Invalid value '{name}' used with the 'in' operator: must be an element tag as a 2-tuple or int, or an"
            " element keyword",
            stacklevel=3,
        )


def _vr_for(data_set: Dataset, tag: Any) -> str:
    """The VR of a new element; UN, with a warning, for a tag that no dictionary has."""
    if tag.is_private_creator:
        return "LO"
    try:
        if tag.is_private:
            creator = data_set.get(tag.private_creator)
            return private_dictionary_VR(tag, creator.value)
        return dictionary_VR(tag)
    except (KeyError, AttributeError):
        if not tag.is_private:
            warnings.warn(f"{tag} is not in the DICOM dictionary: VR UN is used", stacklevel=3)
        return "UN"


def validate_file_meta(file_meta: Any, enforce_standard: bool = True) -> None:
    """Complete File Meta Information (PS3.10 7.1), and check that it has what a file must have.

    Raises ValueError for elements of other groups, AttributeError for missing ones.
    """
    for element in file_meta.elements():
        if element.tag.group != 2:
            raise ValueError("Only File Meta Information group (0002,eeee) elements may be present in 'file_meta'.")
    if not enforce_standard:
        return
    for keyword, value in (
        ("FileMetaInformationVersion", b"\0\1"),
        ("ImplementationClassUID", IMPLEMENTATION_CLASS_UID),
        ("ImplementationVersionName", IMPLEMENTATION_VERSION_NAME),
    ):
        if keyword not in file_meta or file_meta[keyword].is_empty:
            setattr(file_meta, keyword, value)
    missing = [
        f"{Tag(tag)} {DataElement(tag, 'UI', '').name}"
        for tag in (0x00020002, 0x00020003, 0x00020010)
        if tag not in file_meta or file_meta[tag].is_empty
    ]
    if missing:
        raise AttributeError(
            "Required File Meta Information elements are either missing or have an empty value: " + ", ".join(missing)
        )


def absent(data_set: object, name: str) -> str | None:
    """Note an attribute of pydicom's that these data sets do not have; its message."""
    if name not in NOT_HERE:
        return None
    full = f"pydicom.Dataset.{name}"
    wanted.note(full)
    return wanted.sentence(full)


NOT_HERE = frozenset(
    (
        "_pixel_id",
        "_pixel_array_opts",
        "_read_charset",
        "_read_implicit",
        "_read_little",
        "_set_file_meta",
    )
)
"""Attributes of pydicom's class that this one does not have: they are listed when the program ends."""

"""The encoding of a data set as pydicom's attributes state it."""

from __future__ import annotations

import warnings
from typing import Any

from dicomcore import dataset as _dataset
from dicomcore.dataset.state import as_read, index_of

default_encoding = "iso8859"


class StatedEncoding(_dataset.Dataset):
    """What a data set was read in, and what it is to be written in."""

    @property
    def is_implicit_VR(self) -> bool | None:
        """Whether the data set was read in implicit VR, or what was set."""
        return self._kept.get("implicit", self.original_encoding[0])

    @is_implicit_VR.setter
    def is_implicit_VR(self, value: bool | None) -> None:
        _deprecate(self, "is_implicit_VR", "implicit_vr")
        self._kept["implicit"] = value

    @property
    def is_little_endian(self) -> bool | None:
        """Whether the data set was read in little endian, or what was set."""
        return self._kept.get("little", self.original_encoding[1])

    @is_little_endian.setter
    def is_little_endian(self, value: bool | None) -> None:
        _deprecate(self, "is_little_endian", "little_endian")
        self._kept["little"] = value

    @property
    def original_encoding(self) -> tuple[bool | None, bool | None]:
        """(implicit VR, little endian) as it was read; (None, None) for a data set made in memory."""
        stated: tuple[bool | None, bool | None] | None = self._kept.get("original_encoding")
        if stated is not None:
            return stated
        index = index_of(self)
        return (None, None) if index is None else (bool(index.mode & 1), not index.mode & 2)

    def set_original_encoding(
        self, is_implicit_vr: bool | None, is_little_endian: bool | None, character_encoding: Any = None
    ) -> None:
        """Set `original_encoding` and `original_character_set`."""
        self._kept["original_encoding"] = (is_implicit_vr, is_little_endian)
        if character_encoding is not None:
            self._kept["original_charset"] = character_encoding

    @property
    def read_implicit_vr(self) -> bool | None:
        """Whether it was read in implicit VR."""
        return self.original_encoding[0]

    @property
    def read_little_endian(self) -> bool | None:
        """Whether it was read in little endian."""
        return self.original_encoding[1]

    @property
    def original_character_set(self) -> Any:
        """Python's codecs of the character sets that the data set was read in."""
        if "original_charset" in self._kept:
            return self._kept["original_charset"]
        return "" if index_of(self) is None else _codecs_of(as_read(self))

    read_encoding = original_character_set

    @property
    def is_original_encoding(self) -> bool:
        """Whether encoding and character set are still those that it was read in."""
        now = (self.is_implicit_VR, self.is_little_endian)
        return None not in now and now == self.original_encoding and self.original_character_set == self._character_set

    @property
    def _character_set(self) -> Any:
        return _codecs_of(self)


def _deprecate(data_set: object, name: str, option: str) -> None:
    owner = type(data_set).__name__
    warnings.warn(
        f"'{owner}.{name}' will be removed in v4.0, set the Transfer Syntax UID or use the '{option}' argument with"
        f" {owner}.save_as() or dcmwrite() instead",
        DeprecationWarning,
        stacklevel=3,
    )


def _codecs_of(data_set: Any) -> Any:
    from pydicom.charset import convert_encodings

    value = data_set.get("SpecificCharacterSet")
    return convert_encodings(value) if value else getattr(data_set, "_parent_encoding", default_encoding)

"""The identification of a file-set in its DICOMDIR (PS3.3 F.3.2.1)."""

from __future__ import annotations

import re

from dicomcore.dataset import Dataset
from dicomcore.fileset.fileid import to_file_id

__all__ = ["Identification"]

FILE_SET_ID = re.compile(r"[A-Z0-9_ ]{0,16}", re.ASCII)


class Identification:
    """The File-set ID, the descriptor file and its character set."""

    _elements: Dataset

    @property
    def ID(self) -> str:
        """File-set ID: up to 16 characters of A to Z, 0 to 9, space and _ (PS3.10 8.1); empty if missing."""
        return str(self._elements.get("FileSetID") or "")

    @ID.setter
    def ID(self, value: str | None) -> None:
        text = value or ""
        if not FILE_SET_ID.fullmatch(text):
            raise ValueError(f"{text!r} is no File-set ID: up to 16 of the characters A to Z, 0 to 9, space and _")
        self._elements.FileSetID = text

    @property
    def descriptor_file_id(self) -> tuple[str, ...]:
        """File-set Descriptor File ID, which names a readme file; empty if missing."""
        value = self._elements.get("FileSetDescriptorFileID") or []
        return tuple(value if isinstance(value, list) else [value])

    @descriptor_file_id.setter
    def descriptor_file_id(self, value: str | tuple[str, ...] | None) -> None:
        if value:
            self._elements.FileSetDescriptorFileID = list(to_file_id(value))
        else:
            self._elements.pop("FileSetDescriptorFileID", None)

    @property
    def descriptor_character_set(self) -> str | None:
        """Specific Character Set of File-set Descriptor File; None if missing."""
        return self._elements.get("SpecificCharacterSetOfFileSetDescriptorFile") or None

    @descriptor_character_set.setter
    def descriptor_character_set(self, value: str | None) -> None:
        if value:
            self._elements.SpecificCharacterSetOfFileSetDescriptorFile = value
        else:
            self._elements.pop("SpecificCharacterSetOfFileSetDescriptorFile", None)

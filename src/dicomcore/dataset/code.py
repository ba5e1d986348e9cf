"""Code: a coded entry, the standard's way to say what something is (PS3.3 8)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from dicomcore.dataset.lookup import first_item, text_of

if TYPE_CHECKING:
    from dicomcore.dataset import Dataset

__all__ = ["Code", "code_of"]

LONGEST_VALUE = 16  # of Code Value, which is SH
FORMS = ("CodeValue", "LongCodeValue", "URNCodeValue")


@dataclass(frozen=True, slots=True)
class Code:
    """A coded entry: ``Code("121071", "DCM", "Finding")``. Two are equal by value and scheme, whatever their meaning.

    `form` says which attribute holds the value, as it was read; without one the value's length and look decide
    (PS3.3 8.1): a URN, a long code value of more than 16 characters, else a code value.
    """

    value: str
    scheme: str = ""
    """Coding Scheme Designator; may be empty for a URN."""
    meaning: str = field(default="", compare=False)
    version: str | None = field(default=None, compare=False)
    """Coding Scheme Version."""
    scheme_uid: str | None = field(default=None, compare=False)
    """Coding Scheme UID."""
    form: str | None = field(default=None, compare=False)
    """CodeValue, LongCodeValue or URNCodeValue; None to have it chosen."""

    @classmethod
    def of(cls, item: Dataset) -> Code:
        """Read an item of a code sequence; what is missing is empty."""
        form = next((name for name in FORMS if name in item), None)
        return cls(
            text_of(item, form) or "" if form else "",
            text_of(item, "CodingSchemeDesignator") or "",
            text_of(item, "CodeMeaning") or "",
            text_of(item, "CodingSchemeVersion") or None,
            text_of(item, "CodingSchemeUID") or None,
            form,
        )

    def plain(self) -> dict[str, Any]:
        """The attributes of an item, by keyword."""
        made = {self.form or self._chosen_form(): self.value}
        if self.scheme:
            made["CodingSchemeDesignator"] = self.scheme
        if self.version:
            made["CodingSchemeVersion"] = self.version
        made["CodeMeaning"] = self.meaning
        if self.scheme_uid:
            made["CodingSchemeUID"] = self.scheme_uid
        return made

    def _chosen_form(self) -> str:
        if self.value.lower().startswith("urn:") or "://" in self.value:
            return "URNCodeValue"
        return "LongCodeValue" if len(self.value) > LONGEST_VALUE else "CodeValue"

    def __str__(self) -> str:
        meaning = self.meaning.replace('"', "'")
        return f'({self.value}, {self.scheme}, "{meaning}")'


def code_of(data_set: Dataset, keyword: str) -> Code | None:
    """The first code of a code sequence, None where there is none."""
    item = first_item(data_set, keyword)
    return None if item is None else Code.of(item)

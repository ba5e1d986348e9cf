"""Code: a coded entry, which names a concept by code value and coding scheme (PS3.3 8)."""

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
    """A coded entry: ``Code("121071", "DCM", "Finding")``.

    Two codes are equal if value and scheme are, whatever their meanings. `form` is the attribute that holds the value.
    A code that was read has it; for others the value decides (PS3.3 8.1): URN Code Value for a URN, Long Code Value
    for more than 16 characters, else Code Value.
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
    """CodeValue, LongCodeValue or URNCodeValue; None lets the value decide."""

    @classmethod
    def of(cls, item: Dataset) -> Code:
        """Read an item of a code sequence; missing attributes become empty."""
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
        """Return the attributes of a code sequence's item, by keyword."""
        attributes = {self.form or self._chosen_form(): self.value}
        if self.scheme:
            attributes["CodingSchemeDesignator"] = self.scheme
        if self.version:
            attributes["CodingSchemeVersion"] = self.version
        attributes["CodeMeaning"] = self.meaning
        if self.scheme_uid:
            attributes["CodingSchemeUID"] = self.scheme_uid
        return attributes

    def _chosen_form(self) -> str:
        if self.value.lower().startswith("urn:") or "://" in self.value:
            return "URNCodeValue"
        return "LongCodeValue" if len(self.value) > LONGEST_VALUE else "CodeValue"

    def __str__(self) -> str:
        meaning = self.meaning.replace('"', "'")
        return f'({self.value}, {self.scheme}, "{meaning}")'


def code_of(data_set: Dataset, keyword: str) -> Code | None:
    """The first code of a code sequence; None if the sequence is missing or empty."""
    item = first_item(data_set, keyword)
    return None if item is None else Code.of(item)

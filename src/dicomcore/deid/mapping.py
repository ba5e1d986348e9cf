"""Mapping: new UIDs, pseudonyms, dates and text for the values that a pass finds; what was mapped is kept for the next
file."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

from dicomcore._native.base.dictionary import uid_entry
from dicomcore._native.scan.index import Index
from dicomcore._native.views.dataset import make_dataset
from dicomcore.charset import Charset
from dicomcore.dataset import Dataset
from dicomcore.dataset.state import DATA_SET
from dicomcore.deid.dates import shifted, young_age
from dicomcore.errors import DeidError, EncodeError

if TYPE_CHECKING:
    from dicomcore.deid.identifiers import Identifiers
    from dicomcore.deid.plan import Plan
    from dicomcore.deid.structured import Content

__all__ = ["Mapping", "Patient", "UidMap", "uid_of"]

MOST = 1 << 16  # values that are kept; beyond, they are made anew
MOST_PATIENTS, MOST_VALUES = 64, 1 << 12  # the same for those of one patient
Dates = dict[tuple[str, bytes], bytes | None]
Texts = dict[tuple[bytes, str, tuple[str, ...]], bytes | None]
DIRECTORY = b"1.2.840.10008.1.3.10"
PSEUDONYM = 16  # characters of base32, 80 bits


class UidMap(dict[bytes, bytes]):
    """New values of UI elements by the old ones, as they stand in a file. What is missing is made."""

    def __init__(self, plan: Plan, domain: bytes) -> None:
        super().__init__()
        self.plan, self.domain = plan, domain

    def __missing__(self, value: bytes) -> bytes:
        if len(self) > MOST:
            self.clear()
        parts = [part.strip(b" \0") for part in value.split(b"\\")]
        made = [self.new(part) for part in parts]
        self[value] = found = value if made == parts else b"\\".join(made)
        return found

    def new(self, uid: bytes) -> bytes:
        """The new UID; a registered one, and one below a root that the plan keeps, stays."""
        text = uid.decode("latin-1")
        if not uid or self.plan.key is None or self.plan.keeps_uid(text) or uid_entry(text) is not None:
            return uid
        return uid_of(self.plan.key.digest(b"uid", self.domain, uid))


def uid_of(digest: bytes) -> bytes:
    """The UID of a digest: a UUID of version 8 (RFC 9562 5.8)."""
    number = int.from_bytes(digest[:16], "big") & ~(0xF << 76) & ~(0x3 << 62)
    return b"2.25.%d" % (number | 8 << 76 | 2 << 62)


class Patient:
    """A patient in one file: the offset of the dates, the pseudonym, and what identifies."""

    __slots__ = ("_content", "_dates", "_identifiers", "_index", "_mapping", "_pseudonym", "_texts", "days")

    def __init__(self, mapping: Mapping, issuer: str, patient_id: str, index: Index) -> None:
        self._mapping, self._index = mapping, index
        self.days, self._pseudonym = mapping.numbers(issuer, patient_id)
        self._dates = mapping.dates_of(self.days)
        self._identifiers: Identifiers | None = None
        self._texts: Texts | None = None
        self._content: tuple[Index, Content] | None = None

    def pseudonym(self, _tag: int) -> bytes:
        return self._pseudonym

    def date(self, value: bytes, vr: str, _tag: int) -> bytes | None:
        try:
            return self._dates[vr, value]
        except KeyError:
            made = shifted(value.decode("latin-1"), vr, self.days)
            self._dates[vr, value] = found = None if made is None else made.encode("latin-1")
            return found

    @property
    def identifiers(self) -> Identifiers:
        """What identifies the patient, the study and the staff, as far as the file tells."""
        if self._identifiers is None:
            from dicomcore.deid.identifiers import gather  # not needed without descriptors

            self._identifiers = gather(make_dataset(Dataset, self._index, DATA_SET), uids=False)
        return self._identifiers

    def element(self, value: bytes, vr: str, charset: Charset, is_code: bool = False) -> bytes | None:
        """The cleaned value of a text element; None if nothing is left, or the text cannot be read.

        Of a code nothing but identifiers goes.
        """
        if self._texts is None:
            self._texts = self._mapping.texts_of(self.identifiers)
        key = value, vr + "-" * is_code, charset.names
        try:
            return self._texts[key]
        except KeyError:
            made = self._texts[key] = self._element(value, vr, charset, is_code)
            return made

    def _element(self, value: bytes, vr: str, charset: Charset, is_code: bool) -> bytes | None:
        texts, good = charset.decode_values(value, vr)
        if not good:
            return None
        made = [self.code(text, vr) if is_code else self.text(text, vr) for text in texts]
        if made == texts:
            return value
        if not any(made):
            return None
        try:
            return charset.encode("\\".join(made))
        except EncodeError:
            return None

    def code(self, text: str, vr: str) -> str:
        """The code without this patient's identifiers; all else that is in it belongs to the code."""
        from dicomcore.deid.text import clean

        return clean(text, self.identifiers, patterns=False, vr=vr)

    def text(self, text: str, vr: str) -> str:
        """The text without what identifies this patient."""
        from dicomcore.deid.text import clean

        plan = self._mapping.plan
        made = clean(text, self.identifiers, strict=plan.strict, vr=vr)
        return made if plan.cleaner is None else plan.cleaner(made, self.identifiers)

    def content_item(self, index: Index, row: int) -> str:
        """What becomes of the content item in a row: X, D, C or K."""
        if self._content is None or self._content[0] is not index:
            from dicomcore.deid.structured import Content

            self._content = index, Content(index, self._mapping.plan.options)
        return self._content[1].action(row)


class Mapping:
    """What a plan maps. Files of all threads share it: what two of them make at once is the same."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self._uids: dict[bytes, UidMap] = {}
        self._numbers: dict[tuple[str, str], tuple[int, bytes]] = {}
        self._dates: dict[int, Dates] = {}
        self._texts: dict[Identifiers, Texts] = {}

    def check(self, sop_class: bytes, known: bool) -> None:
        """Raise for an object that cannot be de-identified by itself."""
        if sop_class == DIRECTORY:
            raise DeidError("the input is a DICOMDIR: de-identify its files, and have a new one written of them")
        if self.plan.unknown == "remove" and not known:
            raise DeidError("the SOP class is not known, so that unknown='remove' would leave nothing")

    def uids_of(self, study: bytes) -> UidMap:
        """The map of the UIDs of one study, which all studies share unless the plan's domain is the study."""
        domain = study.strip(b" \0") if self.plan.uid_domain == "study" else b""
        found = self._uids.get(domain)
        if found is None:
            if len(self._uids) > 64:
                self._uids.clear()
            found = self._uids.setdefault(domain, UidMap(self.plan, domain))
        return found

    def patient(self, issuer: str, patient_id: str, study: bytes, index: Index) -> Patient:
        """The patient of a file; without an ID, each study has one of its own."""
        if not self.plan.issuers:
            issuer = ""
        if not patient_id.strip():
            issuer, patient_id = "", "\\" + study.strip(b" \0").decode("latin-1")
        return Patient(self, issuer.strip(), patient_id.strip(), index)

    def dates_of(self, days: int) -> Dates:
        """The dates that were moved by `days`, or could not be, by VR and value."""
        found = self._dates.get(days)
        if found is None or len(found) > MOST_VALUES:
            if len(self._dates) > MOST_PATIENTS:
                self._dates.clear()
            found = self._dates[days] = {}
        return found

    def numbers(self, issuer: str, patient_id: str) -> tuple[int, bytes]:
        """The offset of a patient's dates in days, and the pseudonym."""
        found = self._numbers.get((issuer, patient_id))
        if found is None:
            if len(self._numbers) > MOST:
                self._numbers.clear()
            found = self._numbers.setdefault((issuer, patient_id), self._made(issuer, patient_id))
        return found

    def _made(self, issuer: str, patient_id: str) -> tuple[int, bytes]:
        plan = self.plan
        named = plan.pseudonyms.get(patient_id) if plan.pseudonyms else None
        if plan.key is None:
            return 0, (named or "ANONYMIZED").encode()
        parts = issuer.encode(), patient_id.encode()
        low, high = plan.window
        drawn = int.from_bytes(plan.key.digest(b"days", *parts)[:8], "big") % (high - low + 1)
        text = base64.b32encode(plan.key.digest(b"id", *parts)).decode()[:PSEUDONYM]
        return low + drawn, (named or text).encode()

    def age(self, value: bytes) -> bytes | None:
        made = young_age(value.decode("latin-1"))
        return None if made is None else made.encode()

    def texts_of(self, identifiers: Identifiers) -> Texts:
        """The texts that were cleaned of these identifiers."""
        found = self._texts.get(identifiers)
        if found is None or len(found) > MOST_VALUES:
            if len(self._texts) > MOST_PATIENTS:
                self._texts.clear()
            found = self._texts[identifiers] = {}
        return found

    def planes(self, data: bytes, rows: int, columns: int, planes: int, big: bool) -> bytes | None:
        """Overlay planes without text, None if they cannot be read; `big` if their words are big endian."""
        from dicomcore.deid.graphics import clean_planes  # NumPy is not needed without the option

        made = clean_planes(_swapped(data) if big else data, rows, columns, planes)
        return _swapped(made) if big and made is not None else made


def _swapped(data: bytes) -> bytes:
    swapped = bytearray(data)
    swapped[: len(data) // 2 * 2 : 2], swapped[1::2] = data[1::2], data[: len(data) // 2 * 2 : 2]
    return bytes(swapped)

"""pydicom.uid."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from dicomcore import uids as _uids
from dicomcore._native.base.dictionary import registered_uids as _registered
from dicomcore.interop.pydicom.place import missing
from dicomcore.part10.meta import IMPLEMENTATION_CLASS_UID
from dicomcore.syntaxes import SYNTAXES as _SYNTAXES
from dicomcore.uids import UID

__all__ = [
    "PYDICOM_IMPLEMENTATION_UID",
    "PYDICOM_ROOT_UID",
    "RE_VALID_UID",
    "RE_VALID_UID_PREFIX",
    "UID",
    "generate_uid",
]

PYDICOM_ROOT_UID = "1.2.826.0.1.3680043.8.498."
PYDICOM_IMPLEMENTATION_UID = UID(IMPLEMENTATION_CLASS_UID)
RE_VALID_UID = r"^(0|[1-9][0-9]*)(\.(0|[1-9][0-9]*))*$"
RE_VALID_UID_PREFIX = re.compile(r"^(0|[1-9][0-9]*)(\.(0|[1-9][0-9]*))*\.$")

JPEGTransferSyntaxes = [UID(f"1.2.840.10008.1.2.4.{number}") for number in (50, 51, 57, 70)]
JPEGLSTransferSyntaxes = [UID(f"1.2.840.10008.1.2.4.{number}") for number in (80, 81)]
JPEG2000TransferSyntaxes = [UID(f"1.2.840.10008.1.2.4.{number}") for number in (90, 91)]
MPEGTransferSyntaxes = [
    UID(f"1.2.840.10008.1.2.4.{number}")
    for number in (
        "100",
        "100.1",
        "101",
        "101.1",
        "102",
        "102.1",
        "103",
        "103.1",
        "104",
        "104.1",
        "105",
        "105.1",
        "106",
        "106.1",
        "107",
        "108",
    )
]
RLETransferSyntaxes = [UID("1.2.840.10008.1.2.5")]
UncompressedTransferSyntaxes = [
    UID(uid) for uid in ("1.2.840.10008.1.2.1", "1.2.840.10008.1.2", "1.2.840.10008.1.2.1.99", "1.2.840.10008.1.2.2")
]
AllTransferSyntaxes = [
    UID(syntax.uid) for syntax in _SYNTAXES if UID(syntax.uid).is_transfer_syntax and not UID(syntax.uid).is_private
]
PrivateTransferSyntaxes: list[UID] = []


def generate_uid(prefix: str | None = PYDICOM_ROOT_UID, entropy_srcs: Iterable[str] | None = None) -> UID:
    """Generate a UID that begins with `prefix`, by default pydicom's root; see `dicomcore.uids.generate_uid`."""
    return _uids.generate_uid(prefix, entropy_srcs)


def __getattr__(name: str) -> Any:
    if name == "UID_dictionary":
        made = {
            uid: (entry.name, entry.type, entry.info, "Retired" if entry.is_retired else "", entry.keyword)
            for uid, entry in ((str(uid), UID(uid)) for uid in _registered())
        }
        globals()[name] = made
        return made
    if name.startswith("__"):
        raise AttributeError(name)
    uid = _uids.uid_for_keyword(name)
    return missing("pydicom.uid")(name) if uid is None else uid

"""pydicom.uid."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from typing import Any, Self

from dicomcore import uids as _uids
from dicomcore._native.base.dictionary import registered_uids as _registered
from dicomcore.interop.pydicom import wanted
from dicomcore.interop.pydicom.names import config
from dicomcore.interop.pydicom.names.modes import reading_mode
from dicomcore.interop.pydicom.names.valuerep import validate_value
from dicomcore.part10.meta import IMPLEMENTATION_CLASS_UID

PYDICOM_ROOT_UID = "1.2.826.0.1.3680043.8.498."


class _AnyUID(type):
    def __instancecheck__(cls, value: object) -> bool:
        return isinstance(value, _uids.UID) if cls is UID else type.__instancecheck__(cls, value)


class UID(_uids.UID, metaclass=_AnyUID):
    """A UID, to which the encoding of a private transfer syntax can be told; a value that is none is warned of."""

    __slots__ = ("_encoding",)

    _encoding: tuple[bool, bool]

    def __new__(cls, val: str, validation_mode: int | None = None) -> Self:
        made = super().__new__(cls, val)
        if isinstance(val, UID):
            if hasattr(val, "_encoding"):
                made._encoding = val._encoding
        elif val and not made.is_valid:
            validate_value("UI", val, reading_mode(validation_mode))
        return made

    def __reduce_ex__(self, protocol: Any) -> Any:
        # The oldest protocols refuse slots; what the third makes can be written in them, too.
        return super().__reduce_ex__(max(protocol, 2))

    def set_private_encoding(self, implicit_vr: bool, little_endian: bool) -> None:
        """Say how data sets in this private transfer syntax are encoded. Raises ValueError for a registered one."""
        if self.is_transfer_syntax and not self.is_private:
            raise ValueError("'UID.set_private_encoding' can only be used with private transfer syntaxes")
        self._encoding = (implicit_vr, little_endian)

    @property
    def is_transfer_syntax(self) -> bool:
        """Whether this is a transfer syntax: a registered one, or a private one whose encoding is told."""
        return hasattr(self, "_encoding") or super().is_transfer_syntax

    @property
    def is_implicit_VR(self) -> bool:
        """Whether data sets in this transfer syntax omit the VRs."""
        return self._encoding[0] if hasattr(self, "_encoding") else super().is_implicit_VR

    @property
    def is_little_endian(self) -> bool:
        """Whether data sets in this transfer syntax are little endian."""
        return self._encoding[1] if hasattr(self, "_encoding") else super().is_little_endian

    @property
    def is_deflated(self) -> bool:
        """Whether data sets in this transfer syntax are deflated."""
        return not hasattr(self, "_encoding") and super().is_deflated

    @property
    def is_encapsulated(self) -> bool:
        """Whether pixel data in this transfer syntax is in fragments; of a private one it is taken to be so."""
        return hasattr(self, "_encoding") or super().is_encapsulated


def _syntaxes(*endings: str) -> list[UID]:
    return [UID(f"{_uids.ImplicitVRLittleEndian}{ending}") for ending in endings]  # the others extend this one


PYDICOM_IMPLEMENTATION_UID = UID(IMPLEMENTATION_CLASS_UID)
JPEGTransferSyntaxes = _syntaxes(".4.50", ".4.51", ".4.57", ".4.70")
JPEGLSTransferSyntaxes = _syntaxes(".4.80", ".4.81")
JPEG2000TransferSyntaxes = _syntaxes(".4.90", ".4.91", ".4.92", ".4.93", ".4.201", ".4.202", ".4.203")
MPEGTransferSyntaxes = _syntaxes(
    *(f".4.10{number}{end}" for number in range(7) for end in ("", ".1")), ".4.107", ".4.108"
)
RLETransferSyntaxes = _syntaxes(".5")
UncompressedTransferSyntaxes = _syntaxes(".1", "", ".1.99", ".2")
AllTransferSyntaxes = [
    *_syntaxes("", ".1", ".1.99", ".2"),
    *JPEGTransferSyntaxes,
    *JPEGLSTransferSyntaxes,
    *JPEG2000TransferSyntaxes[:4],
    *MPEGTransferSyntaxes,
    *_syntaxes(*(f".4.20{number}" for number in range(1, 6))),
    *RLETransferSyntaxes,
    *_syntaxes(".7.1", ".7.2", ".7.3"),
]
PrivateTransferSyntaxes: list[UID] = []


def register_transfer_syntax(uid: str | UID, implicit_vr: bool | None = None, little_endian: bool | None = None) -> UID:
    """Note a private transfer syntax in `PrivateTransferSyntaxes`. Raises ValueError if its encoding is not told."""
    uid = uid if type(uid) is UID else UID(uid)
    if implicit_vr is not None and little_endian is not None:
        uid.set_private_encoding(implicit_vr, little_endian)
    elif not uid.is_transfer_syntax:
        raise ValueError(
            "The corresponding dataset encoding for 'uid' must be set using the 'implicit_vr' and 'little_endian'"
            " arguments"
        )
    if uid not in PrivateTransferSyntaxes:
        PrivateTransferSyntaxes.append(uid)
    return uid


def generate_uid(prefix: str | None = PYDICOM_ROOT_UID, entropy_srcs: Iterable[str] | None = None) -> UID:
    """Generate a UID that begins with `prefix`, by default pydicom's root; see `dicomcore.uids.generate_uid`."""
    return UID(_uids.generate_uid(prefix, entropy_srcs), config.IGNORE)


def __getattr__(name: str) -> Any:
    # Names of the dictionary, and what has to be compiled, are made when they are asked for.
    if name == "__all__":
        return [*_NAMES, *filter(None, (_uids.UID(uid).keyword for uid in _registered()))]
    if name == "UID_dictionary":
        made: Any = {
            uid: (entry.name, entry.type, entry.info, "Retired" if entry.is_retired else "", entry.keyword)
            for uid, entry in ((str(uid), _uids.UID(uid)) for uid in _registered())
        }
    elif name in _PATTERNS:
        made = re.compile(_PATTERNS[name])
    elif name.startswith("__"):
        raise AttributeError(f"module 'pydicom.uid' has no attribute {name!r}")
    else:
        uid = _uids.uid_for_keyword(name)
        if uid is None:
            raise wanted.refusal(f"pydicom.uid.{name}", sys._getframe(1))
        made = UID(uid)
    globals()[name] = made
    return made


_PATTERNS = {
    "RE_VALID_UID": r"^(0|[1-9][0-9]*)(\.(0|[1-9][0-9]*))*$",
    "RE_VALID_UID_PREFIX": r"^(0|[1-9][0-9]*)(\.(0|[1-9][0-9]*))*\.$",
}
_NAMES = [name for name in globals() if not name.startswith("_")] + [*_PATTERNS, "UID_dictionary"]

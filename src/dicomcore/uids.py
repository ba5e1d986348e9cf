"""UID: a unique identifier and its entry in PS3.6; the transfer syntaxes by name.

Every registered UID is an attribute of this module, by its keyword: ``uids.CTImageStorage``.
"""

from __future__ import annotations

from dicomcore._native.base import dictionary as _dictionary
from dicomcore.syntaxes import BY_UID, SYNTAXES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Self

    from dicomcore.syntaxes import Syntax

# Compiled when first used, to keep the import light.
_VALID = r"(?:0|[1-9][0-9]*)(?:\.(?:0|[1-9][0-9]*))*"
_VALID_PREFIX = r"(?:(?:0|[1-9][0-9]*)\.)+"
_LONGEST = 64  # PS3.5 9.1
_LONGEST_PREFIX = 54  # leaves ten digits that distinguish UIDs

# Transfer syntaxes by short names, for command lines.
NAMES = {syntax.short_name: syntax.uid for syntax in SYNTAXES if syntax.short_name}


class UID(str):
    """A unique identifier (PS3.5 Chapter 9): a str with the properties of its entry in PS3.6 Annex A.

    Padding (spaces, NULs) is removed from both ends; nothing is checked, see `is_valid`. Raises TypeError if the value
    is not a str. The properties about encoding raise ValueError for a UID that is not a transfer syntax.
    """

    __slots__ = ()

    def __new__(cls, value: str) -> Self:
        if not isinstance(value, str):
            raise TypeError(f"a UID is made from a str, not {value!r}")
        return str.__new__(cls, value.strip(" \0\t\n\r\f\v"))

    @property
    def name(self) -> str:
        """The name in PS3.6; the UID itself if it is not registered."""
        entry = _dictionary.uid_entry(self)
        return entry[0] if entry else str(self)

    @property
    def type(self) -> str:
        """The type in PS3.6, such as 'Transfer Syntax' or 'SOP Class'; empty if it is not registered."""
        return self._entry[1]

    @property
    def info(self) -> str:
        """Further information that PS3.6 adds to the name; usually empty."""
        return self._entry[2]

    @property
    def is_retired(self) -> bool:
        """Whether PS3.6 lists the UID as retired."""
        return self._entry[3] != ""

    @property
    def keyword(self) -> str:
        """The keyword in PS3.6; empty if the UID is not registered."""
        return self._entry[4]

    @property
    def is_valid(self) -> bool:
        """Whether the text is a UID (PS3.5 9.1): up to 64 characters, numbers without leading zeros between dots."""
        import re

        return len(self) <= _LONGEST and re.fullmatch(_VALID, self) is not None

    @property
    def is_private(self) -> bool:
        """Whether the UID does not begin with the root of the UIDs that PS3.6 registers."""
        return not self.startswith("1.2.840.10008.")

    @property
    def is_transfer_syntax(self) -> bool:
        """Whether this is a registered transfer syntax, or GE's private one."""
        return self._entry[1] == "Transfer Syntax"

    @property
    def is_implicit_VR(self) -> bool:
        """Whether data sets in this transfer syntax omit the VRs (PS3.5 A.1)."""
        return self._syntax().implicit

    @property
    def is_little_endian(self) -> bool:
        """Whether elements are little endian: False only for a retired transfer syntax (PS3.5 A.3). In GE's private
        one, only the pixels are big endian."""
        return not self._syntax().big_endian

    @property
    def is_deflated(self) -> bool:
        """Whether the data set behind the file meta information is deflated as a whole (PS3.5 A.5, A.7)."""
        return self._syntax().deflated

    @property
    def is_encapsulated(self) -> bool:
        """Whether pixel data is in fragments (PS3.5 A.4)."""
        return self._syntax().encapsulated

    @property
    def is_compressed(self) -> bool:
        """The same as `is_encapsulated`, as in pydicom."""
        return self.is_encapsulated

    @property
    def _entry(self) -> tuple[str, str, str, str, str]:
        return _dictionary.uid_entry(self) or ("", "", "", "", "")

    def _syntax(self) -> Syntax:
        syntax = BY_UID.get(self)
        if syntax is None:
            raise ValueError(f"{self} is not a transfer syntax that PS3.6 registers")
        return syntax


def uid_for_keyword(keyword: str) -> UID | None:
    """The UID that PS3.6 registers with a keyword, such as ``"CTImageStorage"``; None for an unknown keyword."""
    uid = _dictionary.uid_for_keyword(keyword)
    return None if uid is None else UID(uid)


def syntax_named(name: str) -> UID:
    """The transfer syntax with a short name (`NAMES`), a keyword of PS3.6 or a UID.

    Every function and command with a transfer syntax accepts these. A UID that PS3.6 does not register is accepted: it
    may be private, or newer than the table. Raises ValueError for any other text.
    """
    syntax = UID(name)
    if not syntax.is_transfer_syntax:
        syntax = UID(NAMES.get(syntax.lower(), "")) or uid_for_keyword(syntax) or syntax
    if not syntax.is_transfer_syntax and (syntax.type or not syntax.is_valid):
        raise ValueError(f"{name!r} is no transfer syntax; names are {', '.join(NAMES)}, keywords or UIDs")
    return syntax


def generate_uid(prefix: str | None = None, entropy_srcs: Iterable[str] | None = None) -> UID:
    """Generate a UID: ``2.25.`` and a UUID (PS3.5 B.2), or `prefix` and up to 64 - len(prefix) digits.

    The same `entropy_srcs` always give the same UID, from which they cannot be recovered. `prefix` ends in a dot and
    has at most 54 characters; ValueError if it is not the beginning of a UID.
    """
    import re
    import secrets  # importing these takes longer than importing dicomcore
    from hashlib import sha512
    from uuid import NAMESPACE_OID, uuid4, uuid5

    sources = None if entropy_srcs is None else "".join(entropy_srcs)
    if prefix is None:
        return UID(f"2.25.{(uuid4() if sources is None else uuid5(NAMESPACE_OID, sources)).int}")
    if len(prefix) > _LONGEST_PREFIX or not re.fullmatch(_VALID_PREFIX, prefix):
        raise ValueError(
            f"{prefix!r} does not begin a UID: a prefix has up to {_LONGEST_PREFIX} characters, numbers without leading"
            " zeros, a dot behind each"
        )
    if sources is None:
        # A random number, so without a leading zero, which PS3.5 9.1 allows only for 0 itself.
        return UID(prefix + str(secrets.randbelow(10 ** (_LONGEST - len(prefix)))))
    return UID(f"{prefix}{int.from_bytes(sha512(sources.encode()).digest(), 'big')}"[:_LONGEST])


def new_uid(prefix: str | None = None, entropy: str | Iterable[str] | None = None) -> UID:
    """Generate a UID as `generate_uid` does; the same `entropy`, one text or several, always gives the same UID."""
    return generate_uid(prefix, [entropy] if isinstance(entropy, str) else entropy)


def __getattr__(name: str) -> UID:
    uid = uid_for_keyword(name)
    if uid is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}, and PS3.6 has no UID with this keyword")
    return uid


# Transfer syntaxes (PS3.6 Table A-1) by keyword. GE's private one, which files of GE scanners have, is not in PS3.6.
globals().update({syntax.keyword: UID(syntax.uid) for syntax in SYNTAXES})

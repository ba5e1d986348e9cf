"""PersonName with the arguments of pydicom's: bytes and the codecs that they are in."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Self

from dicomcore import values as _values

__all__ = ["PersonName"]

DELIMITERS = (0x5E,)  # ^ designates the first character set again, and = too, where bytes are divided (PS3.5 6.1.2.5.3)


class _AnyName(type):
    def __instancecheck__(cls, value: object) -> bool:
        return isinstance(value, _values.PersonName) if cls is PersonName else type.__instancecheck__(cls, value)


class PersonName(_values.PersonName, metaclass=_AnyName):
    """A person's name, of text or of bytes with Python's codecs for them; None for None."""

    __slots__ = ("encodings", "original_string")

    encodings: tuple[str, ...] | None
    original_string: bytes | None

    def __getattr__(self, name: str) -> Any:
        if name in PersonName.__slots__:  # native code makes names without them
            return None
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def __new__(  # type: ignore[misc]
        cls,
        val: str | bytes | None,
        encodings: Sequence[str] | str | None = None,
        original_string: bytes | None = None,
        validation_mode: int | None = None,
    ) -> Self | None:
        if val is None:
            return None
        codecs = _codecs(encodings)
        if isinstance(val, _values.PersonName):
            codecs = getattr(val, "encodings", codecs)
            original_string = getattr(val, "original_string", original_string)
        _check(val if original_string is None else original_string, validation_mode)
        if isinstance(val, bytes):
            original_string, val = val, "=".join(_text(group, codecs) for group in val.split(b"="))
        made = super().__new__(cls, val.rstrip("="))
        made.encodings, made.original_string = codecs, original_string
        return made

    def __reduce_ex__(self, protocol: Any) -> Any:
        # The oldest protocols refuse slots; what the third makes can be written in them, too.
        return super().__reduce_ex__(max(protocol, 2))

    def decode(self, encodings: Sequence[str] | None = None) -> PersonName:
        """The name in other codecs: its bytes, if it was made from bytes, are decoded again; text stays as it is."""
        if encodings is None or _codecs(encodings) == self.encodings:
            return self
        return PersonName(str(self) if self.original_string is None else self.original_string, encodings)  # type: ignore[return-value]

    def encode(self, encodings: Sequence[str] | None = None, errors: str = "strict") -> bytes:  # type: ignore[override]
        """The bytes of the name: those it was made from, or new ones if `encodings` are others."""
        codecs = _codecs(encodings) or self.encodings
        if codecs != self.encodings and self.encodings is not None:
            return _encoded(self, codecs)
        if self.original_string is None:
            self.original_string = _encoded(self, codecs)
        return self.original_string

    @classmethod
    def from_named_components(  # type: ignore[override]
        cls, *args: str | bytes, encodings: list[str] | None = None, **kwargs: Any
    ) -> PersonName:
        """Make a name from its components, see `dicomcore.values.PersonName`; parts that are bytes are decoded."""
        if len(args) > 15:  # the codecs follow the 15 components
            args, encodings = args[:15], args[15]  # type: ignore[assignment]
        return _named(super().from_named_components, args, kwargs, encodings)

    @classmethod
    def from_named_components_veterinary(  # type: ignore[override]
        cls, *args: str | bytes, encodings: list[str] | None = None, **kwargs: Any
    ) -> PersonName:
        """The same by the veterinary convention (PS3.5 6.2.1.1)."""
        if len(args) > 6:
            args, encodings = args[:6], args[6]  # type: ignore[assignment]
        return _named(super().from_named_components_veterinary, args, kwargs, encodings)


def _named(make: Any, args: Iterable[Any], kwargs: dict[str, Any], encodings: list[str] | None) -> PersonName:
    codecs = _codecs(encodings)
    parts = [_text(one, codecs, ()) if isinstance(one, bytes) else one for one in args]
    named = {key: _text(one, codecs, ()) if isinstance(one, bytes) else one for key, one in kwargs.items()}
    name = str(make(*parts, **named))
    return PersonName(name, codecs, _encoded(name, codecs))  # type: ignore[return-value]


def _codecs(encodings: Sequence[str] | str | None) -> tuple[str, ...] | None:
    if encodings is None:
        return None
    return (encodings,) if isinstance(encodings, str) else tuple(encodings)


def _text(data: bytes, codecs: tuple[str, ...] | None, delimiters: Iterable[int] = DELIMITERS) -> str:
    from dicomcore.interop.pydicom.names.charset import decode_bytes, default_encoding

    return decode_bytes(data, codecs or (default_encoding,), delimiters)


def _encoded(name: str, codecs: tuple[str, ...] | None) -> bytes:
    from dicomcore.interop.pydicom.names.charset import default_encoding, encode_string

    codecs = codecs or (default_encoding,)
    groups = (b"^".join(encode_string(part, codecs) for part in group.split("^")) for group in name.split("="))
    return b"=".join(groups).rstrip(b"=")


def _check(val: str | bytes, mode: int | None) -> None:
    from dicomcore.interop.pydicom.names.modes import reading_mode
    from dicomcore.interop.pydicom.names.valuerep import validate_value

    validate_value("PN", val, reading_mode(mode))

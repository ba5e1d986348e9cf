"""DS and IS as pydicom makes them: numbers that keep the text that they were made from."""

from __future__ import annotations

from decimal import Decimal
from math import isfinite
from typing import Any

from dicomcore.dataset.validation import fault_of
from dicomcore.interop.pydicom.names import config
from dicomcore.interop.pydicom.names.misc import warn_and_log
from dicomcore.interop.pydicom.names.modes import reading_mode

__all__ = ["DS", "IS", "DSclass", "DSdecimal", "DSfloat", "ISfloat", "format_number_as_ds", "is_valid_ds"]

LONGEST = 16  # characters of a DS (PS3.5 6.2)


def is_valid_ds(s: str) -> bool:
    """Whether a text is a DS value: a decimal number of 16 characters at most."""
    return len(s) <= LONGEST and (not s or bool(s.strip())) and not fault_of("DS", s)


def format_number_as_ds(val: float | Decimal) -> str:
    """The text of a number in 16 characters, with as many digits as fit. ValueError for NaN and infinities."""
    if not isinstance(val, (float, Decimal)):
        raise TypeError("'val' must be of type float or decimal.Decimal")
    if not isfinite(val):
        raise ValueError(f"Cannot encode non-finite floats as DICOM decimal strings. Got '{val}'")
    text = str(val)
    if len(text) <= LONGEST:
        return text
    scientific = not 1e-4 <= abs(float(val)) < (1e13 if val < 0 else 1e14)
    for digits in range(LONGEST, -1, -1):
        text = f"{val:.{digits}{'e' if scientific else 'f'}}"
        if len(text) <= LONGEST:
            return text
    raise AssertionError(f"{val!r} has no form of {LONGEST} characters")


class _Plain(type):
    """A class of numbers whose `isinstance` is true of the plain numbers that dicomcore gives."""

    plain: type

    def __instancecheck__(cls, value: object) -> bool:
        plain = cls.__dict__.get("plain")
        return isinstance(value, plain) if plain is not None else type.__instancecheck__(cls, value)


class DSfloat(float, metaclass=_Plain):
    """A DS as a float, with its text in `original_string`; empty text stays text."""

    plain = float
    auto_format: bool
    original_string: str

    def __new__(cls, val: Any, auto_format: bool = False, validation_mode: int | None = None) -> Any:
        if val is None or (isinstance(val, str) and not val.strip()):
            return val
        made = super().__new__(cls, val)
        _note_text(made, val, auto_format)
        if not made.auto_format and reading_mode(validation_mode) == config.RAISE:
            _check_text(made, str(made), config.RAISE)
        return made

    def __reduce__(self) -> tuple[Any, ...]:
        return _remade, (type(self), float(self), dict(self.__dict__))

    def __eq__(self, other: object) -> Any:
        return str(self) == other if isinstance(other, str) else float.__eq__(self, other)  # type: ignore[operator]

    def __ne__(self, other: object) -> bool:
        return not self == other

    __hash__ = float.__hash__

    def __str__(self) -> str:
        text = self.__dict__.get("original_string")
        return float.__repr__(self) if text is None else str(text)

    def __repr__(self) -> str:
        return f"'{self}'"


class DSdecimal(Decimal):
    """A DS as a Decimal, with its text in `original_string`; empty text stays text.

    Text of more than 16 characters and NaN are warned of, or raise OverflowError and ValueError in mode RAISE.
    """

    auto_format: bool
    original_string: str

    def __new__(cls, val: Any, auto_format: bool = False, validation_mode: int | None = None) -> Any:
        if val is None or (isinstance(val, str) and not val.strip()):
            return val
        if isinstance(val, float) and not config.allow_DS_float:
            raise TypeError("'DS' cannot be instantiated with a float value, unless config.allow_DS_float is True")
        made = super().__new__(cls, val.strip() if isinstance(val, str) else val)
        _note_text(made, val, auto_format)
        _check_text(made, repr(made).strip("'"), reading_mode(validation_mode))
        return made

    def __eq__(self, other: object) -> Any:
        return str(self) == other if isinstance(other, str) else Decimal.__eq__(self, other)

    def __ne__(self, other: object) -> bool:
        return not self == other

    __hash__ = Decimal.__hash__

    def __str__(self) -> str:
        text = self.__dict__.get("original_string")
        return Decimal.__str__(self) if text is None or len(text) > LONGEST else str(text)

    def __repr__(self) -> str:
        return f"'{self.__dict__.get('original_string', self)}'"


DSclass = DSfloat


def DS(val: Any, auto_format: bool = False, validation_mode: int | None = None) -> Any:
    """A `DSfloat`, or a `DSdecimal` under `config.use_DS_decimal`; None and empty text stay as they are."""
    mode = reading_mode(validation_mode)
    if isinstance(val, str) and val.strip():
        _check("DS", val, mode)
    return (DSdecimal if config.use_DS_decimal else DSfloat)(val, auto_format, mode)


class ISfloat(float):
    """An IS that is not a whole number, with its text in `original_string`."""

    original_string: str

    def __new__(cls, val: Any, validation_mode: int | None = None) -> Any:
        if isinstance(val, str) and not val.strip():
            return ""
        made = super().__new__(cls, val)
        text = val.strip() if isinstance(val, str) else getattr(val, "original_string", None)
        if text is not None:
            made.original_string = text
        if validation_mode == config.RAISE:
            raise TypeError(f'Value "{made}" is not valid for elements with a VR of IS')
        if validation_mode == config.WARN:
            warn_and_log(f'Value "{made}" is not valid for elements with a VR of IS')
        return made


class IS(int, metaclass=_Plain):
    """An IS as an int, with its text in `original_string`; an `ISfloat` for a fraction; empty text stays text."""

    plain = int
    original_string: str

    def __new__(cls, val: Any, validation_mode: int | None = None) -> Any:
        if val is None or (isinstance(val, str) and not val.strip()):
            return val
        mode = reading_mode(validation_mode)
        if isinstance(val, str):
            _check("IS", val, mode)
        try:
            made = super().__new__(cls, val)
        except ValueError:
            made = super().__new__(cls, float(val))
        if isinstance(val, (float, Decimal, str)) and made != float(val):
            return ISfloat(val, mode)
        if mode == config.RAISE and not -(2**31) <= made < 2**31:
            raise OverflowError("Elements with a VR of IS must have a value between -2**31 and (2**31 - 1)")
        text = val.strip() if isinstance(val, str) else getattr(val, "original_string", None)
        if text is not None:
            made.original_string = text
        return made

    def __reduce__(self) -> tuple[Any, ...]:
        return _remade, (type(self), int(self), dict(self.__dict__))

    def __eq__(self, other: object) -> Any:
        return str(self) == other if isinstance(other, str) else int.__eq__(self, other)  # type: ignore[operator]

    def __ne__(self, other: object) -> bool:
        return not self == other

    __hash__ = int.__hash__

    def __str__(self) -> str:
        text = self.__dict__.get("original_string")
        return int.__repr__(self) if text is None else str(text)

    __repr__ = __str__  # without quotes, so that a list of them prints as pydicom's MultiValue does


def _check(vr: str, text: str, mode: int) -> None:
    """Warn or raise ValueError, by the mode, for text that is not a value of the VR."""
    fault = "" if mode == config.IGNORE else fault_of(vr, text)
    if fault and mode == config.RAISE:
        raise ValueError(fault)
    if fault:
        warn_and_log(fault)


def _note_text(made: Any, val: Any, auto_format: bool) -> None:
    formatted = bool(getattr(val, "auto_format", False))
    text = val.strip() if isinstance(val, str) else getattr(val, "original_string", None)
    made.auto_format = auto_format or formatted
    if auto_format and not formatted and (text is None or not is_valid_ds(text)):
        text = format_number_as_ds(made if text is None else float(text))
    if text is not None:
        made.original_string = text


def _check_text(made: Any, text: str, mode: int) -> None:
    if mode == config.IGNORE or (len(text) <= LONGEST and is_valid_ds(text)):
        return
    if len(text) > LONGEST:
        fault = f"Values for elements with a VR of 'DS' must be <= 16 characters long, not {text!r}"
    else:
        fault = f'Value "{made}" is not valid for elements with a VR of DS'
    if mode == config.RAISE:
        raise (OverflowError if len(text) > LONGEST else ValueError)(fault)
    warn_and_log(fault)


def _remade(cls: Any, number: Any, attributes: dict[str, Any]) -> Any:
    made = cls(number)
    vars(made).update(attributes)
    return made

"""Check values against their VR (PS3.5 6.2): one value when it is set, or all values of a data set."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from dicomcore._native.base.dictionary import keywords, repeater_has_keyword, tag_for_keyword
from dicomcore.dataset.paths import walk
from dicomcore.errors import DicomError, EncodeError
from dicomcore.issues import Issue
from dicomcore.tags import PIXEL_TAGS
from dicomcore.values import is_decimal
from dicomcore.vrs import NUMBERS, VRS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Literal

    from dicomcore.dataset import DataElement, Dataset

    Validation = Literal["warn", "raise", "ignore"]

__all__ = ["check_before_writing", "check_name", "check_value", "fault_of", "faults", "number_fault"]

NUMBER = r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?"
DATE = r"\d{4}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])"
TIME = r"(?:[01]\d|2[0-3])(?:[0-5]\d(?:(?:[0-5]\d|60)(?:\.\d{1,6})?)?)?"
DATE_TIME = (
    r"\d{4}(?:(?:0[1-9]|1[0-2])(?:(?:0[1-9]|[12]\d|3[01])(?:(?:[01]\d|2[0-3])(?:[0-5]\d(?:(?:[0-5]\d|60)"
    r"(?:\.\d{1,6})?)?)?)?)?)?(?:[+-](?:0\d|1[0-4])[0-5]\d)?"
)


def _or_range(value: str) -> str:
    """The pattern of a value, or of a range of values in the identifier of a query (PS3.4 C.2.2.2.5)."""
    return rf"(?:{value})?|(?:{value})? ?- ?(?:{value})?"


class _Form:
    """The form of one value of a VR: a pattern without padding, None for any text, and its description in words."""

    def __init__(self, pattern: str | None, words: str) -> None:
        self._pattern, self.words = pattern, words
        self.matches: Callable[[str], Any] | None = None if pattern is None else self._first_match

    def _first_match(self, text: str) -> Any:
        # Compiled for the first value: compiling unused patterns would slow the import down.
        import re

        assert self._pattern is not None
        self.matches = re.compile(self._pattern, re.ASCII).fullmatch
        return self.matches(text)


FORMS: dict[str, _Form] = {
    "AE": _Form(r"[\x20-\x5b\x5d-\x7e]*", "an application entity's title in ASCII"),
    "AS": _Form(r"(?:\d{3}[DWMY])?", "an age: three digits and D, W, M or Y"),
    "CS": _Form(r"[A-Z0-9 _?*]*", "a code of capital letters, digits, spaces and underscores"),
    "DA": _Form(_or_range(DATE), "a date: YYYYMMDD"),
    "DS": _Form(rf"(?: *{NUMBER} *)?", "a decimal number"),
    "DT": _Form(_or_range(DATE_TIME), "a date and time: YYYYMMDDHHMMSS.FFFFFF&ZZXX"),
    "IS": _Form(r"(?: *[+-]?\d+ *)?", "a whole number"),
    "LO": _Form(r"[^\\\x00-\x1a\x1c-\x1f]*", "text without control characters and backslash"),
    "LT": _Form(None, "a text"),
    "SH": _Form(r"[^\\\x00-\x1a\x1c-\x1f]*", "text without control characters and backslash"),
    "ST": _Form(None, "a text"),
    "TM": _Form(_or_range(TIME), "a time: HHMMSS.FFFFFF"),
    "UC": _Form(r"[^\\\x00-\x1a\x1c-\x1f]*", "text without control characters and backslash"),
    "UI": _Form(r"(?:(?:0|[1-9]\d*)(?:\.(?:0|[1-9]\d*))*)?", "a UID: numbers without leading zeros, dots"),
    "UR": _Form(r"(?:[!#-;=?-\[\]_a-z~]+ *)?", "a URI"),
    "UT": _Form(None, "a text"),
}
LONGEST = {vr.name: vr.longest for vr in VRS}
BINARY = NUMBERS | {"AT"}
# Samples per Pixel, Photometric Interpretation, Number of Frames, Rows, Columns, Bits Allocated.
DESCRIBING = (0x00280002, 0x00280004, 0x00280008, 0x00280010, 0x00280011, 0x00280100)
COMPONENTS, GROUPS = 5, 3  # of a PN: components per component group, and component groups


def fault_of(vr: str, value: Any) -> str:
    """The fault of a value for a VR, "" if it has none; of several values, the fault of the first wrong one."""
    if vr == "SQ" or value is None:
        return ""
    if vr in BINARY:
        return _encoding_fault(vr, value)
    form = FORMS.get(vr)
    if form is None and vr != "PN":
        return ""
    for text in value if isinstance(value, (list, tuple)) else (value,):
        fault = _text_fault(vr, text, form)
        if fault:
            return fault
    return ""


def number_fault(vr: str, value: Any) -> str:
    """The fault of a DS or IS with a value that is not a number (PS3.5 6.2), for IS a whole number; "" without one."""
    if vr not in ("DS", "IS"):
        return ""
    for item in value if isinstance(value, list) else (value,):
        if (isinstance(item, str) and item) or (vr == "IS" and isinstance(item, float) and not item.is_integer()):
            return f"VR {vr} takes {'whole numbers' if vr == 'IS' else 'numbers'}, not {item!r}"
    return ""


@lru_cache(maxsize=1)
def _encoder() -> Callable[[str, Any], Any]:
    from dicomcore._native.write.encode import encode_value  # who only reads sets no value

    return encode_value


def _encoding_fault(vr: str, value: Any) -> str:
    try:
        _encoder()(vr, value)
    except EncodeError as error:
        return str(error)
    return ""


def _text_fault(vr: str, value: Any, form: _Form | None) -> str:
    if not isinstance(value, str):
        if vr in ("DS", "IS") and (isinstance(value, (int, float)) or is_decimal(value)):
            if vr == "IS" and (not -(2**31) <= value < 2**31 or value != int(value)):
                return f"IS is a whole number of 32 bits, which {value} isn't"
            return _encoding_fault(vr, value)
        return "" if value is None or isinstance(value, bytes) else _encoding_fault(vr, value)
    if "\ufffd" in value:
        return f"{vr} holds U+FFFD, which stands for bytes that could not be decoded: these bytes are lost"
    if form is None:
        return _name_fault(value)
    text = value.rstrip(" \0")
    if len(text) > LONGEST[vr]:
        return f"{vr} takes {LONGEST[vr]} characters at most, not {len(text)}"
    if form.matches is not None and not form.matches(text):
        return f"{vr} is {form.words}, which {text[:64]!r} isn't"
    return ""


def _name_fault(value: str) -> str:
    groups = value.split("=")
    if len(groups) > GROUPS:
        return f"PN has {GROUPS} component groups at most, not {len(groups)}"
    for group in groups:
        if len(group) > LONGEST["PN"]:
            return f"a component group of PN takes {LONGEST['PN']} characters at most, not {len(group)}"
        if group.count("^") >= COMPONENTS:
            return f"a component group of PN has {COMPONENTS} components at most, not {group.count('^') + 1}"
    import re

    return "PN can't hold control characters or a backslash" if re.search(r"[\\\x00-\x1a\x1c-\x1f]", value) else ""


def check_value(mode: str, tag: Any, vr: str, value: Any) -> None:
    """Warn (UserWarning) or raise (EncodeError), by `mode`, if the VR does not allow the value."""
    fault = fault_of(vr, value)
    if not fault:
        return
    if mode == "raise":
        raise EncodeError(f"{tag}: {fault}", tag=tag)
    import warnings

    warnings.warn(f"{tag}: {fault}", stacklevel=2)


@lru_cache(maxsize=256)
def _misspelt(name: str) -> str:
    """The fault of a name that looks like a keyword of PS3.6 but is not one; "" for other names."""
    looks_so = name.isalnum() and name[0].isupper() and name != name.upper()
    if not looks_so and tag_for_keyword(name[:1].upper() + name[1:]) is None:
        return ""
    from difflib import get_close_matches

    near = get_close_matches(name, keywords(), 1, 0.8)
    meant = f"; is {near[0]} meant?" if near else ""
    return f"{name!r} is not a keyword of PS3.6: it becomes an attribute of the object, not an element{meant}"


def check_name(mode: str, name: str) -> None:
    """Warn (UserWarning) or raise (EncodeError), by `mode`, if the name of a new attribute is a misspelt keyword.

    The keyword of a repeating group's element is always an error, because it stands for several tags.
    """
    if repeater_has_keyword(name):
        raise EncodeError(f"{name!r} is the keyword of several tags (PS3.5 7.6): use add_new(tag, VR, value)")
    fault = _misspelt(name)
    if fault and mode == "raise":
        raise EncodeError(fault)
    if fault:
        import warnings

        warnings.warn(fault, stacklevel=2)


def faults(ds: Dataset, *, changed: bool = False) -> tuple[Issue, ...]:
    """An issue for each value, those of items included, that its VR does not allow; `changed`: values set here only."""
    issues: list[Issue] = []
    for path, _, element in walk(ds, elements=_changed_elements) if changed else walk(ds):
        vr = element.VR
        fault = "" if vr == "SQ" else fault_of(vr, element.value)
        if fault:
            issues.append(Issue("BAD_VALUE", element.tag, element.offset or 0, f"{path}: {fault}"))
    return tuple(issues) + _pixel_faults(ds, changed)


def _changed_elements(ds: Dataset) -> list[DataElement]:
    from dicomcore._native.write.judge import changed_elements

    return [element for element in changed_elements(ds).values() if element is not None]


def _pixel_faults(ds: Dataset, changed: bool) -> tuple[Issue, ...]:
    """Issues of pixel data whose length contradicts its description; `changed`: only if either was set here."""
    from dicomcore._native.write.judge import changed_elements

    if changed and not any(tag in changed_elements(ds) for tag in PIXEL_TAGS + DESCRIBING):
        return ()
    pixel_data = next((tag for tag in PIXEL_TAGS if tag in ds), None)
    if pixel_data is None:
        return ()
    try:
        return ds.frames.issues
    except DicomError as error:
        element = ds[pixel_data]
        return (Issue("PIXEL_DATA", element.tag, element.offset or 0, str(error)),)


def check_before_writing(mode: str | None, ds: Dataset) -> None:
    """Check the values that were set in a data set, before it is written; warn or raise by `mode`."""
    if mode in (None, "ignore"):
        return
    if mode not in ("warn", "raise"):
        raise ValueError(f"validate is 'warn', 'raise', 'ignore' or None, not {mode!r}")
    for issue in faults(ds, changed=True):
        if mode == "raise":
            raise EncodeError(issue.message, tag=issue.tag)
        import warnings

        warnings.warn(issue.message, stacklevel=4)

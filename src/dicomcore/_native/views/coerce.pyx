"""Coerces the values that callers set to the types that reading returns for their VR (PS3.5 6.2)."""

from libc.stdint cimport uint16_t, uint32_t

from dicomcore._native.base.dictionary cimport keyword_of_tag
from dicomcore._native.base.vr cimport *
from dicomcore._native.views.decode cimport empty_value, make_name, make_tag, number_of_text, vr_name, whole_of
from dicomcore._native.views.facade cimport DATASET, KEEPS, NAME, SEQUENCE, WHOLE

from dicomcore.arrays import is_array, is_floating, is_integral
from dicomcore.errors import DicomError, EncodeError
from dicomcore.tags import Tag
from dicomcore.uids import UID
from dicomcore.values import (
    PersonName,
    format_date,
    format_datetime,
    format_time,
    is_date,
    is_datetime,
    is_decimal,
    is_time,
)


cdef bint divides(uint16_t vr) noexcept nogil:
    # Whether a backslash separates values in text of this VR (PS3.5 6.4).
    return is_text(vr) and not is_single(vr) or vr == DS or vr == IS


cdef object EXACT = 1 << 53         # a double holds every integer up to here exactly

cdef bint is_pair(object value):
    # Whether the value is a (group, element) tuple, which is a single tag, as in all other functions that take a tag.
    return (isinstance(value, tuple) and len(value) == 2 and isinstance(value[0], int) and isinstance(value[1], int)
            and 0 <= value[0] <= 0xFFFF and 0 <= value[1] <= 0xFFFF)


cdef object coerced(object value, uint16_t vr, str checks=None):
    # Coerce a value to the type that docs/design.md lists for the VR: names, UIDs and numbers get their own types.
    if value is None:
        return SEQUENCE() if vr == SQ else None if KEEPS else empty_value(vr)
    if isinstance(value, (bytes, bytearray, memoryview)):
        if KEEPS and isinstance(value, bytes) and is_decoded(vr):
            return NAME(value) if vr == PN else coerced(value.decode("utf-8"), vr, checks)
        return value
    if vr == SQ:
        return coerced_items(value, checks)
    if (vr == UI or vr == PN) and not isinstance(value, str) and is_array(value):
        value = value.reshape(-1).tolist()
    if vr == AT and is_pair(value):
        return Tag(value)
    if isinstance(value, (list, tuple)):
        several = coerced_values(value, vr)
        return several[0] if len(several) == 1 else several     # a file with a single value reads so
    if isinstance(value, str):
        if "\\" in value and divides(vr):
            return [coerced(one, vr) for one in value.split("\\")]
        if vr == DS or vr == IS:
            return stated_number(value, vr) if KEEPS else number_of_text(value, vr)
    elif vr == DS or vr == IS:
        return coerced_number(value, vr)
    if (vr == UI or vr == PN) and not KEEPS and is_no_text(value):
        return value                    # refused when it is written
    if vr == UI:
        return value if isinstance(value, UID) else UID(str(value))
    if vr == PN:
        if NAME is None:
            return value if isinstance(value, PersonName) else PersonName(str(value))
        return value if isinstance(value, NAME) else make_name(str(value))
    if vr == AT:
        if isinstance(value, str) and not value:
            return None
        return value if isinstance(value, Tag) or is_array(value) else Tag(value)
    if KEEPS:
        return value
    if vr == DA and is_date(value):
        return format_date(value)
    if vr == TM and is_time(value):
        return format_time(value)
    if vr == DT and is_datetime(value):
        return format_datetime(value)
    return value


cdef inline bint is_no_text(object value):
    # Whether the value has a text that is surely not meant: a number, a mapping, a data set; other libraries' names do.
    return isinstance(value, (int, float, complex, dict, set, frozenset)) or hasattr(value, "add_new")


cdef inline bint is_decoded(uint16_t vr):
    # Whether pydicom decodes bytes that are set: names, numbers, and text of the default repertoire.
    return vr == PN or vr == DS or vr == IS or is_text(vr) and not has_charset(vr)


cdef object stated_number(str text, uint16_t vr):
    # A number that is set as text, which has to be one, as in pydicom; blanks stay, which keep room in a file.
    if text and not text.strip(" "):
        return text
    value = number_of_text(text, vr)
    if isinstance(value, str) and value:
        raise ValueError(f"could not convert {value[:64]!r} to a number")
    return value


cdef object coerced_for(uint32_t tag, object value, uint16_t vr, str checks):
    # The same for an element, which errors name.
    try:
        return coerced(value, vr, checks)
    except DicomError:
        raise
    except ValueError as error:
        name = f"{make_tag(tag)} {keyword_of_tag(tag)}".rstrip()
        raise EncodeError(f"{name}: VR {vr_name(vr)}: {error}", tag=tag) from None


cdef object coerced_number(object value, uint16_t vr):
    # Coerce a number to the type that reading returns, float for DS and int for IS, if that doesn't change the number.
    if type(value) is float and vr == DS:
        return value
    if vr == DS:
        if (isinstance(value, int) or is_integral(value)) and (KEEPS or not isinstance(value, bool)) and (
                -EXACT <= value <= EXACT):
            return float(value)
        return float(value) if is_floating(value) or KEEPS and is_decimal(value) else value
    if KEEPS and isinstance(value, bool):
        value = int(value)
    if is_integral(value) or (isinstance(value, float) or is_floating(value)) and value.is_integer():
        value = int(value)
    if type(value) is int:
        return value if WHOLE is None else whole_of(value, None)
    return float(value) if is_floating(value) else value


cdef list coerced_values(object values, uint16_t vr):
    # Coerce each of several values; a text with backslashes among them becomes several values.
    cdef list made = []
    for one in values:
        value = coerced(one, vr)
        if isinstance(one, str) and isinstance(value, list):
            made += <list>value
        else:
            made.append(value)
    return made


cdef object coerced_items(object value, str checks):
    # A sequence of data sets; dictionaries by keyword or tag among them become data sets.
    cdef list items = []
    if isinstance(value, SEQUENCE):
        return value
    for one in [value] if isinstance(value, (DATASET, dict)) else value:
        if isinstance(one, dict):
            made = DATASET()
            if checks is not None:
                made.validation = checks
            made.update(one)
            one = made
        items.append(one)
    return SEQUENCE(items)

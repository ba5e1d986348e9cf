"""Data sets from DICOM JSON (PS3.18 Annex F)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from inspect import signature
from itertools import chain
from typing import Any

from dicomcore.errors import LimitError, ParseError
from dicomcore.forms.builder import Builder, Fetch
from dicomcore.forms.fragments import joined
from dicomcore.forms.json_parser import parse_json
from dicomcore.forms.place import Place
from dicomcore.forms.typed import from_base64
from dicomcore.limits import Limits
from dicomcore.vrs import BYTES, NAMES

__all__ = ["UriHandler", "as_handler", "from_json", "read_json_lines"]

UriHandler = Callable[[str], Any] | Callable[[str, str, str], Any]
KEY = re.compile("[0-9A-Fa-f]{8}")
VALUES = ("Value", "InlineBinary", "BulkDataURI", "DataFragment")


def from_json(
    json_dataset: dict[str, Any] | str | bytes | bytearray,
    *,
    bulk_data_uri_handler: UriHandler | None = None,
    limits: Limits | None = None,
    cls: Any = None,
) -> Any:
    """A data set from a DICOM JSON Model object, see `Dataset.from_json`."""
    model = json_dataset if isinstance(json_dataset, dict) else parse_json(json_dataset, limits)
    if not isinstance(model, dict):
        hint = "; read_json_lines() reads several" if isinstance(model, list) else ""
        raise ParseError(f"DICOM JSON is an object of attributes, not a {type(model).__name__}{hint}")
    builder = Builder(limits, cls)
    fetch = as_handler(bulk_data_uri_handler)
    made = builder.root
    pending = [(model, made, "")]
    while pending:
        attributes, data_set, prefix = pending.pop()
        for key, found in attributes.items():
            tag = _tag(key, prefix)
            place = Place(prefix, tag)
            home = builder.home(data_set, place)
            if home is None:
                continue
            vr, kind, value = _read(found, place, builder)
            if vr == "SQ" and kind == "Value":
                items = builder.sequence(home, place)
                for i, item in enumerate(value):
                    pending.append((_attributes(item, place, i), builder.item(place, items), place.item(i)))
            else:
                builder.add(home, place, *_value(builder, fetch, home, place, vr, kind, value))
    return made


def _value(
    builder: Builder, fetch: Fetch | None, home: Any, place: Place, vr: str, kind: str, found: Any
) -> tuple[str, Any]:
    """VR and value of an attribute that is no sequence."""
    if kind == "Value":
        return builder.of_values(home, place, vr, found)
    if kind == "InlineBinary":
        return builder.of_bytes(home, place, vr, from_base64(found, place))
    if kind == "DataFragment":
        return vr, _fragments(builder, fetch, place, vr, found)
    value = builder.fetched(fetch, vr, _uri(found, place), place)
    return builder.of_bytes(home, place, vr, value) if vr == "UN" and isinstance(value, bytes) else (vr, value)


def _fragments(builder: Builder, fetch: Fetch | None, place: Place, vr: str, found: Any) -> bytes | None:
    """Encapsulated pixel data from its fragments, as dcm4che writes them: an object each, {} for an empty one."""
    if vr not in BYTES or not isinstance(found, list):
        raise place.fault(f"DataFragment is an array of bytes, not a {type(found).__name__} of VR {vr}")
    parts: list[bytes] = []
    for one in found:
        one = {} if one is None else one
        if not isinstance(one, dict) or len(one) > 1 or one.keys() - {"InlineBinary", "BulkDataURI"}:
            raise place.fault("a DataFragment is an object with InlineBinary or BulkDataURI")
        if "BulkDataURI" in one:
            part = builder.fragment(fetch, vr, _uri(one["BulkDataURI"], place), place)
            if part is None:
                return None
            parts.append(part)
        else:
            parts.append(from_base64(one.get("InlineBinary", ""), place))
    return joined(parts)


def read_json_lines(
    lines: Iterable[str] | Iterable[bytes],
    *,
    bulk_data_uri_handler: UriHandler | None = None,
    limits: Limits | None = None,
) -> Iterator[Any]:
    """Data sets from the lines of a text or binary file, as they come: one object a line, empty lines passed over.

    An array of objects, as DICOMweb services answer with, is read too, and one object or array over many lines.
    """
    rest: Iterator[Any] = iter(lines)
    first = next((line for line in rest if line.strip()), None)
    if first is None:
        return
    try:
        models = [parse_json(first, limits)]
    except LimitError:
        raise
    except ParseError:  # perhaps because it goes on in the next line
        models = [parse_json(first + type(first)().join(rest), limits)]
    for model in chain(models, (parse_json(line, limits) for line in rest if line.strip())):
        for one in model if isinstance(model, list) else [model]:
            if not isinstance(one, dict):
                raise ParseError(f"DICOM JSON is an object of attributes, not a {type(one).__name__}")
            yield from_json(one, bulk_data_uri_handler=bulk_data_uri_handler, limits=limits)


def _tag(key: Any, prefix: str) -> int:
    if isinstance(key, str) and KEY.fullmatch(key):
        return int(key, 16)
    raise ParseError(f"{prefix}{str(key)[:40]}: a key is eight hexadecimal digits, a tag")


def _read(found: Any, place: Place, builder: Builder) -> tuple[str, str, Any]:
    """The VR of an attribute object, which of the kinds of values it has, and that ("Value" and a list for none)."""
    if not isinstance(found, dict):
        raise place.fault(f"an attribute is an object, not a {type(found).__name__}")
    vr = found.get("vr")
    if not isinstance(vr, str):
        raise place.fault('the attribute has no "vr"')
    if vr not in NAMES:
        raise place.fault(f"{vr[:16]!r} is not a VR")
    kinds = [kind for kind in VALUES if kind in found]
    if len(kinds) > 1:
        raise place.fault(f"has both {kinds[0]} and {kinds[1]}")
    if len(found) > 1 + len(kinds):
        unknown = next(str(name) for name in found if name not in VALUES and name != "vr")
        kept = "" if kinds else "; the value is left empty"
        builder.note("UNKNOWN_MEMBER", place, f"no attribute has a member {unknown[:40]!r} (PS3.18 F.2.2){kept}")
    kind = kinds[0] if kinds else "Value"
    value = found[kind] if kinds else []
    if kind == "Value":
        value = [] if value is None else value
        if not isinstance(value, list):
            raise place.fault(f"Value is an array, not a {type(value).__name__}")
        if vr in BYTES and vr != "UN" and value not in ([], [None]):
            raise place.fault(f"{vr} takes InlineBinary or BulkDataURI, not Value")
    elif vr == "SQ":
        raise place.fault(f"SQ takes Value, not {kind}")
    elif isinstance(value, list) and len(value) == 1 and kind != "DataFragment":
        value = value[0]  # as an example of PS3.18 F.4 had it
    return vr, kind, value


def _attributes(item: Any, place: Place, number: int) -> dict[str, Any]:
    """The attributes of an item; None stands for an empty one."""
    if item is None:
        return {}
    if not isinstance(item, dict):
        raise place.fault(f"item {number} is an object of attributes, not a {type(item).__name__}")
    return item


def as_handler(given: UriHandler | None) -> Fetch | None:
    """The caller's handler as one that takes tag, VR and URI: pydicom allows one that takes the URI alone."""
    if given is None:
        return None
    known: Any = given
    if len(signature(known).parameters) == 1:
        return lambda tag, vr, uri: known(uri)
    return known  # type: ignore[no-any-return]


def _uri(uri: Any, place: Place) -> str:
    if not isinstance(uri, str):
        raise place.fault(f"BulkDataURI is text, not a {type(uri).__name__}")
    return uri

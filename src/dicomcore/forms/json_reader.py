"""Read data sets from DICOM JSON (PS3.18 Annex F)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from inspect import signature
from itertools import chain
from typing import Any

from dicomcore._native.forms.reader import object_spans, read_usual
from dicomcore.errors import LimitError, ParseError
from dicomcore.forms.builder import Builder, Fetch
from dicomcore.forms.element_path import ElementPath
from dicomcore.forms.fragments import joined
from dicomcore.forms.json_parser import parse_json
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
    """Read a data set from a DICOM JSON Model object, see `Dataset.from_json`."""
    return _data_set(json_dataset, as_handler(bulk_data_uri_handler), limits, cls)


def _data_set(
    json_dataset: dict[str, Any] | str | bytes | bytearray, fetch: Fetch | None, limits: Limits | None, cls: Any = None
) -> Any:
    builder = Builder(limits, cls)
    pending = None if isinstance(json_dataset, dict) else _read_usual(json_dataset, builder)
    if pending is None:
        model = json_dataset if isinstance(json_dataset, dict) else parse_json(json_dataset, limits)
        if not isinstance(model, dict):
            hint = "; read_json_lines() reads several" if isinstance(model, list) else ""
            raise ParseError(f"DICOM JSON is an object of attributes, not a {type(model).__name__}{hint}")
        builder = Builder(limits, cls)
        pending = [(model, builder.root, "")]
    while pending:
        attributes, data_set, prefix = pending.pop()
        for key, attribute in attributes.items():
            tag = _tag(key, prefix)
            path = ElementPath(prefix, tag)
            owner = builder.owner_of(data_set, path)
            if owner is None:
                continue
            vr, kind, value = _read(attribute, path, builder)
            if kind == "Value" and (vr == "SQ" or (vr == "UN" and value and _are_items(value))):
                items = builder.sequence(owner, path)
                for i, item in enumerate(value):
                    pending.append((_attributes(item, path, i), builder.item(path, items), path.item(i)))
            else:
                builder.add(owner, path, *_value(builder, fetch, owner, path, vr, kind, value))
    return builder.root


def _read_usual(text: str | bytes | bytearray, builder: Builder) -> list[tuple[dict[str, Any], Any, str]] | None:
    """Read all attributes that have the usual form; return the others, the last one first.

    None if the text has to be read otherwise: a rule is broken, or keys are not in ascending order (PS3.18 F.2.2).
    """
    limits = builder.limits
    try:
        data = text.encode() if isinstance(text, str) else bytes(memoryview(text))
        read = read_usual(data, builder.root, limits.depth, limits.elements)
        if read is None:
            return None
        builder.elements_left, left = read
        return [
            ({f"{tag:08X}": raw if type(raw) is dict else parse_json(raw, limits)}, owner, prefix)
            for owner, prefix, tag, raw in reversed(left)
        ]
    except (UnicodeEncodeError, ParseError):
        return None


def _value(
    builder: Builder, fetch: Fetch | None, owner: Any, path: ElementPath, vr: str, kind: str, content: Any
) -> tuple[str, Any]:
    """Return VR and value of an attribute that is not a sequence."""
    if kind == "Value":
        return builder.value_of_list(owner, path, vr, content)
    if kind == "InlineBinary":
        return builder.value_of_bytes(owner, path, vr, from_base64(content, path, builder.note))
    if kind == "DataFragment":
        return vr, _fragments(builder, fetch, path, vr, content)
    value = builder.fetched_value(fetch, vr, _uri(content, path), path)
    return builder.value_of_bytes(owner, path, vr, value) if vr == "UN" and isinstance(value, bytes) else (vr, value)


def _are_items(values: list[Any]) -> bool:
    """Whether the values of an attribute with VR UN are items: servers send private sequences so."""
    return all(isinstance(value, dict) for value in values)


def _fragments(builder: Builder, fetch: Fetch | None, path: ElementPath, vr: str, content: Any) -> bytes | None:
    """Build encapsulated pixel data from the fragments that dcm4che writes: one object each, {} for an empty one."""
    if vr not in BYTES or not isinstance(content, list):
        raise path.fault(f"DataFragment is an array of bytes, not a {type(content).__name__} of VR {vr}")
    parts: list[bytes] = []
    for fragment in content:
        fragment = {} if fragment is None else fragment
        if not isinstance(fragment, dict) or len(fragment) > 1 or fragment.keys() - {"InlineBinary", "BulkDataURI"}:
            raise path.fault("a DataFragment is an object with InlineBinary or BulkDataURI")
        if "BulkDataURI" in fragment:
            part = builder.fetched_fragment(fetch, vr, _uri(fragment["BulkDataURI"], path), path)
            if part is None:
                return None
            parts.append(part)
        else:
            parts.append(from_base64(fragment.get("InlineBinary", ""), path))
    return joined(parts)


def read_json_lines(
    lines: Iterable[str] | Iterable[bytes],
    *,
    bulk_data_uri_handler: UriHandler | None = None,
    limits: Limits | None = None,
) -> Iterator[Any]:
    """Read data sets from the lines of a text or binary file, one object per line; empty lines are skipped.

    An array of objects, as DICOMweb services return, is read too, and so is a single object or array over many lines.
    Data sets are yielded as their lines are read.
    """
    fetch = as_handler(bulk_data_uri_handler)
    rest: Iterator[Any] = iter(lines)
    first = next((line for line in rest if line.strip()), None)
    if first is None:
        return
    spans = object_spans(first) if isinstance(first, bytes) else None
    if spans is not None:  # the answer of a service: its objects are read one by one, most of them by native code
        assert isinstance(first, bytes)
        for start, stop in spans:
            yield _data_set(first[start:stop], fetch, limits)
    try:
        models = [] if spans is not None else [parse_json(first, limits)]
    except LimitError:
        raise
    except ParseError:  # perhaps the value continues in the next line
        models = [parse_json(first + type(first)().join(rest), limits)]
    for model in chain(models, (parse_json(line, limits) for line in rest if line.strip())):
        for entry in model if isinstance(model, list) else [model]:
            if not isinstance(entry, dict):
                raise ParseError(f"DICOM JSON is an object of attributes, not a {type(entry).__name__}")
            yield _data_set(entry, fetch, limits)


def _tag(key: Any, prefix: str) -> int:
    if isinstance(key, str) and KEY.fullmatch(key):
        return int(key, 16)
    raise ParseError(f"{prefix}{str(key)[:40]}: a key is eight hexadecimal digits, a tag")


def _read(attribute: Any, path: ElementPath, builder: Builder) -> tuple[str, str, Any]:
    """Return the VR of an attribute object, the name of its value member, and the content of that member.

    An attribute object without a value gives "Value" and an empty list.
    """
    if not isinstance(attribute, dict):
        raise path.fault(f"an attribute is an object, not a {type(attribute).__name__}")
    vr = attribute.get("vr")
    if not isinstance(vr, str):
        raise path.fault('the attribute has no "vr"')
    if vr not in NAMES:
        raise path.fault(f"{vr[:16]!r} is not a VR")
    kinds = [kind for kind in VALUES if kind in attribute]
    if len(kinds) > 1:
        raise path.fault(f"has both {kinds[0]} and {kinds[1]}")
    if len(attribute) > 1 + len(kinds):
        unknown = next(str(name) for name in attribute if name not in VALUES and name != "vr")
        effect = "" if kinds else "; the value is left empty"
        builder.note("UNKNOWN_MEMBER", path, f"no attribute has a member {unknown[:40]!r} (PS3.18 F.2.2){effect}")
    kind = kinds[0] if kinds else "Value"
    value = attribute[kind] if kinds else []
    if kind == "Value":
        value = [] if value is None else value
        if not isinstance(value, list):
            raise path.fault(f"Value is an array, not a {type(value).__name__}")
        if vr in BYTES and vr != "UN" and value not in ([], [None]):
            raise path.fault(f"{vr} takes InlineBinary or BulkDataURI, not Value")
    elif vr == "SQ":
        raise path.fault(f"SQ takes Value, not {kind}")
    elif isinstance(value, list) and len(value) == 1 and kind != "DataFragment":
        value = value[0]  # as in an example of PS3.18 F.4
    return vr, kind, value


def _attributes(item: Any, path: ElementPath, number: int) -> dict[str, Any]:
    """Check an item and return its attributes; None means an empty item."""
    if item is None:
        return {}
    if not isinstance(item, dict):
        raise path.fault(f"item {number} is an object of attributes, not a {type(item).__name__}")
    return item


def as_handler(handler: UriHandler | None) -> Fetch | None:
    """Adapt the caller's handler to take tag, VR and URI: pydicom also allows handlers that take the URI alone."""
    if handler is None:
        return None
    call: Any = handler
    if len(signature(call).parameters) == 1:
        return lambda tag, vr, uri: call(uri)
    return call  # type: ignore[no-any-return]


def _uri(uri: Any, path: ElementPath) -> str:
    if not isinstance(uri, str):
        raise path.fault(f"BulkDataURI is text, not a {type(uri).__name__}")
    return uri

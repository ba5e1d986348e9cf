"""Conversion between content items and attributes, for each value type (PS3.3 C.17.3, C.18)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from dicomcore.dataset.code import Code, code_of
from dicomcore.dataset.lookup import first_item, integers_of, text_of
from dicomcore.sr.item import ContentItem, Position, Template
from dicomcore.sr.table import Table
from dicomcore.sr.values import Coordinates, ImageReference, Numeric, Reference, TemporalRange, WaveformReference
from dicomcore.uids import UID
from dicomcore.values import PersonName

if TYPE_CHECKING:
    from dicomcore.dataset import Dataset

__all__ = ["RELATIONSHIPS", "VALUE_TYPES", "attributes_of", "item_of"]

RELATIONSHIPS = frozenset(
    (
        *("CONTAINS", "HAS PROPERTIES", "HAS OBS CONTEXT", "HAS ACQ CONTEXT", "INFERRED FROM", "SELECTED FROM"),
        "HAS CONCEPT MOD",
    )
)


class ValueType(NamedTuple):
    """A value type: the functions that read its value (None if missing) and write it, and the class of the value."""

    keyword: str
    """The attribute that such an item must have."""
    read: Callable[[Dataset], Any]
    write: Callable[[Any], dict[str, Any]]
    kind: type | tuple[type, ...]


def _text(keyword: str, kind: type = str) -> ValueType:
    def read(data_set: Dataset) -> Any:
        value = text_of(data_set, keyword)
        return value if value is None or kind is str else kind(value)

    return ValueType(keyword, read, lambda value: {keyword: value}, str)


def _own(keyword: str, kind: Any, read: Callable[[Dataset], Any] | None = None) -> ValueType:
    return ValueType(keyword, read or kind.of, kind.plain, kind)


VALUE_TYPES: dict[str, ValueType] = {
    "CONTAINER": ValueType("ContinuityOfContent", lambda data_set: None, lambda value: {}, type(None)),
    "TEXT": _text("TextValue"),
    "DATE": _text("Date"),
    "TIME": _text("Time"),
    "DATETIME": _text("DateTime"),
    "UIDREF": _text("UID", UID),
    "PNAME": _text("PersonName", PersonName),
    "CODE": ValueType(
        "ConceptCodeSequence",
        lambda data_set: code_of(data_set, "ConceptCodeSequence"),
        lambda code: {"ConceptCodeSequence": [code.plain()]},
        Code,
    ),
    "NUM": _own("MeasuredValueSequence", Numeric),
    "COMPOSITE": _own("ReferencedSOPSequence", Reference),
    "IMAGE": _own("ReferencedSOPSequence", ImageReference),
    "WAVEFORM": _own("ReferencedSOPSequence", WaveformReference),
    "SCOORD": _own("GraphicData", Coordinates, lambda data_set: Coordinates.of(data_set, 2)),
    "SCOORD3D": _own("GraphicData", Coordinates, lambda data_set: Coordinates.of(data_set, 3)),
    "TCOORD": _own("TemporalRangeType", TemporalRange),
    "TABLE": _own("TabulatedValuesSequence", Table),
}


def item_of(data_set: Dataset) -> ContentItem:
    """Read one item without its children; the target of a reference is still a position."""
    value_type = (text_of(data_set, "ValueType") or "").strip()
    known = VALUE_TYPES.get(value_type)
    return ContentItem(
        value_type,
        code_of(data_set, "ConceptNameCodeSequence"),
        known.read(data_set) if known else None,
        (text_of(data_set, "RelationshipType") or "").strip() or None,
        continuity=(text_of(data_set, "ContinuityOfContent") or "").strip() or None,
        template=_template(data_set),
        observed=text_of(data_set, "ObservationDateTime") or None,
        observation_uid=text_of(data_set, "ObservationUID") or None,
        target=integers_of(data_set, "ReferencedContentItemIdentifier") or None,
        source=data_set,
    )


def attributes_of(item: ContentItem, target: Position | None) -> dict[str, Any]:
    """Return the attributes of an item by keyword, without its children; `target` is the position of its target."""
    attributes: dict[str, Any] = {}
    if item.relationship:
        attributes["RelationshipType"] = item.relationship
    if target is not None:
        attributes["ReferencedContentItemIdentifier"] = list(target)
    if item.value_type:
        attributes["ValueType"] = item.value_type
    if item.concept is not None:
        attributes["ConceptNameCodeSequence"] = [item.concept.plain()]
    if item.continuity:
        attributes["ContinuityOfContent"] = item.continuity
    if item.observed:
        attributes["ObservationDateTime"] = item.observed
    if item.observation_uid:
        attributes["ObservationUID"] = item.observation_uid
    if item.template is not None:
        attributes["ContentTemplateSequence"] = [_plain_template(item.template)]
    if item.value is not None and item.value_type in VALUE_TYPES:
        attributes.update(VALUE_TYPES[item.value_type].write(item.value))
    return attributes


def _template(data_set: Dataset) -> Template | None:
    item = first_item(data_set, "ContentTemplateSequence")
    if item is None:
        return None
    return Template(
        text_of(item, "TemplateIdentifier") or "",
        text_of(item, "MappingResource") or "",
        text_of(item, "MappingResourceUID") or None,
        text_of(item, "TemplateVersion") or None,
    )


def _plain_template(template: Template) -> dict[str, Any]:
    plain: dict[str, Any] = {"MappingResource": template.mapping_resource, "TemplateIdentifier": template.identifier}
    if template.mapping_resource_uid:
        plain["MappingResourceUID"] = template.mapping_resource_uid
    if template.version:
        plain["TemplateVersion"] = template.version
    return plain

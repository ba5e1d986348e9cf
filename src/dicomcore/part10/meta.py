"""File meta information as PS3.10 7.1 requires it: its elements, and that they agree with the data set."""

from __future__ import annotations

from typing import Any

from dicomcore._native.write.judge import head_stands
from dicomcore._native.write.output import Output
from dicomcore.dataset import DataElement, Dataset
from dicomcore.dataset.state import file_index, has_own_preamble, meta_of, preamble_of
from dicomcore.encoding.composing import put_elements, refuse_set_groups
from dicomcore.encoding.syntax import encoding_of, is_as_labelled
from dicomcore.errors import EncodeError
from dicomcore.uids import ExplicitVRLittleEndian
from dicomcore.version import __version__

__all__ = ["IMPLEMENTATION_CLASS_UID", "IMPLEMENTATION_VERSION_NAME", "put_head", "put_meta"]

IMPLEMENTATION_CLASS_UID = "2.25.143671530364206471021391166482071927808"
IMPLEMENTATION_VERSION_NAME = "_".join(("DICOMCORE", *__version__.split(".")[:2]))  # 16 characters at most (SH)
PREFIX = b"DICM"
NO_PREAMBLE = bytes(128)
GROUP_LENGTH, VERSION, SOP_CLASS, SOP_INSTANCE = 0x00020000, 0x00020001, 0x00020002, 0x00020003
TRANSFER_SYNTAX, IMPLEMENTATION, IMPLEMENTATION_NAME = 0x00020010, 0x00020012, 0x00020013
IDENTITY = ((SOP_CLASS, 0x00080016), (SOP_INSTANCE, 0x00080018))  # tags in file meta and data set


def put_head(ds: Dataset, out: Output, syntax: str, enforce_standard: bool, repair: bool = False) -> None:
    """Append preamble, prefix and file meta information of `ds` to `out`, byte for byte if they need no change.

    `repair` writes at least preamble, group length and transfer syntax. Raises EncodeError if `enforce_standard` and
    the data set has no SOP Class UID or SOP Instance UID.
    """
    if enforce_standard:
        refuse_set_groups(ds)
    index = file_index(ds)
    preamble = preamble_of(ds)
    if index is not None and is_as_labelled(ds) and not has_own_preamble(ds) and meta_of(ds) is not None:
        same = syntax == index.transfer_syntax or not index.transfer_syntax or syntax == ds.transfer_syntax
        if same and (not (enforce_standard or repair) or head_stands(ds, index, enforce_standard)):
            out.add_source(index.source, index.source.first, index.body - index.source.first)
            return
    if not enforce_standard and not repair:
        if preamble:
            out.add(preamble + PREFIX)
        meta = meta_of(ds)
        if meta is not None and len(meta):
            put_meta(_with_syntax(meta, syntax), out, GROUP_LENGTH in meta)
        return
    if preamble is not None and len(preamble) != 128:
        raise EncodeError(f"a preamble has 128 bytes, not {len(preamble)} (PS3.10 7.1)")
    out.add((preamble or NO_PREAMBLE) + PREFIX)
    put_meta(complete(ds, syntax, enforce_standard), out, True)


def _with_syntax(meta: Dataset, syntax: str) -> Dataset:
    if meta.get("TransferSyntaxUID") in (None, "", syntax):
        return meta
    meta = meta.copy()
    meta.add_new(TRANSFER_SYNTAX, "UI", syntax)  # as UI, whatever VR a damaged header has
    return meta


def complete(ds: Dataset, syntax: str, needs_identity: bool = True) -> Dataset:
    """A copy of the data set's file meta information, completed for a transfer syntax (PS3.10 7.1).

    Raises EncodeError if it `needs_identity` and neither the file meta information nor the data set has the UID of the
    SOP class or instance.
    """
    stored = meta_of(ds)
    meta = stored.copy() if stored is not None else Dataset()
    for element in list(meta):
        if element.tag.group != 2:
            raise EncodeError(f"{element.tag} stands in the file meta information, which is group 0002 alone")
    for tag, own in IDENTITY:
        value = ds[own].value if own in ds else None
        if value:
            _put(meta, tag, "UI", value)
        elif needs_identity and not _value(meta, tag):
            named = DataElement(own, "UI", "").keyword
            raise EncodeError(
                f"the data set has no {named}, which a file names (PS3.10 7.1): set it, or give enforce_standard=False"
            )
    _put(meta, VERSION, "OB", _value(meta, VERSION) or b"\0\1")
    _put(meta, TRANSFER_SYNTAX, "UI", syntax)
    if not _value(meta, IMPLEMENTATION):
        _put(meta, IMPLEMENTATION, "UI", IMPLEMENTATION_CLASS_UID)
        _put(meta, IMPLEMENTATION_NAME, "SH", IMPLEMENTATION_VERSION_NAME)
    return meta


def _value(meta: Dataset, tag: int) -> Any:
    return meta[tag].value if tag in meta else None


def _put(meta: Dataset, tag: int, vr: str, value: Any) -> None:
    """Set an element unless it has this value already, since unchanged elements are copied."""
    if tag not in meta or (meta[tag].VR, meta[tag].value) != (vr, value):
        meta.add_new(tag, vr, value)


def put_meta(meta: Dataset, out: Output, with_length: bool) -> None:
    """Append the elements of `meta` in explicit VR little endian; `with_length` begins with their group length."""
    rest = meta.copy()
    if GROUP_LENGTH in rest:
        del rest[GROUP_LENGTH]
    part = Output()
    put_elements(rest, part, encoding_of(ExplicitVRLittleEndian), repair=True)
    body = part.whole()
    if with_length:
        out.add(b"\x02\0\0\0UL\x04\0" + len(body).to_bytes(4, "little"))
    out.add(body)

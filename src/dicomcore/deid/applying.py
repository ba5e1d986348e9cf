"""Applying a plan: a file or a data set in, a de-identified one out."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from dicomcore._native.deid.log import Log
from dicomcore._native.deid.redact import redact
from dicomcore._native.scan.index import Index
from dicomcore._native.views.dataset import make_dataset
from dicomcore._native.write.output import Output
from dicomcore.dataset import Dataset
from dicomcore.dataset.state import DATA_SET, index_of
from dicomcore.deid.crosswalk import Identity
from dicomcore.deid.marking import PIXELS, merged
from dicomcore.deid.plan import Plan
from dicomcore.encoding import decode, encode
from dicomcore.encoding.sources import Source
from dicomcore.encoding.syntax import own_syntax
from dicomcore.errors import DeidError, DicomError
from dicomcore.limits import DEFAULT_LIMITS, Limits
from dicomcore.part10.meta import IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION_NAME
from dicomcore.part10.reader import dcmread, open_source
from dicomcore.part10.target import Target, write_out
from dicomcore.part10.writer import to_bytes
from dicomcore.tags import Tag
from dicomcore.uids import ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

if TYPE_CHECKING:
    from dicomcore.deid.pixels import Box, Cleaned

__all__ = ["Outcome", "apply", "deidentify", "redacted"]

RULES = ("table", "override", "private", "VR", "graphics", "content", "undecodable", "unknown", "structure", "pixels")
ACTIONS = {"X": "removed", "Z": "emptied", "D": "dummy", "U": "mapped", "C": "cleaned", "K": "kept", "P": "pseudonym",
           "A": "age", "F": "function"}  # fmt: skip
SYNTAX_OF_MODE = {
    mode: str(uid).encode()
    for mode, uid in enumerate((ExplicitVRLittleEndian, ImplicitVRLittleEndian, ExplicitVRBigEndian))
}


def _element(tag: int, vr: bytes, value: bytes, pad: bytes) -> bytes:
    value += pad * (len(value) % 2)
    return tag.to_bytes(2, "little").join((b"\x02\0", vr)) + len(value).to_bytes(2, "little") + value


IMPLEMENTATION = _element(0x12, b"UI", IMPLEMENTATION_CLASS_UID.encode(), b"\0") + _element(
    0x13, b"SH", IMPLEMENTATION_VERSION_NAME.encode(), b" "
)


@dataclass(frozen=True)
class Outcome:
    """What was done to one file; it has no value of the file.

    `pixels` says whether the pixel data was cleaned, and a second look found nothing. `boxes` are
    what was blanked in them, `notes` remarks, as texts.
    """

    pixels: bool = False
    notes: tuple[str, ...] = ()
    boxes: tuple[Box, ...] = ()
    log: Log = field(default_factory=Log, repr=False, compare=False)

    @cached_property
    def rows(self) -> tuple[tuple[Tag, str, str, int], ...]:
        """The tag, the action, the rule and the number of elements, in ascending order of tag.

        Actions are ``"removed"``, ``"emptied"``, ``"dummy"``, ``"mapped"``, ``"cleaned"``, ``"kept"``, ``"pseudonym"``,
        ``"age"`` and ``"function"``. Rules are ``"table"``, ``"override"``, ``"private"``, ``"VR"`` for what no table
        knows, ``"graphics"``, ``"content"``, ``"undecodable"``, ``"unknown"``, ``"structure"`` and ``"pixels"``.
        Elements that no rule names and that stay are not counted.
        """
        return tuple((Tag(tag), ACTIONS[action], RULES[rule], count) for tag, action, rule, count in self.log.rows())

    @cached_property
    def counts(self) -> dict[tuple[str, str], int]:
        """The number of elements by action and rule."""
        found: dict[tuple[str, str], int] = {}
        for _, action, rule, count in self.rows:
            found[action, rule] = found.get((action, rule), 0) + count
        return found

    @property
    def undecodable(self) -> tuple[Tag, ...]:
        """The elements that were removed because nothing tells what they hold."""
        return tuple(tag for tag, action, rule, _ in self.rows if rule == "undecodable" and action == "removed")


def apply(
    src: Source,
    target: Target,
    plan: Plan,
    *,
    overwrite: bool = True,
    durable: bool = True,
    limits: Limits | None = None,
) -> Outcome:
    """De-identify a file (PS3.15 Annex E).

    Elements that stay are copied byte for byte, in the file's transfer syntax; pixel data is not read into memory.
    Nothing that is not an element stays: neither the preamble, nor padding, nor bytes behind the last element.

    Parameters
    ----------
    src : path, bytes-like, binary stream, or object with `size` and ``read_at(offset, length)``
        A DICOM file.
    target : path, binary stream or bytearray
        A file appears at the path when it is complete; after an error there is none, or the old one.
    plan : Plan
        What to do.
    overwrite : bool
        Replace an existing file; otherwise FileExistsError.
    durable : bool
        Wait until the disk holds the file.
    limits : Limits, optional
        Bounds on what is accepted from the input.

    Returns
    -------
    Outcome
        What was done, without any value of the input.

    Raises
    ------
    DeidError
        The file cannot be read whole, or not be de-identified by itself; nothing was written.
    OSError
        As open() and write() raise it.
    """
    out, outcome, _ = redacted(src, plan, limits)
    write_out(target, out, overwrite=overwrite, durable=durable)
    return outcome


def redacted(
    src: Source, plan: Plan, limits: Limits | None = None, *, identity: bool = False
) -> tuple[Output, Outcome, Identity | None]:
    """The de-identified file, still to be written, what was done, and if it is asked for the new identity.

    Raises as `apply` does.
    """
    return _redacted(_opened(src, DEFAULT_LIMITS if limits is None else limits), plan, identity)


def deidentify(ds: Dataset, plan: Plan) -> Dataset:
    """Return a de-identified data set; `ds` does not change.

    Raises DeidError as `apply` does.
    """
    index = index_of(ds)
    try:
        if index is None or index.bare:  # no file: there may be neither preamble nor file meta information
            syntax = str(own_syntax(ds))
            given = index_of(decode(encode(ds, syntax), syntax, limits=DEFAULT_LIMITS))
            assert given is not None
        else:
            given = open_source(to_bytes(ds), limits=DEFAULT_LIMITS, whole=True)
    except DicomError:
        raise DeidError("the data set cannot be encoded") from None
    return dcmread(_redacted(given, plan, False)[0].whole())


def _opened(src: Source, limits: Limits) -> Index:
    """The index of a file. Errors name no path: it may tell who the patient is."""
    try:
        return open_source(src, limits=limits, whole=True)
    except DicomError as error:
        raise DeidError(f"the input cannot be read: {type(error).__name__}") from None


def _redacted(index: Index, plan: Plan, identity: bool) -> tuple[Output, Outcome, Identity | None]:
    head = Output()
    body = Output() if index.inflated else head
    syntax = index.transfer_syntax.encode("latin-1", "replace") or SYNTAX_OF_MODE.get(index.mode & 3, b"")
    if not syntax:
        raise DeidError("the input does not tell its transfer syntax")
    if index.inflated and any(code == "DEFLATE" for code, *_ in index.deviations()[1]):
        raise DeidError("the deflated data set is damaged")
    cleaned = _cleaned(index, plan) if PIXELS in plan.options else None
    marks, pixels, value = plan.marks(pixels=False), 0, None
    if cleaned is not None:
        marks = merged(plan.marks(pixels=cleaned.burned_in == "NO"), cleaned.attributes)
        pixels, value = (0, None) if cleaned.pixel_data is None else (int(Tag(cleaned.keyword)), cleaned.pixel_data)
    try:
        log, names = redact(
            index, plan.rules, plan.maps, head, body, syntax=syntax, implementation=IMPLEMENTATION, marks=marks,
            pixels=pixels, cleaned=value, identity=identity,
        )  # fmt: skip
    except DeidError:
        raise
    except DicomError as error:
        raise DeidError(f"the input cannot be read: {type(error).__name__}") from None
    if index.inflated:
        _deflate(body, head)
    new = None if names is None else Identity(*names)
    if cleaned is None:
        return head, Outcome(log=log), new
    return head, Outcome(pixels=cleaned.burned_in == "NO", notes=cleaned.notes, boxes=cleaned.boxes, log=log), new


def _cleaned(index: Index, plan: Plan) -> Cleaned:
    """The pixel data without burned-in text. It is looked at beside the original attributes, which tell the device."""
    from dicomcore.deid.identifiers import gather  # these rooms are not needed without the option
    from dicomcore.deid.matching import romanized_names
    from dicomcore.deid.pixels import clean
    from dicomcore.deid.text import matches

    ds = make_dataset(Dataset, index, DATA_SET)
    options = dict(plan.pixels)
    if "identifiers" not in options and "is_identifying" not in options:
        known = gather(ds, uids=False)
        names = known.names | known.staff
        names |= {spelling for name in names for spelling in romanized_names(name)}  # as devices burn them in
        options["identifiers"] = sorted(names | known.ids | known.institutions | known.contacts)
        options["is_identifying"] = lambda text: bool(matches(text, known))
    try:
        return clean(ds, **options)
    except DicomError as error:
        raise DeidError(f"the pixel data cannot be cleaned: {type(error).__name__}") from None


def _deflate(body: Output, out: Output) -> None:
    """Append the deflated data set, padded to even length (PS3.5 A.5)."""
    deflater = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    made = b"".join([deflater.compress(chunk) for chunk in body.chunks()] + [deflater.flush()])
    out.add(made + b"\0" * (len(made) % 2))

"""The encodings of transfer syntaxes, the transfer syntax of a data set, and the transfer syntaxes that it refuses."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from dicomcore._native.write.judge import changed_elements
from dicomcore.dataset import Dataset
from dicomcore.dataset.state import file_index, index_of, is_changed, kept_meta
from dicomcore.errors import EncodeError
from dicomcore.syntaxes import syntax_of
from dicomcore.tags import PIXEL_DATA, PIXEL_TAGS
from dicomcore.uids import UID, ExplicitVRLittleEndian, GEPrivateImplicitVRBigEndianPixels

__all__ = [
    "Encoding",
    "encoding_of",
    "is_as_labelled",
    "own_syntax",
    "refuse_relabelling",
    "refuse_transcoding",
]


class Encoding(NamedTuple):
    """The encoding of data sets in a transfer syntax (PS3.5 Annex A)."""

    implicit: bool
    big: bool
    encapsulated: bool
    deflated: bool


@lru_cache(maxsize=256)
def encoding_of(syntax: UID) -> Encoding:
    """The encoding of a transfer syntax; unregistered ones: explicit VR little endian, encapsulated (PS3.5 10, A.4)."""
    row = syntax_of(syntax)
    return Encoding(row.implicit, row.big_endian, row.encapsulated, row.deflated)


def own_syntax(ds: Dataset) -> UID:
    """The transfer syntax that a data set states or was read in; Explicit VR Little Endian if it was made in memory."""
    return ds.transfer_syntax or ExplicitVRLittleEndian


def is_as_labelled(ds: Dataset) -> bool:
    """Whether the data set has the same label as when it was read: its file meta information was not changed."""
    index, stored = file_index(ds), kept_meta(ds)
    return index is not None and (stored is None or (index_of(stored) is index and not changed_elements(stored)))


def refuse_transcoding(ds: Dataset, own: UID, wanted: UID) -> None:
    """Raise EncodeError if pixel data must be decoded or encoded to change the transfer syntax."""
    if GEPrivateImplicitVRBigEndianPixels in (own, wanted) and any(tag in ds for tag in PIXEL_TAGS):
        raise EncodeError(
            f"{GEPrivateImplicitVRBigEndianPixels} has big-endian pixels behind a little-endian header: take the array "
            "from pixel_array and give it to set_pixels()"
        )
    is_coded, becomes_coded = encoding_of(own).encapsulated, encoding_of(wanted).encapsulated
    if (is_coded or becomes_coded) and any(tag in ds for tag in PIXEL_TAGS):
        raise EncodeError(
            f"from {own.name} to {wanted.name} pixel data must be {'decoded' if is_coded else 'encoded'}, which "
            "dicomcore.transcode() does"
        )


def refuse_relabelling(ds: Dataset, syntax: UID) -> None:
    """Raise EncodeError if a transfer syntax was set in the file meta information that unchanged pixel data can't have.

    Correcting a wrong label passes: fragments may get an encapsulated transfer syntax, native pixel data an
    uncompressed one.
    """
    index = file_index(ds)
    if index is None or syntax == index.transfer_syntax or is_as_labelled(ds) or not syntax.is_transfer_syntax:
        return
    pixels = ds[PIXEL_DATA] if PIXEL_DATA in ds else None  # noqa: SIM401 - get() gives its value
    if pixels is None or is_changed(pixels) or pixels.offset is None or not pixels.length:
        return  # the writer checks pixel data that was set
    if index.transfer_syntax == GEPrivateImplicitVRBigEndianPixels:
        refuse_transcoding(ds, GEPrivateImplicitVRBigEndianPixels, syntax)
    if pixels.is_undefined_length != syntax.is_encapsulated:
        state, remedy = ("is", "decodes") if pixels.is_undefined_length else ("is not", "encodes")
        raise EncodeError(
            f"{pixels.tag} {pixels.keyword}: {state} encapsulated, so that the transfer syntax can't be {syntax.name}: "
            f"dicomcore.transcode() {remedy} it",
            tag=pixels.tag,
        )

"""FrameCoder: checks arrays against the description of a file's frames, and encodes them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dicomcore.dataset import Dataset
from dicomcore.dataset.lookup import number_of
from dicomcore.encoding.syntax import encoding_of
from dicomcore.errors import DicomError, EncodeError, UnsupportedTransferSyntaxError
from dicomcore.pixels.coding.encoder_registry import FrameEncoder, encoder_for, refuse_idle_quality, refuse_unless_held
from dicomcore.pixels.description import FrameDescription
from dicomcore.pixels.labels import describe_pixels, note_loss, put
from dicomcore.pixels.setting import beyond_stored, unmasked
from dicomcore.syntaxes import SYNTAXES
from dicomcore.uids import UID, RLELossless

__all__ = ["FrameCoder"]

AS_DESCRIBED = frozenset(syntax.uid for syntax in SYNTAXES if syntax.format in ("uncompressed", "deflated"))
"""Encapsulated transfer syntaxes whose frames are laid out as Planar Configuration says (PS3.5 A.4.11, A.4.13)."""
OF_CODESTREAMS = frozenset(("YBR_FULL_422", "YBR_PARTIAL_422", "YBR_PARTIAL_420", "YBR_ICT", "YBR_RCT", "XYB"))
"""Colours of codestreams and 4:2:2 pairs only, never of (rows, columns, samples) arrays (PS3.3 C.7.6.3.1.2)."""


class FrameCoder:
    """Encodes the arrays of a file's frames, and updates the attributes that describe them.

    `encode` is the caller's own encoder; by default the registered one is used, with `quality`.
    """

    def __init__(
        self,
        ds: Dataset,
        description: FrameDescription,
        syntax: UID,
        *,
        encode: Callable[[Any], Any] | None = None,
        quality: float | None = None,
    ) -> None:
        self._description, self._syntax = description, syntax
        self._encode, self._quality = encode, quality
        self._high_bit = number_of(ds, "HighBit")
        self._encoder: FrameEncoder | None = None  # looked up for the first array
        self._given = self._made = 0  # bytes of all arrays, and of all their codestreams

    def checked(self, frame: Any, place: int) -> NDArray[Any]:
        """The frame at `place` as an array; raises EncodeError where it doesn't match the description."""
        pixels, wanted = unmasked(frame), self._description
        if wanted.bits_allocated == 1 and pixels.dtype == bool:
            pixels = pixels.view(np.uint8)
        if pixels.shape != wanted.shape or pixels.dtype.newbyteorder("=") != wanted.dtype:
            raise EncodeError(
                f"frame {place} is {pixels.dtype} {pixels.shape} where {wanted.dtype} {wanted.shape} was described"
            )
        beyond = beyond_stored(pixels, wanted.stored)
        if beyond:
            raise EncodeError(f"frame {place}: {beyond}")
        if self._encode is None:
            self._refuse_other_samples(place)
        return pixels

    def _refuse_other_samples(self, place: int) -> None:
        """Raise EncodeError where the description has a colour or a High Bit that an array can't have."""
        wanted = self._description
        if wanted.samples_per_pixel == 3 and wanted.photometric_interpretation in OF_CODESTREAMS:
            raise EncodeError(
                f"frame {place} is an array, and Photometric Interpretation {wanted.photometric_interpretation} is one "
                "of encoded frames: make it RGB or YBR_FULL, whichever the array is, or append encoded frames"
            )
        if self._high_bit not in (None, wanted.stored - 1):
            raise EncodeError(
                f"frame {place} is an array, whose samples stand in the lowest bits, and High Bit is {self._high_bit}: "
                f"make it {wanted.stored - 1}"
            )

    def coded(self, frame: Any, place: int) -> memoryview:
        """The codestream of the array that is the frame at `place`."""
        pixels = self.checked(frame, place)
        try:
            data = memoryview(self._encoded(pixels) if self._encode is None else self._encode(pixels)).cast("B")
        except (DicomError, MemoryError, OSError):
            raise
        except Exception as error:  # a foreign library may raise anything
            raise EncodeError(f"frame {place} can't be encoded: {error}") from error
        self._given, self._made = self._given + pixels.nbytes, self._made + len(data)
        return data

    def _encoded(self, pixels: NDArray[Any]) -> Any:
        if self._encoder is None:
            try:
                self._encoder = encoder_for(self._syntax)
            except UnsupportedTransferSyntaxError as error:
                raise EncodeError(f"{error}; codestreams can be appended as bytes, or give `encode`") from error
            refuse_unless_held(self._encoder, self._described)
            refuse_idle_quality(self._syntax, self._quality)
        if pixels.ndim == 3 and self._described.planar_configuration == 1 and self._syntax in AS_DESCRIBED:
            pixels = np.moveaxis(pixels, -1, 0)
        native = np.ascontiguousarray(pixels, pixels.dtype.newbyteorder("="))
        return self._encoder.encode(native, self._described, self._quality)

    @property
    def _described(self) -> FrameDescription:
        """The description with the Planar Configuration that the transfer syntax requires (PS3.5 8.2)."""
        by_plane = self._syntax in AS_DESCRIBED or self._syntax == RLELossless
        if by_plane or self._syntax.is_private or not encoding_of(self._syntax).encapsulated:
            return self._description
        return replace(self._description, planar_configuration=0)

    def describe(self, header: Dataset) -> None:
        """Update `header` to the encoded frames: Planar Configuration, colour, bits, lossy compression."""
        described = self._described
        if described.planar_configuration != self._description.planar_configuration:
            put(header, "PlanarConfiguration", described.planar_configuration)
        if self._encoder is not None:
            describe_pixels(header, described, self._encoder)
            if not self._encoder.lossless:
                note_loss(header, self._given / max(self._made, 1), self._encoder.method)

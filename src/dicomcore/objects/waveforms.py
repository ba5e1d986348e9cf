"""Waveform data as arrays: the multiplex groups of a Waveform Sequence (PS3.3 C.10.9, PS3.5 8.3)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import isfinite
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dicomcore.dataset.lookup import items_of
from dicomcore.dataset.state import is_in_big_endian
from dicomcore.errors import ParseError, TruncatedError
from dicomcore.tags import Tag

if TYPE_CHECKING:
    from dicomcore.dataset import DataElement, Dataset

__all__ = ["Waveforms"]

DTYPES = {  # Waveform Sample Interpretation (PS3.3 C.10.9.1.5): bits, little-endian dtype
    "SB": (8, "i1"),
    "UB": (8, "u1"),
    "MB": (8, "u1"),
    "AB": (8, "u1"),
    "SS": (16, "<i2"),
    "US": (16, "<u2"),
    "SL": (32, "<i4"),
    "UL": (32, "<u4"),
    "SV": (64, "<i8"),
    "UV": (64, "<u8"),
}


class Waveforms:
    """The multiplex groups of a data set, read on access.

    ``waveforms[i]`` is (samples, channels): the stored samples, in native byte order and the integer dtype of their
    width. ``waveforms.decode(i, scaled=True)`` returns them in the units of Channel Sensitivity.
    """

    def __init__(self, data_set: Dataset) -> None:
        """Raises ParseError if there is no Waveform Sequence, or if it does not consist of items."""
        if "WaveformSequence" not in data_set:
            raise ParseError("the data set has no Waveform Sequence (5400,0100)")
        items = data_set["WaveformSequence"].value
        if not isinstance(items, list):
            raise ParseError("the Waveform Sequence (5400,0100) holds no items")
        self._groups: Sequence[Dataset] = items

    def __len__(self) -> int:
        return len(self._groups)

    def __getitem__(self, index: int) -> NDArray[Any]:
        return self.decode(index)

    def __iter__(self) -> Iterator[NDArray[Any]]:
        return (self.decode(i) for i in range(len(self)))

    def decode(self, index: int, *, scaled: bool = False, keep_padding: bool = False) -> NDArray[Any]:
        """Return the samples of a multiplex group, (samples, channels), as a new array.

        With `scaled` they are float64 in the units of Channel Sensitivity: mu-law and A-law codes (MB, AB) are expanded
        to linear samples, multiplied by Channel Sensitivity and its Correction Factor, and Channel Baseline is added
        (PS3.3 C.10.9.1.4); a channel without these attributes keeps its numbers. Samples of the Waveform Padding Value,
        which stand for none (C.10.9), become NaN, unless `keep_padding` has them scaled like others.

        Raises IndexError, ParseError if an attribute is missing or invalid, and TruncatedError if there are fewer
        samples than stated.
        """
        if not -len(self) <= index < len(self):
            raise IndexError(f"multiplex group {index} of {len(self)}")
        group = self._groups[index]
        stored = _stored(group, index)
        return _scaled(stored, group, index, keep_padding) if scaled else stored


def _stored(group: Dataset, number: int) -> NDArray[Any]:
    names = ("NumberOfWaveformChannels", "NumberOfWaveformSamples", "WaveformBitsAllocated", "WaveformData")
    missing = [name for name in (*names, "WaveformSampleInterpretation") if group.get(name) in (None, "")]
    if missing:
        raise ParseError(f"multiplex group {number} has no {' and no '.join(missing)}")
    channels, samples, allocated = (_count(group, name, number) for name in names[:3])
    kind = str(group.WaveformSampleInterpretation).strip()
    bits, dtype = DTYPES.get(kind, (0, ""))
    if bits != allocated:
        raise ParseError(f"multiplex group {number} has {allocated} bits per sample but Sample Interpretation {kind!r}")
    element = group["WaveformData"]
    data = _little_endian(element, group)
    wanted = samples * channels
    if wanted * bits // 8 > len(data):
        raise TruncatedError(
            f"multiplex group {number} states {samples} samples of {channels} channels, {wanted * bits // 8} bytes;"
            f" {len(data)} are there",
            offset=element.offset,
            tag=element.tag,
        )
    stored = np.frombuffer(data, dtype, wanted).reshape(samples, channels)
    return stored.astype(stored.dtype.newbyteorder("="))


def _count(group: Dataset, name: str, number: int) -> int:
    value = group.get(name)
    if not isinstance(value, int) or value < 1:
        raise ParseError(f"multiplex group {number} has the {name} {value!r}")
    return value


def _little_endian(element: DataElement, group: Dataset) -> Any:
    """Return the bytes of Waveform Data in little endian; the 16-bit words of big-endian OW are swapped (PS3.5 8.3)."""
    raw = element.raw
    data = memoryview(element.value).cast("B") if raw is None else raw
    if raw is not None and is_in_big_endian(element) and element.VR == "OW":
        return np.frombuffer(data, ">u2", len(data) // 2).astype("<u2").tobytes()
    return data


def _scaled(stored: NDArray[Any], group: Dataset, number: int, keep_padding: bool) -> NDArray[np.float64]:
    kind = str(group.WaveformSampleInterpretation).strip()
    expanded = EXPANSIONS[kind][stored] if kind in EXPANSIONS else stored
    scaled = expanded.astype(np.float64)
    definitions = items_of(group, "ChannelDefinitionSequence")
    if definitions and len(definitions) != scaled.shape[1]:
        message = f"multiplex group {number} has {scaled.shape[1]} channels but defines {len(definitions)}"
        raise ParseError(message, tag=int(Tag("ChannelDefinitionSequence")))
    for channel, definition in enumerate(definitions):
        subject = f"channel {channel + 1} of multiplex group {number}"
        sensitivity = _number(definition, "ChannelSensitivity", 1.0, subject)
        correction = _number(definition, "ChannelSensitivityCorrectionFactor", 1.0, subject)
        baseline = _number(definition, "ChannelBaseline", 0.0, subject)
        scaled[:, channel] = scaled[:, channel] * sensitivity * correction + baseline
    padding = None if keep_padding else _padding(group, DTYPES[kind][1])
    if padding is not None:
        scaled[stored == padding] = np.nan
    return scaled


def _padding(group: Dataset, dtype: str) -> int | None:
    """The Waveform Padding Value as a sample; None if it is missing or shorter than one."""
    if not group.get("WaveformPaddingValue"):
        return None
    data = _little_endian(group["WaveformPaddingValue"], group)
    width = np.dtype(dtype).itemsize
    return int(np.frombuffer(data, dtype, 1)[0]) if len(data) >= width else None


def _number(definition: Dataset, name: str, default: float, subject: str) -> float:
    value = definition.get(name)
    if value is None or value == "" or value == []:
        return default
    if not isinstance(value, (int, float)) or not isfinite(value):
        raise ParseError(f"{subject} has the {name} {value!r}", offset=definition[name].offset, tag=int(Tag(name)))
    return float(value)


def _mu_law() -> NDArray[np.int16]:
    """Return the linear samples, of 14 bits, of the 256 mu-law codes (ITU-T G.711 table 2)."""
    code = ~np.arange(256, dtype=np.uint8)
    magnitude = (((code & 15).astype(np.int16) * 2 + 33) << (code >> 4 & 7)) - 33
    return np.where(code & 128, -magnitude, magnitude).astype(np.int16)


def _a_law() -> NDArray[np.int16]:
    """Return the linear samples, of 13 bits, of the 256 A-law codes (ITU-T G.711 table 1)."""
    code = np.arange(256, dtype=np.uint8) ^ 0x55
    segment = (code >> 4 & 7).astype(np.int16)
    low = (code & 15).astype(np.int16) * 2 + 1
    magnitude = np.where(segment == 0, low, (low + 32) << np.maximum(segment - 1, 0))
    return np.where(code & 128, magnitude, -magnitude).astype(np.int16)


EXPANSIONS = {"MB": _mu_law(), "AB": _a_law()}

"""pydicom.waveforms.numpy_handler: multiplex groups as arrays (PS3.3 C.10.9)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from numpy.typing import NDArray

from dicomcore.objects.waveforms import Waveforms

__all__ = [
    "DEPENDENCIES",
    "HANDLER_NAME",
    "WAVEFORM_DTYPES",
    "generate_multiplex",
    "is_available",
    "multiplex_array",
]

HAVE_NP = True
HANDLER_NAME = "Numpy Waveform"
DEPENDENCIES = {"numpy": ("https://numpy.org/", "NumPy")}
WAVEFORM_DTYPES = {
    (8, "SB"): "int8",
    (8, "UB"): "uint8",
    (8, "MB"): "uint8",
    (8, "AB"): "uint8",
    (16, "SS"): "int16",
    (16, "US"): "uint16",
    (32, "SL"): "int32",
    (32, "UL"): "uint32",
    (64, "SV"): "int64",
    (64, "UV"): "uint64",
}
NEEDED = (
    "NumberOfWaveformChannels",
    "NumberOfWaveformSamples",
    "WaveformBitsAllocated",
    "WaveformSampleInterpretation",
    "WaveformData",
)


def is_available() -> bool:
    """Whether NumPy is there."""
    return HAVE_NP


def generate_multiplex(ds: Any, as_raw: bool = True) -> Iterator[NDArray[Any]]:
    """Yield each multiplex group, see `multiplex_array`."""
    for index in range(len(_groups(ds))):
        yield multiplex_array(ds, index, as_raw)


def multiplex_array(ds: Any, index: int, as_raw: bool = True) -> NDArray[Any]:
    """A multiplex group, (samples, channels): as stored, or without `as_raw` as float64 in the channels' units.

    Raises AttributeError where something is missing.
    """
    group = _groups(ds)[index]
    missing = [keyword for keyword in NEEDED if keyword not in group]
    if missing:
        raise AttributeError(
            f"Unable to convert the waveform multiplex group with index {index} as the following required elements are "
            f"missing from the sequence item: {', '.join(missing)}"
        )
    WAVEFORM_DTYPES[group.WaveformBitsAllocated, group.WaveformSampleInterpretation]  # raises KeyError for no such pair
    if as_raw:
        return Waveforms(ds).decode(index)
    if "ChannelDefinitionSequence" not in group:
        raise AttributeError(f"the waveform multiplex group with index {index} has no ChannelDefinitionSequence")
    return Waveforms(ds).decode(index, scaled=True, keep_padding=True)


def _groups(ds: Any) -> Any:
    if "WaveformSequence" not in ds:
        raise AttributeError("No (5400,0100) Waveform Sequence element found in the dataset")
    return ds.WaveformSequence

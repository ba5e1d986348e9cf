"""multiplex_group: make an item of a Waveform Sequence from samples (PS3.3 C.10.9)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from dicomcore.dataset import Dataset
from dicomcore.dataset.building import Plain, build
from dicomcore.dataset.code import Code

__all__ = ["Channel", "multiplex_group"]

INTERPRETATIONS = {"i1": "SB", "u1": "UB", "i2": "SS", "u2": "US", "i4": "SL", "u4": "UL", "i8": "SV", "u8": "UV"}


@dataclass(frozen=True, slots=True)
class Channel:
    """A channel of a multiplex group: its source, and the unit of its samples."""

    source: Code
    """Channel Source, such as a lead of an ECG."""
    label: str = ""
    sensitivity: float | None = None
    """Channel Sensitivity, units per step of the samples; None for samples without a unit."""
    unit: Code | None = None
    correction: float = 1.0
    """Channel Sensitivity Correction Factor."""
    baseline: float = 0.0
    """Channel Baseline, the value of sample 0, in units."""

    def plain(self, number: int, bits: int) -> Plain:
        """Return the attributes of an item of the Channel Definition Sequence, by keyword."""
        attributes: Plain = {
            "WaveformChannelNumber": number,
            "ChannelSourceSequence": [self.source.plain()],
            "ChannelSampleSkew": 0,
            "WaveformBitsStored": bits,
        }
        if self.label:
            attributes["ChannelLabel"] = self.label
        if self.sensitivity is not None:
            if self.unit is None:
                raise ValueError(f"channel {number} has a sensitivity but no unit")
            attributes |= {
                "ChannelSensitivity": self.sensitivity,
                "ChannelSensitivityUnitsSequence": [self.unit.plain()],
                "ChannelSensitivityCorrectionFactor": self.correction,
                "ChannelBaseline": self.baseline,
            }
        return attributes


def multiplex_group(
    samples: ArrayLike, *, frequency: float, channels: Sequence[Channel], originality: str = "ORIGINAL"
) -> Dataset:
    """Make an item of a Waveform Sequence from integers, (samples, channels), with `frequency` samples per second.

    Use it as ``ds.WaveformSequence = [multiplex_group(…)]``; ``ds.waveforms[0]`` then returns the samples. The dtype of
    the samples, signed or unsigned integers of 8 to 64 bits, is kept in the file. Raises ValueError for other dtypes.
    """
    array = np.asarray(samples)
    kind = array.dtype.str[1:]
    if kind not in INTERPRETATIONS or array.ndim != 2 or not array.size:
        raise ValueError(f"samples are (samples, channels) of whole numbers, not {array.shape} of {array.dtype}")
    if array.shape[1] != len(channels):
        raise ValueError(f"there are {array.shape[1]} channels, but {len(channels)} are described")
    bits = array.itemsize * 8
    group = build(
        {
            "WaveformOriginality": originality,
            "NumberOfWaveformChannels": array.shape[1],
            "NumberOfWaveformSamples": array.shape[0],
            "SamplingFrequency": frequency,
            "ChannelDefinitionSequence": [channel.plain(i, bits) for i, channel in enumerate(channels, 1)],
            "WaveformBitsAllocated": bits,
            "WaveformSampleInterpretation": INTERPRETATIONS[kind],
        }
    )
    data = np.ascontiguousarray(array, array.dtype.newbyteorder("<")).tobytes()
    group.add_new("WaveformData", "OB" if bits == 8 else "OW", data + b"\0" * (len(data) % 2))
    return group

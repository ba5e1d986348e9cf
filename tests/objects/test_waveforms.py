"""Waveforms, compared with pydicom on real ECGs, and for every sample interpretation."""

from __future__ import annotations

import numpy as np
import pytest

import dicomcore as dc
from tests.support.corpus import real

ECGS = ("anonymous_ecg.dcm", "waveform_ecg.dcm")


@pytest.mark.parametrize("name", ECGS)
def test_real_ecgs_equal_those_of_pydicom(name):
    pydicom = pytest.importorskip("pydicom")
    path = real(name)
    theirs, ours = pydicom.dcmread(path), dc.dcmread(path).waveforms
    assert len(ours) == len(theirs.WaveformSequence)
    for i, stored in enumerate(ours):
        expected = theirs.waveform_array(i)
        scaled = ours.decode(i, scaled=True)
        assert np.array_equal(scaled, expected)
        raw = pydicom.waveforms.multiplex_array(theirs, i, as_raw=True)
        assert stored.dtype == raw.dtype
        assert np.array_equal(stored, raw)


def group(kind: str, bits: int, data: bytes, *, channels: int = 2, samples: int = 3) -> dc.Dataset:
    item = dc.Dataset()
    item.NumberOfWaveformChannels, item.NumberOfWaveformSamples = channels, samples
    item.WaveformBitsAllocated, item.WaveformSampleInterpretation = bits, kind
    item.add_new("WaveformData", "OW" if bits > 8 else "OB", data)
    return item


def of(*groups: dc.Dataset) -> dc.Dataset:
    data_set = dc.Dataset()
    data_set.WaveformSequence = list(groups)
    return data_set


KINDS = {
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


@pytest.mark.parametrize("kind", KINDS)
def test_every_sample_interpretation_is_read(kind):
    bits, dtype = KINDS[kind]
    data = bytes(range(0x79, 0x79 + 6 * bits // 8))
    samples = of(group(kind, bits, data + b"\0\0")).waveforms[0]
    assert samples.dtype == np.dtype(dtype).newbyteorder("=")
    assert samples.shape == (3, 2)
    assert np.array_equal(samples, np.frombuffer(data, dtype).reshape(3, 2))
    samples[0] = 0  # the array belongs to the caller


def test_samples_are_scaled_by_sensitivity_and_baseline():
    item = group("SS", 16, np.array([[1, 2], [3, 4], [-5, 6]], "<i2").tobytes())
    first, second = dc.Dataset(), dc.Dataset()
    first.ChannelSensitivity, first.ChannelSensitivityCorrectionFactor, first.ChannelBaseline = 2.5, 1.1, 3.0
    item.ChannelDefinitionSequence = [first, second]
    stored, scaled = of(item).waveforms[0], of(item).waveforms.decode(0, scaled=True)
    assert np.array_equal(scaled[:, 0], stored[:, 0] * 2.5 * 1.1 + 3.0)
    assert np.array_equal(scaled[:, 1], stored[:, 1])


@pytest.mark.parametrize("kind", ["SB", "UB", "MB", "SS", "US", "SL"])
def test_padding_is_no_sample(kind):
    bits, dtype = KINDS[kind]
    samples = np.array([[1, 2], [77, 4], [5, 77]], dtype)
    item = group(kind, bits, samples.tobytes())
    plain = of(item).waveforms.decode(0, scaled=True)
    item.add_new("WaveformPaddingValue", item["WaveformData"].VR, np.array([77], dtype).tobytes().ljust(2, b"\0"))
    scaled = of(item).waveforms.decode(0, scaled=True)
    assert np.array_equal(scaled, np.where(samples == 77, np.nan, plain), equal_nan=True)
    assert np.array_equal(of(item).waveforms[0], samples)
    assert np.array_equal(of(item).waveforms.decode(0, scaled=True, keep_padding=True), plain)


UNSCALABLE = {  # name: (definitions of two channels, part of the message)
    "infinite": (
        [{"ChannelSensitivity": float("inf")}, {}],
        "channel 1 of multiplex group 0 has the ChannelSensitivity",
    ),
    "a baseline of two values": (
        [{}, {"ChannelBaseline": [1.0, 2.0]}],
        "channel 2 of multiplex group 0 has the ChannelBaseline",
    ),
    "one channel": ([{"ChannelSensitivity": 2.0}], "has 2 channels but defines 1"),
}


@pytest.mark.parametrize(("definitions", "said"), UNSCALABLE.values(), ids=UNSCALABLE)
def test_samples_with_an_unreadable_unit_are_not_scaled(definitions, said):
    item = group("SS", 16, bytes(12))
    item.ChannelDefinitionSequence = [dc.Dataset() for _ in definitions]
    for definition, attributes in zip(item.ChannelDefinitionSequence, definitions, strict=True):
        for keyword, value in attributes.items():
            definition.add_new(keyword, "FD", value)  # a DS cannot be set to infinity
    assert of(item).waveforms[0].shape == (3, 2)
    with pytest.raises(dc.ParseError, match=said):
        of(item).waveforms.decode(0, scaled=True)


# From the tables of G.711: (code, linear sample), 14 bits for mu-law, 13 bits for A-law
LAWS = {
    "MB": [(0x00, -8031), (0x80, 8031), (0xFF, 0), (0x7F, 0), (0xFE, 2), (0x8F, 4191), (0x9F, 2079)],
    "AB": [(0x55, -1), (0xD5, 1), (0xAA, 4032), (0x2A, -4032), (0xC5, 33), (0xD4, 3), (0x80, 688)],
}


@pytest.mark.parametrize("kind", LAWS)
def test_companded_samples_are_expanded(kind):
    codes, linear = zip(*LAWS[kind], strict=True)
    found = of(group(kind, 8, bytes(codes), channels=1, samples=len(codes))).waveforms.decode(0, scaled=True)
    assert found[:, 0].tolist() == list(linear)


@pytest.mark.parametrize("kind", list(LAWS))
def test_companding_is_symmetric_and_distinct(kind):
    found = of(group(kind, 8, bytes(range(256)), channels=1, samples=256)).waveforms.decode(0, scaled=True)[:, 0]
    assert sorted(found.tolist()) == sorted((-found).tolist())
    assert len(set(found.tolist())) == (255 if kind == "MB" else 256)


def test_missing_and_truncated_waveforms_are_refused():
    with pytest.raises(dc.ParseError, match="no Waveform Sequence"):
        dc.Dataset().waveforms  # noqa: B018
    short = of(group("SS", 16, bytes(10))).waveforms
    with pytest.raises(dc.TruncatedError, match="states 3 samples of 2 channels, 12 bytes; 10 are there"):
        short[0]
    with pytest.raises(IndexError):
        short[1]
    bare = group("SS", 16, bytes(12))
    del bare.NumberOfWaveformSamples
    with pytest.raises(dc.ParseError, match="no NumberOfWaveformSamples"):
        of(bare).waveforms[0]
    for item in (group("SS", 8, bytes(12)), group("XX", 8, bytes(12)), group("SS", 16, bytes(12), channels=0)):
        with pytest.raises(dc.ParseError):
            of(item).waveforms[0]


def test_a_claim_beyond_the_data_allocates_nothing():
    with pytest.raises(dc.TruncatedError):
        of(group("SL", 32, bytes(64), channels=65535, samples=0xFFFFFFFF)).waveforms[0]


def test_a_waveform_sequence_without_items_is_refused():
    data_set = dc.Dataset()
    data_set.add_new("WaveformSequence", "UN", b"no items")
    with pytest.raises(dc.ParseError, match="holds no items"):
        _ = data_set.waveforms

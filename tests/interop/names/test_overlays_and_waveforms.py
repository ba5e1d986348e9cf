"""pydicom.overlays and pydicom.waveforms under install(), against pydicom itself."""

from __future__ import annotations

import pytest

from tests.interop.names.both import Both, answers

SETUP = r"""
import numpy as np
from struct import pack
from pydicom import dcmread
from pydicom.data import get_testdata_file
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.overlays import get_overlay_array
from pydicom.overlays import numpy_handler as overlays
from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian
from pydicom.waveforms import generate_multiplex, multiplex_array
from pydicom.waveforms import numpy_handler as waveforms

def told(array):
    return str(array.dtype), array.shape, array.reshape(-1)[:99].tolist(), float(array.astype(float).sum())
def overlay(data, rows=3, columns=5, frames=None, leave=(), group=0x6000, VR="OB", syntax=ExplicitVRLittleEndian):
    ds = Dataset()
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = syntax
    elements = {0x10: ("US", rows), 0x11: ("US", columns), 0x15: ("IS", frames), 0x100: ("US", 1), 0x102: ("US", 0),
                0x3000: (VR, data)}
    for element, (vr, value) in elements.items():
        if value is not None and element not in leave:
            ds.add_new((group, element), vr, value)
    return ds
def wave(data, channels=2, samples=3, bits=16, kind="SS", leave=(), definitions=None, VR="OW"):
    group = Dataset()
    values = dict(NumberOfWaveformChannels=channels, NumberOfWaveformSamples=samples, WaveformBitsAllocated=bits,
                  WaveformSampleInterpretation=kind)
    for keyword, value in values.items():
        if keyword not in leave:
            setattr(group, keyword, value)
    if "WaveformData" not in leave:
        group.add_new("WaveformData", VR, data)
    if definitions is not None:
        group.ChannelDefinitionSequence = []
        for definition in definitions:
            item = Dataset()
            for keyword, value in definition.items():
                setattr(item, keyword, value)
            group.ChannelDefinitionSequence.append(item)
    ds = Dataset()
    ds.WaveformSequence = [group]
    return ds
ECG = dcmread(get_testdata_file("waveform_ecg.dcm"))
REAL = dcmread(get_testdata_file("examples_overlay.dcm"))
WORDS = pack("<6h", -3, 2, 1, 0, 500, -32768)
SCALED = [dict(ChannelSensitivity="1.25", ChannelSensitivityCorrectionFactor="2", ChannelBaseline="-1"), {}]
"""
NEEDED = (
    "NumberOfWaveformChannels",
    "NumberOfWaveformSamples",
    "WaveformBitsAllocated",
    "WaveformSampleInterpretation",
    "WaveformData",
)
SAME = {
    "overlay of a file": "[told(get_overlay_array(REAL, group)) for group in (0x6000, 0x6000)]",
    "overlay": "told(get_overlay_array(overlay(b'\\x93\\x5a'), 0x6000)), told(get_overlay_array(overlay(b'\\x93\\x5a',"
    " group=0x6004), 0x6004))",
    "overlay of frames": "[told(get_overlay_array(overlay(bytes(range(64)), frames=frames), 0x6000)) for frames in"
    " (1, 3)]",
    "overlay of no frames": "get_overlay_array(overlay(b'', frames=0), 0x6000)",
    "overlay that is not there": "get_overlay_array(overlay(b'\\x93\\x5a'), 0x6002)",
    **{
        f"overlay without {element:X}": f"get_overlay_array(overlay(b'12', leave=({element},)), 0x6000)"
        for element in (0x10, 0x11, 0x100, 0x3000)
    },
    "overlay without a bit position": "told(get_overlay_array(overlay(b'12', leave=(0x102,)), 0x6000))",
    "overlay that is too short": "get_overlay_array(overlay(b'12', rows=99), 0x6000)",
    "overlay that is too long": "told(get_overlay_array(overlay(b'1234'), 0x6000))",
    "parts of the overlay handler": "overlays.is_available(), overlays.HANDLER_NAME, overlays.DEPENDENCIES,"
    " [overlays.get_expected_length(dict(OverlayRows=3, OverlayColumns=5, NumberOfFramesInOverlay=7), unit) for unit in"
    " ('bytes', 'pixels')], told(overlays.reshape_overlay_array(dict(OverlayRows=3, OverlayColumns=5,"
    " NumberOfFramesInOverlay=2), np.arange(30)))",
    "waveforms of a file": "[[told(group) for group in generate_multiplex(ECG, raw)] for raw in (True, False)],"
    " told(multiplex_array(ECG, 1)), told(multiplex_array(ECG, -1, as_raw=False))",
    "a waveform that is not there": "multiplex_array(ECG, 2)",
    "no waveforms": "multiplex_array(Dataset(), 0)",
    "no waveforms to generate": "list(generate_multiplex(Dataset()))",
    "samples": "[told(multiplex_array(wave(WORDS * 4, channels, samples, bits, kind), 0)) for channels, samples in"
    " ((2, 3), (1,"
    " 6)) for bits, kind in ((8, 'SB'), (8, 'UB'), (8, 'MB'), (8, 'AB'), (16, 'SS'), (16, 'US'), (32, 'SL'), (32,"
    " 'UL'),"
    " (64, 'SV'), (64, 'UV'))]",
    "samples in units": "told(multiplex_array(wave(WORDS, definitions=SCALED), 0, as_raw=False))",
    "samples without units": "multiplex_array(wave(WORDS), 0, as_raw=False)",
    "samples of other bits": "multiplex_array(wave(WORDS, bits=8), 0)",
    "too few samples": "multiplex_array(wave(WORDS, samples=9), 0)",
    **{f"waveform without {keyword}": f"multiplex_array(wave(WORDS, leave=({keyword!r},)), 0)" for keyword in NEEDED},
    "parts of the waveform handler": "waveforms.is_available(), waveforms.HANDLER_NAME, waveforms.DEPENDENCIES,"
    " waveforms.WAVEFORM_DTYPES",
}
BOTH = Both(SETUP, SAME)


@pytest.mark.parametrize("name", SAME)
def test_as_in_pydicom(name):
    BOTH.check(name)


def test_overlay_in_big_endian():
    """Words of big-endian OW have their bytes swapped (PS3.5 7.3), which pydicom leaves out."""
    setup = f"""{SETUP}
from io import BytesIO
def read_again(data, syntax, little):
    ds, file = overlay(data, 2, 8, VR='OW', syntax=syntax), BytesIO()
    ds.save_as(file, implicit_vr=False, little_endian=little)
    assert (data if little else data[::-1]) in file.getvalue()
    return get_overlay_array(dcmread(BytesIO(file.getvalue()), force=True), 0x6000).tolist()
"""
    cases = {
        "little": "read_again(b'\\x93\\x5a', ExplicitVRLittleEndian, True)",
        "big": "read_again(b'\\x93\\x5a', ExplicitVRBigEndian, False)",
    }
    found = answers(setup, cases, ours=True)
    rows = [list("11001001"), list("01011010")]
    assert found == {"little": ["value", rows, False], "big": ["value", rows, False]}

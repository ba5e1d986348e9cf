"""What dicomcore makes has no findings: neither beside its IOD nor across attributes."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

import dicomcore as dc
from dicomcore.iod import check
from dicomcore.objects import Channel, Code, encapsulate, make_segmentation, multiplex_group
from dicomcore.syntaxes import SYNTAXES
from dicomcore.transcoding import transcode
from tests.objects.test_segmentation import mask, sources
from tests.support.corpus import real


def segmentation(kind: str) -> dc.Dataset:
    cells = np.stack([mask() == 1, mask() == 2], axis=-1)
    return make_segmentation(cells, sources(), segments=["one", "two"], kind=kind)


def waveform() -> dc.Dataset:
    ds = dc.dcmread(real("waveform_ecg.dcm"))
    samples = np.zeros((100, 1), "i2")
    samples[:, 0] = np.arange(100)
    ds.WaveformSequence = dc.Sequence(
        [multiplex_group(samples, frequency=500.0, channels=[Channel(Code("2:1", "MDC", "Lead I"))])]
    )
    return ds


def series(change: Callable[[dc.Dataset], object]) -> dc.Dataset:
    ds = dc.dcmread(real("CT_small.dcm"))
    change(ds)
    return ds


def capture(pixels: np.ndarray, **options: str) -> dc.Dataset:
    """A secondary capture, which may have any pixels."""
    ds = dc.dcmread(real("SC_rgb_rle.dcm"))
    ds.set_pixels(pixels, **options)
    return ds


MADE: dict[str, Callable[[], dc.Dataset]] = {
    "binary segmentation": lambda: segmentation("binary"),
    "fractional segmentation": lambda: segmentation("fractional"),
    "waveform": waveform,
    "document": lambda: encapsulate(b"%PDF-1.4 odd" + b"!", kind="pdf", title="a"),
    "mesh": lambda: encapsulate(b"v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 3\n", kind="obj", source=series(lambda ds: None)),
    "pixels of 16 bits": lambda: series(lambda ds: ds.set_pixels(np.zeros((3, 5), "u2"))),
    "pixels of 8 bits": lambda: capture(np.zeros((3, 5), "u1")),
    "pixels in colour": lambda: capture(np.zeros((3, 5, 3), "u1"), photometric_interpretation="RGB"),
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", MADE)
def test_made(name: str) -> None:
    report = check(MADE[name]())
    assert list(report) == [], str(report)


@pytest.mark.parametrize("name", [one.short_name for one in SYNTAXES if one.encoder])
def test_transcoded(name: str) -> None:
    """Three frames of a photograph, of 8 bits, in each transfer syntax that can have them."""
    made = bytearray()
    source = real("examples_ybr_color.dcm")
    transcode(source, made, name, frames=range(3))
    report = check(bytes(made))
    assert list(report) == [], str(report)


@pytest.mark.filterwarnings("ignore")
def test_references_that_are_not_listed() -> None:
    """Frames are derived from instances, of which Common Instance Reference lists none (PS3.3 C.12.2)."""
    made = segmentation("binary")
    del made.ReferencedSeriesSequence
    assert 0x00081115 in {finding.tag for finding in check(made)}


@pytest.mark.filterwarnings("ignore")
def test_segmentation_without_plane_orientation() -> None:
    """Without Image Orientation (Patient) Patient Orientation is due (PS3.3 C.7.6.1)."""
    made = segmentation("binary")
    del made.SharedFunctionalGroupsSequence[0].PlaneOrientationSequence
    del made.FrameOfReferenceUID
    assert 0x00200020 in {finding.tag for finding in check(made)}

"""Damaged reports, segmentations, structure sets and documents are read, or refused with our own exceptions."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import numpy as np
import pytest

import dicomcore as dc
from dicomcore import sr
from dicomcore.objects import Presentation, Segmentation, Structures, encapsulate, extract, make_segmentation
from tests.support.corpus import real
from tests.support.mutate import mutants


def read_report(ds: dc.Dataset) -> None:
    report = sr.read(ds)
    assert report.outline()
    assert report.html()
    assert report.write() == ds or report.issues or ds.issues


def read_segmentation(ds: dc.Dataset) -> None:
    segmentation = Segmentation(ds)
    assert isinstance(segmentation.issues, tuple)
    if len(segmentation.segments):
        segmentation.array(segmentation.segments[0].number or 0)


def read_structures(ds: dc.Dataset) -> None:
    for roi in Structures(ds):
        assert roi.points.shape[1] == 3
        assert np.isfinite(roi.points).all()


def read_document(ds: dc.Dataset) -> None:
    assert isinstance(extract(ds).data, bytes)


def read_presentation(ds: dc.Dataset) -> None:
    state = Presentation(ds)
    assert isinstance(state.annotations, tuple)


def document() -> bytes:
    return encapsulate(b"%PDF-1.4 " + bytes(40), kind="pdf").to_bytes()


def cine() -> bytes:
    from tests.objects.test_segmentation import dotted, plane

    images = [plane(number, 3.0) for number in range(3)]
    return make_segmentation(dotted(0, 1, 2), images, segments=["a", "b", "c"]).to_bytes()


def presentation() -> bytes:
    from tests.objects.test_objects import state

    data_set = state()
    data_set.SOPClassUID, data_set.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.11.1", "1.2.3"
    data_set.ShutterShape, data_set.CenterOfCircularShutter, data_set.RadiusOfCircularShutter = "CIRCULAR", [5, 5], 3
    return data_set.to_bytes()


READERS = {  # name: (function that returns the bytes, function that reads the data set)
    "report": (lambda: real("test-SR.dcm").read_bytes(), read_report),
    "measurements": (lambda: real("reportsi.dcm").read_bytes(), read_report),
    "segmentation": (lambda: real("24x38x3/seg/label.seg").read_bytes(), read_segmentation),
    "cine segmentation": (cine, read_segmentation),
    "structures": (lambda: real("rtstruct.dcm").read_bytes(), read_structures),
    "document": (document, read_document),
    "presentation": (presentation, read_presentation),
}


@pytest.mark.parametrize(("data", "read"), READERS.values(), ids=READERS)
def test_damaged_files_raise_only_our_exceptions(data, read):
    for damaged in mutants(data(), 51, 250):
        try:
            read(dc.dcmread(damaged, force=True))
        except (dc.DicomError, KeyError) as error:
            assert isinstance(error, dc.DicomError) or "segment" in str(error)


@pytest.mark.parametrize(("data", "read"), READERS.values(), ids=READERS)
def test_truncated_files_raise_only_our_exceptions(data, read):
    whole = data()
    for end in range(132, len(whole), max(len(whole) // 120, 1)):
        try:
            read(dc.dcmread(whole[:end], force=True))
        except (dc.DicomError, KeyError) as error:
            assert isinstance(error, dc.DicomError) or "segment" in str(error)


def test_imports_load_no_heavy_library():
    code = (
        "import sys, dicomcore, dicomcore.sr; "
        "assert not {'pydicom', 'imagecodecs', 'highdicom'} & set(sys.modules), 'heavy'; "
        "import dicomcore.objects; assert not {'pydicom', 'imagecodecs', 'highdicom'} & set(sys.modules)"
    )
    import sys

    environment = {**os.environ, "PYTHONPATH": str(Path(dc.__file__).parents[1])}
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60, env=environment)

"""highdicom on converted data sets: it reads and references them, and what it makes is converted byte for byte."""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pydicom
import pytest

import dicomcore as dc
from dicomcore import objects, sr
from dicomcore.interop.pydicom import register, unregister
from tests.support.corpus import real
from tests.support.volume_files import image

hd = pytest.importorskip("highdicom", reason="highdicom is not installed: its side of the bridge is not tested")

from pydicom.sr.codedict import codes  # noqa: E402
from pydicom.uid import JPEGLSLossless, RLELossless  # noqa: E402

Maker = Callable[[Any], Any]
CT = real("CT_small.dcm")
MADE_UP = re.compile(r"^(2\.25|1\.2\.826\.0\.1\.3680043)\.")
"""UIDs that highdicom draws."""


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def ids(number: int) -> dict[str, Any]:
    """The identifiers that every object of highdicom takes."""
    uids = {"series_instance_uid": "1.2.3", "sop_instance_uid": "1.2.3.4"}
    return {**uids, "series_number": 1, "instance_number": number}


def device(**more: Any) -> dict[str, Any]:
    named = {"manufacturer": "Maker", "manufacturer_model_name": "Model", "software_versions": "1"}
    return {**ids(1), **named, "device_serial_number": "S", **more}


def segmentation(kind: str, syntax: str | None = None) -> Maker:
    def make(source: Any) -> Any:
        described = hd.seg.SegmentDescription(
            1, "Liver", codes.SCT.Organ, codes.SCT.Liver, hd.seg.SegmentAlgorithmTypeValues.MANUAL
        )
        mask = np.zeros((source.Rows, source.Columns), float if kind == "FRACTIONAL" else np.uint8)
        mask[3:50, 5:70] = 1
        more = {"transfer_syntax_uid": syntax} if syntax else {}
        return hd.seg.Segmentation([source], mask, kind, [described], **device(**more))

    return make


def secondary_capture(source: Any) -> Any:
    return hd.sc.SCImage.from_ref_dataset(
        source,
        pixel_array=np.arange(12 * 16, dtype=np.uint16).reshape(12, 16),
        photometric_interpretation="MONOCHROME2",
        bits_allocated=16,
        coordinate_system="PATIENT",
        patient_orientation=("L", "P"),
        **{**ids(2), "manufacturer": "Maker"},
    )


def parametric_map(source: Any) -> Any:
    values = np.linspace(0, 1, source.Rows * source.Columns, dtype=np.float32).reshape(source.Rows, source.Columns)
    mapping = hd.pm.RealWorldValueMapping(
        lut_label="1", lut_explanation="none", unit=codes.UCUM.NoUnits, value_range=[0.0, 1.0], slope=1, intercept=0
    )
    return hd.pm.ParametricMap(
        [source],
        values,
        contains_recognizable_visual_features=False,
        real_world_value_mappings=[mapping],
        window_center=0.5,
        window_width=1,
        **device(),
    )


def presentation_state(source: Any) -> Any:
    graphic = hd.pr.GraphicObject("POLYLINE", np.array([[1.0, 1.0], [10.0, 5.5]]), units="PIXEL")
    layer = hd.pr.GraphicLayer("LAYER", order=1, display_color=None)
    text = hd.pr.TextObject("Größe", anchor_point=(2.0, 3.0), units="PIXEL")
    annotation = hd.pr.GraphicAnnotation([source], layer, graphic_objects=[graphic], text_objects=[text])
    return hd.pr.GrayscaleSoftcopyPresentationState(
        [source],
        content_label="NOTES",
        graphic_annotations=[annotation],
        graphic_layers=[layer],
        **device(institution_name="Krankenhaus"),
    )


def report(source: Any) -> Any:
    observer = hd.sr.ObserverContext(
        observer_type=codes.DCM.Person,
        observer_identifying_attributes=hd.sr.PersonObserverIdentifyingAttributes(name="Müller^Jörg"),
    )
    region = hd.sr.ImageRegion(
        graphic_type=hd.sr.GraphicTypeValues.POLYLINE,
        graphic_data=np.array([[1.0, 1.0], [9.0, 1.0], [9.0, 9.0], [1.0, 1.0]]),
        source_image=hd.sr.SourceImageForRegion(source.SOPClassUID, source.SOPInstanceUID),
    )
    group = hd.sr.PlanarROIMeasurementsAndQualitativeEvaluations(
        tracking_identifier=hd.sr.TrackingIdentifier("1.2.3.9", "region"),
        referenced_region=region,
        finding_type=codes.SCT.Organ,
        measurements=[hd.sr.Measurement(name=codes.SCT.Area, value=12.5, unit=codes.UCUM.SquareMillimeter)],
    )
    content = hd.sr.MeasurementReport(
        observation_context=hd.sr.ObservationContext(observer_person_context=observer),
        procedure_reported=codes.LN.CTUnspecifiedBodyRegion,
        imaging_measurements=[group],
    )
    return hd.sr.Comprehensive3DSR(
        evidence=[source], content=content[0], **{**ids(1), "manufacturer": "Maker", "is_complete": True}
    )


MAKERS: dict[str, Maker] = {
    "binary segmentation": segmentation("BINARY"),
    "fractional segmentation": segmentation("FRACTIONAL"),
    "label map": segmentation("LABELMAP"),
    "fractional segmentation, RLE": segmentation("FRACTIONAL", RLELossless),
    "label map, JPEG-LS": segmentation("LABELMAP", JPEGLSLossless),
    "secondary capture": secondary_capture,
    "parametric map": parametric_map,
    "presentation state": presentation_state,
    "report": report,
}
EVERY = pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)


def converted() -> Any:
    return dc.dcmread(CT).to_pydicom()


def told(value: Any) -> Any:
    """A data set's JSON without what differs each time: dates, times and drawn UIDs."""
    if isinstance(value, list):
        return [told(one) for one in value]
    if not isinstance(value, dict):
        return "drawn" if isinstance(value, str) and MADE_UP.match(value) else value
    return {key: told(one) for key, one in value.items() if not (isinstance(one, dict) and one.get("vr") in TIMES)}


TIMES = ("DA", "TM", "DT")


def saved(made: Any) -> bytes:
    stream = io.BytesIO()
    made.save_as(stream)
    return stream.getvalue()


@EVERY
def test_it_makes_the_same_of_a_converted_data_set(make: Maker):
    assert told(make(converted()).to_json_dict()) == told(make(pydicom.dcmread(CT)).to_json_dict())


@EVERY
def test_what_it_makes_is_converted_byte_for_byte(make: Maker):
    made = make(converted())
    ours = dc.from_pydicom(made)
    assert ours.to_bytes() == saved(made)
    assert ours == dc.dcmread(saved(made))
    assert ours.to_pydicom() == pydicom.dcmread(io.BytesIO(saved(made)))


@pytest.mark.parametrize("name", [name for name in MAKERS if name not in ("report", "presentation state")])
def test_pixels_are_the_same(name: str):
    made = MAKERS[name](converted())
    wanted = made.pixel_array
    assert np.array_equal(dc.from_pydicom(made).pixel_array, wanted)
    assert np.array_equal(dc.dcmread(saved(made)).to_pydicom().pixel_array, wanted)


def test_segmentations_are_read():
    for kind in ("BINARY", "FRACTIONAL", "LABELMAP"):
        made = segmentation(kind)(converted())
        ours = objects.Segmentation(dc.from_pydicom(made))
        assert ours.segment(1).label == "Liver"
        assert np.array_equal(np.squeeze(ours.array(1)) > 0, np.squeeze(made.pixel_array) > 0)


def test_presentation_states_are_read():
    ours = objects.Presentation(dc.from_pydicom(presentation_state(converted())))
    assert "Größe" in repr(list(ours.annotations))


def test_reports_are_read():
    lines = "\n".join(sr.outline(sr.read(dc.from_pydicom(report(converted()))).root))
    assert "Müller^Jörg" in lines
    assert "12.5" in lines


READERS = {  # name: (what is made, the class that reads it)
    "segmentation": (segmentation("BINARY"), lambda ds: hd.seg.Segmentation.from_dataset(ds)),
    "label map": (segmentation("LABELMAP"), lambda ds: hd.seg.Segmentation.from_dataset(ds)),
    "parametric map": (parametric_map, lambda ds: hd.pm.ParametricMap.from_dataset(ds)),
    "report": (report, lambda ds: hd.sr.Comprehensive3DSR.from_dataset(ds)),
    "image": (secondary_capture, lambda ds: hd.Image.from_dataset(ds)),
}


@pytest.mark.parametrize("copy", [True, False])
@pytest.mark.parametrize(("make", "read"), READERS.values(), ids=READERS)
def test_its_classes_read_converted_data_sets(make: Maker, read: Maker, copy: bool):
    data = saved(make(converted()))
    theirs, ours = read(pydicom.dcmread(io.BytesIO(data))), read(dc.dcmread(data).to_pydicom())
    assert type(ours) is type(theirs)
    assert ours == theirs
    assert dc.from_pydicom(ours).to_bytes() == data
    if hasattr(theirs, "get_frames") and "PixelData" in theirs:
        assert np.array_equal(ours.get_frames(), theirs.get_frames())


def test_volumes():
    series = [image(np.full((4, 5), number, np.int16), (0, 0, 2.5 * number)) for number in range(3)]
    ours = [dc.from_pydicom(one).to_pydicom() for one in series]
    volume, wanted = hd.get_volume_from_series(ours), hd.get_volume_from_series(series)
    assert np.array_equal(volume.array, wanted.array)
    assert np.array_equal(volume.affine, wanted.affine)
    data = saved(segmentation("BINARY")(converted()))
    both = dc.dcmread(data).to_pydicom(), pydicom.dcmread(io.BytesIO(data))
    ours, theirs = (hd.seg.Segmentation.from_dataset(one).get_volume() for one in both)
    assert np.array_equal(ours.array, theirs.array)


@pytest.mark.thread_unsafe(reason="registers with pydicom")
def test_its_frames_are_decoded_by_the_plugin():
    """`register` leaves nothing of highdicom's answers changed, and `unregister` takes it away again."""
    files = {name: saved(MAKERS[name](converted())) for name in MAKERS if "RLE" in name or "JPEG-LS" in name}
    before = {name: frames(data) for name, data in files.items()}
    samples = np.random.default_rng(1).integers(0, 256, (40, 60), np.uint8)
    register()
    try:
        for name, data in files.items():
            assert np.array_equal(frames(data), before[name])
        coded = hd.frame.encode_frame(samples, RLELossless, 8, 8, "MONOCHROME2")
        assert np.array_equal(hd.frame.decode_frame(coded, RLELossless, 40, 60, 1, 8, 8, "MONOCHROME2"), samples)
    finally:
        unregister()
    assert np.array_equal(hd.frame.decode_frame(coded, RLELossless, 40, 60, 1, 8, 8, "MONOCHROME2"), samples)


def frames(data: bytes) -> Any:
    return hd.Image.from_dataset(pydicom.dcmread(io.BytesIO(data))).get_frames()


def test_a_data_set_that_was_not_converted_is_refused():
    with pytest.raises(TypeError):
        segmentation("BINARY")(dc.dcmread(CT))
    with pytest.raises(TypeError):
        hd.seg.Segmentation.from_dataset(dc.dcmread(CT))

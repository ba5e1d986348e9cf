"""Presentation states made by highdicom, read and rendered by dicomcore."""

from __future__ import annotations

from io import BytesIO

import numpy as np
import pytest
from pydicom import dcmread as pydicom_read
from pydicom.data import get_testdata_file

import dicomcore
from dicomcore.display import read_state, render
from dicomcore.objects import Presentation

highdicom = pytest.importorskip("highdicom")


def _common(label: str) -> dict:
    return {
        "series_instance_uid": highdicom.UID(),
        "series_number": 7,
        "sop_instance_uid": highdicom.UID(),
        "instance_number": 1,
        "manufacturer": "Maker",
        "manufacturer_model_name": "Model",
        "software_versions": "1",
        "device_serial_number": "1",
        "content_label": label,
        "content_description": "made by highdicom",
    }


def _graphics(image):
    layer = highdicom.pr.GraphicLayer(
        layer_name="LAYER1", order=1, description="A layer", display_color=highdicom.color.CIELabColor(54, 81, 70)
    )
    circle = highdicom.pr.GraphicObject(
        graphic_type=highdicom.pr.GraphicTypeValues.CIRCLE,
        graphic_data=np.array([[45.0, 55.0], [45.0, 65.0]]),
        units=highdicom.pr.AnnotationUnitsValues.PIXEL,
        is_filled=True,
    )
    text = highdicom.pr.TextObject(
        text_value="text",
        bounding_box=np.array([30.0, 30.0, 60.0, 40.0]),
        units=highdicom.pr.AnnotationUnitsValues.PIXEL,
    )
    annotation = highdicom.pr.GraphicAnnotation(
        referenced_images=[image], graphic_layer=layer, graphic_objects=[circle], text_objects=[text]
    )
    return {"graphic_layers": [layer], "graphic_annotations": [annotation]}


def _hot():
    ramp = np.arange(256, dtype=np.uint16) * 257
    return highdicom.PaletteColorLUTTransformation.from_combined_lut(np.stack([ramp, ramp // 2, ramp // 4], axis=1))


def _read(made):
    out = BytesIO()
    made.save_as(out)
    return dicomcore.dcmread(out.getvalue())


@pytest.fixture(scope="module")
def images():
    path = get_testdata_file("CT_small.dcm")
    return pydicom_read(path), dicomcore.dcmread(path)


def test_grayscale(images):
    theirs, ours = images
    window = highdicom.pr.SoftcopyVOILUTTransformation(window_center=40.0, window_width=400.0)
    made = highdicom.pr.GrayscaleSoftcopyPresentationState(
        referenced_images=[theirs], voi_lut_transformations=[window], **_common("GREY"), **_graphics(theirs)
    )
    state = Presentation(_read(made))
    assert (state.label, state.description) == ("GREY", "made by highdicom")
    assert state.applies_to(ours)
    (annotation,) = state.annotations
    (figure,), (text,) = annotation.figures, annotation.texts
    assert (figure.graphic_type, figure.filled, text.text) == ("CIRCLE", True, "text")
    np.testing.assert_array_equal(figure.points, [[45, 55], [45, 65]])
    np.testing.assert_array_equal(text.box, [[30, 30], [60, 40]])
    assert state.layers[0].colour[0] > 200 > state.layers[0].colour[2]
    picture = state.render(ours)
    np.testing.assert_array_equal(picture, ours.frames.render(0, window=(40, 400)))


def test_pseudo_colour(images):
    theirs, ours = images
    made = highdicom.pr.PseudoColorSoftcopyPresentationState(
        referenced_images=[theirs], palette_color_lut_transformation=_hot(), **_common("PSEUDO")
    )
    state = _read(made)
    assert read_state(state).kind == "pseudo-colour"
    assert render(ours, state).shape == (128, 128, 3)


def test_advanced_blending(images):
    theirs, ours = images
    inputs = [
        highdicom.pr.AdvancedBlending(
            referenced_images=[theirs],
            blending_input_number=number,
            voi_lut_transformations=[highdicom.pr.SoftcopyVOILUTTransformation(window_center=40.0, window_width=400.0)],
            palette_color_lut_transformation=_hot(),
        )
        for number in (1, 2)
    ]
    blended = highdicom.pr.BlendingDisplay(
        blending_mode="FOREGROUND",
        blending_display_inputs=[highdicom.pr.BlendingDisplayInput(number) for number in (1, 2)],
        relative_opacity=0.3,
    )
    made = highdicom.pr.AdvancedBlendingPresentationState(
        referenced_images=[theirs], blending=inputs, blending_display=[blended], **_common("BLEND")
    )
    state = _read(made)
    assert read_state(state).kind == "advanced-blending"
    assert render([ours], state).shape == (128, 128, 3)

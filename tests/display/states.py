"""Images and presentation states for tests, made by hand."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

import dicomcore as dc
from dicomcore.display.cielab import to_cielab

CLASSES = {
    "grayscale": "1.2.840.10008.5.1.4.1.1.11.1",
    "colour": "1.2.840.10008.5.1.4.1.1.11.2",
    "pseudo-colour": "1.2.840.10008.5.1.4.1.1.11.3",
    "blending": "1.2.840.10008.5.1.4.1.1.11.4",
    "xa-xrf": "1.2.840.10008.5.1.4.1.1.11.5",
    "advanced-blending": "1.2.840.10008.5.1.4.1.1.11.8",
    "variable-modality": "1.2.840.10008.5.1.4.1.1.11.12",
}


def item(**attributes: Any) -> dc.Dataset:
    """A data set of attributes."""
    made = dc.Dataset()
    for keyword, value in attributes.items():
        setattr(made, keyword, value)
    return made


def made(samples: np.ndarray, *, bits_stored: int | None = None, **attributes: Any) -> dc.Dataset:
    """A secondary capture image of samples."""
    given = {
        "SOPClassUID": "1.2.840.10008.5.1.4.1.1.7",
        "SOPInstanceUID": "2.25.1",
        "StudyInstanceUID": "2.25.2",
        "SeriesInstanceUID": "2.25.3",
        "Modality": "OT",
        "PatientID": "1",
        "PatientName": "Test",
        "StudyID": "1",
        "SeriesNumber": 1,
        "InstanceNumber": 1,
    }
    image = item(**{**given, **attributes})
    interpretation = attributes.get("PhotometricInterpretation")
    image.set_pixels(samples, bits_stored=bits_stored, photometric_interpretation=interpretation, new_instance=False)
    for keyword, value in attributes.items():
        setattr(image, keyword, value)
    return image


def table_item(first: int, bits: int, entries: Iterable[float]) -> dc.Dataset:
    """An item with LUT Descriptor and LUT Data, 16 bits an entry."""
    words = np.rint(np.asarray(list(entries))).astype("<u2")
    return item(LUTDescriptor=[len(words) & 0xFFFF, first, bits], LUTData=words.tobytes())


def reference(image: dc.Dataset, *frames: int) -> dc.Dataset:
    """An item of Referenced Image Sequence."""
    made = item(ReferencedSOPClassUID=image.SOPClassUID, ReferencedSOPInstanceUID=image.SOPInstanceUID)
    if frames:
        made.ReferencedFrameNumber = list(frames)
    return made


def state_of(*images: dc.Dataset, kind: str = "grayscale", **attributes: Any) -> dc.Dataset:
    """A presentation state for images of one series, of the kind, with an identity presentation LUT if it is grey."""
    made = item(SOPClassUID=CLASSES[kind], SOPInstanceUID="2.25.9", ContentLabel="TEST")
    if kind in ("grayscale", "xa-xrf", "variable-modality"):
        made.PresentationLUTShape = "IDENTITY"
    else:
        made.ICCProfile = b""
    if images:
        series = item(SeriesInstanceUID=images[0].SeriesInstanceUID)
        series.ReferencedImageSequence = [reference(image) for image in images]
        made.ReferencedSeriesSequence = [series]
    for keyword, value in attributes.items():
        setattr(made, keyword, value)
    return made


def area(first: Sequence[int], last: Sequence[int], mode: str = "SCALE TO FIT", **attributes: Any) -> dc.Dataset:
    """An item of Displayed Area Selection Sequence."""
    given = {"PresentationPixelAspectRatio": [1, 1]} if "PresentationPixelSpacing" not in attributes else {}
    return item(
        DisplayedAreaTopLeftHandCorner=list(first),
        DisplayedAreaBottomRightHandCorner=list(last),
        PresentationSizeMode=mode,
        **{**given, **attributes},
    )


def window(center: float, width: float, **attributes: Any) -> dc.Dataset:
    """An item of Softcopy VOI LUT Sequence."""
    return item(WindowCenter=center, WindowWidth=width, **attributes)


def figure(kind: str, points: Sequence[Sequence[float]], units: str = "PIXEL", **attributes: Any) -> dc.Dataset:
    """An item of Graphic Object Sequence."""
    flat = [float(number) for point in points for number in point]
    given = {"GraphicAnnotationUnits": units, "GraphicDimensions": 2, "NumberOfGraphicPoints": len(points)}
    return item(**{**given, "GraphicData": flat, "GraphicType": kind, **attributes})


def compound(kind: str, points: Sequence[Sequence[float]], units: str = "PIXEL", **attributes: Any) -> dc.Dataset:
    """An item of Compound Graphic Sequence."""
    flat = [float(number) for point in points for number in point]
    return item(
        CompoundGraphicUnits=units,
        GraphicDimensions=2,
        NumberOfGraphicPoints=len(points),
        GraphicData=flat,
        CompoundGraphicType=kind,
        **{"CompoundGraphicInstanceID": 1, **attributes},
    )


def layer(name: str, order: int, colour: Sequence[int] | None = None, **attributes: Any) -> dc.Dataset:
    """An item of Graphic Layer Sequence."""
    given = {} if colour is None else {"GraphicLayerRecommendedDisplayCIELabValue": to_cielab(colour)}
    return item(GraphicLayer=name, GraphicLayerOrder=order, **{**given, **attributes})


def palette(place: dc.Dataset, entries: np.ndarray, first: int = 0) -> dc.Dataset:
    """Set a palette of 16-bit entries, (n, 3), in a data set; returns the data set."""
    for colour, channel in zip(("Red", "Green", "Blue"), np.asarray(entries).T, strict=True):
        setattr(place, f"{colour}PaletteColorLookupTableDescriptor", [len(channel) & 0xFFFF, first, 16])
        setattr(place, f"{colour}PaletteColorLookupTableData", channel.astype("<u2").tobytes())
    return place


def state_of_pages(image: dc.Dataset) -> dc.Dataset:
    """The presentation state that pages of the documentation name: a window, a circle and a text."""
    ring = figure("CIRCLE", [(64, 64), (64, 34)])
    words = item(
        UnformattedTextValue="here",
        AnchorPoint=[64.0, 34.0],
        AnchorPointAnnotationUnits="PIXEL",
        AnchorPointVisibility="N",
    )
    return state_of(
        image,
        ContentLabel="LUNG",
        RescaleSlope=1.0,
        RescaleIntercept=-1024.0,
        RescaleType="HU",
        SoftcopyVOILUTSequence=[window(-400, 1500)],
        GraphicLayerSequence=[layer("RING", 1, (255, 210, 0))],
        GraphicAnnotationSequence=[item(GraphicLayer="RING", GraphicObjectSequence=[ring], TextObjectSequence=[words])],
    )

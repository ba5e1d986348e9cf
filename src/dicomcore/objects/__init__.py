"""Objects other than plain images: segmentations, structure sets, presentation states, documents (PS3.3 A)."""

from dicomcore.dataset.code import Code
from dicomcore.display.shutters import Shutter
from dicomcore.objects.documents import Document, encapsulate, extract
from dicomcore.objects.make_capture import make_capture
from dicomcore.objects.make_presentation import Blend, make_presentation
from dicomcore.objects.make_segmentation import make_segmentation
from dicomcore.objects.make_waveform import Channel, multiplex_group
from dicomcore.objects.marks import Circle, Curve, Ellipse, Label, Mark, Point, Polyline
from dicomcore.objects.planes import Stack
from dicomcore.objects.presentation import Annotation, DisplayedArea, Figure, Layer, Presentation, Text
from dicomcore.objects.segment import Segment
from dicomcore.objects.segmentation import Segmentation
from dicomcore.objects.slide_levels import Level
from dicomcore.objects.slides import Slide
from dicomcore.objects.structures import Contour, Roi, Structures
from dicomcore.objects.tiles import Tiles

__all__ = [
    "Annotation",
    "Blend",
    "Channel",
    "Circle",
    "Code",
    "Contour",
    "Curve",
    "DisplayedArea",
    "Document",
    "Ellipse",
    "Figure",
    "Label",
    "Layer",
    "Level",
    "Mark",
    "Point",
    "Polyline",
    "Presentation",
    "Roi",
    "Segment",
    "Segmentation",
    "Shutter",
    "Slide",
    "Stack",
    "Structures",
    "Text",
    "Tiles",
    "encapsulate",
    "extract",
    "make_capture",
    "make_presentation",
    "make_segmentation",
    "multiplex_group",
]

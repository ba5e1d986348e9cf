"""Objects other than plain images: segmentations, structure sets, presentation states, documents (PS3.3 A)."""

from dicomcore.dataset.code import Code
from dicomcore.display.shutters import Shutter
from dicomcore.objects.documents import Document, encapsulate, extract
from dicomcore.objects.make_segmentation import make_segmentation
from dicomcore.objects.make_waveform import Channel, multiplex_group
from dicomcore.objects.planes import Stack
from dicomcore.objects.presentation import Annotation, DisplayedArea, Figure, Layer, Presentation, Text
from dicomcore.objects.segment import Segment
from dicomcore.objects.segmentation import Segmentation
from dicomcore.objects.structures import Contour, Roi, Structures
from dicomcore.objects.tiles import Tiles

__all__ = [
    "Annotation",
    "Channel",
    "Code",
    "Contour",
    "DisplayedArea",
    "Document",
    "Figure",
    "Layer",
    "Presentation",
    "Roi",
    "Segment",
    "Segmentation",
    "Shutter",
    "Stack",
    "Structures",
    "Text",
    "Tiles",
    "encapsulate",
    "extract",
    "make_segmentation",
    "multiplex_group",
]

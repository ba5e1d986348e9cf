"""Objects that are no plain images: segmentations, structure sets, presentation states, documents (PS3.3 A)."""

from dicomcore.concepts import Code
from dicomcore.objects.make_segmentation import make_segmentation
from dicomcore.objects.planes import Stack
from dicomcore.objects.segment import Segment
from dicomcore.objects.segmentation import Segmentation

__all__ = ["Code", "Segment", "Segmentation", "Stack", "make_segmentation"]

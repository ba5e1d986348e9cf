"""Text burned into pixels: found, read, judged and blanked (PS3.15 E.3.1, Clean Pixel Data)."""

from dicomcore.deid.pixels.boxes import Box
from dicomcore.deid.pixels.cleaning import Cleaned, clean
from dicomcore.deid.pixels.detect import text_boxes
from dicomcore.deid.pixels.judge import ALLOWED
from dicomcore.deid.pixels.masks import Mask, Masks, known_masks, read_ctp
from dicomcore.deid.pixels.rectangles import Rectangle
from dicomcore.deid.pixels.values import NewValue, Stretch

__all__ = [
    "ALLOWED",
    "Box",
    "Cleaned",
    "Mask",
    "Masks",
    "NewValue",
    "Rectangle",
    "Stretch",
    "clean",
    "known_masks",
    "read_ctp",
    "text_boxes",
]

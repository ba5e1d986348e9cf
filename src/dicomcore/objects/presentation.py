"""Presentation: read a softcopy presentation state, and render frames through it (PS3.3 A.33)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dicomcore.dataset import Dataset
from dicomcore.display.area import DisplayedArea, turned
from dicomcore.display.frame import shown_frame
from dicomcore.display.graphics import Annotation, Figure, Layer, Text
from dicomcore.display.states import State

__all__ = ["Annotation", "DisplayedArea", "Figure", "Layer", "Presentation", "Text"]


class Presentation(State):
    """A softcopy presentation state: ``Presentation(pr).render(ct)`` renders an image as its author intended.

    Parts that name images apply to these; parts that name none apply to all images of the presentation state.
    `dicomcore.display.render` draws graphics too, scales, manages colours and blends images.
    """

    def render(self, image: Dataset, frame: int = 0, *, crop: bool = False) -> NDArray[np.uint8]:
        """Render a frame (from 0) in 8 bits: apply tables and shutter, rotate and flip.

        Returns (rows, columns) for grayscale, (rows, columns, 3) for colour and pseudo-colour. `crop` cuts out the
        displayed area, as far as it lies in the image; pixels are not scaled. Graphics are not drawn. Colours are those
        of the image. Raises DicomError if the presentation state blends images.
        """
        picture: NDArray[np.uint8] = shown_frame(image, self, frame).picture
        area = self.displayed_area(image, frame) if crop else None
        if area is not None:
            (left, right), (top, bottom) = (sorted(pair) for pair in zip(area.top_left, area.bottom_right, strict=True))
            picture = picture[max(top - 1, 0) : max(bottom, 0), max(left - 1, 0) : max(right, 0)]
        return turned(picture, self.rotation, flipped=self.flipped)

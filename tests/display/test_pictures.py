"""The pictures of the documentation are what the code draws."""

from __future__ import annotations

import numpy as np
import pytest

from tools.make_display_pictures import FOLDER, PICTURES

Image = pytest.importorskip("PIL.Image")


@pytest.mark.parametrize("name", PICTURES)
def test_pictures_of_the_pages(name):
    """Letters differ a little between versions of Pillow."""
    with Image.open(FOLDER / f"{name}.png") as shown:
        kept = np.asarray(shown.convert("RGB"), np.int16)
    drawn = PICTURES[name]()
    assert kept.shape == drawn.shape
    assert np.abs(kept - drawn).mean() < 0.5

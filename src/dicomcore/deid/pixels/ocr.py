"""Text read out of boxes by OCR: rapidocr-onnxruntime (extra ``ocr``), or tesseract where it is installed."""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
from collections.abc import Callable, Sequence
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dicomcore.deid.pixels.rectangles import Rectangle

__all__ = ["Engine", "Found", "Reading", "find_engine", "read_boxes"]

HEIGHT = 48
"""Rows that a box is enlarged to: the heights that programs were trained with."""
WIDTH, SPACE, TALLEST = 1600, 16, 4000
"""Columns of a sheet, rows and columns between boxes, rows of a sheet."""
MOST_ENLARGED = 6.0
SECONDS = 120
WEAK = 0.25


class Found(NamedTuple):
    """Text in a picture, and where it is."""

    text: str
    sure: float
    """From 0 to 1."""
    place: Rectangle


class Reading(NamedTuple):
    """The text that was read in a box; empty where nothing was."""

    text: str
    sure: float


Engine = Callable[["NDArray[np.uint8]"], "list[Found]"]
"""Reads a grey picture of dark text on white, or of white text on black; several threads may call it."""


class _Rapid:
    """rapidocr-onnxruntime, which brings its models; one thread inside, as callers have their own."""

    def __init__(self) -> None:
        self._read = import_module("rapidocr_onnxruntime").RapidOCR(
            intra_op_num_threads=1,
            inter_op_num_threads=1,
            det_limit_type="max",
            det_limit_side_len=WIDTH,
            det_box_thresh=0.3,
            text_score=WEAK,
            width_height_ratio=-1,
        )
        self._lock = threading.Lock()

    def __call__(self, picture: NDArray[np.uint8]) -> list[Found]:
        with self._lock:  # it keeps what it works on
            found, _ = self._read(np.repeat(picture[:, :, None], 3, axis=2), use_cls=False)
        return [self._placed(*each) for each in found or ()]

    @staticmethod
    def _placed(corners: Any, text: str, sure: Any) -> Found:
        points = np.asarray(corners, float)
        (left, top), (right, bottom) = points.min(axis=0), points.max(axis=0)
        return Found(text, float(sure), Rectangle(int(left), int(top), int(right - left), int(bottom - top)))


class _Tesseract:
    """The command line of tesseract."""

    def __init__(self, program: str) -> None:
        self._program = program

    def __call__(self, picture: NDArray[np.uint8]) -> list[Found]:
        rows, columns = picture.shape
        image = f"P5 {columns} {rows} 255\n".encode() + picture.tobytes()
        done = subprocess.run(
            [self._program, "stdin", "stdout", "--psm", "6", "tsv"],
            input=image,
            capture_output=True,
            timeout=SECONDS,
            env={**os.environ, "OMP_THREAD_LIMIT": "1"},
            check=False,
        )
        if done.returncode:
            raise OSError(f"tesseract ended with {done.returncode}")
        return [word for line in done.stdout.decode("utf-8", "replace").splitlines()[1:] if (word := self._word(line))]

    @staticmethod
    def _word(line: str) -> Found | None:
        fields = line.split("\t")
        if len(fields) < 12 or fields[0] != "5" or not fields[11].strip():
            return None
        left, top, width, height = map(int, fields[6:10])
        return Found(fields[11], max(float(fields[10]), 0) / 100, Rectangle(left, top, width, height))


@cache
def find_engine() -> Engine | None:
    """The OCR that is installed, rapidocr-onnxruntime before tesseract; None where there is neither."""
    if find_spec("rapidocr_onnxruntime") is not None:
        return _Rapid()
    program = shutil.which("tesseract")
    return None if program is None else _Tesseract(program)


def read_boxes(
    engine: Engine, picture: NDArray[np.uint8], boxes: Sequence[Rectangle], *, inverted: bool = False
) -> list[Reading]:
    """Read the text in each box of a grey picture: all boxes at once, enlarged, dark on white, one below the other.

    `inverted` shows them white on black instead, for a second opinion.
    """
    read: list[Reading] = []
    sheet: list[NDArray[np.uint8]] = []
    height = 0
    for box in boxes:
        cut = _enlarged(picture[box.y : box.y + box.height, box.x : box.x + box.width], inverted)
        if sheet and height + len(cut) + SPACE > TALLEST:
            read += _read_sheet(engine, sheet, inverted)
            sheet, height = [], 0
        sheet.append(cut)
        height += len(cut) + SPACE
    return read + (_read_sheet(engine, sheet, inverted) if sheet else [])


def _read_sheet(engine: Engine, cuts: list[NDArray[np.uint8]], inverted: bool) -> list[Reading]:
    wide = max(cut.shape[1] for cut in cuts) + 2 * SPACE
    sheet = np.full((sum(len(cut) + SPACE for cut in cuts) + SPACE, wide), 0 if inverted else 255, np.uint8)
    tops, at = [], SPACE
    for cut in cuts:
        sheet[at : at + len(cut), SPACE : SPACE + cut.shape[1]] = cut
        tops.append(at)
        at += len(cut) + SPACE
    parts: list[list[Found]] = [[] for _ in cuts]
    for found in engine(sheet):
        middle = found.place.y + found.place.height // 2
        parts[max(int(np.searchsorted(tops, middle, "right")) - 1, 0)].append(found)
    return [_joined(part) for part in parts]


def _joined(parts: list[Found]) -> Reading:
    """The words of a box in reading order, as sure as the least sure of them."""
    parts.sort(key=lambda found: (found.place.y // HEIGHT, found.place.x))
    text = " ".join(found.text for found in parts)
    return Reading(text, min((found.sure for found in parts), default=0.0))


def _enlarged(cut: NDArray[np.uint8], inverted: bool) -> NDArray[np.uint8]:
    """A box in the height that programs read best, its contrast stretched, dark on white unless `inverted`."""
    rows, columns = cut.shape
    factor = min(max(HEIGHT / rows, 1.0), MOST_ENLARGED, (WIDTH - 2 * SPACE) / columns)
    shown = _resized(cut, max(round(rows * factor), 1), max(round(columns * factor), 1))
    low, high = np.percentile(shown, (2, 99.5))
    shown = np.clip((shown - low) * (255 / max(high - low, 1)), 0, 255)
    if (float(np.median(shown)) < 128) != inverted:
        shown = 255 - shown
    return shown.astype(np.uint8)


def _resized(picture: NDArray[np.uint8], rows: int, columns: int) -> NDArray[np.float32]:
    """A picture of another size, by linear interpolation."""
    y = np.linspace(0, picture.shape[0] - 1, rows, dtype=np.float32)
    x = np.linspace(0, picture.shape[1] - 1, columns, dtype=np.float32)
    top, left = y.astype(np.intp), x.astype(np.intp)
    down, right = np.minimum(top + 1, picture.shape[0] - 1), np.minimum(left + 1, picture.shape[1] - 1)
    wide = picture.astype(np.float32)
    beside = x - left
    upper = wide[top][:, left] * (1 - beside) + wide[top][:, right] * beside
    lower = wide[down][:, left] * (1 - beside) + wide[down][:, right] * beside
    share = (y - top)[:, None]
    mixed: NDArray[np.float32] = upper * (1 - share) + lower * share
    return mixed

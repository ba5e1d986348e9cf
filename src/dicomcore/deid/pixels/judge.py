"""Which text that was read out of pixels may stay."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Collection, Iterable

from dicomcore.deid.pixels.ocr import Reading

__all__ = ["ALLOWED", "Judge"]

WORDS = """
l r a p h f s i la lp ra rp lao rao lpo rpo ap pa lat ll rl lcc rcc lmlo rmlo mlo lm xcc left right anterior posterior
superior inferior head feet foot axial sagittal coronal oblique supine prone erect upright portable standing sitting
decubitus inspiration expiration kv kvp ma mas ms sec min mm cm m um hz khz mhz db dpi fps bpm w c ww wl wc z zoom fov
mgy mgycm dlp ctdi ctdivol hu g cc ml deg mi ti tis tib tic gain dr frq gn pwr fr rs ps 2d 3d 4d mode b thi harm persist
depth focus map cine freeze dist area vol vel pg angle te tr et nex sl im se slice thickness
"""
ALLOWED = frozenset(WORDS.split())
"""Words that stay: sides and directions, projections, units and settings of devices; no word of a person or a place."""

PATTERNS = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"\d{1,4}\s?[-/.]\s?\d{1,2}\s?[-/.]\s?\d{2,4}",  # dates
        r"\b\d{1,2}[-./ ]?(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*[-./ ]?\d{2,4}",
        r"\b(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*[-./ ]{1,2}\d{1,2},?[-./ ]{1,2}\d{2,4}",
        r"\b(19|20)\d{6}\b",
        r"\b\d{1,2}:\d{2}(:\d{2})?\b",  # times of the day
        r"\d{5,}",  # record numbers
        r"\b(?=\w*\d\w*\d\w*\d)(?=\w*[a-z])\w{6,}\b",
        r"\b(name|dob|birth|mrn|pid|patient|acc|accession|ssn|phone|tel)\b",
        r"\b(dr|prof|mr|mrs|ms|mme|hr|fr)\.?\s+[^\W\d]{2}",
        r"hospital|clinic|klinik|h[oô]pital|ospedale|institut|medical cent|radiolog|university",
        r"\w\^\w",  # a name as PS3.5 writes it
        r"\S@\S+\.\w",
    )
)
WORD = re.compile(r"[^\W_]+")
# Characters that OCR takes for each other, as one of them.
CONFUSED = str.maketrans("01|!5826i9", "olllsbzblg")
SURE = 0.6
NUMBER = 3
"""Digits of a number that says nothing of a person."""


def folded(text: str) -> str:
    """Text without case, accents and what OCR can't tell apart."""
    plain = unicodedata.normalize("NFKD", text).casefold()
    kept = "".join(character for character in plain if not unicodedata.combining(character))
    return kept.translate(CONFUSED).replace("rn", "m").replace("vv", "w")


class Judge:
    """Decides on the text of a box.

    Text that is identifying goes: what `is_identifying` says so of, what resembles one of `identifiers`, and patterns
    of dates, times, numbers of records, titles and institutions. Text of nothing but allowed words and short numbers
    stays. Other text stays only if the caller said what is identifying, and if it was read for sure.
    """

    def __init__(
        self,
        identifiers: Iterable[str] | None = None,
        is_identifying: Callable[[str], bool] | None = None,
        allowed: Collection[str] = ALLOWED,
    ) -> None:
        parts = [WORD.findall(each) for each in identifiers or ()]
        words = {word for each in parts for word in each} | {"".join(each) for each in parts if each}
        self._short = {folded(word) for word in words if 2 <= len(word) < 4}
        self._long = {folded(word) for word in words if len(word) >= 4}
        self._is_identifying = is_identifying
        self._told = identifiers is not None or is_identifying is not None
        self._allowed = {word.casefold() for word in allowed}

    def keeps(self, reading: Reading) -> bool:
        """Whether the text of a box may stay; a box without text may."""
        text = reading.text.strip()
        if not text:
            return True
        if self._names(text) or any(pattern.search(text) for pattern in PATTERNS):
            return False
        if self._is_identifying is not None and self._is_identifying(text):
            return False
        if all(self._is_harmless(word) for word in WORD.findall(text)):
            return True
        return self._told and reading.sure >= SURE

    def _is_harmless(self, word: str) -> bool:
        letters = re.sub(r"\d+", "", word)
        digits = len(word) - len(letters)
        return digits <= NUMBER and (
            not letters or letters.casefold() in self._allowed or word.casefold() in self._allowed
        )

    def _names(self, text: str) -> bool:
        """Whether a word of the text, or some together, resembles an identifier."""
        words = [folded(word) for word in WORD.findall(text)]
        if any(word in self._short for word in words):
            return True
        whole = "".join(words)
        return any(name in whole or any(_alike(word, name) for word in words) for name in self._long)


def _alike(word: str, name: str) -> bool:
    """Whether few characters were misread: one in five."""
    most = max(len(name) // 5, 1) if len(name) >= 5 else 0
    return abs(len(word) - len(name)) <= most and _distance(word, name, most) <= most


def _distance(one: str, other: str, most: int) -> int:
    """The number of characters to change, insert and delete; any number above `most` where it is more."""
    row = list(range(len(other) + 1))
    for place, character in enumerate(one, 1):
        before, row[0] = row[0], place
        for at, wanted in enumerate(other, 1):
            before, row[at] = row[at], min(row[at] + 1, row[at - 1] + 1, before + (character != wanted))
        if min(row) > most:
            return most + 1
    return row[-1]

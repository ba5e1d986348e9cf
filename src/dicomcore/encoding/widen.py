"""Wider character sets for text that the declared ones don't have (PS3.5 6.1.2.5, PS3.3 C.12.1.1.2)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

from dicomcore._native.write.output import Output
from dicomcore.charset import ASCII, ROMAJI, SETS, UTF_8, charset_for, coded
from dicomcore.dataset import Dataset
from dicomcore.errors import EncodeError
from dicomcore.tags import SPECIFIC_CHARACTER_SET

__all__ = ["Widen", "widened"]

Widen = Literal["utf-8", "iso2022"]


def widened(ds: Dataset, widen: Widen, put: Callable[[Output, tuple[str, ...] | None], None]) -> Output:
    """What `put` puts into an Output, given the terms of a character set that has all text of `ds`.

    They are None at first, which leaves the declared character set. Where they lack a character they are widened, and
    `put` begins again with a new Output.
    """
    terms: tuple[str, ...] | None = None
    while True:
        out = Output()
        try:
            put(out, terms)
            return out
        except EncodeError as error:
            if error.character is None:
                raise
            terms = wider_terms(ds, widen, terms, error.character)
            if terms is None:
                raise


def wider_terms(ds: Dataset, way: str, terms: tuple[str, ...] | None, character: str) -> tuple[str, ...] | None:
    """The terms of Specific Character Set that have `character` besides what `terms`, or those of `ds`, have.

    None where there are none: then the error stands.
    """
    if way == "utf-8":
        return None if terms == (UTF_8,) else (UTF_8,)
    if way != "iso2022":
        raise ValueError(f"widen is 'utf-8', 'iso2022' or None, not {way!r}")
    if terms is None:
        terms = _extensible(ds.get(SPECIFIC_CHARACTER_SET))
        if terms is None:
            return None
    for known in SETS:
        term = f"ISO 2022 IR {known.term}"
        if known is not ASCII and known is not ROMAJI and term not in terms and coded(character, known):
            return (*terms, term)
    return None


def _extensible(element: Any) -> tuple[str, ...] | None:
    """The declared terms in the form that allows code extensions; None for those that stand alone."""
    value = None if element is None else element.value
    stated = tuple(map(str, value)) if isinstance(value, list) else (str(value or ""),)
    charset = charset_for(stated)
    if charset.codec is not None and not charset.declares_sets:
        return None
    names = [name.replace("ISO_IR", "ISO 2022 IR") for name in charset.names]
    return tuple("" if name == "ISO 2022 IR 6" and i == 0 else name for i, name in enumerate(names))

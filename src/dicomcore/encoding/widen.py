"""Further character sets for text that the declared ones cannot encode (PS3.5 6.1.2.5, PS3.3 C.12.1.1.2)."""

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
    """Call ``put(output, terms)`` with the terms of a character set that can encode all text of `ds`; the Output.

    The first call gets None, which means the declared character set. If a character is missing, the terms are extended
    and `put` is called again with a new Output.
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


def wider_terms(ds: Dataset, widen: str, terms: tuple[str, ...] | None, character: str) -> tuple[str, ...] | None:
    """Extend `terms`, or without them those of `ds`, by a character set that has `character`.

    None if no character set has it: then the caller raises the error again.
    """
    if widen == "utf-8":
        return None if terms == (UTF_8,) else (UTF_8,)
    if widen != "iso2022":
        raise ValueError(f"widen is 'utf-8', 'iso2022' or None, not {widen!r}")
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
    """The declared terms in the form that allows code extensions; None for a term that allows none."""
    value = None if element is None else element.value
    stated = tuple(map(str, value)) if isinstance(value, list) else (str(value or ""),)
    charset = charset_for(stated)
    if charset.codec is not None and not charset.declares_sets:
        return None
    names = [name.replace("ISO_IR", "ISO 2022 IR") for name in charset.names]
    return tuple("" if name == "ISO 2022 IR 6" and i == 0 else name for i, name in enumerate(names))

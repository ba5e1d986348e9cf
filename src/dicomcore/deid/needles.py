"""Identifiers as byte strings, in every spelling and encoding in which a file may still have them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import NamedTuple

from dicomcore._native.deid.needle import BIG, FOLDED, LITTLE, WHOLE, Needles
from dicomcore.deid.date_texts import spellings
from dicomcore.deid.folding import fold, is_unspaced, romanized, words_of
from dicomcore.deid.identifiers import Identifiers
from dicomcore.deid.matching import GENERIC
from dicomcore.deid.vocabulary import common_words

__all__ = ["Sought", "Soughts", "sought_in"]

SHORTEST = 4
"""Letters or digits of what is looked for in bytes; a script without spaces needs two."""
SURE = 8
"""Letters of what is looked for inside of words, too."""
LEAST_BYTES = 4
MOST_BYTES = 512
"""Of a needle: the beginning of a longer text is enough."""
# Character sets of DICOM and of systems beside it that text beyond ASCII may be in; escape sequences stand around.
_CODECS = (
    *("utf_8", "latin_1", "cp1252", "iso8859_2", "iso8859_5", "iso8859_6", "iso8859_7", "iso8859_8", "iso8859_9"),
    *("tis_620", "cp1251", "koi8_r", "shift_jis", "euc_jp", "iso2022_jp", "euc_kr", "gb18030", "big5"),
)
_ESCAPES = (b"\x1b$B", b"\x1b(B", b"\x1b$@", b"\x1b(J")


class Sought(NamedTuple):
    """What one needle stands for."""

    kind: str
    length: int
    """Letters and digits of the text; 1 if all are the same, as pixels have such runs by chance."""
    numeric: bool
    inside: bool
    """Whether it is found inside of words, too."""


class Soughts(NamedTuple):
    """The needles, and what each stands for by its number."""

    needles: Needles
    about: tuple[Sought, ...]


@lru_cache(maxsize=8)
def sought_in(identifiers: Identifiers) -> Soughts:
    """The needles for identifiers."""
    texts: dict[tuple[bytes, int], Sought] = {}
    for kind, text in _texts(identifiers):
        words = words_of(text)
        length, numeric = sum(map(len, words)), all(map(str.isdecimal, words))
        if len(set().union(*words)) == 1:
            length = 1
        for data, flags in _encoded(text, wide=kind not in ("dates", "uids") or len(text) == 10):
            if len(data) > MOST_BYTES:
                data, flags = data[:MOST_BYTES], flags & ~WHOLE
            texts.setdefault((data, flags), Sought(kind, length, numeric, not flags & WHOLE))
    return Soughts(Needles([data for data, _ in texts], [flags for _, flags in texts]), tuple(texts.values()))


def _texts(identifiers: Identifiers) -> Iterator[tuple[str, str]]:
    for kind, names in (("names", identifiers.names), ("staff", identifiers.staff)):
        for name in names:
            yield from ((kind, text) for text in _names(name))
    for kind, numbers in (("ids", identifiers.ids), ("devices", identifiers.devices)):
        for number in numbers:
            yield from ((kind, text) for text in _numbers(number))
    for day in identifiers.dates:
        yield from (("dates", text) for text in spellings(day) if len("".join(words_of(text))) > 5)
    for place in identifiers.institutions:
        yield from (("institutions", text) for text in _places(place))
    for contact in identifiers.contacts:
        yield from (("contacts", text) for line in contact.splitlines() for text in _places(line))
    yield from (("uids", uid) for uid in identifiers.uids if len(uid) > 5)


def _is_sought(word: str) -> bool:
    if is_unspaced(word):
        return len(word) > 1
    return len(word) >= SHORTEST and word not in common_words()


def _names(name: str) -> Iterator[str]:
    """The parts of a name that are enough by themselves; the whole name in several forms where one is not."""
    for group in name.split("="):
        parts = [part.strip() for part in group.split("^")[:3] if part.strip()]
        if len(parts) == 1:
            parts = parts[0].split()
        alone = [part for part in parts if _is_sought("".join(words_of(part)))]
        yield from alone
        for part in alone:
            yield from (other for other in romanized(part) if len(other) >= SHORTEST)
        if len(alone) < min(len(parts), 2) and len(parts) > 1:
            for first, second in ((parts[0], parts[1]), (parts[1], parts[0])):
                for between in ("^", " ", ", ", ",", "_", "-", "."):
                    yield first + between + second
                if len(first + second) > 5:
                    yield first + second


def _numbers(number: str) -> Iterator[str]:
    words = words_of(number)
    compact = "".join(words)
    if len(compact) >= SHORTEST and (compact not in common_words()):
        yield number
        if len(compact) > 5:
            yield compact
            if compact.lstrip("0") != compact and len(compact.lstrip("0")) > 5:
                yield compact.lstrip("0")


def _places(place: str) -> Iterator[str]:
    words = words_of(place)
    if any(word not in GENERIC and word not in common_words() for word in words) and len("".join(words)) > 5:
        yield place.strip()
    for word in place.replace(",", " ").split():
        folded = "".join(words_of(word))
        if (len(folded) > 4 or is_unspaced(folded)) and folded not in GENERIC and _is_sought(folded):
            yield word.strip(".;:()")
    digits = "".join(word for word in words if word.isdecimal())
    if len(digits) > 6:
        yield digits


def _encoded(text: str, *, wide: bool) -> Iterator[tuple[bytes, int]]:
    """The bytes of a text, with how they are compared; `wide` ones of two bytes a character, too."""
    plain = fold(text)[0]
    whole = 0 if is_unspaced(plain) or (len(plain) >= SURE and plain.isalpha()) else WHOLE
    if text.isascii():
        yield text.encode(), FOLDED | whole
        if not wide:
            return
        yield text.encode("utf-16-le"), FOLDED | whole | LITTLE
        yield text.encode("utf-16-be"), FOLDED | whole | BIG
        return
    for form in dict.fromkeys((text, text.upper(), text.lower(), text.title())):
        for data in _in_codecs(form):
            yield data, FOLDED | whole
        yield form.encode("utf-16-le"), FOLDED | whole | LITTLE
        yield form.encode("utf-16-be"), FOLDED | whole | BIG
    if plain.isascii() and len(plain) >= SHORTEST:
        yield plain.encode(), FOLDED | whole


def _in_codecs(text: str) -> Iterable[bytes]:
    made: dict[bytes, None] = {}
    for codec in _CODECS:
        try:
            data = text.encode(codec)
        except UnicodeEncodeError:
            continue
        for escape in _ESCAPES if codec == "iso2022_jp" else ():
            data = data.replace(escape, b"")
        if len(data) >= LEAST_BYTES:
            made[data] = None
    return made

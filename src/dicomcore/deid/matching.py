# ruff: noqa: SIM905 -- words are listed as text
"""Identifiers made ready to be found in folded texts: names in all orders, initials, numbers, institutions."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import date
from functools import lru_cache
from typing import Any, NamedTuple

from dicomcore.deid.folding import is_unspaced, romanized, words_of
from dicomcore.deid.vocabulary import common_words

__all__ = ["GENERIC", "SHORTEST_PART", "Matcher", "NamePart", "matcher_for", "name_parts"]

SHORTEST_WORD = 3
"""Letters of a name that is cut wherever it stands alone."""
SHORTEST_STEM = 6
"""Letters of a name that is cut also inside of a longer word."""
SHORTEST_ID = 4
"""Letters and digits of a number that is cut."""
SHORTEST_PART = 6
"""Digits of a number that is cut beside letters, or with spaces between its digits."""

# Words of institutions that say what they are, not which.
GENERIC = frozenset(
    """and at center centre center's clinic clinics clinica clinical clinique college community county city de dept
    department der des di die du el faculty for foundation general group health healthcare hopital hospital
    hospitals hospitalier imaging inc institut institute institution klinik klinikum klinikums krankenhaus la lab
    laboratory las le les los ltd md medical medicine memorial national nuclear of office osp ospedale practice
    praxis private public radiologie radiology regional research royal saint san santa school service services
    spital st state system the trust und universitaet universitaire universitario universitats universitatsklinikum
    university uni unit von zu zum ward international center diagnostic diagnostics oncology cardiology neurology
    surgery""".split()
)
_TITLES = frozenset(
    "dr prof med md phd jr sr ii iii iv mr mrs ms miss sir dipl ing rn rt pd do frcr mbbs bsc msc".split()
)
_INFLECTED = re.compile(r"[\u0370-\u052f]+[аяьйыиоαηςυε]|[\u0370-\u052f]+ος|[a-z]+[aioy]")
"""Words whose end changes with the case: Cyrillic, Greek, and of Slavic and Baltic names in Latin letters."""
_POLITE = ("さん", "様", "先生", "氏", "君", "殿", "씨", "님", "선생", "女士", "先生", "小姐")


class NamePart(NamedTuple):
    """The words of one component of a name in one component group."""

    group: int
    component: int
    words: tuple[str, ...]


def name_parts(name: str) -> Iterator[NamePart]:
    """The words of a PN by component group and component, folded; a text without ``^`` has one component."""
    for group, letters in enumerate(name.split("=")[:3]):
        for component, text in enumerate(letters.split("^")[:5]):
            words = tuple(words_of(text))
            if words:
                yield NamePart(group, component, words)


class Matcher:
    """What to look for in texts.

    `phrases` are words in a row, with the place of the longest one, by that one; `stems` are found in any word;
    `compact` are numbers without what stands between their digits; `positional` are words of names, also those that are
    nobody's name elsewhere; `known` keeps texts that were cleaned, as series have the same ones. A text without any of
    `words`, stems and numbers has nothing of it.
    """

    __slots__ = (
        "compact", "dates", "known", "phrases", "plain_stems", "positional", "stems", "wide_stems", "words",
    )  # fmt: skip

    def __init__(self, textual: tuple[frozenset[Any], ...]) -> None:
        names, staff, ids, dates, institutions, contacts, devices = textual
        self.phrases: dict[str, set[tuple[int, tuple[str, ...]]]] = {}
        self.stems: set[str] = set()
        self.compact: set[str] = set()
        self.positional: set[str] = set()
        self.dates: frozenset[date] = dates
        for name in names | staff:
            for one in (name, *romanized_names(name)):
                self._add_name(one)
        for number in ids:
            self._add_id(number)
        for device in devices:
            self._add_id(device)
        for place in institutions:
            self._add_institution(place)
        for contact in contacts:
            self._add_contact(contact)
        self.words = frozenset(self.phrases)
        # A stem in a longer one finds it, too. In scripts without spaces it would leave the rest of the longer one.
        spaced = {stem for stem in self.stems if not is_unspaced(stem)}
        self.wide_stems = frozenset(self.stems - spaced)
        self.plain_stems = frozenset(
            stem for stem in spaced if not any(other in stem for other in spaced if other != stem)
        )
        self.known: dict[tuple[str, bool, bool, str], str] = {}

    def _add(self, words: Iterable[str]) -> None:
        phrase = tuple(words)
        if len(phrase) == 1 and is_unspaced(phrase[0]):
            self.stems.add(phrase[0])
        elif phrase:
            place = max(range(len(phrase)), key=lambda one: len(phrase[one]))
            self.phrases.setdefault(phrase[place], set()).add((place, phrase))

    def _add_name(self, name: str) -> None:
        groups: dict[int, dict[int, tuple[str, ...]]] = {}
        for group, component, words in name_parts(name):
            groups.setdefault(group, {})[component] = words
        for parts in groups.values():
            if "^" not in name:
                words = tuple(word for word in parts.get(0, ()) if word not in _TITLES)
                parts = {0: words[-1:], 1: words[:1], 2: words[1:-1]} if len(words) > 1 else {0: words}
                self._add(words if len(words) > 1 else ())
                self._add(words[::-1] if len(words) > 1 else ())
            self._add_components({part: parts[part] for part in range(3) if parts.get(part)})

    def _add_components(self, parts: dict[int, tuple[str, ...]]) -> None:
        for words in parts.values():
            for word in words:
                self._add_word(word)
            if len(words) > 1:  # "O'Brien", "Garcia Marquez", "Anne-Marie"
                self._add(words)
                self._add_word("".join(words))
        family = parts.get(0, ())
        others = [parts[part] for part in (1, 2) if part in parts]
        for some in {tuple(others), tuple(others[:1]), tuple(others[1:])}:
            if not family or not some:
                continue
            given = tuple(word for words in some for word in words)
            for words in ((*family, *given), (*given, *family)):
                self._add(words)
                self._add_joined("".join(words))
                if len(words) > 2 and not any(map(is_unspaced, words)):  # "AnneO'Brien"
                    self.compact.add("".join(words))
            if len(given) == 1:
                self._add((family[-1], *given))
                self._add((*given, family[-1]))
            self._add_initials(family, given)

    def _add_initials(self, family: tuple[str, ...], given: tuple[str, ...]) -> None:
        whole, initials = "".join(family), "".join(word[0] for word in given)
        if len(whole) < SHORTEST_WORD or is_unspaced(whole):
            if whole and is_unspaced(whole):
                self.stems.update(whole + polite for polite in _POLITE)
            return
        for some in {initials, initials[:1]}:
            self._add_joined(some + whole)
            self._add_joined(whole + some)
            if whole not in common_words():
                self._add((*some, *family))
                self._add((*family, *some))
                self._add((some, *family))
                self._add((*family, some))
        if len(whole) > 5:  # as accounts are named
            self._add_joined(initials[:1] + whole[:5])
        if len(initials) > 1:
            self._add_joined(given[0] + whole)

    def _add_joined(self, word: str) -> None:
        if is_unspaced(word):
            self._add((word,))
        elif len(word) > SHORTEST_WORD and word not in common_words():
            self._add((word,))
            if len(word) >= SHORTEST_STEM:
                self.stems.add(word)

    def _add_word(self, word: str) -> None:
        if is_unspaced(word):
            if len(word) > 1:
                self.stems.add(word)
            return
        self.positional.add(word)
        if len(word) < SHORTEST_WORD or word in common_words() or word in _TITLES or word.isdecimal():
            return
        self._add((word,))
        if len(word) >= SHORTEST_STEM:
            self.stems.add(word)
        if len(word) > SHORTEST_STEM and _INFLECTED.fullmatch(word):
            self.stems.add(word[:-1])
        for length in range(SHORTEST_STEM, len(word)):  # cut off where a value had no more room
            if word[:length] not in common_words():
                self._add((word[:length],))

    def _add_id(self, number: str) -> None:
        words = words_of(number)
        compact = "".join(words)
        if len(compact) < SHORTEST_ID:
            return
        if not any(word.isdecimal() for word in words):
            if len(words) > 1:
                self._add(words)
            self._add_joined(compact)
            return
        self._add_compact(compact, words)
        short = compact.lstrip("0")
        if len(short) > SHORTEST_ID and short != compact:
            self._add_compact(short, words_of(short))

    def _add_compact(self, compact: str, words: list[str]) -> None:
        self.compact.add(compact)
        rarest = max(words, key=lambda word: (word not in common_words(), word.isalpha(), len(word)))
        self.phrases.setdefault(rarest, set())  # so that a text with hyphens between the digits is looked at

    def _add_institution(self, place: str) -> None:
        words = words_of(place)
        if len(words) > 1:
            self._add(words)
        for word in words:
            if word not in GENERIC and (len(word) > SHORTEST_WORD or is_unspaced(word)) and not word.isdecimal():
                self._add_word(word)
        if len(words) > 2:
            short = "".join(word[0] for word in words if word not in ("of", "the", "and", "for", "de", "la"))
            if len(short) > 2 and short not in common_words():
                self._add((short,))
        if len(words) == 1 and any(letter.isdecimal() for letter in place):
            self._add_id(place)

    def _add_contact(self, contact: str) -> None:
        digits = "".join(word for word in words_of(contact) if word.isdecimal())
        words = words_of(contact)
        if len(words) > 1:
            self._add(words)
        if len(digits) > 5 and sum(map(len, words)) <= len(digits) + 4:
            self._add_compact(digits, words_of(digits))
        for word in words:
            if word.isdecimal():
                if len(word) > 4:
                    self._add_compact(word, [word])
            elif word not in GENERIC and word not in _STREETS and len(word) > SHORTEST_WORD:
                self._add_word(word)


_STREETS = frozenset(
    """street road avenue lane drive court place square strasse str weg platz allee rue via calle boulevard suite floor
    room building house north south east west upper lower box phone fax tel email mobile home work""".split()
)


def romanized_names(name: str) -> list[str]:
    """Other spellings of a PN, in which each of its words has each of its own at least once."""
    made = []
    for group in name.split("="):
        parts = [sorted(romanized(part)) or [part] for part in group.split("^")]
        if any(len(spelled) > 1 or spelled[0] != part for spelled, part in zip(parts, group.split("^"), strict=True)):
            turns = range(max(map(len, parts)))
            made += ["^".join(spelled[turn % len(spelled)] for spelled in parts) for turn in turns]
    return made


@lru_cache(maxsize=64)
def matcher_for(textual: tuple[frozenset[Any], ...]) -> Matcher:
    """The matcher of `Identifiers.textual`."""
    return Matcher(textual)

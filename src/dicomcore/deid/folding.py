# ruff: noqa: SIM905 -- words are listed as text
"""Text without what spellings differ in: case, accents, widths, hiragana and katakana."""

from __future__ import annotations

import re
import unicodedata

__all__ = ["WORD", "fold", "is_unspaced", "romanized", "words_of"]

WORD = re.compile(r"[^\W\d_]+|\d+")
"""A run of letters or of digits, in folded text."""

_PLAIN = {"ø": "o", "đ": "d", "ð": "d", "ł": "l", "æ": "ae", "œ": "oe", "þ": "th", "ħ": "h", "ı": "i", "ŋ": "ng"}
_HIRAGANA = 0x60  # from a katakana to the hiragana of the same sound
# Cyrillic and Greek letters in the Latin ones of most systems of transcription, the passports' first; marks are folded
# away before.
_LATIN = {
    letter: tuple(forms.split("/"))
    for letter, forms in (
        pair.split("=")
        for pair in (
            "а=a б=b в=v/w г=g/h д=d е=e/ye/je ж=zh/j/sch з=z/s и=i/y к=k л=l м=m н=n о=o п=p р=r с=s/ss т=t "
            "у=u/ou ф=f/ph х=kh/h/ch/x ц=ts/tz/c/z ч=ch/tsch/c ш=sh/sch/s щ=shch/sch/sh ъ=ie// ы=y/i ь=/ э=e "
            "ю=iu/yu/ju/u я=ia/ya/ja/a є=ie/ye і=i ґ=g α=a β=v/b γ=g/gh δ=d/dh ε=e ζ=z η=i/e θ=th ι=i κ=k/c λ=l "
            "μ=m ν=n ξ=x/ks ο=o π=p ρ=r σ=s τ=t υ=y/u/i φ=f/ph χ=ch/kh/h ψ=ps ω=o"
        ).split()
    )
}
_MOST_SPELLINGS = 64  # of one word in Latin letters
_UMLAUTS = {"ä": "ae", "ö": "oe", "ü": "ue", "å": "aa", "ø": "oe"}


class _Folds(dict[str, str]):
    """The folded form of a character, made when it is first asked for."""

    def __missing__(self, character: str) -> str:
        made = self[character] = _folded(character)
        return made


def _folded(character: str) -> str:
    if "\uac00" <= character <= "\ud7a3":  # a syllable of Hangul, which would fall into its letters
        return character
    digit = unicodedata.decimal(character, None)
    if digit is not None:
        return str(digit)
    if unicodedata.category(character) == "Cf" or character == "\u0640":  # marks of direction, and tatweel
        return ""
    plain = "".join(one for one in unicodedata.normalize("NFKD", character) if unicodedata.category(one) != "Mn")
    plain = "".join(_PLAIN.get(one, one) for one in plain.casefold())
    return "".join(chr(ord(one) - _HIRAGANA) if "\u30a1" <= one <= "\u30f6" else one for one in plain)


_FOLDS = _Folds()


def fold(text: str) -> tuple[str, list[int] | None]:
    """The folded text, and for each of its characters the place in `text`; None if the places are the same."""
    if text.isascii():
        return text.lower(), None
    pieces: list[str] = []
    places: list[int] = []
    for place, character in enumerate(text):
        piece = _FOLDS[character]
        pieces.append(piece)
        places.extend([place] * len(piece))
    places.append(len(text))
    return "".join(pieces), places


def words_of(text: str) -> list[str]:
    """The folded words and numbers of a text."""
    return WORD.findall(fold(text)[0])


def is_unspaced(word: str) -> bool:
    """Whether a word is of a script that is written without spaces, so that it is found inside others."""
    return any(character >= "\u0e00" and ("\u0e00" <= character <= "\u0e7f" or character >= "\u1100")
               for character in word)  # fmt: skip


def romanized(text: str) -> set[str]:
    """Other folded spellings of a name in Latin letters: umlauts as two letters or one, Cyrillic and Greek letters."""
    lower = unicodedata.normalize("NFC", text).lower()
    plain = fold(text)[0]
    made = set()
    if any(letter in lower for letter in _UMLAUTS):
        made.add(fold("".join(_UMLAUTS.get(letter, letter) for letter in lower))[0])
    for two, one in (("ae", "a"), ("oe", "o"), ("ue", "u"), ("aa", "a"), ("ss", "s")):
        if two in plain and len(plain) > 4:
            made.add(plain.replace(two, one))
    if any(letter in _LATIN for letter in plain):
        made |= _latin(plain)
    return made - {plain}


def _latin(plain: str) -> set[str]:
    """The spellings in which each letter is transcribed in the same way throughout, and mixtures as far as few."""
    made = {"".join(_LATIN.get(letter, (letter,))[0] for letter in plain)}
    made |= {
        "".join(forms[min(turn, len(forms) - 1)] for forms in (_LATIN.get(letter, (letter,)) for letter in plain))
        for turn in range(1, 4)
    }
    mixed = {""}
    for letter in plain:
        mixed = {start + form for start in mixed for form in _LATIN.get(letter, (letter,))}
        if len(mixed) > _MOST_SPELLINGS:
            break
    else:
        made |= mixed
    # Endings that systems write in their own ways: -ий, -ый, -ей.
    return made | {one[:-2] + "y" for one in made if one.endswith(("ii", "yi"))}

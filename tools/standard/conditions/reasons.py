"""Why a condition, or a part of it, is none that a machine can tell from a data set, by words that it has."""

from __future__ import annotations

import re
import tomllib
from functools import cache
from pathlib import Path

from tools.standard.conditions.tree import UNDECIDED, Tree

REASONS = {
    "making": "depends on how the object was made",
    "intent": "depends on what the creator wants to say or show",
    "knowledge": "depends on what the creator knows",
    "reference": "depends on another object",
    "lookup": "depends on an item of this object that a number or a UID names",
    "device": "depends on the device",
    "subject": "depends on the patient or the specimen",
    "pixels": "depends on what pixel data or a document holds",
    "course": "depends on what changes from item to item",
    "text": "depends on the characters of texts",
    "exchange": "depends on how the object was asked for, or is sent",
    "meaning": "depends on the meaning of values",
    "rules": "depends on rules outside the standard",
    "default": "its absence stands for a value",
    "elsewhere": "names an attribute that its IODs do not have",
    "cut": "the text is cut, and no source has the rest",
}


@cache
def phrases() -> list[tuple[str, re.Pattern[str]]]:
    """The phrases of each reason; the first that matches counts."""
    with Path(__file__).with_name("phrases.toml").open("rb") as file:
        table = tomllib.load(file)
    return [(reason, re.compile(one, re.I)) for reason, entry in table.items() for one in entry["phrases"]]


def _any(*trees: Tree) -> Tree:
    return ("or", *trees)


def _uids(tag: str, scope: str, *uids: str) -> Tree:
    return ("in", scope, tag, 0, tuple(f"1.2.840.10008.{uid}" for uid in uids))


# Transfer syntaxes that always lose something; of others (JPEG-LS near-lossless, JPEG 2000) it can't be told.
LOSSY = ("1.2.4.50", "1.2.4.51", *(f"1.2.4.{n}" for n in range(100, 109)))
HUMAN = (("SCT", "337915000"), ("SRT", "L-85B00"), ("SNM3", "L-85B00"))
SEGMENTATIONS = ("5.1.4.1.1.66.4", "5.1.4.1.1.66.7", "5.1.4.1.1.66.8")
SURFACES = ("5.1.4.1.1.66.5",)
WAVEFORMS = (
    *(f"5.1.4.1.1.9.1.{n}" for n in (1, 2, 3, 4)),
    *(f"5.1.4.1.1.9.{n}" for n in ("2.1", "3.1", "4.1", "4.2", "5.1", "6.1", "6.2")),
    *(f"5.1.4.1.1.9.7.{n}" for n in (1, 2, 3, 4)),
    "5.1.4.1.1.9.8.1",
)

ANIMAL = _any(("and", ("items", ".", "00102202", ">", 0), ("not", ("code", ".", "00102202", HUMAN))), UNDECIDED)

# Phrases of which something can be told all the same; `*` is the scope where the tables have the attribute.
TESTS: tuple[tuple[str, str, Tree], ...] = (
    ("subject", r"(the )?patient is a non-human organism", ANIMAL),
    (
        "making",
        r"(it is known whether or not )?lossy compression has been performed on the images?"
        r"|this (IOD|SOP) Instance has been compressed",
        _any(_uids("00020010", "/", *LOSSY), UNDECIDED),
    ),
    ("", r"the Referenced SOP Instance is a Segmentation", _uids("00081150", "*", *SEGMENTATIONS)),
    (
        "",
        r"the Referenced SOP Instance is a Segmentation or Surface Segmentation",
        _uids("00081150", "*", *SEGMENTATIONS, *SURFACES),
    ),
    ("", r"the Referenced SOP Instance is a Waveform", _uids("00081150", "*", *WAVEFORMS)),
    (
        "reference",
        r"the Referenced SOP Instance is a Waveform that contains multiple Channels",
        ("and", _uids("00081150", "*", *WAVEFORMS), UNDECIDED),
    ),
    ("", r"the source is not a gamma-emitting source", ("cmp", "*", "300A022A", 0, "==", 0)),
    (
        "text",
        r"an (expanded|extended) or replacement character set is used( in one of the Keys)?"
        r"|Attributes within the Sequence Item use an expanded or replacement character set",
        _any(("wide", "."), UNDECIDED),
    ),
)


def test_of(phrase: str) -> tuple[str, Tree] | None:
    """The tree of a phrase with no attribute, and the reason for what of it can't be told."""
    for reason, pattern, tree in TESTS:
        if re.fullmatch(pattern, phrase, re.I):
            return reason, tree
    return None


def reason_of(phrase: str) -> str | None:
    """The reason why a phrase, with ``#`` for each attribute, can't be told, if it is one that can't."""
    return next((reason for reason, pattern in phrases() if pattern.search(phrase)), None)

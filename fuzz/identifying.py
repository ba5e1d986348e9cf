"""Targets of de-identification: texts that are cleaned, files that are searched, and what is looked for in them."""

from __future__ import annotations

from datetime import date

import dicomcore as dc
from dicomcore._native.deid.needle import BIG, FOLDED, LITTLE, WHOLE, Needles
from dicomcore.deid.identifiers import Identifiers, gather
from dicomcore.deid.text import clean, matches
from dicomcore.deid.verifying import verify
from fuzz import seeds
from fuzz.target import LIMITS, FuzzInput, Target

WHO = Identifiers(
    names=["Müller^Hans-Peter^Karl", "Yamada^Tarou=山田^太郎=やまだ^たろう", "Жаворонкова^Людмила"],
    staff=["Brown^Mary", "Li^Wei"],
    ids=["12345678", "AB-1234"],
    dates=[date(1970, 1, 2), date(2019, 3, 4)],
    institutions=["University Hospital Zürich"],
    contacts=["12 Main Street, Springfield 90210"],
)
TEXTS = (
    "CT ABD for Hans Müller, 02.01.1970",
    "DR. BROWN: MRN 12 345 678",
    "山田太郎 昭和45年1月2日",
    "T1 SAG 3/4/5 mm b1000",
    "Patient: Brown Mary; call +1 (212) 555-1212",
    "see https://a.example/b 123-45-6789 a@b.c",
    "\x1b\x00\\ﾔﾏﾀﾞ  (Li Wei)",
)


def descriptions(data: bytes) -> None:
    """Cleaning a cleaned text changes nothing, makes no text longer, and leaves no identifier."""
    options = FuzzInput(data)
    how = options.byte()
    text = options.left.decode("utf-8", "replace")
    vr = ("", "LO", "LT", "SH")[how >> 2 & 3]
    once = clean(text, WHO, strict=bool(how & 1), patterns=bool(how & 2), vr=vr)
    assert len(once) <= len(text)
    assert clean(once, WHO, strict=bool(how & 1), patterns=bool(how & 2), vr=vr) == once
    assert not matches(once, WHO), once


def searched(data: bytes) -> None:
    """Any bytes can be searched, and what a file has is found in it."""
    verify(data, WHO, limits=LIMITS)
    ds = dc.dcmread(data, force=True, limits=LIMITS)
    who = gather(ds).only("names", "ids")
    found = verify(data, who, limits=LIMITS)
    assert not who or len(found) or not any(len(name) > 12 for name in who.names), who


def needles(data: bytes) -> None:
    """Needles that are parts of the data are found where they are."""
    options = FuzzInput(data)
    wanted = []
    for _ in range(options.byte() % 40):
        start, length = options.byte() << 4, 2 + options.byte() % 40
        flags = options.byte() & (FOLDED | LITTLE | BIG)
        wanted.append((start, length, flags))
    hay = options.left
    wanted = [(start, length, flags) for start, length, flags in wanted if start + length <= len(hay)]
    texts = [hay[start : start + length] for start, length, _ in wanted]
    hits = set(Needles(texts, [flags for *_, flags in wanted]).search(hay, 1 << 16)[0])
    assert all((start, number) in hits for number, (start, *_) in enumerate(wanted)) or len(hits) >= 1 << 16
    Needles(texts, [flags | WHOLE for *_, flags in wanted]).search(hay)


TARGETS: dict[str, Target] = {
    "descriptions": Target(descriptions, lambda: tuple(b"\2" + text.encode() for text in TEXTS), 512),
    "searched": Target(searched, seeds.files),
    "needles": Target(needles, lambda: tuple(bytes(range(1, 122)) + one for one in seeds.files()[:20])),
}

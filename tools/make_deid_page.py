"""Write docs/deid-options.md, what each option of a plan does: ``python tools/make_deid_page.py``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from dicomcore._native.deid import tables
from dicomcore.dictionary import keyword_for_tag

TARGET = Path(__file__).resolve().parents[1] / "docs" / "deid-options.md"
REPEATING = {1: "Curve Data (50xx,xxxx)", 2: "Overlay Data (60xx,3000)", 3: "Overlay Comments (60xx,4000)"}
HEAD = f"""# What the options of de-identification do

The attributes that each option of `dicomcore.deid.Plan` keeps or cleans, by Table E.1-1 of PS3.15 {tables.edition()}.
`python tools/make_deid_page.py` makes this page; don't edit it. In front of the arrow is what the basic profile does:
**X** removed, **Z** emptied, **D** a dummy value, **U** another UID; of several letters the type of the attribute in
the IOD decides. What no option names is as in the basic profile.
"""
WHAT = {
    "retain_uids": "UIDs stay.",
    "retain_device_identity": "Who reads the output may know the device.",
    "retain_institution_identity": "Who reads the output may know the institution.",
    "retain_patient_characteristics": "Age, sex, size and what matters for the images stay; ages over 89 become 90.",
    "retain_longitudinal_full_dates": "Dates and times stay.",
    "retain_longitudinal_modified_dates": "All dates of a patient move by the same days; times of day stay.",
    "retain_safe_private": "Private elements of Table E.3.10-1 (or of TCIA's list) stay, all others are removed.",
    "clean_descriptors": "Text loses what identifies; text that no row names is cleaned, too.",
    "clean_structured_content": "Content items are removed, replaced, cleaned or kept by Table E.3.4-1.",
    "clean_graphics": "Annotations and overlays lose their text.",
    "clean_pixel_data": "Text in the pixels is blanked; only then is that option claimed.",
    "clean_recognizable_visual_features": "A statement of yours: dicomcore does nothing about faces.",
}


def page() -> str:
    """The text of the page."""
    return "\n".join([HEAD, *summary(), *(line for option in WHAT for line in section(option))]).rstrip() + "\n"


def summary() -> Iterator[str]:
    counts = Counter(basic for *_, basic, _, _ in tables.attributes())
    said = ", ".join(f"{action} {count}" for action, count in counts.most_common())
    yield f"The basic profile has {sum(counts.values())} rows: {said}."
    yield ""
    yield "| option | code | keeps | cleans | |"
    yield "|---|---|---|---|---|"
    codes = {option: code for code, _, option in tables.codes()}
    for option, what in WHAT.items():
        letters = Counter(marks.get(option) for *_, marks, _ in tables.attributes())
        yield f"| `{option}` | {codes[option]} | {letters['K'] or ''} | {letters['C'] or ''} | {what} |"
    yield ""


def section(option: str) -> Iterator[str]:
    """The attributes of an option."""
    for letter, what in (("K", "keeps"), ("C", "cleans")):
        rows = [
            f"{name_of(tag, kind)} ({basic} → {letter})"
            for tag, kind, _, basic, marks, _ in tables.attributes()
            if marks.get(option) == letter and kind != 4
        ]
        if rows:
            yield f"## `{option}` {what}"
            yield ""
            yield ", ".join(sorted(rows, key=str.lower)) + "."
            yield ""


def name_of(tag: int, kind: int) -> str:
    """An attribute's keyword; its tag where the dictionary does not have it."""
    return REPEATING.get(kind) or keyword_for_tag(tag) or f"({tag >> 16:04X},{tag & 0xFFFF:04X})"


if __name__ == "__main__":
    TARGET.write_text(page(), encoding="utf-8")

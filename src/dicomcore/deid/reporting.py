"""The report of a run: a line of JSON for each input, and a page for people who decide about it.

Neither has a value, a name or a path of the input.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from html import escape
from typing import TYPE_CHECKING, Any, Self

from dicomcore.deid.profile import EDITION, OPTIONS
from dicomcore.dictionary import dictionary_description
from dicomcore.files import write_bytes
from dicomcore.version import __version__

if TYPE_CHECKING:
    from dicomcore.deid.plan import Plan
    from dicomcore.deid.running import Summary
    from dicomcore.deid.working import Done

__all__ = ["ReportFile", "page"]

STYLE = """body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#222}
table{border-collapse:collapse;width:100%;margin:.5rem 0 1.5rem}td,th{border-bottom:1px solid #ddd;padding:.25rem .5rem;
text-align:left;vertical-align:top}td.n,th.n{text-align:right}h1{font-size:1.5rem}h2{font-size:1.15rem;margin-top:2rem}
.bad{color:#a00}"""
MEANING = {
    "removed": "the element is gone",
    "emptied": "the element is there without a value",
    "dummy": "the value is a placeholder",
    "mapped": "the value was replaced by one that depends on the key (UIDs, dates)",
    "pseudonym": "the value is the patient's pseudonym",
    "cleaned": "what identifies was cut out of the text",
    "kept": "the value stays by an option",
    "age": "an age over 89 became 90",
    "function": "the caller's function gave the value",
}


class ReportFile:
    """The lines of a run, and the page beside them when it ends; without a path it writes nothing."""

    def __init__(self, path: str | os.PathLike[str] | None, plan: Plan) -> None:
        self._path = None if path is None else os.fsdecode(path)
        self._plan = plan
        self._file: Any = None

    def __enter__(self) -> Self:
        if self._path is not None:
            self._file = open(self._path, "w", encoding="utf-8")
            head = {"dicomcore": __version__, "edition": EDITION, "plan": self._plan.summary}
            self._file.write(json.dumps(head, default=str) + "\n")
        return self

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()

    def write(self, done: Done) -> None:
        """A line for an input."""
        if self._file is None:
            return
        entry: dict[str, Any] = {"number": done.number, "result": done.result, "output": done.output}
        if done.reason:
            entry["reason"] = done.reason
        if done.outcome is not None:
            entry["actions"] = {f"{action} by {rule}": n for (action, rule), n in done.outcome.counts.items()}
            entry["undecodable"] = [str(tag) for tag in done.outcome.undecodable]
            entry["pixels"] = done.outcome.pixels
            entry["notes"] = list(done.outcome.notes)
        self._file.write(json.dumps(entry) + "\n")

    def finish(self, summary: Summary) -> None:
        """Write the page, beside the lines under the same name with the suffix ``.html``."""
        if self._path is not None:
            write_bytes(os.path.splitext(self._path)[0] + ".html", page(self._plan, summary).encode())


def page(plan: Plan, summary: Summary) -> str:
    """The page about a run: what was done, by rule, and what was not."""
    parts = [
        f"<h1>De-identification by PS3.15 {EDITION}, Annex E</h1>",
        f"<p>Basic Application Level Confidentiality Profile, dicomcore {escape(__version__)}.</p>",
        _counts(summary),
        _options(plan),
        _not_done(plan, summary),
        _actions(summary),
    ]
    head = (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>De-identification</title><style>{STYLE}</style>'
    )
    return head + "".join(parts) + "</html>\n"


def _table(heads: list[str], rows: list[list[str]], numbers: int = 0) -> str:
    def cell(kind: str, place: int, text: str) -> str:
        return f"<{kind}{' class=n' if place < numbers else ''}>{text}</{kind}>"

    made = "".join(cell("th", place, escape(head)) for place, head in enumerate(heads))
    body = "".join(f"<tr>{''.join(cell('td', place, one) for place, one in enumerate(row))}</tr>" for row in rows)
    return f"<table><tr>{made}</tr>{body}</table>"


def _counts(summary: Summary) -> str:
    said = {
        "written": "files were de-identified and written",
        "there": "were there already, the same",
        "failed": "could not be de-identified: nothing of them was written",
        "not DICOM": "are not DICOM, and were passed over",
        "directory": "are DICOMDIR files, which were passed over",
    }
    rows = [[f"{summary.counts[name]:,}", escape(text)] for name, text in said.items() if summary.counts[name]]
    reasons = Counter(done.reason for done in summary.failures)
    failed = [[f"{count:,}", escape(reason)] for reason, count in reasons.most_common()]
    more = "<h2 class=bad>Not written</h2>" + _table(["files", "why"], failed, 1) if failed else ""
    return "<h2>Files</h2>" + _table(["files", ""], rows, 1) + more


def _options(plan: Plan) -> str:
    rows = [[escape(name.replace("_", " ")), "chosen" if name in plan.options else "–"] for name in OPTIONS]
    return "<h2>Options of the profile</h2>" + _table(["option", ""], rows)


def _not_done(plan: Plan, summary: Summary) -> str:
    items = []
    if "clean_recognizable_visual_features" in plan.options:
        items.append("Recognizable visual features, such as a face in a head scan, were not looked for: whoever chose "
                     "the option says that they are gone.")  # fmt: skip
    else:
        items.append("Recognizable visual features, such as a face in a head scan, were not looked for.")
    if "clean_pixel_data" in plan.options:
        items.append(f"Pixel data was cleaned, and a second look found no text, in {summary.cleaned:,} files; no other "
                     "file says that nothing is burned in.")  # fmt: skip
    else:
        items.append("Pixel data was not looked at: text that is burned into pictures is still there, and so are "
                     "comments in compressed frames.")  # fmt: skip
    if "retain_longitudinal_full_dates" in plan.options:
        items.append("Dates are the real ones.")
    undecodable = sum(count for *_, rule, count in summary.rows if rule == "undecodable")
    if undecodable:
        items.append(f"{undecodable:,} elements were removed because nothing tells what they hold.")
    items += [f"{escape(note)} ({count:,} files)" for note, count in summary.notes.most_common()]
    return "<h2>What was not done, and what to know</h2><ul>" + "".join(f"<li>{one}</li>" for one in items) + "</ul>"


def _actions(summary: Summary) -> str:
    by_action: dict[str, list[list[str]]] = {}
    for tag, action, rule, count in summary.rows:
        name = _name_of(tag)
        by_action.setdefault(action, []).append([f"{count:,}", str(tag), escape(name), escape(rule)])
    made = ["<h2>What was done, by attribute</h2>"]
    for action, rows in by_action.items():
        made.append(f"<h3>{escape(action)}: {MEANING.get(action, '')}</h3>")
        made.append(_table(["elements", "tag", "attribute", "rule"], rows, 1))
    return "".join(made)


def _name_of(tag: Any) -> str:
    if tag.group & 1:
        return "private"
    try:
        return dictionary_description(tag)
    except KeyError:
        return ""

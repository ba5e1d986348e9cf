"""Write docs/findings.md, the codes of `dicomcore.iod.check`: ``python tools/make_findings_page.py``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from dicomcore.iod.codes import CODES, GROUPS, Code

TARGET = Path(__file__).resolve().parents[1] / "docs" / "findings.md"
HEAD = """# Findings

The codes of `dicomcore.iod.check` and `dicomcore check`. `python tools/make_findings_page.py` makes this page; don't
edit it. Clauses are of PS3.3 unless they name another part; where none is named, a finding has that of its module.
"""


def page() -> str:
    """The text of the page."""
    return "\n".join([HEAD, *(line for group in GROUPS for line in section(group))]).rstrip() + "\n"


def section(group: str) -> Iterator[str]:
    """The codes of a group of rules."""
    yield f"## {group.capitalize()}"
    yield ""
    yield "| code | severity | clause | |"
    yield "|---|---|---|---|"
    yield from (row(code) for code in CODES.values() if code.group == group)
    yield ""


def row(code: Code) -> str:
    """A code's line."""
    return f"| {code.name} | {code.severity} | {code.clause} | {code.explanation} |"


if __name__ == "__main__":
    TARGET.write_text(page(), encoding="utf-8")

"""docs/findings.md has the codes that there are."""

from __future__ import annotations

import runpy
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_the_page_is_up_to_date():
    made = runpy.run_path(str(ROOT / "tools/make_findings_page.py"))["page"]()
    assert (ROOT / "docs/findings.md").read_text(encoding="utf-8") == made, "run python tools/make_findings_page.py"

"""The standard's tables as JSON, read where they are: ``../shared/standard``, or DICOMCORE_STANDARD.

Without them the tests that generate the native tables again are skipped, and the summary says so.
"""

from __future__ import annotations

import json
from typing import Any

from tools.standard.place import ABSENT, ROOT

__all__ = ["ABSENT", "ROOT", "load"]


def load(name: str) -> Any:
    """A file of the folder, by its name without extension."""
    return json.loads((ROOT / f"{name}.json").read_text(encoding="utf-8"))

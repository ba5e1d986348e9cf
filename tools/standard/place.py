"""Where the standard's tables as JSON lie: DICOMCORE_STANDARD, or shared/standard beside a folder above this one."""

from __future__ import annotations

import os
from pathlib import Path


def folder() -> Path:
    """The folder of sources, whether or not there is one."""
    named = os.environ.get("DICOMCORE_STANDARD")
    places = [Path(named)] if named else [up / "shared/standard" for up in Path(__file__).resolve().parents[3:]]
    return next((place for place in places if (place / "modules.json").is_file()), places[0])


ROOT = folder()
ABSENT = (
    ""
    if (ROOT / "modules.json").is_file()
    else f"no tables of the standard at {ROOT}: set DICOMCORE_STANDARD to where modules.json is"
)

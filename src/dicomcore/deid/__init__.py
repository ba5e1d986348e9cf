"""De-identification by PS3.15 Annex E: the Basic Application Level Confidentiality Profile and its options."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from dicomcore.deid.applying import Outcome, apply, deidentify
from dicomcore.deid.keys import Key
from dicomcore.deid.plan import Plan
from dicomcore.deid.profile import EDITION, OPTIONS
from dicomcore.errors import DeidError

if TYPE_CHECKING:
    from dicomcore.deid.identifiers import Identifiers, gather
    from dicomcore.deid.running import Done, Summary, folder
    from dicomcore.deid.sealed import Seal, reveal
    from dicomcore.deid.verifying import Finding, Report, gather_from, kinds_for, verify

__all__ = [
    "EDITION",
    "OPTIONS",
    "DeidError",
    "Done",
    "Finding",
    "Identifiers",
    "Key",
    "Outcome",
    "Plan",
    "Report",
    "Seal",
    "Summary",
    "apply",
    "deidentify",
    "folder",
    "gather",
    "gather_from",
    "kinds_for",
    "reveal",
    "verify",
]

LATER = {
    "identifiers": ("Identifiers", "gather"),
    "running": ("Done", "Summary", "folder"),
    "sealed": ("Seal", "reveal"),
    "verifying": ("Finding", "Report", "gather_from", "kinds_for", "verify"),
}
"""Names by the modules that load what one file does not need, such as the walk through archives."""


def __getattr__(name: str) -> Any:
    for module, names in LATER.items():
        if name in names:
            return getattr(import_module(f"{__name__}.{module}"), name)
    if name == "pixels":
        return import_module(f"{__name__}.pixels")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

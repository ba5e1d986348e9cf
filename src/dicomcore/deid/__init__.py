"""De-identification by PS3.15 Annex E: the Basic Application Level Confidentiality Profile and its options."""

from typing import TYPE_CHECKING

from dicomcore.deid.applying import Outcome, apply, deidentify
from dicomcore.deid.keys import Key
from dicomcore.deid.plan import Plan
from dicomcore.deid.profile import EDITION, OPTIONS
from dicomcore.errors import DeidError
from dicomcore.later import later

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

HOMES = {
    ".identifiers": ("Identifiers", "gather"),
    ".running": ("Done", "Summary", "folder"),
    ".sealed": ("Seal", "reveal"),
    ".verifying": ("Finding", "Report", "gather_from", "kinds_for", "verify"),
}

# What one file does not need, such as the walk through archives.
__getattr__, __dir__ = later(__name__, HOMES, modules=["pixels"])

"""De-identification by PS3.15 Annex E: the Basic Application Level Confidentiality Profile and its options."""

from dicomcore.deid.applying import Outcome, apply, deidentify
from dicomcore.deid.identifiers import Identifiers, gather
from dicomcore.deid.keys import Key
from dicomcore.deid.plan import Plan
from dicomcore.deid.profile import EDITION, OPTIONS
from dicomcore.deid.verifying import Finding, Report, gather_from, kinds_for, verify
from dicomcore.errors import DeidError

__all__ = [
    "EDITION",
    "OPTIONS",
    "DeidError",
    "Finding",
    "Identifiers",
    "Key",
    "Outcome",
    "Plan",
    "Report",
    "apply",
    "deidentify",
    "gather",
    "gather_from",
    "kinds_for",
    "verify",
]

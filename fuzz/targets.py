"""All targets, by name."""

from __future__ import annotations

import differences
import exchange
import imaging
import parsing
import writing
from target import Target

TARGETS: dict[str, Target] = {
    **parsing.TARGETS,
    **imaging.TARGETS,
    **writing.TARGETS,
    **exchange.TARGETS,
    **differences.TARGETS,
}

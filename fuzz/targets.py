"""All targets, by name."""

from __future__ import annotations

from fuzz import differences, exchange, identifying, imaging, parsing, writing
from fuzz.target import Target

TARGETS: dict[str, Target] = {
    **parsing.TARGETS,
    **imaging.TARGETS,
    **writing.TARGETS,
    **exchange.TARGETS,
    **differences.TARGETS,
    **identifying.TARGETS,
}

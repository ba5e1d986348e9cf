"""All targets, by name."""

from __future__ import annotations

from fuzz import checking, differences, exchange, imaging, network, parsing, writing
from fuzz.target import Target

TARGETS: dict[str, Target] = {
    **parsing.TARGETS,
    **imaging.TARGETS,
    **writing.TARGETS,
    **exchange.TARGETS,
    **checking.TARGETS,
    **differences.TARGETS,
    **network.TARGETS,
}

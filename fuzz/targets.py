"""All targets, by name."""

from __future__ import annotations

from fuzz import (
    checking,
    departments,
    differences,
    exchange,
    identifying,
    imaging,
    network,
    parsing,
    rendering,
    writing,
)
from fuzz.target import Target

TARGETS: dict[str, Target] = {
    **parsing.TARGETS,
    **imaging.TARGETS,
    **writing.TARGETS,
    **exchange.TARGETS,
    **checking.TARGETS,
    **differences.TARGETS,
    **identifying.TARGETS,
    **network.TARGETS,
    **departments.TARGETS,
    **rendering.TARGETS,
}

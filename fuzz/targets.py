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
    web,
    web_client,
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
    **web.TARGETS,
    **web_client.TARGETS,
    **departments.TARGETS,
    **rendering.TARGETS,
}

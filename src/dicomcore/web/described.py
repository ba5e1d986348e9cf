"""Instances that come as metadata and bulk data (PS3.18 10.5.1): files are made of them when all parts are there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from dicomcore.web.node import Node
from dicomcore.web.outcomes import Failure

__all__ = ["Described"]


class Described:
    """Collects the parts of a request, and makes files of them."""

    def __init__(self, node: Node, form: str) -> None:
        self._node, self._form = node, form

    def begin(self, part: Any) -> None:
        """A part begins."""

    def write(self, data: memoryview) -> None:
        """Bytes of it."""

    def end(self, fault: str) -> None:
        """It is whole, or has a fault."""

    def instances(self) -> Iterator[str | Failure]:
        """The path of a file of each instance, or why there is none."""
        yield from ()

    def close(self) -> None:
        """Remove what is left."""

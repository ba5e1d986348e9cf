"""values_2016.json: enumerated values and defined terms of 2016, where the newer source says nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from pydicom.datadict import dictionary_VR

from tools.standard.model import Binding, ValueSet
from tools.standard.readers.values import Use

EDITION = "2016"
BINARY = ("US", "UL", "SS", "SL", "US or SS")


def read_uses(source: dict[str, Any]) -> Iterator[Use]:
    """Uses whose path is the tag alone: the source does not tell in which sequence it lies. Lists that hold only under
    a condition are left out."""
    for module, tag, _, kind, which, values in source["values"]:
        found = re.fullmatch(r"for Value (\d+)", which or "")
        if which not in (None, "Enumerated values") and not found:
            continue
        number = int(found[1]) if found else 0
        if dictionary_VR(int(tag.replace("x", "0"), 16)) in BINARY:
            numbers = ValueSet("number", tuple(map(binary, values)))
            yield Use(module, (tag,), Binding("B", numbers, number, None, EDITION))
        else:
            yield Use(module, (tag,), Binding(kind, ValueSet("string", tuple(values)), number, None, EDITION))


def binary(text: str) -> int:
    """A number as the tables write it: "1", or "0001H"."""
    return int(text[:-1], 16) if text.endswith("H") else int(text)

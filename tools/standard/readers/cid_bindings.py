"""cid_bindings.json: the context groups of code sequences. Places of 2025e, numbers of older editions."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from tools.standard.model import Binding, ValueSet
from tools.standard.readers.values import Use

EDITIONS = {"t": "2024-12", "f": "2016", "v": "2008"}
KINDS = {"D": "C", "B": "c"}  # defined (DCID) or baseline (BCID)
CODE_MACRO = "8.8-1"


def read_uses(source: dict[str, Any]) -> Iterator[Use]:
    """Uses at the sequence, or at the attribute below it that the include names. Numbers that were only inferred are
    left out, as are those of a macro that do not say which attribute they are for."""
    for module, path, named, macro, letter, cids, sources, how, _ in source["places"]:
        if how not in ("x", "c"):
            continue
        tags = tuple(path.split("/")) if path else ()
        within = named if macro != CODE_MACRO else None
        if macro != CODE_MACRO and not re.fullmatch("[0-9A-F]{8}", named or ""):
            continue
        numbers = ValueSet("number", tuple(cids) if isinstance(cids, list) else (cids,))
        edition = next(EDITIONS[one] for one in "tfv" if one in sources)
        # What an include of a code sequence names is the case in which the group is due.
        binding = Binding(KINDS[letter], numbers, 0, named if macro == CODE_MACRO else None, edition)
        yield Use(module, (*tags, within) if within else tags, binding)

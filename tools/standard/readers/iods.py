"""iods.json: SOP classes, the IODs they use, and the modules and functional groups of those."""

from __future__ import annotations

from typing import Any

from tools.standard.model import Iod, Usage


def read_iods(source: dict[str, Any]) -> dict[str, Iod]:
    iods = {key: Iod(key, name) for key, name, _ in source["iods"]}
    for key, ie, name, usage, condition, module, _ in source["modules"]:
        iods[key].usages.append(Usage(ie, name, module, usage, condition))
    for key, kind, name, usage, condition, module, _ in source["groups"]:
        iods[key].groups.append(Usage(kind, name, module, usage, condition))
    return iods


def read_sop_classes(source: dict[str, Any]) -> dict[str, tuple[str, str]]:
    """UID: name and key of the IOD."""
    return {uid: (name, iod) for uid, name, iod, _ in source["sop_classes"]}

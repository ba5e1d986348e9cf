"""The information models of query and retrieve (PS3.4 C, K, Q, T to X, BB, GG to II): one table for all of them."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["MODELS", "Model", "model_of"]

ROOT = "1.2.840.10008."


class Model(NamedTuple):
    """A model: the SOP classes of its operations, "" where it has none, and its levels from the top."""

    name: str
    find: str
    move: str = ""
    get: str = ""
    levels: tuple[str, ...] = ()


FOUR = ("PATIENT", "STUDY", "SERIES", "IMAGE")


def _model(name: str, stem: str, ends: str, levels: tuple[str, ...] = ()) -> Model:
    """`ends` are the last components of find, move and get."""
    uids = [f"{ROOT}{stem}.{end}" if end != "-" else "" for end in ends.split()]
    return Model(name, uids[0], uids[1], uids[2], levels)


MODELS = {
    model.name: model
    for model in (
        _model("patient", "5.1.4.1.2.1", "1 2 3", FOUR),
        _model("study", "5.1.4.1.2.2", "1 2 3", FOUR[1:]),
        _model("patient-study", "5.1.4.1.2.3", "1 2 3", FOUR[:2]),
        _model("instance-root", "5.1.4.1.2.4", "- 2 3", ("IMAGE", "FRAME")),
        _model("without-bulk-data", "5.1.4.1.2.5", "- - 3", FOUR[1:]),
        Model("worklist", ROOT + "5.1.4.31"),
        Model("general-relevant-patient", ROOT + "5.1.4.37.1"),
        Model("breast-imaging-relevant-patient", ROOT + "5.1.4.37.2"),
        Model("cardiac-relevant-patient", ROOT + "5.1.4.37.3"),
        _model("hanging-protocol", "5.1.4.38", "2 3 4"),
        _model("color-palette", "5.1.4.39", "2 3 4"),
        _model("generic-implant", "5.1.4.43", "2 3 4"),
        _model("implant-assembly", "5.1.4.44", "2 3 4"),
        _model("implant-group", "5.1.4.45", "2 3 4"),
        _model("defined-procedure-protocol", "5.1.4.20", "1 2 3"),
        _model("protocol-approval", "5.1.4.1.1.200", "4 5 6"),
        _model("inventory", "5.1.4.1.1.201", "2 3 4"),
        Model("repository", ROOT + "5.1.4.1.1.201.6"),
        Model("ups", ROOT + "5.1.4.34.6.3"),
        Model("ups-watch", ROOT + "5.1.4.34.6.2"),
        Model("ups-query", ROOT + "5.1.4.34.6.5"),
        Model("product-characteristics", ROOT + "5.1.4.41"),
        Model("substance-approval", ROOT + "5.1.4.42"),
    )
}


def model_of(name: str) -> Model:
    """A model by its name, or by one of its SOP class UIDs. ValueError names those that exist."""
    if name in MODELS:
        return MODELS[name]
    for model in MODELS.values():
        if name and name in model[1:4]:
            return model
    raise ValueError(f"{name!r} is no query model; they are {', '.join(MODELS)}")

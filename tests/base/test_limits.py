"""Limits: frozen, compared by value, and still a data class for `dataclasses`."""

from __future__ import annotations

import copy
import dataclasses
import pickle

import pytest

from dicomcore.limits import DEFAULT_LIMITS, Limits

OTHER = Limits(strict=True, depth=9)
WAYS = {
    "dataclasses.replace": dataclasses.replace(DEFAULT_LIMITS, strict=True, depth=9),
    "pickle": pickle.loads(pickle.dumps(OTHER)),
    "copy": copy.copy(OTHER),
    "deep copy": copy.deepcopy(OTHER),
    "as fields": Limits(**dataclasses.asdict(OTHER)),
}


@pytest.mark.parametrize("limits", WAYS.values(), ids=WAYS)
def test_the_same_limits_are_equal(limits):
    assert limits == OTHER
    assert hash(limits) == hash(OTHER)
    assert repr(limits) == repr(OTHER)
    assert limits != DEFAULT_LIMITS
    assert limits != 9
    assert (limits.depth, limits.strict, limits.frames) == (9, True, DEFAULT_LIMITS.frames)


def test_fields_have_their_names_and_defaults():
    fields = dataclasses.fields(Limits)
    assert dataclasses.is_dataclass(Limits)
    assert [one.name for one in fields] == list(Limits.__slots__)
    assert all(one.default == getattr(DEFAULT_LIMITS, one.name) for one in fields)


@pytest.mark.parametrize("name", ["depth", "other"])
def test_limits_can_not_be_changed(name):
    with pytest.raises(AttributeError, match=f"cannot change '{name}'"):
        setattr(OTHER, name, 1)
    with pytest.raises(AttributeError, match="cannot delete"):
        del OTHER.depth


def test_limits_take_names_alone():
    with pytest.raises(TypeError):
        Limits(9)  # type: ignore[misc]
    with pytest.raises(TypeError, match="deep"):
        Limits(deep=9)  # type: ignore[call-arg]

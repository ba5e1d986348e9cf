"""Tuples with named fields, for modules that every program loads: `typing`, which has them, loads slowly."""

from __future__ import annotations

from collections import namedtuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, NamedTuple

__all__ = ["NamedTuple"]


class _Maker(type):
    def __new__(cls, name: str, bases: tuple[Any, ...], body: dict[str, Any]) -> Any:
        fields = body.get("__annotations__", {})
        defaults = [body[field] for field in fields if field in body]
        made: Any = namedtuple(name, fields, defaults=defaults)  # type: ignore[misc]
        for key, value in body.items():
            if key not in fields:
                setattr(made, key, value)
        return made


if not TYPE_CHECKING:
    # A class statement with this base makes the same class as one with `typing.NamedTuple`, for which checkers take it.
    NamedTuple = type.__new__(_Maker, "NamedTuple", (), {})

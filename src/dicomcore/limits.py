"""Limits: bounds on what one call accepts from its input. They are an argument, never global."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Self

__all__ = ["DEFAULT_LIMITS", "Limits"]


class _Fields:
    """The fields as `dataclasses` describes them, for its functions; importing it takes a tenth of the whole import."""

    def __get__(self, limits: Limits | None, owner: type[Limits]) -> dict[str, Any]:
        from dataclasses import field, make_dataclass

        defaults = owner.__init__.__kwdefaults__ or {}
        told = [(name, kind, field(default=defaults[name])) for name, kind in owner.__annotations__.items()]
        made: Any = make_dataclass(owner.__name__, told, kw_only=True, frozen=True)
        fields: dict[str, Any] = made.__dataclass_fields__
        return fields


class Limits:
    """Bounds on what one call accepts before it raises LimitError. No real file comes near the defaults.

    The same object says how frames are decoded (`strict`, `isolate` and the bounds of isolated codecs), because it
    stays with a data set until its frames are decoded. It cannot be changed, and `dataclasses.replace` makes another.
    """

    __slots__ = (
        *("depth", "elements", "inflated_bytes", "inflated_ratio", "frame_pixels", "frames", "pixels", "strict"),
        *("isolate", "decode_seconds", "decode_bytes"),
    )
    __dataclass_fields__ = _Fields()

    depth: int
    """Levels of nesting. A sequence is one level and an item in it another: 512 allow 256 nested sequences."""
    elements: int
    """Rows of the index: elements, items and fragments."""
    inflated_bytes: int
    """Bytes of a deflated data set after inflation."""
    inflated_ratio: int
    """Inflated bytes for one deflated byte, checked beyond 16 MiB of inflated data. Deflate cannot exceed 1032."""
    frame_pixels: int
    """Rows × columns of one frame."""
    frames: int
    """Frames of one data set."""
    pixels: int
    """Rows × columns of one rendered picture. Graphics drawn over it take at most 64 times as many pixels in all."""
    strict: bool
    """Raise for deviations that would otherwise become issues: those of the data set's structure when it is read, those
    of a frame when it is decoded."""
    isolate: bool
    """Decode frames in worker processes, unless the codec is dicomcore's own. If a hostile codestream crashes another
    library, a worker ends and PixelDecodeError is raised. This contains accidents; it is not a sandbox."""
    decode_seconds: float
    """Seconds that an isolated codec may take for one frame."""
    decode_bytes: int
    """Bytes of memory that an isolated codec may take besides 16 times the frame's size, if the system enforces it."""

    def __init__(
        self,
        *,
        depth: int = 512,
        elements: int = 200_000_000,
        inflated_bytes: int = 1 << 30,
        inflated_ratio: int = 900,
        frame_pixels: int = 1 << 31,
        frames: int = 1 << 24,
        pixels: int = 1 << 28,
        strict: bool = False,
        isolate: bool = False,
        decode_seconds: float = 60.0,
        decode_bytes: int = 4 << 30,
    ) -> None:
        given = locals()
        for name in Limits.__slots__:
            object.__setattr__(self, name, given[name])

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"cannot change {name!r}: dataclasses.replace(limits, {name}=…) makes other limits")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"cannot delete {name!r} of limits")

    def __replace__(self, **changes: Any) -> Self:
        return type(self)(**{**self._given(), **changes})

    def __reduce__(self) -> tuple[Any, ...]:
        return _made, (type(self), self._given())

    def __eq__(self, other: object) -> bool:
        return self._given() == other._given() if type(other) is type(self) else NotImplemented

    def __hash__(self) -> int:
        return hash(tuple(self._given().values()))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in self._given().items())})"

    def _given(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in Limits.__slots__}


def _made(kind: type[Limits], given: dict[str, Any]) -> Limits:
    return kind(**given)


DEFAULT_LIMITS = Limits()

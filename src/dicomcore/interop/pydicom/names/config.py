"""pydicom.config: dicomcore has no process-wide settings, so that setting one warns once and says what to do."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from types import ModuleType
from typing import Any

__all__ = ["IGNORE", "RAISE", "WARN", "Settings", "settings"]

IGNORE, WARN, RAISE = 0, 1, 2

debugging = False
have_numpy = True
use_DS_decimal = False
use_DS_numpy = False
use_IS_numpy = False
datetime_conversion = False
allow_DS_float = False
enforce_valid_values = False
replace_un_with_known_vr = True
convert_wrong_length_to_UN = False
show_file_meta = True
APPLY_J2K_CORRECTIONS = True
assume_implicit_vr_switch = True
data_element_callback: Any = None
data_element_callback_kwargs: dict[str, Any] = {}
INVALID_KEYWORD_BEHAVIOR = "WARN"
INVALID_KEY_BEHAVIOR = "WARN"
use_none_as_empty_text_VR_value = False
_use_future = False

PAGE = "docs/from-pydicom.md"
READING = "settings.reading_validation_mode"
INSTEAD = {
    "APPLY_J2K_CORRECTIONS": "the header of a codestream always counts, and Frames.issues says so",
    "data_element_callback": "walk over the data set after it is read",
    "datetime_conversion": "use dicomcore.values.parse_date, parse_time and parse_datetime",
    "enforce_valid_values": "use dicomcore.dcmread(path, strict=True)",
    "INVALID_KEYWORD_BEHAVIOR": 'set ds.validation to "warn", "raise" or "ignore"',
    "reading_validation_mode": "use dicomcore.dcmread(path, strict=True), or look at ds.issues",
    "writing_validation_mode": 'set ds.validation to "warn", "raise" or "ignore"',
    "use_DS_decimal": "use decimal.Decimal(bytes(element.raw).decode())",
    "use_DS_numpy": "use element.array",
    "use_IS_numpy": "use element.array",
}
"""What to do instead, for settings with a counterpart."""


class Settings:
    """pydicom's settings of validation: reading never raises here, and writing warns."""

    reading_validation_mode: int
    writing_validation_mode: int
    infer_sq_for_un_vr: bool
    buffered_read_size: int

    def __init__(self) -> None:
        self.__dict__.update(
            reading_validation_mode=WARN,
            writing_validation_mode=WARN,
            infer_sq_for_un_vr=True,
            buffered_read_size=8192,
        )

    def __setattr__(self, name: str, value: Any) -> None:
        if value != self.__dict__.get(name):
            _warn(f"settings.{name}", INSTEAD.get(name))
        self.__dict__[name] = value


settings = Settings()


def debug(debug_on: bool = True, default_handler: bool = True) -> None:
    """Set the level of the logger "pydicom", under which dicomcore logs nothing."""
    import logging

    logging.getLogger("pydicom").setLevel(logging.DEBUG if debug_on else logging.WARNING)


def reset_data_element_callback() -> None:
    """Do nothing: there is no callback."""


def future_behavior(enable_future: bool = True) -> None:
    """Warn that this has no effect."""
    _warn("future_behavior", None)


def DS_decimal(use_Decimal_boolean: bool = True) -> None:
    """Warn that this has no effect."""
    if use_Decimal_boolean:
        _warn("use_DS_decimal", INSTEAD["use_DS_decimal"])


def DS_numpy(use_numpy: bool = True) -> None:
    """Warn that this has no effect."""
    if use_numpy:
        _warn("use_DS_numpy", INSTEAD["use_DS_numpy"])


@contextmanager
def disable_value_validation() -> Iterator[None]:
    """Check no value that is set within the context."""
    before = settings.reading_validation_mode
    object.__setattr__(settings, "reading_validation_mode", IGNORE)
    try:
        yield
    finally:
        object.__setattr__(settings, "reading_validation_mode", before)


@contextmanager
def strict_reading() -> Iterator[None]:
    """Warn that this has no effect."""
    _warn("strict_reading", INSTEAD["reading_validation_mode"])
    yield


_warned: set[str] = set()


def _warn(name: str, instead: str | None) -> None:
    if name in _warned:
        return
    _warned.add(name)
    advice = f": {instead}" if instead else ""
    effect = "only affects values that are made or set" if name == READING else "has no effect in dicomcore"
    warnings.warn(f"pydicom.config.{name} {effect}{advice} (see {PAGE})", stacklevel=3)


HANDLERS = ("numpy_handler", "gdcm_handler", "pillow_handler", "jpeg_ls_handler", "pylibjpeg_handler", "rle_handler")


class _Config(ModuleType):
    @property
    def pixel_data_handlers(self) -> list[Any]:
        """pydicom's own handlers, if it is installed; `pixel_array` uses none of them."""
        found = self.__dict__.get("_handlers")
        if found is None:
            try:
                found = [import_module(f"pydicom.pixel_data_handlers.{name}") for name in HANDLERS]
            except ImportError:
                found = []
            self.__dict__["_handlers"] = found
        return found  # type: ignore[no-any-return]

    @pixel_data_handlers.setter
    def pixel_data_handlers(self, value: list[Any]) -> None:
        _warn("pixel_data_handlers", None)
        self.__dict__["_handlers"] = value

    image_handlers = pixel_data_handlers

    @property
    def logger(self) -> Any:
        """The logger "pydicom", which is made when it is asked for."""
        import logging

        return logging.getLogger("pydicom")

    def __setattr__(self, name: str, value: Any) -> None:
        known = name in self.__dict__ and not name.startswith("__") and name not in ("settings", "logger")
        if known and value != self.__dict__[name]:
            _warn(name, INSTEAD.get(name))
        super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Config

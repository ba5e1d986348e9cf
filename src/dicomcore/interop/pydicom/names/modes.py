"""How values are checked: as an argument says, else as `config.settings` says."""

from typing import Any

from dicomcore.interop.pydicom.names import config

__all__ = ["raises_on_reading", "raises_on_writing", "reading_mode"]


def reading_mode(stated: int | None = None) -> int:
    """The mode stated, or that of `config.settings.reading_validation_mode`."""
    settings: Any = config.settings
    mode: int = settings.reading_validation_mode if stated is None else stated
    return mode


def raises_on_reading() -> bool:
    """Whether `config.settings.reading_validation_mode` is RAISE."""
    return reading_mode() == config.RAISE


def raises_on_writing() -> bool:
    """Whether `config.settings.writing_validation_mode` is RAISE."""
    settings: Any = config.settings
    return bool(settings.writing_validation_mode == config.RAISE)

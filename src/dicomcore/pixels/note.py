"""What a frame's codestream and its data set disagree about."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Note"]


@dataclass(frozen=True, slots=True)
class Note:
    """One disagreement that was settled; becomes an Issue of the data set."""

    code: str
    """"pixel-transfer-syntax", "pixel-precision", "pixel-sign", "pixel-samples", "pixel-colour", "pixel-container"."""
    message: str

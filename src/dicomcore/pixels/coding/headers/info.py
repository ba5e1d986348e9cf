"""The description that a codestream's own header gives."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["CodestreamInfo"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CodestreamInfo:
    """A codestream's size, samples and colour by its own header; None where that doesn't state them."""

    format: str
    """"JPEG", "JPEG-LS", "JPEG 2000", "HTJ2K" or "JPEG XL"."""
    rows: int
    """0 where a DNL marker segment states them later."""
    columns: int
    components: int | None
    precision: int | None
    signed: bool = False
    lossless: bool | None = None
    colour: str | None = None
    """Colour of the decoded samples by the codestream's own marks: "RGB", "YBR" or None."""
    marked_by: str | None = None
    """The mark that gives `colour`: "Adobe", "JFIF", "component ids", "component transform", "chroma subsampling"."""
    subsampling: tuple[tuple[int, int], ...] = ()
    """(horizontal, vertical) for each component: JPEG's sampling factors, JPEG 2000's XRsiz and YRsiz."""
    component_ids: tuple[int, ...] = ()
    frame_type: int | None = None
    """The n of JPEG's SOFn; 55 for JPEG-LS."""
    offset: int = 0
    """The offset of the bare codestream; more than 0 in a JP2 or JPEG XL file."""
    length: int = 0
    """Bytes of the bare codestream from `offset` on."""

    @property
    def subsampled(self) -> bool:
        """Whether components have different subsampling."""
        return len(set(self.subsampling)) > 1

"""What a codestream's own header says, whatever the data set says."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["CodestreamInfo"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CodestreamInfo:
    """Size, samples and colour as the codestream states them; None where it doesn't."""

    format: str
    """"JPEG", "JPEG-LS", "JPEG 2000", "HTJ2K" or "JPEG XL"."""
    rows: int
    """0 where a DNL marker will tell."""
    columns: int
    components: int | None
    precision: int | None
    signed: bool = False
    lossless: bool | None = None
    colour: str | None = None
    """Colour of the decoded samples by the codestream's own marks: "RGB", "YBR" or None."""
    marked_by: str | None = None
    """What `colour` rests on: "Adobe", "JFIF", "component ids", "component transform", "chroma subsampling"."""
    subsampling: tuple[tuple[int, int], ...] = ()
    """(across, down) of each component: JPEG's sampling factors, JPEG 2000's XRsiz and YRsiz."""
    component_ids: tuple[int, ...] = ()
    frame_type: int | None = None
    """JPEG's n of SOFn; 55 is JPEG-LS."""
    offset: int = 0
    """Where the bare codestream starts; more than 0 in a JP2 or JPEG XL file."""
    length: int = 0
    """Bytes of the bare codestream from `offset` on."""

    @property
    def subsampled(self) -> bool:
        """Whether components differ in size."""
        return len(set(self.subsampling)) > 1

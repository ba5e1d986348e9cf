"""The table of VRs: each row has all facts that depend on the VR alone (PS3.5 6.2, Tables 6.2-1 and 7.1-1).

All code takes these facts from here; sets of VRs that concern one module only are defined there.
`tools/make_tables.py` runs this file alone to write the native tables, so it must import nothing but `records`.
"""

from __future__ import annotations

from dicomcore.records import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Literal

    Kind = Literal["text", "decimal", "number", "tag", "bytes", "sequence"]
    """The kind of a value: text, a number written as text, a binary number, an attribute tag, bytes or words, items."""

__all__ = ["BYTES", "NAMES", "NUMBERS", "TEXTS", "VR", "VRS", "WITH_CHARSET"]


UNLIMITED = 0xFFFFFFFE
"""The largest number of bytes that a 32-bit value length can state."""


class VR(NamedTuple):
    """A value representation."""

    name: str
    kind: Kind
    dtype: str = ""
    """NumPy's name for one word of a binary value, without byte order; empty for text and sequences."""
    long: bool = False
    """The value length has 32 bits in explicit VR, behind two reserved bytes (PS3.5 7.1.2)."""
    charset: bool = False
    """Specific Character Set governs the text (PS3.5 6.1.2.2)."""
    single: bool = False
    """A backslash is part of the text, so that there is only one value (PS3.5 6.4)."""
    fixed: bool = False
    """All values have the same length, so that padding would be part of a value."""
    longest: int = 0
    """The maximum length of one text in characters, without padding: for DA, TM and DT of a range (PS3.4 C.2.2.2.5),
    for PN of a component group; 0 for VRs that are not text."""
    padding: bytes = b"\0"
    """The byte that pads a value of odd length (PS3.5 6.2)."""

    @property
    def code(self) -> int:
        """The two letters in one word, the first in its low byte, as in native code."""
        return ord(self.name[0]) | ord(self.name[1]) << 8


VRS = (
    VR("AE", "text", longest=16, padding=b" "),
    VR("AS", "text", fixed=True, longest=4, padding=b" "),
    VR("AT", "tag", "u4"),
    VR("CS", "text", longest=16, padding=b" "),
    VR("DA", "text", fixed=True, longest=18, padding=b" "),
    VR("DS", "decimal", longest=16, padding=b" "),
    VR("DT", "text", longest=54, padding=b" "),
    VR("FD", "number", "f8"),
    VR("FL", "number", "f4"),
    VR("IS", "decimal", longest=12, padding=b" "),
    VR("LO", "text", charset=True, longest=64, padding=b" "),
    VR("LT", "text", charset=True, single=True, longest=10240, padding=b" "),
    VR("OB", "bytes", "u1", long=True),
    VR("OD", "bytes", "f8", long=True),
    VR("OF", "bytes", "f4", long=True),
    VR("OL", "bytes", "u4", long=True),
    VR("OV", "bytes", "u8", long=True),
    VR("OW", "bytes", "u2", long=True),
    VR("PN", "text", charset=True, longest=64, padding=b" "),
    VR("SH", "text", charset=True, longest=16, padding=b" "),
    VR("SL", "number", "i4"),
    VR("SQ", "sequence", long=True),
    VR("SS", "number", "i2"),
    VR("ST", "text", charset=True, single=True, longest=1024, padding=b" "),
    VR("SV", "number", "i8", long=True),
    VR("TM", "text", longest=28, padding=b" "),
    VR("UC", "text", long=True, charset=True, longest=UNLIMITED, padding=b" "),
    VR("UI", "text", longest=64),
    VR("UL", "number", "u4"),
    VR("UN", "bytes", "u1", long=True),
    VR("UR", "text", long=True, single=True, longest=UNLIMITED, padding=b" "),
    VR("US", "number", "u2"),
    VR("UT", "text", long=True, charset=True, single=True, longest=UNLIMITED, padding=b" "),
    VR("UV", "number", "u8", long=True),
)

NAMES = frozenset(vr.name for vr in VRS)
TEXTS = frozenset(vr.name for vr in VRS if vr.kind == "text")
NUMBERS = frozenset(vr.name for vr in VRS if vr.kind == "number")
BYTES = frozenset(vr.name for vr in VRS if vr.kind == "bytes")
WITH_CHARSET = frozenset(vr.name for vr in VRS if vr.charset)

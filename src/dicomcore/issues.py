"""Issues: deviations from the standard in an input that was read nevertheless."""

from __future__ import annotations

from dicomcore.records import NamedTuple
from dicomcore.tags import Tag

__all__ = ["Issue"]


class Issue(NamedTuple):
    """One deviation from the standard.

    `code` is stable, for programs; `message` is for people. `tag` is the element's tag, or None where no element is at
    fault. `offset` is the position of the element's first byte, from the start of the source.
    """

    code: str
    tag: Tag | None
    offset: int
    message: str


# By the scanner's code (IssueCode in _native/scan/scan.pxd): the name, and the text with its two numbers.
SCANNED = {
    1: ("TRAILING_BYTES", "{present} bytes are left where a header takes {claimed}"),
    2: ("TRAILING_ZEROS", "nothing but {present} zero bytes follow"),
    3: ("LENGTH_BEYOND_END", "claims {claimed} bytes where {present} are left"),
    4: ("OUT_OF_ORDER", "follows ({claimed_tag}), which is higher"),
    5: ("DUPLICATE_TAG", "stands twice; the last one counts"),
    6: ("ODD_LENGTH", "has the odd length {claimed}"),
    7: ("UNKNOWN_VR", "has the unknown VR {claimed_vr}"),
    8: ("IMPLICIT_IN_EXPLICIT", "is in implicit VR where explicit VR was due"),
    9: ("LENGTH_FIELD_16", "has a 16-bit length ({present}) where VR {claimed_vr} takes 32 bits"),
    10: ("MISSING_ITEM_DELIMITER", "is of undefined length and has no item delimiter"),
    11: ("MISSING_SEQUENCE_DELIMITER", "is of undefined length and has no sequence delimiter"),
    12: ("STRAY_DELIMITER", "delimits nothing that is open or of undefined length"),
    13: ("DELIMITER_LENGTH", "is a delimiter with length {claimed}, which should be 0"),
    14: ("NOT_AN_ITEM", "stands where an item was due; {present} bytes of the sequence are left unread"),
    15: ("NO_ITEMS", "is a sequence whose value holds no item; its bytes are kept as the value"),
    16: ("SHORT_VR_UNDEFINED", "has undefined length, which its VR can't have"),
    17: ("EXPLICIT_IN_IMPLICIT", "is in explicit VR where implicit VR was due"),
    18: ("SHORT_ITEM", "says {claimed} bytes, but its fragments go on to their delimiter: it has {present}"),
    19: ("LENGTH_13", "says 13 bytes and has 10, as files of GE's do"),
}

# The same of how an input begins (Opened in _native/scan/opening.pxd). What is said of an element follows a colon.
OPENED = {
    101: ("MISSING_PREAMBLE", "no preamble, no DICM prefix: the file meta information stands at byte 0"),
    102: ("MISSING_PREAMBLE", "the DICM prefix stands at byte 0: no preamble"),
    103: ("MISSING_PREAMBLE", "no preamble, no DICM prefix and no file meta information"),
    104: ("MISSING_META", "no file meta information"),
    105: ("META_ENCODING", "the file meta information is in big endian"),
    106: ("META_ENCODING", "the file meta information is in implicit VR"),
    107: ("META_LENGTH", "the file meta information group has no length"),
    108: ("META_LENGTH", "the file meta information group says {claimed} bytes and has {present}"),
    109: (
        "META_REPEATED",
        "{claimed} bytes of group 0002 follow the file meta information: they don't count, it does",
    ),
    110: ("MISSING_TRANSFER_SYNTAX", "no transfer syntax UID: guessed from the data"),
    111: ("MISSING_TRANSFER_SYNTAX", "the transfer syntax UID is empty: guessed from the data"),
    112: ("WRONG_BYTE_ORDER", "labelled big endian, found little endian"),
    113: ("WRONG_BYTE_ORDER", "labelled little endian, found big endian"),
    114: ("EXPLICIT_IN_IMPLICIT", "labelled implicit VR, found explicit VR"),
    115: ("IMPLICIT_IN_EXPLICIT", "labelled explicit VR, found implicit VR"),
    116: ("STRAY_GROUP", "elements of this group don't belong here"),
    117: ("COMMAND_LENGTH", "the command set doesn't begin with its length"),
    118: ("COMMAND_LENGTH", "the command set says {claimed} bytes and has {present}"),
}


def scanned_issue(code: int, tag: int, offset: int, claimed: int, present: int) -> Issue:
    """The issue for a deviation that native code recorded, by its number."""
    if code in OPENED:
        name, text = OPENED[code]
        return noted_issue(name, tag, offset, text.format(claimed=claimed, present=present))
    name, text = SCANNED[code]
    letters = repr(bytes((claimed & 0xFF, claimed >> 8 & 0xFF)).decode("latin-1"))
    said = text.format(
        claimed=claimed, present=present, claimed_vr=letters, claimed_tag=f"{claimed >> 16:04X},{claimed & 0xFFFF:04X}"
    )
    subject = f"({tag >> 16:04X},{tag & 0xFFFF:04X}) at byte {offset} " if tag else f"at byte {offset}: "
    return Issue(name, Tag(tag) if tag else None, offset, subject + said)


def noted_issue(code: str, tag: int, offset: int, message: str) -> Issue:
    """The issue for a deviation that was recorded outside the scanner."""
    subject = f"({tag >> 16:04X},{tag & 0xFFFF:04X}) at byte {offset}: " if tag else ""
    return Issue(code, Tag(tag) if tag else None, offset, subject + message)

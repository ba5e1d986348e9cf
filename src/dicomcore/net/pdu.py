"""The protocol data units of the upper layer (PS3.8 9.3), encoded and decoded. P-DATA-TF is scanned by native code."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from dicomcore.errors import ParseError
from dicomcore.issues import Issue
from dicomcore.net.items import (
    APPLICATION_CONTEXT,
    Answer,
    Common,
    ContextAnswer,
    ContextOffer,
    Extended,
    Identity,
    Role,
    UserInformation,
)
from dicomcore.net.limits import DEFAULT_NET_LIMITS, NetLimits

__all__ = [
    "ABORT",
    "ACCEPT",
    "DATA",
    "REJECT",
    "RELEASE",
    "RELEASED",
    "REQUEST",
    "Abort",
    "Accept",
    "Pdu",
    "Reject",
    "Release",
    "Released",
    "Request",
    "decode_pdu",
    "encode_pdu",
]

REQUEST, ACCEPT, REJECT, DATA, RELEASE, RELEASED, ABORT = range(1, 8)

APPLICATION_ITEM, OFFER_ITEM, ANSWER_ITEM, ABSTRACT_ITEM, TRANSFER_ITEM, USER_ITEM = 0x10, 0x20, 0x21, 0x30, 0x40, 0x50
LENGTH_ITEM, CLASS_ITEM, WINDOW_ITEM, ROLE_ITEM, VERSION_ITEM = 0x51, 0x52, 0x53, 0x54, 0x55
EXTENDED_ITEM, COMMON_ITEM, IDENTITY_ITEM, IDENTITY_ANSWER_ITEM = 0x56, 0x57, 0x58, 0x59
FIXED = 68  # bytes of an A-ASSOCIATE PDU in front of its items
LONGEST_UID = 64
SHORT, MOST_KNOWN = 8192, 64  # bytes of an A-ASSOCIATE PDU that is known again, and how many are


@dataclass(frozen=True, slots=True)
class Request:
    """A-ASSOCIATE-RQ (PS3.8 9.3.2)."""

    called: str
    calling: str
    contexts: tuple[ContextOffer, ...]
    user: UserInformation
    application_context: str = APPLICATION_CONTEXT
    version: int = 1


@dataclass(frozen=True, slots=True)
class Accept:
    """A-ASSOCIATE-AC (PS3.8 9.3.3). The titles are sent back as they came; a requestor does not look at them."""

    called: str
    calling: str
    contexts: tuple[ContextAnswer, ...]
    user: UserInformation
    application_context: str = APPLICATION_CONTEXT
    version: int = 1


@dataclass(frozen=True, slots=True)
class Reject:
    """A-ASSOCIATE-RJ (PS3.8 9.3.4)."""

    result: int
    source: int
    reason: int


@dataclass(frozen=True, slots=True)
class Release:
    """A-RELEASE-RQ (PS3.8 9.3.6)."""


@dataclass(frozen=True, slots=True)
class Released:
    """A-RELEASE-RP (PS3.8 9.3.7)."""


@dataclass(frozen=True, slots=True)
class Abort:
    """A-ABORT (PS3.8 9.3.8)."""

    source: int
    reason: int


_KNOWN: dict[tuple[int, bytes, NetLimits], Request | Accept] = {}
Pdu = Request | Accept | Reject | Release | Released | Abort


# -- encoding


def encode_pdu(pdu: Pdu) -> bytes:
    """The bytes of a PDU. ValueError for an AE title or a UID that PS3.8 does not allow to be sent."""
    if isinstance(pdu, Request | Accept):
        return _encode_associate(pdu) if _has_secret(pdu.user) else _encode_again(pdu)
    if isinstance(pdu, Reject):
        return struct.pack(">BxI4B", REJECT, 4, 0, pdu.result, pdu.source, pdu.reason)
    if isinstance(pdu, Abort):
        return struct.pack(">BxI4B", ABORT, 4, 0, 0, pdu.source, pdu.reason)
    return struct.pack(">BxI4x", RELEASE if isinstance(pdu, Release) else RELEASED, 4)


def _has_secret(user: UserInformation) -> bool:
    """Whether an identity is in it, which is not kept longer than needed."""
    return user.identity is not None or user.identity_answer is not None


@lru_cache(maxsize=64)  # programs ask and answer in the same words again and again
def _encode_again(pdu: Request | Accept) -> bytes:
    return _encode_associate(pdu)


def _encode_associate(pdu: Request | Accept) -> bytes:
    is_request = isinstance(pdu, Request)
    items = [_item(APPLICATION_ITEM, _uid(pdu.application_context))]
    items += [_encode_offer(one) if isinstance(one, ContextOffer) else _encode_answer(one) for one in pdu.contexts]
    items.append(_item(USER_ITEM, _encode_user(pdu.user)))
    body = b"".join(items)
    titles = (_title(pdu.called, is_request), _title(pdu.calling, is_request))
    head = struct.pack(
        ">BxIHxx16s16s32x", REQUEST if is_request else ACCEPT, FIXED + len(body), pdu.version, titles[0], titles[1]
    )
    return head + body


def _item(kind: int, body: bytes) -> bytes:
    return struct.pack(">BxH", kind, len(body)) + body


def _title(title: str, is_checked: bool) -> bytes:
    """16 bytes of an AE title (PS3.5 6.2): no backslash, no control characters, not only spaces."""
    data = title.encode("latin-1", "replace")
    if is_checked and not (
        1 <= len(data) <= 16 and title.strip(" ") and all(0x20 <= byte < 0x7F and byte != 0x5C for byte in data)
    ):
        raise ValueError(f"{title!r} is no AE title: 1 to 16 characters of ASCII, without backslash (PS3.5 6.2)")
    return data[:16].ljust(16)


def _uid(uid: str) -> bytes:
    data = uid.encode("ascii", "replace")
    if not 1 <= len(data) <= LONGEST_UID:
        raise ValueError(f"{uid!r} is no UID: it has 1 to {LONGEST_UID} characters (PS3.5 9.1)")
    return data


def _encode_offer(offer: ContextOffer) -> bytes:
    body = bytes((offer.number, 0, 0, 0)) + _item(ABSTRACT_ITEM, _uid(offer.abstract_syntax))
    return _item(OFFER_ITEM, body + b"".join(_item(TRANSFER_ITEM, _uid(uid)) for uid in offer.transfer_syntaxes))


def _encode_answer(answer: ContextAnswer) -> bytes:
    body = bytes((answer.number, 0, answer.result, 0))
    return _item(ANSWER_ITEM, body + _item(TRANSFER_ITEM, answer.transfer_syntax.encode("ascii", "replace")))


def _encode_user(user: UserInformation) -> bytes:
    """Sub-items in the order of PS3.7 Table D.3-1."""
    parts = [_item(LENGTH_ITEM, user.maximum_length.to_bytes(4, "big"))]
    if user.implementation_class_uid:
        parts.append(_item(CLASS_ITEM, _uid(user.implementation_class_uid)))
    if user.window is not None:
        parts.append(_item(WINDOW_ITEM, struct.pack(">HH", *user.window)))
    for role in user.roles:
        uid = _uid(role.sop_class)
        parts.append(_item(ROLE_ITEM, struct.pack(">H", len(uid)) + uid + bytes((role.scu, role.scp))))
    if user.implementation_version_name:
        parts.append(_item(VERSION_ITEM, user.implementation_version_name.encode("ascii", "replace")[:16]))
    for extended in user.extended:
        uid = _uid(extended.sop_class)
        parts.append(_item(EXTENDED_ITEM, struct.pack(">H", len(uid)) + uid + extended.information))
    parts += [_item(COMMON_ITEM, _encode_common(common)) for common in user.common]
    if user.identity is not None:
        one = user.identity
        parts.append(
            _item(IDENTITY_ITEM, bytes((one.kind, one.wants_answer)) + _sized(one.primary) + _sized(one.secondary))
        )
    if user.identity_answer is not None:
        parts.append(_item(IDENTITY_ANSWER_ITEM, _sized(user.identity_answer)))
    parts += [_item(kind, body) for kind, body in user.others]
    return b"".join(parts)


def _encode_common(common: Common) -> bytes:
    related = b"".join(_sized(_uid(uid)) for uid in common.related)
    return _sized(_uid(common.sop_class)) + _sized(_uid(common.service_class)) + _sized(related)


def _sized(data: bytes) -> bytes:
    return struct.pack(">H", len(data)) + data


# -- decoding


class _Reader:
    """Bounded reading of one PDU's body; what deviates and is read all the same goes to `issues`."""

    def __init__(self, body: bytes, limits: NetLimits) -> None:
        self.body, self.limits = body, limits
        self.issues: list[Issue] = []

    def note(self, code: str, offset: int, message: str) -> None:
        self.issues.append(Issue(code, None, offset, message))

    def items(self, start: int, stop: int) -> Iterator[tuple[int, int, int]]:
        """Kind, start and stop of each item; ParseError if one is longer than what it stands in."""
        while start < stop:
            if stop - start < 4:
                raise ParseError(f"{stop - start} bytes are left where the header of an item takes 4", offset=start)
            length = int.from_bytes(self.body[start + 2 : start + 4], "big")
            if length > stop - start - 4:
                raise ParseError(f"an item of {length} bytes stands where {stop - start - 4} are left", offset=start)
            yield self.body[start], start + 4, start + 4 + length
            start += 4 + length

    def number(self, start: int, stop: int, size: int) -> int:
        if stop - start < size:
            raise ParseError(f"{stop - start} bytes are left where a field takes {size}", offset=start)
        return int.from_bytes(self.body[start : start + size], "big")

    def sized(self, start: int, stop: int) -> tuple[bytes, int]:
        """A field with its length of 16 bits in front, and where it ends."""
        length = self.number(start, stop, 2)
        if length > stop - start - 2:
            raise ParseError(f"a field of {length} bytes stands where {stop - start - 2} are left", offset=start)
        return self.body[start + 2 : start + 2 + length], start + 2 + length

    def uid(self, data: bytes, offset: int) -> str:
        text = data.decode("latin-1").strip(" \0")
        if len(text) != len(data):
            self.note("UID_PADDED", offset, "a UID has padding, which PS3.8 F does not allow")
        if not 1 <= len(text) <= LONGEST_UID:
            self.note("BAD_UID", offset, f"a UID has {len(text)} characters")
        return text

    def title(self, data: bytes, offset: int) -> str:
        text = data.decode("latin-1")
        if "\0" in text:
            self.note("TITLE_PADDED", offset, "an AE title is padded with NUL")
        text = text.split("\0")[0].strip(" ")
        if not text:
            self.note("NO_TITLE", offset, "an AE title is empty")
        return text


def decode_pdu(kind: int, body: bytes, limits: NetLimits = DEFAULT_NET_LIMITS) -> tuple[Pdu, list[Issue]]:
    """A PDU from its type and the bytes behind its header, and what deviates in it.

    P-DATA-TF is not among them. Raises ParseError, whose offset counts from the body's first byte, for what cannot be
    read.
    """
    if kind in (REQUEST, ACCEPT):
        known = _KNOWN.get((kind, body, limits))
        if known is not None:
            return known, []
        found, issues = _decode_associate(kind, body, limits)
        if not issues and len(body) <= SHORT and not _has_secret(found.user):
            if len(_KNOWN) >= MOST_KNOWN:
                _KNOWN.clear()
            _KNOWN[kind, body, limits] = found
        return found, issues
    if kind not in (REJECT, RELEASE, RELEASED, ABORT):
        raise ParseError(f"{kind:#04x} is no type of a PDU (PS3.8 9.3.1)", offset=0)
    if len(body) != 4:
        raise ParseError(f"a PDU of type {kind} has 4 bytes, not {len(body)} (PS3.8 9.3)", offset=0)
    made: Pdu
    if kind == REJECT:
        made = Reject(body[1], body[2], body[3])
    elif kind == ABORT:
        made = Abort(body[2], body[3])
    else:
        made = Release() if kind == RELEASE else Released()
    return made, []


def _decode_associate(kind: int, body: bytes, limits: NetLimits) -> tuple[Request | Accept, list[Issue]]:
    if len(body) < FIXED:
        raise ParseError(f"an A-ASSOCIATE PDU has at least {FIXED} bytes, this one {len(body)}", offset=0)
    reader = _Reader(body, limits)
    context = ""
    contexts: list[Any] = []
    user = None
    decode: Callable[..., Any] = _decode_offer if kind == REQUEST else _decode_answer
    for item, start, stop in reader.items(FIXED, len(body)):
        if item == APPLICATION_ITEM:
            context = reader.uid(body[start:stop], start)
        elif item == (OFFER_ITEM if kind == REQUEST else ANSWER_ITEM):
            if len(contexts) >= limits.contexts:
                raise ParseError(f"more than {limits.contexts} presentation contexts", offset=start)
            contexts.append(decode(reader, start, stop))
        elif item == USER_ITEM:
            if user is not None:
                reader.note("ITEM_REPEATED", start, "the user information stands twice; the last one counts")
            user = _decode_user(reader, start, stop)
        else:
            reader.note("UNKNOWN_ITEM", start, f"an item of type {item:#04x} was passed over (PS3.8 9.3.1)")
    if user is None:
        reader.note("NO_USER_INFORMATION", FIXED, "the user information is missing")
        user = UserInformation()
    called, calling = reader.title(body[4:20], 4), reader.title(body[20:36], 20)
    version = int.from_bytes(body[:2], "big")
    if kind == REQUEST:
        return Request(called, calling, tuple(contexts), user, context, version), reader.issues
    return Accept(called, calling, tuple(contexts), user, context, version), reader.issues


def _decode_offer(reader: _Reader, start: int, stop: int) -> ContextOffer:
    number = reader.number(start, stop, 1)
    abstract = ""
    syntaxes: list[str] = []
    for item, first, last in reader.items(start + 4, stop):
        if item == ABSTRACT_ITEM:
            abstract = reader.uid(reader.body[first:last], first)
        elif item == TRANSFER_ITEM:
            if len(syntaxes) >= reader.limits.transfer_syntaxes:
                raise ParseError(
                    f"more than {reader.limits.transfer_syntaxes} transfer syntaxes in a presentation context",
                    offset=first,
                )
            syntaxes.append(reader.uid(reader.body[first:last], first))
        else:
            reader.note("UNKNOWN_ITEM", first, f"an item of type {item:#04x} was passed over (PS3.8 9.3.1)")
    return ContextOffer(number, abstract, tuple(syntaxes))


def _decode_answer(reader: _Reader, start: int, stop: int) -> ContextAnswer:
    """A rejected context may hold no transfer syntax, or any bytes: they are not significant (PS3.8 9.3.3.2)."""
    if stop - start < 4:
        raise ParseError("a presentation context has at least 4 bytes", offset=start)
    number, result = reader.body[start], reader.body[start + 2]
    if result != Answer.ACCEPTED:
        return ContextAnswer(number, result)
    syntax = ""
    for item, first, last in reader.items(start + 4, stop):
        if item == TRANSFER_ITEM:
            syntax = reader.uid(reader.body[first:last], first)
    if not syntax:
        raise ParseError(f"presentation context {number} is accepted without a transfer syntax", offset=start)
    return ContextAnswer(number, result, syntax)


def _decode_user(reader: _Reader, start: int, stop: int) -> UserInformation:
    single: dict[str, Any] = {}
    many: dict[str, list[Any]] = {"roles": [], "extended": [], "common": [], "others": []}
    for item, first, last in reader.items(start, stop):
        if item in SINGLE:
            name, decode = SINGLE[item]
            single[name] = decode(reader, first, last)
        elif item in MANY:
            name, decode = MANY[item]
            many[name].append(decode(reader, first, last))
        else:
            reader.note("UNKNOWN_ITEM", first, f"an item of type {item:#04x} was passed over (PS3.8 9.3.1)")
            many["others"].append((item, reader.body[first:last]))
    single.update((name, tuple(items)) for name, items in many.items())
    return UserInformation(**single)


def _decode_version(reader: _Reader, first: int, last: int) -> str:
    return reader.body[first:last].decode("latin-1").strip(" \0")


def _decode_role(reader: _Reader, first: int, last: int) -> Role:
    uid, at = reader.sized(first, last)
    scu, scp = reader.number(at, last, 1), reader.number(at + 1, last, 1)
    return Role(reader.uid(uid, first), scu == 1, scp == 1)


def _decode_extended(reader: _Reader, first: int, last: int) -> Extended:
    uid, at = reader.sized(first, last)
    return Extended(reader.uid(uid, first), reader.body[at:last])


def _decode_identity(reader: _Reader, first: int, last: int) -> Identity:
    kind, wants = reader.number(first, last, 1), reader.number(first + 1, last, 1)
    primary, at = reader.sized(first + 2, last)
    secondary, _ = reader.sized(at, last)
    return Identity(kind, primary, secondary, wants == 1)


def _decode_common(reader: _Reader, first: int, last: int) -> Common:
    sop_class, at = reader.sized(first, last)
    service, at = reader.sized(at, last)
    related = []
    if at < last:  # written before 2008 without the field
        length = reader.number(at, last, 2)
        at, end = at + 2, at + 2 + length
        if end > last:
            raise ParseError(f"related SOP classes of {length} bytes stand where {last - at} are left", offset=at)
        while at < end:
            uid, at = reader.sized(at, end)
            related.append(reader.uid(uid, at))
    return Common(reader.uid(sop_class, first), reader.uid(service, first), tuple(related))


Decoder = Callable[[_Reader, int, int], Any]
SINGLE: dict[int, tuple[str, Decoder]] = {
    LENGTH_ITEM: ("maximum_length", lambda reader, first, last: reader.number(first, last, 4)),
    CLASS_ITEM: ("implementation_class_uid", lambda reader, first, last: reader.uid(reader.body[first:last], first)),
    WINDOW_ITEM: (
        "window",
        lambda reader, first, last: (reader.number(first, last, 2), reader.number(first + 2, last, 2)),
    ),
    VERSION_ITEM: ("implementation_version_name", _decode_version),
    IDENTITY_ITEM: ("identity", _decode_identity),
    IDENTITY_ANSWER_ITEM: ("identity_answer", lambda reader, first, last: reader.sized(first, last)[0]),
}
MANY: dict[int, tuple[str, Decoder]] = {
    ROLE_ITEM: ("roles", _decode_role),
    EXTENDED_ITEM: ("extended", _decode_extended),
    COMMON_ITEM: ("common", _decode_common),
}

"""Captured packets (pcap, pcapng) as the bytes of TCP connections, in their order, with bounds on what is held."""

from __future__ import annotations

import os
import socket
import struct
from collections.abc import Iterator
from typing import Any, NamedTuple

from dicomcore.errors import ParseError

__all__ = ["Flow", "Segment", "segments"]

MASK = 0xFFFFFFFF  # sequence numbers are of 32 bits
HALF = 1 << 31
MOST_HELD = 4 << 20  # bytes behind a gap that are kept for what is missing
MOST_PIECES = 4096
FIN, SYN, RST = 1, 2, 4
NULL, ETHERNET, LOOP, COOKED, COOKED_2 = 0, 1, 108, 113, 276
BARE = frozenset({12, 14, 101, 228, 229})  # link types whose packets begin with the IP header


class Segment(NamedTuple):
    """A TCP segment: when it was captured, from and to whom, and what it carries."""

    time: float
    source: str
    target: str
    sequence: int
    flags: int
    data: bytes

    @property
    def is_first(self) -> bool:
        """Whether the connection begins with it."""
        return bool(self.flags & SYN)

    @property
    def is_last(self) -> bool:
        """Whether its side ends with it."""
        return bool(self.flags & (FIN | RST))


def segments(path: str | os.PathLike[str]) -> Iterator[Segment]:
    """The TCP segments of a capture; other packets, and damaged ones, are passed over.

    ParseError if the file is no capture; ModuleNotFoundError without dpkt.
    """
    try:
        import dpkt
    except ModuleNotFoundError as error:
        if error.name != "dpkt":
            raise
        message = 'dpkt is not installed; pip install "dicomcore[trace]" brings it'
        raise ModuleNotFoundError(message, name="dpkt") from None
    with open(path, "rb") as file:
        try:
            reader = dpkt.pcap.UniversalReader(file)
            link = reader.datalink()
        except (ValueError, dpkt.UnpackError, struct.error) as error:
            raise ParseError(f"{os.fsdecode(path)!r} is no capture (pcap, pcapng): {error}") from None
        packets = iter(reader)
        while True:
            try:
                time, packet = next(packets)
            except (StopIteration, ValueError, dpkt.UnpackError, struct.error):  # the last packet may be cut
                return
            try:
                found = _segment(dpkt, link, float(time), packet)
            except (ValueError, IndexError, dpkt.UnpackError, struct.error):
                continue
            if found is not None:
                yield found


def _segment(dpkt: Any, link: int, time: float, packet: bytes) -> Segment | None:
    if link in (NULL, LOOP):
        packet = packet[4:]
    elif link in (ETHERNET, COOKED, COOKED_2):
        kinds = {ETHERNET: "ethernet.Ethernet", COOKED: "sll.SLL", COOKED_2: "sll2.SLL2"}
        module, name = kinds[link].split(".")
        packet = getattr(getattr(dpkt, module), name)(packet).data
    elif link not in BARE:
        raise ParseError(f"a capture of link type {link} is not read")
    internet = packet
    if isinstance(packet, bytes):
        internet = (dpkt.ip6.IP6 if packet[0] >> 4 == 6 else dpkt.ip.IP)(packet)
    tcp = getattr(internet, "data", None)
    if not isinstance(tcp, dpkt.tcp.TCP):
        return None
    family = socket.AF_INET6 if len(internet.src) == 16 else socket.AF_INET
    source, target = (socket.inet_ntop(family, one) for one in (internet.src, internet.dst))
    return Segment(time, f"{source}:{tcp.sport}", f"{target}:{tcp.dport}", tcp.seq, tcp.flags, bytes(tcp.data))


class Flow:
    """One direction of a connection: segments in any order go in, bytes in their order come out.

    `is_late` says that the capture began in the middle; `is_broken` that bytes are missing, and nothing more comes.
    """

    def __init__(self) -> None:
        self.is_late = self.is_broken = False
        self._next: int | None = None
        self._held: dict[int, bytes] = {}
        self._held_bytes = 0

    def take(self, segment: Segment) -> bytes:
        """The bytes that are whole up to here by this segment."""
        if segment.is_first:
            self._next = (segment.sequence + 1) & MASK
            return b""
        if self.is_broken or not segment.data:
            return b""
        if self._next is None:
            self._next, self.is_late = segment.sequence, True
        ready = self._ordered(segment.sequence, segment.data)
        if ready is None:
            self._hold(segment.sequence, segment.data)
            return b""
        made = [ready]
        while self._held:
            first = min(self._held, key=lambda sequence: (self._ahead(sequence) + HALF) & MASK)  # what is behind first
            if 0 < self._ahead(first) < HALF:
                break
            data = self._held.pop(first)
            self._held_bytes -= len(data)
            made.append(self._ordered(first, data) or b"")
        return b"".join(made)

    def _ahead(self, sequence: int) -> int:
        """How far a sequence number is ahead of what is awaited; from HALF on it is behind."""
        assert self._next is not None
        return (sequence - self._next) & MASK

    def _ordered(self, sequence: int, data: bytes) -> bytes | None:
        """What is new of data that begins at or before the byte that is awaited; None if it begins behind it."""
        assert self._next is not None
        ahead = self._ahead(sequence)
        if 0 < ahead < HALF:
            return None
        known = (self._next - sequence) & MASK
        new = data[known:]
        self._next = (self._next + len(new)) & MASK
        return new

    def _hold(self, sequence: int, data: bytes) -> None:
        known = len(self._held.get(sequence, b""))
        if known >= len(data):
            return
        self._held_bytes += len(data) - known
        self._held[sequence] = data
        if self._held_bytes > MOST_HELD or len(self._held) > MOST_PIECES:
            self.is_broken = True
            self._held.clear()

"""NetLimits and Timeouts: what one association accepts from its peer, and how long it waits. Never global."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["DEFAULT_NET_LIMITS", "DEFAULT_TIMEOUTS", "NetLimits", "Timeouts"]


@dataclass(frozen=True, slots=True, kw_only=True)
class NetLimits:
    """Bounds on what a peer may make this side hold, and on how much is done for it at once."""

    pdu: int = 256 << 10
    """The longest P-DATA-TF PDU that is announced as accepted, in bytes without its header (PS3.8 D.1)."""
    longest_pdu: int = 1 << 20
    """The longest PDU that is accepted whatever was announced, and the longest that is sent."""
    associate_pdu: int = 1 << 20
    """Bytes of an A-ASSOCIATE PDU."""
    contexts: int = 128
    """Presentation contexts of an association (PS3.8 9.3.2.2 has no more numbers)."""
    transfer_syntaxes: int = 64
    """Transfer syntaxes of a presentation context."""
    command_bytes: int = 64 << 10
    """Bytes of a command set."""
    command_elements: int = 64
    """Elements of a command set."""
    identifier_bytes: int = 16 << 20
    """Bytes of a data set that is received into memory."""
    file_bytes: int = 64 << 30
    """Bytes of a data set that is received into a file."""
    free_bytes: int = 64 << 20
    """Bytes that must stay free on the disk that files are received to."""
    associations: int = 100
    """Associations of a server at a time; others are rejected as a local limit."""
    associations_a_peer: int = 20
    """Associations of a server with one address at a time."""
    performing: int = 8
    """Operations that a peer may have outstanding on an association (PS3.7 D.3.3.3)."""
    invoking: int = 8
    """Operations that are invoked on an association before their responses are there, if the peer agrees."""
    ahead: int = 1 << 20
    """Bytes that wait to be sent on an association."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeouts:
    """Seconds that an association waits for its peer; None waits for ever."""

    connect: float | None = 10.0
    """For the TCP connection, and for the TLS handshake."""
    associate: float | None = 30.0
    """For the A-ASSOCIATE PDU, and for the peer to close the connection at the end (the ARTIM timer of PS3.8 9.1.5)."""
    pdu: float | None = 30.0
    """Between the first byte of a PDU and its last."""
    write: float | None = 60.0
    """For the peer to take what is sent."""
    response: float | None = 30.0
    """For a response, but for those below."""
    store: float | None = 300.0
    """For the response to a C-STORE."""
    retrieve: float | None = 300.0
    """Between the responses of a C-MOVE or C-GET; each one that comes starts it again."""
    idle: float | None = 300.0
    """With nothing outstanding: then the acceptor aborts and the requestor releases, the blocking one if it is asked
    to (`associate(release_idle=True)`)."""
    release: float | None = 5.0
    """For the answer to a release."""


DEFAULT_NET_LIMITS = NetLimits()
DEFAULT_TIMEOUTS = Timeouts()

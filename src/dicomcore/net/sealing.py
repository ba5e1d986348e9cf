"""TLS of a server's connections: between the loop's transport and a protocol, and in a thread that serves by itself.

All that has come is opened together, and what is written together is sealed in memory and goes out together.
"""

from __future__ import annotations

import asyncio
import logging
import os
import select
import ssl
from collections.abc import Callable
from contextlib import suppress
from time import monotonic
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dicomcore._native.net.plain import Plain

__all__ = ["SealedProtocol"]

log = logging.getLogger("dicomcore.net")
ROOM, SEALED_ROOM = 1 << 20, 256 << 10  # bytes that a thread has for a message, and for what it receives at a time
PAUSE = 20  # milliseconds in which nothing comes, after which a thread leaves
LONG = 0.2  # seconds in which a message does not become whole
LAST_WAIT = 10.0  # seconds in which what waits to be answered is waited for, when nothing more is taken


class SealedProtocol(asyncio.BufferedProtocol):
    """The server's side of TLS. It is the transport of `protocol`, whose `connection_made` follows the handshake.

    A handshake may take `seconds`; `room` is memory that connections of a loop share to receive into. `failed` is told
    the peer's host and the reason when a handshake fails.
    """

    def __init__(
        self,
        context: ssl.SSLContext,
        protocol: asyncio.BufferedProtocol,
        seconds: float | None,
        room: memoryview,
        failed: Callable[[str, str], None] | None = None,
    ) -> None:
        self._protocol: Any = protocol
        self._seconds, self._room, self._failed = seconds, room, failed
        self._came, self._made = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._came, self._made, server_side=True)
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._is_open = self._is_paused = False
        self.below: Any = None  # the loop's transport

    # -- calls of the loop's transport

    def connection_made(self, transport: Any) -> None:
        self.below = transport
        if self._seconds is not None:
            self._timer = self._loop.call_later(self._seconds, transport.abort)

    def get_buffer(self, sizehint: int) -> memoryview:
        return self._room

    def buffer_updated(self, nbytes: int) -> None:
        self._came.write(self._room[:nbytes])
        if self._is_open or self._shake():
            self.pump()

    def eof_received(self) -> bool:
        if self._is_open:
            self._protocol.eof_received()
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if self._is_open:
            self._protocol.connection_lost(exc)

    def pause_writing(self) -> None:
        if self._is_open:
            self._protocol.pause_writing()

    def resume_writing(self) -> None:
        if self._is_open:
            self._protocol.resume_writing()

    # -- TLS

    def _shake(self) -> bool:
        """Go on with the handshake; whether it is done."""
        try:
            self._tls.do_handshake()
        except ssl.SSLWantReadError:
            self._drain()
            return False
        except (ssl.SSLError, ssl.CertificateError) as error:
            log.info("no TLS connection: %s", error)
            if self._failed is not None:
                peer = self.below.get_extra_info("peername") or ("",)
                self._failed(str(peer[0]), error.reason or str(error))
            self._drain()  # the alert that says why
            self.below.close()
            return False
        self._drain()
        if self._timer is not None:
            self._timer.cancel()
        self._is_open = True
        self._protocol.connection_made(self)
        return True

    def _drain(self) -> None:
        if self._made.pending and not self.below.is_closing():
            self.below.write(self._made.read())

    def pump(self) -> None:
        """Give to the protocol what has come."""
        is_over = False
        while not (is_over or self._is_paused or self.below.is_closing()):
            count, is_whole, is_over = self._fill(self._protocol.get_buffer(-1))
            self._drain()
            if count:
                self._protocol.buffer_updated(count)
            if not is_whole:
                break
        if is_over and not self._is_paused and not self.below.is_closing():  # a thread finds it out again
            self._protocol.eof_received()
            self.close()

    def _fill(self, view: memoryview) -> tuple[int, bool, bool]:
        """Open what is here: how many bytes, whether they fill the view, and whether the peer has ended or is wrong."""
        at, is_over = 0, False
        try:
            while at < len(view):
                count: Any = self._tls.read(len(view) - at, view[at:])  # type: ignore[arg-type]
                if not count:
                    is_over = True
                    break
                at += count
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLError:  # the end, or bytes that are not the peer's
            is_over = True
        return at, at == len(view), is_over

    # -- the transport of the protocol

    def write(self, data: bytes) -> None:
        """Seal and send."""
        if self.below.is_closing():
            return
        self._tls.write(data)
        self._drain()

    def close(self) -> None:
        """Tell the peer that nothing more comes, and close when all is sent."""
        if not self.below.is_closing():
            with suppress(ssl.SSLError):
                self._tls.unwrap()
            self._drain()
            self.below.close()

    def pause_reading(self) -> None:
        """Give nothing to the protocol."""
        self._is_paused = True
        self.below.pause_reading()

    def resume_reading(self) -> None:
        """Go on, with what is here already, too."""
        self._is_paused = False
        self.below.resume_reading()
        self._loop.call_soon(self.pump)

    def __getattr__(self, name: str) -> Any:
        """The other methods are those of the loop's transport."""
        return getattr(self.below, name)

    # -- in a thread, while reading is paused

    def serve(self, plain: Plain, file: int) -> tuple[bytes, bytes]:
        """Serve plain requests as `Plain.serve` does; what the peer did not take yet is sealed."""
        room, sealed = memoryview(bytearray(ROOM)), memoryview(bytearray(SEALED_ROOM))
        have, begun, unsent, is_over = 0, monotonic(), b"", False
        left: float | None = None  # when it was seen that the rest is not for this thread
        while True:
            count, _, ended = self._fill(room[have:])
            have, is_over = have + count, is_over or ended
            before = plain.served
            goes_on = True
            while goes_on:
                have, answers, goes_on, may_wait = plain.feed(room, have)
                if answers:
                    self._tls.write(answers)
            if self._made.pending:
                unsent = unsent + self._made.read() if unsent else _send(file, self._made.read())
            now = monotonic()
            begun = now if plain.served > before or not have or plain.is_full else begun
            is_late = have == ROOM or now - begun > LONG
            if not may_wait or unsent or is_over or (is_late and not plain.is_full):
                left = now if left is None else left
            if left is not None and (not plain.waiting or now - left > LAST_WAIT):
                break
            ready = _ready(file if left is None and not plain.is_full else -1, plain.notice)
            if not ready and not plain.waiting:
                break
            if file in ready:
                is_over = not self._read_sealed(file, sealed)
        return bytes(room[:have]), unsent

    def _read_sealed(self, file: int, sealed: memoryview) -> bool:
        """Take what is here; False at the end of the connection."""
        try:
            got = os.readv(file, [sealed])
        except OSError:
            return False
        self._came.write(sealed[:got])
        return got > 0


def _ready(file: int, notice: int) -> set[int]:
    """Which of two descriptors can be read within a while; those of -1 are not looked at."""
    waiting = select.poll()
    for one in (file, notice):
        if one != -1:
            waiting.register(one, select.POLLIN)
    return {one for one, _ in waiting.poll(PAUSE)}


def _send(file: int, data: bytes) -> bytes:
    """Send what the peer takes at once; the rest."""
    try:
        return data[os.write(file, data) :]
    except OSError:
        return data

"""TLS over a blocking socket: what is written together is sealed in memory and goes out together.

A socket of `ssl` sends each record of 16 KiB by itself, and wakes the peer as often.
"""

from __future__ import annotations

import socket
import ssl
from contextlib import suppress
from typing import Any

__all__ = ["SealedSocket"]

ROOM = 64 << 10  # bytes that are received at a time


class SealedSocket:
    """A socket with the methods that an association needs. Timeouts are those of the socket below, and TimeoutError.

    The handshake is done when it is made; OSError if that fails.
    """

    def __init__(self, plain: socket.socket, context: ssl.SSLContext, host: str) -> None:
        self._plain = plain
        self._came, self._made = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._came, self._made, server_hostname=host)
        self._room = memoryview(bytearray(ROOM))
        self._unsent = memoryview(b"")
        while True:
            try:
                self._tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                self.drain()
                if not self._receive():
                    raise ssl.SSLEOFError(ssl.SSL_ERROR_EOF, "the connection was closed in the handshake") from None
            except ssl.SSLError:
                with suppress(OSError):  # the alert that says why
                    self.drain()
                raise
        self.drain()

    def __getattr__(self, name: str) -> Any:
        """The other methods are those of the socket."""
        return getattr(self._plain, name)

    def drain(self) -> int:
        """Send what is sealed; 0 when nothing is left."""
        while self._unsent or self._made.pending:
            if not self._unsent:
                self._unsent = memoryview(self._made.read())
            self._unsent = self._unsent[self._plain.send(self._unsent) :]
        return 0

    def send(self, data: memoryview) -> int:
        """Seal all of `data`, behind what is not sent yet, and send as much as possible; `drain` sends the rest."""
        self.drain()
        count = self._tls.write(data)
        with suppress(TimeoutError, BlockingIOError):
            self.drain()
        return count

    def _receive(self) -> bool:
        """Receive once; whether the connection goes on."""
        count = self._plain.recv_into(self._room)
        if count:
            self._came.write(self._room[:count])
        else:
            self._came.write_eof()
        return count > 0

    def recv_into(self, view: memoryview) -> int:
        """Receive what there is, up to the size of `view`; 0 at the end."""
        self.drain()
        while True:
            count = self._read(view)
            if count >= 0:
                return count
            self._receive()

    def _read(self, view: memoryview) -> int:
        """Open what is here; -1 if that is nothing yet."""
        done = 0
        try:
            while done < len(view):
                count: Any = self._tls.read(len(view) - done, view[done:])  # type: ignore[arg-type]
                if not count:
                    return done
                done += count
        except ssl.SSLWantReadError:
            return done or -1
        except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
            return done
        return done

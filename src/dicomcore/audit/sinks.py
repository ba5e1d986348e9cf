"""Where audit messages go: a file of JSON lines, or a syslog server over TLS or UDP (PS3.15 A.6, A.7)."""

from __future__ import annotations

import errno
import os
import select
import socket
import ssl
from collections.abc import Callable
from datetime import UTC
from typing import Protocol
from urllib.parse import urlsplit

from dicomcore.audit.events import Event
from dicomcore.audit.messages import Source, as_json, as_xml

__all__ = ["JsonLines", "Sink", "Syslog", "Undeliverable", "sink_of"]

PRIORITY = 85  # facility 10, security; severity 5, notice
MESSAGE_ID = "DICOM+RFC3881"
TLS_PORT, UDP_PORT = 6514, 514
TIMEOUT = 10.0
MOST_DATAGRAM = 65507  # bytes of UDP's payload over IPv4
MARK = b"\xef\xbb\xbf"  # says that a message is in UTF-8 (RFC 5424 6.4)
PATIENT_DATA = 0o600


class Undeliverable(Exception):
    """A message that a sink can never take; `args[0]` says why."""


class Sink(Protocol):
    """Takes events, in one thread."""

    def write(self, event: Event, source: Source) -> None:
        """Take an event. OSError if that is not possible now, Undeliverable if it never is."""

    def flush(self) -> None:
        """What was taken is on its way."""

    def close(self) -> None:
        """No more events come."""


class JsonLines:
    """A file to which each event is appended as a line of JSON; only its owner may read it when it is made here.

    The file is opened anew for what comes together, so that it may be moved away at any time.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._path = os.fspath(path)
        self._file = -1
        self._is_torn = False
        self._opened()  # a folder that is not there is said at once
        self.flush()

    def __repr__(self) -> str:
        return self._path

    def _opened(self) -> int:
        if self._file == -1:
            self._file = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, PATIENT_DATA)
        return self._file

    def write(self, event: Event, source: Source) -> None:
        """Append a line."""
        line = as_json(event, source)
        if self._is_torn:  # the piece of a line that did not fit on the disk
            line = b"\n" + line
        written = os.write(self._opened(), line)
        self._is_torn = written != len(line)
        if self._is_torn:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def flush(self) -> None:
        """Close the file until there is more."""
        if self._file != -1:
            file, self._file = self._file, -1
            os.close(file)

    def close(self) -> None:
        """Close the file."""
        self.flush()


class Syslog:
    """A syslog server: messages of RFC 5424 over TLS (RFC 5425), or as datagrams (RFC 5426).

    Parameters
    ----------
    host, port
        Where it is; the port is 6514 for TLS and 514 for datagrams.
    tls : ssl.SSLContext, optional
        Speak TLS with it; without it, datagrams are sent, which nobody confirms.
    """

    def __init__(self, host: str, port: int = 0, *, tls: ssl.SSLContext | None = None) -> None:
        self._host, self._tls = host, tls
        self._port = port or (UDP_PORT if tls is None else TLS_PORT)
        self._socket: socket.socket | None = None
        self._own = _printable(socket.gethostname(), 255)

    def __repr__(self) -> str:
        return f"syslog+{'udp' if self._tls is None else 'tls'}://{self._host}:{self._port}"

    def framed(self, event: Event, source: Source) -> bytes:
        """The message of RFC 5424."""
        time = event.time.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
        name = _printable(source.id, 48)
        head = f"<{PRIORITY}>1 {time} {self._own} {name} {os.getpid()} {MESSAGE_ID} - "
        return head.encode() + MARK + as_xml(event, source)

    def write(self, event: Event, source: Source) -> None:
        """Send a message."""
        message = self.framed(event, source)
        if self._tls is None and len(message) > MOST_DATAGRAM:
            raise Undeliverable(f"{len(message)} bytes do not fit into a datagram")
        if self._socket is not None and self._tls is not None and _has_ended(self._socket):
            self.close()
        if self._socket is None:
            self._socket = self._connected()
        try:
            if self._tls is None:
                self._socket.send(message)
            else:
                self._socket.sendall(b"%d " % len(message) + message)
        except OSError as error:
            self.close()
            if error.errno == errno.EMSGSIZE:
                raise Undeliverable(f"{len(message)} bytes do not fit into a datagram") from None
            raise

    def _connected(self) -> socket.socket:
        if self._tls is None:
            family, kind, number, _, place = socket.getaddrinfo(self._host, self._port, type=socket.SOCK_DGRAM)[0]
            made = socket.socket(family, kind, number)
            made.connect(place)
            return made
        plain = socket.create_connection((self._host, self._port), TIMEOUT)
        try:
            return self._tls.wrap_socket(plain, server_hostname=self._host)
        except BaseException:
            plain.close()
            raise

    def flush(self) -> None:
        """Nothing waits here."""

    def close(self) -> None:
        """Close the connection."""
        if self._socket is not None:
            made, self._socket = self._socket, None
            made.close()


def _has_ended(sock: socket.socket) -> bool:
    """Whether the server has closed: what is written then is lost, and nothing says so. It never sends anything."""
    if not select.select([sock], [], [], 0)[0]:
        return False
    sock.setblocking(False)
    try:
        return not sock.recv(1024)
    except (ssl.SSLWantReadError, BlockingIOError):  # what TLS says to itself, such as a session ticket
        return False
    except OSError:
        return True
    finally:
        sock.settimeout(TIMEOUT)


def _printable(text: str, most: int) -> str:
    """A field of a syslog header: printable ASCII without blanks (RFC 5424 6)."""
    made = "".join(one if "!" <= one <= "~" else "-" for one in text)[:most]
    return made or "-"


def sink_of(text: str, tls: Callable[[], ssl.SSLContext]) -> Sink:
    """A sink by its name: ``syslog+tls://host:port``, ``syslog+udp://host:port``, or the path of a file.

    `tls` makes the context where one is needed. ValueError for another scheme or a wrong port.
    """
    scheme, sign, _ = text.partition("://")
    if not sign:
        return JsonLines(text)
    parts = urlsplit(text)
    if scheme not in ("syslog+tls", "syslog+udp") or not parts.hostname or parts.path.strip("/"):
        raise ValueError(f"{text}: audit messages go to a file, to syslog+tls://HOST:PORT or to syslog+udp://HOST:PORT")
    return Syslog(parts.hostname, parts.port or 0, tls=tls() if scheme == "syslog+tls" else None)

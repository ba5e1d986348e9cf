"""Ranged reads from an asynchronous file system: one request for each, whose answer also states the object's size.

HTTP requests are sent directly, so that a server without support for ranges costs no more than the bytes that are
needed. S3 is read through obstore; without it, or where it fails, through URLs that botocore signs, which costs the
client less than half of s3fs's full path. All other file systems use fsspec's own reads.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable
from typing import Any

from dicomcore.archive.sources.answer import Answer, facts_of
from dicomcore.archive.sources.s3 import Obstore

__all__ = ["Ranges"]

TIMEOUT = 60.0  # seconds that a request may take; a request that times out is not retried
TRIES = 3  # attempts at a request that the server fails or drops
PAUSE = 0.2  # seconds before the first retry, doubled before the next
EXPIRES = 3600  # seconds that a signature is valid
LONGEST_SKIP = 16 << 20  # bytes to read and discard when a server does not support ranges
CONTENT_RANGE = re.compile(r"bytes (?:\d+-\d+|\*)/(\d+)")


class _StatusError(OSError):
    """A status other than success that a server answered."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(f"HTTP status {status} {reason}".rstrip())
        self.status = status


class Ranges:
    """Reads from one file system; with `web` its paths are URLs, with `signs` it can sign URLs for its paths."""

    def __init__(self, fs: Any, *, web: bool, signs: bool) -> None:
        self._fs = fs
        self._http = fs if web else None
        self._signer: Any = None
        self._failed = 0  # reads that obstore could not do and another way could
        self._signs = signs and not getattr(fs, "req_kw", None) and not getattr(fs, "version_aware", False)
        self._obstore = Obstore.of(fs) if self._signs else None

    async def read(self, path: str, offset: int, length: int, size: int | None) -> Answer:
        """Bytes of an object, fewer at its end; `size` is the object's size if it is known."""
        if self._obstore is not None:
            return await self._read_obstore(self._obstore, path, offset, length, size)
        return await self._read_otherwise(path, offset, length, size)

    async def _read_obstore(self, obstore: Obstore, path: str, offset: int, length: int, size: int | None) -> Answer:
        try:
            return await _in_time(obstore.read(path, offset, length))
        except TimeoutError:
            raise
        except Exception:
            # The other ways find out more about an object that does not exist or is empty, and try again.
            answer = await self._read_otherwise(path, offset, length, size)
            self._failed += bool(answer.data)
            if self._failed >= TRIES:
                self._obstore = None
            return answer

    async def _read_otherwise(self, path: str, offset: int, length: int, size: int | None) -> Answer:
        if self._http is None and self._signs:
            try:
                return await self._read_signed(path, offset, length)
            except (FileNotFoundError, TimeoutError):
                raise
            except Exception:
                # Endpoints that redirect, stores that require other signatures: s3fs itself handles more cases.
                answer = await _in_time(self._read_plain(path, offset, length, size))
                self._signs = False
                return answer
        if self._http is not None:
            return await self._read_web(self._http, path, offset, length)
        return await _in_time(self._read_plain(path, offset, length, size))

    async def _read_plain(self, path: str, offset: int, length: int, size: int | None) -> Answer:
        mtime = etag = None
        if size is None:
            size, mtime, etag = facts_of(await self._fs._info(path))
            if size is not None:
                length = min(length, size - offset)
        data = await self._fs._cat_file(path, start=offset, end=offset + length) if length > 0 else b""
        return Answer(bytes(data), size, mtime, etag)

    async def _read_signed(self, path: str, offset: int, length: int) -> Answer:
        url = await self._fs._url(path, expires=EXPIRES)
        http = await self._signed_session()
        return await self._read_web(http, url, offset, length)

    async def _signed_session(self) -> Any:
        if self._signer is None:
            import fsspec

            self._signer = fsspec.filesystem(
                "http", skip_instance_cache=True, encoded=True, client_kwargs={"trust_env": True}
            )
        return self._signer

    async def _read_web(self, http: Any, url: str, offset: int, length: int) -> Answer:
        import asyncio

        import aiohttp

        for attempt in range(TRIES):
            if attempt:
                await asyncio.sleep(PAUSE * 2 ** (attempt - 1))
            try:
                return await _in_time(self._get(http, url, offset, length))
            except _StatusError as error:
                if error.status < 500 or attempt == TRIES - 1:
                    raise OSError(str(error)) from None
            except (aiohttp.ClientConnectionError, aiohttp.ClientPayloadError, ConnectionError):
                if attempt == TRIES - 1:
                    raise
        raise AssertionError("the last try returns or raises")

    async def _get(self, http: Any, url: str, offset: int, length: int) -> Answer:
        session = await http.set_session()
        options = dict(http.kwargs)
        headers = {
            **options.pop("headers", {}),
            "Range": f"bytes={offset}-{offset + max(length, 1) - 1}",
            "Accept-Encoding": "identity",
        }
        async with session.get(http.encode_url(url), headers=headers, **options) as response:
            size = _whole_size(response)
            if response.status == 416 and (size is not None or not offset):  # the object is empty or ends before
                return Answer(b"", size or 0, *_dated(response))
            if response.status in (404, 410):
                raise FileNotFoundError(f"HTTP status {response.status} {response.reason}")
            if response.status in (401, 403):
                raise PermissionError(f"HTTP status {response.status} {response.reason}")
            if response.status not in (200, 206):
                raise _StatusError(response.status, response.reason or "")
            skip = offset if response.status == 200 else 0
            if skip > LONGEST_SKIP:
                raise OSError("The server does not support range requests")
            data = await _read_up_to(response.content, skip + length)
            if response.status == 200 and len(data) < skip + length:
                size = len(data)  # the body was read to its end, so its length counts, not the header's
            if response.content_length is None or response.content_length > skip + length:
                response.close()  # do not wait for the rest of the body
            return Answer(data[skip:], size, *_dated(response))


async def _in_time(work: Awaitable[Answer]) -> Answer:
    import asyncio

    try:
        return await asyncio.wait_for(work, TIMEOUT)
    except TimeoutError:
        raise TimeoutError(f"no answer within {TIMEOUT:g} s") from None


def _whole_size(response: Any) -> int | None:
    if response.status == 200:
        length = response.headers.get("Content-Length", "")
        return int(length) if length.isdigit() else None
    match = CONTENT_RANGE.fullmatch(response.headers.get("Content-Range", ""))
    return int(match[1]) if match else None


def _dated(response: Any) -> tuple[int | None, str | None]:
    from email.utils import parsedate_to_datetime

    mtime = None
    try:
        changed = parsedate_to_datetime(response.headers["Last-Modified"])
        mtime = round(changed.timestamp() * 1_000_000)
    except (KeyError, ValueError, TypeError):
        pass
    etag = response.headers.get("ETag")
    return mtime, None if etag is None else etag.strip('"')


async def _read_up_to(stream: Any, length: int) -> bytes:
    parts = []
    while length and (part := await stream.read(length)):
        parts.append(part)
        length -= len(part)
    return b"".join(parts)

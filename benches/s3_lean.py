"""A lean S3 server in memory, one process: ``python -m benches.s3_lean PORT SECONDS``.

It answers what clients that list and read ask: GET with ranges, HEAD, lists (ListObjectsV2), and PUT to fill it. Each
answer is held back for some seconds, as a network does, while others are worked on; signatures are not looked at. moto
takes 2.7 ms of a core for any request, which is all that a comparison of quick clients would measure.

``GET /-/counts`` gives the requests and the bytes since the last such request, as JSON.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
from bisect import bisect_left, bisect_right
from collections import Counter
from email.utils import formatdate
from hashlib import md5
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

PAGE = 1000
RANGE = re.compile(r"bytes=(\d*)-(\d*)")
CREATED = formatdate(usegmt=True)
LIST = (
    '<?xml version="1.0" encoding="UTF-8"?><ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
    "<Name>{bucket}</Name><Prefix>{prefix}</Prefix><KeyCount>{count}</KeyCount><MaxKeys>{most}</MaxKeys>"
    "<IsTruncated>{more}</IsTruncated>{next}{found}</ListBucketResult>"
)
ENTRY = (
    "<Contents><Key>{key}</Key><LastModified>2026-01-01T00:00:00.000Z</LastModified><ETag>&quot;{tag}&quot;</ETag>"
    "<Size>{size}</Size><StorageClass>STANDARD</StorageClass></Contents>"
)


class Store:
    """The objects by bucket and key, and what was asked."""

    def __init__(self, delay: float) -> None:
        self.delay = delay
        self.objects: dict[str, tuple[bytes, str]] = {}
        self.keys: list[str] = []
        self.counts: Counter[str] = Counter()

    def answer(
        self, method: str, target: str, fields: dict[str, str], body: bytes
    ) -> tuple[int, dict[str, str], bytes]:
        """Status, header fields and body."""
        parts = urlsplit(target)
        path, query = unquote(parts.path).strip("/"), parse_qs(parts.query, keep_blank_values=True)
        if path == "-/counts":
            found, self.counts = json.dumps(self.counts).encode(), Counter()
            return 200, {"Content-Type": "application/json"}, found
        self.counts["requests"] += 1
        self.counts[method] += 1
        if method == "PUT":
            return self._put(path, fields, body)
        if "/" not in path:
            return 200, {"Content-Type": "application/xml"}, self._list(path, query)
        if path not in self.objects:
            return 404, {}, b""
        return self._object(path, fields.get("range", ""))

    def _put(self, path: str, fields: dict[str, str], body: bytes) -> tuple[int, dict[str, str], bytes]:
        if "/" not in path:
            return 200, {}, b""
        source = unquote(fields.get("x-amz-copy-source", "")).strip("/")
        data = self.objects[source][0] if source else body
        tag = self.objects[source][1] if source else md5(data).hexdigest()
        if path not in self.objects:
            self.keys.insert(bisect_left(self.keys, path), path)
        self.objects[path] = data, tag
        copied = f"<CopyObjectResult><ETag>&quot;{tag}&quot;</ETag></CopyObjectResult>".encode() if source else b""
        return 200, {"ETag": f'"{tag}"'}, copied

    def _object(self, path: str, asked: str) -> tuple[int, dict[str, str], bytes]:
        data, tag = self.objects[path]
        fields = {"ETag": f'"{tag}"', "Last-Modified": CREATED, "Accept-Ranges": "bytes"}
        found = RANGE.fullmatch(asked)
        if found is None:
            return 200, fields, data
        first = int(found[1]) if found[1] else max(len(data) - int(found[2]), 0)
        last = min(int(found[2]), len(data) - 1) if found[1] and found[2] else len(data) - 1
        if first > last:
            return 416, {"Content-Range": f"bytes */{len(data)}"}, b""
        return 206, fields | {"Content-Range": f"bytes {first}-{last}/{len(data)}"}, data[first : last + 1]

    def _list(self, bucket: str, query: dict[str, list[str]]) -> bytes:
        prefix, most = query.get("prefix", [""])[0], min(int(query.get("max-keys", ["1000"])[0]), PAGE)
        token = query.get("continuation-token", query.get("start-after", [""]))[0]
        delimiter = query.get("delimiter", [""])[0]
        at = bisect_left(self.keys, f"{bucket}/{prefix}")
        if token:
            at = max(at, bisect_right(self.keys, f"{bucket}/{token}"))
        entries, folders, last, more = [], set(), "", False
        for whole in self.keys[at:]:
            key = whole[len(bucket) + 1 :]
            if not whole.startswith(f"{bucket}/{prefix}"):
                break
            if len(entries) + len(folders) >= most:
                more = True
                break
            rest = key[len(prefix) :]
            if delimiter and delimiter in rest:
                folders.add(prefix + rest.partition(delimiter)[0] + delimiter)
            else:
                data, tag = self.objects[whole]
                entries.append(ENTRY.format(key=escape(key), tag=tag, size=len(data)))
            last = key
        common = "".join(f"<CommonPrefixes><Prefix>{escape(one)}</Prefix></CommonPrefixes>" for one in sorted(folders))
        following = f"<NextContinuationToken>{escape(last)}</NextContinuationToken>" if more else ""
        return LIST.format(
            bucket=bucket,
            prefix=escape(prefix),
            count=len(entries) + len(folders),
            most=most,
            more=str(more).lower(),
            next=following,
            found="".join(entries) + common,
        ).encode()


class Connection(asyncio.Protocol):
    """One connection: requests one after the other, answers in their order."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._held = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport: asyncio.WriteTransport = transport  # type: ignore[assignment]

    def data_received(self, data: bytes) -> None:
        """Answer the requests that are whole."""
        self._held += data
        while (end := self._held.find(b"\r\n\r\n")) >= 0:
            line, *rest = self._held[:end].decode("latin-1").split("\r\n")
            fields = {name.lower(): value.strip() for name, _, value in (one.partition(":") for one in rest)}
            size = int(fields.get("content-length", "0"))
            if len(self._held) < end + 4 + size:
                if fields.get("expect"):
                    self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
                return
            body, self._held = self._held[end + 4 : end + 4 + size], self._held[end + 4 + size :]
            method, target, _ = line.split(" ", 2)
            self._answer(method, target, fields, unchunked(body) if "x-amz-decoded-content-length" in fields else body)

    def _answer(self, method: str, target: str, fields: dict[str, str], body: bytes) -> None:
        status, more, data = self._store.answer(method, target, fields, body)
        head = [
            f"HTTP/1.1 {status} X",
            f"Content-Length: {len(data)}",
            *(f"{name}: {one}" for name, one in more.items()),
        ]
        message = "\r\n".join([*head, "", ""]).encode() + (b"" if method == "HEAD" else data)
        self._store.counts["bytes"] += 0 if method == "HEAD" or target.startswith("/-/") else len(data)
        if self._store.delay and method != "PUT":
            asyncio.get_running_loop().call_later(self._store.delay, self._transport.write, message)
        else:
            self._transport.write(message)


def unchunked(body: bytes) -> bytes:
    """A body that is sent as aws-chunked."""
    parts, at = [], 0
    while at < len(body):
        end = body.index(b"\r\n", at)
        size = int(body[at:end].split(b";")[0], 16)
        if not size:
            break
        parts.append(body[end + 2 : end + 2 + size])
        at = end + 4 + size
    return b"".join(parts)


async def serve(port: int, delay: float) -> None:
    """Serve until the process ends."""
    store = Store(delay)
    server = await asyncio.get_running_loop().create_server(lambda: Connection(store), "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), float(sys.argv[2])))

"""Answer: what a request to a remote file system gives, and the facts that its listings state."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

__all__ = ["Answer", "facts_of"]

TIMES = ("LastModified", "last_modified", "updated", "mtime", "modified", "created")
"""Names of the time of the last change, in the order of preference."""


class Answer(NamedTuple):
    """Bytes of an object, and its whole size (bytes), mtime (µs) and etag if the answer states them."""

    data: bytes
    size: int | None
    mtime: int | None
    etag: str | None


def facts_of(info: Mapping[str, Any]) -> tuple[int | None, int | None, str | None]:
    """Size, mtime (µs) and etag of a listing's entry; each file system has its own names for them."""
    size = info.get("size")
    changed = next((info[name] for name in TIMES if info.get(name) is not None), None)
    if isinstance(changed, str):
        try:
            changed = datetime.fromisoformat(changed.replace("Z", "+00:00"))
        except ValueError:
            changed = None
    if isinstance(changed, datetime):
        changed = changed.timestamp()
    etag = next((info[name] for name in ("ETag", "etag", "md5Hash", "content_md5") if info.get(name)), None)
    mtime = round(changed * 1_000_000) if isinstance(changed, (int, float)) else None
    return None if size is None else int(size), mtime, None if etag is None else str(etag).strip('"')

"""WebLimits: what one server accepts from its clients, and how much it does at once. Never global."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["DEFAULT_WEB_LIMITS", "WebLimits"]


@dataclass(frozen=True, slots=True, kw_only=True)
class WebLimits:
    """Bounds on what clients may make a server hold, and on what is done for them at once."""

    head_bytes: int = 16 << 10
    """Bytes of a request's target and header fields together."""
    part_head_bytes: int = 8 << 10
    """Bytes of the header fields of a part."""
    parts: int = 1_000_000
    """Parts of a request."""
    json_bytes: int = 64 << 20
    """Bytes of JSON or XML in a request, after inflation."""
    bulk_bytes: int = 1 << 30
    """Bytes of bulk data that is stored beside metadata: a value is in memory while its file is written."""
    inflated_ratio: int = 900
    """Inflated bytes for one byte of a compressed request, checked beyond 1 MiB."""
    file_bytes: int = 64 << 30
    """Bytes of an instance that is stored."""
    free_bytes: int = 64 << 20
    """Bytes that must stay free on the disk that instances are stored on."""
    requests: int = 100
    """Requests that are worked on at a time; others are answered 503. Those whose bodies are on their way in or out
    do not count."""
    transfers: int = 2000
    """Requests whose bodies are on their way in or out at a time."""
    workers: int = 8
    """Threads that read files, search, and encode."""
    results: int = 10_000
    """Matches of a search in one answer; the others are asked for by `offset`."""
    deep_reads: int = 1000
    """Instances that a search reads for attributes that the catalogue does not keep."""
    frames: int = 4096
    """Frames of one request."""
    rendered_pixels: int = 1 << 26
    """Rows × columns of a picture."""
    rendered_frames: int = 512
    """Pictures of one rendered answer."""
    open_instances: int = 256
    """Files that stay open for frames that are asked for one by one."""
    metadata_bytes: int = 128 << 20
    """Bytes of metadata of series, compressed, that are kept."""
    head_seconds: float = 20.0
    """For the head of a request, from the connection's begin or the end of the answer before."""
    receive_seconds: float = 60.0
    """For the next bytes of a request."""
    send_seconds: float = 60.0
    """For the client to take the next bytes of an answer."""
    least_rate: int = 500
    """Bytes a second that a client sends or takes at least, once the seconds above are over."""


DEFAULT_WEB_LIMITS = WebLimits()

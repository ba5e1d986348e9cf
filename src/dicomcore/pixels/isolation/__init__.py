"""Foreign codecs in processes of their own, so that what they do to a process is done to one that nobody needs."""

from dicomcore.pixels.isolation.pool import decode_apart

__all__ = ["decode_apart"]

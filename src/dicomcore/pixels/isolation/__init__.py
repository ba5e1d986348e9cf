"""Foreign codecs in processes of their own, so that what they do to a process is done to one that nobody needs."""

from dicomcore.pixels.isolation.pool import decode_apart, workers
from dicomcore.pixels.isolation.rewriting import rewrite_apart
from dicomcore.pixels.isolation.video import VideoApart

__all__ = ["VideoApart", "decode_apart", "rewrite_apart", "workers"]

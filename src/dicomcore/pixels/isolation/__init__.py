"""Run foreign codecs in worker processes, so that a crash or a leak never harms the caller's process."""

from dicomcore.pixels.isolation.pool import decode_apart, workers
from dicomcore.pixels.isolation.rewriting import rewrite_apart
from dicomcore.pixels.isolation.video import VideoApart

__all__ = ["VideoApart", "decode_apart", "rewrite_apart", "workers"]

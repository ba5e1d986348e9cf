"""Frames: codecs, encapsulated and native pixel data, colour, worker processes, writing frames."""

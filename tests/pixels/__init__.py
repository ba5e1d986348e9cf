"""Tests of frames: codecs, encapsulated and native pixel data, colour, worker processes, writing."""

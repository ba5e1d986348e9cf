"""Pixels: frames, codecs by transfer syntax, colour, look-up tables, rendering."""

from dicomcore.pixels.decoding import DecodedFrame, decode_frame
from dicomcore.pixels.description import FrameDescription
from dicomcore.pixels.headers import CodestreamInfo
from dicomcore.pixels.note import Note
from dicomcore.pixels.registry import Codec, Requirement, codec_for, codecs, decoder_for, register

__all__ = [
    "Codec",
    "CodestreamInfo",
    "DecodedFrame",
    "FrameDescription",
    "Note",
    "Requirement",
    "codec_for",
    "codecs",
    "decode_frame",
    "decoder_for",
    "register",
]

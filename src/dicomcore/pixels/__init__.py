"""Pixels: frames, codecs by transfer syntax, colour, look-up tables, rendering."""

from dicomcore.pixels import encoding  # noqa: F401  fills the registry of encoders
from dicomcore.pixels.decoding import DecodedFrame, decode_frame
from dicomcore.pixels.description import FrameDescription
from dicomcore.pixels.encoder_registry import Capacity, FrameEncoder, encoder_for, encoders, register_encoder
from dicomcore.pixels.headers import CodestreamInfo
from dicomcore.pixels.note import Note
from dicomcore.pixels.quality import ErrorLimit
from dicomcore.pixels.registry import Codec, Requirement, codec_for, codecs, decoder_for, register

__all__ = [
    "Capacity",
    "Codec",
    "CodestreamInfo",
    "DecodedFrame",
    "ErrorLimit",
    "FrameDescription",
    "FrameEncoder",
    "Note",
    "Requirement",
    "codec_for",
    "codecs",
    "decode_frame",
    "decoder_for",
    "encoder_for",
    "encoders",
    "register",
    "register_encoder",
]

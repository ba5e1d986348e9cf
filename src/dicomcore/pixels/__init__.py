"""Pixel data: frames, the codecs of each transfer syntax, colour, overlays."""

from dicomcore.notes import Note
from dicomcore.pixels.coding.decoding import DecodedFrame, decode_frame
from dicomcore.pixels.coding.encoder_registry import Capacity, FrameEncoder, encoder_for, encoders, register_encoder
from dicomcore.pixels.coding.headers import CodestreamInfo
from dicomcore.pixels.coding.quality import ErrorLimit
from dicomcore.pixels.coding.registry import Codec, Requirement, codec_for, codecs, decoder_for, register
from dicomcore.pixels.description import FrameDescription

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

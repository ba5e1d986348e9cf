"""Register the codecs that come with dicomcore, on import.

`dicomcore.syntaxes` gives the format of each transfer syntax's frames, and the name of their encoder. The modules of
the codecs map these names to functions: FORMATS a format to its decoder, ENCODERS a name to its encoder.
"""

from __future__ import annotations

from dicomcore.pixels.coding import encoders, foreign, own, uncompressed
from dicomcore.pixels.coding.encoder_registry import register_encoder
from dicomcore.pixels.coding.registry import register
from dicomcore.syntaxes import NATIVE, SYNTAXES, Syntax

__all__ = ["ENCODERS", "FORMATS", "NATIVE", "register_row"]

FORMATS = uncompressed.FORMATS | own.FORMATS | foreign.FORMATS
ENCODERS = encoders.ENCODERS


def register_row(syntax: Syntax) -> None:
    """Register the decoder and the encoder that the row of a transfer syntax names."""
    if syntax.format:
        decoder, name, read_header, requires = FORMATS[syntax.format]
        trusted = requires is None  # a foreign library may crash on damaged input
        register(syntax.uid, decoder, name=name, requires=requires, read_header=read_header, trusted=trusted)
    if syntax.encoder:
        options = ENCODERS[syntax.encoder]._asdict()
        register_encoder(syntax.uid, **options, method=syntax.method or None)


for _syntax in SYNTAXES:
    register_row(_syntax)

"""The codecs that come with dicomcore, put into the registries on import: what decodes and encodes a transfer syntax.

`dicomcore.syntaxes` says of each transfer syntax which format its frames have and which encoder writes them. The codecs
say beside their functions what they are: in FORMATS what decodes a format, in ENCODERS what encodes.
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
    """Register what the row of a transfer syntax names."""
    if syntax.format:
        decoder, name, read_header, requires = FORMATS[syntax.format]
        trusted = requires is None  # what is not written here may crash on damaged input
        register(syntax.uid, decoder, name=name, requires=requires, read_header=read_header, trusted=trusted)
    if syntax.encoder:
        options = ENCODERS[syntax.encoder]._asdict()
        register_encoder(syntax.uid, **options, method=syntax.method or None)


for _syntax in SYNTAXES:
    register_row(_syntax)

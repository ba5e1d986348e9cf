"""Codecs: the decoder and the encoder of each transfer syntax, and the checks around them."""

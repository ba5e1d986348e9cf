"""Codecs: which decoder and encoder a transfer syntax has, and the checks around each."""

"""Add dicomcore to pydicom's decoders and encoders, and remove it again."""

from __future__ import annotations

import threading
from typing import Any

from pydicom.pixels import get_decoder, get_encoder
from pydicom.pixels.decoders import base as decoders
from pydicom.pixels.encoders import base as encoders
from pydicom.uid import UID, UID_dictionary

from dicomcore.interop.pydicom import plugin
from dicomcore.limits import DEFAULT_LIMITS, Limits
from dicomcore.pixels import codecs
from dicomcore.uids import UID as OurUID

__all__ = ["PLUGIN", "register", "unregister"]

PLUGIN = "dicomcore"
"""The name of the plugin: ``ds.pixel_array_options(decoding_plugin=PLUGIN)`` uses no other."""
OURS = "added by dicomcore"
"""Marks our entries, in the field for the version that introduced a decoder."""

_lock = threading.Lock()  # pydicom's add_plugin and remove_plugin are not thread-safe


def register(*, limits: Limits | None = None) -> None:
    """Make dicomcore the first plugin for each encapsulated transfer syntax that it supports.

    Afterwards pydicom's ``pixel_array``, ``decompress()`` and ``compress()`` use dicomcore. Transfer syntaxes for which
    pydicom has no decoder or encoder (JPEG XL, deflated frames, JPEG Lossless encoding and more) get one. If dicomcore
    refuses a frame, pydicom tries its other plugins. Calling this twice does no harm; `unregister` undoes it.

    `limits` bounds the decoding of a frame; ``ds.pixel_array_options(limits=…)`` sets it for one data set. With
    ``Limits(isolate=True)`` foreign codecs run in worker processes. In that case add ``decoding_plugin=PLUGIN`` to the
    options, or remove pydicom's other plugins: otherwise pydicom decodes, in this process and with another plugin, the
    frame that crashed a worker.
    """
    with _lock:
        plugin.default_limits = limits or DEFAULT_LIMITS
        for codec in codecs():
            uid = UID(codec.uid)
            _make_known(uid)
            if uid.is_transfer_syntax and uid.is_encapsulated:
                _put_first(_decoder(uid), "decode")
        for name in plugin.ENCODER_DEPENDENCIES:
            _put_first(_encoder(UID(name)), "encode")


def unregister() -> None:
    """Remove dicomcore from pydicom, with the decoders and encoders that `register` added."""
    with _lock:
        for uid in [uid for uid, entry in UID_dictionary.items() if entry[2] == OURS]:
            del UID_dictionary[uid]
        for known in (decoders._PIXEL_DATA_DECODERS, encoders._PIXEL_DATA_ENCODERS):
            for uid, (coder, since) in list(known.items()):
                if since == OURS:
                    del known[uid]
                elif _has_plugin(coder):
                    coder.remove_plugin(PLUGIN)
        plugin.default_limits = DEFAULT_LIMITS


def _make_known(uid: UID) -> None:
    """Add a transfer syntax to pydicom's dictionary of UIDs, which has only those of its edition of the standard."""
    if uid not in UID_dictionary and not uid.is_private:
        entry = OurUID(str(uid))
        UID_dictionary[str(uid)] = (entry.name, "Transfer Syntax", OURS, "", entry.keyword)


def _put_first(coder: Any, function: str) -> None:
    if not _has_plugin(coder):
        coder.add_plugin(PLUGIN, (plugin.__name__, function))
    ours = coder._available.pop(PLUGIN, None)
    if ours is not None:  # pydicom tries plugins in the order of this dict
        coder._available = {PLUGIN: ours, **coder._available}


def _has_plugin(coder: Any) -> bool:
    return PLUGIN in coder._available or PLUGIN in coder._unavailable


def _decoder(uid: UID) -> Any:
    try:
        return get_decoder(uid)
    except NotImplementedError:
        return decoders._PIXEL_DATA_DECODERS.setdefault(uid, (decoders.Decoder(uid), OURS))[0]


def _encoder(uid: UID) -> Any:
    try:
        return get_encoder(uid)
    except NotImplementedError:
        return encoders._PIXEL_DATA_ENCODERS.setdefault(uid, (encoders.Encoder(uid), OURS))[0]

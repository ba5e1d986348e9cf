"""Names of new files, made of their new values: the same ones in every order."""

from __future__ import annotations

import base64
import hashlib
import os
import re
from collections.abc import Callable
from functools import lru_cache

from dicomcore.deid.crosswalk import Identity

__all__ = ["Naming", "file_id", "path_of_uids"]

Naming = Callable[[Identity, int], str]
"""The path below the folder of a file with an identity; a number above 1 is for another file with the same one."""

_PLAIN = re.compile(r"[0-9A-Za-z](?:[0-9A-Za-z._-]{0,98}[0-9A-Za-z])?")
_UNKNOWN = "unknown"
_BYTES = 5  # eight characters of base32, as long as a component of a File ID may be


def path_of_uids(identity: Identity, number: int) -> str:
    """``patient/study/series/instance.dcm``."""
    patient, study, series, instance = (_plain(text or _UNKNOWN) for text in identity)
    return os.path.join(patient, study, series, f"{instance}{f'-{number}' if number > 1 else ''}.dcm")


def file_id(identity: Identity, number: int) -> str:
    """A File ID (PS3.10 8.2): four components, each a hash of the new value."""
    last = identity.instance + (f"\\{number}" if number > 1 else "")
    return os.path.join(*map(_component, (identity.patient_id, identity.study, identity.series, last)))


def _component(text: str) -> str:
    return base64.b32encode(hashlib.blake2b(text.encode(), digest_size=_BYTES).digest()).decode("ascii")


@lru_cache(256)  # most of a run's files are of few series
def _plain(text: str) -> str:
    """A name for a path; PS3.5 allows much in an ID."""
    if _PLAIN.fullmatch(text):
        return text
    made = "".join(one if one.isalnum() or one in "._-" else "_" for one in text).strip(".")[:100]
    return made or _UNKNOWN

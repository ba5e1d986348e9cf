"""Both faces against each other and against DCMTK and pynetdicom: what is sent comes back byte for byte."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from dicomcore import Dataset, dcmread, net
from dicomcore.dataset.state import file_index
from dicomcore.errors import AssociationAborted, AssociationRejected, NetworkError, NetworkTimeout
from dicomcore.net.accepting import Refusal
from tests.support.files import PYDICOM_FILES

VERIFICATION = "1.2.840.10008.1.1"
QUICK = net.Timeouts(connect=5, associate=5, response=5, store=20, retrieve=20, release=2)


def body(path: str | os.PathLike[str]) -> bytes:
    """A file's bytes behind its file meta information."""
    index = file_index(dcmread(path, stop_before_pixels=True, force=True))
    assert index is not None
    start = index.packed_at if index.inflated else index.body
    return Path(path).read_bytes()[start:]


def identity(path: str | os.PathLike[str]) -> str:
    return str(dcmread(path, force=True).SOPInstanceUID)

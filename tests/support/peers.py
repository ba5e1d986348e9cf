"""Other software's answers: pydicom in this process, DCMTK in one of its own."""

from __future__ import annotations

import logging
import os
import re
import shutil
import subprocess
import warnings
from pathlib import Path

import pydicom

DCMDUMP = shutil.which("dcmdump")
LINE = re.compile(r"^( *)\(([0-9a-f]{4}),([0-9a-f]{4})\) (\S\S)", re.MULTILINE)


def without_preloads() -> dict[str, str]:
    """The environment for other software, without the sanitizer that is preloaded into the tests' processes."""
    return {name: value for name, value in os.environ.items() if name != "LD_PRELOAD"}


def read_by_pydicom(path: Path) -> pydicom.Dataset:
    """pydicom's data set, with every element of it converted; its warnings are not shown."""
    logging.disable(logging.CRITICAL)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        data_set = pydicom.dcmread(path, force=True)
        for _ in data_set.iterall():
            pass
    return data_set


def print_by_pydicom(path: Path) -> str:
    """What pydicom prints for a file."""
    data_set = read_by_pydicom(path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return str(data_set)


def paths_by_dcmdump(path: Path) -> list[str]:
    """Nesting and tag of every element that dcmdump prints, ``0:00100010``; no items, delimiters, fragments and file
    meta information. `+Ep` makes it continue after an error.
    """
    assert DCMDUMP is not None
    said = subprocess.run(
        [DCMDUMP, "-q", "+L", "-M", "+Ep", str(path)], capture_output=True, timeout=60, check=False
    ).stdout.decode("latin-1")
    return [
        f"{len(indent) // 4}:{group}{element}".upper()
        for indent, group, element, _ in LINE.findall(said)
        if group not in ("fffe", "0002")
    ]

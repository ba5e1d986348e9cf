"""The peers' functions for the engine's benches; and the files that crash a peer, found in another process."""

from __future__ import annotations

import os
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import dicomsdl
import fastdicom
import gdcm
import pydicom

import dicomcore as dc

SEVEN = ("PatientName", "PatientID", "StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "Modality", "Rows")
HEAD = 16 * 1024
GDCM_TAGS = {}
for _keyword in SEVEN:
    _number = int(dc.Tag(_keyword))
    GDCM_TAGS[_keyword] = gdcm.Tag(_number >> 16, _number & 0xFFFF)

# Warnings take the peers time that must not count, and would clutter a bench's output.
warnings.simplefilter("ignore")
gdcm.Trace.WarningOff()
gdcm.Trace.ErrorOff()
dicomsdl.set_loglevel(dicomsdl.LogLevel.ERROR)


def seven_ours(path: str) -> list[Any]:
    ds = dc.dcmread(path)
    return [ds.get(keyword) for keyword in SEVEN]


def seven_pydicom(path: str) -> list[Any]:
    ds = pydicom.dcmread(path)
    return [ds.get(keyword) for keyword in SEVEN]


def seven_pydicom_lean(path: str) -> list[Any]:
    ds = pydicom.dcmread(path, stop_before_pixels=True, specific_tags=list(SEVEN))
    return [ds.get(keyword) for keyword in SEVEN]


def seven_fastdicom(path: str) -> list[Any]:
    ds = fastdicom.dcmread(path)
    return [ds.get(keyword) for keyword in SEVEN]


def seven_dicomsdl(path: str) -> list[Any]:
    ds = dicomsdl.open_file(path)
    return [getattr(ds, keyword) for keyword in SEVEN]


def seven_gdcm(path: str) -> list[Any]:
    reader = gdcm.Reader()
    reader.SetFileName(path)
    if not reader.Read():
        raise ValueError(f"GDCM can't read {path}")
    text = gdcm.StringFilter()
    text.SetFile(reader.GetFile())
    data_set = reader.GetFile().GetDataSet()
    return [text.ToString(tag) if data_set.FindDataElement(tag) else None for tag in GDCM_TAGS.values()]


def head_alone(path: str) -> bytes:
    """The machine's limit: open, read the first 16 KiB, close, from Python."""
    file = os.open(path, os.O_RDONLY)
    block = os.pread(file, HEAD, 0)
    os.close(file)
    return block


SEVEN_TAGS: dict[str, Callable[[str], list[Any]]] = {
    "dicomcore": seven_ours,
    "pydicom": seven_pydicom,
    "pydicom, 7 tags only": seven_pydicom_lean,
    "fastdicom": seven_fastdicom,
    "dicomsdl": seven_dicomsdl,
    "gdcm": seven_gdcm,
}


def plain(value: Any) -> str:
    """One of the seven values as text that all peers should agree on."""
    if value is None:
        return ""
    if isinstance(value, (list, tuple, pydicom.multival.MultiValue)):
        return "\\".join(map(plain, value))
    return str(value).rstrip(" \0=")


def survivors(name: str, files: Iterable[Path]) -> tuple[list[Path], dict[Path, str]]:
    """The files that one peer reads, and its failures on the others, crashes included."""
    good: list[Path] = []
    bad: dict[Path, str] = {}
    pending = list(files)
    while pending:
        run = subprocess.run(
            [sys.executable, "-m", "benches.peers", name],
            input="\n".join(map(str, pending)),
            capture_output=True,
            text=True,
            check=False,
        )
        answers = [line[7:] for line in run.stdout.splitlines() if line.startswith("answer ")]
        for path, answer in zip(pending, answers, strict=False):
            if answer == "read":
                good.append(path)
            else:
                bad[path] = answer
        pending = pending[len(answers) :]
        if pending:
            bad[pending.pop(0)] = f"its process ended with {run.returncode}"
    return good, bad


def main() -> None:
    read = SEVEN_TAGS[sys.argv[1]]
    for path in sys.stdin.read().splitlines():
        try:
            read(path)
            print("answer read", flush=True)
        except Exception as error:
            print(f"answer {type(error).__name__}: {str(error)[:80]!r}", flush=True)


if __name__ == "__main__":
    main()

"""pydicom in a process of its own, which may hang or die; and the form in which data sets are compared."""

from __future__ import annotations

import atexit
import os
import pickle
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from select import select
from typing import Any

SECONDS = 60
LARGE = 1 << 28


def plain(value: Any) -> Any:
    """A value without either library's classes."""
    if isinstance(value, (str, bytes, type(None))) or type(value).__name__ == "PersonName":
        return str(value) if not isinstance(value, (bytes, type(None))) else value
    if isinstance(value, float):
        return "nan" if value != value else float(value)
    if isinstance(value, int):
        return int(value)
    return [plain(one) for one in value]


def raw_of(ds: Any, element: Any) -> bytes:
    return bytes(element.raw)


def described(data_set: Any, raw: Callable[[Any, Any], bytes | None]) -> list[tuple[Any, ...]]:
    """(path, VR, value bytes, value) of every element, without recursion."""
    found: list[tuple[Any, ...]] = []
    pending = [("", data_set)]
    while pending:
        path, ds = pending.pop()
        for element in ds:
            here = f"{path}{int(element.tag):08X}"
            if element.VR == "SQ":
                found.append((here, "SQ", None, len(element.value)))
                pending += [(f"{here}[{i}].", item) for i, item in enumerate(element.value)]
            else:
                found.append((here, element.VR, raw(ds, element), plain(element.value)))
    return sorted(found, key=lambda one: one[0])


def explained(ours: tuple[Any, ...], theirs: tuple[Any, ...]) -> bool:
    """Whether a difference is a known one in which dicomcore is right."""
    (path, vr, raw, value), (other_path, other_vr, other_raw, other) = ours, theirs
    if path != other_path:
        return False
    if other_raw is not None and raw is not None and raw != other_raw:
        return False
    if vr != other_vr:
        # private group lengths are UL (PS3.5 7.2), for which pydicom has no entry
        return vr == "UL" and path[4:8] == "0000"
    if vr in ("DS", "IS") and value is None:
        return other in ("", None)  # only padding, which counts as empty
    return value == other


class Peer:
    """pydicom's answers, from a process that is started at the first question, and again after it died."""

    def __init__(self) -> None:
        self.process: subprocess.Popen[bytes] | None = None

    def close(self) -> None:
        """End the process."""
        if self.process is not None:
            self.process.kill()
            self.process.communicate()

    def ask(self, data: bytes) -> Any:
        """pydicom's data set as `described` gives it; a str if pydicom raised, hung or died."""
        if self.process is None or self.process.poll() is not None:
            environment = {key: value for key, value in os.environ.items() if key not in ("LD_PRELOAD", "PYTHONMALLOC")}
            self.process = subprocess.Popen(
                [sys.executable, str(Path(__file__))],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=environment,
            )
            atexit.register(self.close)
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        try:
            self.process.stdin.write(struct.pack("<I", len(data)) + data)
            self.process.stdin.flush()
            if not select([self.process.stdout], [], [], SECONDS)[0]:
                raise TimeoutError
            size = struct.unpack("<I", self.process.stdout.read(4))[0]
            return pickle.loads(self.process.stdout.read(size))
        except (OSError, struct.error, TimeoutError) as error:
            self.process.kill()
            self.process.wait()
            return f"gave no answer: {error!r}"


def answer(data: bytes) -> Any:
    """pydicom's reading."""
    import io

    import pydicom

    def raw(ds: Any, element: Any) -> bytes | None:
        return kept.get((id(ds), int(element.tag)))

    kept: dict[tuple[int, int], bytes] = {}
    data_set = pydicom.dcmread(io.BytesIO(data))
    pending = [data_set]
    while pending:
        ds = pending.pop()
        for tag in list(ds.keys()):
            found = ds.get_item(tag)
            if isinstance(found, pydicom.dataelem.RawDataElement) and isinstance(found.value, bytes):
                kept[id(ds), int(tag)] = found.value
            element = ds[tag]
            if element.VR == "SQ":
                pending += list(element.value)
    return described(data_set, raw)


def main() -> None:
    import logging
    import warnings

    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    while len(head := sys.stdin.buffer.read(4)) == 4:
        data = sys.stdin.buffer.read(struct.unpack("<I", head)[0])
        try:
            found = answer(data)
        except Exception as error:
            found = f"{type(error).__name__}: {error}"
        reply = pickle.dumps(found)
        sys.stdout.buffer.write(struct.pack("<I", len(reply)) + reply)
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()

"""Instances to send: a file that is read whole gives the bytes of one that is read in parts, and the same faults."""

from __future__ import annotations

from pathlib import Path

import pydicom.data
import pytest

from dicomcore.errors import DicomError
from dicomcore.net.instances import CHUNK, open_instance

FILES = sorted(Path(pydicom.data.__file__).parent.rglob("*.dcm"))


def sent(path: Path, *, to_send: bool) -> object:
    try:
        instance = open_instance(path, to_send=to_send)
        parts = b"".join(map(bytes, instance.parts(instance.transfer_syntax)))
    except (DicomError, OSError) as error:
        return type(error), str(error)
    assert (instance.whole is not None) == (to_send and path.stat().st_size <= CHUNK)
    return instance._replace(whole=None), parts


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_whole_or_in_parts(path: Path) -> None:
    assert sent(path, to_send=True) == sent(path, to_send=False)


def test_a_file_that_shrinks_meanwhile_is_not_sent(tmp_path: Path) -> None:
    path = tmp_path / "file.dcm"
    path.write_bytes(FILES[0].read_bytes())
    instance = open_instance(path)
    path.write_bytes(FILES[0].read_bytes()[: instance.offset - 2])
    with pytest.raises(DicomError, match="shorter"):
        next(instance.parts(instance.transfer_syntax))


STRANGE = {  # name: what is made of a path
    "missing": lambda path: None,
    "a folder": lambda path: path.mkdir(),
    "empty": lambda path: path.write_bytes(b""),
    "no DICOM": lambda path: path.write_bytes(b"text " * 50),
    "cut in a word": lambda path: path.write_bytes(FILES[0].read_bytes()[:-1]),
    "cut in the head": lambda path: path.write_bytes(FILES[0].read_bytes()[:200]),
}


@pytest.mark.parametrize("make", STRANGE.values(), ids=STRANGE)
def test_what_cannot_be_sent_says_the_same(make: object, tmp_path: Path) -> None:
    path = tmp_path / "strange"
    make(path)  # type: ignore[operator]
    assert sent(path, to_send=True) == sent(path, to_send=False)
    assert isinstance(sent(path, to_send=True), tuple)

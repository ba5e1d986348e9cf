"""Instances to send: a file that is read whole gives the bytes of one that is read in parts, and the same faults."""

from __future__ import annotations

from pathlib import Path

import pydicom.data
import pytest

from dicomcore.errors import DicomError
from dicomcore.net import instances
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


def test_memory_is_used_again_when_nobody_looks_at_it() -> None:
    pages = instances.Pages()
    assert pages.take(100) is None  # not worth it
    first = pages.take(100_000)
    second = pages.take(100_000)
    assert first is not None
    assert second is not None
    first[:] = b"a" * 100_000
    second[:] = b"b" * 100_000
    part = first[10:]
    del first
    third = pages.take(1 << 20)
    assert third is not None
    third[:] = b"c" * (1 << 20)
    assert bytes(part[:3]) == b"aaa"  # of which a part is still in use
    del second, part
    views = [pages.take(100_000) for _ in range(20)]
    assert sum(one is not None for one in views) == instances.MOST_PAGES - 1

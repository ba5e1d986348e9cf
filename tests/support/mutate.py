"""Damaged copies of real files, reproducible by seed; and reading everything of a data set."""

from __future__ import annotations

import random
from collections.abc import Iterator

import dicomcore as dc
from tests.support.dicom_bytes import DEFLATED, IMPLICIT, JPIP_DEFLATE, JPIP_HTJ2K_DEFLATE

SPLICES = (
    b"\xff\xff\xff\xff", b"\xfe\xff\x00\xe0", b"\xfe\xff\x0d\xe0", b"\xfe\xff\xdd\xe0", b"\x00\x00\x00\x80",
    b"SQ\x00\x00", b"UN\x00\x00", b"OB\x00\x00", b"??", b"\x00\x00", b"SQ", b"UN", b"US", b"DS", b"IS", b"AT", b"PN",
)  # fmt: skip


def mutants(data: bytes, seed: int, count: int) -> Iterator[bytes]:
    """`count` damaged copies: bytes changed, inserted, removed, repeated, cut off, or overwritten with header words."""
    rng = random.Random(seed)
    for _ in range(count):
        made = bytearray(data)
        for _ in range(rng.randint(1, 6)):
            if not made:
                break
            at = rng.randrange(min(len(made), 4000) if rng.random() < 0.8 else len(made))
            kind = rng.random()
            if kind < 0.4:
                made[at] = rng.choice((0, 255, rng.randrange(256), made[at] ^ 1 << rng.randrange(8)))
            elif kind < 0.5:
                made[at:at] = rng.randbytes(rng.randint(1, 9))
            elif kind < 0.6:
                del made[at : at + rng.randint(1, 9)]
            elif kind < 0.65:
                del made[at:]
            elif kind < 0.8:
                start = rng.randrange(len(made))
                made[at:at] = made[start : start + rng.randint(1, 200)]
            else:
                splice = rng.choice(SPLICES)
                made[at : at + len(splice)] = splice
        yield bytes(made)


def read_lightly(data: bytes) -> dc.Dataset | None:
    """Every value and every issue of `data`, read as a bare data set if necessary; None if it is refused."""
    try:
        data_set = dc.dcmread(data, force=True)
        for element in data_set.iterall():
            _ = element.value
        check_issues(data_set, len(data))
    except dc.DicomError as error:
        check_error(error, len(data))
        return None
    return data_set


def touch(data: bytes) -> dc.Dataset | None:
    """As `read_lightly`, and every other function of a data set."""
    try:
        data_set = dc.dcmread(data, force=True)
        touch_set(data_set)
        check_issues(data_set, len(data))
        check_rows(dc.scan(data, force=True))
    except dc.DicomError as error:
        check_error(error, len(data))
        return None
    return data_set


def touch_set(data_set: dc.Dataset) -> None:
    """Call every reading function of a data set."""
    for element in (*data_set.iterall(), *(data_set.file_meta or ())):
        _ = element.value, element.VM, element.array, element.raw, element.name, repr(element), element.is_empty
    assert str(data_set) == str(data_set)
    data_set.walk(lambda _, element: element.value)
    assert len(data_set) == len(data_set.keys()) == len(list(data_set))
    assert data_set.keys() == data_set.copy().keys()
    _ = data_set.transfer_syntax, data_set.group_dataset(0x10), dir(data_set), data_set.is_implicit_VR


def check_issues(data_set: dc.Dataset, size: int) -> None:
    deflated = data_set.transfer_syntax in (DEFLATED, JPIP_DEFLATE, JPIP_HTJ2K_DEFLATE)
    for issue in data_set.issues:
        assert issue.message
        assert 0 <= issue.offset <= size or deflated


def check_error(error: dc.DicomError, size: int) -> None:
    if isinstance(error, dc.ParseError):
        assert error.offset is not None
        assert error.offset >= 0


def check_rows(rows) -> None:
    """Check an index: parents come before their children and span them, values lie inside their parents."""
    for i, row in enumerate(rows.tolist()):
        _, _, _, _, offset, length, parent, following = row
        assert i < following <= len(rows)
        assert -1 <= parent < i
        if parent >= 0:
            assert following <= rows["next"][parent]
            assert rows["offset"][parent] <= offset
            assert offset + length <= rows["offset"][parent] + rows["length"][parent]


def check_every_truncation(data: bytes) -> None:
    """Cut at any byte, a file is indexed, read and written in another encoding, or refused by one of our errors."""
    for size in range(len(data)):
        cut = data[:size]
        try:
            check_rows(dc.scan(cut, force=True))
            data_set = dc.dcmread(cut, force=True)
            _ = [element.value for element in data_set.iterall()]
            data_set.to_bytes(transfer_syntax=IMPLICIT, enforce_standard=False, repair=True)
        except dc.DicomError:
            pass

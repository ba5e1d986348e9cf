"""Many threads read and change one object: each sees an old or a new value, and nothing is torn or freed.

On a free-threaded Python all of this runs at once; elsewhere threads take turns as often as they can.
"""

from __future__ import annotations

import copy
import importlib.util
import pickle
import random
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import dicomcore as dc
from dicomcore.codecs import jpeg_lossless_decode, jpeg_lossless_encode, rle_decode, rle_encode
from dicomcore.fileset import FileSet
from dicomcore.pixels.coding import registry
from dicomcore.pixels.coding.registry import codec_for, codecs, register
from tests.reliability.test_threads import THREADS, switch_often, together  # noqa: F401  the fixture
from tests.support import dicom_bytes as raw
from tests.support.corpus import PYDICOM, real

ENCAPSULATED = "1.2.840.10008.1.2.5"
SPACING = (0x0028, 0x0030)
IDENTITY = raw.element(0x00080016, "UI", b"1.2.840.10008.5.1.4.1.1.7\0") + raw.element(0x00080018, "UI", b"1.2.3\0")


def small() -> bytes:
    """A data set with a list, a sequence, a private block and text."""
    inside = raw.item(raw.element(0x00080060, "CS", b"MR") + raw.element(0x00280030, "DS", b"5\\6 "))
    return raw.part10(
        IDENTITY
        + raw.element(0x00080060, "CS", b"CT")
        + raw.sequence(0x00081140, inside + inside)
        + raw.element(0x00090010, "LO", b"SOMEBODY")
        + raw.element(0x00091001, "LO", b"theirs")
        + raw.element(0x00100010, "PN", b"A^B ")
        + raw.element(0x00280030, "DS", b"1\\2 ")
    )


def fragmented(fragments: int, size: int) -> bytes:
    """Encapsulated pixel data of many fragments, which a reader leaves unscanned, and an element behind them."""
    items = raw.item() + b"".join(raw.item(bytes([i & 0xFF]) * size) for i in range(fragments))
    pixels = raw.header(0x7FE00010, "OB", 0xFFFFFFFF) + items + raw.tag_bytes(0xFFFEE0DD) + bytes(4)
    described = raw.element(0x00280008, "IS", b"%-4d" % fragments) + raw.element(0x00280030, "DS", b"1\\2 ")
    return raw.part10(IDENTITY + described + pixels + raw.element(0xFFFCFFFC, "OB", b"end "), ENCAPSULATED)


def test_threads_share_lists_found_by_iterating():
    data = small()
    for _ in range(50):
        data_set = dc.dcmread(data)

        def lists(i: int, shared: dc.Dataset = data_set) -> tuple[int, int]:
            if i % 2:
                return id(shared.PixelSpacing), id(shared[0x00081140].value)
            found = {int(element.tag): element.value for element in shared}
            return id(found[0x00280030]), id(found[0x00081140])

        assert len(set(together(lists))) == 1


def test_an_element_that_was_replaced_does_not_come_back():
    """A thread with the old element may read its value; the data set keeps the new one, or none."""
    data_set = dc.dcmread(small())
    before = {int(element.tag): element for element in data_set}
    data_set.PixelSpacing = [3, 4]
    del data_set[0x00081140]
    assert before[0x00280030].value == [1, 2]
    assert len(before[0x00081140].value) == 2
    assert data_set.PixelSpacing == [3, 4]
    assert 0x00081140 not in data_set


def test_values_set_while_others_read():
    data_set = dc.dcmread(small())
    names, spacings = {"A^B", "Set^One", "Set^Another"}, ([1, 2], [3, 4], [5, 6])
    stop = threading.Event()

    def work(i: int) -> None:
        if i == 0:
            for turn in range(300):
                data_set.PatientName = f"Set^{'One' if turn % 2 else 'Another'}"
                data_set.PixelSpacing = [3 + turn % 2 * 2, 4 + turn % 2 * 2]
                data_set.validation = "ignore" if turn % 2 else "warn"
            stop.set()
            return
        while True:
            last = stop.is_set()
            assert str(data_set.PatientName) in names
            assert data_set[SPACING].value in spacings
            assert list(data_set[SPACING].array) in spacings
            assert data_set[SPACING].VM == 2
            again = dc.dcmread(data_set.to_bytes())
            assert str(again.PatientName) in names
            assert again.PixelSpacing in spacings
            assert str(data_set.copy().PatientName) in names
            assert dc.Dataset.from_json(data_set.to_json()).PixelSpacing in spacings
            if last:
                return

    together(work, 5)
    assert str(data_set.PatientName) == "Set^One"


def test_elements_that_come_and_go_while_others_iterate():
    data_set = dc.dcmread(small())
    fixed = set(data_set.keys())
    come_and_go = [0x00100020, 0x00100030, 0x00200011, 0x00280010]
    stop = threading.Event()

    def change(i: int) -> None:
        for turn in range(100):
            data_set.PatientID = f"{i} {turn}"
            data_set.Rows = turn
            data_set.add_new(0x00100030, "DA", "20200101")
            data_set.add_new(0x00200011, "IS", turn)
            for tag in come_and_go:
                data_set.pop(tag, None) if i else None
        stop.set()

    def read(_: int) -> None:
        while True:
            last = stop.is_set()
            for tags in ([e.tag for e in data_set], data_set.keys(), [e.tag for e in data_set.copy()]):
                assert tags == sorted(tags)
                assert fixed <= set(tags) <= fixed | set(come_and_go)
            assert fixed <= {e.tag for e in dc.dcmread(data_set.to_bytes())}
            assert isinstance(str(data_set), str)
            assert data_set.get("PatientID", "0 ").split()[0] in ("0", "1")
            if last:
                return

    def work(i: int) -> None:
        try:
            change(i) if i < 2 else read(i)
        except KeyError:  # the other thread popped it between check and access
            assert i == 1
            stop.set()

    together(work, 5)


def test_elements_that_are_added_while_others_write():
    """Loops over changes use a copy of them: a dictionary must not grow during iteration."""
    data_set = dc.dcmread(small())
    uses = [
        lambda: data_set.to_bytes(),
        lambda: pickle.loads(pickle.dumps(data_set)).to_bytes(),
        lambda: copy.deepcopy(data_set).to_json(),
        lambda: data_set[0x00080000:0x00300000].keys(),
    ]
    stop = threading.Event()

    def work(i: int) -> None:
        if i == 0:
            for number in range(2000):
                data_set.add_new(0x00290010 + (number % 200) * 0x20000, "LO", "A")
                data_set.pop(0x00290010 + (number * 7 % 200) * 0x20000, None)
            stop.set()
        while not stop.is_set():
            uses[i % len(uses)]()

    together(work, 5)


def test_one_iterator_for_all():
    """Each element goes to one thread."""
    data_set = dc.dcmread(real("rtplan.dcm"))
    tags = [(int(e.tag), e.offset) for e in data_set.iterall()]
    for _ in range(5):
        elements = dc.dcmread(real("rtplan.dcm")).iterall()
        found = together(lambda _, shared=elements: [(int(e.tag), e.offset) for e in shared], 4)
        assert sorted(one for part in found for one in part) == sorted(tags)


def test_one_element_for_all():
    for _ in range(50):
        elements = list(dc.dcmread(small()).iterall())

        def look(_: int, shared: list[Any] = elements) -> list[tuple[Any, ...]]:
            return [(e.VR, e.VM, e.name, e.private_creator, str(e.value), e.raw is None) for e in shared]

        first, *others = together(look)
        assert others == [first] * (THREADS - 1)


@pytest.mark.parametrize("as_path", [False, True], ids=["memory", "path"])
def test_a_scan_that_goes_on_while_others_read(as_path: bool, tmp_path: Path):
    data = fragmented(400, 3000)
    source: Any = data
    if as_path:
        source = tmp_path / "fragments.dcm"
        source.write_bytes(data)

    def read(i: int, shared: dc.Dataset) -> tuple[Any, ...]:
        if i % 3 == 0:
            end = bytes(shared[0xFFFCFFFC].value)
            return [1, 2], end, len(shared)
        if i % 3 == 1:
            spacing = shared.PixelSpacing
            length = len(shared)
            return list(spacing), bytes(shared[0xFFFCFFFC].value), length
        spacing = next(e for e in shared if e.tag == 0x00280030).value
        return list(spacing), bytes(dc.dcmread(shared.to_bytes())[0xFFFCFFFC].value), len(shared)

    for _ in range(10):
        data_set = dc.dcmread(source)
        assert together(lambda i, shared=data_set: read(i, shared)) == [([1, 2], b"end ", 6)] * THREADS


FRAMES = ["rtdose_rle.dcm", "OBXXXX1A_rle_2frame.dcm", "SC_rgb_rle_2frame.dcm", "JPEG-LL.dcm", "emri_small_RLE.dcm",
          "color3d_jpeg_baseline.dcm", "emri_small.dcm", "liver_1frame.dcm"]  # fmt: skip


@pytest.mark.parametrize("name", FRAMES)
def test_frames_of_one_data_set(name: str):
    path = real(name)
    alone = dc.dcmread(path).frames
    try:
        expected = [alone[i] for i in range(len(alone))]
    except dc.UnsupportedTransferSyntaxError as error:
        pytest.skip(str(error))
    encoded = [bytes(alone.encoded(i)) for i in range(len(alone))]

    def decode(i: int, shared: dc.Dataset) -> None:
        places = list(range(len(expected))) * 2
        random.Random(i).shuffle(places)
        for place in places[:20]:
            if (place + i) % 3 == 0:
                assert bytes(shared.frames.encoded(place)) == encoded[place]
            else:
                np.testing.assert_array_equal(shared.frames[place], expected[place])
        np.testing.assert_array_equal(shared.pixel_array.reshape(-1), np.stack(expected).reshape(-1))
        assert isinstance(shared.frames.notes, tuple)

    data_set = dc.dcmread(path)
    together(lambda i, shared=data_set: decode(i, shared), 4)


def test_written_by_all_at_once(tmp_path: Path):
    """Each thread writes its own target, and all write the file that the data set came from."""
    path = tmp_path / "source.dcm"
    path.write_bytes(real("OBXXXX1A_rle.dcm").read_bytes())
    data_set = dc.dcmread(path)
    expected, pixels = data_set.to_bytes(), data_set.pixel_array

    def write(i: int) -> bytes:
        target = tmp_path / f"{i}.dcm"
        for _ in range(5):
            data_set.save_as(target)
            data_set.save_as(path)
        assert target.read_bytes() == expected
        return data_set.to_bytes()

    assert together(write, 4) == [expected] * 4
    np.testing.assert_array_equal(data_set.pixel_array, pixels)
    assert dc.dcmread(path).to_bytes() == expected


def test_own_codecs_into_parts_of_one_array():
    images = np.random.default_rng(5).integers(0, 4096, (THREADS, 96, 128), np.uint16)
    lossless = [jpeg_lossless_encode(image) for image in images]
    packed = [rle_encode(image) for image in images]

    def code(i: int, out: np.ndarray) -> None:
        for _ in range(10):
            jpeg_lossless_decode(lossless[i], out=out[i])
            np.testing.assert_array_equal(out[i], images[i])
            out[i] = 0
            rle_decode(packed[i], rows=96, columns=128, samples_per_pixel=1, bits_allocated=16, out=out[i])
            np.testing.assert_array_equal(out[i], images[i])
            assert jpeg_lossless_encode(images[i]) == lossless[i]
            assert rle_encode(images[i]) == packed[i]

    out = np.zeros_like(images)
    together(lambda i: code(i, out))
    np.testing.assert_array_equal(out, images)


@pytest.mark.thread_unsafe(reason="registers codecs")
def test_codecs_registered_while_others_look_them_up():
    own, before = codec_for(ENCAPSULATED), dict(registry._CODECS)

    def work(i: int) -> None:
        for turn in range(200):
            if i == 0:
                register("1.2.3.4", own.decoder, name=f"turn {turn}")
                register(f"1.2.3.{turn + 10}", own.decoder, name="another")
            else:
                assert codec_for(ENCAPSULATED) is own
                assert own in codecs()

    try:
        together(work, 4)
        assert codec_for("1.2.3.4").name == "turn 199"
    finally:
        for uid in set(registry._CODECS) - set(before):
            del registry._CODECS[uid]


def test_one_file_set():
    shared = FileSet(PYDICOM / "test_files" / "dicomdirtests" / "DICOMDIR")
    instances = len(shared)

    def look(_: int) -> list[tuple[str, ...]]:
        return sorted((str(one.PatientID), str(one.SOPInstanceUID)) for one in shared.find())

    found = together(look, 4)
    assert len(found[0]) == instances == 31
    assert found == [found[0]] * 4


@pytest.mark.skipif(importlib.util.find_spec("pyarrow") is None, reason="needs pyarrow")
def test_indices_made_at_once():
    from dicomcore.archive import index

    folder = PYDICOM / "test_files" / "dicomdirtests"
    expected = index(folder, workers=1).to_pylist()
    assert len(expected) > 30
    assert together(lambda _: index(folder, workers=3).to_pylist(), 3) == [expected] * 3

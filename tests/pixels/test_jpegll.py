"""JPEG lossless against the corpus, against hand-made codestreams, and encoded and decoded again."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dicomcore._native.jpegll.codec import decode_frame
from dicomcore.codecs import (
    jpeg_lossless_decode,
    jpeg_lossless_decode_components,
    jpeg_lossless_encode,
    jpeg_lossless_info,
)
from dicomcore.errors import EncodeError, PixelDecodeError, UnsupportedTransferSyntaxError
from tests.support import jpeg_reader
from tests.support import pixel_corpus as corpus
from tests.support.jpeg_writer import write

JPEG_LOSSLESS = ("1.2.840.10008.1.2.4.57", "1.2.840.10008.1.2.4.70")


@pytest.mark.parametrize("line", corpus.with_pixels(*JPEG_LOSSLESS))
def test_corpus_frames_are_as_other_decoders_read_them(line):
    for codestream, expected in corpus.codestreams(line):
        assert corpus.sha256(jpeg_lossless_decode(codestream)) == expected
        assert corpus.sha256(jpeg_lossless_decode(codestream, threads=2)) == expected


T83 = [line for line in corpus.lines() if line["kind"] == "codestream" and "/p14/" in line["path"]]


@pytest.mark.skipif(not T83, reason="the corpus is absent")
@pytest.mark.parametrize("line", T83, ids=lambda line: line["path"][-6:])
def test_t83_conformance_streams(line):
    codestream = corpus.path_of(line).read_bytes()
    parts = jpeg_lossless_decode_components(codestream)
    info = jpeg_lossless_info(codestream)
    for part, told, answer in zip(parts, info.components, line["pixels"]["components"], strict=True):
        assert told == (answer["id"], answer["rows"], answer["columns"])
        assert corpus.sha256(part) == answer["sha256"]
    whole = jpeg_lossless_decode(codestream)
    assert whole.shape == (257, 255, 4)
    down, across = (-(-257 // part.shape[0]) for part in parts), (-(-255 // part.shape[1]) for part in parts)
    for k, (part, v, h) in enumerate(zip(parts, down, across, strict=True)):
        spread = part.repeat(v, 0).repeat(h, 1)
        if spread.shape[0] >= 257 and spread.shape[1] >= 255:
            assert (whole[:, :, k] == spread[:257, :255]).all()


def picture(rows: int, columns: int, precision: int, seed: int = 1, *, noise: float = 0.01) -> np.ndarray:
    """A slope with noise, whose differences have many categories (SSSS)."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:rows, :columns]
    top = (1 << precision) - 1
    values = (y + x) / (rows + columns) * top + rng.normal(0, 1, (rows, columns)) * noise * top
    return np.clip(values, 0, top).astype(np.uint8 if precision <= 8 else np.uint16)


@pytest.mark.parametrize("predictor", range(1, 8))
@pytest.mark.parametrize("precision", [2, 8, 9, 12, 15, 16])
def test_plain_streams(predictor, precision):
    for shape in (1, 1), (1, 9), (9, 1), (6, 5), (23, 31):
        array = picture(*shape, precision)
        stream = write([array], *shape, precision=precision, predictor=predictor)
        assert np.array_equal(jpeg_lossless_decode(stream), array)


@pytest.mark.parametrize("predictor", [1, 4, 6, 7])
def test_differences_of_32768(predictor):
    array = np.array([[0, 32768, 0, 65535], [32768, 0, 32767, 0], [65535, 32767, 65535, 0]], np.uint16)
    array = np.tile(array, (3, 4))
    stream = write([array], *array.shape, precision=16, predictor=predictor)
    assert np.array_equal(jpeg_lossless_decode(stream), array)
    assert np.array_equal(jpeg_lossless_decode(jpeg_lossless_encode(array, selection_value=predictor)), array)


STREAMS = {  # name: (components, options of the writer)
    "point transform": (1, {"point_transform": 3}),
    "restart intervals": (1, {"restart": 2}),
    "restart intervals of one row": (3, {"restart": 1}),
    "restart intervals in separate scans": (3, {"restart": 3, "scans": [[0], [1], [2]]}),
    "a table for each component": (3, {"tables": [0, 5, 11]}),
    "a table for each of two": (2, {"tables": [3, 0]}),
    "four components": (4, {"tables": [1, 1, 1, 1]}),
    "separate scans, tables redefined": (3, {"scans": [[0], [1], [2]], "tables": [2, 9, 4]}),
    "two components, then one": (3, {"scans": [[0, 1], [2]]}),
    "scans in another order": (3, {"scans": [[2], [0, 1]], "tables": [2, 9, 4]}),
    "DNL": (1, {"lines_last": True}),
    "DNL after the first of three scans": (3, {"lines_last": True, "scans": [[0], [1], [2]]}),
    "DNL and restart intervals": (1, {"lines_last": True, "restart": 4}),
    "fill bytes": (3, {"fill": b"\xff\xff", "restart": 2}),
    "no EOI": (3, {"end": b""}),
    "half an EOI": (1, {"end": b"\xff"}),
    "another marker for EOI": (1, {"end": b"\xff\xd8"}),
    "padding after EOI": (1, {"end": b"\xff\xd9\0\0\0"}),
    "subsampled by two": (3, {"sampling": [(2, 2), (1, 1), (1, 1)]}),
    "subsampled, separate scans": (3, {"sampling": [(2, 1), (1, 1), (1, 1)], "scans": [[0], [1], [2]]}),
    "subsampled oddly, restart intervals": (4, {"sampling": [(3, 1), (1, 4), (2, 2), (1, 1)], "restart": 2}),
    "all sampled alike but not by one": (3, {"sampling": [(2, 2), (2, 2), (2, 2)]}),
    "one component whose factors don't matter": (1, {"sampling": [(2, 2)]}),
}


@pytest.mark.parametrize("precision", [8, 12])
@pytest.mark.parametrize("predictor", [1, 5, 6, 7])
@pytest.mark.parametrize(("count", "told"), STREAMS.values(), ids=STREAMS)
def test_streams_of_other_writers(count, told, predictor, precision):
    rows, columns = 13, 17
    sampling = told.get("sampling", [(1, 1)] * count)
    across, down = max(h for h, _ in sampling), max(v for _, v in sampling)
    sizes = [(-(-rows * v // down), -(-columns * h // across)) for h, v in sampling]
    parts = [picture(*size, precision, seed) for seed, size in enumerate(sizes)]
    stream = write(parts, rows, columns, precision=precision, predictor=predictor, **told)
    expected = [part >> told.get("point_transform", 0) << told.get("point_transform", 0) for part in parts]
    decoded = jpeg_lossless_decode_components(stream)
    assert [part.shape for part in decoded] == sizes
    assert all(map(np.array_equal, decoded, expected))
    whole = jpeg_lossless_decode(stream)
    y, x = np.arange(rows), np.arange(columns)
    for k, ((h, v), part) in enumerate(zip(sampling, expected, strict=True)):
        spread = part[y * v // down][:, x * h // across]
        assert np.array_equal(whole[..., k] if count > 1 else whole, spread)


def test_both_ends_of_a_long_stream_meet():
    # several chains and two threads, smooth and noisy
    for noise, count in (0.0005, 1), (0.2, 1), (0.0005, 3), (0.2, 3):
        array = picture(700, 900 * count, 16, noise=noise).reshape(700, 900, count)
        for predictor in (1, 7):
            stream = jpeg_lossless_encode(array, selection_value=predictor)
            for threads in (1, 2):
                decoded = jpeg_lossless_decode(stream, threads=threads)
                assert np.array_equal(decoded.reshape(array.shape), array)


def test_both_ends_meet_where_components_have_their_own_tables():
    parts = [picture(180, 230, 8, seed) for seed in range(3)]
    stream = write(parts, 180, 230, precision=8, predictor=4, tables=[1, 2, 0])
    assert len(stream) > 1 << 16  # enough for a second thread
    for threads in (1, 2):
        assert np.array_equal(jpeg_lossless_decode(stream, threads=threads), np.stack(parts, -1))


LOOKUPS = {  # each takes another loop or table: name: (rows, columns, components, precision, noise, predictor)
    "single differences, few samples": (50, 60, 1, 12, 0.01, 1),
    "9 bits": (90, 100, 1, 8, 0.005, 1),
    "10 bits, three components": (100, 130, 3, 8, 0.01, 1),
    "11 bits": (380, 400, 1, 8, 0.001, 1),
    "12 bits": (380, 400, 1, 12, 0.002, 1),
    "13 bits": (720, 800, 1, 12, 0.005, 1),
    "three differences a window": (100, 170, 1, 12, 0.1, 6),
    "two differences a window": (100, 170, 1, 16, 0.2, 7),
    "two differences a window, three components": (80, 90, 3, 16, 0.2, 4),
}


@pytest.mark.parametrize(("rows", "columns", "count", "precision", "noise", "predictor"), LOOKUPS.values(), ids=LOOKUPS)
def test_damage_is_found_where_a_plain_reader_finds_it(rows, columns, count, precision, noise, predictor):
    array = picture(rows, columns * count, precision, noise=noise).reshape(rows, columns, count)
    stream = jpeg_lossless_encode(array if count > 1 else array[:, :, 0], selection_value=predictor)
    start = jpeg_lossless_info(stream).scan_offset + 8 + 2 * count
    rng = np.random.default_rng(rows)
    damaged = [stream, *(stream[:end] for end in rng.integers(start, len(stream), 2))]
    for place in rng.integers(start, len(stream) - 2, 4):
        wrong = bytearray(stream)
        wrong[place] ^= int(rng.integers(1, 256))
        damaged.append(bytes(wrong))
    for broken in damaged:
        expected, whole = jpeg_reader.read(broken)
        out = np.empty_like(array)
        fault = decode_frame(broken, out, out.itemsize, lenient=True)
        assert np.array_equal(out, expected.astype(array.dtype))
        assert whole is (fault is None)
        for threads in (1, 2):
            if whole:
                assert np.array_equal(jpeg_lossless_decode(broken, threads=threads).reshape(array.shape), out)
                continue
            with pytest.raises(PixelDecodeError) as caught:
                jpeg_lossless_decode(broken, threads=threads)
            assert caught.value.offset == fault or len(broken) - start < array.size // 8


@pytest.mark.parametrize("predictor", range(1, 8))
def test_rows_around_the_width_of_a_vector(predictor):
    for precision, count in (8, 1), (8, 2), (8, 3), (8, 4), (16, 1), (16, 3):
        for rows, columns in (7, 15), (8, 8), (9, 7), (10, 9), (16, 17), (17, 33), (25, 49):
            array = picture(rows, columns * count, precision, noise=0.3).reshape(rows, columns, count)
            stream = jpeg_lossless_encode(array, selection_value=predictor)
            assert np.array_equal(jpeg_lossless_decode(stream).reshape(array.shape), array)


def test_stuffed_zeros_at_each_place_of_a_block():
    # Differences whose bits are ones, so that many bytes are 0xFF, some of them in a row.
    rng = np.random.default_rng(5)
    for columns in range(300, 330):
        steps = rng.choice(np.array([32767, 4095, 255, 0]), (3, columns))
        array = (30000 + np.cumsum(steps, axis=1)).astype(np.uint16)
        stream = jpeg_lossless_encode(array)
        assert stream.count(b"\xff\0") > columns // 4
        assert np.array_equal(jpeg_lossless_decode(stream), array)


def test_info():
    parts = [picture(13, 17, 12), picture(13, 9, 12)]
    stream = write(parts, 13, 17, precision=12, predictor=6, sampling=[(2, 1), (1, 1)], restart=3, point_transform=1)
    info = jpeg_lossless_info(stream)
    assert (info.rows, info.columns, info.precision, info.predictor, info.point_transform) == (13, 17, 12, 6, 1)
    assert info.components == ((7, 13, 17), (8, 13, 9))
    assert (info.restart_interval, info.interleaved) == (27, True)
    assert (info.shape, info.dtype) == ((13, 17, 2), np.uint16)


def test_out_takes_the_samples_also_wider():
    array = picture(13, 17, 8)
    stream = jpeg_lossless_encode(array)
    for out in (bytearray(13 * 17), np.empty((13, 17), np.uint8), np.empty((13, 17), np.int16)):
        jpeg_lossless_decode(stream, out=out)
        got = np.frombuffer(out, np.uint8 if memoryview(out).nbytes == 13 * 17 else np.uint16).reshape(13, 17)
        assert np.array_equal(got, array)
    for wrong in (bytearray(13 * 17 - 1), bytes(13 * 17), np.empty((13, 34), np.uint8)[:, ::2]):
        with pytest.raises((ValueError, TypeError)):
            jpeg_lossless_decode(stream, out=wrong)


def test_samples_at_odd_addresses():
    array = np.frombuffer(bytes(range(201)), np.uint16, 100, offset=1).reshape(10, 10)
    stream = jpeg_lossless_encode(array)
    assert np.array_equal(jpeg_lossless_decode(stream), array)
    with pytest.raises(ValueError, match="even address"):
        jpeg_lossless_decode(stream, out=np.frombuffer(bytearray(201), np.uint16, 100, offset=1).reshape(10, 10))


@pytest.mark.parametrize("marker", [0xC0, 0xC1, 0xC2, 0xC5, 0xC7, 0xC9, 0xCB])
def test_other_kinds_of_jpeg_are_named_as_such(marker):
    stream = bytearray(write([picture(4, 4, 8)], 4, 4, precision=8))
    stream[stream.index(b"\xff\xc3") + 1] = marker
    with pytest.raises(UnsupportedTransferSyntaxError):
        jpeg_lossless_decode(stream)


def test_samples_that_cannot_be_encoded_are_refused():
    for wrong in (
        np.zeros((2, 2), np.float32),
        np.zeros((2, 2), np.uint32),
        np.zeros((2, 2, 5), np.uint8),
        np.zeros((0, 2), np.uint8),
        np.zeros(4, np.uint8),
        np.zeros((1, 65536), np.uint8),
    ):
        with pytest.raises(EncodeError):
            jpeg_lossless_encode(wrong)
    for told in ({"precision": 3}, {"precision": 1}, {"precision": 9}, {"selection_value": 0}, {"selection_value": 8}):
        with pytest.raises(EncodeError):
            jpeg_lossless_encode(np.full((2, 2), 8, np.uint8), **told)


def test_signed_samples_are_written_as_twos_complement():
    array = np.array([[-2048, 2047], [-1, 0]], np.int16)
    decoded = jpeg_lossless_decode(jpeg_lossless_encode(array, precision=12))
    assert decoded.tolist() == [[2048, 2047], [4095, 0]]
    decoded = jpeg_lossless_decode(jpeg_lossless_encode(array.astype(">i2")))
    assert np.array_equal(decoded.view(np.int16), array)


shapes = st.tuples(st.integers(1, 40), st.integers(1, 60)) | st.tuples(
    st.integers(1, 20), st.integers(1, 30), st.integers(1, 4)
)


@given(
    shape=shapes,
    precision=st.integers(2, 16),
    predictor=st.integers(1, 7),
    seed=st.integers(0, 2**32),
    spread=st.integers(0, 16),
)
@settings(max_examples=250, deadline=None)
def test_encoding_and_decoding_is_the_identity(shape, precision, predictor, seed, spread):
    rng = np.random.default_rng(seed)
    low = min(precision, spread)
    array = rng.integers(0, 1 << low, shape) << rng.integers(0, precision - low + 1)
    array = array.astype(np.uint8 if precision <= 8 and seed % 2 else np.uint16)
    decoded = jpeg_lossless_decode(jpeg_lossless_encode(array, precision=precision, selection_value=predictor))
    assert np.array_equal(decoded.reshape(array.shape), array)


def optimal_bits(array: np.ndarray) -> int:
    """Bits of the best single Huffman table for predictor 1, with no bound on a code's length."""
    import heapq

    wide = array.astype(int)
    differences = np.diff(wide, axis=1, prepend=np.vstack([[1 << 15], wide[:-1, :1]]))
    sizes = [int(abs((d + 32767) % 65536 - 32767)).bit_length() for d in differences.ravel()]
    counts = np.bincount(sizes, minlength=17)
    heap = [int(count) for count in counts if count]
    heapq.heapify(heap)
    total = sum(size for size in sizes if size < 16)
    while len(heap) > 1:
        both = heapq.heappop(heap) + heapq.heappop(heap)
        total += both
        heapq.heappush(heap, both)
    return total


def test_size_is_near_the_best_table():
    array = picture(200, 300, 16, noise=0.003)
    assert len(jpeg_lossless_encode(array)) * 8 < optimal_bits(array) * 1.005 * 257 / 256 + 8 * 90


@pytest.mark.parametrize("descending", [False, True])
def test_codes_that_would_have_seventeen_bits_are_shortened(descending):
    # The Kth category as often as the Kth Fibonacci number: each code a bit longer than the next (T.81 K.2).
    counts = [1, 1]
    while len(counts) < 17:
        counts.append(counts[-1] + counts[-2])
    categories = range(16, -1, -1) if descending else range(17)
    steps = np.repeat([1 << k >> 1 for k in categories], counts)
    array = (32768 + np.cumsum(steps)).astype(np.uint16)[None, :]
    coded = jpeg_lossless_encode(array)
    table = coded.index(b"\xff\xc4") + 5
    assert list(coded[table : table + 16]) == [1] * 14 + [0, 3]
    assert np.array_equal(jpeg_lossless_decode(coded), array)
    imagecodecs = pytest.importorskip("imagecodecs")
    assert np.array_equal(imagecodecs.ljpeg_decode(coded).reshape(array.shape), array)


def test_codes_stay_within_sixteen_bits():
    # Fibonacci counts give the longest codes for a number of samples
    counts, total = [1, 1], 0
    while len(counts) < 17:
        counts.append(counts[-1] + counts[-2])
    steps = np.repeat([1 << k >> 1 for k in range(17)], counts[::-1])
    steps[1::2] *= -1
    total = len(steps)
    array = np.cumsum(np.random.default_rng(3).permutation(steps)).astype(np.uint16)[None, :]
    assert total < 65536
    assert np.array_equal(jpeg_lossless_decode(jpeg_lossless_encode(array)), array)

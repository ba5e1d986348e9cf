"""Targets of pixel data: codecs, codestream headers, unpacking, colour, tables, fragments, frames, other objects."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from functools import cache
from typing import Any

import numpy as np

import dicomcore as dc
from dicomcore import codecs, objects
from dicomcore._native.base import swap
from dicomcore._native.deid.jpegblank import blank_units
from dicomcore._native.jpegll import tail as jpegll_tail
from dicomcore._native.pixels import colour, lut, planes, unpack
from dicomcore._native.pixels.jpegdct import count_mcus
from dicomcore.deid.pixels import text_boxes
from dicomcore.display.rendering import Display, Window, render
from dicomcore.display.tables import LookUpTable, Palette, expand_segments
from dicomcore.pixels.coding import headers
from dicomcore.pixels.coding.uncompressed import decode_deflated, decode_native
from dicomcore.pixels.description import FrameDescription
from fuzz import seeds
from fuzz.target import LIMITS, FuzzInput, Target, check_error, refused
from tests.support import dicom_bytes as raw

DETERMINED = ("1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.2", "1.2.840.10008.1.2.8.1")
OWN = frozenset((*DETERMINED, "1.2.840.10008.1.2.5", "1.2.840.10008.1.2.4.57", "1.2.840.10008.1.2.4.70"))
FRAMES_AT_MOST = 6


def disable_foreign_codecs() -> None:
    """Disable foreign codecs in this process: their faults on hostile codestreams are not searched for here."""
    sys.modules["imagecodecs"] = None  # type: ignore[assignment]
    sys.modules["av"] = None  # type: ignore[assignment]


def samples(decode: Any, size: int, **options: Any) -> Any:
    """The samples, or None after a PixelDecodeError whose offset lies in the input."""
    try:
        return decode(**options)
    except dc.PixelDecodeError as error:
        check_error(error)
        assert error.offset is None or error.offset <= size, error.offset
    except dc.DicomError as error:
        check_error(error)
    return None


def rle(data: bytes) -> None:
    """An RLE frame of any description: by pixel and by plane it gives the same samples; truncated, its beginning."""
    taken = FuzzInput(data)
    rows, columns, count = taken.byte() % 64 + 1, taken.byte() % 64 + 1, taken.byte() % 4 + 1
    bits, partial = taken.one_of((8, 16, 32, 64, 1)), bool(taken.byte() & 1)
    told = {"rows": rows, "columns": columns, "samples_per_pixel": count, "bits_allocated": bits, "partial": partial}
    frame = taken.left
    if max(bits // 8, 1) * count > 15:  # more than RLE's segments: a plain ValueError
        return
    found = samples(codecs.rle_decode, len(frame), frame=frame, **told)
    by_plane = samples(codecs.rle_decode, len(frame), frame=frame, planar=True, **told)
    assert (found is None) == (by_plane is None)
    if found is None:
        return
    assert np.array_equal(found if count == 1 else np.moveaxis(found, 2, 0), by_plane)
    if not partial:
        assert np.array_equal(codecs.rle_decode(frame, **{**told, "partial": True}), found)


def jpeg_lossless(data: bytes) -> None:
    """A JPEG lossless codestream gives the same samples decoded whole, by component and with `partial`."""
    info = codecs.jpeg_lossless_info(data)
    if np.prod(info.shape) > LIMITS.frame_pixels:
        return
    whole = samples(codecs.jpeg_lossless_decode, len(data), codestream=data)
    part = samples(codecs.jpeg_lossless_decode, len(data), codestream=data, partial=True)
    apart = samples(codecs.jpeg_lossless_decode_components, len(data), codestream=data)
    assert (whole is None) == (apart is None)
    if whole is not None:
        assert np.array_equal(whole, part)
        if len(apart) == 1:
            assert np.array_equal(whole, apart[0])


@cache
def long_codestream(count: int) -> bytes:
    """A codestream long enough to be decoded from both ends."""
    rng = np.random.default_rng(3)
    shape = (200, 250) if count == 1 else (150, 100, count)
    return codecs.jpeg_lossless_encode(rng.integers(0, 1 << 14, shape).astype(np.uint16), precision=14)


def jpeg_tail(data: bytes) -> None:
    """A long JPEG lossless codestream, damaged as the input says: decoding from both ends equals decoding from one."""
    taken = FuzzInput(data)
    codestream = bytearray(long_codestream(taken.one_of((1, 3))))
    cut = taken.word() % 0x400
    while taken.left:
        at = taken.word() << 1 | taken.byte()
        codestream[at % (len(codestream) if at & 1 else 40)] = taken.byte()
    damaged = bytes(codestream[: len(codestream) - cut])
    info = codecs.jpeg_lossless_info(damaged)
    if np.prod(info.shape) > LIMITS.frame_pixels:
        return
    whole = samples(codecs.jpeg_lossless_decode, len(damaged), codestream=damaged)
    for partial in (False, True):
        tail = jpegll_tail.Tail(damaged)
        if not tail:
            return
        tail.run()
        array = np.empty(info.shape, info.dtype)
        done = samples(jpegll_tail.decode_frame, len(damaged), tail=tail, dst=array, width=array.itemsize,
                       wait=lambda: None, lenient=partial) is None  # fmt: skip
        if whole is not None:
            assert done
            assert np.array_equal(array, whole)
        elif partial:
            assert np.array_equal(array, codecs.jpeg_lossless_decode(damaged, partial=True))


def tail_seeds() -> Iterator[bytes]:
    for which in (0, 1):
        yield bytes([which, 0, 0])
        yield bytes([which, 9, 0]) + bytes([0x31, 0x40, 0, 0xFF, 0x32, 0x40, 1, 0xD9])
        yield bytes([which, 0, 0]) + bytes([7, 0, 0, 1])


def any_image(taken: FuzzInput) -> np.ndarray[Any, Any]:
    """An image whose shape and samples the input chooses."""
    kind = np.dtype(taken.one_of(("u1", "u2", "i2", "i1", "u4", "u8")))
    columns, count = taken.byte() % 100 + 1, taken.byte() % 4 + 1
    content = np.frombuffer(taken.left[: len(taken.left) // kind.itemsize * kind.itemsize], kind)
    rows = len(content) // (columns * count)
    shape = (rows, columns, count) if count > 1 else (rows, columns)
    return content[: rows * columns * count].reshape(shape)


def encoders(data: bytes) -> None:
    """Any image encoded and decoded is that image."""
    taken = FuzzInput(data)
    selection = taken.byte() % 7 + 1
    image = any_image(taken)
    if not refused(lambda: codecs.rle_encode(image)):
        told = {"rows": image.shape[0], "columns": image.shape[1], "bits_allocated": 8 * image.itemsize}
        count = image.shape[2] if image.ndim == 3 else 1
        again = codecs.rle_decode(codecs.rle_encode(image), samples_per_pixel=count, **told)
        assert again.tobytes() == image.tobytes()
    if not refused(lambda: codecs.jpeg_lossless_encode(image, selection_value=selection)):
        coded = codecs.jpeg_lossless_encode(image, selection_value=selection)
        assert codecs.jpeg_lossless_decode(coded).tobytes() == image.tobytes()


def encoder_seeds() -> Iterator[bytes]:
    for i, image in enumerate(seeds.images()):
        for kind in range(6):
            yield bytes([i, kind, image.shape[1] - 1, (image.shape[2] if image.ndim == 3 else 1) - 1]) + image.tobytes()


def codestream_headers(data: bytes) -> None:
    """Headers of JPEG, JPEG-LS, JPEG 2000 and JPEG XL give sizes in range, or an error; MCUs of a JPEG are counted."""
    taken = FuzzInput(data)
    read = taken.one_of((headers.read_jpeg, headers.read_j2k, headers.read_jxl))
    view = memoryview(taken.left)
    info = samples(read, len(view), data=view)
    if info is not None:
        assert info.rows >= 0
        assert info.columns >= 0
        assert 0 <= info.offset <= info.offset + info.length <= len(view)
        end = headers.end_of_tile_parts(view[info.offset : info.offset + info.length])
        assert end is None or 0 < end <= info.length
    if read is headers.read_jpeg and len(view):
        done, due, _ = count_mcus(view)
        assert 0 <= done <= due


def jpeg_units(data: bytes) -> None:
    """A JPEG whose units are blanked has as many units as before; without boxes they are the same again."""
    taken = FuzzInput(data)
    box = np.array([[taken.byte(), taken.byte(), taken.byte() + 1, taken.byte() + 1]], np.int32)
    view = np.frombuffer(taken.left, np.uint8)
    try:
        info = headers.read_jpeg(memoryview(taken.left))
    except dc.DicomError:
        return
    levels = np.full(4, -1024, np.int32)
    try:
        blanked = blank_units(view, box, levels, info.rows, info.columns)
        same = blank_units(view, box[:0], levels, info.rows, info.columns)
    except (ValueError, MemoryError) as error:
        assert isinstance(error, (dc.DicomError, MemoryError)), error
        return
    for made in (blanked, same):
        done, due, ended = count_mcus(made)
        assert ended
        assert done == due


def jpeg_unit_seeds() -> Iterator[bytes]:
    """A box and a real codestream."""
    for frame in seeds.codestreams("1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.51"):
        yield bytes((8, 8, 15, 20)) + frame


def text_in_pictures(data: bytes) -> None:
    """Boxes of text lie inside of any picture."""
    taken = FuzzInput(data)
    columns = taken.byte() + 1
    picture = np.frombuffer(taken.left, np.uint8)
    picture = picture[: len(picture) // columns * columns].reshape(-1, columns)
    if not picture.size:
        return
    for box in text_boxes(picture):
        assert box.within(*picture.shape) == box


def text_seeds() -> Iterator[bytes]:
    """Stripes and dots."""
    for step in (3, 5, 7):
        yield bytes([63]) + bytes(255 * (place % step == 0) for place in range(64 * 48))


def unpacking(data: bytes) -> None:
    """Bits, cells, words and planes against plain Python."""
    taken = FuzzInput(data)
    bits, start, width = taken.byte() % 32 + 1, taken.byte() % 64, taken.one_of((1, 2, 4, 8))
    start = min(start, 8 * len(taken.left))
    source = np.frombuffer(taken.left, np.uint8)
    every = int.from_bytes(taken.left, "little")
    held = max(8 * len(source) - start, 0)

    plain = np.empty(held, np.uint8)
    unpack.unpack_bits(source, plain, start)
    assert np.array_equal(plain, np.unpackbits(source, bitorder="little")[start:])
    packed = np.empty(-(-held // 8), np.uint8)
    unpack.pack_bits(plain, packed)
    assert np.array_equal(packed, np.packbits(plain, bitorder="little"))

    cells = np.empty(held // bits, np.uint32)
    unpack.unpack_cells(source, cells, bits, start)
    expected = [every >> (start + i * bits) & ((1 << bits) - 1) for i in range(len(cells))]
    assert cells.tolist() == expected
    if bits == 12 and start % 4 == 0:
        twelve = np.empty(len(cells), np.uint16)
        unpack.unpack_12(source, twelve, start)
        assert twelve.tolist() == expected
    three = np.empty(len(source) // 3, np.uint32)
    unpack.unpack_24(source, three)
    assert three.tolist() == [int.from_bytes(taken.left[3 * i : 3 * i + 3], "little") for i in range(len(three))]

    words = source[: len(source) // width * width].copy()
    if width > 1:
        turned = np.empty_like(words)
        swap.swap_words(words, turned, width)
        assert np.array_equal(turned, words.view(f"u{width}").byteswap().view(np.uint8))
    low = start % (8 * width)
    stored = bits % (8 * width - low) + 1
    extended = words.copy()
    unpack.extend_samples(extended, width, low, stored, True)
    cut = [int(word) >> low & ((1 << stored) - 1) for word in words.view(f"u{width}")]
    assert extended.view(f"i{width}").tolist() == [one - (1 << stored) if one >> (stored - 1) else one for one in cut]

    count = bits % 5 + 1
    content = words[: len(words) // (count * width) * count * width]
    mixed, back = np.empty_like(content), np.empty_like(content)
    planes.interleave(content, mixed, count, width)
    assert np.array_equal(mixed, content.reshape(count, -1, width).transpose(1, 0, 2).reshape(-1))
    planes.separate(mixed, back, count, width)
    assert np.array_equal(back, content)


def unpack_seeds() -> Iterator[bytes]:
    content = bytes(range(256))
    for bits in (0, 3, 7, 11, 12, 23, 31):
        for start in (0, 1, 4, 9):
            yield bytes([bits, start, bits % 4]) + content[: 40 + 8 * bits]


def colours(data: bytes) -> None:
    """Colour conversion: vectorised equals plain code, in place equals into another buffer."""
    taken = FuzzInput(data)
    bits = taken.byte() % 15 + 2
    source = np.frombuffer(taken.left, np.uint8)
    pixels = source[: len(source) // 3 * 3]
    for planar in (False, True):
        fast, plain = np.empty_like(pixels), np.empty_like(pixels)
        colour.ybr_full_to_rgb(pixels, fast, planar)
        colour.ybr_full_to_rgb(pixels, plain, planar, True)
        assert np.array_equal(fast, plain)
    beside = np.empty_like(pixels)
    for convert in (colour.ybr_full_to_rgb, colour.rgb_to_ybr_full, colour.ybr_partial_to_rgb):
        inside = pixels.copy()
        convert(pixels, beside)
        convert(inside, inside)
        assert np.array_equal(beside, inside)
    pairs = source[: len(source) // 4 * 4].reshape(-1, 4)
    spread = np.empty(len(pairs) * 6, np.uint8)
    colour.spread_422(pairs.reshape(-1), spread)
    assert np.array_equal(spread.reshape(-1, 6), pairs[:, [0, 2, 3, 1, 2, 3]])
    deep = source[: len(source) // 6 * 6].copy().view("u2")
    colour.ybr_full_to_rgb_deep(deep, np.empty_like(deep), bits)
    whole = source[: len(source) // 12 * 12].copy().view("i4")
    colour.ybr_rct_to_rgb(whole, np.empty_like(whole))


def colour_seeds() -> Iterator[bytes]:
    for count in (3, 12, 48, 96, 192, 600):
        yield bytes([count % 15]) + bytes(i * 37 % 256 for i in range(count))


PHOTOMETRIC = ("MONOCHROME2", "RGB", "YBR_FULL", "YBR_FULL_422", "YBR_PARTIAL_422", "PALETTE COLOR", "")


def native(data: bytes) -> None:
    """An uncompressed frame of any description."""
    taken = FuzzInput(data)
    floating = taken.byte() % 8 == 7
    desc = FrameDescription(
        rows=taken.byte() + 1,
        columns=taken.byte() + 1,
        samples_per_pixel=taken.byte() % 4 + 1,
        bits_allocated=taken.one_of((32, 64)) if floating else taken.byte() % 64 + 1,
        bits_stored=taken.byte() % 65,
        pixel_representation=taken.byte() & 1,
        photometric_interpretation=taken.one_of(PHOTOMETRIC),
        planar_configuration=taken.byte() & 1,
        transfer_syntax=taken.one_of(DETERMINED),
        floating=floating,
    )
    start = taken.byte() & 7
    view = memoryview(taken.left)
    start = start if desc.bits_allocated % 8 and len(view) else 0
    found = samples(decode_native, len(view), data=view, desc=desc, start_bit=start)
    if found is not None:
        assert found.shape == desc.shape
        assert found.dtype == desc.dtype
        again = np.empty(desc.shape, desc.dtype)
        decode_native(view, desc, again, start_bit=start)
        assert again.tobytes() == found.tobytes()
    refused(lambda: decode_deflated(view, desc, None))


def native_seeds() -> Iterator[bytes]:
    content = bytes(range(256)) * 4
    for i, bits in enumerate((8, 16, 1, 12, 24, 32, 64, 5)):
        for count in (0, 2):
            yield bytes([0, 6, 7, count, bits - 1, bits, i & 1, i % 7, i & 1, i % 4, i]) + content


def tables(data: bytes) -> None:
    """Look-up tables and palettes of any descriptor, plain and segmented, applied and shown."""
    taken = FuzzInput(data)
    how = taken.byte()
    descriptor = (taken.word(), taken.word() - 0x8000 * (how >> 7), taken.one_of((8, 16, 12, 0, 17)))
    options = {"pixel_representation": how & 1, "big_endian": bool(how & 2)}
    content = taken.part()
    values = np.frombuffer(taken.left[: len(taken.left) // 4 * 4], np.uint8)
    values = values.view(("u1", "i2", "u4", "u2")[how >> 2 & 3]).reshape(1, -1)
    refused(lambda: expand_segments(descriptor, content, big_endian=options["big_endian"]))
    table = None
    if not refused(lambda: LookUpTable.of(descriptor, content, **options)):
        table = LookUpTable.of(descriptor, content, **options)
        found = table.apply(values)
        places = np.clip(values.astype(np.int64) - table.first_mapped, 0, len(table.entries) - 1)
        assert np.array_equal(found, table.entries[places])
    channels = [content, content[1:], content[: len(content) // 2]]
    palette = None
    for segmented in (False, True):
        if not refused(lambda s=segmented: Palette.of(descriptor, channels, segmented=s, **options)):
            palette = Palette.of(descriptor, channels, segmented=segmented, **options)
            assert palette.apply(values).shape == palette.apply(values, eight=True).shape == (*values.shape, 3)
    display = Display(
        modality_lut=table if how & 16 else None,
        voi_luts=(table,) if table and how & 32 else (),
        windows=(Window(float(descriptor[0]), float(descriptor[1]), ("LINEAR", "LINEAR_EXACT", "SIGMOID")[how % 3]),),
        presentation_lut=table if how & 64 else None,
        palette=palette,
        photometric_interpretation="PALETTE COLOR" if palette and how & 1 else "MONOCHROME1",
    )
    if values.size and values.itemsize <= 2:
        refused(lambda: render(values, display))
    doubles = values.astype(np.float64).reshape(-1)
    lut.to_bytes(doubles, np.empty(len(doubles), np.uint8))


def table_seeds() -> Iterator[bytes]:
    content = bytes(range(64))
    for how in (0, 2, 16, 32, 64, 0x81, 4, 8, 12):
        yield bytes([how, 16, 0, 3, 0, how % 2, 32]) + content[:32] + bytes(range(0, 250, 3))
    yield bytes([0, 0, 1, 0, 0, 1, 16]) + b"\0\0\2\0\1\0\5\0\1\0\x10\0\x20\0\2\0\1\0\0\0\0\0" + content
    yield bytes([0, 0, 1, 0, 0, 0, 12]) + b"\0\2\1\5\1\7\x20\2\1\0\0\0" + content


def fragments(data: bytes) -> None:
    """Encapsulated pixel data with any items and offset tables: finding frames, without decoding them."""
    taken = FuzzInput(data)
    frames, how = taken.byte(), taken.byte()
    syntax = "1.2.840.10008.1.2." + taken.one_of(("5", "4.50", "1", "4.90"))
    offsets, lengths = taken.part(), taken.part()
    head = seeds.image_header(np.zeros((2, 2), np.uint8), frames)
    if how & 1:
        head += raw.element(0x7FE00001, "OV", offsets) + raw.element(0x7FE00002, "OV", lengths)
    pixels = raw.header(0x7FE00010, "OB", raw.UNDEFINED if how & 2 else len(taken.left)) + taken.left
    ds = dc.dcmread(raw.part10(head + pixels, syntax), limits=LIMITS)
    found = ds.frames
    if how & 4:
        refused(lambda: found.stack(range(min(len(found), FRAMES_AT_MOST))))
    for i in (*range(min(len(found), FRAMES_AT_MOST)), len(found) - 1):
        if i >= 0:
            refused(lambda i=i: found.encoded(i))
    for note in found.notes:
        assert note.message


def fragment_seeds() -> Iterator[bytes]:
    frames = (b"one frame\xff\xd9", b"another\xff\xd9  ", b"\xff\xd8and a third one, longer\xff\xd9")
    for i, (table, pieces) in enumerate(((False, 1), (True, 1), (True, 2), (False, 2))):
        pixels = seeds.encapsulated("", *frames, table=table, per_frame=pieces)[12:]
        yield bytes([3, 2 + 4 * (i & 1), i, 0, 0]) + pixels
        places = b"".join(n.to_bytes(8, "little") for n in (0, 20, 40))
        yield bytes([3, 3, i, 24]) + places + bytes([24]) + places + pixels
    yield bytes([2, 2, 0, 0, 0]) + raw.item(bytes([0, 0, 0, 0, 0x48, 0, 0, 0])) + raw.item(bytes(64)) * 2


def frames(data: bytes) -> None:
    """A whole file with pixel data: frames one by one, together, as coded and shown; overlays."""
    disable_foreign_codecs()
    ds = dc.dcmread(data, force=True, limits=LIMITS)
    refused(lambda: [overlay.array(0) for overlay in ds.frames.overlays])
    found = ds.frames
    count = min(len(found), FRAMES_AT_MOST)
    single = []
    for i in range(count):
        refused(lambda i=i: found.encoded(i))
        refused(lambda i=i: found.decode(i, raw=True))
        refused(lambda i=i: found.render(i))
        single.append(None if refused(lambda i=i: found[i]) else found[i])
        assert single[i] is None or (single[i].shape, single[i].dtype) == (found.description.shape, found.dtype)
    if not refused(lambda: found.stack(range(count))):
        together = found.stack(range(count))
        for one, other in zip(single, together, strict=True):
            assert one is not None
            assert one.tobytes() == other.tobytes()
    elif count:
        assert any(one is None for one in single)
    for issue in found.issues:
        assert issue.message


def other_objects(data: bytes) -> None:
    """Segmentations, structure sets, presentation states, waveforms and documents."""
    disable_foreign_codecs()
    ds = dc.dcmread(data, force=True, limits=LIMITS)
    for read in (
        lambda: [roi.points.shape for roi in objects.Structures(ds)],
        lambda: objects.Presentation(ds).annotations,
        lambda: objects.extract(ds).data,
        lambda: list(ds.waveforms),
        lambda: segments(objects.Segmentation(ds)),
    ):
        refused(read)


def segments(found: Any) -> None:
    if len(found.segments) and found.segments[0].number:
        found.array(found.segments[0].number)


def object_seeds() -> Iterator[bytes]:
    yield from seeds.named("label.seg", "rtstruct.dcm", "waveform_ecg", "liver_1frame", "parametric", "encaps")
    yield objects.encapsulate(b"%PDF-1.4 " + bytes(40), kind="pdf").to_bytes()


TARGETS = {
    "rle": Target(rle, seeds.rle_frames, 4096),
    "jpeg-lossless": Target(jpeg_lossless, seeds.jpeg_lossless),
    "jpeg-tail": Target(jpeg_tail, tail_seeds, 64),
    "encoders": Target(encoders, encoder_seeds, 2048),
    "headers": Target(codestream_headers, seeds.headers, 1024),
    "jpeg-units": Target(jpeg_units, jpeg_unit_seeds, 4096),
    "text": Target(text_in_pictures, text_seeds, 8192),
    "unpack": Target(unpacking, unpack_seeds, 512),
    "colour": Target(colours, colour_seeds, 1024),
    "native": Target(native, native_seeds, 4096),
    "tables": Target(tables, table_seeds, 1024),
    "fragments": Target(fragments, fragment_seeds, 2048),
    "frames": Target(frames, seeds.image_files),
    "objects": Target(other_objects, object_seeds, 16384),
}

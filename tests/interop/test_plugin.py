"""dicomcore as a pixel plugin of pydicom: every compressed real file, the encoders, registering and unregistering."""

from __future__ import annotations

import hashlib
import logging
import struct
import warnings
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

from dicomcore import Limits, dcmread
from dicomcore.pixels import codecs
from tests.support.corpus import ABSENT, Real, dicom_files, real
from tests.support.made_images import made

pydicom = pytest.importorskip("pydicom")

from pydicom.pixels import get_decoder, get_encoder  # noqa: E402
from pydicom.pixels.decoders.base import DecodeRunner  # noqa: E402

from dicomcore.interop.pydicom import PLUGIN, plugin, register, unregister  # noqa: E402

pytestmark = pytest.mark.thread_unsafe(reason="registers with pydicom")

COMPRESSED = [
    file
    for file in dicom_files()
    if file.line.get("pixels")
    and file.line["transfer_syntax"]
    and pydicom.uid.UID(file.line["transfer_syntax"]).is_transfer_syntax
    and pydicom.uid.UID(file.line["transfer_syntax"]).is_encapsulated
]

FRAME_OPTIONS = hasattr(DecodeRunner, "set_frame_option")
"""Whether each frame has options of its own: pydicom 3.1."""

# file: why pydicom does not ask a plugin for its frames
NOT_ASKED = {"test_files/SC_rgb_jpeg.dcm": "pydicom 3.1 raises IndexError for its short Adobe segment"}
EVERY = pytest.mark.parametrize(
    "file",
    [
        pytest.param(one, marks=pytest.mark.skipif(FRAME_OPTIONS and one.name in NOT_ASKED, reason="see NOT_ASKED"))
        for one in COMPRESSED
    ],
    ids=[one.name for one in COMPRESSED],
)

# file: why dicomcore's samples differ from pydicom's own
DIFFERENT: dict[str, str] = {}


@pytest.fixture(autouse=True)
def _registered() -> Iterator[None]:
    logging.disable(logging.CRITICAL)
    register()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
    unregister()
    logging.disable(logging.NOTSET)


def decoded(file: Real, plugin: str = PLUGIN, **options: Any) -> tuple[Any, dict[str, Any]]:
    data_set = pydicom.dcmread(file.path, force=True)
    return get_decoder(data_set.file_meta.TransferSyntaxUID).as_array(data_set, decoding_plugin=plugin, **options)


@EVERY
def test_pixel_arrays_equal_those_of_pydicom(file: Real):
    """Shape, dtype and, unless the codec is lossy, samples equal those of pydicom with its other plugins."""
    expected = file.line["pixels"].get("pixel_array")
    if not expected or "shape" not in expected:
        pytest.skip("no answer to compare with")
    array, _ = decoded(file)
    assert list(array.shape) == expected["shape"]
    assert array.dtype == np.dtype(expected["dtype"])
    if file.name not in DIFFERENT and expected.get("sha256"):
        assert hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest() == expected["sha256"]


@EVERY
def test_raw_samples_equal_those_of_other_plugins(file: Real):
    """Raw samples and their description equal those of the other plugins; lossy decoders may differ by 2."""
    data_set = pydicom.dcmread(file.path, force=True)
    # Pillow shifts the samples of a JPEG 2000 codestream that is signed although the data set is not: not comparable.
    unfit = (PLUGIN, "pillow")
    others = [name for name in get_decoder(data_set.file_meta.TransferSyntaxUID).available_plugins if name not in unfit]
    if file.line["deliberately_bad"]:  # Pillow believes the wrong sign of a codestream
        others = [name for name in others if name != "pillow"]
    answers = []
    for name in others:
        try:
            answers.append(decoded(file, name, raw=True))
        except Exception:
            continue  # a peer that fails is not compared
    if not answers:
        pytest.skip("no other plugin decodes it")
    array, options = decoded(file, raw=True)
    near = [
        int(np.abs(array.astype(np.int64) - other.astype(np.int64)).max())
        for other, theirs in answers
        if other.shape == array.shape and theirs["photometric_interpretation"] == options["photometric_interpretation"]
    ]
    if not near:  # a label of RGB above samples of YCbCr: others repeat it
        pytest.skip("other plugins describe the samples otherwise")
    assert min(near) <= (2 if file.line["pixels"]["lossy"] else 0)


@EVERY
def test_buffers_have_the_length_pydicom_expects(file: Real):
    data_set = pydicom.dcmread(file.path, force=True)
    decoder = get_decoder(data_set.file_meta.TransferSyntaxUID)
    try:
        array, _ = decoder.as_array(data_set, decoding_plugin=PLUGIN, index=0, raw=True)
    except (RuntimeError, ValueError):
        pytest.skip("not decodable")
    buffer, options = decoder.as_buffer(data_set, decoding_plugin=PLUGIN, index=0)
    options = options.get(0, options)  # by frame from pydicom 3.1 on
    assert len(buffer) == -(-array.size * options["bits_allocated"] // 8)


def test_registering_and_unregistering_may_be_repeated():
    unregister()
    before = {codec.uid: known_plugins(codec.uid) for codec in codecs()}
    register()
    register()
    for codec in codecs():
        uid = pydicom.uid.UID(codec.uid)
        if codec.available and uid.is_transfer_syntax and uid.is_encapsulated:
            assert known_plugins(codec.uid)[0] == PLUGIN
    unregister()
    unregister()
    assert {codec.uid: known_plugins(codec.uid) for codec in codecs()} == before


def known_plugins(uid: str) -> list[str] | None:
    """Names of the plugins in the order in which pydicom tries them."""
    try:
        return list(get_decoder(uid)._available)
    except NotImplementedError:
        return None


def test_transfer_syntaxes_unknown_to_pydicom_are_decoded():
    """For JPEG XL, `register` adds a decoder."""
    imagecodecs = pytest.importorskip("imagecodecs")
    samples = np.arange(24 * 32, dtype=np.uint16).reshape(24, 32) * 79
    data_set = pydicom.dcmread(real("CT_small.dcm"))
    data_set.Rows, data_set.Columns, data_set.PixelRepresentation = 24, 32, 0
    data_set.BitsAllocated = data_set.BitsStored = 16
    data_set.HighBit = 15
    data_set.file_meta.TransferSyntaxUID = pydicom.uid.UID("1.2.840.10008.1.2.4.110")
    coded = imagecodecs.jpegxl_encode(samples, lossless=True)
    data_set.PixelData = pydicom.encaps.encapsulate([coded + bytes(len(coded) % 2)])
    assert np.array_equal(data_set.pixel_array, samples)


def test_a_frame_that_cannot_be_decoded_goes_to_the_next_plugin():
    """pydicom shows the error of dicomcore together with those of other plugins."""
    data_set = pydicom.dcmread(real("SC_rgb_rle.dcm"))
    data_set.PixelData = pydicom.encaps.encapsulate([b"\x01" + bytes(65)])
    with pytest.raises(RuntimeError, match="dicomcore: "):
        data_set.pixel_array  # noqa: B018


def test_segments_with_the_least_significant_byte_first_are_decoded_on_request():
    """pydicom has an option for RLE segments that begin with the least significant byte."""
    data_set = pydicom.dcmread(real("SC_rgb_rle_16bit.dcm"))
    decoder = get_decoder(data_set.file_meta.TransferSyntaxUID)
    array, _ = decoder.as_array(data_set, decoding_plugin=PLUGIN)
    other, _ = decoder.as_array(data_set, decoding_plugin=PLUGIN, rle_segment_order="<")
    assert np.array_equal(array.byteswap(), other)


ENCODED = {  # name: (bits allocated, bits stored, signed, samples)
    "8 bits": (8, 8, 0, 1),
    "7 of 16 bits": (16, 7, 0, 1),
    "12 of 16 bits, signed": (16, 12, 1, 1),
    "16 bits": (16, 16, 0, 1),
    "colour": (8, 8, 0, 3),
    "deep colour": (16, 16, 0, 3),
}


@pytest.mark.skipif(not FRAME_OPTIONS, reason="pydicom 3.0 does not compress single bits")
@pytest.mark.parametrize("name", ["liver.dcm", "liver_nonbyte_aligned.dcm"])
@pytest.mark.parametrize("unpacked", [True, False])
def test_single_bits_are_encoded(name, unpacked):
    data_set = pydicom.dcmread(corpus_file(name))
    wanted = data_set.pixel_array
    for encoder in (PLUGIN, "pydicom"):
        data_set = pydicom.dcmread(corpus_file(name))
        array = wanted.copy() if unpacked else None
        data_set.compress(pydicom.uid.RLELossless, array, encoding_plugin=encoder, generate_instance_uid=False)
        assert data_set.BitsAllocated == 1
        for decoder in (PLUGIN, "pydicom"):
            assert np.array_equal(pydicom.pixels.pixel_array(data_set, decoding_plugin=decoder), wanted)


@pytest.mark.parametrize("uid", ["1.2.840.10008.1.2.5", "1.2.840.10008.1.2.4.57", "1.2.840.10008.1.2.4.70"])
@pytest.mark.parametrize("case", ENCODED.values(), ids=ENCODED)
def test_encoding_is_undone_by_decoding(uid, case):
    allocated, stored, signed, samples = case
    low, high = (-1 << stored - 1, 1 << stored - 1) if signed else (0, 1 << stored)
    shape = (3, 17, 19) if samples == 1 else (3, 17, 19, samples)
    array = np.random.default_rng(7).integers(low, high, shape).astype(f"{'i' if signed else 'u'}{allocated // 8}")
    data_set = pydicom.dcmread(real("CT_small.dcm"))
    data_set.NumberOfFrames, data_set.Rows, data_set.Columns = array.shape[:3]
    data_set.SamplesPerPixel, data_set.PixelRepresentation = samples, signed
    data_set.PhotometricInterpretation = "RGB" if samples == 3 else "MONOCHROME2"
    data_set.BitsAllocated, data_set.BitsStored, data_set.HighBit = allocated, stored, stored - 1
    if samples == 3:
        data_set.PlanarConfiguration = 0
    data_set.PixelData = array.tobytes()
    data_set.compress(uid, encoding_plugin=PLUGIN, generate_instance_uid=False)
    assert data_set.file_meta.TransferSyntaxUID == uid
    assert np.array_equal(data_set.pixel_array, array)
    unregister()
    others = known_plugins(uid)
    if others:  # the other plugins of pydicom read it too
        assert np.array_equal(get_decoder(uid).as_array(data_set)[0], array)


def test_frames_by_plane_and_by_pixel_are_encoded_alike():
    array = np.random.default_rng(8).integers(0, 256, (5, 7, 3), np.uint8)
    options = {
        "rows": 5,
        "columns": 7,
        "samples_per_pixel": 3,
        "number_of_frames": 1,
        "bits_allocated": 8,
        "bits_stored": 8,
        "pixel_representation": 0,
        "photometric_interpretation": "RGB",
    }
    for uid in ("1.2.840.10008.1.2.5", "1.2.840.10008.1.2.4.70"):
        encoder = get_encoder(uid)
        planes = array.transpose(2, 0, 1).tobytes()
        by_plane = encoder.encode(planes, encoding_plugin=PLUGIN, planar_configuration=1, **options)
        assert by_plane == encoder.encode(array.tobytes(), encoding_plugin=PLUGIN, planar_configuration=0, **options)


@pytest.mark.skipif(bool(ABSENT), reason=ABSENT)
def test_threads_decode_the_same():
    files = [one for one in COMPRESSED if one.line["size"] < 300_000][:40]

    def answer(one: Real) -> bytes:
        try:
            return decoded(one)[0].tobytes()
        except (RuntimeError, ValueError) as error:
            return type(error).__name__.encode()

    alone = [answer(one) for one in files]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(answer, files)) == alone


def test_bytes_after_a_full_rle_plane_are_warned_of():
    """pydicom warns, too: the run exceeds the plane and is cut there (pydicom#1438)."""
    runner = DecodeRunner(pydicom.uid.RLELossless)
    runner.set_options(
        rows=1,
        columns=5,
        samples_per_pixel=1,
        bits_allocated=8,
        bits_stored=8,
        pixel_representation=0,
        photometric_interpretation="MONOCHROME2",
        number_of_frames=1,
    )
    runner._index = 0  # the frame that pydicom asks for
    with pytest.warns(UserWarning, match="from byte 66 on"):
        assert plugin.decode(struct.pack("<16I", 1, 64, *[0] * 14) + b"\x00a\xfaz", runner) == b"azzzz"


SINGLE_BITS = {  # name: the same samples uncompressed
    "liver_rle.dcm": "liver.dcm",
    "liver_deflate.dcm": "liver.dcm",
    "liver_j2k.dcm": "liver.dcm",
    "liver_nonbyte_aligned_rle.dcm": "liver_nonbyte_aligned.dcm",
    "liver_nonbyte_aligned_deflate.dcm": "liver_nonbyte_aligned.dcm",
    "liver_nonbyte_aligned_j2k.dcm": "liver_nonbyte_aligned.dcm",
}


def corpus_file(name: str) -> Any:
    paths = [one.path for one in dicom_files() if one.path.name == name]
    return paths[0] if paths else pytest.skip(f"the corpus has no {name}")


@pytest.mark.parametrize("raw", [False, True])
@pytest.mark.parametrize("name", SINGLE_BITS)
def test_several_frames_of_single_bits_are_decoded(name: str, raw: bool):
    """The option set for the first frame, a byte per sample, must not describe the next frame."""
    path, wanted = corpus_file(name), pydicom.dcmread(corpus_file(SINGLE_BITS[name])).pixel_array
    assert len(wanted) == 3
    options = {"decoding_plugin": PLUGIN, "raw": raw}
    assert np.array_equal(pydicom.pixels.pixel_array(path, **options), wanted)
    assert np.array_equal(list(pydicom.pixels.iter_pixels(path, **options)), wanted)
    assert np.array_equal(list(pydicom.pixels.iter_pixels(path, indices=[2, 0], **options)), wanted[[2, 0]])
    data_set = pydicom.dcmread(path)
    data_set.decompress(decoding_plugin=PLUGIN)
    if FRAME_OPTIONS:
        assert np.array_equal(data_set.pixel_array, wanted)
    else:  # pydicom writes a byte per sample and leaves Bits Allocated at 1, with its own plugins too
        stored = np.frombuffer(data_set.PixelData, np.uint8)[: wanted.size].reshape(wanted.shape)
        assert np.array_equal(stored, wanted)


def test_several_frames_by_plane_are_decoded(tmp_path: Any):
    """The option set for the first frame, by pixel, must not describe the next frames, which are by plane."""
    frames = np.random.default_rng(1).integers(0, 256, (3, 4, 6, 3), "u1")
    by_plane = [frame.transpose(2, 0, 1).tobytes() for frame in frames]
    deflated = []
    for data in by_plane:
        deflater = zlib.compressobj(wbits=-zlib.MAX_WBITS)
        deflated.append(deflater.compress(data) + deflater.flush())
    path = tmp_path / "planes.dcm"
    path.write_bytes(made(frames, deflated, "1.2.840.10008.1.2.8.1", NumberOfFrames=3, PlanarConfiguration=1))
    assert np.array_equal(pydicom.pixels.pixel_array(path, decoding_plugin=PLUGIN), frames)
    assert np.array_equal(list(pydicom.pixels.iter_pixels(path, decoding_plugin=PLUGIN)), frames)
    assert np.array_equal(dcmread(path).pixel_array, frames)


def test_the_colour_of_each_frame_is_its_own(tmp_path: Any):
    """A codestream that states RGB must not make RGB of the next one, which states no colour."""
    imagecodecs = pytest.importorskip("imagecodecs")
    rgb = np.random.default_rng(2).integers(0, 256, (8, 8, 3), "u1")
    silent = imagecodecs.jpegls_encode(rgb)
    adobe = b"\xff\xee\0\x0eAdobe" + bytes(6) + b"\0"
    marked = silent[:2] + adobe + silent[2:]
    path = tmp_path / "colours.dcm"
    attributes = {"NumberOfFrames": 3, "PhotometricInterpretation": "YBR_FULL"}
    path.write_bytes(made(np.stack([rgb] * 3), [silent, marked, silent], "1.2.840.10008.1.2.4.80", **attributes))
    wanted = dcmread(path).pixel_array
    assert np.array_equal(wanted[1], rgb)
    got = list(pydicom.pixels.iter_pixels(path, decoding_plugin=PLUGIN))
    assert all(np.abs(one.astype(int) - other).max() <= 1 for one, other in zip(got, wanted, strict=True))


def test_strict_limits_refuse_a_truncated_codestream(tmp_path: Any):
    imagecodecs = pytest.importorskip("imagecodecs")
    grey = np.random.default_rng(3).integers(0, 256, (40, 40), "u1")
    codestream = imagecodecs.jpeg8_encode(grey)
    path = tmp_path / "cut.dcm"
    path.write_bytes(made(grey, [codestream[: len(codestream) // 2]], "1.2.840.10008.1.2.4.50"))
    assert pydicom.pixels.pixel_array(path, decoding_plugin=PLUGIN).shape == grey.shape
    with pytest.raises(RuntimeError, match="breaks off"):
        pydicom.pixels.pixel_array(path, decoding_plugin=PLUGIN, limits=Limits(strict=True))

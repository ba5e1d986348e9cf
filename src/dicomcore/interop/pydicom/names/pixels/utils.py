"""pydicom.pixels.utils."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dicomcore import uids
from dicomcore._native.pixels import unpack as kernels
from dicomcore.dictionary import dictionary_description
from dicomcore.errors import PixelDecodeError, UnsupportedTransferSyntaxError
from dicomcore.interop.pydicom.names.dataset import Dataset, FileMetaDataset
from dicomcore.interop.pydicom.names.filereader import dcmread
from dicomcore.interop.pydicom.names.misc import warn_and_log
from dicomcore.interop.pydicom.names.uid import UID, ExplicitVRLittleEndian, generate_uid
from dicomcore.interop.pydicom.place import own_module
from dicomcore.interop.pydicom.wanted import borrow
from dicomcore.tags import PIXEL_TAGS, SPECIFIC_CHARACTER_SET, Tag

__all__ = [
    "as_pixel_options",
    "compress",
    "decompress",
    "expand_ybr422",
    "get_expected_length",
    "get_image_pixel_ids",
    "get_j2k_parameters",
    "get_nr_frames",
    "is_little_endian",
    "iter_pixels",
    "pack_bits",
    "pixel_array",
    "pixel_dtype",
    "refuse_options",
    "reshape_pixel_array",
    "set_pixel_data",
    "unpack_bits",
]

HAVE_NP = True
ATTRIBUTES = {  # options of pydicom that stand for attributes of the data set
    "samples_per_pixel": "SamplesPerPixel",
    "photometric_interpretation": "PhotometricInterpretation",
    "planar_configuration": "PlanarConfiguration",
    "number_of_frames": "NumberOfFrames",
    "rows": "Rows",
    "columns": "Columns",
    "bits_allocated": "BitsAllocated",
    "bits_stored": "BitsStored",
    "pixel_representation": "PixelRepresentation",
}
STATED = (*ATTRIBUTES, "transfer_syntax_uid", "as_rgb")
REQUIRED = ("BitsAllocated", "Columns", "PhotometricInterpretation", "Rows", "SamplesPerPixel")
"""What describes pixels of any kind; the order in which pydicom misses attributes is that of their keywords."""
WITHOUT_EFFECT = frozenset(
    (
        "allow_excess_frames",
        "correct_unused_bits",
        "decoding_plugin",
        "use_pdh",
        "use_v2_backend",
        "view_only",
    )
)
"""Options that choose a way and not a result."""
SAMPLES = {"MONOCHROME1": 1, "MONOCHROME2": 1, "PALETTE COLOR": 1, "RGB": 3, "YBR_FULL": 3, "YBR_FULL_422": 3}
BY_PIXEL = frozenset(
    (
        uids.JPEGBaseline8Bit,
        uids.JPEGLossless,
        uids.JPEGLosslessSV1,
        uids.JPEGLSLossless,
        uids.JPEGLSNearLossless,
        uids.JPEG2000Lossless,
        uids.JPEG2000,
    )
)
"""The transfer syntaxes whose decoded frames have the samples of a pixel side by side."""


# -- decoding


def pixel_array(
    src: Any,
    *,
    ds_out: Any = None,
    specific_tags: Any = None,
    index: int | None = None,
    raw: bool = False,
    decoding_plugin: str = "",
    **kwargs: Any,
) -> NDArray[Any]:
    """All frames of a data set, path or stream, or the frame at `index`, as `Dataset.pixel_array`.

    Parameters
    ----------
    src : Dataset, path or binary stream
        Where the pixel data is.
    ds_out : Dataset, optional
        Gets the elements of group 0028 and those of `specific_tags`, if `src` is no data set.
    specific_tags : iterable of tags, optional
        Further elements for `ds_out`.
    index : int, optional
        The frame; by default all frames.
    raw : bool
        Leave out the conversion of colours.
    decoding_plugin : str
        Ignored: dicomcore decodes.
    **kwargs
        `as_rgb`: False leaves YBR as it is; `transfer_syntax_uid`, and attributes such as `bits_stored`, in place of
        the data set's.

    Raises
    ------
    AttributeError
        There is no pixel data, or an attribute that describes it is missing.
    NotImplementedError
        Another option of pydicom's was given, or the transfer syntax has no decoder.
    """
    with _frames(src, ds_out, specific_tags, kwargs) as frames:
        if index is not None:
            return _decoded(frames, index, raw, kwargs)
        if raw:
            return frames.array(raw=True)  # type: ignore[no-any-return]
        if kwargs.get("as_rgb", True):
            return frames.kept_array()  # type: ignore[no-any-return]
        made = np.stack([_decoded(frames, each, raw, kwargs) for each in range(len(frames))])
        return made.reshape(frames.shape)


def iter_pixels(
    src: Any,
    *,
    ds_out: Any = None,
    specific_tags: Any = None,
    indices: Iterable[int] | None = None,
    raw: bool = False,
    decoding_plugin: str = "",
    **kwargs: Any,
) -> Iterator[NDArray[Any]]:
    """The frames of a data set, path or stream, one after the other, or those at `indices`.

    Parameters
    ----------
    src, ds_out, specific_tags, raw, decoding_plugin, **kwargs
        As in `pixel_array`.
    indices : iterable of int, optional
        The frames, in this order.
    """
    with _frames(src, ds_out, specific_tags, kwargs) as frames:
        for index in range(len(frames)) if indices is None else indices:
            yield _decoded(frames, index, raw, kwargs)


def _decoded(frames: Any, index: int, raw: bool, options: dict[str, Any]) -> NDArray[Any]:
    """One frame; `raw` leaves all as it is coded, the option `as_rgb` the colours. ValueError where there is none."""
    if not 0 <= index < len(frames):
        raise ValueError(f"frame {index} is not there: the pixel data has {len(frames)}")
    if raw or options.get("as_rgb", True):
        return frames.decode(index, raw=raw)  # type: ignore[no-any-return]
    from dicomcore.pixels.unused_bits import settle_unused_bits

    decoded = frames.decoded(index)
    return settle_unused_bits(decoded.samples, frames.description, decoded.info)


@contextmanager
def _frames(src: Any, ds_out: Any, specific_tags: Any, options: dict[str, Any]) -> Iterator[Any]:
    """The frames of a source, whose stream returns to its position; `ds_out` gets what it is to get."""
    refuse_options({name: value for name, value in options.items() if name not in STATED})
    stated = {name: value for name, value in options.items() if name in STATED}
    place = src.tell() if hasattr(src, "read") else None
    try:
        data_set = _opened(src, stated)
        if ds_out is not None and data_set is not src:
            _hand_over(data_set, ds_out, specific_tags)
        yield data_set.frames
    except UnsupportedTransferSyntaxError as error:
        syntax = UID(str(data_set.file_meta.TransferSyntaxUID))
        raise NotImplementedError(
            f"Unable to decode the pixel data as a (0002,0010) 'Transfer Syntax UID' value of '{syntax.name}' is not "
            "supported"
        ) from error
    finally:
        if place is not None:
            src.seek(place)


def _opened(src: Any, stated: dict[str, Any]) -> Any:
    """The data set of a source, with what is stated in place of its own; AttributeError where something is missing."""
    if isinstance(src, Dataset):
        data_set, where = src, "The dataset"
    else:
        if hasattr(src, "read"):
            src.seek(0)
        data_set, where = dcmread(src, force=True), "The dataset in 'src'"
    syntax = stated.get("transfer_syntax_uid") or (getattr(data_set, "file_meta", None) or {}).get("TransferSyntaxUID")
    if not syntax and data_set is src:
        raise AttributeError(
            "Unable to decode the pixel data as the dataset's 'file_meta' has no (0002,0010) 'Transfer Syntax UID' "
            "element"
        )
    if not syntax:
        raise AttributeError(
            "'transfer_syntax_uid' is required if the dataset in 'src' is not in the DICOM File Format"
        )
    if stated:
        data_set = _described(data_set, stated)
    if not any(tag in data_set for tag in PIXEL_TAGS):
        raise AttributeError(
            f"{where} has no 'Pixel Data', 'Float Pixel Data' or 'Double Float Pixel Data' element, no pixel data to "
            "decode"
        )
    _check_description(data_set)
    return data_set


def _described(data_set: Any, stated: dict[str, Any]) -> Any:
    """A copy with these attributes and this transfer syntax; the data set itself where they are its own."""
    changed = {
        keyword: stated[name]
        for name, keyword in ATTRIBUTES.items()
        if name in stated and stated[name] is not None and stated[name] != data_set.get(keyword)
    }
    syntax = stated.get("transfer_syntax_uid")
    file_meta = getattr(data_set, "file_meta", None)
    own_syntax = None if file_meta is None else file_meta.get("TransferSyntaxUID")
    if not changed and syntax in (None, own_syntax):
        return data_set
    made = data_set.copy()
    made.update(changed)
    if syntax is not None:
        made.file_meta = FileMetaDataset()
        made.file_meta.TransferSyntaxUID = UID(syntax)
    return made


def _check_description(data_set: Any) -> None:
    """Raise AttributeError for the first attribute that is missing, as pydicom does."""
    needed = set(REQUIRED)
    if "PixelData" in data_set:
        needed |= {"BitsStored", "PixelRepresentation"}
    if data_set.get("SamplesPerPixel") == 3:
        needed.add("PlanarConfiguration")
    missing = sorted(keyword for keyword in needed if data_set.get(keyword) is None)
    if missing:
        tag = Tag(missing[0])
        raise AttributeError(
            f"Missing required element: ({tag.group:04X},{tag.element:04X}) '{dictionary_description(tag)}'"
        )


def _hand_over(data_set: Any, ds_out: Any, specific_tags: Any) -> None:
    """Set the elements of group 0028, and of these tags."""
    wanted = {int(tag) for tag in specific_tags or ()} | {int(SPECIFIC_CHARACTER_SET)}
    for element in data_set.group_dataset(0x0028):
        ds_out[element.tag] = element
    for tag in wanted:
        if tag in data_set:
            ds_out[tag] = data_set[tag]
    ds_out.file_meta = data_set.file_meta


def refuse_options(options: dict[str, Any]) -> None:
    """Raise NotImplementedError for an option that would change the pixels."""
    for name, value in options.items():
        if name not in WITHOUT_EFFECT and name not in STATED:
            raise NotImplementedError(
                f"dicomcore has no option {name}={value!r} for pixels: frames.decode(index, raw=True) gives them before"
                " the conversion of colours (docs/from-pydicom.md)"
            )


def as_pixel_options(ds: Any, **kwargs: Any) -> dict[str, Any]:
    """What describes the pixel data, by pydicom's names of options; `kwargs` come before the data set."""
    options: dict[str, Any] = {name: ds[keyword].value for name, keyword in ATTRIBUTES.items() if keyword in ds}
    frames = options.get("number_of_frames", 1)
    frames = int(frames) if isinstance(frames, str) else frames
    if not frames:
        warn_and_log(f"A value of '{frames}' for (0028,0008) 'Number of Frames' is invalid, assuming 1 frame")
    options["number_of_frames"] = frames or 1
    if "ExtendedOffsetTable" in ds and "ExtendedOffsetTableLengths" in ds:
        options["extended_offsets"] = ds.ExtendedOffsetTable, ds.ExtendedOffsetTableLengths
    return options | kwargs


# -- encoding


def compress(
    ds: Any,
    transfer_syntax_uid: str,
    arr: NDArray[Any] | None = None,
    *,
    encoding_plugin: str = "",
    encapsulate_ext: bool = False,
    generate_instance_uid: bool = True,
    jls_error: int | None = None,
    j2k_cr: list[float] | None = None,
    j2k_psnr: list[float] | None = None,
    **kwargs: Any,
) -> Any:
    """Replace native pixel data by encapsulated pixel data, in place; gives the data set.

    Parameters
    ----------
    ds : Dataset
        The data set.
    transfer_syntax_uid : str
        The transfer syntax to encode in.
    arr : ndarray, optional
        The pixels in place of the data set's.
    encoding_plugin : str
        An encoder of pydicom's, which encodes if pydicom is installed; else dicomcore does.
    encapsulate_ext : bool
        Write an Extended Offset Table.
    generate_instance_uid : bool
        Give the data set a new SOP Instance UID.
    jls_error : int, optional
        The largest error of a sample in JPEG-LS Near-lossless.
    j2k_cr, j2k_psnr : list of float, optional
        The compression ratios or signal-to-noise ratios of the layers in JPEG 2000; the last one counts.
    """
    from dicomcore.interop.pydicom.names import recoding

    uid = UID(transfer_syntax_uid)
    options = {"jls_error": jls_error, "j2k_cr": j2k_cr, "j2k_psnr": j2k_psnr, **kwargs}
    options |= {"encapsulate_ext": encapsulate_ext, "generate_instance_uid": generate_instance_uid}
    theirs = own_module("pydicom.pixels.utils") if encoding_plugin else None
    if theirs is not None:
        borrow("pydicom.pixels.utils.compress")
        return theirs.compress(ds, uid, arr, encoding_plugin=encoding_plugin, **options)
    if arr is None:
        syntax = (getattr(ds, "file_meta", None) or {}).get("TransferSyntaxUID")
        if not syntax:
            raise AttributeError(
                "Unable to determine the initial compression state of the dataset as there's no (0002,0010) 'Transfer "
                "Syntax UID' element in the dataset's 'file_meta' attribute"
            )
        if syntax.is_compressed:
            raise ValueError("Only uncompressed datasets may be compressed")
    try:
        recoding.compress(ds, uid, arr, **{name: value for name, value in options.items() if name not in ATTRIBUTES})
    except UnsupportedTransferSyntaxError as error:
        raise NotImplementedError(f"No pixel data encoders have been implemented for '{uid.name}'") from error
    return ds


def decompress(
    ds: Any, *, as_rgb: bool = True, generate_instance_uid: bool = True, decoding_plugin: str = "", **kwargs: Any
) -> Any:
    """Replace encapsulated pixel data by native pixel data, in place; gives the data set.

    Parameters
    ----------
    ds : Dataset
        The data set.
    as_rgb : bool
        Convert YBR to RGB.
    generate_instance_uid : bool
        Give the data set a new SOP Instance UID.
    decoding_plugin : str
        Ignored: dicomcore decodes.
    """
    from dicomcore.interop.pydicom.names import recoding

    if "PixelData" not in ds:
        raise AttributeError("Unable to decompress as the dataset has no (7FE0,0010) 'Pixel Data' element")
    syntax = (getattr(ds, "file_meta", None) or {}).get("TransferSyntaxUID")
    if not syntax:
        raise AttributeError(
            "Unable to determine the initial compression state as there's no (0002,0010) 'Transfer Syntax UID' element "
            "in the dataset's 'file_meta' attribute"
        )
    if not syntax.is_compressed:
        raise ValueError("The dataset is already uncompressed")
    options = {name: value for name, value in kwargs.items() if name != "index"}
    recoding.decompress(ds, as_rgb=as_rgb, generate_instance_uid=generate_instance_uid, **options)
    return ds


def set_pixel_data(
    ds: Any, arr: NDArray[Any], photometric_interpretation: str, bits_stored: int, *, generate_instance_uid: bool = True
) -> None:
    """Set Pixel Data and the attributes that describe it from integers of 8 or 16 bits.

    Parameters
    ----------
    ds : Dataset
        The data set.
    arr : ndarray
        ([frames,] rows, columns) or ([frames,] rows, columns, 3).
    photometric_interpretation : str
        MONOCHROME1, MONOCHROME2, PALETTE COLOR, RGB, YBR_FULL or YBR_FULL_422; of the last, `arr` has chrominance for
        each pixel.
    bits_stored : int
        Bits Stored, in which all values have to fit.
    generate_instance_uid : bool
        Give the data set a new SOP Instance UID.
    """
    for keyword in ("FloatPixelData", "DoubleFloatPixelData"):
        if keyword in ds:
            element = ds[keyword]
            raise AttributeError(
                f"The dataset has an existing {element.tag} '{element.name}' element which indicates the (0008,0016) "
                f"'SOP Class UID' value is not suitable for a dataset with 'Pixel Data'. The '{element.name}' element "
                "should be deleted and the 'SOP Class UID' changed."
            )
    syntax = (getattr(ds, "file_meta", None) or {}).get("TransferSyntaxUID")
    if syntax and not syntax.is_little_endian:
        raise NotImplementedError(
            f"The dataset's transfer syntax '{syntax.name}' is big-endian, which is not supported"
        )
    described = _description_of(arr, photometric_interpretation, bits_stored)
    for keyword, value in described.items():
        if value is not None:
            setattr(ds, keyword, value)
        elif keyword in ds:
            delattr(ds, keyword)
    data = (_subsampled(arr) if photometric_interpretation == "YBR_FULL_422" else arr).tobytes()
    if syntax is None or not syntax or syntax.is_compressed:
        if not hasattr(ds, "file_meta"):
            ds.file_meta = FileMetaDataset()
        ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    ds.add_new("PixelData", "OB" if arr.itemsize == 1 else "OW", data + bytes(len(data) % 2))
    ds["PixelData"].is_undefined_length = False
    forget_pixels(ds)
    if generate_instance_uid:
        renew(ds)


def _description_of(arr: NDArray[Any], interpretation: str, bits_stored: int) -> dict[str, Any]:
    """The attributes of an array's pixels, None for those that it has not; ValueError where it is no such image."""
    if arr.dtype.kind not in "ui" or arr.itemsize > 2:
        raise ValueError(f"Unsupported ndarray dtype '{arr.dtype}', must be int8, int16, uint8 or uint16")
    if interpretation not in SAMPLES:
        raise ValueError(f"Unsupported 'photometric_interpretation' value '{interpretation}'")
    samples = SAMPLES[interpretation]
    axes = 3 if samples == 3 else 2
    if arr.ndim not in (axes, axes + 1):
        raise ValueError(
            f"An ndarray with '{interpretation}' data must have {axes} or {axes + 1} dimensions, not {arr.ndim}"
        )
    if samples == 3 and arr.shape[-1] != samples:
        raise ValueError(
            f"An ndarray with '{interpretation}' data must have shape (rows, columns, 3) or (frames, rows, columns, "
            f"3), not {arr.shape}"
        )
    _check_values(arr, bits_stored)
    rows, columns = arr.shape[-axes : arr.ndim - axes + 2]
    return {
        "NumberOfFrames": arr.shape[0] if arr.ndim > axes else None,
        "Rows": rows,
        "Columns": columns,
        "SamplesPerPixel": samples,
        "PlanarConfiguration": 0 if samples > 1 else None,
        "PhotometricInterpretation": interpretation,
        "BitsAllocated": 8 * arr.itemsize,
        "BitsStored": bits_stored,
        "HighBit": bits_stored - 1,
        "PixelRepresentation": 0 if arr.dtype.kind == "u" else 1,
    }


def _check_values(arr: NDArray[Any], bits_stored: int) -> None:
    allocated = 8 * arr.itemsize
    if not 0 < bits_stored <= allocated:
        raise ValueError(
            f"Invalid 'bits_stored' value '{bits_stored}', must be greater than 0 and less than or equal to the number "
            f"of bits for the ndarray's itemsize '{allocated}'"
        )
    low, high = (
        (0, 2**bits_stored - 1) if arr.dtype.kind == "u" else (-(2 ** (bits_stored - 1)), 2 ** (bits_stored - 1) - 1)
    )
    if arr.min() < low or arr.max() > high:
        raise ValueError(
            f"The range of values in the ndarray [{arr.min()}, {arr.max()}] is greater than that allowed by the "
            f"'bits_stored' value [{low}, {high}]"
        )


def _subsampled(arr: NDArray[Any]) -> NDArray[Any]:
    """Y1 Y2 CB CR of each pair of pixels, with the chrominance of the first (PS3.3 C.7.6.3.1.2)."""
    return arr.reshape(-1, 6)[:, (0, 3, 1, 2)]


def forget_pixels(ds: Any) -> None:
    """Leave the marks of pydicom's data sets whose pixels have changed."""
    ds._pixel_array = None
    ds._pixel_id = {}


def renew(ds: Any) -> None:
    """Give the data set a new SOP Instance UID."""
    ds.SOPInstanceUID = generate_uid()
    ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID


# -- bits and samples


def pack_bits(arr: NDArray[Any], pad: bool = True) -> bytes:
    """Pack ones and zeros into bits, the first in the lowest one; with `pad` into an even number of bytes."""
    from dicomcore.pixels.packing import packed_bits

    if arr.shape == (0,):
        return b""
    if not np.array_equal(arr, arr.astype(bool)):
        raise ValueError("Only binary arrays (containing ones or zeroes) can be packed.")
    packed = packed_bits(arr.astype(bool))
    return packed + bytes(len(packed) % 2) if pad else packed


def unpack_bits(src: bytes, as_array: bool = True) -> NDArray[np.uint8] | bytes:
    """Unpack bits into bytes of 1 and 0, the lowest bit first."""
    made = np.empty(8 * memoryview(src).nbytes, np.uint8)
    kernels.unpack_bits(src, made)
    return made if as_array else made.tobytes()


def expand_ybr422(src: Any, bits_allocated: int) -> bytes:
    """Y1 Y2 CB CR as Y1 CB CR Y2 CB CR, in words of 8 or 16 bits."""
    words = np.frombuffer(src, f"u{bits_allocated // 8}").reshape(-1, 4)
    return words[:, (0, 2, 3, 1, 2, 3)].tobytes()


# -- description


def get_nr_frames(ds: Any, warn: bool = True) -> int:
    """Number of Frames; 1 where it is missing, None or 0, the latter two with a warning."""
    frames: int | None = getattr(ds, "NumberOfFrames", 1)
    if not frames and warn:
        warn_and_log(
            f"A value of {frames} for (0028,0008) 'Number of Frames' is non-conformant. It's recommended that this "
            "value be changed to 1"
        )
    return frames or 1


def get_expected_length(ds: Any, unit: str = "bytes") -> int:
    """The length of the native pixel data that is described, in bytes without padding, or in "pixels" (samples)."""
    samples: int = ds.Rows * ds.Columns * ds.SamplesPerPixel * get_nr_frames(ds)
    if unit == "pixels":
        return samples
    size = -(-samples // 8) if ds.BitsAllocated == 1 else samples * (ds.BitsAllocated // 8)
    return size // 3 * 2 if ds.PhotometricInterpretation == "YBR_FULL_422" else size


def get_image_pixel_ids(ds: Any) -> dict[str, int]:
    """The id() of each value that pixels depend on."""
    keywords = [*ATTRIBUTES.values(), "FloatPixelData", "DoubleFloatPixelData", "PixelData"]
    return {keyword: id(getattr(ds, keyword, None)) for keyword in keywords}


def get_j2k_parameters(codestream: bytes) -> dict[str, Any]:
    """The precision and sign of the first component of JPEG 2000, and whether it is in a JP2 file; {} otherwise."""
    from dicomcore.pixels.coding.headers.boxes import find_box

    in_file = codestream[:8] == b"\0\0\0\x0cjP  "
    try:
        start = find_box(memoryview(codestream), b"jp2c", 12)[0] if in_file else 0
    except PixelDecodeError:
        return {}
    if codestream[start : start + 4] != b"\xff\x4f\xff\x51" or len(codestream) < start + 43:
        return {}
    depth = codestream[start + 42]  # Ssiz
    return {"jp2": in_file, "precision": (depth & 0x7F) + 1, "is_signed": bool(depth & 0x80)}


def is_little_endian(ds: Any) -> bool:
    """Whether the data set's transfer syntax, or without one the file that it was read from, is little endian."""
    little = (ds.file_meta._tsyntax_encoding if hasattr(ds, "file_meta") else ds.original_encoding)[1]
    if little is None:
        raise AttributeError(
            "Unable to determine the endianness of the dataset, please set an appropriate Transfer Syntax UID in "
            f"'{type(ds).__name__}.file_meta'"
        )
    return bool(little)


def pixel_dtype(ds: Any, as_float: bool = False) -> np.dtype[Any]:
    """The dtype of a sample in its byte order; a single bit is unpacked to uint8.

    Raises ValueError for a Bits Allocated or Pixel Representation that cannot be, and NotImplementedError for words
    that NumPy does not have.
    """
    little, bits = is_little_endian(ds), ds.BitsAllocated
    if not as_float and ds.PixelRepresentation not in (0, 1):
        raise ValueError(
            "Unable to determine the data type to use to contain the Pixel Data as a value of "
            f"'{ds.PixelRepresentation}' for '(0028,0103) Pixel Representation' is invalid"
        )
    if bits != 1 and (bits <= 0 or bits % 8):
        raise ValueError(
            f"Unable to determine the data type to use to contain the Pixel Data as a value of '{bits}' for "
            "'(0028,0100) Bits Allocated' is invalid"
        )
    kind = "float" if as_float else ("uint", "int")[ds.PixelRepresentation]
    name = "uint8" if bits == 1 else f"{kind}{bits}"
    try:
        return np.dtype(name).newbyteorder("<" if little else ">")
    except TypeError:
        raise NotImplementedError(
            f"The data type '{name}' needed to contain the Pixel Data is not supported by numpy"
        ) from None


def reshape_pixel_array(ds: Any, arr: NDArray[Any]) -> NDArray[Any]:
    """([frames,] rows, columns[, samples]) from samples in the order in which they are stored or were decoded."""
    frames, samples = get_nr_frames(ds), ds.SamplesPerPixel
    if samples < 1:
        raise ValueError(
            f"Unable to reshape the pixel array as a value of {samples} for (0028,0002) 'Samples per Pixel' is invalid."
        )
    leading = (frames,) if frames > 1 else ()
    if samples == 1:
        return arr.reshape(*leading, ds.Rows, ds.Columns)
    planar = _planes(ds)
    if planar not in (0, 1):
        raise ValueError(
            f"Unable to reshape the pixel array as a value of {planar} for (0028,0006) 'Planar Configuration' is "
            "invalid."
        )
    if planar == 0:
        return arr.reshape(*leading, ds.Rows, ds.Columns, samples)
    return np.moveaxis(arr.reshape(*leading, samples, ds.Rows, ds.Columns), -3, -1)


def _planes(ds: Any) -> int:
    """Planar Configuration of decoded frames: that of the transfer syntax, if it has one."""
    syntax = ds.file_meta.TransferSyntaxUID
    if syntax in BY_PIXEL:
        return 0
    return 1 if syntax == uids.RLELossless else int(ds.PlanarConfiguration)

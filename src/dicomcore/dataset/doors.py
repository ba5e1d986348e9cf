"""Methods of a data set that call packages above it: files, pixels, objects, interchange forms, pydicom.

They offer under pydicom's names what these packages do. This is the only file of `dicomcore.dataset` that imports
packages above it. Each method imports its package when it is called, because these packages import `dicomcore.dataset`
and most programs need few of them.

Do not add methods here: a new package offers functions that take a data set.
"""

from __future__ import annotations

from collections.abc import Callable

from dicomcore._native.views.dataset import DatasetBase

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import IO, Any, Self

    from numpy.typing import NDArray

    from dicomcore._native.views.data_element import DataElement
    from dicomcore.dataset import Dataset
    from dicomcore.limits import Limits
    from dicomcore.objects.waveforms import Waveforms
    from dicomcore.part10.target import Target
    from dicomcore.pixels.frames import Frames

__all__ = ["Doors"]


def _whole(doors: Any) -> Dataset:
    # Dataset is the only class that inherits these methods.
    whole: Dataset = doors
    return whole


class Doors(DatasetBase):
    """Methods of `Dataset` that other packages implement."""

    # -- writing

    def save_as(self, target: Target, **options: Any) -> None:
        """Write the data set to a path, a binary stream or a bytearray, with the options of `dcmwrite`."""
        from dicomcore.part10.writer import dcmwrite

        dcmwrite(target, _whole(self), **options)

    def to_bytes(self, **options: Any) -> bytes:
        """Return the bytes of the file that `save_as` would write, with the same options."""
        from dicomcore.part10.writer import to_bytes

        return to_bytes(_whole(self), **options)

    # -- pixels

    @property
    def frames(self) -> Frames:
        """The frames of the pixel data, a lazy sequence; PixelDecodeError without pixel data."""
        kept = self._kept
        stored: Frames | None = kept.get("frames")
        if stored is None or not stored.is_of(self):
            from dicomcore.pixels.frames import Frames

            stored = kept["frames"] = Frames(self)
        return stored

    @property
    def pixel_array(self) -> NDArray[Any]:
        """All frames, decoded in parallel, in the shape, dtype and colour space that pydicom gives.

        The data set caches the array, so that changes to its numbers last, until pixel data or an attribute that
        describes it is set. ``frames.array()`` returns a new array on each call.
        """
        return self.frames.kept_array()

    def set_pixels(
        self,
        array: Any,
        *,
        photometric_interpretation: str | None = None,
        bits_stored: int | None = None,
        new_instance: bool = True,
    ) -> None:
        """Set uncompressed pixel data from an array, and the Image Pixel attributes that describe it (PS3.3 C.7.6.3).

        If the numbers become signed or unsigned, the elements whose VR depends on that (Pixel Padding Value,
        descriptors of look-up tables, …) change their VR, and values that the new pixels cannot have are removed. A
        compressed or private transfer syntax becomes Explicit VR Little Endian.

        Parameters
        ----------
        array : array-like
            (rows, columns) or (frames, rows, columns), with one more axis of samples for colour. The numbers are
            integers of 8 to 64 bits; bool, for one bit per pixel; or float32 and float64, if the SOP class allows them
            (Parametric Map, Height Map Segmentation) or is missing.
        photometric_interpretation : str, optional
            "RGB", "YBR_FULL" and "HSV" take 3 samples in the last axis, "ARGB" and "CMYK" 4. By default an array of
            four axes is RGB, and so is one of three axes if its numbers are unsigned and its last axis has length 3.
            Other arrays of three axes whose last axis has length 3 or 4 are refused: "MONOCHROME2" declares them to be
            frames. A MONOCHROME1 data set stays MONOCHROME1, because `pixel_array` gives its stored values. For a
            PALETTE COLOR data set and one sample per pixel the option is required.
        bits_stored : int, optional
            Bits Stored; by default all bits of the dtype.
        new_instance : bool
            Generate a new SOP Instance UID.

        Raises
        ------
        EncodeError
            The array does not fit the data set or an option; the data set is unchanged.
        """
        from dicomcore.pixels.setting import set_pixels

        set_pixels(
            _whole(self),
            array,
            photometric_interpretation=photometric_interpretation,
            bits_stored=bits_stored,
            new_instance=new_instance,
        )

    @property
    def waveforms(self) -> Waveforms:
        """The multiplex groups of the Waveform Sequence, a sequence of arrays; ParseError without one."""
        from dicomcore.objects.waveforms import Waveforms

        return Waveforms(_whole(self))

    # -- pydicom

    def to_pydicom(self, *, defer_size: int | None = None) -> Any:
        """Convert to a data set of pydicom, see `dicomcore.interop.pydicom.to_pydicom`; needs pydicom."""
        from dicomcore.interop.pydicom import to_pydicom

        return to_pydicom(_whole(self), defer_size=defer_size)

    # -- interchange forms

    def to_json(
        self,
        bulk_data_threshold: int = 1024,
        bulk_data_element_handler: Callable[[DataElement], str] | None = None,
        dump_handler: Callable[[dict[str, Any]], str] | None = None,
        suppress_invalid_tags: bool = False,
        *,
        indent: int | None = None,
        file_meta: bool = False,
    ) -> str:
        """Write the data set as a DICOM JSON Model object (PS3.18 Annex F).

        Values that do not fit their VR are written in a form that `from_json` reads back: a DS or IS that is not a
        number as text, bytes that no character set decodes as InlineBinary, bytes in place of items as UN.

        Parameters
        ----------
        bulk_data_threshold : int
            Binary values are written inline, in base64 of little-endian bytes. A value whose base64 has more characters
            than this is passed to `bulk_data_element_handler`, if given.
        bulk_data_element_handler : callable, optional
            ``handler(element)`` returns the BulkDataURI for a large binary value.
        dump_handler : callable, optional
            Called with the model as dicts and lists; `to_json` returns its result.
        suppress_invalid_tags : bool
            Omit elements that cannot be written, with a warning for each, instead of raising EncodeError.
        indent : int, optional
            Break the text into lines and indent each level by this number of spaces.
        file_meta : bool
            Begin with group 0002, which PS3.18 does not require.

        Raises
        ------
        EncodeError
            A value cannot be written.
        """
        from dicomcore.forms.json_text import to_json, writable

        text = to_json(
            writable(_whole(self)) if suppress_invalid_tags else _whole(self),
            bulk_data_threshold=bulk_data_threshold,
            bulk_data_element_handler=bulk_data_element_handler,
            indent=indent,
            file_meta=file_meta,
        )
        if dump_handler is None:
            return text
        from dicomcore.forms.json_text import as_dict

        return dump_handler(as_dict(text))

    def to_json_dict(
        self,
        bulk_data_threshold: int = 1024,
        bulk_data_element_handler: Callable[[DataElement], str] | None = None,
        suppress_invalid_tags: bool = False,
        *,
        file_meta: bool = False,
    ) -> dict[str, Any]:
        """Return the object that `to_json` writes, as dicts, lists, strings and numbers."""
        from dicomcore.forms.json_text import to_json_dict, writable

        return to_json_dict(
            writable(_whole(self)) if suppress_invalid_tags else _whole(self),
            bulk_data_threshold=bulk_data_threshold,
            bulk_data_element_handler=bulk_data_element_handler,
            file_meta=file_meta,
        )

    @classmethod
    def from_json(
        cls,
        json_dataset: dict[str, Any] | str | bytes | bytearray,
        bulk_data_uri_handler: Callable[..., Any] | None = None,
        *,
        limits: Limits | None = None,
    ) -> Self:
        """Read a DICOM JSON Model object (PS3.18 Annex F), as text or in the form that `to_json_dict` returns.

        `bulk_data_uri_handler` is called with a URI, or with tag, VR and URI, and returns bytes or values; without a
        handler the value is empty and `issues` reports it. Group 0002 becomes `file_meta`. An element of VR UN that a
        dictionary knows gets the dictionary's VR, as in a file. Deviations that can be read are in `issues`: numbers
        that are not numeric, unknown members of an attribute object. Others raise ParseError, whose message begins with
        the path of the fault (``00081140[0].00081150``). Raises LimitError beyond `limits`.
        """
        from dicomcore.forms.json_reader import from_json

        data_set: Self = from_json(json_dataset, bulk_data_uri_handler=bulk_data_uri_handler, limits=limits, cls=cls)
        return data_set

    def to_xml(
        self,
        *,
        bulk_data_threshold: int = 1024,
        bulk_data_element_handler: Callable[[DataElement], str] | None = None,
        file_meta: bool = False,
    ) -> str:
        """Write the data set as a document of the Native DICOM Model (PS3.19 A.1), with the options of `to_json`.

        Text that XML cannot hold (control characters) is written as inline binary, in UTF-8. `file_meta` writes group
        0002 first. Raises EncodeError for values that cannot be written.
        """
        from dicomcore.forms.xml_writer import xml_pieces

        return "".join(xml_pieces(_whole(self), bulk_data_threshold, bulk_data_element_handler, file_meta))

    @classmethod
    def from_xml(
        cls,
        source: str | bytes | bytearray | IO[bytes],
        *,
        bulk_data_uri_handler: Callable[..., Any] | None = None,
        limits: Limits | None = None,
    ) -> Self:
        """Read a document of the Native DICOM Model (PS3.19 A.1): text, bytes, or a binary stream.

        A stream is read in blocks. Options and errors are those of `from_json`; a document type declaration is refused.
        """
        from dicomcore.forms.xml_reader import from_xml

        data_set: Self = from_xml(source, bulk_data_uri_handler=bulk_data_uri_handler, limits=limits, cls=cls)
        return data_set

"""The methods of a data set that lead up to rooms above it: files, pixels, objects, interchange forms, pydicom.

They are pydicom's names for what stands elsewhere. This is the only file of `dicomcore.dataset` that names a room above
it, and it imports one when its method is called: the rooms stand on data sets, and most callers ask for few of them.

There will be no more of these methods. A room that comes later offers functions of a data set.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import IO, TYPE_CHECKING, Any, Self, cast

from dicomcore._native.views.dataset import DatasetBase

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dicomcore._native.views.data_element import DataElement
    from dicomcore.dataset import Dataset
    from dicomcore.limits import Limits
    from dicomcore.objects.waveforms import Waveforms
    from dicomcore.part10.target import Target
    from dicomcore.pixels.frames import Frames

__all__ = ["Doors"]


def _whole(doors: Doors) -> Dataset:
    # There is no other class with these methods.
    return cast("Dataset", doors)


class Doors(DatasetBase):
    """What `Dataset` does by other rooms."""

    # -- writing

    def save_as(self, target: Target, **options: Any) -> None:
        """Write it to a path, a binary stream or a bytearray, with the options of `dcmwrite`."""
        from dicomcore.part10.writer import dcmwrite

        dcmwrite(target, _whole(self), **options)

    def to_bytes(self, **options: Any) -> bytes:
        """The bytes of the file that `save_as` would write, with the same options."""
        from dicomcore.part10.writer import to_bytes

        return to_bytes(_whole(self), **options)

    # -- pixels

    @property
    def frames(self) -> Frames:
        """The frames of the pixel data, a lazy sequence; PixelDecodeError where there is none."""
        kept = self._kept
        stored: Frames | None = kept.get("frames")
        if stored is None or not stored.is_of(self):
            from dicomcore.pixels.frames import Frames

            stored = kept["frames"] = Frames(self)
        return stored

    @property
    def pixel_array(self) -> NDArray[Any]:
        """All frames, decoded in parallel: pydicom's shape, dtype and colour.

        The array is kept with the data set, so that a change made in it is there the next time, until pixel data or
        what describes it is set anew. ``frames.array()`` gives a new one, which nobody keeps.
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

        `array` is (rows, columns) or (frames, rows, columns); with ``photometric_interpretation`` "RGB", "YBR_FULL",
        "HSV" (3), "ARGB" or "CMYK" (4) there is an axis of samples behind. Without it four axes are RGB, and three are
        if the numbers are unsigned and the last axis has 3. Other arrays of three axes that end in 3 or 4 columns are
        refused: "MONOCHROME2" says that they are frames. A data set in MONOCHROME1 stays so, as its stored values are
        what `pixel_array` gives; one in PALETTE COLOR wants to be told what one sample a pixel means. Whole numbers of
        8 to 64 bits, bool for single bits; float32 and float64 for the SOP classes that have them (Parametric Map,
        Height Map Segmentation) or none.

        `bits_stored` is all bits by default. Where the sign changes, values that depend on it (Pixel Padding Value,
        descriptors of look-up tables, …) change their VR along; what the new pixels can't be goes. A transfer syntax
        that is compressed or private becomes Explicit VR Little Endian; `new_instance` gives a new SOP Instance UID.
        Raises EncodeError for what doesn't fit; nothing has changed then.
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
        """The multiplex groups of the Waveform Sequence, a sequence of arrays; ParseError where there is none."""
        from dicomcore.objects.waveforms import Waveforms

        return Waveforms(_whole(self))

    # -- pydicom

    def to_pydicom(self, *, defer_size: int | None = None) -> Any:
        """The same as a data set of pydicom's, see `dicomcore.interop.pydicom.to_pydicom`; needs pydicom."""
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
        """The data set as a DICOM JSON Model object (PS3.18 Annex F).

        What doesn't fit its VR is told so that `from_json` gives it back: a DS or IS that is no number as text, bytes
        that no character set decodes as InlineBinary, text where items are due as UN.

        Parameters
        ----------
        bulk_data_threshold, bulk_data_element_handler
            Binary values go inline in base64, little endian. Those whose base64 takes more than `bulk_data_threshold`
            characters become the URI that the handler gives for their element, if there is one.
        dump_handler
            Called with the model as dicts and lists; what it gives is given back.
        suppress_invalid_tags
            Leave out elements that can't be written, with a warning for each, instead of raising EncodeError.
        indent
            Lay the text out in lines, with so many spaces a level.
        file_meta
            Put group 0002 in front, which PS3.18 doesn't ask for.
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
        *,
        bulk_data_threshold: int = 1024,
        bulk_data_element_handler: Callable[[DataElement], str] | None = None,
        file_meta: bool = False,
    ) -> dict[str, Any]:
        """What `to_json` writes, as dicts, lists, strings and numbers."""
        from dicomcore.forms.json_text import to_json_dict

        return to_json_dict(
            _whole(self),
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
        """A data set from a DICOM JSON Model object (PS3.18 Annex F), as text or as `to_json_dict` has it.

        `bulk_data_uri_handler` is called with a URI, or with tag, VR and URI, and gives bytes or values; without one
        the value is left empty and `issues` says so. Group 0002 becomes `file_meta`. UN of an attribute that a
        dictionary knows gets its VR, as in a file. What deviates and can be read is in `issues`: numbers that are none,
        members that no attribute object has. Raises ParseError for the rest, whose message begins with the place of the
        fault (``00081140[0].00081150``), and LimitError beyond `limits`.
        """
        from dicomcore.forms.json_reader import from_json

        made: Self = from_json(json_dataset, bulk_data_uri_handler=bulk_data_uri_handler, limits=limits, cls=cls)
        return made

    def to_xml(
        self,
        *,
        bulk_data_threshold: int = 1024,
        bulk_data_element_handler: Callable[[DataElement], str] | None = None,
        file_meta: bool = False,
    ) -> str:
        """The data set as a document of the Native DICOM Model (PS3.19 A.1), with the options of `to_json`.

        Text that XML can't hold (control characters) goes as inline binary, in UTF-8. A group 0002 that is asked for
        stands first. Raises EncodeError for values that can't be written.
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
        """A data set from a document of the Native DICOM Model (PS3.19 A.1): text, bytes, or a binary stream, read in
        blocks. Options and errors are those of `from_json`; a document type declaration is refused.
        """
        from dicomcore.forms.xml_reader import from_xml

        made: Self = from_xml(source, bulk_data_uri_handler=bulk_data_uri_handler, limits=limits, cls=cls)
        return made

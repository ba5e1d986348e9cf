"""Pixels, overlays and waveforms of a data set under pydicom's names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dicomcore import dataset as _dataset
from dicomcore.tags import PIXEL_TAGS

if TYPE_CHECKING:
    from numpy.typing import NDArray


class PixelMethods(_dataset.Dataset):
    """The methods of a data set that decode and encode."""

    is_decompressed = False
    _pixel_array: Any = None  # subclasses of other packages keep their own array here

    @property
    def pixel_array(self) -> NDArray[Any]:
        """All frames; AttributeError without pixel data."""
        if not any(tag in self for tag in PIXEL_TAGS):
            if self._pixel_array is not None:
                return self._pixel_array  # type: ignore[no-any-return]  # a subclass has read it elsewhere
            raise AttributeError(
                "Unable to convert the pixel data: one of Pixel Data, Float Pixel Data or Double Float Pixel Data must"
                " be present in the dataset"
            )
        options = self._kept.get("pixel_options")
        if options:
            from dicomcore.interop.pydicom.names.pixels.utils import pixel_array

            return pixel_array(self, **options)
        array: NDArray[Any] = self.frames.kept_array()
        self._refuse_short()
        return array

    def _refuse_short(self) -> None:
        """Raise ValueError where `frames` has only an issue: pixels that are missing would be 0."""
        for issue in self.frames.issues:
            if issue.code == "PIXEL_LENGTH" and "PixelData" in self:
                from dicomcore.interop.pydicom.names.pixels.utils import get_expected_length

                if len(self.PixelData) < get_expected_length(self):
                    raise ValueError(f"The number of bytes of pixel data is too small: {issue.message}")

    def pixel_array_options(self, **kwargs: Any) -> None:
        """Set `raw` or `index` for `pixel_array`; see `pydicom.pixels.pixel_array` for the others."""
        from dicomcore.interop.pydicom.names.pixels.utils import refuse_options

        refuse_options({name: value for name, value in kwargs.items() if name not in ("raw", "index")})
        self._kept["pixel_options"] = kwargs

    def convert_pixel_data(self, handler_name: str = "") -> None:
        """Decode the pixel data, which `pixel_array` keeps."""
        self.pixel_array  # noqa: B018

    def set_pixel_data(
        self, arr: Any, photometric_interpretation: str, bits_stored: int, *, generate_instance_uid: bool = True
    ) -> None:
        """Set pixel data from an array, see `pydicom.pixels.set_pixel_data`."""
        from dicomcore.interop.pydicom.names.pixels.utils import set_pixel_data

        set_pixel_data(self, arr, photometric_interpretation, bits_stored, generate_instance_uid=generate_instance_uid)

    def decompress(
        self,
        handler_name: str = "",
        *,
        as_rgb: bool = True,
        generate_instance_uid: bool = True,
        decoding_plugin: str = "",
        **kwargs: Any,
    ) -> None:
        """Replace encapsulated pixel data by native pixel data, in place."""
        from dicomcore.interop.pydicom.names.recoding import decompress

        decompress(self, as_rgb=as_rgb, generate_instance_uid=generate_instance_uid, **kwargs)

    def compress(
        self,
        transfer_syntax_uid: str,
        arr: Any = None,
        encoding_plugin: str = "",
        encapsulate_ext: bool = False,
        *,
        generate_instance_uid: bool = True,
        **kwargs: Any,
    ) -> None:
        """Replace native pixel data by encapsulated pixel data, in place."""
        from dicomcore.interop.pydicom.names.recoding import compress

        compress(
            self,
            transfer_syntax_uid,
            arr,
            encapsulate_ext=encapsulate_ext,
            generate_instance_uid=generate_instance_uid,
            **kwargs,
        )

    def overlay_array(self, group: int) -> NDArray[Any]:
        """The overlay of a group, 0x6000 to 0x60FF even, as an array of 0 and 1."""
        from dicomcore.interop.pydicom.names.recoding import overlay

        return overlay(self, group)

    def waveform_array(self, index: int) -> NDArray[Any]:
        """A multiplex group of the waveforms, scaled: (samples, channels)."""
        if "WaveformSequence" not in self:
            raise AttributeError("The dataset has no (5400,0100) 'Waveform Sequence' element")
        array: NDArray[Any] = self.waveforms.decode(index, scaled=True, keep_padding=True)
        return array

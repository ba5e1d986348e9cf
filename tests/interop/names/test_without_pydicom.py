"""The pages for pixels, fragments, overlays and waveforms where pydicom is not installed: each case is a program."""

from __future__ import annotations

import textwrap

import pytest

from tests.interop.test_place import WITHOUT, program
from tests.support.corpus import real

PAGES = (
    "encaps",
    "overlays",
    "overlays.numpy_handler",
    "pixel_data_handlers",
    "pixel_data_handlers.util",
    "pixels",
    "pixels.processing",
    "pixels.utils",
    "waveforms",
    "waveforms.numpy_handler",
)
CASES = {  # name: (program, what it prints)
    "modules": (
        "import pydicom\n" + "".join(f"import pydicom.{page}\n" for page in PAGES) + "print(*(pydicom.encaps.__name__,"
        " pydicom.pixels.utils.__name__, pydicom.pixel_data_handlers.util.__name__))",
        "dicomcore.interop.pydicom.names.encaps dicomcore.interop.pydicom.names.pixels.utils"
        " dicomcore.interop.pydicom.names.pixel_data_handlers.util",
    ),
    "all names": (
        "\n".join(f"from pydicom.{page} import *" for page in PAGES) + "\nprint(apply_voi_lut.__name__, callable("
        "generate_frames), get_overlay_array.__name__, multiplex_array.__name__)",
        "apply_voi_lut True get_overlay_array multiplex_array",
    ),
    "frames": (
        """
        from pydicom.encaps import encapsulate, generate_frames, get_frame
        ds = dcmread(rle)
        frames = list(generate_frames(ds.PixelData, number_of_frames=2))
        print(len(frames), get_frame(ds.PixelData, 1, number_of_frames=2) == frames[1])
        print(encapsulate(frames) == ds.PixelData)
        """,
        "2 True\nTrue",
    ),
    "display": (
        """
        from pydicom.pixel_data_handlers.util import apply_modality_lut, apply_voi_lut
        from pydicom.pixels import apply_color_lut, convert_color_space, pixel_array
        ds = dcmread(ct)
        hounsfield = apply_modality_lut(ds.pixel_array, ds)
        ds.WindowCenter, ds.WindowWidth = 40, 400
        shown = apply_voi_lut(hounsfield, ds)
        print(hounsfield.dtype, hounsfield.min(), shown.min(), shown.max())
        ds = dcmread(palette)
        print(apply_color_lut(ds.pixel_array, ds).shape)
        colours = pixel_array(rle, index=0)
        print(convert_color_space(colours, "RGB", "YBR_FULL").shape)
        """,
        "float64 -896.0 -33792.0 31743.0\n(350, 800, 3)\n(100, 100, 3)",
    ),
    "recoding": (
        """
        from pydicom.pixels import compress, decompress, iter_pixels, set_pixel_data
        from pydicom.uid import RLELossless
        ds = dcmread(ct)
        before = ds.pixel_array.copy()
        compress(ds, RLELossless, encoding_plugin="pydicom")
        print(ds["PixelData"].is_undefined_length, (ds.pixel_array == before).all())
        decompress(ds)
        print(ds["PixelData"].is_undefined_length, (ds.pixel_array == before).all())
        set_pixel_data(ds, before // 2, "MONOCHROME2", 16)
        print(next(iter_pixels(ds)).max() == before.max() // 2)
        """,
        "True True\nFalse True\nTrue",
    ),
    "overlay and waveform": (
        """
        from pydicom.overlays import get_overlay_array
        from pydicom.waveforms import multiplex_array
        print(get_overlay_array(dcmread(overlay), 0x6000).shape)
        print(multiplex_array(dcmread(ecg), 0, as_raw=False).shape)
        """,
        "(300, 484)\n(10000, 12)",
    ),
    "what only pydicom has": (
        """
        from pydicom.pixels import apply_color_lut
        import numpy as np
        for name in ("pydicom.pixels.decoders", "pydicom.pixel_data_handlers.numpy_handler"):
            try:
                __import__(name)
            except ModuleNotFoundError as error:
                print(error.name)
        try:
            from pydicom.pixels import get_decoder
        except ImportError as error:
            print(error)
        try:
            apply_color_lut(np.zeros((2, 2), "u1"), palette="HOT_IRON")
        except ModuleNotFoundError as error:
            print(error.name)
        """,
        "pydicom.pixels.decoders\npydicom.pixel_data_handlers.numpy_handler\npydicom.pixels.get_decoder is not there"
        " with dicomcore in pydicom's place: see docs/from-pydicom.md\npydicom.data",
    ),
}
FILES = {
    "ct": "CT_small.dcm",
    "ecg": "waveform_ecg.dcm",
    "overlay": "examples_overlay.dcm",
    "palette": "examples_palette.dcm",
    "rle": "SC_rgb_rle_2frame.dcm",
}


@pytest.mark.parametrize(("code", "printed"), CASES.values(), ids=CASES)
def test_without_pydicom(code, printed):
    places = "".join(f"{name} = {str(real(file))!r}\n" for name, file in FILES.items())
    opening = f"from pydicom import dcmread\n{places}"
    done = program(opening + textwrap.dedent(code), before=WITHOUT)
    assert done.stdout.strip() == printed

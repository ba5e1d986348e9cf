"""pydicom.pixels and the pixels of data sets under install(), against pydicom itself: arrays are compared exactly.

The files are those that pydicom decodes without other packages.
"""

from __future__ import annotations

import pytest

from tests.interop.names.both import FILES, Both, params

SETUP = (
    FILES
    + """
import io, warnings
import numpy as np
import pydicom
from pydicom import dcmread, pixels
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import generate_frames
from pydicom.pixels import iter_pixels, pixel_array
from pydicom.uid import *
def read(name, **options):
    return dcmread(FILES / name, **options)
def stream(name):
    return io.BytesIO((FILES / name).read_bytes())
def quiet(action):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return action()
def made(array=np.arange(12, dtype="u2").reshape(3, 4), **elements):
    ds = Dataset()
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    ds.Rows, ds.Columns = array.shape[:2]
    ds.BitsAllocated = ds.BitsStored = array.itemsize * 8
    ds.HighBit, ds.PixelRepresentation, ds.SamplesPerPixel = ds.BitsStored - 1, 0, 1
    ds.PhotometricInterpretation = "MONOCHROME2"
    ds.PixelData = array.tobytes()
    for keyword, value in elements.items():
        setattr(ds, keyword, value)
    return ds
def group(ds):
    return [(e.tag, e.VR, e.value) for e in ds if e.tag.group == 0x28]
"""
)
NATIVE = (
    "CT_small.dcm",
    "ExplVR_BigEnd.dcm",
    "MR_small.dcm",
    "MR_small_bigendian.dcm",
    "MR_small_expb.dcm",
    "MR_small_implicit.dcm",
    "MR_small_padded.dcm",
    "SC_rgb_small_odd.dcm",
    "SC_rgb_small_odd_big_endian.dcm",
    "SC_ybr_full_422_uncompressed.dcm",
    "image_dfl.dcm",
    "liver_1frame.dcm",
    "liver_expb_1frame.dcm",
    "rtdose.dcm",
    "rtdose_1frame.dcm",
    "rtdose_expb.dcm",
    "examples_overlay.dcm",
    "examples_palette.dcm",
)
RLE = (
    "MR_small_RLE.dcm",
    "SC_rgb_rle.dcm",
    "SC_rgb_rle_16bit.dcm",
    "SC_rgb_rle_16bit_2frame.dcm",
    "SC_rgb_rle_2frame.dcm",
    "SC_rgb_rle_32bit.dcm",
    "SC_rgb_rle_32bit_2frame.dcm",
    "rtdose_rle.dcm",
    "rtdose_rle_1frame.dcm",
)
FILE_CASES = {
    "pixel_array": "ds = read({name!r}); quiet(lambda: ds.pixel_array)",
    "pixel_array of the path": "quiet(lambda: pixel_array(FILES / {name!r}))",
    "raw": "quiet(lambda: pixel_array(read({name!r}), raw=True))",
    "one frame": "quiet(lambda: pixel_array(read({name!r}), index=0))",
    "a frame too many": "quiet(lambda: pixel_array(read({name!r}), index=99))",
    "iter_pixels": "quiet(lambda: list(iter_pixels(read({name!r}))))",
    "iter_pixels of the path, raw": "quiet(lambda: list(iter_pixels(FILES / {name!r}, raw=True)))",
    "after decompress": "ds = read({name!r}); quiet(lambda: ds.decompress(generate_instance_uid=False));"
    " quiet(lambda: ds.pixel_array), group(ds), ds.file_meta.TransferSyntaxUID, ds['PixelData'].is_undefined_length,"
    " ds['PixelData'].VR, len(ds.PixelData)",
}
FILES_SAME = {
    f"{name}: {what}": case.format(name=name)
    for name in (*NATIVE, *RLE)
    for what, case in FILE_CASES.items()
    if not (name == "image_dfl.dcm" and "path" in what)  # pydicom inflates no data set there
}
CASES = {
    "the same array each time": "ds = read('CT_small.dcm'); ds.pixel_array is ds.pixel_array",
    "a change stays": "ds = read('CT_small.dcm'); ds.pixel_array[0, 0] = 7; ds.pixel_array[0, 0]",
    "writeable": "read('CT_small.dcm').pixel_array.flags.writeable",
    "pixel data set anew": "ds = read('CT_small.dcm'); a = ds.pixel_array; ds.PixelData = (a + 1).tobytes();"
    " ds.pixel_array",
    "rows set anew": "ds = read('CT_small.dcm'); ds.pixel_array; ds.Rows, ds.Columns = 64, 256; ds.pixel_array",
    "without pixel data": "read('rtplan.dcm').pixel_array",
    "hasattr without pixel data": "hasattr(read('rtplan.dcm'), 'pixel_array'), hasattr(Dataset(), 'pixel_array')",
    "too few bytes": "ds = made(); ds.PixelData = ds.PixelData[:10]; ds.pixel_array",
    "too many bytes": "quiet(lambda: made(PixelData=bytes(30)).pixel_array)",
    "made in memory": "made().pixel_array",
    "made, of 8 bits": "made(np.arange(12, dtype='u1').reshape(3, 4)).pixel_array",
    "made, of 32 bits": "made(np.arange(12, dtype='u4').reshape(3, 4)).pixel_array",
    "made, signed": "made(np.arange(-6, 6, dtype='i2').reshape(3, 4), PixelRepresentation=1).pixel_array",
    "made, of 12 bits": "made(BitsStored=12, HighBit=11).pixel_array",
    "made, of single bits": "made(np.zeros((8, 8), 'u1'), BitsAllocated=1, BitsStored=1, HighBit=0,"
    " PixelData=bytes(range(8))).pixel_array",
    "made, several frames": "made(np.arange(24, dtype='u1').reshape(2, 12), Rows=3, Columns=4,"
    " NumberOfFrames=2).pixel_array",
    "made, colour": "made(np.arange(36, dtype='u1').reshape(3, 12), Columns=4, SamplesPerPixel=3,"
    " PlanarConfiguration=0,"
    " PhotometricInterpretation='RGB').pixel_array",
    "made, planes": "made(np.arange(36, dtype='u1').reshape(3, 12), Columns=4, SamplesPerPixel=3,"
    " PlanarConfiguration=1,"
    " PhotometricInterpretation='RGB').pixel_array",
    "made, YBR": "made(np.arange(36, dtype='u1').reshape(3, 12), Columns=4, SamplesPerPixel=3, PlanarConfiguration=0,"
    " PhotometricInterpretation='YBR_FULL').pixel_array",
    "made, floats": "ds = made(); del ds.PixelData; ds.FloatPixelData = np.arange(12, dtype='f4').tobytes();"
    " ds.BitsAllocated = 32; ds.pixel_array",
    "made, doubles": "ds = made(); del ds.PixelData; ds.DoubleFloatPixelData = np.arange(12, dtype='f8').tobytes();"
    " ds.BitsAllocated = 64; ds.pixel_array",
    "convert_pixel_data": "ds = read('CT_small.dcm'); ds.convert_pixel_data(); ds.pixel_array",
    "convert_pixel_data without pixel data": "read('rtplan.dcm').convert_pixel_data()",
    "pixel_array_options": "ds = read('SC_rgb_rle_2frame.dcm'); ds.pixel_array_options(index=1); ds.pixel_array",
    "pixel_array_options, raw": "ds = read('SC_ybr_full_422_uncompressed.dcm'); ds.pixel_array_options(raw=True);"
    " ds.pixel_array",
    "pixel_array of a stream": "s = stream('CT_small.dcm'); pixel_array(s), s.tell()",
    "pixel_array of text": "pixel_array(str(FILES / 'CT_small.dcm'))",
    "pixel_array of a missing file": "pixel_array(FILES / 'nothing.dcm')",
    "pixel_array of a number": "pixel_array(5)",
    "pixel_array without pixel data": "pixel_array(FILES / 'rtplan.dcm')",
    "pixel_array at an index": "[pixel_array(FILES / 'rtdose.dcm', index=i) for i in (0, 7, 14)]",
    "pixel_array at a negative index": "pixel_array(FILES / 'rtdose.dcm', index=-1)",
    "pixel_array at an index of text": "pixel_array(FILES / 'rtdose.dcm', index='1')",
    "pixel_array and ds_out": "ds = Dataset(); a = pixel_array(FILES / 'CT_small.dcm', ds_out=ds); a, group(ds),"
    " ds.file_meta.TransferSyntaxUID",
    "pixel_array and specific_tags": "ds = Dataset(); pixel_array(FILES / 'CT_small.dcm', ds_out=ds, specific_tags="
    "[0x00100020]); ds.PatientID",
    "iter_pixels at indices": "list(iter_pixels(FILES / 'rtdose.dcm', indices=[3, 1, 1]))",
    "iter_pixels at indices too large": "list(iter_pixels(FILES / 'rtdose.dcm', indices=[30]))",
    "iter_pixels of a stream": "list(iter_pixels(stream('SC_rgb_rle_2frame.dcm')))",
    "iter_pixels of a data set": "len(list(iter_pixels(read('rtdose.dcm'))))",
    "iter_pixels without pixel data": "list(iter_pixels(read('rtplan.dcm')))",
    "in the package": "pydicom.pixel_array(FILES / 'CT_small.dcm'), len(list(pydicom.iter_pixels(FILES /"
    " 'rtdose.dcm')))",
    "the package's names": "all(hasattr(pixels, n) for n in ('pixel_array', 'iter_pixels', 'apply_voi_lut',"
    " 'apply_modality_lut', 'apply_windowing', 'apply_color_lut', 'apply_rescale', 'convert_color_space', 'pack_bits',"
    " 'unpack_bits', 'compress', 'decompress', 'get_decoder', 'get_encoder', 'set_pixel_data', 'as_pixel_options'))",
    "modality LUT": "ds = read('CT_small.dcm'); pixels.apply_modality_lut(ds.pixel_array, ds)",
    "rescaled": "ds = read('CT_small.dcm'); pixels.apply_rescale(ds.pixel_array, ds)",
    "VOI LUT": "ds = read('MR_small.dcm'); pixels.apply_voi_lut(ds.pixel_array, ds)",
    "windowed": "ds = read('MR_small.dcm'); pixels.apply_windowing(ds.pixel_array, ds)",
    "palette": "ds = read('examples_palette.dcm'); pixels.apply_color_lut(ds.pixel_array, ds)",
    "colour space": "pixels.convert_color_space(read('SC_rgb_small_odd.dcm').pixel_array, 'RGB', 'YBR_FULL')",
    "bits": "pixels.pack_bits(np.array([1, 0, 1, 1, 0, 0, 0, 1, 1], 'u1')), pixels.unpack_bits(b'\\3\\1')",
    "decompress of native pixels": "ds = read('CT_small.dcm'); before = ds.SOPInstanceUID; ds.decompress();"
    " ds.SOPInstanceUID == before, ds.pixel_array",
    "decompress, a new instance": "ds = read('MR_small_RLE.dcm'); before = ds.SOPInstanceUID; ds.decompress();"
    " ds.SOPInstanceUID == before, ds.file_meta.MediaStorageSOPInstanceUID == ds.SOPInstanceUID",
    "decompress, then saved": "ds = read('MR_small_RLE.dcm'); ds.decompress(); s = io.BytesIO(); ds.save_as(s);"
    " dcmread(io.BytesIO(s.getvalue())).pixel_array",
    "decompress without pixel data": "read('rtplan.dcm').decompress()",
    "decompress without a transfer syntax": "ds = read('MR_small_RLE.dcm'); del ds.file_meta.TransferSyntaxUID;"
    " ds.decompress()",
    "compress": "ds = read('MR_small.dcm'); ds.compress(RLELossless, generate_instance_uid=False); ds.pixel_array,"
    " group(ds),"
    " ds.file_meta.TransferSyntaxUID, ds['PixelData'].is_undefined_length, ds['PixelData'].VR",
    "compress, then decompress": "ds = read('MR_small.dcm'); before = ds.PixelData; ds.compress(RLELossless);"
    " ds.decompress();"
    " ds.PixelData == before, ds.file_meta.TransferSyntaxUID",
    "compress of an array": "ds = read('MR_small.dcm'); ds.compress(RLELossless, ds.pixel_array + 1); ds.pixel_array",
    "compress of compressed pixels": "read('MR_small_RLE.dcm').compress(RLELossless)",
    "frames of compressed pixels": "len(list(generate_frames(read('SC_rgb_rle_2frame.dcm').PixelData,"
    " number_of_frames=2)))",
    "set_pixel_data": "ds = made(); ds.set_pixel_data(np.arange(20, dtype='u1').reshape(4, 5), 'MONOCHROME2', 8);"
    " ds.pixel_array,"
    " group(ds), ds['PixelData'].VR",
    "set_pixel_data of colours": "ds = made(); ds.set_pixel_data(np.arange(60, dtype='u1').reshape(4, 5, 3), 'RGB', 8);"
    " ds.pixel_array, group(ds)",
    "set_pixel_data of frames": "ds = made(); ds.set_pixel_data(np.arange(60, dtype='i2').reshape(3, 4, 5),"
    " 'MONOCHROME1', 12);"
    " ds.pixel_array, group(ds)",
    "set_pixel_data of too many bits": "made().set_pixel_data(np.zeros((4, 5), 'u1'), 'MONOCHROME2', 12)",
    "set_pixel_data of floats": "made().set_pixel_data(np.zeros((4, 5), 'f4'), 'MONOCHROME2', 8)",
    "an array as pixel data": "ds = made(); ds.PixelData = np.zeros((3, 4), 'u2')",
    "overlay_array": "ds = read('MR-SIEMENS-DICOM-WithOverlays.dcm') if (FILES /"
    " 'MR-SIEMENS-DICOM-WithOverlays.dcm').exists()"
    " else read('examples_overlay.dcm'); ds.overlay_array(0x6000)",
    "overlay_array of another group": "read('examples_overlay.dcm').overlay_array(0x6002)",
    "overlay_array of no overlay group": "read('examples_overlay.dcm').overlay_array(0x5000)",
    "waveform_array": "read('waveform_ecg.dcm').waveform_array(0)",
    "waveform_array past the end": "read('waveform_ecg.dcm').waveform_array(9)",
    "waveform_array without waveforms": "read('CT_small.dcm').waveform_array(0)",
}
TABLES = {"files": FILES_SAME, "cases": CASES}
SAME = {f"{table}: {name}": case for table, cases in TABLES.items() for name, case in cases.items()}
FAULTS = {}
"""Where dicomcore still differs though it should not."""
BOTH = Both(SETUP, SAME)


@pytest.mark.parametrize("name", params(SAME, FAULTS))
def test_as_in_pydicom(name):
    BOTH.check(name)

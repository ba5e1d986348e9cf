"""What to do instead, for attributes that pydicom's data sets have and ours do not, or that cannot be set here."""

from __future__ import annotations

__all__ = ["advice", "module_advice", "setting_advice"]

PAGE = "docs/from-pydicom.md"

INSTEAD = {
    "buffer": "keep the stream that you gave to dcmread",
    "compress": "dicomcore.transcode(ds, target, to=syntax) writes it in another transfer syntax",
    "convert_pixel_data": "pixel_array decodes when it is first used",
    "decompress": 'dicomcore.transcode(ds, target, to="explicit") writes it in another transfer syntax',
    "default_element_format": "print the elements in the form you want",
    "fileobj_type": "keep the stream that you gave to dcmread",
    "formatted_lines": "print the elements in the form you want",
    "is_original_encoding": "unchanged elements keep their bytes in any case",
    "original_character_set": "ask for SpecificCharacterSet",
    "original_encoding": "use is_implicit_VR and is_little_endian",
    "overlay_array": "use ds.frames.overlays",
    "pixel_array_options": "use ds.frames.decode(index, raw=True)",
    "read_encoding": "ask for SpecificCharacterSet",
    "read_implicit_vr": "use is_implicit_VR",
    "read_little_endian": "use is_little_endian",
    "set_original_encoding": "unchanged elements keep their bytes in any case",
    "set_pixel_data": "use set_pixels(array)",
    "timestamp": "use os.stat(ds.filename).st_mtime",
    "waveform_array": "use ds.waveforms.decode(index, scaled=True)",
}
SETTING = {
    "filename": "it is the path that the data set was read from",
    "frames": "use set_pixels(array)",
    "is_implicit_VR": "give transfer_syntax to dcmwrite, or set file_meta.TransferSyntaxUID",
    "is_little_endian": "give transfer_syntax to dcmwrite, or set file_meta.TransferSyntaxUID",
    "issues": "it lists what was found",
    "pixel_array": "use set_pixels(array)",
    "transfer_syntax": "give transfer_syntax to dcmwrite, or set file_meta.TransferSyntaxUID",
    "waveforms": "set WaveformSequence",
}
MODULE = {
    "FileDataset": "dcmread gives a Dataset",
    "FileMetaDataset": "file_meta is a Dataset",
    "config": "options are arguments of the calls",
    "datadict": "use dicomcore.dictionary",
    "dataelem": "use dicomcore.DataElement",
    "encaps": "use ds.frames.encoded(index) and dicomcore.FrameWriter",
    "filereader": "use dicomcore.dcmread",
    "filewriter": "use dicomcore.dcmwrite",
    "iter_pixels": "iterate over ds.frames",
    "multival": "several values are a list",
    "pixel_array": "use ds.pixel_array or ds.frames[index]",
    "read_file": "use dicomcore.dcmread",
    "sequence": "use dicomcore.Sequence",
    "tag": "use dicomcore.Tag and dicomcore.tags",
    "uid": "use dicomcore.UID and dicomcore.uids",
    "valuerep": "use dicomcore.PersonName and dicomcore.values",
    "write_file": "use dicomcore.dcmwrite",
}
"""Names of the package pydicom."""


def module_advice(name: str) -> str:
    """What to do instead of a name of pydicom's, to follow a message; "" for any other name."""
    return f": {MODULE[name]} ({PAGE})" if name in MODULE else ""


def advice(data_set: object, name: str) -> str | None:
    """The message for an attribute of pydicom's that this data set does not have; None for any other name."""
    instead = INSTEAD.get(name)
    return instead and f"{type(data_set).__name__!r} object has no attribute {name!r}: {instead} ({PAGE})"


def setting_advice(data_set: object, name: str) -> str | None:
    """The message for an attribute that cannot be set; None for any other name."""
    instead = SETTING.get(name)
    return instead and f"{name!r} of a {type(data_set).__name__} can't be set: {instead} ({PAGE})"

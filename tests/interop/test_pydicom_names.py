"""Methods of pydicom that programs call (pydicom#1731, #1311, #1014)."""

from __future__ import annotations

import json
import warnings

import pydicom
import pytest

import dicomcore as dc
from tests.support.dicom_bytes import element, part10


def both(action):
    """The results of an action on pydicom's data set and on ours."""
    results = []
    for module in (pydicom, dc):
        data_set = module.Dataset()
        data_set.PatientID, data_set.Rows = "x", 5
        results.append(action(data_set))
    return results


SAME = {
    "setdefault of a value": lambda ds: (ds.setdefault("PatientName", "Doe^J").value == "Doe^J", ds.PatientName),
    "setdefault by tag": lambda ds: (ds.setdefault(0x00280011, 7).value, ds.Columns),
    "setdefault of an element that exists": lambda ds: (ds.setdefault("PatientID", "y").value, ds.PatientID),
    "elements": lambda ds: [int(element.tag) for element in ds.elements()],
    "popitem": lambda ds: (int(ds.popitem()[0]), len(ds)),
    "get_item": lambda ds: ds.get_item("PatientID").value,
    "decode": lambda ds: (ds.decode(), ds.PatientID),
    "ensure_file_meta": lambda ds: (ds.ensure_file_meta(), len(ds.file_meta)),
    "add_new_private": lambda ds: (ds.add_new_private("ME", 0x0011, 0x01, "a", "LO"), ds[0x00111001].value),
    "add_new_private of a known element": lambda ds: (
        ds.add_new_private("GEMS_IDEN_01", 0x0009, 0x01, "a"), ds[0x00091001].VR, ds[0x00090010].value
    ),
    "dump_handler": lambda ds: ds.to_json(1024, None, lambda model: ",".join(sorted(model))),
    "from_json with a handler by position": lambda ds: type(ds).from_json(
        {"00091001": {"vr": "OB", "BulkDataURI": "x"}}, lambda uri: b"ab"
    )[0x00091001].value,
}  # fmt: skip


@pytest.mark.parametrize("action", SAME.values(), ids=SAME)
def test_methods_return_the_same_as_in_pydicom(action):
    theirs, ours = both(action)
    assert ours == theirs


def test_wrong_arguments_raise():
    with pytest.raises(KeyError):
        dc.Dataset().popitem()
    with pytest.raises(KeyError):
        dc.Dataset().add_new_private("ME", 0x0011, 0x01, "a")
    with pytest.raises(ValueError, match="0010"):
        dc.Dataset().add_new_private("ME", 0x0010, 0x01, "a", "LO")
    with pytest.raises(ValueError, match="not known"):
        dc.Dataset().setdefault(0x00111001, "a")


@pytest.mark.filterwarnings("ignore:.*takes whole numbers:UserWarning", "ignore:.*can't hold:UserWarning")
def test_elements_that_cannot_be_written_are_omitted_on_request():
    data_set = dc.Dataset()
    data_set.PatientID, data_set.Rows = "x", 1.5
    with pytest.raises(dc.EncodeError, match="Rows"):
        data_set.to_json()
    with pytest.warns(UserWarning, match=r"left out of JSON: \(0028,0010\) Rows"):
        text = data_set.to_json(suppress_invalid_tags=True)
    assert list(json.loads(text)) == ["00100020"]
    assert data_set.Rows == 1.5


@pytest.mark.parametrize("text", ["0010,0020", "(0010,0020)", "(0010, 0020)", "00100020", "PatientID"])
def test_a_tag_is_read_from_text(text):
    assert dc.Tag(text) == 0x00100020


@pytest.mark.parametrize("text", ["0010,002", "0010;0020", "(0010,0020", "00100,0020"])
def test_text_that_is_not_a_tag_is_refused(text):
    with pytest.raises(ValueError, match="not a tag"):
        dc.Tag(text)


def test_options_of_dcmread_are_accepted_by_position():
    data = part10(element(0x00100020, "LO", b"x ") + element(0x7FE00010, "OB", b"ab"))
    assert "PixelData" not in dc.dcmread(data, None, True)
    assert dc.dcmread(data, "1 KB").PatientID == "x"
    assert dc.dcmread(data, defer_size=1024).PixelData == b"ab"


MISSPELT = {
    "PatientNam": "is PatientName meant",
    "Modalty": "is Modality meant",
    "patientName": "is PatientName meant",
    "Zzyzx": "not a keyword of PS3.6",
}


@pytest.mark.parametrize(("name", "said"), MISSPELT.items())
def test_a_misspelt_keyword_is_reported(name, said):
    data_set = dc.Dataset()
    with pytest.warns(UserWarning, match=said):
        setattr(data_set, name, 1)
    assert getattr(data_set, name) == 1
    assert len(data_set) == 0
    data_set.validation = "raise"
    with pytest.raises(dc.EncodeError, match=said):
        setattr(data_set, name, 1)
    data_set.validation = "ignore"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        setattr(data_set, name, 2)


class Study(dc.Dataset):
    Folder = "x"


@pytest.mark.parametrize("name", ["_cache", "cache", "my_cache", "My_Cache", "myCache", "Folder", "ID", "file_meta"])
def test_attributes_that_resemble_no_keyword_are_set_silently(name):
    data_set = Study()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        setattr(data_set, name, None)


def test_setting_a_repeating_element_by_keyword_is_refused():
    with pytest.raises(ValueError, match="OverlayData"):
        dc.Dataset().OverlayData = b"ab"


# -- what to do instead

ABSENT = {
    "decompress": (lambda ds: ds.decompress(), 'transcode(ds, target, to="explicit")'),
    "compress": (lambda ds: ds.compress("1.2.840.10008.1.2.5"), "transcode(ds, target, to=syntax)"),
    "overlay_array": (lambda ds: ds.overlay_array(0x6000), "ds.frames.overlays"),
    "waveform_array": (lambda ds: ds.waveform_array(0), "ds.waveforms.decode(index, scaled=True)"),
    "set_pixel_data": (lambda ds: ds.set_pixel_data([[1]], "MONOCHROME2", 8), "set_pixels(array)"),
    "original_encoding": (lambda ds: ds.original_encoding, "is_implicit_VR and is_little_endian"),
    "is_little_endian set": (lambda ds: setattr(ds, "is_little_endian", True), "transfer_syntax"),
    "is_implicit_VR set": (lambda ds: setattr(ds, "is_implicit_VR", True), "transfer_syntax"),
    "filename set": (lambda ds: setattr(ds, "filename", "a"), "read from"),
    "pixel_array set": (lambda ds: setattr(ds, "pixel_array", 1), "set_pixels(array)"),
    "FileDataset": (lambda ds: dc.FileDataset, "dcmread gives a Dataset"),
    "config": (lambda ds: dc.config, "arguments of the calls"),
}


@pytest.mark.parametrize(("action", "instead"), ABSENT.values(), ids=ABSENT)
def test_an_absent_name_says_what_to_do_instead(action, instead):
    with pytest.raises(AttributeError, match=r"docs/from-pydicom\.md") as raised:
        action(dc.Dataset())
    assert instead in str(raised.value)


def test_other_absent_names_have_pythons_message():
    with pytest.raises(AttributeError, match=r"^'Dataset' object has no attribute 'nothing'$"):
        dc.Dataset().nothing  # noqa: B018
    with pytest.raises(AttributeError, match=r"^module 'dicomcore' has no attribute 'nothing'$"):
        dc.nothing  # noqa: B018


def test_every_advice_is_for_a_name_that_is_absent():
    from dicomcore.dataset import advice

    assert [name for name in advice.INSTEAD if hasattr(dc.Dataset, name)] == []
    assert [name for name in advice.MODULE if hasattr(dc, name)] == []
    assert [name for name in advice.SETTING if not hasattr(dc.Dataset, name)] == []
    known = set(dir(pydicom.dataset.FileDataset)) | {"buffer", "fileobj_type", "timestamp"}
    assert set(advice.INSTEAD) <= known

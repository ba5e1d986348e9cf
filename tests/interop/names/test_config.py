"""pydicom.config under install(), against pydicom itself: names, defaults, and the settings that have an effect.

The others warn that they have none (docs/from-pydicom.md); `tests/interop/test_place.py` looks at that.
"""

from __future__ import annotations

import pytest

from tests.interop.names.both import FILES, Both, params

SETUP = (
    FILES
    + """
import contextlib, decimal, io, logging, warnings
import pydicom
from pydicom import config, dcmread
from pydicom.dataelem import DataElement, RawDataElement, convert_raw_data_element
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.tag import Tag
from pydicom.valuerep import DA, DS, DT, IS, TM, PersonName
@contextlib.contextmanager
def changed(owner=config, **values):
    before = {name: getattr(owner, name) for name in values}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name, value in values.items():
            setattr(owner, name, value)
    try:
        yield
    finally:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for name, value in before.items():
                setattr(owner, name, value)
def under(action, owner=config, **values):
    # what an action gives where settings have these values
    with changed(owner, **values):
        return action()
def reading(mode, action):
    return under(action, config.settings, reading_validation_mode=mode)
def writing(mode, action):
    return under(action, config.settings, writing_validation_mode=mode)
def around(**elements):
    ds = Dataset()
    for keyword, value in elements.items():
        setattr(ds, keyword, value)
    return ds
def ct():
    return dcmread(FILES / "CT_small.dcm")
def raw(vr, value, tag=0x00100020):
    return convert_raw_data_element(RawDataElement(Tag(tag), vr, len(value), value, 0, vr is None, True)).value
def saved(ds):
    stream = io.BytesIO()
    ds.save_as(stream, implicit_vr=False)
    return stream.getvalue()
IGNORE, WARN, RAISE = config.IGNORE, config.WARN, config.RAISE
"""
)
NAMES = (
    "use_DS_decimal",
    "use_DS_numpy",
    "use_IS_numpy",
    "datetime_conversion",
    "allow_DS_float",
    "enforce_valid_values",
    "replace_un_with_known_vr",
    "convert_wrong_length_to_UN",
    "show_file_meta",
    "APPLY_J2K_CORRECTIONS",
    "assume_implicit_vr_switch",
    "data_element_callback",
    "data_element_callback_kwargs",
    "INVALID_KEYWORD_BEHAVIOR",
    "INVALID_KEY_BEHAVIOR",
    "use_none_as_empty_text_VR_value",
    "debugging",
    "have_numpy",
    "IGNORE",
    "WARN",
    "RAISE",
)
SETTINGS = ("reading_validation_mode", "writing_validation_mode", "infer_sq_for_un_vr", "buffered_read_size")
FUNCTIONS = ("debug", "reset_data_element_callback", "future_behavior", "DS_decimal", "DS_numpy", "strict_reading")
SAME = {
    **{f"{name}, its default": f"config.{name}" for name in NAMES if name != "enforce_valid_values"},
    **{f"settings.{name}, its default": f"config.settings.{name}" for name in SETTINGS},
    **{f"{name}()": f"callable(config.{name})" for name in (*FUNCTIONS, "disable_value_validation")},
    "a setting reads back": "under(lambda: config.datetime_conversion, datetime_conversion=True),"
    " config.datetime_conversion",
    "a mode reads back": "reading(RAISE, lambda: config.settings.reading_validation_mode)",
    "a mode for writing reads back": "writing(IGNORE, lambda: config.settings.writing_validation_mode)",
    "settings": "type(config.settings).__name__, config.Settings is type(config.settings)",
    "logger": "config.logger.name, isinstance(config.logger, logging.Logger)",
    "handlers": "len(config.pixel_data_handlers), all(hasattr(h, 'supports_transfer_syntax') for h in"
    " config.pixel_data_handlers)",
    "debug": "config.debug(True, False), config.logger.level, config.debug(False, False), config.logger.level",
    "DS of a wrong text in mode RAISE": "reading(RAISE, lambda: DS('1.23456789012345678901'))",
    "IS of a wrong text in mode RAISE": "reading(RAISE, lambda: IS('99999999999'))",
    "an element in mode RAISE": "reading(RAISE, lambda: DataElement(0x00080060, 'CS', 'lower'))",
    "an element in mode IGNORE": "reading(IGNORE, lambda: DataElement(0x00080060, 'CS', 'lower').value)",
    "a raw element of an unknown tag in mode RAISE": "reading(RAISE, lambda: raw(None, b'ab', 0x88880088))",
    "a set value in mode RAISE": "writing(RAISE, lambda: around(Modality='lower'))",
    "a set value in mode WARN": "writing(WARN, lambda: around(Modality='lower').Modality)",
    "a set value in mode IGNORE": "writing(IGNORE, lambda: around(Modality='lower').Modality)",
    "a set date in mode RAISE": "writing(RAISE, lambda: around(StudyDate='x'))",
    "a set UID in mode RAISE": "writing(RAISE, lambda: around(SOPInstanceUID='1.x'))",
    "a set name in mode RAISE": "writing(RAISE, lambda: around(PatientName='a' * 70).PatientName)",
    "a set number in mode RAISE": "writing(RAISE, lambda: around(Rows=-1))",
    "a long text in mode RAISE": "writing(RAISE, lambda: around(PatientID='x' * 65))",
    "a good value in mode RAISE": "writing(RAISE, lambda: around(Modality='CT', PatientID='x', Rows=3).Modality)",
    "a value set in reading mode RAISE": "reading(RAISE, lambda: around(Modality='lower').Modality)",
    "a value set in reading mode IGNORE": "reading(IGNORE, lambda: around(Modality='lower').Modality)",
    "a written file in mode RAISE": "writing(RAISE, lambda: saved(around(Modality='CT')))",
    "a good file in mode RAISE": "reading(RAISE, lambda: str(ct()))",
    "a DS in a file in mode RAISE": "reading(RAISE, lambda: str(dcmread(FILES / 'rtplan.dcm')))",
    "implicit VR labelled explicit in mode RAISE": "reading(RAISE, lambda: dcmread(FILES / 'SC_rgb_jpeg.dcm'))",
    "strict_reading": "\nwith warnings.catch_warnings():\n    warnings.simplefilter('ignore')\n"
    "    with config.strict_reading():\n        found = ct().PatientID\nfound, config.settings.reading_validation_mode",
    "disable_value_validation": "\nwith config.disable_value_validation():\n    found ="
    " around(Modality='lower').Modality\nfound",
    "disable_value_validation, afterwards": "\nwith config.disable_value_validation():\n    pass\n"
    "config.settings.reading_validation_mode, config.settings.writing_validation_mode",
    "enforce_valid_values": "config.enforce_valid_values",
    "use_DS_decimal": "type(under(lambda: DS('1.5'), use_DS_decimal=True)).__name__",
    "use_DS_decimal of a float": "under(lambda: DS(1.5), use_DS_decimal=True)",
    "use_DS_decimal, from a file": "under(lambda: isinstance(ct().SliceThickness, decimal.Decimal),"
    " use_DS_decimal=True)",
    "datetime_conversion, DA": "under(lambda: (DA('20200102').year, str(DA('20200102'))), datetime_conversion=True)",
    "infer_sq_for_un_vr": "under(lambda: str(dcmread(FILES / 'UN_sequence.dcm')), config.settings,"
    " infer_sq_for_un_vr=True)",
    "buffered_read_size": "under(lambda: config.settings.buffered_read_size, config.settings, buffered_read_size=10)",
    "buffered_read_size of nothing": "config.settings.buffered_read_size = 0",
    "a setting that is none": "config.nothing",
    "a setting of one's own": "config.my_own = 5; config.my_own",
}
FAULTS = {}
"""Where dicomcore still differs though it should not."""
BOTH = Both(SETUP, SAME)


@pytest.mark.parametrize("name", params(SAME, FAULTS))
def test_as_in_pydicom(name):
    BOTH.check(name)

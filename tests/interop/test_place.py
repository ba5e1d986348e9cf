"""install() and ``python -m dicomcore.interop.pydicom``: each case is a program of its own, as it is process-wide."""

from __future__ import annotations

import subprocess
import sys
import textwrap

import pytest

from tests.support.corpus import real

INSTALL = "from dicomcore.interop.pydicom import install, uninstall\ninstall()\n"
WITHOUT = """
import sys
from importlib.machinery import PathFinder
found = PathFinder.find_spec
PathFinder.find_spec = lambda name, *args: None if name == "pydicom" else found(name, *args)
"""


def run(*arguments: str, **options) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *arguments], capture_output=True, text=True, timeout=120, **options)


def program(text: str, *, before: str = "", ok: bool = True) -> subprocess.CompletedProcess[str]:
    done = run("-W", "default", "-c", before + INSTALL + textwrap.dedent(text))
    assert not ok or done.returncode == 0, done.stderr
    return done


@pytest.fixture(scope="module")
def ct() -> str:
    return str(real("CT_small.dcm"))


@pytest.mark.parametrize("before", ["", WITHOUT], ids=["with pydicom", "without pydicom"])
def test_a_program_that_reads_changes_and_writes(ct, before, tmp_path):
    done = program(
        f"""
        import pydicom
        from pydicom import config, uid
        from pydicom.dataelem import DataElement
        from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
        from pydicom.datadict import keyword_for_tag, tag_for_keyword
        from pydicom.errors import InvalidDicomError
        from pydicom.filereader import dcmread
        from pydicom.multival import MultiValue
        from pydicom.sequence import Sequence
        from pydicom.tag import BaseTag, Tag
        from pydicom.uid import UID, ExplicitVRLittleEndian, generate_uid
        from pydicom.valuerep import DSfloat, PersonName

        ds = dcmread({ct!r})
        print(type(ds) is FileDataset, type(ds.file_meta) is FileMetaDataset, isinstance(ds, pydicom.Dataset))
        print(ds.PatientName, isinstance(ds.PatientName, PersonName), ds.SliceThickness, ds.PixelSpacing)
        print(isinstance(ds.PixelSpacing, MultiValue), isinstance(ds.SliceThickness, DSfloat))
        print(type(ds["PatientID"]) is DataElement, ds["PatientID"].repval, isinstance(ds["PatientID"].tag, BaseTag))
        item = Dataset()
        item.CodeValue = "1"
        ds.ConceptNameCodeSequence = [item]
        print(type(ds.ConceptNameCodeSequence) is Sequence, type(ds.ConceptNameCodeSequence[0]) is Dataset)
        print(hasattr(Dataset(), "file_meta"), ds.file_meta.TransferSyntaxUID == ExplicitVRLittleEndian)
        ds.PatientID = None
        print(ds.PatientID, keyword_for_tag(0x00100020), hex(tag_for_keyword("PatientID")), generate_uid().is_valid)
        ds.save_as({str(tmp_path / "a.dcm")!r})
        print(dcmread({str(tmp_path / "a.dcm")!r}).ConceptNameCodeSequence[0].CodeValue)
        try:
            dcmread(b"no DICOM file" * 99)
        except InvalidDicomError:
            print("refused")
        """,
        before=before,
    )
    assert done.stdout.splitlines() == [
        "True True True",
        "CompressedSamples^CT1 True 5.000000 [0.661468, 0.661468]",
        "True True",
        "True '1CT1' True",
        "True True",
        "False True",
        "None PatientID 0x100020 True",
        "1",
        "refused",
    ]
    assert done.stderr == ""


NOT_THERE = {
    "a name in an import": ("from pydicom.dataset import no_such_name", "ImportError", "pydicom.dataset.no_such_name"),
    "an attribute": ("import pydicom; pydicom.no_such_name", "AttributeError", "pydicom.no_such_name"),
    "a module": ("import pydicom.no_such_module", "ModuleNotFoundError", "pydicom.no_such_module"),
}


@pytest.mark.parametrize(("code", "error", "name"), NOT_THERE.values(), ids=NOT_THERE)
def test_what_is_not_there_is_named_with_the_page(code, error, name):
    done = program(code, ok=False)
    assert done.returncode == 1
    assert f"{error}: {name} is not there with dicomcore in pydicom's place: see docs/from-pydicom.md" in done.stderr
    assert f"  {name}  1 time, first at <string>:3" in done.stderr


def test_a_probe_is_counted_and_goes_on():
    done = program("import pydicom\nfor _ in range(3): print(getattr(pydicom, 'no_such_name', 'absent'))")
    assert done.stdout.split() == ["absent"] * 3
    assert "  pydicom.no_such_name  3 times, first at <string>:4" in done.stderr


def test_a_module_without_a_page_is_pydicoms_own_over_our_classes():
    done = program(
        """
        import dicomcore, pydicom
        from pydicom.sr.codedict import codes
        from pydicom.util.codify import code_dataelem
        print(codes.SCT.Kidney.meaning, code_dataelem(pydicom.DataElement("PatientID", "LO", "x")))
        """
    )
    assert done.stdout.strip() == "Kidney ds.PatientID = 'x'"


def test_without_pydicom_its_own_modules_are_not_there():
    done = program("import pydicom.sr.codedict", before=WITHOUT, ok=False)
    assert "ModuleNotFoundError: pydicom.sr" in done.stderr


def test_pydicom_must_not_be_imported_before():
    done = program("", before="import pydicom\n", ok=False)
    assert "RuntimeError: pydicom is imported already: call install() before anything that imports it" in done.stderr


def test_uninstall_gives_pydicom_back():
    done = program(
        """
        import pydicom
        ours = pydicom.Dataset
        install()
        uninstall()
        uninstall()
        import dicomcore
        print(type(dicomcore.Dataset({}).copy()) is dicomcore.Dataset)
        import pydicom
        print(pydicom.Dataset is ours, pydicom.Dataset.__module__)
        item = dicomcore.Dataset()
        item.BeamSequence = [{"BeamNumber": 1}]
        print(type(item.BeamSequence[0]) is dicomcore.Dataset, repr(item.get("PatientID")))
        """
    )
    assert done.stdout.splitlines() == ["True", "False pydicom.dataset", "True None"]


def test_settings_without_effect_warn_once_and_say_what_to_do():
    done = program(
        """
        from pydicom import config
        config.settings.reading_validation_mode = config.RAISE
        config.settings.reading_validation_mode = config.IGNORE
        config.use_DS_decimal = True
        config.use_DS_decimal = False
        config.debug(False)
        """
    )
    warnings = [line for line in done.stderr.splitlines() if "has no effect" in line or "only affects" in line]
    assert len(warnings) == 2
    assert "settings.reading_validation_mode" in warnings[0]
    assert "strict=True" in warnings[0]
    assert "docs/from-pydicom.md" in warnings[1]


def test_a_misspelt_keyword_warns():
    done = program("import pydicom\npydicom.Dataset().PatientNme = 'x'")
    assert "'PatientNme' is not a keyword" in done.stderr
    assert "is PatientName meant?" in done.stderr


# -- python -m

SHOW = "import sys, pydicom; print(sys.argv[1:], pydicom.Dataset.__module__.partition('.')[0], __name__, sys.path[0])"


def test_a_program_runs_unchanged(tmp_path):
    (tmp_path / "beside.py").write_text("there = 1")
    (tmp_path / "show.py").write_text(f"import beside\n{SHOW}")
    done = run("-m", "dicomcore.interop.pydicom", str(tmp_path / "show.py"), "-x", "1")
    assert done.stdout.strip() == f"['-x', '1'] dicomcore __main__ {tmp_path}"


def test_a_module_runs(tmp_path):
    (tmp_path / "shown.py").write_text(SHOW)
    done = run("-m", "dicomcore.interop.pydicom", "-m", "shown", "a", cwd=tmp_path)
    assert done.stdout.strip() == f"['a'] dicomcore __main__ {tmp_path}"


def test_code_runs():
    done = run("-m", "dicomcore.interop.pydicom", "-c", SHOW, "a")
    assert done.stdout.startswith("['a'] dicomcore __main__")


def test_a_folder_with_a_main_module_runs(tmp_path):
    (tmp_path / "__main__.py").write_text(SHOW)
    done = run("-m", "dicomcore.interop.pydicom", str(tmp_path))
    assert done.stdout.startswith("[] dicomcore __main__")


WRONG = {
    "nothing": ([], 2, "usage: python -m dicomcore.interop.pydicom"),
    "an option": (["--fast"], 2, "unknown option --fast"),
    "no module": (["-m"], 2, "-m needs an argument"),
    "no such program": (["none.py"], 2, "no such program: none.py"),
    "help": (["--help"], 0, ""),
    "its own exit code": (["-c", "raise SystemExit(7)"], 7, ""),
    "its own error": (["-c", "1 / 0"], 1, "ZeroDivisionError"),
}


@pytest.mark.parametrize(("arguments", "code", "text"), WRONG.values(), ids=WRONG)
def test_exit_codes(arguments, code, text):
    done = run("-m", "dicomcore.interop.pydicom", *arguments)
    assert done.returncode == code
    assert text in done.stderr


def test_a_data_set_made_in_memory_is_written(tmp_path):
    """It has no attribute `preamble`, as in pydicom, and is written all the same."""
    path = str(tmp_path / "made.dcm")
    done = program(
        f"""
        import io
        import pydicom
        from pydicom.dataset import Dataset, FileMetaDataset
        from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian

        ds = Dataset()
        ds.SOPClassUID, ds.SOPInstanceUID, ds.PatientID = CTImageStorage, "1.2.3", "made"
        print(hasattr(ds, "preamble"), hasattr(ds, "file_meta"))
        bare = io.BytesIO()
        pydicom.dcmwrite(bare, ds, implicit_vr=True, little_endian=True)
        print(bare.getvalue()[:4])
        ds.file_meta = FileMetaDataset()
        ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        ds.save_as({path!r}, enforce_file_format=True)
        again = pydicom.dcmread({path!r})
        print(again.PatientID, again.preamble == bytes(128), again.file_meta.MediaStorageSOPInstanceUID)
        """
    )
    assert done.stdout.splitlines() == ["False False", "b'\\x08\\x00\\x16\\x00'", "made True 1.2.3"]


def test_mode_raise_refuses_another_vr_encoding_than_the_one_that_is_stated():
    done = program(
        f"""
        import pydicom
        from pydicom import config
        from pydicom.errors import InvalidDicomError

        print(pydicom.dcmread({str(real("SC_rgb_jpeg.dcm"))!r}).Rows)
        config.settings.reading_validation_mode = config.RAISE
        print(pydicom.dcmread({str(real("CT_small.dcm"))!r}).Rows)
        try:
            pydicom.dcmread({str(real("SC_rgb_jpeg.dcm"))!r})
        except InvalidDicomError as error:
            print(error)
        """
    )
    assert done.stdout.splitlines() == ["256", "128", "labelled explicit VR, found implicit VR"]


def test_file_meta_is_there_if_it_was_set():
    """Also to None, which can be deleted; the slice of a data set made in memory has none."""
    done = program(
        """
        from pydicom.dataset import Dataset, FileMetaDataset

        ds = Dataset()
        ds.PatientID = "made"
        print(hasattr(ds[:], "file_meta"))
        ds.file_meta = FileMetaDataset()
        print(hasattr(ds[:], "file_meta"))
        ds.file_meta = None
        print(hasattr(ds, "file_meta"))
        del ds.file_meta
        print(hasattr(ds, "file_meta"))
        """
    )
    assert done.stdout.split() == ["False", "False", "True", "False"]


def test_a_program_raises_invalid_dicom_error_without_a_message():
    done = program(
        """
        from pydicom.errors import InvalidDicomError

        try:
            raise InvalidDicomError()
        except InvalidDicomError as error:
            print(error)
        """
    )
    assert done.stdout.strip() == "the input does not look like DICOM"

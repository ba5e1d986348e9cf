"""The modules that `import dicomcore` loads, and those that are loaded on access."""

from __future__ import annotations

import subprocess
import sys

import pytest
from pydicom.data import get_testdata_file

import dicomcore as dc


def test_packages_are_imported_on_access():
    code = "import sys, dicomcore as dc; assert 'dicomcore.codecs' not in sys.modules; dc.codecs.rle_encode; dc.pixels"
    subprocess.run([sys.executable, "-c", code], check=True)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = dc.nothing


@pytest.mark.parametrize(
    "work",
    [
        "",
        "ds = dc.dcmread(path); str(ds); ds.PatientName.family_name; ds.Rows; ds.PatientID = 'A'; ds.to_bytes()",
        "from dicomcore.cli import main; main(['dump', path])",
    ],
    ids=["import", "read and write", "dump"],
)
def test_numpy_is_imported_with_the_first_array(work):
    path = get_testdata_file("CT_small.dcm")
    code = f"import sys, dicomcore as dc; path = {path!r}; {work}\nassert 'numpy' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.DEVNULL)


def test_a_command_imports_no_other():
    code = "import sys; from dicomcore.cli.program import parser; parser(['dump'])"
    code += "\nassert 'dicomcore.cli.deid' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)

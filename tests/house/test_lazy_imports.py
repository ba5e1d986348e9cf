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


@pytest.mark.parametrize("package", ["dicomcore", "dicomcore.archive", "dicomcore.encoding", "dicomcore.deid"])
def test_names_that_are_loaded_later_are_all_there(package):
    code = f"import {package} as it; missing = set(it.__all__) - set(dir(it)); assert not missing, missing"
    code += "\nfor name in it.__all__: getattr(it, name)"
    code += f"\nfrom {package} import *"
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize(
    "left_out",
    ["inspect", "dataclasses", "dicomcore.part10.writer", "dicomcore.encoding.commands"],
)
def test_reading_a_file_loads_no_more_than_it_needs(left_out):
    path = get_testdata_file("CT_small.dcm")
    code = f"import sys, dicomcore as dc; str(dc.dcmread({path!r}))\nassert {left_out!r} not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("left_out", ["asyncio", "email", "pyarrow.compute", "rich", "dicomcore.fileset"])
def test_an_index_of_local_files_loads_no_more_than_it_needs(left_out, tmp_path):
    pytest.importorskip("pyarrow")
    path = get_testdata_file("CT_small.dcm")
    code = f"import sys; from dicomcore.archive import index; index({path!r}, out={str(tmp_path / 'x.parquet')!r})"
    subprocess.run([sys.executable, "-c", f"{code}\nassert {left_out!r} not in sys.modules"], check=True)


@pytest.mark.parametrize(
    "left_out", ["typing", "re", "enum", "threading", "datetime", "decimal", "argparse", "signal", "contextlib"]
)
def test_a_plain_dump_loads_no_slow_module_of_python(left_out):
    path = get_testdata_file("CT_small.dcm")
    code = f"import sys; before = set(sys.modules); from dicomcore.cli import main; main(['dump', {path!r}])"
    code += f"\nassert {left_out!r} not in set(sys.modules) - before"
    subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.DEVNULL)

"""Odd places to run in, in processes of their own: locales, one processor, little memory, long paths, old kernels."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pydicom.data
import pytest

FILES = Path(pydicom.data.__file__).parent
# Reads, decodes (in a worker too), writes, indexes and lists, in a folder whose name the locale may not know.
PROGRAM = """
import os, sys
{before}
import dicomcore as dc
from dicomcore.cli import main

def command(*words):
    sys.argv[1:] = words
    assert main() == 0

folder, text = sys.argv[1], "\\xc4\\u03a9\\u5c71"
for name in os.listdir(folder):
    path = os.path.join(folder, name)
    ds = dc.dcmread(path)
    if "Rows" in ds:
        apart = dc.dcmread(path, limits=dc.Limits(isolate=True))
        assert (apart.pixel_array == ds.pixel_array).all() and ds.pixel_array.any()
    ds.PatientID, ds.SpecificCharacterSet = text, "ISO_IR 192"
    ds.save_as(path + ".new")
    assert dc.dcmread(path + ".new").PatientID == text
command("dump", os.path.join(folder, "chrH31.dcm"))
if {index}:
    command("index", folder, "--out", os.path.join(folder, "index.parquet"))
"""
LIMIT = "import resource; resource.setrlimit(resource.RLIMIT_AS, (2**29, 2**29))"
ONE = "os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})"
NO_MEMORY_FILES = """
def refuse(*a, **k): raise OSError(38, "Function not implemented")
os.memfd_create = refuse
"""
LATIN = "en_US.ISO-8859-1"  # where it isn't installed, Python takes ASCII, which can't encode more
UNAWARE = {"PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}

SURROUNDINGS = {  # name: (environment, what comes before everything)
    "locale C": ({"LC_ALL": "C"}, ""),
    "locale C, without Python's UTF-8 mode": ({"LC_ALL": "C", **UNAWARE}, ""),
    "locale of ISO 8859-1": ({"LC_ALL": LATIN, **UNAWARE}, ""),
    "one processor": ({}, ONE),
    "512 MiB of addresses": ({"OPENBLAS_NUM_THREADS": "1"}, LIMIT),
    "a kernel without files in memory": ({}, NO_MEMORY_FILES),
}
LINUX = {"one processor", "512 MiB of addresses"}
NAMES = {"plain": "files", "letters": "Ünï 山", "long": "/".join(["d" * 100] * 3)}


def run(folder: Path, program: str, environment: dict[str, str]) -> str:
    here = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), **environment}
    done = subprocess.run([sys.executable, "-c", program, folder], env=here, capture_output=True, timeout=200)
    assert done.returncode == 0, done.stderr.decode(errors="replace")[-2000:]
    return done.stdout.decode(errors="replace")


CASES = [(each, "letters") for each in SURROUNDINGS] + [("one processor", "plain"), ("one processor", "long")]


@pytest.mark.parametrize(("surroundings", "name"), CASES, ids=map("-".join, CASES))
def test_reads_writes_and_indexes(surroundings, name, tmp_path):
    if surroundings in LINUX and sys.platform != "linux":
        pytest.skip("Linux only")
    environment, before = SURROUNDINGS[surroundings]
    folder = tmp_path / NAMES[name]
    folder.mkdir(parents=True)
    for each in ("test_files/CT_small.dcm", "test_files/JPEG2000.dcm", "charset_files/chrH31.dcm"):
        (folder / Path(each).name).write_bytes((FILES / each).read_bytes())
    has_arrow = find_spec("pyarrow") is not None
    said = run(folder, PROGRAM.replace("{before}", before).replace("{index}", str(has_arrow)), environment)
    assert "Yamada^Tarou" in said
    if has_arrow:
        import pyarrow.parquet as pq

        table = pq.read_table(folder / "index.parquet")
        assert table["error"].to_pylist() == [None] * 6
        assert sorted(Path(path).name for path in table["path"].to_pylist())[0] == "CT_small.dcm"

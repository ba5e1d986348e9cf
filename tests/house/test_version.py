"""The version is a literal in one file; the build, the package and written files take it from there."""

from __future__ import annotations

import ast
import tomllib
from importlib import metadata
from pathlib import Path

import pytest

import dicomcore as dc
from dicomcore.part10.meta import IMPLEMENTATION_VERSION_NAME
from dicomcore.version import __version__

ROOT = Path(__file__).resolve().parents[2]


def test_the_build_reads_the_version_without_importing_the_package():
    pyproject = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    assert "version" not in pyproject["project"]
    assert pyproject["project"]["dynamic"] == ["version"]
    module, _, name = pyproject["tool"]["setuptools"]["dynamic"]["version"]["attr"].rpartition(".")
    source = (ROOT / "src" / Path(*module.split("."))).with_suffix(".py").read_text("utf-8")
    (literal,) = (
        ast.literal_eval(node.value)
        for node in ast.parse(source).body
        if isinstance(node, ast.Assign) and [ast.unparse(target) for target in node.targets] == [name]
    )
    assert literal == dc.__version__ == __version__


def test_installed_metadata_has_the_version():
    try:
        installed = metadata.version("dicomcore")
    except metadata.PackageNotFoundError:
        pytest.skip("dicomcore is built in place and not installed")
    assert installed == dc.__version__


def test_files_name_the_version_that_wrote_them():
    major, minor, *_ = dc.__version__.split(".")
    ds = dc.Dataset()
    ds.SOPClassUID, ds.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.7", dc.new_uid()
    name = dc.dcmread(ds.to_bytes()).file_meta.ImplementationVersionName
    assert name == IMPLEMENTATION_VERSION_NAME
    assert name == f"DICOMCORE_{major}_{minor}"
    assert len(name) <= 16  # SH (PS3.5 6.2)

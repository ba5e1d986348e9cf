"""Packages whose names are loaded when they are first asked for."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module

import pytest

LAZY = ("archive", "deid", "display", "encoding", "interop.pydicom", "net", "web")


@pytest.mark.parametrize("name", LAZY)
def test_every_public_name_is_found_listed_and_kept(name):
    package = import_module(f"dicomcore.{name}")
    assert set(package.__all__) <= set(dir(package))
    for public in package.__all__:
        assert getattr(package, public) is vars(package)[public]


@pytest.mark.parametrize("name", LAZY)
def test_a_name_that_is_none(name):
    package = import_module(f"dicomcore.{name}")
    with pytest.raises(AttributeError, match=f"module 'dicomcore.{name}' has no attribute 'no_such_name'"):
        _ = package.no_such_name


MISSING = """
import sys
sys.modules["starlette"] = None
from dicomcore import web
try:
    web.app
except ModuleNotFoundError as error:
    print(error, error.name)
"""


def test_what_is_not_installed_is_said_with_the_extra_that_brings_it():
    """In a process of its own, where nothing has loaded the package's modules yet."""
    pytest.importorskip("starlette")
    answer = subprocess.run([sys.executable, "-c", MISSING], capture_output=True, text=True, check=True)
    assert "starlette" in answer.stdout
    assert 'pip install "dicomcore[web]" brings it' in answer.stdout

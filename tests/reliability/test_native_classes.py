"""Native classes made and called in ways that the package itself never does: they raise, the process goes on."""

from __future__ import annotations

import subprocess
import sys

import pytest

from dicomcore import DataElement, Dataset, Limits
from dicomcore._native.pixels.batch import Batch, How
from dicomcore._native.scan.index import reopen_value
from dicomcore._native.scan.opener import open_index
from dicomcore._native.views.data_element import holds_no_items
from dicomcore._native.views.dataset import make_dataset
from dicomcore._native.views.state import unpickled

WALK = """
import copy, importlib, pickle, pkgutil, sys
import dicomcore, dicomcore._native
from dicomcore._native.scan.index import Index

OPERATIONS = (repr, str, hash, len, bool, list, bytes, memoryview, next, copy.copy, copy.deepcopy, pickle.dumps,
              lambda made: pickle.loads(pickle.dumps(made)), lambda made: made == made, lambda made: made < made,
              lambda made: made[0], lambda made: made["x"], lambda made: made + 1, lambda made: 0 in made)
ARGUMENTS = (None, 0, -1, 7, 2**40, b"", b"abcdefgh", "", "x", [], {}, ())
SKIPPED = {"__class__", "__init_subclass__", "__subclasshook__"}

def attempt(what, call, *given):
    print(what, file=sys.stderr)
    try:
        return call(*given)
    except Exception:
        return None

def made_of(cls):
    for make in (cls, lambda: cls.__new__(cls), lambda: type("Heir", (cls,), {"__init__": lambda self: None})()):
        made = attempt(f"making {cls}", make)
        if made is not None:
            yield made

def call(where, function, own):
    for count in range(7):
        for argument in (*ARGUMENTS, *own):
            attempt(f"{where} with {count} {type(argument)}", function, *[argument] * count)
            attempt(f"{where} with itself and {count} {type(argument)}", function, *own, *[argument] * count)

def handle(made):
    named = type(made).__name__
    for operation in OPERATIONS:
        attempt(f"{operation} of {named}", operation, made)
    for name in dir(type(made)):
        if name in SKIPPED:
            continue
        found = attempt(f"{named}.{name}", getattr, made, name)
        if callable(found):
            call(f"{named}.{name}", found, [made])
        if not name.startswith("__"):
            for value in ARGUMENTS:
                attempt(f"{named}.{name} = {value!r}", setattr, made, name, value)
            attempt(f"del {named}.{name}", delattr, made, name)

names = [module.name for module in pkgutil.walk_packages(dicomcore._native.__path__, "dicomcore._native.")]
native = [module for module in map(importlib.import_module, names) if module.__file__.endswith((".so", ".pyd"))]
classes = [one for module in native for one in vars(module).values()
           if isinstance(one, type) and one.__module__ == module.__name__]
classes += [dicomcore.Dataset, dicomcore.Sequence, dicomcore.DataElement]
for cls in classes:
    for made in made_of(cls):
        handle(made)
for module in native:
    for name, function in list(vars(module).items()):
        if type(function).__name__ == "cython_function_or_method":
            call(f"{module.__name__}.{name}", function, [Index()])
print(len(classes))
"""


def test_what_is_made_by_hand_raises_and_never_ends_the_process(tmp_path):
    ended = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", WALK], capture_output=True, text=True, timeout=300, cwd=tmp_path
    )
    assert ended.returncode == 0, ended.stderr[-500:]
    assert int(ended.stdout.split()[-1]) > 40


def test_an_element_that_was_not_initialized_is_empty():
    element = type("Heir", (DataElement,), {"__init__": lambda self: None})()
    assert (element.tag, element.VR, element.VM, element.value, element.is_empty) == (0, "UN", 0, None, True)


def test_rows_that_an_index_does_not_have_are_refused():
    data_set = Dataset()
    data_set.PatientID = "1"
    index = open_index(data_set.to_bytes(enforce_standard=False), limits=Limits(), force=True)
    for row in (len(memoryview(index)), 1 << 40):
        with pytest.raises(IndexError):
            make_dataset(Dataset, index, row)
        with pytest.raises(IndexError):
            holds_no_items(index, row)
        with pytest.raises(IndexError):
            reopen_value(index, row)
        with pytest.raises(IndexError):
            unpickled(Dataset, (index, row, None, None, False), {}, {})


def test_frames_of_no_size_are_refused():
    with pytest.raises(ValueError, match="How"):
        Batch(How.__new__(How), bytes(8), 0, bytearray(16), bytearray(8))

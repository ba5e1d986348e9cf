"""The same cases in pydicom and in dicomcore under install(): two programs, whose answers have to be equal.

A case is Python code: the value of its last expression is the answer. The classes may differ: an answer is its `repr`
after `str` for numbers, and the name of an error's class in pydicom has to be among the classes of ours.
"""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

from tests.support.corpus import PYDICOM

PROGRAM = """
import ast, hashlib, json, sys, textwrap, warnings
from collections.abc import Sequence

def answer(case, names):
    *steps, last = ast.parse(textwrap.dedent(case).strip()).body
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            exec(compile(ast.Module(steps, []), "case", "exec"), names)
            value = shown(eval(compile(ast.Expression(last.value), "case", "eval"), names))
        except Exception as error:
            return ["error", [kind.__name__ for kind in type(error).__mro__], bool(caught)]
    return ["value", value, bool(caught)]

def shown(value):
    if value is None or isinstance(value, (bool, bytes, bytearray)):
        return repr(value)
    if isinstance(value, (Sequence, set)) and not isinstance(value, str):
        return [shown(one) for one in (sorted(value, key=str) if isinstance(value, set) else value)]
    if isinstance(value, dict):
        return [[shown(key), shown(one)] for key, one in value.items()]
    if hasattr(value, "tobytes") and getattr(value, "ndim", 0):
        value = value.astype(value.dtype.newbyteorder("="))
        return [str(value.dtype), list(value.shape), hashlib.sha256(value.tobytes()).hexdigest()]
    return str(value)

ours, setup, cases = json.loads(sys.stdin.read())
if ours:
    from dicomcore.interop.pydicom import install
    install(report=False)
names = {}
exec(setup, names)
print(json.dumps([answer(case, dict(names)) for case in cases]))
"""
FILES = f"""
from pathlib import Path
FILES = Path({str(PYDICOM / "test_files")!r})
"""
"""The start of a setup: the folder of the files that pydicom ships."""


def answers(setup: str, cases: dict[str, str], *, ours: bool) -> dict[str, list]:
    """The answer to each case: ["value", text, warned] or ["error", names of classes, warned]."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        input=json.dumps([ours, setup, list(cases.values())]),
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return dict(zip(cases, json.loads(done.stdout.splitlines()[-1]), strict=True))


class Both:
    """The answers of both to the cases of one page, asked for once."""

    def __init__(self, setup: str, cases: dict[str, str]) -> None:
        self.setup, self.cases = setup, cases
        self.found: tuple[dict[str, list], dict[str, list]] | None = None

    def check(self, name: str) -> None:
        """Both give equal values, or errors of which ours is at least pydicom's; and warn in the same cases."""
        if self.found is None:
            self.found = tuple(answers(self.setup, self.cases, ours=ours) for ours in (False, True))
        (kind, theirs, warned), (our_kind, our_answer, we_warned) = (found[name] for found in self.found)
        assert our_kind == kind, (theirs, our_answer)
        if kind == "error":
            assert theirs[0] in our_answer
        else:
            assert our_answer == theirs
            assert we_warned == warned


def params(cases: dict[str, str], faults: dict[str, str]) -> list[Any]:
    """The names of cases for `parametrize`; those with a fault that is not mended yet have to fail."""
    assert faults.keys() <= cases.keys()
    marks = {name: pytest.mark.xfail(reason=reason, raises=AssertionError) for name, reason in faults.items()}
    return [pytest.param(name, marks=marks.get(name, ())) for name in cases]

"""Masks and images that dcmrtstruct2nii makes of the structure sets in rt-utils' tests.

pytest compares the bytes of every output with those of this module, run as a program with pydicom itself.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from dcmrtstruct2nii import dcmrtstruct2nii, list_rt_structs

DATA = Path.cwd().parent / "rt-utils" / "tests" / "mock_data"
STRUCTURES = ("rt.dcm", "invalid_reference_rt.dcm", "non_existent_reference_rt.dcm", "ct_1.dcm")


def answer(name: str) -> list[str] | dict[str, str]:
    """The names of the structures and the hashes of the outputs, or that it fails."""
    with tempfile.TemporaryDirectory() as out:
        try:
            found = list_rt_structs(str(DATA / name))
            dcmrtstruct2nii(str(DATA / name), str(DATA), out, gzip=False)
        except Exception as error:
            return [type(error).__name__]
        made = sorted(Path(out).iterdir())
        hashes = {one.name: hashlib.sha256(one.read_bytes()).hexdigest() for one in made}
        return {"structures": " ".join(found)} | hashes


@pytest.fixture(scope="module")
def expected() -> dict[str, list[str] | dict[str, str]]:
    ended = subprocess.run([sys.executable, __file__], check=True, stdout=subprocess.PIPE)
    return json.loads(ended.stdout.splitlines()[-1])


@pytest.mark.parametrize("name", STRUCTURES)
def test_masks(name, expected):
    assert answer(name) == expected[name]


if __name__ == "__main__":
    print(json.dumps({name: answer(name) for name in STRUCTURES}))

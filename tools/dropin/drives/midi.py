"""The indexer of the MIDI challenge's validation script on the files that pydicom ships: every value as text, by path.

pytest compares each file with what this module, run as a program with pydicom itself, prints.
"""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import warnings
from importlib.machinery import PathFinder
from pathlib import Path

import pandas as pd
import pytest
from modules.file_indexer import file_indexer

PYDICOM = PathFinder.find_spec("pydicom").submodule_search_locations[0]
FILES = sorted((Path(PYDICOM) / "data" / "test_files").glob("*.dcm"))


def answer(file: Path) -> dict[str, str] | str:
    """All that the indexer says of a file, or that it fails."""
    row = pd.DataFrame([{"file_name": file.name, "file_path": str(file), "file_digest": ""}])
    try:
        return file_indexer().index_files(row, os.devnull, logging.ERROR)[0]
    except Exception:
        return "fails"


@pytest.fixture(scope="module")
def expected() -> dict[str, dict[str, str] | str]:
    ended = subprocess.run([sys.executable, __file__], check=True, stdout=subprocess.PIPE)
    return json.loads(ended.stdout)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_index(file, expected):
    assert answer(file) == expected[file.name]


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    print(json.dumps({file.name: answer(file) for file in FILES}))

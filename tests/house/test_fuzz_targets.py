"""The targets of fuzz/ in plain Python: each on some of its seeds, and on empty and tiny input."""

from __future__ import annotations

import subprocess
import sys
from itertools import islice
from pathlib import Path

import pytest

import dicomcore as dc
from fuzz import imaging
from fuzz.target import FuzzInput, Target
from fuzz.targets import TARGETS

ROOT = Path(__file__).resolve().parents[2]
SEEDS = 12
EVERY = pytest.mark.parametrize("name", TARGETS)


@pytest.fixture(autouse=True)
def codecs_stay(monkeypatch):
    """A fuzzing process disables foreign codecs for good; the test process must keep them."""
    monkeypatch.setattr(imaging, "disable_foreign_codecs", lambda: None)


@EVERY
@pytest.mark.filterwarnings("ignore")
def test_seeds(name: str):
    target = TARGETS[name]
    seeds = list(target.seeds())
    if not seeds:
        pytest.skip(f"{name} has seeds in the corpus alone")
    for data in islice(seeds, 0, None, -(-len(seeds) // SEEDS)):
        target(data[: target.most])


@EVERY
@pytest.mark.filterwarnings("ignore")
def test_empty_and_tiny_input(name: str):
    for data in (b"", b"\0", b"\xff" * 300, bytes(range(200))):
        TARGETS[name](data)


def test_other_exceptions_are_findings():
    def refuse(data: bytes) -> None:
        raise dc.ParseError("said", offset=0)

    def leave_the_hierarchy(data: bytes) -> None:
        raise KeyError(data)

    Target(refuse, tuple)(b"")
    with pytest.raises(KeyError):
        Target(leave_the_hierarchy, tuple)(b"")


def test_options_come_from_the_first_bytes():
    taken = FuzzInput(b"\1\2\3\2abc")
    assert (taken.byte(), taken.word(), taken.part(), taken.left) == (1, 0x302, b"ab", b"c")
    assert (taken.byte(), taken.byte(), taken.part()) == (ord("c"), 0, b"")
    assert FuzzInput(b"\5").one_of(("a", "b")) == "b"


def test_replay_needs_no_clang(tmp_path: Path):
    path = tmp_path / "crash"
    path.write_bytes(b"1.5\\2")
    command = [sys.executable, "-m", "fuzz.replay", str(path), "numbers"]
    said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert (said.returncode, said.stdout) == (0, "numbers: 1 inputs\n"), said.stderr
    assert subprocess.run([*command[:-1], "nonsense"], cwd=ROOT, capture_output=True, timeout=120).returncode == 2

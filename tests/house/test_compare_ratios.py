"""benches/compare.py finds works that became slower, and isn't misled by a peer, noise or unmeasured works."""

from __future__ import annotations

import json
from typing import Any

import pytest

from benches import compare


def run(**works: dict[str, float]) -> dict[str, Any]:
    """A run's record: the median ratio of each work to each peer."""
    ratios = {
        work: {peer: {"median": one, "least": one, "most": one} for peer, one in peers.items()}
        for work, peers in works.items()
    }
    return {"dicomcore": "1", "passes": 5, "machine": {"versions": {"pydicom": "3.0.1"}}, "ratios": ratios}


KEPT = run(read={"pydicom": 40.0, "gdcm": 20.0, "dicomsdl": 10.0}, rle={"pylibjpeg-rle": 4.0})
CASES = {  # name: (fresh run, works that are lost)
    "the same": (KEPT, []),
    "faster": (run(read={"pydicom": 80.0, "gdcm": 40.0, "dicomsdl": 20.0}, rle={"pylibjpeg-rle": 5.0}), []),
    "noise": (run(read={"pydicom": 33.0, "gdcm": 16.0, "dicomsdl": 8.0}, rle={"pylibjpeg-rle": 3.2}), []),
    "we became slower": (
        run(read={"pydicom": 20.0, "gdcm": 10.0, "dicomsdl": 5.0}, rle={"pylibjpeg-rle": 4.0}),
        ["read"],
    ),
    "one peer became faster": (
        run(read={"pydicom": 40.0, "gdcm": 20.0, "dicomsdl": 2.0}, rle={"pylibjpeg-rle": 4.0}),
        [],
    ),
    "the only peer's ratio fell": (
        run(read={"pydicom": 40.0, "gdcm": 20.0, "dicomsdl": 10.0}, rle={"pylibjpeg-rle": 2.9}),
        ["rle"],
    ),
    "a work is gone": (run(read={"pydicom": 40.0, "gdcm": 20.0, "dicomsdl": 10.0}), ["rle"]),
    "a work's peers are others": (
        run(read={"pydicom": 40.0, "gdcm": 20.0, "dicomsdl": 10.0}, rle={"another": 9.0}),
        ["rle"],
    ),
    "a peer is gone": (run(read={"pydicom": 40.0}, rle={"pylibjpeg-rle": 4.0}), []),
    "a work is new": (
        run(
            read={"pydicom": 40.0, "gdcm": 20.0, "dicomsdl": 10.0},
            rle={"pylibjpeg-rle": 4.0},
            write={"pydicom": 0.1},
        ),
        [],
    ),
    "all at once": (run(rle={"pylibjpeg-rle": 1.0}), ["read", "rle"]),
}


@pytest.fixture
def files(tmp_path):
    def write(**runs: dict[str, Any]) -> list[str]:
        for name, told in runs.items():
            (tmp_path / f"{name}.json").write_text(json.dumps(told))
        return [str(tmp_path / f"{name}.json") for name in runs]

    return write


@pytest.mark.parametrize(("fresh", "lost"), CASES.values(), ids=CASES)
def test_lost_works_are_found(files, capsys, fresh, lost):
    code = compare.main(files(fresh=fresh, kept=KEPT))
    printed = capsys.readouterr().out
    assert code == bool(lost)
    assert sorted(printed.splitlines()[-1].removeprefix("lost: ").split(", ")) == (lost or ["nothing"])
    assert [change.work for change in compare.changes(KEPT, fresh) if change.lost(compare.MARGIN)] == lost


@pytest.mark.thread_unsafe(reason="looks at what is printed")
@pytest.mark.parametrize(("margin", "code"), [("0.1", 1), ("0.18", 1), ("0.22", 0), ("0.5", 0)])
def test_the_margin_decides(files, margin, code):
    fresh = run(read={"pydicom": 32.0, "gdcm": 16.0, "dicomsdl": 8.0}, rle={"pylibjpeg-rle": 4.0})
    assert compare.main([*files(fresh=fresh, kept=KEPT), "--margin", margin]) == code


def test_newest_release_by_number(tmp_path):
    assert compare.newest(tmp_path) is None
    for name in ("0.9.0", "0.10.0", "0.2.1"):
        (tmp_path / f"{name}.json").touch()
    (tmp_path / "README.md").touch()
    assert compare.newest(tmp_path).name == "0.10.0.json"


def test_peers_of_other_versions_are_named(files, capsys):
    fresh = KEPT | {"machine": {"versions": {"pydicom": "4.0.0"}}}
    assert compare.main(files(fresh=fresh, kept=KEPT)) == 0
    assert "pydicom 3.0.1 → 4.0.0" in capsys.readouterr().out


BROKEN = {"empty": "", "another file": '{"rows": []}', "a list": "[]", "no ratios": '{"ratios": {}, "machine": {}}'}


@pytest.mark.parametrize("text", BROKEN.values(), ids=BROKEN)
def test_a_file_that_is_no_run_is_refused(files, tmp_path, capsys, text):
    broken = tmp_path / "broken.json"
    broken.write_text(text)
    (good,) = files(kept=KEPT)
    assert compare.main([str(broken), good]) == 2
    assert compare.main([good, str(broken)]) == 2
    assert compare.main([str(tmp_path / "absent.json"), good]) == 2
    assert capsys.readouterr().err


def test_kept_runs_can_be_compared():
    """Every release's file is a valid run of its own version, and no work is lost against itself."""
    kept = sorted(compare.HISTORY.glob("*.json"))
    for path in kept:
        told = compare.read(path)
        assert told["dicomcore"] == path.stem
        assert all(change.factor == 1 for change in compare.changes(told, told))
    assert compare.newest(compare.HISTORY) in (kept or [None])

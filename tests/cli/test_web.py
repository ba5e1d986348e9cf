"""`dicomcore web` against our server."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dicomcore import catalogue, web
from dicomcore.cli import main
from tests.web.calling import FILES
from tests.web.serving import serving
from tests.web.test_client_retrieve import files_below, uids

CT = FILES["CT_small.dcm"]


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with catalogue.open(tmp_path_factory.mktemp("store")) as held, serving(web.app(held)) as made:
        yield made


@pytest.fixture(scope="module", autouse=True)
def stored(url: str) -> None:
    assert main(["web", "store", url, *map(str, FILES.values())]) == 0


def ran(capsys: Any, *words: str) -> tuple[int, str, str]:
    code = main(["web", *words])
    out, err = capsys.readouterr()
    return code, out, err


def test_search(capsys, url):
    code, out, _ = ran(capsys, "search", url, "-k", "PatientName=CompressedSamples*CT1", "--json")
    assert code == 0
    (line,) = out.splitlines()
    assert json.loads(line)["0020000D"]["Value"] == [uids(CT)[0]]
    code, out, _ = ran(capsys, "search", url, "--study", uids(CT)[0])
    assert (code, "Modality" in out) == (0, True)
    code, out, _ = ran(capsys, "search", url, "--study", uids(CT)[0], "--series", uids(CT)[1], "--limit", "1", "--json")
    assert json.loads(out)["00080018"]["Value"] == [uids(CT)[2]]
    assert ran(capsys, "search", url, "-k", "PatientName=NOBODY")[:2] == (0, "nothing matches\n")


def test_store_and_retrieve(capsys, url, tmp_path):
    (tmp_path / "notes.txt").write_text("words, no DICOM at all")
    code, out, _ = ran(capsys, "store", url, str(CT), str(tmp_path))
    assert (code, out) == (0, "1 instance stored, 1 is not DICOM\n")
    code, out, _ = ran(capsys, "retrieve", url, *uids(CT), "-o", str(tmp_path / "out"))
    assert (code, out) == (0, "1 instance retrieved\n")
    assert list(files_below(tmp_path / "out").values()) == [CT.read_bytes()]
    code, out, _ = ran(capsys, "retrieve", url, uids(CT)[0], "-o", str(tmp_path / "out"))
    assert (code, "there before" in out) == (0, True)
    code, out, _ = ran(capsys, "store", url, str(CT), "--json")
    assert json.loads(out)["state"] == "stored"


def test_render(capsys, url, tmp_path):
    picture = tmp_path / "a.png"
    assert ran(capsys, "render", url, *uids(CT), "-o", str(picture), "--window", "40,400", "--size", "64,64")[0] == 0
    assert picture.read_bytes().startswith(b"\x89PNG")


PROBLEMS = {  # name: (words, exit code, words on stderr)
    "no such study": (("retrieve", "URL", "1.2.3", "-o", "OUT"), 1, "answered 404"),
    "no server": (("search", "http://127.0.0.1:9", "--retries", "0"), 1, "cannot be reached"),
    "no URL": (("search", "here"), 2, "no http or https URL"),
    "no keyword": (("search", "URL", "-k", "PatientNam=x"), 2, "no keyword"),
    "no file": (("store", "URL", "nothing.dcm"), 2, "no such file"),
    "no picture": (("render", "URL", "1", "2", "3", "-o", "a.txt"), 2, "a picture ends in"),
    "no numbers": (("render", "URL", "1", "2", "3", "-o", "a.png", "--size", "big"), 2, "two numbers"),
    "a series without its study": (("search", "URL", "--series", "1"), 2, "--series needs --study"),
    "a path as a UID": (("retrieve", "URL", "..", "-o", "OUT"), 2, "is no UID"),
}


@pytest.mark.parametrize(("words", "code", "said"), PROBLEMS.values(), ids=PROBLEMS)
def test_problems(capsys, url, tmp_path: Path, words, code, said):
    places = {"URL": url, "OUT": str(tmp_path / "out")}
    got, _, err = ran(capsys, *(places.get(word, word) for word in words))
    assert got == code
    assert said in err
    assert err.count("\n") == 1


def test_credentials_come_from_the_environment(capsys, tmp_path, monkeypatch):
    seen = []

    def admit(request: Any) -> str:
        seen.append(request.headers.get("authorization"))
        return "user"

    with catalogue.open(tmp_path) as held, serving(web.app(held, auth=admit)) as url:
        monkeypatch.setenv("DICOMCORE_WEB_TOKEN", "t0ken")
        assert ran(capsys, "search", url)[0] == 0
        monkeypatch.setenv("DICOMCORE_WEB_PASSWORD", "pw")
        assert ran(capsys, "search", url, "--user", "me")[0] == 0
    assert seen == ["Bearer t0ken", "Basic bWU6cHc="]

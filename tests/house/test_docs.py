"""The code on every page runs as it is printed, and gives the results that the page states.

Blocks of a page run in order in one namespace, in a folder with the files that pages name (see `all_files`). A
comment that begins with an arrow, ``ds.Rows  # → 512``, is checked: the line's repr() is the text behind the arrow, in
which ... stands for anything. Pages with other comments have a function below that checks the variables they set.
"""

from __future__ import annotations

import ast
import contextlib
import io
import re
import shlex
import shutil
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

import dicomcore as dc
from dicomcore.cli import main
from tests.display.states import state_of_pages
from tests.support.corpus import PYDICOM
from tests.support.slides import picture, slide_data_set, write_pyramid, write_slide

pytest.importorskip("pyarrow")

pytestmark = pytest.mark.thread_unsafe(reason="runs in a folder of its own")

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
FENCE = re.compile(r"^```(\w*)\n(.*?)^```", re.M | re.S)
INERT = {"text"}  # output of programs, and sketches of interfaces
FILES = {  # under the names of the pydicom package, as on the pages
    "ct.dcm": "CT_small.dcm",
    "CT_small.dcm": "CT_small.dcm",
    "mr.dcm": "MR_small.dcm",
    "damaged.dcm": "MR_truncated.dcm",
    "no_head.dcm": "no_meta.dcm",
    "colour.dcm": "SC_rgb_rle_2frame.dcm",
    "palette.dcm": "examples_palette.dcm",
    "jpeg.dcm": "JPGExtended.dcm",
    "plan.dcm": "rtplan.dcm",
    "structures.dcm": "rtstruct.dcm",
    "report.dcm": "test-SR.dcm",
    "ecg.dcm": "waveform_ecg.dcm",
    "segmentation.dcm": "liver_1frame.dcm",
    "archive/ct.dcm": "CT_small.dcm",
    "archive/mr.dcm": "MR_small.dcm",
    "archive/plan.dcm": "ExplVR_LitEndNoMeta.dcm",
}


class Block(NamedTuple):
    """A fenced block of a page."""

    language: str
    code: str
    line: int


def blocks(page: Path) -> list[Block]:
    text = page.read_text(encoding="utf-8")
    return [Block(m[1], m[2], text.count("\n", 0, m.start()) + 1) for m in FENCE.finditer(text)]


@pytest.fixture(scope="session")
def all_files(tmp_path_factory) -> Path:
    """The files that pages name."""
    root = tmp_path_factory.mktemp("pages") / "folder"
    shipped = PYDICOM / "test_files"
    for folder in ("archive", "ct"):
        (root / folder).mkdir(parents=True)
    for place, name in FILES.items():
        shutil.copy(shipped / name, root / place)
    for i, path in enumerate(sorted((shipped / "dicomdirtests" / "98892001" / "CT5N").iterdir()), 1):
        shutil.copy(path, root / "ct" / f"{i}.dcm")
    shutil.copytree(shipped / "dicomdirtests", root / "disc")
    (root / "slide").mkdir()
    write_pyramid(root / "slide", picture(600, 800), 128, 3)
    label = slide_data_set(40, 60, (40, 60), flavour="LABEL")
    write_slide(root / "slide" / "label.dcm", [picture(40, 60)], label)
    (root / "archive" / "notes.txt").write_text("no DICOM")
    (root / "letter.pdf").write_bytes(b"%PDF-1.4\n%%EOF\n")
    state_of_pages(dc.dcmread(root / "ct.dcm")).save_as(root / "state.dcm")
    return root


@pytest.fixture
def folder(all_files, tmp_path, monkeypatch) -> Path:
    """A copy of them to work in."""
    place = shutil.copytree(all_files, tmp_path / "folder")
    monkeypatch.chdir(place)
    return place


@pytest.mark.parametrize("page", PAGES, ids=[page.relative_to(ROOT).as_posix() for page in PAGES])
def test_the_blocks_run(page: Path, folder: Path):
    try:
        run_page(page)
    except ModuleNotFoundError as missing:  # warnings of other libraries on the page, such as pandas
        if str(missing.name).partition(".")[0] in ("None", "dicomcore"):
            raise
        pytest.skip(f"{page.name} needs {missing.name}")


def run_page(page: Path) -> None:
    """Run a page's blocks in order, in the folder that is the current one."""
    names: dict[str, Any] = {"__name__": "__main__"}
    for block in blocks(page):
        where = f"{page}, block of line {block.line}"
        if block.language == "python":
            run(block, names, where)
        elif block.language == "sh":
            for command in block.code.replace("\\\n", " ").splitlines():
                run_command(shlex.split(command, comments=True), where)
        elif block.language == "toml":
            tomllib.loads(block.code)
        else:
            assert block.language in INERT, f"{where}: nobody runs {block.language!r}"
    check = CHECKS.get(page.name)
    if check is not None:
        check(names)


def run(block: Block, names: dict[str, Any], where: str) -> None:
    """Run a block, and compare the values of lines with their comments."""
    lines = block.code.splitlines()
    for statement in ast.parse(block.code).body:
        assert statement.end_lineno is not None
        _, arrow, said = lines[statement.end_lineno - 1].partition("# → ")
        part = ast.Module([statement], [])
        ast.increment_lineno(part, block.line)
        if isinstance(statement, ast.Expr) and arrow:
            given = repr(eval(compile(ast.Expression(statement.value), where, "eval"), names))
            assert matches(given, said.strip()), f"{where}: {ast.unparse(statement)} gives {given}, not {said}"
        else:
            assert not arrow, f"{where}: an arrow behind what gives nothing"
            exec(compile(part, where, "exec"), names)


def matches(given: str, said: str) -> bool:
    return re.fullmatch(".*".join(map(re.escape, said.split("..."))), given, re.S) is not None


def run_command(words: list[str], where: str) -> None:
    """Run a `dicomcore` command; of other commands check that the files and targets they name exist."""
    match words:
        case ["dicomcore", *arguments]:
            with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()) as said:
                code = main(arguments)
            assert code in (0, 1), f"{where}: {shlex.join(words)} ends with {code}: {said.getvalue()}"
        case ["pip", "install", *wanted]:
            for extra in re.findall(r"dicomcore\[([\w,]+)\]|\.\[([\w,]+)\]", " ".join(wanted)):
                assert set(",".join(filter(None, extra)).split(",")) <= set(EXTRAS), where
        case ["make", *targets]:
            known = re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M)
            assert {word for word in targets if "=" not in word} <= set(known), where
        case ["python", script, *_] if script.endswith(".py"):
            assert (ROOT / script).is_file(), f"{where}: there is no {script}"
        case ["python", "-m", "pytest", *arguments]:
            for word in arguments:
                assert not word.startswith("tests/") or (ROOT / word).exists(), f"{where}: there is no {word}"
        case ["python", "-m", "dicomcore.interop.pydicom", *_]:
            assert (ROOT / "src" / "dicomcore" / "interop" / "pydicom" / "__main__.py").is_file(), where
        case ["python", "-m", module, *_] if module.startswith(("benches.", "fuzz.")):
            assert (ROOT / f"{module.replace('.', '/')}.py").is_file(), f"{where}: there is no {module}"
        case ["pre-commit" | "apt-get", *_] | []:
            pass
        case _:
            raise AssertionError(f"{where}: nobody runs {shlex.join(words)}")


EXTRAS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]


# -- pages whose comments are prose


def check_readme(names: dict[str, Any]) -> None:
    ds, rows = names["ds"], names["rows"]
    assert ds.PatientName.family_name == "CompressedSamples"
    assert ds.Rows == 128
    assert ds["PixelSpacing"].array.tolist() == [0.661468, 0.661468]
    assert ds[0x0008, 0x0060].value == "CT"
    assert ds.transfer_syntax.name == "Explicit VR Little Endian"
    assert ds.issues == ()
    assert ds.pixel_array.shape == (128, 128)
    assert ds.frames[0].dtype == np.int16
    assert rows["tag"][rows["length"] > 10_000].tolist() == [0x7FE00010]
    assert set(names["table"].column("Modality").to_pylist()) == {"CT", "MR", "RTPLAN", None}


def check_frames(names: dict[str, Any]) -> None:
    assert names["label"] == "MR"
    assert names["total"] != 0
    assert "archive/notes.txt" in [path for path, _ in names["bad"]]
    assert names["seen"] == 8
    assert names["batch"].shape == (2, 16, 16)
    volume = names["volume"]
    assert (volume.array.shape, volume.array.dtype) == ((5, 16, 16), np.float32)
    assert volume.issues == ()
    assert volume.spacing == pytest.approx((2.5, 0.488281, 0.488281))


CHECKS: dict[str, Callable[[dict[str, Any]], None]] = {"README.md": check_readme, "frames.md": check_frames}


def test_every_check_has_its_page():
    assert set(CHECKS) <= {page.name for page in PAGES}


# -- the runner itself

WRONG = {  # name: a page that must not pass
    "another value": "```python\n1 + 1  # → 3\n```\n",
    "an exception": "```python\nint('x')\n```\n",
    "a command that isn't there": "```sh\ndicomcoreless dump ct.dcm\n```\n",
    "an extra that isn't there": "```sh\npip install 'dicomcore[nothing]'\n```\n",
    "a target that isn't there": "```sh\nmake coffee\n```\n",
    "a module that isn't there": "```sh\npython -m benches.coffee\n```\n",
    "a test that isn't there": "```sh\npython -m pytest tests/test_coffee.py\n```\n",
    "a language that nobody runs": "```ruby\nputs 1\n```\n",
}


@pytest.mark.parametrize("text", WRONG.values(), ids=WRONG)
def test_wrong_pages_fail(text, folder):
    page = folder / "page.md"
    page.write_text(text)
    with pytest.raises((AssertionError, ValueError)):
        run_page(page)


def test_arrows_match_with_gaps():
    assert matches("<Frames 3 of 4>", "<...of 4>")
    assert not matches("13", "3")

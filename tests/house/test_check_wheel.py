"""tools/check_wheel.py reports missing files and files that don't belong in a wheel."""

from __future__ import annotations

import runpy
from pathlib import Path
from zipfile import ZipFile

import pytest

TOOL = runpy.run_path(str(Path(__file__).parents[2] / "tools" / "check_wheel.py"))
SRC: Path = TOOL["SRC"]


def contents() -> dict[str, bytes]:
    """The names of a wheel of this tree, with short contents."""
    sources = [path for path in (SRC / "dicomcore").rglob("*") if "__pycache__" not in path.parts]
    names = {path.relative_to(SRC).as_posix(): path.suffix for path in sources if path.is_file()}
    held = {name: b"" for name in names if TOOL["is_shipped"](SRC / name)}
    held |= {name.removesuffix(".pyx") + ".abi.so": b"" for name, kind in names.items() if kind == ".pyx"}
    held[f"{TOOL['SHARED']}.abi.so"] = b""
    return held | {"dicomcore-0.dist-info/RECORD": b""}


CHANGES = {  # name: (names to add, names to remove, the reported fault)
    "a test": (["tests/pixels/test_rle.py"], [], "tests/pixels/test_rle.py does not belong here"),
    "a compiled source": (["dicomcore/_native/scan/a.pyx"], [], "dicomcore/_native/scan/a.pyx does not belong here"),
    "a declaration": (["dicomcore/_native/scan/a.pxd"], [], "dicomcore/_native/scan/a.pxd does not belong here"),
    "no stub": ([], ["dicomcore/_native/pixels/rle.pyi"], "dicomcore/_native/pixels/rle.pyi is missing"),
    "no style sheet": ([], ["dicomcore/web/viewer/page.css"], "dicomcore/web/viewer/page.css is missing"),
    "no py.typed": ([], ["dicomcore/py.typed"], "dicomcore/py.typed is missing"),
    "no extension": ([], ["dicomcore/_native/pixels/rle.abi.so"], "dicomcore/_native/pixels/rle: no extension"),
    "what extensions share": ([], ["dicomcore/_native/shared.abi.so"], "dicomcore/_native/shared: no extension"),
}


def wheel_of(held: dict[str, bytes], path: Path) -> Path:
    with ZipFile(path, "w") as archive:
        for name, data in held.items():
            archive.writestr(name, data)
    return path


def test_a_complete_wheel_has_no_faults(tmp_path):
    assert TOOL["faults"](wheel_of(contents(), tmp_path / "a.whl")) == []


@pytest.mark.parametrize(("added", "taken", "said"), CHANGES.values(), ids=CHANGES)
def test_faults_are_named(tmp_path, added, taken, said):
    held = {name: data for name, data in contents().items() if name not in taken} | dict.fromkeys(added, b"")
    assert TOOL["faults"](wheel_of(held, tmp_path / "a.whl")) == [said]


def test_too_large(tmp_path):
    held = contents() | {"dicomcore/_native/pixels/rle.abi.so": bytes(TOOL["LARGEST"])}
    (said,) = TOOL["faults"](wheel_of(held, tmp_path / "a.whl"))
    assert said.endswith(f"are more than {TOOL['LARGEST']}")

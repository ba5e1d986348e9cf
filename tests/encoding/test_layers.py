"""Layers: encoding is below part10, and only encoding composes data sets."""

from __future__ import annotations

import ast
from pathlib import Path

import dicomcore

PACKAGE = Path(dicomcore.__file__).parent
ABOVE = ("part10", "pixels", "fileset", "forms", "objects", "sr", "interop", "transcoding", "archive", "display", "cli")


def imports(path: Path) -> set[str]:
    """Every module that a file imports, at any level."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            found |= {f"{node.module}.{name.name}" for name in node.names} | {str(node.module)}
        elif isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
    return found


def test_encoding_imports_from_no_package_above():
    files = list((PACKAGE / "encoding").glob("*.py"))
    assert len(files) > 5
    for path in files:
        assert not [name for name in imports(path) if name.startswith(tuple(f"dicomcore.{room}" for room in ABOVE))]


def test_only_encoding_composes_data_sets():
    users = {
        path.relative_to(PACKAGE).as_posix()
        for path in PACKAGE.rglob("*.py")
        if "dicomcore._native.write.compose.compose" in imports(path)
    }
    assert users == {"encoding/composing.py"}


def test_only_encoding_and_part10_open_an_index():
    """part10 opens files, encoding opens bare data sets; frames open the header of an open data set."""
    users = {
        path.relative_to(PACKAGE).as_posix()
        for path in PACKAGE.rglob("*.py")
        if "dicomcore._native.scan.opener" in imports(path)
    }
    assert users - {"pixels/attributes.py"} == {
        "encoding/commands.py", "encoding/inflate.py", "encoding/reading.py", "part10/reader.py",
    }  # fmt: skip

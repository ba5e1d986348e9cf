"""The law of imports: every source imports only what docs/design/house.md allows its room.

The page's first table lists the rooms in order, each with the rooms that it may import. Its second table lists the lazy
doors: imports inside functions that lead to a room further down. This file reads both tables, and all sources.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = next(parent for parent in Path(__file__).resolve().parents if (parent / "pyproject.toml").exists())
SOURCES = ROOT / "src" / "dicomcore"
PAGE = ROOT / "docs" / "design" / "house.md"
CYTHON = re.compile(
    r"^(\s*)(?:from\s+dicomcore((?:\.\w+)*)\s+c?import\s+\(?([\w, ]*)|c?import\s+dicomcore((?:\.\w+)*))", re.MULTILINE
)


class Import(NamedTuple):
    source: str  # path below src/dicomcore
    line: int
    module: str  # "part10.reader", "" for the package's face
    lazy: bool  # inside a function


def module_of(source: str) -> str:
    return source.partition(".")[0].replace("/", ".").removesuffix("__init__").removesuffix(".")


MODULES = {
    module_of(path.relative_to(SOURCES).as_posix())
    for suffix in ("*.py", "*.pyx", "*.pxd")
    for path in SOURCES.rglob(suffix)
}


def named(package: str, name: str) -> str:
    """The module that `from package import name` loads."""
    whole = f"{package}.{name}".lstrip(".")
    return whole if whole in MODULES else package


def python_imports(source: str, tree: ast.AST, *, lazy: bool = False) -> Iterator[Import]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            continue
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{source}:{node.lineno}: a relative import"
            package, *path = (node.module or "").split(".")
            if package == "dicomcore":
                for name in node.names:
                    yield Import(source, node.lineno, named(".".join(path), name.name), lazy)
        elif isinstance(node, ast.Import):
            for name in node.names:
                package, *path = name.name.split(".")
                if package == "dicomcore":
                    yield Import(source, node.lineno, ".".join(path), lazy)
        elif isinstance(node, ast.Constant) and str(node.value).removeprefix("dicomcore.") in MODULES - {node.value}:
            yield Import(
                source, node.lineno, node.value.removeprefix("dicomcore."), True
            )  # loaded by name, such as `later`
        inner = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        yield from python_imports(source, node, lazy=lazy or inner)


def cython_imports(source: str, text: str) -> Iterator[Import]:
    for found in CYTHON.finditer(text):
        indent, package, names, whole = found.groups()
        line = text.count("\n", 0, found.start()) + 1
        if whole is not None:
            yield Import(source, line, whole.lstrip("."), bool(indent))
            continue
        for name in (names or "").split(",") or [""]:
            yield Import(source, line, named(package.lstrip("."), name.strip().split(" ")[0]), bool(indent))


def imports() -> Iterator[Import]:
    for path in sorted(SOURCES.rglob("*")):
        source = path.relative_to(SOURCES).as_posix()
        if path.suffix == ".py":
            yield from python_imports(source, ast.parse(path.read_text()))
        elif path.suffix in (".pyx", ".pxd"):
            yield from cython_imports(source, path.read_text())


def table(heading: str) -> list[list[str]]:
    """The rows of the first table below a heading of the page, cell by cell, without its head."""
    text = PAGE.read_text().partition(f"# {heading}\n")[2].partition("\n#")[0]
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert len(rows) > 2, f"{PAGE} has no table below {heading!r}"
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows[2:]]


def words(cell: str) -> list[str]:
    return re.findall(r"`([\w./]+)`", cell)


LAW = {words(row[0])[0]: words(row[2]) for row in table("The law of imports")}
GROUND = words(next(row[1] for row in table("The law of imports") if row[0] == "`ground`"))
DOORS = {source: words(row[1]) for row in table("Lazy doors") for source in words(row[0])}
FORMER = {words(row[0])[0]: words(row[1])[0] for row in table("Former paths")}


def room(module: str) -> str:
    """The row of the table that a module belongs to."""
    first, _, rest = module.partition(".")
    if first in GROUND:
        return "ground"
    if first == "_native":
        return ".".join(["_native", *rest.split(".")[:1]]) if rest else "_native"
    return {"": "face", "__main__": "cli"}.get(first, first)


def test_the_page_lists_every_room():
    rooms = {room(module) for module in MODULES if module.replace(".", "/") + ".py" not in FORMER}
    assert rooms - {"_native"} == set(LAW)


def test_rooms_are_listed_in_their_order():
    listed = list(LAW)
    for number, (name, used) in enumerate(LAW.items()):
        assert set(used) <= set(listed[:number]), f"{name} may import what stands below it"


def test_imports_point_one_way():
    wrong = [
        f"{one.source}:{one.line} imports {one.module or 'the face of the package'}"
        for one in imports()
        if one.source not in FORMER
        and room(one.module) not in {room(module_of(one.source)), *LAW[room(module_of(one.source))]}
        and not (one.lazy and room(one.module) in DOORS.get(one.source, ()))
    ]
    assert wrong == []


@pytest.mark.parametrize(("source", "rooms"), DOORS.items(), ids=DOORS)
def test_a_lazy_door_is_used(source: str, rooms: list[str]):
    found = {room(one.module) for one in imports() if one.source == source and one.lazy}
    assert set(rooms) <= found


def test_no_module_needs_itself_to_be_loaded():
    """Cython declarations (.pxd) load nothing by themselves, and classes that know each other share one."""
    graph: dict[str, set[str]] = {}
    for one in imports():
        if not one.lazy and one.source.endswith(".py") and one.module:
            graph.setdefault(module_of(one.source), set()).add(one.module)
    for needs in graph.values():
        needs.discard("")
    # A package that re-exports its own modules is not needed by them.
    graph = {name: {need for need in needs if not name.startswith(f"{need}.")} for name, needs in graph.items()}
    assert list(TopologicalSorter(graph).static_order())


@pytest.mark.parametrize(("former", "present"), FORMER.items(), ids=FORMER)
def test_a_former_path_gives_the_same_names(former: str, present: str):
    import importlib

    before, now = (importlib.import_module(f"dicomcore.{name}") for name in (module_of(former), present))
    assert before.__all__
    assert all(getattr(before, name) is getattr(now, name) for name in before.__all__)

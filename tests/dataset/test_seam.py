"""The package `dataset`: its doors (methods that import from packages above), and `state`, which packages above use."""

from __future__ import annotations

import ast
import copy
import inspect
import pickle
import pydoc
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import dicomcore as dc
from dicomcore._native.views.data_element import DataElement
from dicomcore.dataset.doors import Doors
from dicomcore.dataset.paths import walk
from dicomcore.dataset.state import (
    DATA_SET,
    FILE_META,
    file_index,
    header_of,
    index_of,
    is_changed,
    put,
    row_of,
    state_of,
    touched,
)
from tests.support import dicom_bytes as raw

SOURCES = Path(dc.__file__).parent
ROOM = SOURCES / "dataset"

DOORS = {
    *("save_as", "to_bytes", "frames", "pixel_array", "set_pixels", "waveforms", "to_pydicom"),
    *("to_json", "to_json_dict", "from_json", "to_xml", "from_xml"),
}
BELOW = {"dataset", "dictionary", "_native"}
"""Rooms that data sets stand on."""
GROUND = {"arrays", "errors", "limits", "issues", "tags", "uids", "values", "charset", "syntaxes", "vrs"}
"""Modules that import no room: what native code may import, and make objects of."""


# -- doors


def test_the_doors_are_those_listed_here():
    assert {name for name in vars(Doors) if not name.startswith("_")} == DOORS


def test_the_methods_of_a_data_set_are_those_listed_here():
    # New features are functions of the packages above, not methods.
    assert {name for name in dir(dc.Dataset) if not name.startswith("_")} - DOORS == {
        *("add", "add_new", "add_new_private", "clear", "copy", "data_element", "decode", "dir", "elements"),
        *("ensure_file_meta", "file_meta", "filename", "get", "get_item", "get_private_item", "group_dataset"),
        *("is_implicit_VR", "is_little_endian", "issues", "items", "iterall", "keys", "pop", "popitem", "preamble"),
        *("private_block", "private_creators", "remove_private_tags", "setdefault", "top", "trait_names"),
        *("transfer_syntax", "update", "validate", "validation", "values", "walk"),
    }


@pytest.mark.parametrize("name", sorted(DOORS))
def test_help_shows_a_door(name: str):
    found = inspect.getattr_static(dc.Dataset, name)
    documented = found.__func__ if isinstance(found, classmethod) else found
    assert documented.__doc__
    assert documented.__doc__.splitlines()[0] in pydoc.render_doc(dc.Dataset, renderer=pydoc.plaintext)


def imports_of(tree: ast.AST) -> Iterator[tuple[ast.ImportFrom | ast.Import, str]]:
    """Each import from dicomcore, with the package or module that it names."""
    for node in ast.walk(tree):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom) and node.module is not None:
            names = [node.module]
        for name in names:
            if name.startswith("dicomcore."):
                yield node, name.split(".")[1]


def test_only_doors_imports_from_packages_above():
    for path in ROOM.glob("*.py"):
        above = {room for _, room in imports_of(ast.parse(path.read_text("utf-8")))} - BELOW - GROUND
        assert bool(above) == (path.name == "doors.py"), f"{path.name} imports {above}"


def test_doors_import_when_they_are_called():
    tree = ast.parse((ROOM / "doors.py").read_text("utf-8"))
    typing = next(node for node in tree.body if isinstance(node, ast.If))
    tree.body.remove(typing)
    at_once = {room for node, room in imports_of(tree) if node in tree.body}
    assert at_once == {"_native"}
    assert {room for _, room in imports_of(tree)} == {"_native", "part10", "pixels", "objects", "interop", "forms"}


def test_native_code_imports_nothing_of_the_facade():
    pattern = re.compile(r"^\s*(?:from|import) dicomcore\.(\w+)", re.MULTILINE)
    for path in (SOURCES / "_native").rglob("*.p[yx][xd]"):
        named = set(pattern.findall(path.read_text("utf-8")))
        assert named <= {"_native", *GROUND}, f"{path.name} imports {named - GROUND}"


# -- the seam


def private_names() -> set[str]:
    names = {name for cls in (dc.Dataset, DataElement) for name in dir(cls)}
    return {name for name in names if name.startswith("_") and not name.startswith("__")}


def reached_into(tree: ast.AST, private: set[str]) -> Iterator[str]:
    for node in ast.walk(tree):
        own = isinstance(node, ast.Attribute) and ast.unparse(node.value) in ("self", "cls", "super()")
        if isinstance(node, ast.Attribute) and not own and (node.attr in private or node.attr == "__dict__"):
            yield f"{node.lineno}: {ast.unparse(node)}"


def test_no_other_package_uses_private_names_of_a_data_set():
    private = private_names()
    assert {"_kept", "_set"} <= private
    for path in SOURCES.rglob("*.py"):
        if ROOM not in path.parents:
            found = list(reached_into(ast.parse(path.read_text("utf-8")), private))
            assert not found, f"{path.relative_to(SOURCES)}: dicomcore.dataset.state has functions for this: {found}"


CONTENT = (
    raw.element(0x00080018, "UI", b"1.2\0")
    + raw.element(0x00081140, "SQ", raw.item(raw.element(0x00081155, "UI", b"1.9\0")))
    + raw.element(0x00280010, "US", b"\x02\1")
    + raw.element(0x00280030, "DS", b"1\\2 ")
)


def test_state_of_a_file_and_of_an_item():
    ds = dc.dcmread(raw.part10(CONTENT))
    state = state_of(ds)
    assert (state.index, state.row, state.wanted, state.changed) == (index_of(ds), DATA_SET, None, None)
    assert file_index(ds) is index_of(ds)
    inner = ds[0x00081140].value[0]
    assert index_of(inner) is index_of(ds)
    assert file_index(inner) is None
    assert row_of(inner) >= 0
    assert row_of(ds.file_meta) == FILE_META
    assert index_of(dc.Dataset()) is None
    assert state_of(dc.dcmread(raw.part10(CONTENT), specific_tags=["Rows"])).wanted == {0x00080005, 0x00280010}


def test_touched_elements():
    ds = dc.dcmread(raw.part10(CONTENT))
    assert touched(ds) == {}
    element = ds["Rows"]
    assert touched(ds) == {0x00280010: element}
    assert not is_changed(element)
    ds.Rows = 3
    assert is_changed(element)
    del ds.Rows
    held = touched(ds)
    assert held == {0x00280010: None}
    held.clear()
    assert "Rows" not in ds
    put(ds, dc.DataElement("Rows", "US", 5))
    assert ds.Rows == 5


class Subclass(dc.Dataset):
    def __init__(self, needed: int) -> None:
        super().__init__()
        self.needed = needed


@pytest.mark.parametrize(
    "twin", [copy.copy, copy.deepcopy, lambda ds: pickle.loads(pickle.dumps(ds))], ids=["copy", "deepcopy", "pickle"]
)
def test_a_copy_keeps_attributes_beside_elements(twin):
    ds = Subclass(5)
    ds.PatientID = "x"
    ds.preamble = b"\1" * 128
    ds.file_meta = dc.Dataset()
    ds.file_meta.TransferSyntaxUID = raw.EXPLICIT
    other = twin(ds)
    assert (type(other), other.needed, other.PatientID, other.preamble) == (Subclass, 5, "x", b"\1" * 128)
    other.file_meta.TransferSyntaxUID = raw.IMPLICIT
    other.preamble = None
    assert ds.transfer_syntax == raw.EXPLICIT
    assert ds.preamble == b"\1" * 128
    assert other.preamble is None


@pytest.mark.parametrize("twin", [copy.copy, copy.deepcopy, lambda ds: pickle.loads(pickle.dumps(ds))])
def test_a_copy_keeps_the_issues_of_an_interchange_form(twin):
    ds = dc.Dataset.from_json({"00100020": {"vr": "LO", "Value": ["x"], "odd": 1}})
    assert [issue.code for issue in ds.issues] == ["UNKNOWN_MEMBER"]
    assert twin(ds).issues == ds.issues


# -- paths


def nested() -> dc.Dataset:
    ds = dc.Dataset()
    inner = dc.Dataset()
    inner.add_new(0x00091001, "LO", "private")
    inner.ReferencedStudySequence = [dc.Dataset()]
    other = dc.Dataset()
    other.validation = "ignore"
    other.PatientID = "x" * 65
    ds.ReferencedImageSequence = [inner, other]
    ds.PatientName = "A^B"
    return ds


def test_a_walk_gives_paths_in_the_order_of_elements():
    found = [(path, depth, int(element.tag)) for path, depth, element in walk(nested())]
    assert found == [
        ("ReferencedImageSequence", 0, 0x00081140),
        ("ReferencedImageSequence[0].ReferencedStudySequence", 1, 0x00081110),
        ("ReferencedImageSequence[0].(0009,1001)", 1, 0x00091001),
        ("ReferencedImageSequence[1].PatientID", 1, 0x00100020),
        ("PatientName", 0, 0x00100010),
    ]


def test_a_walk_visits_the_chosen_elements():
    def named(data_set: dc.Dataset) -> list[dc.DataElement]:
        return [element for element in data_set if element.VR in ("SQ", "PN")]

    paths = [path for path, _, _ in walk(nested(), elements=named, name=lambda element: str(int(element.tag) >> 16))]
    assert paths == ["8", "8[0].8", "16"]


def test_validation_issues_name_the_path_of_their_element():
    ds = nested()
    ds.validation = "ignore"
    ds.add_new("PatientComments", "LT", "x" * 10241)
    assert [issue.message.partition(":")[0] for issue in ds.validate()] == [
        "ReferencedImageSequence[1].PatientID",
        "PatientComments",
    ]


@pytest.mark.parametrize("deep", [2_000])
def test_a_walk_goes_as_deep_as_items_do(deep: int):
    ds = top = dc.Dataset()
    for _ in range(deep):
        ds.ReferencedImageSequence = [dc.Dataset()]
        ds = ds.ReferencedImageSequence[0]
    assert max(depth for _, depth, _ in walk(top)) == deep - 1


# -- the header view


def described(frames: int = 1) -> bytes:
    """The attributes that describe frames of 2 × 2 pixels."""
    number = raw.element(0x00280008, "IS", f"{frames:<6}".encode()) if frames > 1 else b""
    size = raw.element(0x00280010, "US", b"\2\0") + raw.element(0x00280011, "US", b"\2\0")
    colour = raw.element(0x00280002, "US", b"\1\0") + raw.element(0x00280004, "CS", b"MONOCHROME2 ")
    return colour + number + size + raw.element(0x00280100, "US", b"\x08\0")


PIXELS = described()
FRAGMENTS = raw.sequence(0x7FE00010, raw.item(), raw.item(b"\0\0"), raw.item(b"\1\1"), vr="OB", undefined=True)
BEHIND = raw.element(0x7FE10010, "LO", b"behind") + raw.element(0x00280006, "US", b"\1\0")
PLANAR = 0x00280006  # Planar Configuration, behind the pixel data against PS3.5 7.1


class Counted:
    """Bytes behind `read_at`, with a list of the offsets that were read."""

    def __init__(self, data: bytes) -> None:
        self._data, self.size = data, len(data)
        self.reads: list[tuple[int, int]] = []

    def read_at(self, offset: int, length: int) -> bytes:
        self.reads.append((offset, length))
        return self._data[offset : offset + length]


def with_fragments(count: int) -> bytes:
    """A file of `count` frames, a fragment each, with an offset table."""
    table = b"".join((10 * number).to_bytes(4, "little") for number in range(count))
    pixels = raw.sequence(0x7FE00010, raw.item(table), *[raw.item(b"\7\0")] * count, vr="OB", undefined=True)
    return raw.part10(described(count) + pixels + raw.element(0x7FE10010, "LO", b"behind"), raw.JPEG_BASELINE)


def test_frames_read_the_header_once():
    source = Counted(with_fragments(20_000))
    ds = dc.dcmread(source)
    assert len(source.reads) == 1
    frames = ds.frames
    assert len(frames) == 20_000
    again = [offset for offset, _ in source.reads[1:] if offset < ds["PixelData"].offset]
    assert again == []
    assert frames.encoded(3) == b"\7\0"
    before = len(source.reads)
    assert before < 10, "an attribute that is absent made somebody look at every fragment"
    assert ds[0x7FE10010].value == "behind"  # which completes the scan
    assert len(source.reads) > before


@pytest.mark.parametrize("pixels", [FRAGMENTS, raw.element(0x7FE00010, "OB", bytes(4))], ids=["fragments", "native"])
@pytest.mark.parametrize("whole", [False, True])
def test_a_header_ends_before_pixel_data(pixels: bytes, whole: bool):
    ds = dc.dcmread(raw.part10(PIXELS + pixels + BEHIND))
    if whole:
        assert PLANAR in ds  # so that the scan is complete
    header = header_of(ds)
    assert [int(element.tag) for element in header] == [0x00280002, 0x00280004, 0x00280010, 0x00280011, 0x00280100]
    assert [element.keyword for element in header.iterall()] == [element.keyword for element in header]
    assert (PLANAR in header, "PixelData" in header, header.get("PlanarConfiguration")) == (False, False, None)
    assert header.transfer_syntax == ds.transfer_syntax
    assert ds.PlanarConfiguration == 1
    assert ds[0x7FE10010].value == "behind"
    assert {issue.code for issue in ds.issues} == {"OUT_OF_ORDER"}
    assert state_of(header).is_header
    assert copy.copy(header).keys() == pickle.loads(pickle.dumps(header)).keys() == header.keys()


def test_a_header_has_the_changes_and_changes_nothing():
    content = raw.element(0x00081140, "SQ", raw.item(raw.element(0x00081155, "UI", b"1.9\0"))) + PIXELS
    ds = dc.dcmread(raw.part10(content + raw.element(0x00280030, "DS", b"1\\2 ") + FRAGMENTS))
    ds.Rows = 7
    del ds.PhotometricInterpretation
    header = header_of(ds)
    assert (header.Rows, header.Columns, "PhotometricInterpretation" in header) == (7, 2, False)
    header.PixelSpacing.append(3)
    header[0x00081140].value[0].ReferencedSOPInstanceUID = "1.10"
    assert ds.PixelSpacing == [1, 2]
    assert ds[0x00081140].value[0].ReferencedSOPInstanceUID == "1.9"
    header.Columns = 9
    assert ds.Columns == 2
    assert header_of(header) is header


@pytest.mark.parametrize(
    "ds",
    [
        dc.Dataset(),
        dc.dcmread(raw.part10(CONTENT))[0x00081140].value[0],
        dc.dcmread(raw.part10(CONTENT), specific_tags=["Rows"]),
    ],
    ids=["in memory", "an item", "chosen tags"],
)
def test_data_sets_that_are_their_own_header(ds: dc.Dataset):
    assert header_of(ds) is ds

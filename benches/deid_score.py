"""Scores what a tool made of the de-identification set, by its answer key; one scorer for all tools.

``python -m benches.deid_score SET OUT`` prints the table. Files are read by pydicom, and frames decoded by pydicom and
imagecodecs, never by dicomcore. An output is found by its instance number and SOP class, whatever its name is, and
else by its name; what has no output is wrong in every action.
"""

from __future__ import annotations

import argparse
import re
import unicodedata
import warnings
import zlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import date, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pydicom
from pydicom.dataset import Dataset
from pydicom.tag import Tag
from pydicom.uid import UID

from benches.deid_files import ACTIONS, DIRECTORY, KEEPING, STUDY_TIME, Action, key, plain
from benches.deid_pixels import frames_of

ENCODINGS = ("utf-8", "latin-1", "iso8859-5", "iso8859-7", "iso2022_jp", "euc_kr", "iso2022_kr", "gb18030", "utf-16-le")
DATE = re.compile(r"(\d{4})(?:(\d\d)(?:(\d\d)(\d{2,6}(?:\.\d{1,6})?)?)?)?([+-]\d{4})?$")
PEER_TOLERANCE = 3.0
HIDDEN = 0.15
NO_OUTPUT = "no output"


class Wrong(NamedTuple):
    action: Action
    why: str


class Output:
    """An output file: its bytes and what pydicom reads of them."""

    def __init__(self, path: Path, name: str) -> None:
        self.path, self.name = path, name
        self.data = path.read_bytes()
        self.ds = _read(path)

    @property
    def identity(self) -> tuple[int, str]:
        meta = getattr(self.ds, "file_meta", {})
        sop_class = str(self.ds.get("SOPClassUID", "") or meta.get("MediaStorageSOPClassUID", ""))
        try:
            return int(self.ds.get("InstanceNumber", 0) or 0), sop_class
        except (TypeError, ValueError):
            return -1, sop_class

    @cached_property
    def hay(self) -> bytes:
        """All bytes, inflated where the data set is deflated, in small letters."""
        data = self.data
        if getattr(self.ds, "file_meta", {}).get("TransferSyntaxUID") == "1.2.840.10008.1.2.1.99":
            start = 144 + self.ds.file_meta.get("FileMetaInformationGroupLength", 0)
            data = data[:start] + zlib.decompressobj(-15).decompress(data[start:])
        return data.lower()

    @cached_property
    def said(self) -> str:
        return folded(" ".join(texts(self.ds)))

    @cached_property
    def frames(self) -> list[np.ndarray]:
        return frames_of(self.ds)


def _read(path: Path) -> Dataset:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return pydicom.dcmread(path, force=True)
        except Exception:
            return Dataset()


def folded(text: str) -> str:
    return unicodedata.normalize("NFC", text).casefold()


def texts(value: Any) -> Iterator[str]:
    """Every value of a data set or an element as text, at every depth."""
    if isinstance(value, Dataset):
        for tag in list(value.keys()):
            try:
                yield from texts(value[tag])
            except Exception:
                raw = value.get_item(tag)
                yield from _bytes_as_text(getattr(raw, "value", None) or b"")
        return
    inner = value.value if isinstance(value, pydicom.DataElement) else value
    if isinstance(value, pydicom.DataElement) and value.tag.is_private_creator:
        yield str(inner)
    if isinstance(inner, (list, tuple, pydicom.multival.MultiValue, pydicom.sequence.Sequence)):
        if len(inner) < 1000:
            for one in inner:
                yield from texts(one)
    elif isinstance(inner, bytes):
        yield from _bytes_as_text(inner)
    elif inner is not None:
        yield str(inner)


def _bytes_as_text(value: bytes) -> Iterator[str]:
    if len(value) < 1 << 16:
        for encoding in ("utf-8", "latin-1", "iso8859-5", "iso8859-7", "euc_kr"):
            yield value.decode(encoding, "replace")


def in_bytes(hay: bytes, needle: str) -> bool:
    """Whether a text stands in bytes, in any encoding that the set uses."""
    for encoding in ENCODINGS if not needle.isascii() else ("ascii", "utf-16-le"):
        try:
            if needle.encode(encoding).lower() in hay:
                return True
        except UnicodeEncodeError:
            continue
    return False


def step_into(ds: Dataset, step: str) -> pydicom.DataElement | None:
    """The element that one step of a path names."""
    if step.startswith("("):
        group, creator, low = step[1:-1].split(",")
        try:
            return ds.private_block(int(group, 16), creator)[int(low, 16)]
        except KeyError:
            return None
    tag = Tag(int(step, 16)) if re.fullmatch(r"[0-9A-F]{8}", step) else Tag(step)
    return ds.get(tag)


def resolve(ds: Dataset, path: str) -> pydicom.DataElement | None:
    """The element at a path; None if it isn't there."""
    if path.startswith("@"):
        meta = getattr(ds, "file_meta", None)
        return meta[path[1:]] if meta is not None and path[1:] in meta else None
    found = None
    for step in path.split("/"):
        name, _, number = step.partition("#")
        found = step_into(ds, name)
        if found is None:
            return None
        if number:
            items = found.value
            if not isinstance(items, pydicom.sequence.Sequence) or len(items) <= int(number):
                return None
            ds = items[int(number)]
    return found


def value_at(out: Output, path: str) -> str | None:
    """The value at a path as text; None if it isn't there."""
    try:
        found = resolve(out.ds, path)
        return None if found is None or found.value is None else plain(found.value)
    except Exception:
        return None


def parsed(text: str) -> tuple[date, date, str, str] | None:
    """First and last day that a DA or DT may mean, its precision, and the time and zone; None if it is neither."""
    found = DATE.match(text.replace(".", "", 2) if re.match(r"\d{4}\.\d\d\.\d\d$", text) else text.strip())
    if not found:
        return None
    year, month, day, time, zone = found.groups()
    try:
        first = date(int(year), int(month or 1), int(day or 1))
    except ValueError:
        return None
    if day:
        last = first
    elif month:
        last = (first.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)
    else:
        last = date(first.year, 12, 31)
    return first, last, f"{bool(month)}{bool(day)}", (time or "") + (zone or "")


class Scorer:
    """All outputs beside all inputs."""

    def __init__(self, folder: Path, out: Path) -> None:
        self.folder, self.lines = folder, key(folder)
        names = sorted(one for one in out.rglob("*") if one.is_file())
        self.outputs = [Output(one, str(one.relative_to(out))) for one in names if not one.name.startswith(".")]
        self.by_identity = {one.identity: one for one in self.outputs if one.identity[0] > 0}
        self.by_name = {one.name: one for one in self.outputs}
        self.directory = next((one for one in self.outputs if one.identity[1] == DIRECTORY), None)
        self.inputs: dict[str, Output] = {}
        self.maps: dict[str, dict[str, Counter[str]]] = {kind: defaultdict(Counter) for kind in ("uid", "id")}
        self.offsets: dict[str, Counter[int]] = defaultdict(Counter)
        self._gather()

    def output(self, line: Action) -> Output | None:
        if line.sop_class == DIRECTORY:
            return self.directory
        return self.by_identity.get((line.number, line.sop_class)) or self.by_name.get(line.file)

    def input(self, name: str) -> Output:
        if name not in self.inputs:
            self.inputs[name] = Output(self.folder / "in" / name, name)
        return self.inputs[name]

    def _placed(self, line: Action) -> Action:
        """A line about a record of a DICOMDIR with the place that the record has in the output."""
        kind, _, rest = line.path.partition(":")
        if line.sop_class != DIRECTORY or not rest or self.directory is None:
            return line
        number, _, keyword = rest.partition("/")
        of_file = next((out for out in self.outputs if out.identity[0] == int(number)), None)
        wanted = str(of_file.ds.get("SOPInstanceUID", "")) if of_file else ""
        last: dict[str, int] = {}
        for place, record in enumerate(self.directory.ds.get("DirectoryRecordSequence", ())):
            last[str(record.get("DirectoryRecordType", ""))] = place
            if str(record.get("ReferencedSOPInstanceUIDInFile", "")) == wanted and kind in last:
                return replace(line, path=f"DirectoryRecordSequence#{last[kind]}/{keyword}")
        return replace(line, path=f"DirectoryRecordSequence#9999/{keyword}")

    def _gather(self) -> None:
        """What the tool did to each UID, ID and patient."""
        self.lines = [self._placed(line) for line in self.lines]
        for line in self.lines:
            out = self.output(line)
            if not out or line.action not in ("uid_consistent", "patid_consistent", "date_shifted"):
                continue
            value = value_at(out, line.path)
            if not value:
                continue
            if line.action == "date_shifted":
                old, new = parsed(line.values[0]), parsed(value)
                if old and new and old[2] == new[2] == "TrueTrue" and old[0] != new[0]:
                    self.offsets[line.patient][(new[0] - old[0]).days] += 1
            else:
                self.maps["uid" if line.action == "uid_consistent" else "id"][line.values[0]][value] += 1

    def wrong(self) -> list[Wrong]:
        found = []
        for line in self.lines:
            out = self.output(line)
            try:
                why = getattr(self, line.action)(line, out) if out else NO_OUTPUT
            except Exception as error:
                why = f"{type(error).__name__}: {error}"
            if why:
                found.append(Wrong(line, why))
        return found

    # Each answers why an action is wrong; "" if it is right.

    def tag_retained(self, line: Action, out: Output) -> str:
        value = value_at(out, line.path)
        if value is None:
            return "gone"
        return "" if not line.values or value == line.values[0] else f"now {value[:60]!r}"

    def text_notnull(self, line: Action, out: Output) -> str:
        return "" if value_at(out, line.path) else "gone or empty"

    def text_retained(self, line: Action, out: Output) -> str:
        found = resolve(out.ds, line.path)
        said = folded(" ".join(texts(found))) if found is not None else ""
        lost = [one for one in line.values if folded(one) not in said]
        return f"lost {lost}" if lost else ""

    def text_removed(self, line: Action, out: Output) -> str:
        if line.path == "@path":
            said: str = folded(out.name)
            hay = b""
        elif line.path:
            found = resolve(out.ds, line.path)
            if found is None:
                return ""
            said = folded(" ".join(texts(found)))
            hay = found.value.lower() if isinstance(found.value, bytes) else b""
            ends = str(found.value or "").split("-") if found.VR == "DA" else [str(found.value or "")]
            if found.VR in ("DA", "DT") and found.value and not all(map(parsed, ends)):
                return f"a date that is none: {str(found.value)[:40]!r}"
        else:
            said, hay = out.said, out.hay
        left = [one for one in line.values if folded(one) in said or in_bytes(hay, one)]
        return f"found {left}" if left else ""

    def date_shifted(self, line: Action, out: Output) -> str:
        value = value_at(out, line.path)
        if not value:
            return "gone or empty"
        old, new = parsed(line.values[0]), parsed(value)
        if not new or not old:
            return f"no date: {value[:40]!r}"
        if not self.offsets[line.patient]:
            return "kept" if value == line.values[0] else "no date of this patient is shifted"
        days = timedelta(days=self.offsets[line.patient].most_common(1)[0][0])
        if old[2] != new[2] or len(old[3]) != len(new[3]):
            return f"precision, time or zone changed: {value!r}"
        slack = timedelta(days=value_at(out, "StudyTime") not in (None, "", STUDY_TIME))  # of one that shifts times too
        if new[1] + slack < old[0] + days or new[0] - slack > old[1] + days:
            return f"kept: {value!r}" if value == line.values[0] else f"shifted by other days: {value!r}"
        return ""

    def uid_changed(self, line: Action, out: Output) -> str:
        found = resolve(out.ds, line.path)
        if found is None or found.value in (None, ""):
            return "" if line.optional or (found is not None and found.VR == "SQ") else "gone or empty"
        if found.VR == "SQ":
            return "kept" if line.values[0] in " ".join(texts(found)) else ""
        value = plain(found.value)
        if value == line.values[0]:
            return "kept"
        return "" if UID(value).is_valid else f"no UID: {value[:70]!r}"

    def uid_consistent(self, line: Action, out: Output) -> str:
        return self._consistent(line, out, self.maps["uid"])

    def patid_consistent(self, line: Action, out: Output) -> str:
        return self._consistent(line, out, self.maps["id"])

    def _consistent(self, line: Action, out: Output, maps: dict[str, Counter[str]]) -> str:
        value, old = value_at(out, line.path), line.values[0]
        if not value:
            return "" if line.optional else "gone or empty"
        if value == old:
            return "kept"
        usual = maps[old].most_common(1)[0][0]
        if value != usual:
            return f"{value!r}, elsewhere {usual!r}"
        shared = [one for one, news in maps.items() if one != old and news.most_common(1)[0][0] == value]
        return f"the same as of {shared[:2]}" if shared else ""

    def pixels_hidden(self, line: Action, out: Output) -> str:
        before, after = pictures(self.input(line.file), line.path), pictures(out, line.path)
        if not after:
            return "no pixels" if line.path == "PixelData" else ""
        if len(before) != len(after):
            return f"{len(after)} frames of {len(before)}"
        left = [number for number, pair in enumerate(zip(before, after, strict=True)) if legible(*pair, line.box)]
        return f"legible in frames {left[:8]}" if left else ""

    def pixels_retained(self, line: Action, out: Output) -> str:
        before = self.input(line.file)
        if not line.box and before.ds.get("PixelData") == out.ds.get("PixelData"):
            return ""
        if "PixelData" not in out.ds:
            return "gone"
        if len(before.frames) != len(out.frames):
            return f"{len(out.frames)} frames of {len(before.frames)}"
        worst = 0.0
        for one, other in zip(before.frames, out.frames, strict=True):
            if one.shape != other.shape:
                return f"shape {other.shape} of {one.shape}"
            part, whole = cut(one, line.box), cut(other, line.box)
            worst = max(worst, float(np.abs(part.astype(float) - whole).mean()))
        lossy = before.ds.file_meta.TransferSyntaxUID == "1.2.840.10008.1.2.4.50"
        return f"differ by {worst:.2f}" if worst > (PEER_TOLERANCE if lossy else 0) else ""


def cut(frame: np.ndarray, box: Iterable[int]) -> np.ndarray:
    if not box:
        return frame
    top, left, height, width = box
    return frame[top : top + height, left : left + width]


def pictures(out: Output, path: str) -> list[np.ndarray]:
    """The frames of the file, of an icon, or the bits of an overlay."""
    if path == "PixelData":
        return out.frames if "PixelData" in out.ds else []
    found = resolve(out.ds, path)
    if found is None or not found.value:
        return []
    data = np.frombuffer(found.value, np.uint8)
    if path.startswith("6000"):
        bits: np.ndarray = np.unpackbits(data, bitorder="little")[: 64 * 64].reshape(64, 64) * 255
        return [bits]
    return [data[: 64 * 64].reshape(64, 64)] if len(data) >= 64 * 64 else []


def legible(before: np.ndarray, after: np.ndarray, box: tuple[int, ...]) -> bool:
    """Whether the pixels of the letters still stand out from those around them."""
    one, other = (cut(frame, box).astype(float) for frame in (before, after))
    if one.shape != other.shape:
        return True
    if one.ndim == 3:
        one, other = one.mean(axis=2), other.mean(axis=2)
    letters = one > (one.max() + np.median(one)) / 2
    if not letters.any() or letters.all():
        return False
    was = one[letters].mean() - one[~letters].mean()
    now = other[letters].mean() - other[~letters].mean()
    return bool(abs(now) > HIDDEN * abs(was))


class Score(NamedTuple):
    """Counts by kind of action, and the wrong ones."""

    counts: Counter[str]
    wrong: list[Wrong]

    @property
    def right(self) -> float:
        """Actions right, in per cent."""
        return 100 * (1 - len(self.wrong) / sum(self.counts.values()))

    @property
    def over_removed(self) -> float:
        """What was to stay and has not, in per cent of what was to stay."""
        keep = sum(self.counts[kind] for kind in KEEPING)
        lost = sum(one.action.action in KEEPING and one.why != NO_OUTPUT for one in self.wrong)
        return 100 * lost / keep

    @property
    def missing(self) -> int:
        """Files without an output."""
        return len({one.action.file for one in self.wrong if one.why == NO_OUTPUT})

    def by_action(self) -> dict[str, tuple[int, int]]:
        wrong = Counter(one.action.action for one in self.wrong)
        return {kind: (self.counts[kind] - wrong[kind], wrong[kind]) for kind in ACTIONS}

    def by_place(self) -> list[tuple[str, int]]:
        return Counter(one.action.place for one in self.wrong).most_common()


def score(folder: Path, out: Path) -> Score:
    """The score of what a tool wrote to `out` from the set in `folder`."""
    scorer = Scorer(folder, out)
    return Score(Counter(line.action for line in scorer.lines), scorer.wrong())


def table(scores: dict[str, Score]) -> str:
    """Scores of several tools as a Markdown table."""
    lines = [f"| action | of | {' | '.join(scores)} |", "|---" * (len(scores) + 2) + "|"]
    kinds = {name: one.by_action() for name, one in scores.items()}
    first = next(iter(scores.values()))
    for kind in ACTIONS:
        cells = [f"{kinds[name][kind][1]}" for name in scores]
        lines.append(f"| {kind}, wrong | {first.counts[kind]} | {' | '.join(cells)} |")
    total = sum(first.counts.values())
    lines.append(f"| **right** | {total} | {' | '.join(f'**{one.right:.2f} %**' for one in scores.values())} |")
    lines.append(f"| over-removed | | {' | '.join(f'{one.over_removed:.2f} %' for one in scores.values())} |")
    lines.append(f"| files without output | | {' | '.join(str(one.missing) for one in scores.values())} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("set", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--all", action="store_true", help="list every wrong action")
    told = parser.parse_args()
    found = score(told.set, told.out)
    print(table({"tool": found}))
    for place, count in found.by_place():
        print(f"{count:6} {place}")
    for one in found.wrong if told.all else ():
        print(f"{one.action.action} | {one.action.place} | {one.action.file} {one.action.path} | {one.why}")


if __name__ == "__main__":
    main()

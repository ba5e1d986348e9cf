"""Verify: what is left of identifiers in files that were de-identified.

Each file is searched twice: its bytes, for every spelling and encoding, whatever they are read as; and its texts,
decoded, as they are searched when they are cleaned. Deflated data sets and the streams of PDFs are inflated first.
"""

from __future__ import annotations

import os
import re
import zlib
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

from dicomcore._native.deid.place import place_at
from dicomcore._native.scan.index import Index
from dicomcore._native.views.dataset import make_dataset
from dicomcore.dataset import Dataset
from dicomcore.dataset.paths import walk
from dicomcore.dataset.state import DATA_SET
from dicomcore.deid.identifiers import KINDS, Identifiers, gather
from dicomcore.deid.journal import NAME as JOURNAL
from dicomcore.deid.needles import Sought, sought_in
from dicomcore.deid.text import matches
from dicomcore.deid.vocabulary import common_words
from dicomcore.errors import DicomError
from dicomcore.findings import Findings
from dicomcore.iod.opening import index_for
from dicomcore.iod.report import path_text
from dicomcore.limits import Limits
from dicomcore.part10.reader import dcmread
from dicomcore.tags import PIXEL_TAGS, Tag

__all__ = ["Finding", "Report", "gather_from", "kinds_for", "verify"]

RULES = {
    "bytes": "the bytes of the file have it",
    "text": "a decoded text has it",
    "document": "an inflated stream of an encapsulated document has it",
    "file name": "the name of the file has it",
}
"""The rules, each with what it says."""

_SURE = 6  # letters and digits of what is no chance in text
_RARE = 8  # of what is hardly a chance in pixels
_MOST = 10_000  # places in one file
_WORD = 24  # letters of a word around a needle
_LETTERS = re.compile(rb"[A-Za-z]+")
_KEPT_TEXTS = 1 << 16
_INFLATED = 1 << 26  # bytes of a document's streams
_NUMBERS = frozenset("DS IS TM AT FL FD SL SS UL US SV UV OF OD OL OV".split())  # noqa: SIM905
_SAMPLES = frozenset(
    {0x54001010, 0x00282000, *range(0x00281201, 0x00281205), *range(0x00281221, 0x00281225), 0x00283006}
)  # waveforms, ICC profiles, LUT data
_TEXTS = frozenset("AE CS LO LT PN SH ST UC UR UT".split())  # noqa: SIM905
_DOCUMENT = 0x00420011
_KEPT_KINDS = {
    "retain_uids": "uids",
    "retain_device_identity": "devices",
    "retain_institution_identity": "institutions",
    "retain_longitudinal_full_dates": "dates",
}

Against = Identifiers | Dataset | str | os.PathLike[str] | Iterable[Dataset]
Out = Dataset | str | os.PathLike[str] | bytes


class Finding(NamedTuple):
    """An identifier that is still there."""

    severity: str
    """``"error"``, or ``"warning"`` for what may be there by chance: dates that were moved there, bytes of pixels."""
    file: str
    """The file, below the folder that was searched; identifiers in it are replaced by asterisks."""
    path: str
    """Where in the data set: ``"RequestAttributesSequence[0].ScheduledProcedureStepDescription"``; else where in the
    file: ``"preamble"``, ``"behind the data set"``, ``"byte 1234"``."""
    tag: Tag | None
    """The element's tag; None for what is no element's."""
    kind: str
    """The kind of identifier; see `KINDS`."""
    rule: str
    """``"bytes"``, ``"text"``, ``"document"`` or ``"file name"``."""
    count: int = 1  # type: ignore[assignment]  # a tuple has a method of that name
    """How often it was found there."""
    value: str = ""
    """What was found; empty unless it was asked for."""

    def __str__(self) -> str:
        times = f" ({self.count} times)" if self.count > 1 else ""
        shown = f": {self.value!r}" if self.value else ""
        return f"{self.severity}: {self.file or 'the data set'}, {self.path}: {self.kind}, by {self.rule}{times}{shown}"

    def to_json(self) -> dict[str, Any]:
        """The fields as JSON takes them; the tag is eight hexadecimal digits or null."""
        return {**self._asdict(), "tag": None if self.tag is None else f"{int(self.tag):08X}"}


class Report(Findings[Finding]):
    """What was found. ``bool(report)`` is True if nothing but warnings was, and every file could be read.

    Errors are identifiers that are there, warnings what may be there by chance. It has no identifier unless `verify`
    was told to show them.

    Parameters
    ----------
    findings : iterable of Finding
        What was found, in the order of files.
    files, searched : int
        How many files there were, and how many bytes.
    unread : iterable of str
        Files that could not be opened or are no DICOM; of the latter the bytes were searched. The list that `folder`
        keeps for runs that go on is not among them.
    """

    __slots__ = ("files", "searched", "unread")
    _kind = Finding
    _facts = ("files", "searched", "unread")

    def __init__(
        self, findings: Iterable[Finding] = (), *, files: int = 0, searched: int = 0, unread: Iterable[str] = ()
    ) -> None:
        super().__init__(findings)
        self.files, self.searched, self.unread = files, searched, tuple(unread)

    def __bool__(self) -> bool:
        return super().__bool__() and not self.unread

    def __str__(self) -> str:
        return "\n".join([super().__str__(), *(f"not read: {name}" for name in self.unread)])

    def _title(self) -> str:
        unread = f", {len(self.unread)} not read" if self.unread else ""
        return f"{self.files} {'file' if self.files == 1 else 'files'}, {self.searched} bytes{unread}"


def kinds_for(options: Iterable[str]) -> tuple[str, ...]:
    """The kinds of identifiers that must be gone under the options of a plan."""
    kept = {_KEPT_KINDS.get(option) for option in options}
    return tuple(kind for kind in KINDS if kind not in kept)


def gather_from(against: Against, *, unread: list[str] | None = None) -> Identifiers:
    """All identifiers of a file, a folder, a data set or several; identifiers themselves as they are.

    Files that are no DICOM are passed over, and named in `unread` if it is given.
    """
    if isinstance(against, Identifiers):
        return against
    found: dict[str, set[Any]] = {kind: set() for kind in KINDS}
    for each in _gathered(against, unread):
        for kind in KINDS:
            found[kind] |= getattr(each, kind)
    return Identifiers(**found)


def _gathered(against: Any, unread: list[str] | None) -> Iterator[Identifiers]:
    if isinstance(against, Dataset):
        yield gather(against)
    elif isinstance(against, (str, os.PathLike)):
        for path in _files(os.fspath(against)):
            try:
                yield gather(dcmread(path))
            except (DicomError, OSError):
                if unread is not None:
                    unread.append(path)
    else:
        yield from map(gather, against)


def _files(place: str) -> Iterator[str]:
    """The files of a folder and of those in it, sorted; a file itself. Links to folders are not followed."""
    if not os.path.isdir(place):
        yield place
        return
    for folder, folders, names in os.walk(place):
        folders.sort()
        yield from (os.path.join(folder, name) for name in sorted(names))


def verify(
    out: Out,
    against: Against,
    *,
    kinds: Iterable[str] | None = None,
    allow: Iterable[str] = (),
    show: bool = False,
    workers: int = 1,
    limits: Limits | None = None,
    progress: Callable[[int], object] | None = None,
) -> Report:
    """Search what was de-identified for identifiers that are still there.

    Parameters
    ----------
    out : path, Dataset or bytes
        A file, a folder, a data set, or the bytes of a file.
    against : Identifiers, Dataset, iterable of Dataset, or path
        What must not be there; of data sets, a file or a folder, what they have. Pairs of files are not needed.
    kinds : iterable of str, optional
        The kinds that must be gone, see `kinds_for`; None for all.
    allow : iterable of str
        Texts that may be there though they identify: a name that is also a word, the number of a trial.
    show : bool
        Put into the findings what was found.
    workers : int
        How many threads search files.
    limits : Limits, optional
        Bounds on what is accepted from a file.
    progress : callable, optional
        Called with the number of files so far.

    Returns
    -------
    Report
        Where something is left.

    Raises
    ------
    OSError
        `out` or `against` does not exist.
    """
    for place in (out, against):
        if isinstance(place, (str, os.PathLike)):
            os.stat(place)
    identifiers = gather_from(against)
    if kinds is not None:
        identifiers = identifiers.only(*kinds)
    search = _Search(_without(identifiers, allow), show, limits)
    if not isinstance(out, (str, os.PathLike)):
        found, size, unread = search.one(out, "")
        return Report(found, files=1, searched=size, unread=unread)
    top = os.fspath(out)
    findings: list[Finding] = []
    unread_files: list[str] = []
    searched = count = 0
    with ThreadPoolExecutor(max(1, workers)) as pool:
        for found, size, unread in pool.map(lambda path: search.one(path, _below(path, top)), _files(top)):
            findings += found
            unread_files += unread
            searched += size
            count += 1
            if progress is not None:
                progress(count)
    return Report(findings, files=count, searched=searched, unread=unread_files)


def _below(path: str, top: str) -> str:
    return os.path.basename(path) if path == top else os.path.relpath(path, top)


def _without(identifiers: Identifiers, allow: Iterable[str]) -> Identifiers:
    allowed = set(allow)
    if not allowed:
        return identifiers
    return Identifiers(**{kind: getattr(identifiers, kind) - allowed for kind in KINDS})


Place = tuple[str, str, int | None, str, str, str]
"""Severity, path, tag, kind, rule and value of a finding."""


class _Search:
    """The search of one run; threads share it."""

    def __init__(self, identifiers: Identifiers, show: bool, limits: Limits | None) -> None:
        self.identifiers, self.show, self.limits = identifiers, show, limits
        self.soughts = sought_in(identifiers)
        self.by_kind = [(kind, identifiers.only(kind)) for kind in KINDS[:7] if getattr(identifiers, kind)]
        self.known: dict[str, tuple[tuple[str, str], ...]] = {}

    def one(self, out: Any, name: str) -> tuple[list[Finding], int, list[str]]:
        """The findings of one file, its size, and its name if it could not be read."""
        found = _Found(self.show)
        hidden = self.name(name, found)
        index: Index | None = None
        unread: list[str] = []
        try:
            index = index_for(out, self.limits)
            place_at(index, 0)  # reads it to its end
        except (DicomError, OSError):
            index = None  # only its bytes can be searched
            if name != JOURNAL:
                unread.append(hidden)
        size = 0
        try:
            size = self.raw(out, index, found)
        except OSError:
            unread = [hidden]
        if index is not None:
            self.texts(out if isinstance(out, Dataset) else make_dataset(Dataset, index, DATA_SET), found)
        return found.findings(hidden), size, unread

    def name(self, name: str, found: _Found) -> str:
        """A file's name with asterisks in place of identifiers."""
        hidden, at = "", 0
        for start, stop in matches(name, self.identifiers) if name else ():
            kinds = self.matched(name[start:stop])
            found.add("error", "file name", None, kinds[0][0] if kinds else "names", "file name", name[start:stop])
            hidden += name[at:start] + "***"
            at = stop
        return name if self.show else hidden + name[at:]

    def raw(self, out: Any, index: Index | None, found: _Found) -> int:
        """Search the bytes as they are and, of a deflated data set, inflated. Returns how many there are."""
        needles, _ = self.soughts
        size = 0
        inflated = index is not None and index.inflated
        outer = None if inflated else index
        if isinstance(out, (str, os.PathLike)):
            path = os.fspath(out)
            size = os.stat(path).st_size
            self.hits(needles.search_file(path, _MOST)[0], outer, found, lambda a, b: _peek(path, a, b))
        elif isinstance(out, bytes):
            size = len(out)
            self.hits(needles.search(out, _MOST)[0], outer, found, lambda a, b: out[a:b])
        if index is not None and (size == 0 or inflated):
            first = index.source.first
            whole = index.read(first, index.source.size - first)
            size = size or len(whole)
            hits = [(at + first, number) for at, number in needles.search(whole, _MOST)[0]]
            self.hits(hits, index, found, lambda a, b: bytes(whole[max(a - first, 0) : b - first]))
        return size

    def hits(
        self, hits: list[tuple[int, int]], index: Index | None, found: _Found, peek: Callable[[int, int], bytes]
    ) -> None:
        """Note where needles were found."""
        for offset, number in hits:
            about = self.soughts.about[number]
            steps, tag, vr = place_at(index, offset) if index is not None else ([], 0, "")
            severity = _severity(about, tag, vr, index is None)
            if severity and not (about.inside and _is_inside(peek, offset, about.length)):
                path = path_text(steps, tag) if tag else _outside(index, offset)
                value = peek(offset, offset + about.length + 8).decode("latin-1") if self.show else ""
                found.add(severity, path, tag or None, about.kind, "bytes", value)

    def texts(self, data_set: Dataset, found: _Found) -> None:
        """Search decoded texts, as they are searched when they are cleaned."""
        try:
            if not any(
                map(self.is_found, data_set.iterall())
            ):  # most files: the walk below makes a path of each element
                return
            for path, _, element in walk(data_set):
                if element.VR in _TEXTS:
                    for text in _values_of(element):
                        for kind, value in self.matched(text):
                            found.add("error", path, int(element.tag), kind, "text", value)
                elif int(element.tag) == _DOCUMENT:
                    self.document(path, element.value, found)
        except DicomError:
            return

    def is_found(self, element: Any) -> bool:
        """Whether an element's text has an identifier, or it is a document, which is still to be searched."""
        if element.VR in _TEXTS:
            return any(self.matched(text) for text in _values_of(element))
        return int(element.tag) == _DOCUMENT

    def matched(self, text: str) -> tuple[tuple[str, str], ...]:
        """(kind, value) of the identifiers in a text."""
        known = self.known.get(text)
        if known is None:
            known = ()
            if matches(text, self.identifiers):
                known = tuple((k, text[a:b]) for k, some in self.by_kind for a, b in matches(text, some))
            if len(self.known) < _KEPT_TEXTS:
                self.known[text] = known
        return known

    def document(self, path: str, data: Any, found: _Found) -> None:
        """Search the inflated streams of an encapsulated document."""
        needles, about = self.soughts
        for stream in _streams(bytes(data or b"")):
            for offset, number in needles.search(stream, _MOST)[0]:
                one = about[number]
                value = stream[offset : offset + one.length + 8].decode("latin-1")
                found.add("error", path, _DOCUMENT, one.kind, "document", value)


class _Found:
    """What was found in one file, counted by place."""

    def __init__(self, show: bool) -> None:
        self.show = show
        self.places: dict[Place, int] = {}

    def add(self, severity: str, path: str, tag: int | None, kind: str, rule: str, value: str) -> None:
        place = severity, path, tag, kind, rule, value if self.show else ""
        self.places[place] = self.places.get(place, 0) + 1

    def findings(self, name: str) -> list[Finding]:
        """The findings; a text is not told where its bytes were."""
        told = {place[1:4] for place in self.places if place[0] == "error" and place[4] == "bytes"}
        return [
            Finding(severity, name, path, None if tag is None else Tag(tag), kind, rule, count, value)
            for (severity, path, tag, kind, rule, value), count in self.places.items()
            if rule != "text" or (path, tag, kind) not in told
        ]


def _severity(about: Sought, tag: int, vr: str, foreign: bool) -> str:
    """How sure it is that bytes are what they look like; empty for what is most likely chance."""
    short, rare = about.length < _SURE, about.length >= _RARE
    if tag == 0:
        return "warning" if foreign and short else "error"
    if tag in PIXEL_TAGS or tag >> 24 == 0x60 or tag in _SAMPLES:
        return "" if short else "error" if rare and not about.numeric else "warning"
    if vr in _NUMBERS:
        return "warning" if rare or not (short or about.numeric) else ""
    if vr in ("DA", "DT") or (vr == "UI" and about.kind != "uids"):
        return "" if short else "warning"
    return "warning" if short and about.numeric else "error"


def _outside(index: Index | None, offset: int) -> str:
    if index is not None and index.preamble is not None and offset < 128:
        return "preamble"
    return f"byte {offset}" if index is None else f"byte {offset}, of no element"


def _peek(path: str, start: int, stop: int) -> bytes:
    with open(path, "rb") as file:
        file.seek(start)
        return file.read(stop - start)


def _is_inside(peek: Callable[[int, int], bytes], offset: int, length: int) -> bool:
    """Whether an ASCII text at an offset is a part of a longer word of the vocabulary."""
    start = max(offset - _WORD, 0)
    around = peek(start, offset + length + _WORD)
    words = [match for match in _LETTERS.finditer(around) if match.start() <= offset - start < match.end()]
    return any(len(word[0]) > length and word[0].decode().lower() in common_words() for word in words)


def _values_of(element: Any) -> Iterator[str]:
    try:
        value = element.value
    except ValueError:
        return
    for one in value if isinstance(value, (list, tuple)) else (value,):
        if one is not None and not isinstance(one, bytes):
            yield str(one)


def _streams(data: bytes) -> Iterator[bytes]:
    """The deflated streams of a PDF, inflated; together not more than a limit."""
    if b"%PDF" not in data[:1024]:
        return
    left, at = _INFLATED, 0
    while left > 0:
        at = data.find(b"stream", at)
        if at < 0:
            return
        at += len(b"stream")
        start = at + (2 if data[at : at + 2] == b"\r\n" else 1)
        if data[start : start + 1] not in (b"\x78", b"\x58", b"\x48", b"\x68"):
            continue
        try:
            made = zlib.decompressobj().decompress(data[start:], left)
        except zlib.error:
            continue
        left -= len(made)
        yield made

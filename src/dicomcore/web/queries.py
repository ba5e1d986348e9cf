"""Query strings of searches (PS3.18 8.3.4): what is matched, what is included, and which page of it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache

from dicomcore import catalogue
from dicomcore.catalogue.attributes import COLUMNS, COUNTED, LEVELS, level_of
from dicomcore.dictionary import dictionary_VR, keyword_for_tag, tag_for_keyword
from dicomcore.web.problems import Problem
from dicomcore.web.requests import Request
from dicomcore.web.routes import Target

__all__ = ["Search", "attribute_path", "read_search"]

IGNORED = frozenset({"accept", "charset", "access_token", "token", "_", "orderby"})
PAGING = ("limit", "offset")
SWITCHES = ("fuzzymatching", "emptyvaluematching", "multiplevaluematching")
EMPTY = '""'
DEFAULTS = {
    "STUDY": ("StudyDate", "StudyTime", "AccessionNumber", "ModalitiesInStudy", "ReferringPhysicianName", "PatientName",
              "PatientID", "PatientBirthDate", "PatientSex", "StudyInstanceUID", "StudyID",
              "NumberOfStudyRelatedSeries", "NumberOfStudyRelatedInstances"),
    "SERIES": ("Modality", "SeriesDescription", "SeriesInstanceUID", "SeriesNumber",
               "NumberOfSeriesRelatedInstances", "PerformedProcedureStepStartDate",
               "PerformedProcedureStepStartTime", "RequestAttributesSequence"),
    "IMAGE": ("SOPClassUID", "SOPInstanceUID", "InstanceNumber", "Rows", "Columns", "BitsAllocated",
              "NumberOfFrames"),
}  # fmt: skip
"""What an answer has without being asked (PS3.18 Tables 10.6.3-3 to 10.6.3-5)."""
BELOW = {"Modality": "ModalitiesInStudy", "SOPClassUID": "SOPClassesInStudy"}
"""What a search for studies matches in place of an attribute of their series and instances."""
TIME_ZONE = "TimezoneOffsetFromUTC"  # how dates and times are read, and not matched (PS3.18 8.3.4.1.1)
MOST_KEYS = 256
HEX = re.compile("[0-9A-Fa-f]{8}")
CONTROL = re.compile(r"[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f\x7f]")
"""Characters that no value has, and without which it would match more than was asked."""


@dataclass(slots=True)
class Search:
    """A search as it was asked for."""

    level: str
    keys: dict[str, str] = field(default_factory=dict)
    """Values by attribute, sequences as ``Sequence.Attribute``."""
    include: list[str] = field(default_factory=list)
    """Keywords beside the default ones."""
    everything: bool = False
    limit: int | None = None
    offset: int = 0
    fuzzy: bool = False
    multiple: bool = False
    zone: str = ""
    """The offset from UTC of dates and times, in the keys and in the answers."""
    creators: dict[int, str] = field(default_factory=dict)
    """Private creators by the tags of their elements."""
    private: dict[str, int] = field(default_factory=dict)
    """Tags of private attributes in the answer by what catalogues call them."""
    ignored: list[str] = field(default_factory=list)
    """Keys that the catalogue does not keep, and that are not matched."""

    def compiled(self) -> catalogue.Query:
        """The query of a catalogue; Problem for what it does not understand."""
        try:
            return catalogue.query(
                self.keys, level=self.level or "IMAGE", fuzzy=self.fuzzy, multiple=self.multiple, zone=self.zone,
                include=(*self.include, *self.private),
            )  # fmt: skip
        except ValueError as error:
            raise Problem(400, str(error)) from None

    def keywords(self, target: Target) -> list[str]:
        """The attributes of an answer at the level, in the order of their tags."""
        levels = [self.level]
        if self.level != "STUDY" and not target.study:
            levels.insert(0, "STUDY")
        if self.level == "IMAGE" and not target.series:
            levels.insert(-1, "SERIES")
        names = {name for level in levels for name in DEFAULTS[level]}
        names |= {"RetrieveURL", "InstanceAvailability", "StudyInstanceUID", TIME_ZONE} | (
            {"SeriesInstanceUID"} if self.level == "IMAGE" else set()
        )
        names |= {key.partition(".")[0] for key in self.keys} | set(self.include)
        if self.everything:
            names |= {name for level in ("PATIENT", *levels) for name in (*COLUMNS[level], *COUNTED[level])}
        return sorted(names, key=lambda name: tag_for_keyword(name) or 0)


def read_search(request: Request, target: Target) -> Search:
    """The search that a request asks for; Problem 400 for what is wrong with it."""
    search = Search(target.level)
    empty = False
    seen: set[str] = set()
    search.creators = _creators(request.query)
    search.multiple = any(name.lower() == SWITCHES[2] and value.lower() == "true" for name, value in request.query)
    for name, value in request.query:
        low = name.lower()
        if low in IGNORED:
            continue
        if low == "includefield":
            _include(search, value)
            continue
        if low in seen:
            raise Problem(400, f"{name[:64]} is given twice")
        if low in PAGING:
            setattr(search, low, _whole(low, value))
        elif low in SWITCHES:
            is_on = _switch(low, value)
            search.fuzzy = is_on if low == "fuzzymatching" else search.fuzzy
            empty = is_on if low == "emptyvaluematching" else empty
        else:
            _match(search, name, value)
        seen.add(low)
        if len(search.keys) > MOST_KEYS:
            raise Problem(400, f"more than {MOST_KEYS} keys")
    if empty:
        search.keys = {key: value or EMPTY for key, value in search.keys.items()}
    for keyword, uid in (("StudyInstanceUID", target.study), ("SeriesInstanceUID", target.series)):
        if uid:
            search.keys[keyword] = uid
    return search


def _creators(pairs: Iterable[tuple[str, str]]) -> dict[int, str]:
    """Private creators by the tags of their elements (PS3.18 8.3.4.1)."""
    tags = ((int(name, 16), value.strip()) for name, value in pairs if HEX.fullmatch(name))
    return {tag: value for tag, value in tags if tag >> 16 & 1 and 0x10 <= tag & 0xFFFF <= 0xFF and value}


def _has_private(search: Search, name: str, value: str) -> bool:
    """Whether a name is that of a private attribute, or of its creator; it is answered then, and not matched."""
    tag = int(name, 16) if HEX.fullmatch(name) else 0
    if not tag >> 16 & 1:
        return False
    if 0x10 <= tag & 0xFFFF <= 0xFF:
        return True
    creator = search.creators.get(tag & 0xFFFF0000 | (tag >> 8 & 0xFF))
    if creator is None:
        raise Problem(400, f"{name} is private, and no creator is given for its block (PS3.18 8.3.4.1)")
    search.private[f"{tag >> 16:04x}xx{tag & 0xFF:02x}:{creator}"] = tag
    if value:
        search.ignored.append(name)
    return True


def _match(search: Search, name: str, value: str) -> None:
    if _has_private(search, name, value):
        return
    path = attribute_path(name)
    if path == (TIME_ZONE,):
        search.zone = "+" + value[1:] if value[:1] == " " else value  # a plus sign that is not escaped is a blank
        return
    if not search.level:  # what belongs to no patient has no levels
        _check_value(path[-1], value)
        search.keys[".".join(path)] = value
        return
    if search.level == "STUDY" and path[0] in BELOW:
        path = (BELOW[path[0]], *path[1:])
    at = level_of(path[0])
    if at is None:
        if value:
            search.ignored.append(path[0])
        search.include.append(path[0])
        return
    if LEVELS.index(at) > LEVELS.index(search.level):
        raise Problem(400, f"{path[0]} is an attribute of a lower level than this search finds (PS3.18 10.6.1.2.1)")
    _check_value(path[-1], value)
    search.keys[".".join(path)] = value


def _check_value(keyword: str, value: str) -> None:
    """Problem 400 for a value that cannot be meant."""
    if CONTROL.search(value):
        raise Problem(400, f"{keyword} has a control character in its value")


def _include(search: Search, value: str) -> None:
    for name in value.split(","):
        if name.strip().lower() == "all":
            search.everything = True
        elif name.strip() and not _has_private(search, name.strip(), ""):
            path = attribute_path(name.strip())
            if path[0] not in search.include:
                search.include.append(path[0])


def attribute_path(name: str) -> tuple[str, ...]:
    """The keywords of an attribute, given by keywords or tags with dots between them; Problem 400 if it is none."""
    path = []
    pieces = name.split(".")
    if len(pieces) > 8:
        raise Problem(400, f"{name[:64]!r} is nested too deeply")
    for piece in pieces:
        tag = _tag(piece)
        keyword = keyword_for_tag(tag) if tag is not None else ""
        if not keyword:
            raise Problem(400, f"{piece[:64]!r} is neither an attribute's keyword nor its tag")
        path.append(keyword)
    if any(dictionary_VR(tag_for_keyword(keyword) or 0) != "SQ" for keyword in path[:-1]):
        raise Problem(400, f"{name[:64]!r}: only sequences have attributes inside")
    return tuple(path)


def _tag(piece: str) -> int | None:
    if HEX.fullmatch(piece):
        return int(piece, 16)
    found = tag_for_keyword(piece) if piece.isascii() else None
    if found is None:  # clients and proxies change the case of names
        found = _kept_keywords().get(piece.lower())
    return None if found is None else int(found)


@lru_cache(maxsize=1)
def _kept_keywords() -> dict[str, int]:
    """The tags of the attributes that catalogues keep, by keyword in lower case."""
    names = {name for level in LEVELS for name in (*COLUMNS[level], *COUNTED[level])}
    return {name.lower(): int(tag) for name in names if (tag := tag_for_keyword(name)) is not None}


def _whole(name: str, value: str) -> int:
    if not value.isascii() or not value.isdigit() or len(value) > 12:
        raise Problem(400, f"{name} is a number from 0, not {value[:20]!r}")
    return int(value)


def _switch(name: str, value: str) -> bool:
    if value.lower() not in ("true", "false"):
        raise Problem(400, f"{name} is true or false, not {value[:20]!r}")
    return value.lower() == "true"

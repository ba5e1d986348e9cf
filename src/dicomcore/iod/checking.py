"""check: what is wrong with an object, by the IOD of its SOP class and the rules across attributes."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import TYPE_CHECKING

from dicomcore._native.rules import tables as _tables
from dicomcore._native.views.dataset import make_dataset
from dicomcore.dataset import Dataset
from dicomcore.dataset.state import DATA_SET
from dicomcore.iod.codes import CODES, GROUPS, NAMES, SEVERITIES
from dicomcore.iod.definitions import describe
from dicomcore.iod.opening import index_for
from dicomcore.iod.report import Finding, Report, make_finding
from dicomcore.uids import UID

if TYPE_CHECKING:
    from dicomcore._native.check.coherence import Found
    from dicomcore._native.scan.index import Index
    from dicomcore.encoding.sources import Source
    from dicomcore.issues import Issue
    from dicomcore.limits import Limits

__all__ = ["MOST", "asked", "check", "chosen_rules", "finding_of", "iod_name_of", "row_of"]

MOST = 1000  # different findings of one object
MOST_TERMS = 8
NOT_ENUMERATED, NOT_DEFINED, NOT_IN_IOD, MODULE_MISSING, RETIRED, VALUE_COUNT = 7, 8, 10, 11, 15, 16
NO_SOP_CLASS, UNKNOWN_SOP_CLASS, FINDINGS_CUT, BAD_VALUE, ISSUE = 17, 18, 19, 21, 22
SOP_CLASS_UID = 0x00080016
DIRECTORY_RECORDS = 0x00041220  # only a DICOMDIR has them; its SOP class is in the file meta information (PS3.3 F.3)
COHERENCE = frozenset(number for number, code in CODES.items() if code.group == "coherence")
STRUCTURE = frozenset(number for number in CODES if number < NO_SOP_CLASS and number != RETIRED) | {23, 24, 25, 26}
"""What native code finds in the tables of the IOD."""


def check(
    src: Source | Dataset,
    *,
    iod: str | None = None,
    rules: Iterable[str] = GROUPS,
    at_least: str = "warning",
    limits: Limits | None = None,
) -> Report:
    """Check an object (PS3.3): what is missing, what is there and should not be, and what contradicts itself.

    Parameters
    ----------
    src : Dataset, path, bytes-like, binary stream, or object with `size` and ``read_at(offset, length)``
        The object; nothing has to be written first. A bare data set is read by `dcmread` with ``force=True`` first.
    iod : str, optional
        The UID, name or keyword of a SOP class, in place of the object's own.
    rules : iterable of str
        Groups of rules (``"structure"``, ``"values"``, ``"coherence"``) and codes of single ones; a code with ``-`` in
        front leaves that one out: ``["coherence", "MISSING", "-MODALITY"]``. If there are only such, they are left out
        of all.
    at_least : {"note", "warning", "error"}
        The least severity that is reported.
    limits : Limits, optional
        Bounds on what is accepted from the input.

    Returns
    -------
    Report
        True if the object has no errors.

    Raises
    ------
    ValueError
        A rule or a severity has no such name.
    KeyError
        `iod` names no storage SOP class.
    InvalidDicomError
        The input is not DICOM.
    LimitError
        The input exceeds `limits`.
    OSError
        As open() raises it.
    """
    chosen = chosen_rules(rules if isinstance(rules, tuple) else tuple(rules), at_least)
    stated = row_of(iod)
    index = index_for(src, limits)
    found, cut, sop_class, unknown = _found(index, chosen, stated)
    made: list[Finding] = [finding_of(one) for one in found if one[0] in chosen]
    iod_name = describe(iod).name if iod else iod_name_of(sop_class)
    if not iod_name:
        code = UNKNOWN_SOP_CLASS if sop_class or DIRECTORY_RECORDS in _root(index) else NO_SOP_CLASS
        codes = (code, RETIRED) if UID(sop_class).is_retired else (code,)
        made += [make_finding(one, None, SOP_CLASS_UID, (), 1, 0, 0) for one in codes if one in chosen]
    if ISSUE in chosen:
        made += [_of_issue(issue) for issue in _issues(index)]
    if cut and FINDINGS_CUT in chosen:
        made.append(make_finding(FINDINGS_CUT, None, 0, (), 1, cut, 0))
    return Report(made, sop_class=sop_class, iod=iod_name, unknown=unknown)


def _found(index: Index, chosen: frozenset[int], sop_class: int) -> tuple[list[Found], int, str, int]:
    """What native code finds by a row of the tables, -1: that of the object's own class."""
    from dicomcore._native.check.coherence import findings  # its modules take time to load

    return findings(index, sop_class=sop_class, most=MOST, **asked(chosen))


def row_of(iod: str | None) -> int:
    """The row of the tables that native code takes for a SOP class by its UID or name; -1 for none."""
    return -1 if iod is None else _tables.find(describe(iod).sop_class)


def asked(chosen: frozenset[int]) -> dict[str, bool]:
    """What native code has to look for, to find these codes."""
    return {
        "structure": not chosen.isdisjoint(STRUCTURE),
        "notes": NOT_IN_IOD in chosen,
        "folds": MODULE_MISSING in chosen,
        "coherence": not chosen.isdisjoint(COHERENCE),
        "forms": BAD_VALUE in chosen,
        "counts": VALUE_COUNT in chosen,
        "retired": RETIRED in chosen,
    }


def finding_of(found: Found) -> Finding:
    """A finding from what native code tells of it."""
    number, module, tag, path, count, detail, more = found
    named = None if module is None else _tables.module(module)[:2]
    made = make_finding(number, named, tag, path, count, detail, more)
    if number not in (NOT_ENUMERATED, NOT_DEFINED):
        return made
    terms = [str(term) for term in _tables.use(detail & 0xFFFFFF)[2] if term != ""]
    shown = ", ".join(terms[:MOST_TERMS]) + (", …" if len(terms) > MOST_TERMS else "")
    kind = "an enumerated value" if number == NOT_ENUMERATED else "a defined term"
    return made._replace(message=f"has as value {detail >> 24} what is not {kind}: {shown}")


def _root(index: Index) -> Dataset:
    return make_dataset(Dataset, index, DATA_SET)


def _issues(index: Index) -> list[Issue]:
    """What the reader noticed; mostly nothing."""
    return list(_root(index).issues) if any(index.deviations()) else []


def _of_issue(issue: Issue) -> Finding:
    made = make_finding(ISSUE, None, issue.tag or 0, (), 1, 0, 0)
    return made._replace(message=f"{issue.code}: {issue.message}")


@lru_cache(maxsize=64)
def iod_name_of(sop_class: str) -> str:
    """The name of the IOD of a SOP class, empty if there is none."""
    try:
        return describe(sop_class).name
    except KeyError:
        return ""


@lru_cache(maxsize=64)
def chosen_rules(rules: tuple[str, ...], at_least: str) -> frozenset[int]:
    """The numbers of the rules that `check` is asked for. That findings were left out is always said."""
    if at_least not in SEVERITIES:
        raise ValueError(f"at_least is one of {', '.join(SEVERITIES)}, not {at_least!r}")
    taken: set[int] = set()
    left: set[int] = set()
    if all(rule.startswith("-") for rule in rules):
        rules = (*GROUPS, *rules)
    for rule in rules:
        name = rule.removeprefix("-")
        if rule in GROUPS:
            taken |= {code.number for code in CODES.values() if code.group == rule}
        elif name in NAMES:
            (taken if name == rule else left).add(NAMES[name].number)
        else:
            raise ValueError(f"{rule!r} is no rule; groups are {', '.join(GROUPS)}, codes are in dicomcore.iod.codes")
    grave = SEVERITIES.index(at_least)
    return frozenset(
        {number for number in taken - left if SEVERITIES.index(CODES[number].severity) >= grave} | {FINDINGS_CUT}
    )

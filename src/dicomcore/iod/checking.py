"""check: what is wrong with an object, by the IOD of its SOP class and the rules across attributes."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import TYPE_CHECKING

from dicomcore._native.check.coherence import findings as _findings
from dicomcore.iod.codes import CODES, GROUPS, NAMES, SEVERITIES
from dicomcore.iod.definitions import describe
from dicomcore.iod.opening import index_for
from dicomcore.iod.report import Finding, Report, make_finding

if TYPE_CHECKING:
    from dicomcore.dataset import Dataset
    from dicomcore.encoding.sources import Source
    from dicomcore.limits import Limits

__all__ = ["check", "chosen_rules"]

MOST = 1000  # different findings of one object
FINDINGS_CUT, BAD_VALUE = 19, 21
COHERENCE = frozenset(number for number, code in CODES.items() if code.group == "coherence")


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
    index = index_for(src, limits)
    found, cut, sop_class = _findings(
        index, coherence=not chosen.isdisjoint(COHERENCE), texts=BAD_VALUE in chosen, most=MOST
    )
    made: list[Finding] = [
        make_finding(number, None, tag, path, count, detail, more)
        for number, _, tag, path, count, detail, more in found
        if number in chosen
    ]
    if cut and FINDINGS_CUT in chosen:
        made.append(make_finding(FINDINGS_CUT, None, 0, (), 1, cut, 0))
    return Report(made, sop_class=sop_class, iod=describe(iod).name if iod else _iod_name(sop_class))


@lru_cache(maxsize=64)
def _iod_name(sop_class: str) -> str:
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

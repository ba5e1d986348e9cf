"""The deviations that the bulk loop noted natively, in the same words as `Dataset.issues` and row.py."""

from __future__ import annotations

from collections import defaultdict

from dicomcore._native.bulk.extract import Extractor
from dicomcore.archive.tables.columns import Columns
from dicomcore.archive.tables.row import issue_texts, misfit_text, quoted
from dicomcore.issues import Issue, noted_issue, scanned_issue

__all__ = ["noted_texts"]

# By the codes of the enum Found in _native/bulk/extract.pyx.
FOUND = {
    101: ("META_LENGTH", "the file meta information group has no length"),
    102: ("META_LENGTH", "the file meta information group says {claimed} bytes and has {present}"),
    103: ("WRONG_BYTE_ORDER", "labelled big endian, found little endian"),
    104: ("WRONG_BYTE_ORDER", "labelled little endian, found big endian"),
    105: ("EXPLICIT_IN_IMPLICIT", "labelled implicit VR, found explicit VR"),
    106: ("IMPLICIT_IN_EXPLICIT", "labelled explicit VR, found implicit VR"),
}


def noted_texts(rows: Extractor, columns: Columns) -> dict[int, list[str]]:
    """The texts for the column `issues`, by row; rows without issues are left out."""
    deviations: defaultdict[int, list[Issue]] = defaultdict(list)
    for row, *deviation in rows.issues():
        deviations[row].append(_issue(*deviation))
    texts: defaultdict[int, list[str]] = defaultdict(list)
    texts.update((row, issue_texts(issues)) for row, issues in deviations.items())
    for row, column, text in rows.misread():
        texts[row].append(misfit_text(columns.by_tag[column], quoted(text)))
    return texts


def _issue(code: int, tag: int, offset: int, claimed: int, present: int) -> Issue:
    if code not in FOUND:
        return scanned_issue(code, tag, offset, claimed, present)
    name, text = FOUND[code]
    return noted_issue(name, tag, offset, text.format(claimed=claimed, present=present))

"""The deviations that the bulk loop noted natively, in the same words as `Dataset.issues` and row.py."""

from __future__ import annotations

from collections import defaultdict

from dicomcore._native.bulk.extract import Extractor
from dicomcore.archive.tables.columns import Columns
from dicomcore.archive.tables.row import issue_texts, misfit_text, quoted
from dicomcore.issues import Issue, scanned_issue

__all__ = ["noted_texts"]


def noted_texts(rows: Extractor, columns: Columns) -> dict[int, list[str]]:
    """The texts for the column `issues`, by row; rows without issues are left out."""
    deviations: defaultdict[int, list[Issue]] = defaultdict(list)
    for row, *deviation in rows.issues():
        deviations[row].append(scanned_issue(*deviation))
    texts: defaultdict[int, list[str]] = defaultdict(list)
    texts.update((row, issue_texts(issues)) for row, issues in deviations.items())
    for row, column, text in rows.misread():
        texts[row].append(misfit_text(columns.by_tag[column], quoted(text)))
    return texts

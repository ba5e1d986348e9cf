"""check and new: functions whose code is loaded when it is first used."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dicomcore.dataset import Dataset
    from dicomcore.dataset.code import Code
    from dicomcore.encoding.sources import Source
    from dicomcore.limits import Limits
    from dicomcore.sr.findings import CheckReport
    from dicomcore.sr.item import ContentItem

__all__ = ["check", "new"]


def check(src: Source | Dataset, template: int | str | None = None, *, limits: Limits | None = None) -> CheckReport:
    """Check a structured report: its content items, their relationships, and the template that it follows.

    Parameters
    ----------
    src : Dataset, path, bytes-like, binary stream, or object with `size` and ``read_at(offset, length)``
        A document; nothing has to be written first.
    template : int or str, optional
        The template to compare it with. By default the one that its root names (Content Template Sequence), or else the
        one with such a root.
    limits : Limits, optional
        Bounds on what is accepted: `depth` holds for content items, too, and no more than `elements` of them.

    Returns
    -------
    CheckReport
        The findings, in the order of severity. Conditions that can't be decided give none; they are counted.

    Raises
    ------
    KeyError
        There is no such `template`.
    InvalidDicomError
        The input is not DICOM.
    LimitError
        The document exceeds `limits`, or takes too long to compare with its template.
    OSError
        As open() raises it.
    """
    from dicomcore.sr import checking

    return checking.check(src, template, limits=limits)


def new(
    template: int | str,
    values: Mapping[Code | str, Any] | None = None,
    *,
    title: Code | None = None,
    items: Sequence[ContentItem] = (),
    sop_class: str = "ComprehensiveSRStorage",
    sources: Sequence[Dataset] = (),
    attributes: Mapping[str, Any] | None = None,
) -> Dataset:
    """Make a document that follows a template.

    Mandatory containers are made; all other items get their value from `values`.

    Parameters
    ----------
    template : int or str
        The template of the whole document, such as 1500.
    values : mapping, optional
        Values by concept: its Code, or the code's value or meaning. Each is of the class that `ContentItem` names for
        the value type of the row.
    title : Code, optional
        The root's concept, needed where the template has a choice.
    items : sequence of ContentItem
        More items below the root.
    sop_class, sources, attributes
        As `make_report` takes them.

    Raises
    ------
    KeyError
        There is no such template.
    ValueError
        `values` has a concept without a row, or the document would not follow the template; the message names the rows
        that are missing.
    """
    from dicomcore.sr import building

    return building.new(
        template, values, title=title, items=items, sop_class=sop_class, sources=sources, attributes=attributes
    )

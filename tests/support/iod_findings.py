"""Rules across attributes alone, over the index of an input."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dicomcore._native.check.coherence import findings as _findings
from dicomcore.iod.report import Finding, make_finding

if TYPE_CHECKING:
    from dicomcore.dataset import Dataset
    from dicomcore.encoding.sources import Source
    from dicomcore.limits import Limits

__all__ = ["findings"]

MOST = 1000
"""Different findings of one object."""
FINDINGS_CUT = 19


def findings(
    src: Source | Dataset, *, coherence: bool = True, texts: bool = False, limits: Limits | None = None
) -> list[Finding]:
    """The findings of the rules across attributes.

    Parameters
    ----------
    src : Dataset, path, bytes-like, binary stream, or object with `size` and ``read_at(offset, length)``
        The object. A data set that was made or changed in memory is encoded first.
    coherence, texts : bool
        Whether to look across attributes, and whether to look at the text of UIDs, dates, times, ages and numbers.
    limits : Limits, optional
        Bounds on what is accepted from the input.
    """
    from dicomcore.iod.opening import index_for

    found, cut, _, _ = _findings(
        index_for(src, limits),
        sop_class=-1,
        structure=False,
        notes=False,
        folds=False,
        coherence=coherence,
        forms=texts,
        counts=False,
        retired=False,
        most=MOST,
    )
    made = [
        make_finding(number, None, tag, path, count, detail, more)
        for number, _, tag, path, count, detail, more in found
    ]
    if cut:
        made.append(make_finding(FINDINGS_CUT, None, 0, (), 1, cut, 0))
    return made

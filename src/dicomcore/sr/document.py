"""make_report: build a structured report document around a content tree (PS3.3 A.35, C.17.2)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from dicomcore.dataset.building import Plain
from dicomcore.objects.modules import new_object, referenced_series, set_attributes
from dicomcore.sr.item import ContentItem
from dicomcore.sr.values import Reference
from dicomcore.sr.writer import write
from dicomcore.uids import UID, uid_for_keyword

if TYPE_CHECKING:
    from dicomcore.dataset import Dataset

__all__ = ["make_report"]


def make_report(
    root: ContentItem,
    *,
    sources: Sequence[Dataset] = (),
    sop_class: str = "ComprehensiveSRStorage",
    complete: bool = True,
    attributes: Mapping[str, Any] | None = None,
) -> Dataset:
    """Make a structured report document from a content tree, ready to be saved.

    The document is unverified (Verification Flag).

    Parameters
    ----------
    root : ContentItem
        Root of the content tree.
    sources : sequence of Dataset
        Data sets that the content refers to. The first gives patient and study; all are listed as evidence.
    sop_class : str
        A UID or its keyword: BasicTextSRStorage, EnhancedSRStorage, ComprehensiveSRStorage, Comprehensive3DSRStorage, …
    complete : bool
        Completion Flag: COMPLETE if true, else PARTIAL.
    attributes : mapping, optional
        More attributes by keyword. They are set last, over those made here.

    Returns
    -------
    Dataset
        The document.

    Raises
    ------
    EncodeError
        The tree cannot be written, see `write`.
    ValueError
        `sop_class` is neither a UID nor a keyword; or `sources` are given, and the tree refers to an instance that is
        not among them.
    """
    uid = uid_for_keyword(sop_class) or UID(sop_class)
    if not uid.is_valid:
        raise ValueError(f"{sop_class!r} is neither a UID nor the keyword of one")
    known = {source.SOPInstanceUID for source in sources}
    for _, item in root.walk():
        if sources and isinstance(item.value, Reference) and item.value.sop_instance not in known:
            raise ValueError(f"the content refers to {item.value.sop_instance}, which is not among the sources")
    document = new_object(sources[0] if sources else None, uid, "SR")
    plain: Plain = {
        "CompletionFlag": "COMPLETE" if complete else "PARTIAL",
        "VerificationFlag": "UNVERIFIED",
        "ReferencedPerformedProcedureStepSequence": [],
        "PerformedProcedureCodeSequence": [],
    }
    if sources:
        plain["CurrentRequestedProcedureEvidenceSequence"] = _evidence(sources)
    return write(root, set_attributes(set_attributes(document, plain), attributes))


def _evidence(sources: Sequence[Dataset]) -> list[Plain]:
    """List the sources by study and series, as items of an evidence sequence (PS3.3 C.17.2.3)."""
    studies = dict.fromkeys(source.StudyInstanceUID for source in sources)
    return [
        {
            "StudyInstanceUID": study,
            "ReferencedSeriesSequence": [
                {
                    "SeriesInstanceUID": series["SeriesInstanceUID"],
                    "ReferencedSOPSequence": series["ReferencedInstanceSequence"],
                }
                for series in referenced_series(sources_of_study, study)["ReferencedSeriesSequence"]
            ],
        }
        for study in studies
        if (sources_of_study := [source for source in sources if source.StudyInstanceUID == study])
    ]

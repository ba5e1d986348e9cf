"""make_report: a structured report document around a content tree (PS3.3 A.35, C.17.2)."""

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
    """Make a structured report document of a content tree, ready to be saved.

    `sources` are the data sets that the content refers to: the first gives patient and study, all are listed as
    evidence. `sop_class` is a UID or its keyword: BasicTextSRStorage, EnhancedSRStorage, ComprehensiveSRStorage,
    Comprehensive3DSRStorage, …  `complete` is the Completion Flag; the document is unverified. `attributes` are set at
    last, by keyword.

    Raises EncodeError for what makes no content tree, ValueError where the tree refers to an instance that is not among
    sources that were given, or the SOP class is unknown.
    """
    uid = uid_for_keyword(sop_class) or UID(sop_class)
    if not uid.is_valid:
        raise ValueError(f"{sop_class!r} is neither a UID nor the keyword of one")
    known = {source.SOPInstanceUID for source in sources}
    for _, item in root.walk():
        if sources and isinstance(item.value, Reference) and item.value.sop_instance not in known:
            raise ValueError(f"the content refers to {item.value.sop_instance}, which is not among the sources")
    made = new_object(sources[0] if sources else None, uid, "SR")
    plain: Plain = {
        "CompletionFlag": "COMPLETE" if complete else "PARTIAL",
        "VerificationFlag": "UNVERIFIED",
        "ReferencedPerformedProcedureStepSequence": [],
        "PerformedProcedureCodeSequence": [],
    }
    if sources:
        plain["CurrentRequestedProcedureEvidenceSequence"] = _evidence(sources)
    return write(root, set_attributes(set_attributes(made, plain), attributes))


def _evidence(sources: Sequence[Dataset]) -> list[Plain]:
    """The instances by study and series (PS3.3 C.17.2.3), under the names that evidence has for them."""
    studies = dict.fromkeys(source.StudyInstanceUID for source in sources)
    return [
        {
            "StudyInstanceUID": study,
            "ReferencedSeriesSequence": [
                {
                    "SeriesInstanceUID": series["SeriesInstanceUID"],
                    "ReferencedSOPSequence": series["ReferencedInstanceSequence"],
                }
                for series in referenced_series(own, study)["ReferencedSeriesSequence"]
            ],
        }
        for study in studies
        if (own := [source for source in sources if source.StudyInstanceUID == study])
    ]

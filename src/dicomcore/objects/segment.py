"""Segment: the description of a segment of a segmentation (PS3.3 C.8.20.4)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dicomcore.dataset.code import Code, code_of
from dicomcore.dataset.lookup import integers_of, number_of, text_of
from dicomcore.display.cielab import from_cielab, to_cielab

if TYPE_CHECKING:
    from dicomcore.dataset import Dataset

__all__ = ["Segment"]

TISSUE = Code("85756007", "SCT", "Tissue")


@dataclass(slots=True)
class Segment:
    """The description of a segment: its label, the codes of its category and type, and its algorithm."""

    label: str
    category: Code | None = TISSUE
    """Segmented Property Category: tissue, organ, device, …"""
    type: Code | None = TISSUE
    """Segmented Property Type: liver, tumour, needle, …"""
    number: int | None = None
    """Segment Number, from 1; None to number segments in their order."""
    algorithm_type: str = "MANUAL"
    """MANUAL, SEMIAUTOMATIC or AUTOMATIC."""
    algorithm_name: str | None = None
    """Required unless `algorithm_type` is MANUAL."""
    description: str | None = None
    tracking_id: str | None = None
    tracking_uid: str | None = None
    colour: tuple[int, int, int] | None = None
    """sRGB, 0 to 255; stored as Recommended Display CIELab Value."""

    @classmethod
    def of(cls, item: Dataset) -> Segment:
        """Read an item of the Segment Sequence."""
        lab = integers_of(item, "RecommendedDisplayCIELabValue")
        return cls(
            text_of(item, "SegmentLabel") or "",
            code_of(item, "SegmentedPropertyCategoryCodeSequence"),
            code_of(item, "SegmentedPropertyTypeCodeSequence"),
            number_of(item, "SegmentNumber"),
            text_of(item, "SegmentAlgorithmType") or "",
            text_of(item, "SegmentAlgorithmName") or None,
            text_of(item, "SegmentDescription") or None,
            text_of(item, "TrackingID") or None,
            text_of(item, "TrackingUID") or None,
            from_cielab(lab) if len(lab) == 3 else None,
        )

    def plain(self, number: int) -> dict[str, Any]:
        """Return the attributes of an item of the Segment Sequence with this number, by keyword."""
        if self.category is None or self.type is None:
            raise ValueError(f"segment {number} needs a category and a type")
        if self.algorithm_type != "MANUAL" and not self.algorithm_name:
            raise ValueError(f"segment {number} is {self.algorithm_type}: it needs an algorithm_name")
        attributes: dict[str, Any] = {
            "SegmentNumber": number,
            "SegmentLabel": self.label,
            "SegmentedPropertyCategoryCodeSequence": [self.category.plain()],
            "SegmentedPropertyTypeCodeSequence": [self.type.plain()],
            "SegmentAlgorithmType": self.algorithm_type,
        }
        further = {
            "SegmentAlgorithmName": self.algorithm_name,
            "SegmentDescription": self.description,
            "TrackingID": self.tracking_id,
            "TrackingUID": self.tracking_uid,
            "RecommendedDisplayCIELabValue": None if self.colour is None else to_cielab(self.colour),
        }
        return attributes | {keyword: value for keyword, value in further.items() if value is not None}

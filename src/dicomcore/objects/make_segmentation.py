"""make_segmentation: a SEG object from a mask and the images it was drawn on (PS3.3 A.51, C.8.20)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dicomcore.dataset import Dataset
from dicomcore.dataset.building import Plain, build
from dicomcore.dataset.lookup import number_of, text_of
from dicomcore.objects.modules import new_object, reference_to, referenced_series, set_attributes
from dicomcore.objects.planes import FramePlanes, Stack, frame_planes, stack_of
from dicomcore.objects.segment import Segment
from dicomcore.pixels.packing import packed_bits
from dicomcore.tags import Tag
from dicomcore.uids import generate_uid

__all__ = ["make_segmentation"]

SEGMENTATION, LABEL_MAP = "1.2.840.10008.5.1.4.1.1.66.4", "1.2.840.10008.5.1.4.1.1.66.7"
DERIVED = {"CodeValue": "113076", "CodingSchemeDesignator": "DCM", "CodeMeaning": "Segmentation"}
SOURCE = {
    "CodeValue": "121322",
    "CodingSchemeDesignator": "DCM",
    "CodeMeaning": "Source image for image processing operation",
}
KINDS = ("binary", "fractional", "labelmap")
HIGHEST = 65535  # value of a label map


@dataclass(slots=True)
class _Source:
    """A plane of the images that were segmented: an image, or frame `frame` (from 1) of one."""

    data_set: Dataset
    frame: int | None


def make_segmentation(
    mask: ArrayLike,
    sources: Dataset | Sequence[Dataset],
    *,
    segments: Sequence[Segment | str],
    kind: str = "binary",
    fractional_type: str = "PROBABILITY",
    maximum: int = 255,
    empty_frames: bool = False,
    attributes: Mapping[str, Any] | None = None,
) -> Dataset:
    """Make a segmentation object of a mask over images, ready to be saved.

    `mask` is (planes, rows, columns), plane by plane over `sources` in their order: images of one frame each, or one
    image of several frames. Its values are segment numbers, 0 for none, or True and False for one segment; with a last
    axis (planes, rows, columns, segments) it has each segment's own mask, which may overlap. For a "fractional" `kind`
    values are shares from 0 to 1, of the first segment where there is no axis of segments. `segments` describes them in
    the order of their numbers (from 1); a text is a label.

    `kind` is "binary" (packed bits), "fractional" (8 bits; `fractional_type` PROBABILITY or OCCUPANCY, `maximum` for 1)
    or "labelmap" (8 or 16 bits, no overlap). Frames without a pixel are left out unless `empty_frames`; label maps have
    them all. `attributes` are set at last, by keyword: series description, equipment, UIDs of one's own.

    Raises ValueError where mask, sources and segments don't fit each other, ParseError where sources lie askew.
    """
    if kind not in KINDS:
        raise ValueError(f"kind is 'binary', 'fractional' or 'labelmap', not {kind!r}")
    described = _described(segments, kind)
    images = [sources] if isinstance(sources, Dataset) else list(sources)
    places = _places(images)
    masks = _masks(np.asarray(mask), list(described), kind)
    rows, columns = (number_of(images[0], name) for name in ("Rows", "Columns"))
    if masks.shape[1:] != (len(places), rows, columns):
        wanted = f"{len(places)} planes of {rows} × {columns} pixels"
        raise ValueError(f"the mask is {masks.shape[1:]}, and the sources are {wanted}")
    planes = _planes_of(images)
    made = new_object(images[0], LABEL_MAP if kind == "labelmap" else SEGMENTATION, "SEG")
    chosen = _chosen(masks, kind, empty_frames, planes)
    _set_image(made, masks, chosen, kind, maximum)
    _set_segments(made, described, kind, fractional_type, maximum, masks)
    _set_references(made, images, planes)
    _set_groups(made, chosen, places, planes, kind)
    return set_attributes(made, attributes)


def _described(segments: Sequence[Segment | str], kind: str) -> dict[int, Segment]:
    """Segments by number."""
    made: dict[int, Segment] = {}
    for place, one in enumerate(segments, 1):
        segment = Segment(one) if isinstance(one, str) else one
        made[place if segment.number is None else segment.number] = segment
    numbers = list(made)
    if not numbers or len(numbers) != len(segments):
        raise ValueError("segments are at least one, and each has a number of its own")
    if kind == "labelmap":
        if min(numbers) < 1 or max(numbers) > HIGHEST:
            raise ValueError("a label map's segment numbers are 1 to 65535")
    elif numbers != list(range(1, len(numbers) + 1)):
        raise ValueError(f"segments are numbered 1, 2, …, not {numbers} (PS3.3 C.8.20.2.2)")
    return made


def _places(images: list[Dataset]) -> list[_Source]:
    """Each plane's image and frame."""
    if not images:
        raise ValueError("a segmentation needs the images it was made from")
    if len(images) == 1 and (number_of(images[0], "NumberOfFrames") or 1) > 1:
        return [_Source(images[0], frame) for frame in range(1, int(images[0].NumberOfFrames) + 1)]
    for image in images:
        if (number_of(image, "NumberOfFrames") or 1) > 1:
            raise ValueError("sources are images of one frame each, or one image of several frames")
        if any(image.get(name) != images[0].get(name) for name in ("Rows", "Columns", "FrameOfReferenceUID")):
            raise ValueError("the sources differ in size or frame of reference")
        if image.get("PatientID") != images[0].get("PatientID"):
            raise ValueError("the sources are of different patients")
    return [_Source(image, None) for image in images]


def _masks(mask: NDArray[Any], numbers: list[int], kind: str) -> NDArray[Any]:
    """(segments, planes, rows, columns), contiguous; of a label map (1, planes, rows, columns) of numbers."""
    if mask.ndim == 2:
        mask = mask[None]
    if mask.ndim not in (3, 4) or not mask.size:
        raise ValueError(f"a mask is (planes, rows, columns[, segments]), not {mask.shape}")
    if mask.ndim == 4 and mask.shape[3] != len(numbers):
        raise ValueError(f"the mask has {mask.shape[3]} segments, and {len(numbers)} are described")
    apart = np.moveaxis(mask, 3, 0) if mask.ndim == 4 else mask[None]
    if kind == "fractional":
        if len(apart) != len(numbers):
            raise ValueError(f"a mask without an axis of segments describes one segment, not {len(numbers)}")
        if not ((apart >= 0) & (apart <= 1)).all():
            raise ValueError("shares are 0 to 1")
        return np.ascontiguousarray(apart, np.float32)
    if mask.dtype.kind == "f":
        raise ValueError("a mask of shares is for kind='fractional'; use whole numbers or bool here")
    if kind == "labelmap":
        return _numbered(apart != 0, numbers) if mask.ndim == 4 else apart
    if mask.ndim == 4:
        return np.ascontiguousarray(apart != 0)
    low, high = int(mask.min()), int(mask.max())
    if low < 0 or high > len(numbers):
        raise ValueError(f"the mask's values run from {low} to {high}, and {len(numbers)} segments are described")
    return np.stack([mask == number for number in numbers])


def _overlap(masks: NDArray[Any]) -> bool:
    """Whether two segments share a pixel."""
    covered = masks[0] > 0
    for mask in masks[1:]:
        own = mask > 0
        if (covered & own).any():
            return True
        covered |= own
    return False


def _numbered(masks: NDArray[np.bool_], numbers: list[int]) -> NDArray[Any]:
    if _overlap(masks):
        raise ValueError("segments overlap, which a label map can't show: use kind='binary'")
    made = np.zeros((1, *masks.shape[1:]), np.uint16)
    for number, mask in zip(numbers, masks, strict=True):
        made[0][mask] = number
    return made


def _planes_of(images: list[Dataset]) -> FramePlanes | None:
    """Where the planes lie; None for images that have no place in space, or no Pixel Spacing."""
    if len(images) == 1:
        planes = frame_planes(images[0], int(number_of(images[0], "NumberOfFrames") or 1))
        return None if planes is None or np.isnan(planes.spacing).any() else planes
    found = [frame_planes(image, 1) for image in images]
    known = [one for one in found if one is not None and not np.isnan(one.spacing).any()]
    if not known:
        return None
    if len(known) != len(images):
        raise ValueError("some of the sources have a position, an orientation and Pixel Spacing, and others don't")
    first = known[0]
    for one in known:
        if not np.allclose(one.orientation, first.orientation, atol=1e-3):
            raise ValueError("the sources differ in orientation")
        if not np.allclose(one.spacing, first.spacing, rtol=1e-2):
            raise ValueError("the sources differ in pixel spacing")
    positions = np.concatenate([one.positions for one in known])
    return FramePlanes(positions, first.orientation, first.spacing, first.distance, first.thickness)


def _chosen(masks: NDArray[Any], kind: str, empty_frames: bool, planes: FramePlanes | None) -> list[tuple[int, int]]:
    """(segment number or 0, plane) of each frame: segment by segment, planes along their normal."""
    order = range(masks.shape[1])
    if planes is not None:
        normal = np.cross(planes.orientation[:3], planes.orientation[3:])
        order = np.argsort(planes.positions @ normal, kind="stable").tolist()
    if kind == "labelmap":
        return [(0, plane) for plane in order]
    full = np.asarray(masks.reshape(*masks.shape[:2], -1).any(axis=2))
    chosen = [
        (number + 1, plane) for number in range(len(masks)) for plane in order if empty_frames or full[number, plane]
    ]
    return chosen or [(1, order[0])]  # an image has at least one frame


def _set_image(made: Dataset, masks: NDArray[Any], chosen: list[tuple[int, int]], kind: str, maximum: int) -> None:
    """General Image, Image Pixel, Multi-frame."""
    if not 1 <= maximum <= 255:
        raise ValueError(f"the value for 1 is 1 to 255, not {maximum}")
    frames = masks[[max(number - 1, 0) for number, _ in chosen], [plane for _, plane in chosen]]
    bits = 1 if kind == "binary" else 8
    if kind == "labelmap":
        if int(frames.min()) < 0 or int(frames.max()) > HIGHEST:
            raise ValueError("a label map's values are 0 to 65535")
        bits = 8 if int(frames.max()) < 256 else 16
        data = np.ascontiguousarray(frames, f"<u{bits // 8}").tobytes()
    elif kind == "fractional":
        data = np.rint(frames * np.float32(maximum)).astype(np.uint8).tobytes()
    else:
        data = packed_bits(frames)
    described = {
        "ImageType": ["DERIVED", "PRIMARY"],
        "SamplesPerPixel": 1,
        "PhotometricInterpretation": "MONOCHROME2",
        "NumberOfFrames": len(chosen),
        "Rows": masks.shape[2],
        "Columns": masks.shape[3],
        "BitsAllocated": bits,
        "BitsStored": bits,
        "HighBit": bits - 1,
        "PixelRepresentation": 0,
        "LossyImageCompression": "00",
        "BurnedInAnnotation": "NO",
    }
    for keyword, value in described.items():
        setattr(made, keyword, value)
    made.add_new("PixelData", "OW" if bits == 16 else "OB", data + b"\0" * (len(data) % 2))


def _set_segments(
    made: Dataset, described: dict[int, Segment], kind: str, fractional_type: str, maximum: int, masks: NDArray[Any]
) -> None:
    """Segmentation Image."""
    plain: Plain = {
        "SegmentationType": kind.upper(),
        "SegmentSequence": [segment.plain(number) for number, segment in described.items()],
        "ContentLabel": "SEGMENTATION",
        "ContentDescription": "",
        "ContentCreatorName": "",
    }
    if kind == "labelmap":
        unknown = np.setdiff1d(np.unique(masks), [0, *described])
        if unknown.size:
            raise ValueError(f"the mask has the values {unknown[:5].tolist()}, of which no segment is described")
        plain |= {"SegmentsOverlap": "NO", "PixelPaddingValue": 0, "PresentationLUTShape": "IDENTITY"}
        background = {"CodeValue": "125040", "CodingSchemeDesignator": "DCM", "CodeMeaning": "Background"}
        plain["SegmentSequence"].insert(
            0,
            {
                "SegmentNumber": 0,
                "SegmentLabel": "Background",
                "SegmentedPropertyCategoryCodeSequence": [background],
                "SegmentedPropertyTypeCodeSequence": [background],
                "SegmentAlgorithmType": "MANUAL",
            },
        )
    else:
        plain["SegmentsOverlap"] = "YES" if _overlap(masks) else "NO"
    if kind == "fractional":
        if fractional_type not in ("PROBABILITY", "OCCUPANCY"):
            raise ValueError(f"fractional_type is PROBABILITY or OCCUPANCY, not {fractional_type!r}")
        plain |= {"SegmentationFractionalType": fractional_type, "MaximumFractionalValue": maximum}
    set_attributes(made, plain)


def _set_references(made: Dataset, images: list[Dataset], planes: FramePlanes | None) -> None:
    """Frame of Reference, Common Instance Reference."""
    if planes is not None:
        made.FrameOfReferenceUID = text_of(images[0], "FrameOfReferenceUID") or generate_uid()
        made.PositionReferenceIndicator = text_of(images[0], "PositionReferenceIndicator") or ""
    else:
        made.PatientOrientation = images[0].get("PatientOrientation") or ""
    set_attributes(made, referenced_series(images, made.StudyInstanceUID))


def _set_groups(
    made: Dataset, chosen: list[tuple[int, int]], places: list[_Source], planes: FramePlanes | None, kind: str
) -> None:
    """Multi-frame Functional Groups and Multi-frame Dimension."""
    organisation = generate_uid()
    dimensions: list[Plain] = []
    columns: list[NDArray[np.intp]] = []  # what each plane has in each dimension but that of segments, from 1
    if kind != "labelmap":
        dimensions.append(_dimension(organisation, "ReferencedSegmentNumber", "SegmentIdentificationSequence"))
    shared: Plain = {}
    if planes is not None:
        stack = stack_of(planes)
        dimensions.append(_dimension(organisation, "ImagePositionPatient", "PlanePositionSequence"))
        columns.append(np.unique(stack.index, return_inverse=True)[1].reshape(-1) + 1)
        shared["PixelMeasuresSequence"] = [_measures(planes, stack)]
        shared["PlaneOrientationSequence"] = [{"ImageOrientationPatient": planes.orientation.tolist()}]
    labelled = not columns or len(np.unique(columns[0])) < len(places)  # images at one place, or without one
    if labelled:
        dimensions.append(_dimension(organisation, "FrameLabel", "FrameContentSequence"))  # C.7.6.16.2.2.5
        columns.append(np.arange(1, len(places) + 1))
    set_attributes(
        made,
        {
            "DimensionOrganizationSequence": [{"DimensionOrganizationUID": organisation}],
            "DimensionIndexSequence": dimensions,
            "SharedFunctionalGroupsSequence": [shared],
        },
    )
    indices = np.column_stack(columns).tolist()
    positions = [None] * len(places) if planes is None else planes.positions.tolist()
    made.PerFrameFunctionalGroupsSequence = [
        build(_frame_groups(number, places[plane], indices[plane], positions[plane], labelled))
        for number, plane in chosen
    ]


def _measures(planes: FramePlanes, stack: Stack) -> Plain:
    """Pixel Measures; what isn't known is left out."""
    apart = len(stack.origins) > 1 and stack.is_even
    distance = _short(stack.spacing[0]) if apart else planes.distance
    thickness = planes.thickness or distance
    made: Plain = {} if thickness is None else {"SliceThickness": thickness}
    if distance is not None and (apart or len(stack.origins) == 1):
        made["SpacingBetweenSlices"] = distance
    return made | {"PixelSpacing": planes.spacing.tolist()}


def _frame_groups(
    number: int, place: _Source, indices: list[int], position: list[float] | None, labelled: bool
) -> Plain:
    """The functional groups of a frame of segment `number`, 0 in a label map; `labelled` by its source."""
    source: Plain = reference_to(place.data_set)
    if place.frame is not None:
        source["ReferencedFrameNumber"] = place.frame
    source |= {"SpatialLocationsPreserved": "YES", "PurposeOfReferenceCodeSequence": [SOURCE]}
    made: Plain = {"DerivationImageSequence": [{"SourceImageSequence": [source], "DerivationCodeSequence": [DERIVED]}]}
    if position is not None:
        made["PlanePositionSequence"] = [{"ImagePositionPatient": position}]
    if number:
        made["SegmentIdentificationSequence"] = [{"ReferencedSegmentNumber": number}]
    content: Plain = {"DimensionIndexValues": [number, *indices] if number else indices}
    if labelled:
        content["FrameLabel"] = place.data_set.SOPInstanceUID if place.frame is None else f"frame {place.frame}"
    made["FrameContentSequence"] = [content]
    return made


def _dimension(organisation: str, pointer: str, group: str) -> Plain:
    return {
        "DimensionOrganizationUID": organisation,
        "DimensionIndexPointer": int(Tag(pointer)),
        "FunctionalGroupPointer": int(Tag(group)),
        "DimensionDescriptionLabel": pointer,
    }


def _short(distance: float) -> float:
    """Without what arithmetic added: DS has 16 characters."""
    return float(f"{distance:.10g}")

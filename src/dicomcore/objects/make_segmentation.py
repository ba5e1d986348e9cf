"""make_segmentation: make a SEG object from a mask and the images that it segments (PS3.3 A.51, C.8.20)."""

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
HIGHEST = 65535  # largest value in a label map


@dataclass(slots=True)
class _Source:
    """The source of a plane: an image, or its frame number `frame` (from 1)."""

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
    """Make a segmentation object from a mask over images, ready to be saved.

    Parameters
    ----------
    mask : array_like
        ``(planes, rows, columns)``, with planes in the order of `sources`. Values are segment numbers, 0 for none, or
        booleans for a single segment. ``(planes, rows, columns, segments)`` has a mask for each segment, which may
        overlap. For "fractional", values are 0 to 1, and a mask without the last axis is that of a single segment.
    sources : Dataset or sequence of Dataset
        The images that were segmented: images of one frame each, or one image of several frames.
    segments : sequence of Segment or str
        Descriptions of the segments in the order of their numbers, from 1; a text is a label.
    kind : str
        "binary" (packed bits), "fractional" (8 bits) or "labelmap" (8 or 16 bits, without overlap).
    fractional_type : str
        PROBABILITY or OCCUPANCY; only for "fractional".
    maximum : int
        Stored value for 1, from 1 to 255; only for "fractional".
    empty_frames : bool
        Write frames without a pixel of their segment, too. Label maps have all frames.
    attributes : mapping, optional
        More attributes by keyword, such as series description, equipment or UIDs. They are set last.

    Returns
    -------
    Dataset
        The segmentation.

    Raises
    ------
    ValueError
        Mask, sources, segments or options do not fit each other.
    ParseError
        The planes of the sources do not form a stack.
    """
    if kind not in KINDS:
        raise ValueError(f"kind is 'binary', 'fractional' or 'labelmap', not {kind!r}")
    described = _described(segments, kind)
    images = [sources] if isinstance(sources, Dataset) else list(sources)
    plane_sources = _plane_sources(images)
    masks = _masks(np.asarray(mask), list(described), kind)
    rows, columns = (number_of(images[0], name) for name in ("Rows", "Columns"))
    if masks.shape[1:] != (len(plane_sources), rows, columns):
        wanted = f"{len(plane_sources)} planes of {rows} × {columns} pixels"
        raise ValueError(f"the mask is {masks.shape[1:]}, but the sources are {wanted}")
    planes = _planes_of(images)
    segmentation = new_object(images[0], LABEL_MAP if kind == "labelmap" else SEGMENTATION, "SEG")
    chosen = _chosen(masks, kind, empty_frames, planes)
    _set_image(segmentation, masks, chosen, kind, maximum)
    _set_segments(segmentation, described, kind, fractional_type, maximum, masks)
    _set_references(segmentation, images, planes)
    _set_groups(segmentation, chosen, plane_sources, planes, kind)
    return set_attributes(segmentation, attributes)


def _described(segments: Sequence[Segment | str], kind: str) -> dict[int, Segment]:
    """Return the segments by number."""
    by_number: dict[int, Segment] = {}
    for position, given in enumerate(segments, 1):
        segment = Segment(given) if isinstance(given, str) else given
        by_number[position if segment.number is None else segment.number] = segment
    numbers = list(by_number)
    if not numbers or len(numbers) != len(segments):
        raise ValueError("at least one segment is needed, and each needs its own number")
    if kind == "labelmap":
        if min(numbers) < 1 or max(numbers) > HIGHEST:
            raise ValueError("a label map's segment numbers are 1 to 65535")
    elif numbers != list(range(1, len(numbers) + 1)):
        raise ValueError(f"segments are numbered 1, 2, …, not {numbers} (PS3.3 C.8.20.2.2)")
    return by_number


def _plane_sources(images: list[Dataset]) -> list[_Source]:
    """Return the image and frame of each plane."""
    if not images:
        raise ValueError("a segmentation needs at least one source image")
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
    """Return (segments, planes, rows, columns), contiguous; for a label map (1, planes, rows, columns) of numbers."""
    if mask.ndim == 2:
        mask = mask[None]
    if mask.ndim not in (3, 4) or not mask.size:
        raise ValueError(f"a mask is (planes, rows, columns[, segments]), not {mask.shape}")
    if mask.ndim == 4 and mask.shape[3] != len(numbers):
        raise ValueError(f"the mask has {mask.shape[3]} segments, but {len(numbers)} are described")
    by_segment = np.moveaxis(mask, 3, 0) if mask.ndim == 4 else mask[None]
    if kind == "fractional":
        if len(by_segment) != len(numbers):
            raise ValueError(f"a mask without an axis of segments describes one segment, not {len(numbers)}")
        if not ((by_segment >= 0) & (by_segment <= 1)).all():
            raise ValueError("the values of a fractional mask are 0 to 1")
        return np.ascontiguousarray(by_segment, np.float32)
    if mask.dtype.kind == "f":
        raise ValueError("a mask of floats is for kind='fractional'; use integers or bool for other kinds")
    if kind == "labelmap":
        return _label_map(by_segment != 0, numbers) if mask.ndim == 4 else by_segment
    if mask.ndim == 4:
        return np.ascontiguousarray(by_segment != 0)
    low, high = int(mask.min()), int(mask.max())
    if low < 0 or high > len(numbers):
        raise ValueError(f"the mask's values run from {low} to {high}, but {len(numbers)} segments are described")
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


def _label_map(masks: NDArray[np.bool_], numbers: list[int]) -> NDArray[Any]:
    if _overlap(masks):
        raise ValueError("segments overlap, which a label map cannot represent: use kind='binary'")
    labels = np.zeros((1, *masks.shape[1:]), np.uint16)
    for number, mask in zip(numbers, masks, strict=True):
        labels[0][mask] = number
    return labels


def _planes_of(images: list[Dataset]) -> FramePlanes | None:
    """Return the planes of the images; None for images without position, orientation or Pixel Spacing."""
    if len(images) == 1:
        planes = frame_planes(images[0], int(number_of(images[0], "NumberOfFrames") or 1))
        return None if planes is None or np.isnan(planes.spacing).any() else planes
    each = [frame_planes(image, 1) for image in images]
    known = [planes for planes in each if planes is not None and not np.isnan(planes.spacing).any()]
    if not known:
        return None
    if len(known) != len(images):
        raise ValueError("some of the sources lack a position, an orientation or Pixel Spacing")
    first = known[0]
    for planes in known:
        if not np.allclose(planes.orientation, first.orientation, atol=1e-3):
            raise ValueError("the sources differ in orientation")
        if not np.allclose(planes.spacing, first.spacing, rtol=1e-2):
            raise ValueError("the sources differ in pixel spacing")
    positions = np.concatenate([planes.positions for planes in known])
    return FramePlanes(positions, first.orientation, first.spacing, first.distance, first.thickness)


def _chosen(masks: NDArray[Any], kind: str, empty_frames: bool, planes: FramePlanes | None) -> list[tuple[int, int]]:
    """Return (segment number or 0, plane) of each frame: segment by segment, planes in the order of their normal."""
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


def _set_image(
    segmentation: Dataset, masks: NDArray[Any], chosen: list[tuple[int, int]], kind: str, maximum: int
) -> None:
    """Set the attributes of General Image, Image Pixel and Multi-frame."""
    if not 1 <= maximum <= 255:
        raise ValueError(f"maximum is 1 to 255, not {maximum}")
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
    attributes = {
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
    for keyword, value in attributes.items():
        setattr(segmentation, keyword, value)
    segmentation.add_new("PixelData", "OW" if bits == 16 else "OB", data + b"\0" * (len(data) % 2))


def _set_segments(
    segmentation: Dataset,
    described: dict[int, Segment],
    kind: str,
    fractional_type: str,
    maximum: int,
    masks: NDArray[Any],
) -> None:
    """Set the attributes of Segmentation Image."""
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
            raise ValueError(f"the mask has the values {unknown[:5].tolist()}, for which no segment is described")
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
    set_attributes(segmentation, plain)


def _set_references(segmentation: Dataset, images: list[Dataset], planes: FramePlanes | None) -> None:
    """Set the attributes of Frame of Reference and Common Instance Reference."""
    if planes is not None:
        segmentation.FrameOfReferenceUID = text_of(images[0], "FrameOfReferenceUID") or generate_uid()
        segmentation.PositionReferenceIndicator = text_of(images[0], "PositionReferenceIndicator") or ""
    else:
        segmentation.PatientOrientation = images[0].get("PatientOrientation") or ""
    set_attributes(segmentation, referenced_series(images, segmentation.StudyInstanceUID))


def _set_groups(
    segmentation: Dataset,
    chosen: list[tuple[int, int]],
    plane_sources: list[_Source],
    planes: FramePlanes | None,
    kind: str,
) -> None:
    """Set the attributes of Multi-frame Functional Groups and Multi-frame Dimension."""
    organisation = generate_uid()
    dimensions: list[Plain] = []
    columns: list[NDArray[np.intp]] = []  # index of each plane, from 1, in each dimension except that of segments
    if kind != "labelmap":
        dimensions.append(_dimension(organisation, "ReferencedSegmentNumber", "SegmentIdentificationSequence"))
    shared: Plain = {}
    if planes is not None:
        stack = stack_of(planes)
        dimensions.append(_dimension(organisation, "ImagePositionPatient", "PlanePositionSequence"))
        columns.append(np.unique(stack.index, return_inverse=True)[1].reshape(-1) + 1)
        shared["PixelMeasuresSequence"] = [_measures(planes, stack)]
        shared["PlaneOrientationSequence"] = [{"ImageOrientationPatient": planes.orientation.tolist()}]
    labelled = not columns or len(np.unique(columns[0])) < len(plane_sources)  # images at one position, or without one
    if labelled:
        dimensions.append(_dimension(organisation, "FrameLabel", "FrameContentSequence"))  # C.7.6.16.2.2.5
        columns.append(np.arange(1, len(plane_sources) + 1))
    set_attributes(
        segmentation,
        {
            "DimensionOrganizationSequence": [{"DimensionOrganizationUID": organisation}],
            "DimensionIndexSequence": dimensions,
            "SharedFunctionalGroupsSequence": [shared],
        },
    )
    indices = np.column_stack(columns).tolist()
    positions = [None] * len(plane_sources) if planes is None else planes.positions.tolist()
    segmentation.PerFrameFunctionalGroupsSequence = [
        build(_frame_groups(number, plane_sources[plane], indices[plane], positions[plane], labelled))
        for number, plane in chosen
    ]


def _measures(planes: FramePlanes, stack: Stack) -> Plain:
    """Return the attributes of Pixel Measures, without those that are not known."""
    spaced = len(stack.origins) > 1 and stack.is_even
    distance = _short(stack.spacing[0]) if spaced else planes.distance
    thickness = planes.thickness or distance
    measures: Plain = {} if thickness is None else {"SliceThickness": thickness}
    if distance is not None and (spaced or len(stack.origins) == 1):
        measures["SpacingBetweenSlices"] = distance
    return measures | {"PixelSpacing": planes.spacing.tolist()}


def _frame_groups(
    number: int, plane: _Source, indices: list[int], position: list[float] | None, labelled: bool
) -> Plain:
    """Return the functional groups of a frame of segment `number`, 0 in a label map; `labelled` adds a Frame Label."""
    source: Plain = reference_to(plane.data_set)
    if plane.frame is not None:
        source["ReferencedFrameNumber"] = plane.frame
    source |= {"SpatialLocationsPreserved": "YES", "PurposeOfReferenceCodeSequence": [SOURCE]}
    groups: Plain = {
        "DerivationImageSequence": [{"SourceImageSequence": [source], "DerivationCodeSequence": [DERIVED]}]
    }
    if position is not None:
        groups["PlanePositionSequence"] = [{"ImagePositionPatient": position}]
    if number:
        groups["SegmentIdentificationSequence"] = [{"ReferencedSegmentNumber": number}]
    content: Plain = {"DimensionIndexValues": [number, *indices] if number else indices}
    if labelled:
        content["FrameLabel"] = plane.data_set.SOPInstanceUID if plane.frame is None else f"frame {plane.frame}"
    groups["FrameContentSequence"] = [content]
    return groups


def _dimension(organisation: str, pointer: str, group: str) -> Plain:
    return {
        "DimensionOrganizationUID": organisation,
        "DimensionIndexPointer": int(Tag(pointer)),
        "FunctionalGroupPointer": int(Tag(group)),
        "DimensionDescriptionLabel": pointer,
    }


def _short(distance: float) -> float:
    """Round off the error of arithmetic, so that the number fits the 16 characters of DS."""
    return float(f"{distance:.10g}")

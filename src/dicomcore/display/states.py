"""State: what a softcopy presentation state says (PS3.3 A.33); `read_state` reads one, `states_for` finds them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from dicomcore.dataset import Dataset
from dicomcore.dataset.lookup import items_of, number_of, term_of, text_of
from dicomcore.dataset.state import header_of
from dicomcore.display.area import DisplayedArea, area_of, rotation_of
from dicomcore.display.graphics import Annotation, Layer, annotation_of, layer_of
from dicomcore.display.opening import Source, opened, uid_of
from dicomcore.display.overlays import bitmap_shutter_of
from dicomcore.display.reading import display_through, palette_of
from dicomcore.display.references import Images, applies, images_of, series_images
from dicomcore.display.rendering import Display
from dicomcore.display.shutters import Shutter, shutter_of
from dicomcore.errors import DicomError, ParseError

__all__ = ["KINDS", "State", "read_state", "states_for"]

ROOT = "1.2.840.10008.5.1.4.1.1."
KINDS = {  # SOP Class UID: kind
    ROOT + "11.1": "grayscale",
    ROOT + "11.2": "colour",
    ROOT + "11.3": "pseudo-colour",
    ROOT + "11.4": "blending",
    ROOT + "11.5": "xa-xrf",
    ROOT + "11.6": "volumetric",
    ROOT + "11.7": "volumetric",
    ROOT + "11.8": "advanced-blending",
    ROOT + "11.9": "volumetric",
    ROOT + "11.10": "volumetric",
    ROOT + "11.11": "volumetric",
    ROOT + "11.12": "variable-modality",
    ROOT + "9.100.1": "waveform",
    ROOT + "9.100.2": "waveform",
}
TELLING = {  # attribute: the kind of a state that has it, whatever its SOP class
    "VolumetricPresentationInputSetSequence": "volumetric",
    "BlendingDisplaySequence": "advanced-blending",
    "BlendingSequence": "blending",
}
SEVERAL_IMAGES = {"blending": "blends images", "advanced-blending": "blends images", "volumetric": "shows a volume"}


class State:
    """A softcopy presentation state, read.

    Parts that name images apply to these; parts that name none apply to all images of the presentation state.
    """

    def __init__(self, data_set: Dataset) -> None:
        """Raises ParseError if the data set is no presentation state, or has an invalid rotation or displayed area."""
        self.kind = _kind(data_set)
        """grayscale, colour, pseudo-colour, blending, xa-xrf, advanced-blending, variable-modality, volumetric,
        waveform."""
        self.data_set = data_set
        self.label = text_of(data_set, "ContentLabel") or ""
        self.description = text_of(data_set, "ContentDescription") or ""
        self.images: Images = series_images(data_set)
        self.displayed_areas = tuple(map(area_of, items_of(data_set, "DisplayedAreaSelectionSequence")))
        self.layers: tuple[Layer, ...] = tuple(map(layer_of, items_of(data_set, "GraphicLayerSequence")))
        self.annotations: tuple[Annotation, ...] = tuple(
            map(annotation_of, items_of(data_set, "GraphicAnnotationSequence"))
        )
        self.rotation = rotation_of(data_set)
        """Degrees clockwise, before the flip."""
        self.flipped = term_of(data_set, "ImageHorizontalFlip") == "Y"
        self.shutter: Shutter | None = shutter_of(data_set)
        bitmap_shutter_of(data_set)  # raises if it is missing

    def applies_to(self, image: Dataset) -> bool:
        """Whether this presentation state is for an image."""
        return uid_of(image) in self.referenced

    @property
    def referenced(self) -> Images:
        """All images that the state references: those it is for, and those of its inputs."""
        images = dict(self.images)
        for keyword in ("BlendingSequence", "AdvancedBlendingSequence", "VolumetricPresentationInputSetSequence"):
            for item in items_of(self.data_set, keyword):
                images |= series_images(item) | images_of(item)
        return images

    def displayed_area(self, image: Dataset, frame: int = 0) -> DisplayedArea | None:
        """Return the displayed area of a frame (from 0) of an image, or None."""
        uid = uid_of(image)
        return next((area for area in self.displayed_areas if applies(area.images, uid, frame)), None)

    def display(self, image: Dataset, frame: int = 0) -> Display:
        """Return the display pipeline of a frame (from 0), with the tables of this presentation state.

        A step that the presentation state does not have is omitted, even if the image has it (PS3.4 N.2). Raises
        DicomError for a presentation state that combines several images: its tables are not those of a single image.
        """
        if self.kind in SEVERAL_IMAGES:
            does = SEVERAL_IMAGES[self.kind]
            raise DicomError(f"the presentation state {does}: its tables are not those of a single image")
        data_set = self.data_set
        uid = uid_of(image)
        palette = palette_of(data_set)
        return display_through(
            header_of(image),
            data_set,
            modality=self._modality(uid, frame),
            view=next(views_of(data_set, uid, frame), None),
            palette=palette,
            supplemental=palette is None,
        )

    def _modality(self, uid: str, frame: int) -> Dataset:
        """Where the Modality LUT of a frame stands: in an item of its own if it varies (PS3.3 C.11.35)."""
        for item in items_of(self.data_set, "VariableModalityLUTSequence"):
            if applies(images_of(item), uid, frame):
                return item
        return self.data_set

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.kind} {self.label!r} of {len(self.referenced)} images>"


def views_of(place: Dataset, uid: str, frame: int) -> Iterator[Dataset]:
    """The items of a Softcopy VOI LUT Sequence that apply to a frame (from 0) of an image."""
    for item in items_of(place, "SoftcopyVOILUTSequence"):
        if applies(images_of(item), uid, frame):
            yield item


def _kind(data_set: Dataset) -> str:
    for keyword, kind in TELLING.items():
        if keyword in data_set:
            return kind
    kind = KINDS.get(text_of(data_set, "SOPClassUID") or "", "")
    # States without their SOP class are known by what every one of them has.
    if not kind and ("DisplayedAreaSelectionSequence" in data_set or "PresentationLUTShape" in data_set):
        kind = "grayscale"
    shown = any(name in data_set for name in ("DisplayedAreaSelectionSequence", *SHAPES))
    if not kind or (kind not in ("volumetric", "waveform") and not shown):
        raise ParseError("the data set is not a presentation state: it has neither displayed area nor presentation LUT")
    return kind


SHAPES = ("PresentationLUTShape", "PresentationLUTSequence", "RedPaletteColorLookupTableDescriptor", "ICCProfile")


def read_state(source: Source | State) -> State:
    """Read a presentation state from a path or a data set; raises ParseError if it is none."""
    return source if isinstance(source, State) else State(opened(source)[0])


def states_for(images: Source | Iterable[Source], pool: Iterable[Source]) -> list[State]:
    """Return the presentation states of `pool` that reference one of `images`, the newest first.

    `pool` may hold other objects too; files that cannot be read are left out.
    """
    wanted = {uid_of(image) for image in opened(images)} - {""}
    found: list[tuple[str, State]] = []
    for source in pool:
        state = _state_in(source)
        if state is not None and not wanted.isdisjoint(state.referenced):
            found.append((_written(state.data_set), state))
    found.sort(key=lambda one: one[0], reverse=True)
    return [state for _, state in found]


def _state_in(source: Any) -> State | None:
    if isinstance(source, State):
        return source
    try:
        data_set = opened(source)[0]
        if (text_of(data_set, "SOPClassUID") or "") not in KINDS:
            return None
        return State(data_set)
    except (DicomError, OSError):
        return None


def _written(data_set: Dataset) -> str:
    parts = (data_set.get("PresentationCreationDate"), data_set.get("PresentationCreationTime"))
    number = number_of(data_set, "InstanceNumber", 0)
    return "".join(str(part or "").replace(":", "").replace("-", "").ljust(16) for part in parts) + f"{number:012}"

"""Annotations over a picture: overlays, graphics and text, layer by layer (PS3.4 N.2.3, PS3.3 C.10.5, C.10.7)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dicomcore.dataset import Dataset
from dicomcore.display.area import Placement
from dicomcore.display.clipping import clipped_line
from dicomcore.display.compounds import parts_of
from dicomcore.display.curves import circle, dashes, ellipse, interpolated
from dicomcore.display.drawing import Ink, Painter, Shape, grouped
from dicomcore.display.geometry import matrix_origin
from dicomcore.display.graphics import Annotation, Compound, Figure, Layer, Text
from dicomcore.display.lettering import leader, write
from dicomcore.display.opening import uid_of
from dicomcore.display.overlays import Plane
from dicomcore.display.references import applies
from dicomcore.display.states import State
from dicomcore.display.styles import FillStyle, LineStyle, Shadow
from dicomcore.limits import Limits
from dicomcore.notes import Note

__all__ = ["annotate"]

COUNTS = {"POINT": 1, "CIRCLE": 2, "ELLIPSE": 4}
UNITS = ("PIXEL", "DISPLAY", "MATRIX")
Points = NDArray[np.float64]


def annotate(
    picture: NDArray[Any],
    placement: Placement,
    planes: list[Plane],
    state: State | None,
    *,
    image: Dataset,
    frame: int,
    layers: frozenset[str] | None,
    levels: NDArray[Any] | None,
    limits: Limits,
    notes: list[Note],
) -> NDArray[Any]:
    """Draw overlays, graphics and text over a picture.

    Parameters
    ----------
    picture : NDArray
        The picture, turned and scaled; it is not changed.
    placement : Placement
        Where the image lies in it.
    planes : list of Plane
        The overlays.
    state : State, optional
        The presentation state with the annotations and their layers.
    image, frame : Dataset, int
        The image, and its frame from 0.
    layers : frozenset of str, optional
        Names of the layers to draw; None for all.
    levels : NDArray, optional
        Driving levels of a screen; the picture then stays grey.
    limits : Limits
        Bounds what is drawn.
    notes : list
        Receives what could not be drawn.

    Returns
    -------
    NDArray
        The picture, with three samples a pixel if anything coloured was drawn.
    """
    painter = Painter(picture, levels=levels, limits=limits, clip=placement.target)
    artist = _Artist(painter, placement, image, frame, notes)
    uid = uid_of(image)
    annotations = () if state is None else state.annotations
    applying = [one for one in annotations if applies(one.images, uid, frame)]
    known = {} if state is None else {layer.name: layer for layer in state.layers}
    used = dict.fromkeys([*(plane.layer for plane in planes), *(one.layer for one in applying)])
    for name in used:
        if name and name not in known:
            notes.append(Note("graphic-layer", f"graphics name the layer {name!r}, which the state does not define"))
    ordered = sorted(used, key=lambda name: known[name].order if name in known else 1 << 31)
    for name in ordered:
        if layers is not None and name not in layers:
            continue
        ink = _ink_of(known.get(name))
        for plane in planes:
            if plane.layer == name:
                artist.plane(plane, ink)
        for one in applying:
            if one.layer == name:
                artist.annotation(one, ink)
    return artist.painter.picture


def _ink_of(layer: Layer | None) -> Ink:
    if layer is None or layer.colour is None:
        return Ink(grey=65535)
    return Ink(layer.colour, grey=layer.grey)


@dataclass(slots=True, eq=False)
class _Artist:
    """Draws the annotations of one frame."""

    painter: Painter
    placement: Placement
    image: Dataset
    frame: int
    notes: list[Note]

    @property
    def thickness(self) -> float:
        """Of lines that state none: a pixel, or more in a large picture."""
        return max(1.0, max(self.painter.size) / 768)

    def plane(self, plane: Plane, ink: Ink) -> None:
        """Draw an overlay plane; of a region of interest its outline."""
        mask = plane.mask
        if plane.region:
            inner = mask.copy()
            for axis, step in ((0, 1), (0, -1), (1, 1), (1, -1)):
                moved = np.roll(mask, step, axis)
                edge = [slice(None), slice(None)]
                edge[axis] = slice(0, 1) if step == 1 else slice(-1, None)
                moved[tuple(edge)] = 0
                inner &= moved
            mask = mask & ~inner
        self.painter.mask(self.placement.apply(mask), (0, 0), ink)

    def annotation(self, annotation: Annotation, ink: Ink) -> None:
        """Draw the objects of one annotation: compound graphics instead of the simple ones that stand for them."""
        drawn: set[int] = set()
        for compound in annotation.compounds:
            if self._compound(compound, ink) and compound.number is not None:
                drawn.add(compound.number)
        shapes = [
            shape
            for figure in annotation.figures
            if figure.compound is None or figure.compound not in drawn
            for shape in self._figure(figure, ink)
        ]
        for shape in grouped(shapes):
            self.painter.shape(shape)
        for text in annotation.texts:
            if text.compound is None or text.compound not in drawn:
                self._text(text, ink)

    def _points(self, points: NDArray[Any], units: str) -> Points | None:
        """Points in the picture; None if they cannot be placed."""
        if units not in UNITS:
            self.notes.append(Note("graphic-units", f"graphics are in the units {units!r}: they are left out"))
            return None
        points = np.asarray(points, np.float64)
        if not np.isfinite(points).all():
            self.notes.append(Note("graphic-points", "graphics have points that are no numbers: they are left out"))
            return None
        if units == "MATRIX":
            points = points - matrix_origin(self.image, self.frame)
        return self.placement.points(points, "DISPLAY" if units == "DISPLAY" else "PIXEL")

    def _figure(self, figure: Figure, ink: Ink) -> list[Shape]:
        """The shapes of a graphic object."""
        count, kind = len(figure.points), figure.graphic_type
        if figure.stated is not None and figure.stated != count:
            said = f"Number of Graphic Points (0070,0021) is {figure.stated}, and there are {count}: these are drawn"
            self.notes.append(Note("graphic-points", said))
        if count < 1 or COUNTS.get(kind, count) != count:
            said = f"a graphic object of the type {kind} has {count} points (0070,0022): it is left out"
            self.notes.append(Note("graphic-points", said))
            return []
        outline = self._outline(figure)
        if outline is None:
            return []
        line = figure.line or LineStyle(thickness=self.thickness)
        shapes: list[Shape] = []
        closed = kind in ("CIRCLE", "ELLIPSE") or bool((outline[0] == outline[-1]).all())
        if figure.filled and closed and len(outline) > 3:
            shapes += self._filled([outline], figure.fill or FillStyle(line.colour), ink)
        width = 3 * line.thickness + 1 if kind == "POINT" else line.thickness
        return shapes + self._lined([outline], replace(line, thickness=width), ink)

    def _outline(self, figure: Figure) -> Points | None:
        """The outline of a graphic object in the picture."""
        scale = 1.0 if figure.units == "DISPLAY" else max(self.placement.scale)
        points = np.asarray(figure.points, np.float64)
        if figure.graphic_type in ("POINT", "POLYLINE"):
            return self._points(points, figure.units)
        # In units of the image a circle is round there, in units of the area it is round in the picture.
        mapped = self._points(points, figure.units)
        if mapped is None:
            return None
        curves = {
            "INTERPOLATED": lambda place, size: interpolated(place, size),
            "CIRCLE": lambda place, size: circle(place[0], place[1], size),
            "ELLIPSE": lambda place, size: ellipse(place, size),
        }
        curve = curves.get(figure.graphic_type)
        if curve is None:
            said = f"Graphic Type (0070,0023) is {figure.graphic_type!r}: the object is left out"
            self.notes.append(Note("graphic-type", said))
            return None
        if figure.units == "DISPLAY":
            return np.asarray(curve(mapped, 1.0))
        return self._points(curve(points, scale), figure.units)

    def _lined(self, lines: list[Points], style: LineStyle, ink: Ink) -> list[Shape]:
        """Lines in a style: shadow first, then the stretches between dashes, then the line."""
        own = replace(ink if style.colour is None else Ink(style.colour), opacity=style.opacity)
        on, off = Shape(own), Shape(Ink(style.off_colour or (0, 0, 0), style.off_opacity))
        dashed = style.pattern is not None
        # Stretches far outside the picture would be as many as they are long.
        reach = style.thickness + 2
        seen = [part for line in lines for part in clipped_line(line, self.painter.size, reach)] if dashed else lines
        for line in seen:
            parts = dashes(line, style.pattern or 0, max(style.thickness, 1.0)) if dashed and len(line) > 1 else None
            if parts is None:
                on.lines.append((line, style.thickness))
                continue
            on.lines += [(part, style.thickness) for part in parts[0]]
            off.lines += [(part, style.thickness) for part in parts[1]]
        shapes = [] if style.shadow is None else [_shadowed(on.lines, style.shadow)]
        return [*shapes, *([off] if style.off_colour is not None else []), on]

    def _filled(self, areas: list[Points], style: FillStyle, ink: Ink) -> list[Shape]:
        own = replace(ink if style.colour is None else Ink(style.colour), opacity=style.opacity)
        if style.pattern is None:
            return [Shape(own, areas=list(areas))]
        bits = np.unpackbits(np.frombuffer(style.pattern, np.uint8), bitorder="little").reshape(32, 32).view(bool)
        shapes = [Shape(own, areas=list(areas), pattern=bits)]
        if style.off_colour is not None:
            off = Ink(style.off_colour, style.off_opacity)
            shapes.insert(0, Shape(off, areas=list(areas), pattern=~bits))
        return shapes

    def _compound(self, compound: Compound, ink: Ink) -> bool:
        """Draw a compound graphic; False if the simple objects that stand for it are to be drawn."""
        line = compound.line or LineStyle(thickness=self.thickness)
        points = self._points(compound.points, compound.units)
        centre = None
        if compound.rotation_point is not None:
            centre = self._points(compound.rotation_point[None], compound.units)
        if points is None:
            return False
        centre = None if centre is None else centre[0]
        parts = parts_of(compound, points, centre, self.placement.target, line.thickness)
        if parts is None:
            said = f"a compound graphic of the type {compound.graphic_type!r} with {len(points)} points is not drawn"
            self.notes.append(Note("compound-graphic", said))
            return False
        own = ink if line.colour is None else Ink(line.colour, line.opacity)
        shapes = []
        if compound.filled and parts.areas:
            shapes += self._filled(parts.areas, compound.fill or FillStyle(line.colour), ink)
        shapes += self._lined(parts.lines, line, ink)
        if parts.heads:
            shapes.append(Shape(own, areas=parts.heads))
        for shape in shapes:
            self.painter.shape(shape)
        for text, point, align in parts.labels:
            write(self.painter, text, ink, at=point, align=align, style=compound.style)
        return True

    def _text(self, text: Text, ink: Ink) -> None:
        """Write a text in its box, at its anchor point, or in its box with a line to the point."""
        box = None if text.box is None else self._points(text.box, text.box_units or "PIXEL")
        anchor = None if text.anchor is None else self._points(text.anchor[None], text.anchor_units or "PIXEL")
        if box is None and anchor is None:
            self.notes.append(Note("text-place", "a text object has neither a box nor an anchor point: it is left out"))
            return
        point = None if anchor is None else (float(anchor[0, 0]), float(anchor[0, 1]))
        if box is not None:
            (left, top), (right, bottom) = box.min(0).tolist(), box.max(0).tolist()
            place = (left, top, right, bottom)
            write(self.painter, text.text, ink, box=place, justification=text.justification, style=text.style)
            if point is not None and text.anchor_visible:
                leader(self.painter, place, point, ink, self.thickness)
            return
        assert point is not None
        reach = 4 * self.thickness
        write(self.painter, text.text, ink, at=(point[0] + reach, point[1]), align=(0.0, 0.5), style=text.style)
        if text.anchor_visible:
            leader(self.painter, (*point, *point), point, ink, self.thickness)


def _shadowed(lines: list[tuple[Points, float]], shadow: Shadow) -> Shape:
    ink = Ink(shadow.colour, shadow.opacity)
    if shadow.outlined:
        wider = 2 * max(abs(shadow.offset[0]), abs(shadow.offset[1]), 1.0)
        return Shape(ink, [(line, wide + wider) for line, wide in lines])
    return Shape(ink, [(line + shadow.offset, wide) for line, wide in lines])

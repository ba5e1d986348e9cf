"""`dicomcore render`: pictures of images as a presentation state, or they themselves, say they are to be seen."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from dicomcore.cli.console import add_command, counted, printable, report_problem, view, word
from dicomcore.cli.isolate import add_isolate, add_strict
from dicomcore.errors import DicomError, InvalidDicomError
from dicomcore.limits import Limits
from dicomcore.part10.reader import dcmread

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from dicomcore.dataset import Dataset

__all__ = ["add_parser"]

ALL_WRITTEN, SOME_NOT, WRONG_USE = 0, 1, 2
DESCRIPTION = """Render images for a screen: with a presentation state, window, colour profile, the calibration of a
measured screen. Several pictures become a strip (.png, .jpg), a film (.gif, .mp4), or a secondary capture of several
frames (.dcm). Images of a whole slide give a picture of the slide."""
EXAMPLES = (
    "dicomcore render ct.dcm -o ct.png --window 40,400",
    "dicomcore render ct.dcm --ps state.dcm -o shown.png --size 1024",
    "dicomcore render series/ -o series.mp4 --size 512 --rate 20",
    "dicomcore render heart.dcm --frame all -o heart.gif",
    "dicomcore render ct.dcm --ps state.dcm -o shown.dcm --screen monitor.lut",
)
CODES = "0 all was rendered, 1 some images could not be, 2 wrong use or nothing was written."
SLIDE_IMAGES = "1.2.840.10008.5.1.4.1.1.77.1.6"
SLIDE_SIZE = 1024


class Picture(NamedTuple):
    """What is rendered: an image and a frame of it."""

    path: str
    image: Dataset
    frame: int


def add_parser(subparsers: Any) -> None:
    """Add the subcommand."""
    parser = add_command(
        subparsers,
        "render",
        help="pictures as they are to be seen",
        description=DESCRIPTION,
        examples=EXAMPLES,
        codes=CODES,
    )
    parser.add_argument("images", type=word, nargs="+", metavar="IMAGE", help="DICOM images, or folders of them")
    parser.add_argument("-o", "--output", required=True, metavar="FILE", help=".png, .jpg, .gif, .mp4 or .dcm")
    parser.add_argument("--ps", type=word, metavar="STATE", help="the presentation state to apply")
    parser.add_argument("--frame", type=_frame, default=0, metavar="N|all", help="the frame, from 0 (default: 0)")
    parser.add_argument("--size", type=int, metavar="PIXELS", help="the longer side of each picture")
    parser.add_argument(
        "--window",
        type=view,
        metavar="N|CENTER,WIDTH",
        help="the number of a view, from 0, or center and width, such as --window=-600,1500",
    )
    parser.add_argument(
        "--icc",
        choices=("srgb", "adobergb", "rommrgb", "displayp3", "none"),
        default="srgb",
        help="the colour space of colour pictures (default: srgb); none keeps the colours that are stored",
    )
    parser.add_argument("--screen", type=word, metavar="FILE", help="calibrate for a measured screen: levels and cd/m²")
    parser.add_argument("--no-graphics", action="store_true", help="draw no overlays, graphics and texts")
    parser.add_argument("--columns", type=int, metavar="N", help="pictures side by side in a strip")
    parser.add_argument("--rate", type=float, default=10.0, metavar="N", help="pictures per second (default: 10)")
    add_isolate(parser)
    add_strict(parser)
    parser.set_defaults(run=run, interrupted="nothing was written")


def run(arguments: argparse.Namespace) -> int:
    """Render the images; return the exit code."""
    from dicomcore.cli.pictures import FORMATS

    if Path(arguments.output).suffix.lower() not in FORMATS:
        return report_problem("render", arguments.output, f"the name must end in {', '.join(FORMATS)}", WRONG_USE)
    for name, least in (("size", 1), ("columns", 1), ("rate", 0.01)):
        given = getattr(arguments, name)
        if given is not None and not least <= given <= 1 << 16:
            return report_problem("render", "", f"--{name} must be {least} to 65536, not {given}", WRONG_USE)
    limits = Limits(isolate=arguments.isolate, strict=arguments.strict)
    images, code = _images(arguments.images, limits)
    try:
        if not images:
            return report_problem("render", arguments.images[0], "there are no images", WRONG_USE)
        pictures = _whole_slide(images, arguments, limits) or _pictures(images, arguments)
        found = [picture for picture in pictures if picture is not None]
        if not found:
            return report_problem("render", arguments.output, "nothing could be rendered", WRONG_USE)
        _write(found, [image for _, image in images], arguments, limits)
    except (DicomError, OSError, ValueError, IndexError) as error:
        return report_problem("render", arguments.output, error, WRONG_USE)
    return code if len(found) == len(pictures) else SOME_NOT


def _frame(text: str) -> int | str:
    return "all" if text == "all" else int(text)


def _images(sources: list[str], limits: Limits) -> tuple[list[tuple[str, Dataset]], int]:
    """Read the images; in folders other files are passed over, and images are put in order."""
    found: list[tuple[str, Dataset]] = []
    code = ALL_WRITTEN
    for source in sources:
        folder = os.path.isdir(source)
        paths = sorted(str(path) for path in Path(source).rglob("*") if path.is_file()) if folder else [source]
        read: list[tuple[str, Dataset]] = []
        for path in paths:
            try:
                image = dcmread(path, limits=limits)
            except InvalidDicomError as error:
                if not folder:
                    code = report_problem("render", path, error, SOME_NOT)
                continue
            except (DicomError, OSError) as error:
                code = report_problem("render", path, error, SOME_NOT)
                continue
            if "Rows" in image or not folder:
                read.append((path, image))
        found += sorted(read, key=_order) if folder else read
    return found, code


def _order(one: tuple[str, Dataset]) -> tuple[Any, ...]:
    """By series, then by place along the normal, or by number."""
    from dicomcore.dataset.lookup import number_of, text_of
    from dicomcore.display.selectors import position_of

    path, image = one
    place, number = position_of(image), number_of(image, "InstanceNumber", 0)
    series = number_of(image, "SeriesNumber", 0), text_of(image, "SeriesInstanceUID") or ""
    return (*series, place is None, place if place is not None else number, number, path)


def _whole_slide(images: list[tuple[str, Dataset]], arguments: argparse.Namespace, limits: Limits) -> list[Any]:
    """Return a picture of the whole slide, if all images are of one."""
    if arguments.ps or any(image.get("SOPClassUID") != SLIDE_IMAGES for _, image in images):
        return []
    from dicomcore.objects.slides import Slide

    slide = Slide([image for _, image in images], limits=limits)
    picture = slide.thumbnail(arguments.size or SLIDE_SIZE, profile=arguments.icc)
    for note in slide.notes:
        report_problem("render", arguments.images[0], note.message, ALL_WRITTEN)
    return [picture]


def _pictures(images: list[tuple[str, Dataset]], arguments: argparse.Namespace) -> list[NDArray[Any] | None]:
    """Render every image, or the frames of a state that combines several; None for those that cannot be."""
    from dicomcore.display.screen import Screen
    from dicomcore.display.showing import render

    state = None if arguments.ps is None else dcmread(arguments.ps)
    notes: list[Any] = []
    show = partial(
        render,
        size=arguments.size,
        window=arguments.window,
        graphics=not arguments.no_graphics,
        profile=arguments.icc,
        screen=None if arguments.screen is None else Screen.read(arguments.screen),
        notes=notes,
    )
    pictures: list[NDArray[Any] | None] = []
    for path, shown, frame in _chosen(images, state, arguments.frame):
        try:
            pictures.append(show(shown, state, frame=frame))
        except (DicomError, IndexError) as error:
            report_problem("render", path, f"frame {frame}: {error}", SOME_NOT)
            pictures.append(None)
        _check_total(pictures, arguments)
    for note in dict.fromkeys(notes):
        report_problem("render", arguments.images[0], note.message, ALL_WRITTEN)
    return pictures


def _chosen(
    images: list[tuple[str, Dataset]], state: Dataset | None, frame: int | str
) -> Iterator[tuple[str, Any, int]]:
    """Yield what to render: each image alone, or all of them for a state that combines several."""
    from dicomcore.display.states import read_state

    every = [image for _, image in images]
    read = None if state is None else read_state(state)
    if read is not None and "blending" in read.kind:
        frames = range(len(every[0].frames) if frame == "all" else 1)
        yield from ((images[0][0], every, number) for number in (frames if frame == "all" else [int(frame)]))
        return
    shown = [one for one in images if read is None or read.applies_to(one[1])]
    for path, image in shown or images[:1]:  # the error for an image that the state is not for comes from render
        numbers = range(len(image.frames)) if frame == "all" else [int(frame)]
        yield from ((path, image, number) for number in numbers)


def _check_total(pictures: list[Any], arguments: argparse.Namespace) -> None:
    """Raise LimitError if the pictures together have more pixels than one may have."""
    from dicomcore.errors import LimitError
    from dicomcore.limits import DEFAULT_LIMITS

    total = sum(picture.shape[0] * picture.shape[1] for picture in pictures if picture is not None)
    if total > DEFAULT_LIMITS.pixels:
        raise LimitError(f"{len(pictures)} pictures have {total} pixels together: --size makes them smaller")


def _write(pictures: list[NDArray[Any]], images: list[Dataset], arguments: argparse.Namespace, limits: Limits) -> None:
    from dicomcore.cli.pictures import FILMS, STILLS, alike, strip, write_capture, write_film, write_still

    target = Path(arguments.output)
    suffix = target.suffix.lower()
    if len(pictures) == 1 and suffix in STILLS:
        write_still(target, pictures[0])
    else:
        shape = max(picture.shape[0] for picture in pictures), max(picture.shape[1] for picture in pictures)
        same: Iterator[NDArray[np.uint8]] = alike(pictures, shape, any(picture.ndim == 3 for picture in pictures))
        if suffix in FILMS:
            write_film(target, same, arguments.rate)
        elif suffix in STILLS:
            columns = arguments.columns or _square(len(pictures), shape)
            write_still(target, strip(list(same), min(columns, len(pictures))))
        else:
            write_capture(target, list(same), images, frame_time=1000 / arguments.rate)
    print(f"{printable(arguments.output)}: {counted(len(pictures), 'picture')}")


def _square(number: int, shape: tuple[int, int]) -> int:
    """Return how many pictures side by side make a strip about as wide as high."""
    return max(round((number * shape[0] / shape[1]) ** 0.5), 1)

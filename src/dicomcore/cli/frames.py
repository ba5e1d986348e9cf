"""`dicomcore frames`: write the frames of a file as pictures or arrays."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from dicomcore.cli.console import add_command, report_problem, view, word
from dicomcore.cli.isolate import add_isolate, add_strict
from dicomcore.errors import DicomError, PixelDecodeError
from dicomcore.files import make_folder, write_bytes
from dicomcore.limits import Limits
from dicomcore.part10.reader import dcmread

__all__ = ["add_parser"]

ALL_WRITTEN, SOME_NOT, WRONG_USE = 0, 1, 2
DESCRIPTION = """Write frames of a DICOM file into a folder: as PNG pictures for display (windowed, in colour), or as
NPY arrays of their values."""
EXAMPLES = (
    "dicomcore frames ct.dcm -o pictures/",
    "dicomcore frames ct.dcm -o small/ --size 128 --window 40,400",
    "dicomcore frames heart.dcm -o arrays/ --array --frame 0",
)
CODES = "0 all frames were written, 1 some could not be decoded, 2 wrong use or nothing could be written."


def add_parser(subparsers: Any) -> None:
    """Add the subcommand."""
    parser = add_command(
        subparsers,
        "frames",
        help="frames as pictures or arrays",
        description=DESCRIPTION,
        examples=EXAMPLES,
        codes=CODES,
    )
    parser.add_argument("file", type=word, metavar="FILE", help="a DICOM file with pixel data")
    parser.add_argument("-o", "--output", required=True, metavar="DIR", help="folder to write to; created if missing")
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--render", action="store_true", help="pictures of 8 bits, PNG (the default)")
    how.add_argument("--array", action="store_true", help="values as `frames[i]` gives them, NPY")
    how.add_argument("--raw", action="store_true", help="samples as coded: no colour conversion, unused bits kept; NPY")
    how.add_argument("--encoded", action="store_true", help="the codestreams as they are in the file")
    parser.add_argument("--frame", type=int, action="append", metavar="N", help="only this frame, from 0; repeatable")
    parser.add_argument(
        "--window",
        type=view,
        metavar="N|CENTER,WIDTH",
        help="the number of a view in the file, from 0 (default: 0), or center and width, such as --window=-600,1500",
    )
    parser.add_argument(
        "--size", type=int, metavar="PIXELS", help="reduce pictures to at most PIXELS on the longer side"
    )
    parser.add_argument("--overlays", action="store_true", help="draw overlays over the pictures")
    parser.add_argument("--force", action="store_true", help="read a bare data set: no file meta information")
    add_isolate(parser)
    add_strict(parser)
    parser.add_argument("--json", action="store_true", help="print JSON, one object and line for each frame")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Write the frames; return the exit code."""
    pictures = not (arguments.array or arguments.raw or arguments.encoded)
    if not pictures and (arguments.size is not None or arguments.overlays or arguments.window is not None):
        return report_problem("frames", "", "--window, --size and --overlays go with pictures", WRONG_USE)
    if arguments.size is not None and arguments.size < 1:
        return report_problem("frames", "", "--size is 1 pixel at least", WRONG_USE)
    try:
        limits = Limits(isolate=arguments.isolate, strict=arguments.strict)
        data_set = dcmread(arguments.file, force=arguments.force, limits=limits)
        frames = data_set.frames
    except (DicomError, OSError) as error:
        return report_problem("frames", arguments.file, error, SOME_NOT)
    chosen = range(len(frames)) if arguments.frame is None else arguments.frame
    outside = [i for i in chosen if not 0 <= i < len(frames)]
    if outside:
        return report_problem("frames", arguments.file, f"no frame {outside[0]}: the file has {len(frames)}", WRONG_USE)
    folder, code = Path(arguments.output), ALL_WRITTEN
    try:
        make_folder(folder)
        for i in chosen:
            code = max(code, _write(frames, i, folder, arguments))
    except OSError as error:
        return report_problem("frames", arguments.output, error, WRONG_USE)
    for issue in data_set.issues:
        report_problem("frames", arguments.file, f"{issue.code} {issue.message}", 0)
    return code


def _write(frames: Any, i: int, folder: Path, arguments: argparse.Namespace) -> int:
    digits = len(str(len(frames) - 1))
    stem = f"{Path(arguments.file).stem}.{i:0{digits}}"
    try:
        name, data = _file_of(frames, i, stem, arguments)
    except (DicomError, IndexError) as error:
        said = error if isinstance(error, PixelDecodeError) else f"frame {i}: {error}"
        return report_problem("frames", arguments.file, said, SOME_NOT)
    write_bytes(folder / name, data)
    if arguments.json:
        print(json.dumps({"frame": i, "file": str(folder / name), "shape": frames.description.shape}))
    return ALL_WRITTEN


def _file_of(frames: Any, i: int, stem: str, arguments: argparse.Namespace) -> tuple[str, bytes]:
    if arguments.encoded:
        return f"{stem}.bin", bytes(frames.encoded(i))
    if arguments.array or arguments.raw:
        return f"{stem}.npy", _npy(frames.decode(i, raw=arguments.raw))
    from dicomcore.display.png import png

    picture = frames.render(i, window=arguments.window, overlays=arguments.overlays)
    return f"{stem}.png", png(picture if arguments.size is None else _shrunk(picture, arguments.size))


def _shrunk(picture: Any, size: int) -> Any:
    """Reduce a picture to at most `size` pixels on the longer side, each the mean of those that it covers."""
    import numpy as np

    from dicomcore.fileset.icon import shrink

    channels = picture[..., None] if picture.ndim == 2 else picture
    small = np.stack([shrink(channels[..., i].astype(np.float64), size) for i in range(channels.shape[2])], -1)
    return np.rint(small).astype(np.uint8).reshape(small.shape[: picture.ndim])


def _npy(array: Any) -> bytes:
    import io

    import numpy as np

    held = io.BytesIO()
    np.save(held, array, allow_pickle=False)
    return held.getvalue()

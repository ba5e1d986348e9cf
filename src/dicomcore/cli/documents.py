"""`dicomcore extract` and `dicomcore encapsulate`: documents out of DICOM files, and into them."""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Any

from dicomcore.errors import DicomError
from dicomcore.part10.reader import dcmread

__all__ = ["add_parser"]

DONE, FAILED, WRONG_USE = 0, 1, 2
EXTRACT_EPILOG = "Exit codes: 0 all documents were written, 1 some files have none or could not be read, 2 wrong use."
ENCAPSULATE_EPILOG = "Exit codes: 0 written, 1 the document or the source could not be read, 2 wrong use."


def add_parser(subparsers: Any) -> None:
    """Add the subcommands."""
    parser = subparsers.add_parser(
        "extract",
        help="documents out of files",
        description="Write the PDF, CDA or 3D model that DICOM files hold beside each other into a folder.",
        epilog=EXTRACT_EPILOG,
    )
    parser.add_argument("files", nargs="+", metavar="FILE")
    parser.add_argument("-o", "--output", default=".", metavar="DIR", help="folder to write to; made if need be")
    parser.add_argument("--json", action="store_true", help="print one JSON object a line and document")
    parser.set_defaults(run=run_extract)
    parser = subparsers.add_parser(
        "encapsulate",
        help="a document into a file",
        description="Make a DICOM file of a PDF, a CDA document or a 3D model (STL, OBJ, MTL).",
        epilog=ENCAPSULATE_EPILOG,
    )
    parser.add_argument("document", metavar="DOCUMENT")
    parser.add_argument("-o", "--output", required=True, metavar="FILE")
    parser.add_argument("--kind", choices=("pdf", "cda", "stl", "obj", "mtl"), help="told by the content by default")
    parser.add_argument("--source", metavar="FILE", help="a DICOM file of the patient and study that it belongs to")
    parser.add_argument("--title", default="", help="document title (default: the document's file name)")
    parser.set_defaults(run=run_encapsulate)


def run_extract(arguments: argparse.Namespace) -> int:
    """Extract; the exit code."""
    from dicomcore.objects.documents import extract

    folder, code = Path(arguments.output), DONE
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        return _told("extract", arguments.output, error, WRONG_USE)
    for path in arguments.files:
        try:
            document = extract(dcmread(path))
            target = folder / (Path(path).stem + document.suffix)
            if target.exists():
                code = _told("extract", path, f"{target} exists: it is left as it is", FAILED)
                continue
            half = folder / f".{target.name}.{os.getpid()}"
            half.write_bytes(document.data)
            half.replace(target)  # whole or not at all
        except (DicomError, OSError) as error:
            code = _told("extract", path, error, FAILED)
            continue
        if arguments.json:
            told = {"file": path, "document": str(target), "type": document.mime_type, "title": document.title}
            print(json.dumps(told, ensure_ascii=False))
    return code


def run_encapsulate(arguments: argparse.Namespace) -> int:
    """Encapsulate; the exit code."""
    from dicomcore.objects.documents import encapsulate

    try:
        source = dcmread(arguments.source, stop_before_pixels=True) if arguments.source else None
    except (DicomError, OSError) as error:
        return _told("encapsulate", arguments.source, error, FAILED)
    try:
        made = encapsulate(arguments.document, kind=arguments.kind, title=arguments.title, source=source)
    except (ValueError, OSError) as error:
        return _told("encapsulate", arguments.document, error, FAILED)
    try:
        made.save_as(arguments.output)
    except (DicomError, OSError) as error:
        return _told("encapsulate", arguments.output, error, WRONG_USE)
    return DONE


def _told(command: str, subject: str, reason: Exception | str, code: int) -> int:
    said = reason.strerror if isinstance(reason, OSError) and reason.strerror else reason
    print(f"dicomcore {command}: {subject}: {said}", file=sys.stderr)
    return code

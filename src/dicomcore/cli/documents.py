"""`dicomcore extract` and `dicomcore encapsulate`: take documents out of DICOM files, and put them into files."""

from __future__ import annotations

import argparse
import json
import warnings
from pathlib import Path
from typing import Any

from dicomcore.cli.console import add_command, report_problem, word
from dicomcore.errors import DicomError
from dicomcore.files import make_folder, write_bytes
from dicomcore.part10.reader import dcmread

__all__ = ["add_parser"]

DONE, FAILED, WRONG_USE = 0, 1, 2
EXTRACT_CODES = "0 all documents were written, 1 some files have none or could not be read, 2 wrong use."
ENCAPSULATE_CODES = "0 written, 1 the document or the source could not be read, 2 wrong use."


def add_parser(subparsers: Any) -> None:
    """Add the subcommands."""
    parser = add_command(
        subparsers,
        "extract",
        help="documents out of files",
        description="Write the PDF, CDA document or 3D model of each DICOM file into a folder.",
        examples=["dicomcore extract letter.dcm -o letters/"],
        codes=EXTRACT_CODES,
    )
    parser.add_argument("files", type=word, nargs="+", metavar="FILE", help="DICOM files with a document each")
    parser.add_argument("-o", "--output", default=".", metavar="DIR", help="folder to write to; created if missing")
    parser.add_argument("--json", action="store_true", help="print JSON, one object and line for each document")
    parser.set_defaults(run=run_extract)
    parser = add_command(
        subparsers,
        "encapsulate",
        help="a document into a file",
        description="Make a DICOM file of a PDF, a CDA document or a 3D model (STL, OBJ, MTL).",
        examples=['dicomcore encapsulate letter.pdf -o letter.dcm --source ct.dcm --title "Letter"'],
        codes=ENCAPSULATE_CODES,
    )
    parser.add_argument("document", type=word, metavar="DOCUMENT", help="the PDF, XML, STL, OBJ or MTL file")
    parser.add_argument("-o", "--output", required=True, metavar="FILE", help="the DICOM file to write")
    parser.add_argument(
        "--kind",
        choices=("pdf", "cda", "stl", "obj", "mtl"),
        help="the kind of document (default: recognised from its content)",
    )
    parser.add_argument("--source", metavar="FILE", help="a DICOM file of the patient and study that it belongs to")
    parser.add_argument("--title", default="", help="document title (default: the document's file name)")
    parser.set_defaults(run=run_encapsulate)


def run_extract(arguments: argparse.Namespace) -> int:
    """Extract the documents; return the exit code."""
    from dicomcore.objects.documents import extract

    folder, code = Path(arguments.output), DONE
    try:
        make_folder(folder)
    except OSError as error:
        return report_problem("extract", arguments.output, error, WRONG_USE)
    for path in arguments.files:
        try:
            document = extract(dcmread(path))
            target = folder / (Path(path).stem + document.suffix)
            if target.exists():
                code = report_problem("extract", path, f"{target} exists and is not replaced", FAILED)
                continue
            write_bytes(target, document.data)
        except (DicomError, OSError) as error:
            code = report_problem("extract", path, error, FAILED)
            continue
        for issue in document.issues:
            report_problem("extract", path, issue.message, DONE)
        if arguments.json:
            facts = {"file": path, "document": str(target), "type": document.mime_type, "title": document.title}
            print(json.dumps(facts, ensure_ascii=False))
    return code


def run_encapsulate(arguments: argparse.Namespace) -> int:
    """Encapsulate the document; return the exit code."""
    from dicomcore.objects.documents import encapsulate

    try:
        source = dcmread(arguments.source, stop_before_pixels=True) if arguments.source else None
    except (DicomError, OSError) as error:
        return report_problem("encapsulate", arguments.source, error, FAILED)
    try:
        with warnings.catch_warnings(record=True) as doubtful:  # about values of the source, which are copied
            warnings.simplefilter("always", UserWarning)
            made = encapsulate(arguments.document, kind=arguments.kind, title=arguments.title, source=source)
    except (ValueError, OSError) as error:
        return report_problem("encapsulate", arguments.document, error, FAILED)
    for one in doubtful:
        report_problem("encapsulate", arguments.source or arguments.document, str(one.message), DONE)
    try:
        made.save_as(arguments.output)
    except (DicomError, OSError) as error:
        return report_problem("encapsulate", arguments.output, error, WRONG_USE)
    return DONE

"""`dicomcore deid`: de-identify files into a folder, check what is left, and open what was sealed."""

from __future__ import annotations

import argparse
import os
import sys
from time import monotonic
from typing import TYPE_CHECKING, Any

from dicomcore.cli.console import add_command, counted, not_dicom, report_problem, word
from dicomcore.cli.progress import progress_line
from dicomcore.errors import DicomError

if TYPE_CHECKING:
    from dicomcore.deid import Done, Plan, Summary

__all__ = ["add_parser"]

DONE, SOME_FAILED, WRONG_USE = 0, 1, 2
ACTIONS = ("keygen", "verify", "reveal")
RETAIN = {
    "uids": "retain_uids",
    "device": "retain_device_identity",
    "institution": "retain_institution_identity",
    "patient": "retain_patient_characteristics",
    "dates": "retain_longitudinal_modified_dates",
    "full-dates": "retain_longitudinal_full_dates",
    "private": "retain_safe_private",
}
CLEAN = {
    "descriptors": "clean_descriptors",
    "content": "clean_structured_content",
    "graphics": "clean_graphics",
    "pixels": "clean_pixel_data",
    "features": "clean_recognizable_visual_features",
}
PIXELS = {
    "regions": ("regions",),
    "masks": ("regions", "masks"),
    "detect": ("regions", "masks", "detect"),
    "ocr": ("regions", "masks", "ocr"),
}
SHOWN = 12  # reasons that are printed
DESCRIPTION = """De-identify DICOM files by the Basic Application Level Confidentiality Profile of PS3.15 Annex E, into
a folder. The same command again goes on where it stopped. `deid keygen KEY` makes a key, `deid verify OUT ORIGINALS`
searches OUT for what identifies the patients of the originals, `deid reveal FILE PEM -o FILE` opens what is sealed."""
EXAMPLES = (
    "dicomcore deid keygen project.toml",
    "dicomcore deid archive/ public/ --key project.toml --retain dates,patient --clean descriptors",
    "dicomcore deid archive/ public/ --key project.toml --clean pixels --pixels masks --report report.jsonl",
    "dicomcore deid verify public/ archive/ --retain dates,patient",
    "dicomcore deid reveal public/a.dcm officer.pem -o original.dcm",
)
CODES = """0 all files were de-identified, or nothing is left; 1 some could not be (nothing of them was written), or
something is left; 2 wrong use, or no usable key; 130 interrupted: the same command goes on."""


def add_parser(subparsers: Any) -> None:
    """Add the subcommand."""
    parser = add_command(
        subparsers, "deid", help="de-identify files", description=DESCRIPTION, examples=EXAMPLES, codes=CODES
    )
    parser.add_argument(
        "words", type=word, nargs="+", metavar="SOURCE", help="sources as `dicomcore index` takes them, and the folder"
    )
    parser.add_argument("--profile", choices=("basic",), default="basic", help="the profile (default: basic)")
    parser.add_argument("--retain", metavar="LIST", default="", help=f"what stays: {', '.join(RETAIN)}")
    parser.add_argument("--clean", metavar="LIST", default="", help=f"what is cleaned: {', '.join(CLEAN)}")
    parser.add_argument("--key", metavar="TOML", help="the key that new UIDs, IDs and dates depend on")
    parser.add_argument("--pixels", choices=(*PIXELS, "none"), help="how pixels are cleaned, for --clean pixels")
    parser.add_argument("--recode", action="store_true", help="lossy frames may be coded again to blank text in them")
    parser.add_argument("--strict", action="store_true", help="descriptors keep only words of a vocabulary")
    parser.add_argument("--unknown", choices=("keep", "remove"), default="keep", help="attributes of no table")
    parser.add_argument("--seal", metavar="PEM", action="append", help="encrypt the originals for a certificate")
    parser.add_argument("--verify", action="store_true", help="search each new file before it appears")
    parser.add_argument("--report", metavar="JSONL", help="what was done, a line each file; a page .html beside it")
    parser.add_argument("--crosswalk", metavar="CSV", help="old and new names and UIDs, readable by its owner only")
    parser.add_argument("--failed", metavar="FILE", help="the inputs that failed, readable by its owner only")
    parser.add_argument("--dicomdir", action="store_true", help="names are File IDs, and a DICOMDIR names all files")
    parser.add_argument("--dry-run", action="store_true", help="write no files")
    parser.add_argument("--show", action="store_true", help="verify: print what was found, which identifies")
    parser.add_argument("-o", "--output", metavar="FILE", help="reveal: the file to write")
    parser.add_argument("--password", action="store_true", help="reveal: ask for the password of the key")
    parser.add_argument("--workers", type=int, metavar="N", help="processes (default: as many as processors)")
    parser.add_argument("-q", "--quiet", action="store_true", help="no progress, no summary")
    parser.set_defaults(run=run, interrupted="the same command goes on where it stopped")


def run(arguments: argparse.Namespace) -> int:
    """De-identify, or what the first word says; return the exit code."""
    first = arguments.words[0]
    work = {"keygen": _keygen, "verify": _verify, "reveal": _reveal}.get(first, _folder)
    if arguments.workers is not None and arguments.workers < 1:
        return report_problem("deid", "", "--workers must be 1 or more", WRONG_USE)
    try:
        return work(arguments)
    except (ValueError, OSError, ModuleNotFoundError) as error:
        return report_problem("deid", "", error, WRONG_USE)


def _words(arguments: argparse.Namespace, count: int, what: str) -> list[str]:
    words: list[str] = arguments.words[1:]
    if len(words) != count:
        raise ValueError(f"{arguments.words[0]} takes {what}")
    return words


def _keygen(arguments: argparse.Namespace) -> int:
    from dicomcore.deid import Key

    (path,) = _words(arguments, 1, "the file to write")
    key = Key.generate()
    key.save(path)
    print(f"{path}: a new key, fingerprint {key.fingerprint}. Keep it: without it no later file gets the same UIDs.")
    return DONE


def _verify(arguments: argparse.Namespace) -> int:
    from dicomcore.deid.verifying import kinds_for, verify

    out, originals = _words(arguments, 2, "the folder to search, and the originals")
    options = _named(arguments.retain, RETAIN, "--retain")
    report = verify(out, originals, kinds=kinds_for(options), show=arguments.show, workers=arguments.workers or 1)
    print(report)
    return SOME_FAILED if len(report) else DONE


def _reveal(arguments: argparse.Namespace) -> int:
    from getpass import getpass

    from dicomcore.deid import reveal
    from dicomcore.part10.writer import dcmwrite

    path, key = _words(arguments, 2, "the file to open, and the private key")
    if not arguments.output:
        raise ValueError("reveal needs -o FILE")
    password = getpass("password of the key: ").encode() if arguments.password else None
    try:
        ds = reveal(path, key, password=password)
    except DicomError as error:
        return report_problem("deid", path, error, SOME_FAILED)
    dcmwrite(arguments.output, ds, enforce_standard=False)
    return DONE


def _plan(arguments: argparse.Namespace) -> Plan:
    from dicomcore.deid import Key, Plan

    options = [*_named(arguments.retain, RETAIN, "--retain"), *_named(arguments.clean, CLEAN, "--clean")]
    wants_pixels = CLEAN["pixels"] in options
    if arguments.pixels and not wants_pixels:
        if arguments.pixels != "none":
            options.append(CLEAN["pixels"])
    elif arguments.pixels == "none":
        raise ValueError("--pixels none and --clean pixels contradict each other")
    pixels: dict[str, Any] = {}
    if arguments.pixels in PIXELS:
        pixels["how"] = PIXELS[arguments.pixels]
    if arguments.recode:
        pixels["recode"] = True
    key = None if arguments.key is None else Key.load(arguments.key)
    return Plan(options, key, unknown=arguments.unknown, strict=arguments.strict, pixels=pixels)


def _named(text: str, known: dict[str, str], option: str) -> list[str]:
    names = [name.strip() for name in text.split(",") if name.strip()]
    for name in names:
        if name not in known:
            raise ValueError(f"{option}: {name!r} is none of {', '.join(known)}")
    return [known[name] for name in names]


def _folder(arguments: argparse.Namespace) -> int:
    from dicomcore.archive.sources.sources import named_sources
    from dicomcore.deid import Seal, folder

    *sources, out = arguments.words
    if not sources:
        raise ValueError("sources and a folder are needed, or one of " + ", ".join(ACTIONS))
    plan = _plan(arguments)
    seal = Seal(arguments.seal) if arguments.seal else None
    with _Failed(arguments.failed) as failed, progress_line(_Tally(), arguments.quiet) as count:

        def each(done: Done) -> None:
            failed.write(done)
            count(done)

        summary = folder(
            named_sources(sources),
            out,
            plan,
            workers=arguments.workers,
            report=arguments.report,
            crosswalk=arguments.crosswalk,
            dry_run=arguments.dry_run,
            dicomdir=arguments.dicomdir,
            seal=seal,
            verify=arguments.verify,
            progress=each,
        )
    if not arguments.quiet:
        _print(summary, plan, arguments.dry_run)
    is_idle = not (summary.counts["written"] or summary.counts["there"])  # only README files, or no file at all
    return DONE if summary and not is_idle else SOME_FAILED


def _print(summary: Summary, plan: Plan, dry_run: bool) -> None:
    """What a run did; inputs are known by their number, as a path may tell who the patient is."""
    counts = summary.counts
    parts = [f"{counted(counts['written'], 'file')} {'would be written' if dry_run else 'written'}"]
    parts += [f"{counts['there']:,} there already"] if counts["there"] else []
    parts += [f"{counts['failed']:,} failed"] if counts["failed"] else []
    parts += [not_dicom(counts["not DICOM"])] if counts["not DICOM"] else []
    parts += [f"{counted(counts['directory'], 'DICOMDIR')} passed over"] if counts["directory"] else []
    print(", ".join(parts))
    if "clean_pixel_data" in plan.options:
        print(f"pixels cleaned, and nothing found by a second look, in {counted(summary.cleaned, 'file')}")
    else:
        print("pixels were not looked at: text that is burned into them is still there")
    for done in summary.failures[:SHOWN]:
        report_problem("deid", f"input {done.number}", done.reason, SOME_FAILED)
    if len(summary.failures) > SHOWN:
        print(f"dicomcore deid: {len(summary.failures) - SHOWN:,} more failed; --failed FILE lists them",
              file=sys.stderr)  # fmt: skip


class _Failed:
    """A file of the inputs that failed; without a path it takes them and writes nothing."""

    def __init__(self, path: str | None) -> None:
        self._path = path
        self._file: Any = None

    def __enter__(self) -> _Failed:
        if self._path is not None:
            handle = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            self._file = open(handle, "w", encoding="utf-8", errors="surrogateescape")
        return self

    def write(self, done: Done) -> None:
        """A line for a failure."""
        if self._file is not None and done.result == "failed":
            self._file.write(f"{done.source}\t{done.reason}\n")

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()


class _Tally:
    """How far a run is, for the line on a terminal."""

    def __init__(self) -> None:
        self.files = self.unreadable = 0
        self._begun = monotonic()

    @property
    def seconds(self) -> float:
        """Since the run began."""
        return monotonic() - self._begun

    def add(self, done: Done) -> None:
        """One more."""
        self.files += 1
        self.unreadable += done.result == "failed"

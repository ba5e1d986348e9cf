"""`dicomcore dicomdir`: make, list, check and change file-sets."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Iterable, Iterator
from typing import Any

from dicomcore.cli.console import add_command, counted, reason_of, report_problem, word
from dicomcore.cli.isolate import add_isolate
from dicomcore.errors import DicomError, PixelDecodeError, UnsupportedTransferSyntaxError
from dicomcore.files import write_bytes
from dicomcore.fileset import FileInstance, FileSet, Record, to_mail, to_zip, to_zip_mail, unpack
from dicomcore.fileset.fileid import DICOMDIR, shown, to_file_id
from dicomcore.fileset.profiles import PROFILES
from dicomcore.limits import Limits
from dicomcore.part10.special import is_special

__all__ = ["add_parser"]

ALL_DONE, SOME_NOT, WRONG_USE = 0, 1, 2
DESCRIPTION = "Make, list, check and change file-sets: folders of DICOM files that a DICOMDIR describes."
EXAMPLES = tuple(f"dicomcore dicomdir {words}" for words in ("create disc/ archive/", "list disc/", "check disc/"))
CODES = """0 all went well, 1 some files could not be added or faults were found, 2 wrong use or the file-set could not
be read. A change is carried out completely or not at all, even if it is interrupted."""
ACTION_EXAMPLES = {
    "create": ("disc/", "disc/ archive/ --id DISC1 --icon"),
    "add": ("disc/ new.dcm",),
    "remove": ("disc/ --PatientID 4MR1",),
    "move": ("disc/ PT0/ST0/SE0/IM0 PT0/ST0/SE0/IM9",),
    "list": ("disc/ --json",),
    "check": ("disc/ --profile STD-GEN-CD",),
    "pack": ("disc/ disc.zip",),
    "unpack": ("disc.zip disc/",),
}
SHOWN_KEYS = {
    "PATIENT": ("PatientID", "PatientName"),
    "STUDY": ("StudyDate", "StudyID", "StudyDescription"),
    "SERIES": ("Modality", "SeriesNumber"),
}
MATCHED = ("PatientID", "StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID")


def add_parser(subparsers: Any) -> None:
    """Add the subcommand."""
    parser = add_command(
        subparsers,
        "dicomdir",
        help="file-sets and DICOMDIR",
        description=DESCRIPTION,
        examples=EXAMPLES,
        codes=CODES,
    )
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)

    create = _action(actions, "create", _create, "make a DICOMDIR for a folder, or a new file-set from files")
    create.add_argument("folder", type=word, metavar="FOLDER", help="the file-set's folder")
    create.add_argument(
        "files",
        type=word,
        nargs="*",
        metavar="FILE",
        help="files and folders to copy into it (default: the files in FOLDER)",
    )
    create.add_argument("--id", default="", metavar="TEXT", help="File-set ID, up to 16 of A-Z 0-9 _ and space")
    _add_options_for_adding(create)

    add = _action(actions, "add", _add, "add files to a file-set")
    add.add_argument("folder", type=word, metavar="DICOMDIR", help="DICOMDIR or its folder")
    add.add_argument("files", type=word, nargs="+", metavar="FILE", help="files and folders")
    _add_options_for_adding(add)

    remove = _action(actions, "remove", _remove, "remove instances and their files")
    remove.add_argument("folder", type=word, metavar="DICOMDIR", help="DICOMDIR or its folder")
    remove.add_argument(
        "files", type=word, nargs="*", metavar="FILE_ID", help="File IDs, components divided by / or \\"
    )
    _add_options_for_matching(remove)

    move = _action(actions, "move", _move, "give a file another File ID")
    move.add_argument("folder", type=word, metavar="DICOMDIR", help="DICOMDIR or its folder")
    move.add_argument("source", type=word, metavar="FILE_ID")
    move.add_argument("target", type=word, metavar="NEW_FILE_ID")

    listing = _action(actions, "list", _list, "list records")
    listing.add_argument("folder", type=word, metavar="DICOMDIR", help="DICOMDIR or its folder")
    _add_options_for_matching(listing)

    check = _action(actions, "check", _check, "list the faults of a file-set, and the profiles of PS3.11 that it meets")
    check.add_argument("folder", type=word, metavar="DICOMDIR", help="DICOMDIR or its folder")
    check.add_argument(
        "--profile", action="append", metavar="NAME", help="list why this profile is not met; repeatable"
    )
    check.add_argument("--no-files", action="store_true", help="check the DICOMDIR only, not the files")

    pack = _action(actions, "pack", _pack, "write a file-set as ZIP file or e-mail")
    pack.add_argument("folder", type=word, metavar="DICOMDIR", help="DICOMDIR or its folder")
    pack.add_argument("target", type=word, metavar="TARGET", help="file to write")
    pack.add_argument("--as", dest="kind", choices=("zip", "mail", "zip-mail"), default="zip", help="default: zip")

    unpacking = _action(actions, "unpack", _unpack, "unpack a ZIP file or e-mail")
    unpacking.add_argument("source", type=word, metavar="SOURCE")
    unpacking.add_argument("folder", type=word, metavar="FOLDER", help="folder to create")


def _action(actions: Any, name: str, run: Any, text: str) -> argparse.ArgumentParser:
    examples = [f"dicomcore dicomdir {name} {words}" for words in ACTION_EXAMPLES[name]]
    parser = add_command(actions, name, help=text, examples=examples, codes=CODES)
    parser.add_argument("--json", action="store_true", help="print JSON, one object a line")
    parser.set_defaults(run=lambda arguments: _guarded(run, arguments), interrupted="the file-set is unchanged")
    return parser


def _add_options_for_adding(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--profile", metavar="NAME", help=f"application profile, one of {len(PROFILES)} of PS3.11 (default: STD-GEN-CD)"
    )
    parser.add_argument("--invent", action="store_true", help="make up values that records must have and files lack")
    parser.add_argument(
        "--icon", type=int, nargs="?", const=64, metavar="SIZE", help="add icon images of SIZE pixels (64)"
    )
    add_isolate(parser)
    parser.add_argument("--link", action="store_true", help="link files instead of copying them, where possible")


def _add_options_for_matching(parser: argparse.ArgumentParser) -> None:
    for keyword in MATCHED:
        parser.add_argument(f"--{keyword}", metavar="VALUE", help=f"only instances with this {keyword}")


def _guarded(run: Any, arguments: argparse.Namespace) -> int:
    try:
        return int(run(arguments))
    except BrokenPipeError:
        raise
    except (DicomError, OSError, ValueError) as error:
        subject = getattr(arguments, "source" if run is _unpack else "folder")
        return report_problem("dicomdir", subject, error, WRONG_USE)


# -- making and changing


def _create(arguments: argparse.Namespace) -> int:
    folder = arguments.folder
    if os.path.lexists(os.path.join(folder, DICOMDIR)):
        return report_problem("dicomdir", folder, "the folder has a DICOMDIR already: use add", WRONG_USE)
    file_set = FileSet.new(folder, profile=arguments.profile, limits=Limits(isolate=arguments.isolate))
    file_set.ID = arguments.id
    if not arguments.files and not os.path.isdir(folder):
        return report_problem("dicomdir", folder, "no such folder", WRONG_USE)
    return _add_files(file_set, arguments.files or [folder], arguments, in_place=not arguments.files)


def _add(arguments: argparse.Namespace) -> int:
    file_set = FileSet(arguments.folder, profile=arguments.profile, limits=Limits(isolate=arguments.isolate))
    return _add_files(file_set, arguments.files, arguments)


def _add_files(file_set: FileSet, sources: list[str], arguments: argparse.Namespace, in_place: bool = False) -> int:
    code, added = ALL_DONE, []
    known = {instance.SOPInstanceUID for instance in file_set}
    for path in _walk(sources):
        try:
            before = len(file_set.issues)
            instance = _add_file(file_set, path, arguments)
            if instance.SOPInstanceUID in known:
                other = [issue.message for issue in file_set.issues[before:] if issue.code == "DUPLICATE_INSTANCE"]
                there = f"{instance.SOPInstanceUID} is in the file-set already"
                code = report_problem(
                    "dicomdir", path, other[0].removeprefix(f"{path}: ") if other else there, SOME_NOT
                )
                continue
            if in_place and instance.is_staged:
                file_set.remove(instance)
                raise DicomError("its name can't be a File ID (PS3.10 8.2): give a new folder to copy to")
            refused = _refusal(file_set, instance) if arguments.profile else ""
            if refused:
                file_set.remove(instance)
                raise DicomError(refused)
            for issue in file_set.issues[before:]:
                report_problem("dicomdir", path, issue.message, 0)
            added.append(instance)
            known.add(instance.SOPInstanceUID)
        except (ValueError, OSError) as error:  # one bad file doesn't stop the others
            code = report_problem("dicomdir", path, error, SOME_NOT)
    file_set.write(link=arguments.link)
    for instance in added:
        _show_file(instance, arguments)
    if not arguments.json:
        print(f"{len(added)} added, {len(file_set)} in {os.path.join(file_set.path or '', DICOMDIR)}")
    return code


def _add_file(file_set: FileSet, path: str, arguments: argparse.Namespace) -> FileInstance:
    """Add a file, without an icon if its image can't be decoded."""
    try:
        return file_set.add(path, invent=arguments.invent, icon=arguments.icon)
    except (PixelDecodeError, UnsupportedTransferSyntaxError) as error:
        report_problem("dicomdir", path, f"no icon image: {reason_of(error, path)}", 0)
        return file_set.add(path, invent=arguments.invent, icon=False)


def _refusal(file_set: FileSet, instance: FileInstance) -> str:
    """The reason why the requested profile doesn't allow an instance; empty if it does."""
    from dicomcore.fileset.check import content_findings

    return "; ".join(one.message for one in content_findings(file_set, instance.record))


def _walk(sources: Iterable[str]) -> Iterator[str]:
    """Files in a fixed order; DICOMDIRs and hidden files of folders are left out."""
    for source in sources:
        if not os.path.isdir(source):
            yield source
            continue
        for folder, folders, names in os.walk(source):
            folders.sort()
            for name in sorted(names):
                path = os.path.join(folder, name)
                if name == DICOMDIR or name.startswith("."):
                    continue
                if is_special(path):
                    report_problem("dicomdir", path, "a pipe, a socket or a device was skipped", ALL_DONE)
                else:
                    yield path


def _remove(arguments: argparse.Namespace) -> int:
    file_set = FileSet(arguments.folder)
    chosen = {to_file_id(text) for text in arguments.files}
    values = _values(arguments)
    if not chosen and not values:
        return report_problem("dicomdir", arguments.folder, "give File IDs, or values such as --PatientID", WRONG_USE)
    instances = [
        one for one in (file_set.find(**values) if values else file_set) if not chosen or one.ReferencedFileID in chosen
    ]
    unknown = chosen - {one.ReferencedFileID for one in instances}
    for file_id in sorted(unknown):
        report_problem("dicomdir", shown(file_id), "no record refers to it", 0)
    file_set.remove(instances)
    file_set.write()
    for instance in instances:
        _show_file(instance, arguments)
    return SOME_NOT if unknown or not instances else ALL_DONE


def _move(arguments: argparse.Namespace) -> int:
    file_set = FileSet(arguments.folder)
    wanted = to_file_id(arguments.source)
    found = next((one for one in file_set if one.ReferencedFileID == wanted), None)
    if found is None:
        return report_problem("dicomdir", shown(wanted), "no record refers to it", SOME_NOT)
    file_set.move(found, arguments.target)
    file_set.write()
    _show_file(found, arguments)
    return ALL_DONE


# -- listing and checking


def _list(arguments: argparse.Namespace) -> int:
    file_set = FileSet(arguments.folder)
    instances = file_set.find(**_values(arguments))
    if arguments.json:
        for instance in instances:
            _show_file(instance, arguments)
    else:
        print(f"{file_set.ID or '(no File-set ID)'}  {file_set.UID}  {counted(len(instances), 'file')}")
        above: list[Record] = []
        for instance in instances:
            chain = instance.record.chain()
            for depth, record in enumerate(chain):
                if depth >= len(above) or above[depth] is not record:
                    print(f"{'  ' * depth}{_line(record)}")
            above = chain
    for issue in file_set.issues:
        report_problem("dicomdir", arguments.folder, f"{issue.code} {issue.message}", 0)
    return ALL_DONE


def _line(record: Record) -> str:
    keywords = SHOWN_KEYS.get(record.type, ("InstanceNumber",))
    values = [str(value) for value in (record.keys.get(keyword) for keyword in keywords) if value not in (None, "")]
    return "  ".join([record.type, *([shown(record.file_id)] if record.file_id else []), *values])


def _show_file(instance: FileInstance, arguments: argparse.Namespace) -> None:
    if arguments.json:
        facts = {
            keyword: instance.get(keyword) for keyword in (*MATCHED, "Modality", "SOPClassUID", "TransferSyntaxUID")
        }
        print(json.dumps({"type": instance.record.type, "file_id": list(instance.ReferencedFileID), **facts}))


def _check(arguments: argparse.Namespace) -> int:
    file_set = FileSet(arguments.folder)
    files = not arguments.no_files
    faults = file_set.check(files=files)
    if arguments.profile:
        verdicts = {name: file_set.check_profile(name, files=files) for name in arguments.profile}
    else:
        verdicts = file_set.check_profiles(files=files)
    for fault in faults:
        _print(arguments, f"{fault.code}  {fault.where}: {fault.message}", fault._asdict())
    for name, verdict in verdicts.items():
        plain = {"profile": name, "meets": verdict.meets, "findings": [one._asdict() for one in verdict.findings]}
        if arguments.json:
            _print(arguments, "", plain)
        elif arguments.profile or verdict.meets:
            print(f"{name}: {'met' if verdict.meets else 'not met'}")
            for one in verdict.findings:
                print(f"  {one.code}  {one.where}: {one.message}")
    missed = bool(arguments.profile) and not all(verdict.meets for verdict in verdicts.values())
    return SOME_NOT if faults or missed else ALL_DONE


def _print(arguments: argparse.Namespace, text: str, plain: dict[str, Any]) -> None:
    print(json.dumps(plain) if arguments.json else text)


# -- packing


def _pack(arguments: argparse.Namespace) -> int:
    file_set = FileSet(arguments.folder)
    if arguments.kind == "zip":
        to_zip(file_set, arguments.target)
    else:
        message = to_mail(file_set) if arguments.kind == "mail" else to_zip_mail(file_set)
        write_bytes(arguments.target, message.as_bytes())
    return ALL_DONE


def _unpack(arguments: argparse.Namespace) -> int:
    file_set = unpack(arguments.source, arguments.folder)
    for instance in file_set:
        _show_file(instance, arguments)
    if not arguments.json:
        print(f"{counted(len(file_set), 'file')} in {file_set.path}")
    return ALL_DONE


def _values(arguments: argparse.Namespace) -> dict[str, Any]:
    return {keyword: value for keyword in MATCHED if (value := getattr(arguments, keyword)) is not None}

"""`dicomcore sr`: check structured reports, and look up the templates and codes of PS3.16."""

from __future__ import annotations

import argparse
import json
from typing import Any

from dicomcore.cli.console import add_command, printable, report_problem, word
from dicomcore.errors import DicomError
from dicomcore.part10.reader import dcmread

__all__ = ["add_parser"]

CLEAN, FOUND, WRONG_USE = 0, 1, 2
EXAMPLES = {
    "check": "check report.dcm",
    "tree": "tree report.dcm",
    "template": "template 1500",
    "context": "context 7021",
    "find": "find liver",
}
CODES = "0 nothing was found, 1 there are findings, or a file could not be read, 2 wrong use."


def add_parser(subparsers: Any) -> None:
    """Add the subcommand and those below it."""
    examples = [f"dicomcore sr {EXAMPLES[name]}" for name in ("check", "template", "find")]
    help_text = "structured reports: check them, look up templates and codes"
    parser = add_command(subparsers, "sr", help=help_text, examples=examples, codes=CODES)
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)
    check = _action(actions, "check", "compare documents with their IOD and template", run_check)
    check.add_argument("files", type=word, nargs="+", metavar="FILE", help="structured reports")
    check.add_argument("--template", metavar="TID", help="the template (default: the one that the document names)")
    levels = ("error", "warning", "note")
    check.add_argument("--at-least", choices=levels, default="warning", help="severity (default: %(default)s)")
    tree = _action(actions, "tree", "print the content tree", run_tree)
    tree.add_argument("files", type=word, nargs="+", metavar="FILE", help="structured reports")
    template = _action(actions, "template", "print the rows of a template", run_template)
    template.add_argument("identifier", metavar="TID", help="its number, such as 1500")
    context = _action(actions, "context", "print the codes of a context group", run_context)
    context.add_argument("number", type=int, metavar="CID", help="its number, such as 7021")
    find = _action(actions, "find", "templates, context groups and codes with some words", run_find)
    find.add_argument("words", nargs="+", metavar="WORD", help="words of a name or meaning")


def _action(actions: Any, name: str, help: str, run: Any) -> argparse.ArgumentParser:
    parser = add_command(actions, name, help=help, examples=[f"dicomcore sr {EXAMPLES[name]}"], codes=CODES)
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(run=run)
    return parser


def run_check(arguments: argparse.Namespace) -> int:
    """Check the files; return the exit code."""
    from dicomcore import sr

    if arguments.template is not None and arguments.template not in sr.templates:
        return report_problem("sr check", "", f"there is no template {arguments.template}", WRONG_USE)
    code = CLEAN
    for path in arguments.files:
        try:
            report = sr.check(path, arguments.template)
        except (DicomError, OSError) as error:
            code = report_problem("sr check", path, error, FOUND)
            continue
        findings = report.at_least(arguments.at_least)
        if findings:
            code = FOUND
        if arguments.json:
            plain = {"file": path, **report.to_json(), "findings": [finding.to_json() for finding in findings]}
            print(json.dumps(plain, ensure_ascii=False))
            continue
        for finding in findings:
            print(f"{printable(path)}: {printable(str(finding))}")
    return code


def run_tree(arguments: argparse.Namespace) -> int:
    """Print the trees; return the exit code."""
    from dicomcore import sr

    code = CLEAN
    for path in arguments.files:
        try:
            report = sr.read(dcmread(path))
        except (DicomError, OSError) as error:
            code = report_problem("sr tree", path, error, FOUND)
            continue
        lines = list(sr.outline(report.root))
        print(json.dumps({"file": path, "tree": lines}, ensure_ascii=False) if arguments.json else "\n".join(lines))
    return code


def run_template(arguments: argparse.Namespace) -> int:
    """Print a template; return the exit code."""
    from dicomcore import sr

    try:
        template = sr.templates[arguments.identifier]
    except KeyError as error:
        return report_problem("sr template", "", error.args[0], WRONG_USE)
    if not arguments.json:
        print(f"TID {template.identifier} {template.name} ({template.edition})")
    rows = []
    for row in template.rows:
        concept = f"TID {row.included or '?'}" if row.value_type == "INCLUDE" else _said(row.concept)
        vm = f"{row.least}-{row.most or 'n'}" if row.most != row.least else str(row.least)
        reference = "R-" * row.by_reference
        rows.append(
            {
                "row": row.number,
                "depth": row.depth,
                "relationship": reference + row.relationship,
                "value_type": row.value_type,
                "concept": concept,
                "vm": vm,
                "requirement": row.requirement,
                "value": _said(row.value),
            }
        )
        if not arguments.json:
            parts = (reference + row.relationship, row.value_type, concept, vm, row.requirement, _said(row.value))
            print(f"{row.number:>4} {'>' * (row.depth - 1)}{' '.join(filter(None, parts))}")
    if arguments.json:
        named = {"template": template.identifier, "name": template.name, "edition": template.edition, "rows": rows}
        print(json.dumps(named, ensure_ascii=False))
    return CLEAN


def run_context(arguments: argparse.Namespace) -> int:
    """Print a context group; return the exit code."""
    from dicomcore import sr

    try:
        group = sr.contexts[arguments.number]
    except KeyError as error:
        return report_problem("sr context", "", error.args[0], WRONG_USE)
    if arguments.json:
        codes = [_plain(code) for code in group]
        facts = {"context": group.number, "name": group.name, "uid": group.uid, "extensible": group.extensible}
        print(json.dumps({**facts, "codes": codes}, ensure_ascii=False))
        return CLEAN
    said = {True: "extensible", False: "not extensible", None: "not known whether extensible"}[group.extensible]
    print(f"CID {group.number} {group.name} ({said})")
    for code in group:
        print(f"  {printable(str(code))}")
    return CLEAN


def run_find(arguments: argparse.Namespace) -> int:
    """Print what has these words; return the exit code."""
    from dicomcore import sr

    words = " ".join(arguments.words)
    templates, matches = sr.templates.find(words), sr.contexts.find(words)
    if arguments.json:
        groups = [{"context": match.group.number, "name": match.group.name, "codes": list(map(_plain, match.codes))}
                  for match in matches]  # fmt: skip
        named = [{"template": template.identifier, "name": template.name} for template in templates]
        print(json.dumps({"templates": named, "contexts": groups}, ensure_ascii=False))
        return CLEAN
    for template in templates:
        print(f"TID {template.identifier} {template.name}")
    for match in matches:
        print(f"CID {match.group.number} {match.group.name}")
        for code in match.codes:
            print(f"  {printable(str(code))}")
    return CLEAN


def _plain(code: Any) -> dict[str, str]:
    return {"value": code.value, "scheme": code.scheme, "meaning": code.meaning}


def _said(concept: Any) -> str:
    """A concept or value of a row in words."""
    from dicomcore.sr import Code
    from dicomcore.sr.template_views import Choice, Parameter

    if concept is None:
        return ""
    if isinstance(concept, Code):
        return str(concept)
    if isinstance(concept, Choice):
        kind = "DCID" if concept.defined else "BCID"
        return " ".join(f"{kind} {group.number}" for group in concept.groups)
    if isinstance(concept, Parameter):
        return f"${concept.name}"
    return " or ".join(filter(None, map(_said, concept))) if not isinstance(concept[0], str) else " ".join(
        str(part) for part in concept if part is not None
    )  # fmt: skip

"""`dicomcore web`: search, retrieve, store and render with a DICOMweb server."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from dicomcore.cli.console import add_command, counted, not_dicom, report_problem, word
from dicomcore.cli.network import DONE, FAILED, WRONG_USE, keys_of, print_dataset
from dicomcore.files import write_bytes

if TYPE_CHECKING:
    from dicomcore.web import Client, Outcome

__all__ = ["add_parser"]

CODES = "0 all went well, 1 the server or the network failed, or an instance did, 2 wrong use, 130 interrupted."
URL = "https://pacs.example.org/dicom-web"
EXAMPLES = {
    "search": (
        f"dicomcore web search {URL} -k PatientName=DOE* -k StudyDate=20250101-",
        f"dicomcore web search {URL} --study 1.2.3 --level instances --json",
    ),
    "retrieve": (
        f"dicomcore web retrieve {URL} 1.2.3 -o study/",
        f"dicomcore web retrieve {URL} 1.2.3 1.2.3.4 -o series/ --user reader",
    ),
    "store": (f"dicomcore web store {URL} study/ more.zip",),
    "render": (f"dicomcore web render {URL} 1.2.3 1.2.3.4 1.2.3.4.5 --frame 2 -o picture.png",),
}
HELP = {
    "search": "list studies, series or instances that match (QIDO-RS)",
    "retrieve": "retrieve a study, series or instance into a folder (WADO-RS)",
    "store": "store files, and those in folders and archives (STOW-RS)",
    "render": "let the server make a picture of an instance",
}
TYPES = {".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".gif": "image/gif", ".jp2": "image/jp2"}
PASSWORD, TOKEN = "DICOMCORE_WEB_PASSWORD", "DICOMCORE_WEB_TOKEN"


def add_parser(subparsers: Any) -> None:
    """Add the subcommand and those below it."""
    examples = [lines[0] for lines in EXAMPLES.values()]
    help_text = "DICOMweb: search, retrieve, store and render with a server"
    parser = add_command(subparsers, "web", help=help_text, examples=examples, codes=CODES)
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)
    search = _action(actions, "search", run_search)
    search.add_argument(
        "-k",
        dest="keys",
        action="append",
        default=[],
        metavar="KEYWORD=VALUE",
        help="an attribute to match, with *, ? and ranges (StudyDate=20250101-)",
    )
    search.add_argument("--level", choices=("studies", "series", "instances"), help="default: what the UIDs leave open")
    search.add_argument("--study", metavar="UID", help="only what belongs to this study")
    search.add_argument("--series", metavar="UID", help="only what belongs to this series, for --study")
    search.add_argument("--include", action="append", default=[], metavar="KEYWORD", help="a further attribute, or all")
    search.add_argument("--fuzzy", action="store_true", help="match names by their sound or spelling")
    search.add_argument("--limit", type=int, metavar="N", help="at most this many matches")
    retrieve = _action(actions, "retrieve", run_retrieve)
    _add_place(retrieve)
    retrieve.add_argument("-o", "--output", required=True, metavar="DIR", help="the folder, which is made")
    retrieve.add_argument(
        "--transfer-syntax", default="*", metavar="UID", help="the one to ask for (default: as stored)"
    )
    store = _action(actions, "store", run_store)
    store.add_argument("sources", type=word, nargs="+", metavar="SOURCE", help="files, folders, zip and tar archives")
    store.add_argument("--study", metavar="UID", help="refuse instances of other studies")
    render = _action(actions, "render", run_render)
    _add_place(render)
    render.add_argument("--frame", type=int, metavar="N", help="a frame, counted from 1")
    render.add_argument("-o", "--output", required=True, metavar="FILE", help=f"the picture: {', '.join(TYPES)}")
    render.add_argument("--window", metavar="CENTER,WIDTH", help="the window of a grey picture")
    render.add_argument("--size", metavar="WIDTH,HEIGHT", help="the largest size in pixels")


def _add_place(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("study", type=word, metavar="STUDY", help="Study Instance UID")
    parser.add_argument("series", type=word, nargs="?", metavar="SERIES", help="Series Instance UID")
    parser.add_argument("instance", type=word, nargs="?", metavar="INSTANCE", help="SOP Instance UID")


def _action(actions: Any, name: str, run: Callable[[argparse.Namespace, Client], int]) -> argparse.ArgumentParser:
    parser = add_command(actions, name, help=HELP[name], examples=EXAMPLES[name], codes=CODES)
    parser.add_argument("url", type=word, metavar="URL", help="the service, such as " + URL)
    parser.add_argument("--user", metavar="NAME", help=f"the user; the password comes from {PASSWORD}, or is asked for")
    parser.add_argument("--timeout", type=float, default=60.0, metavar="S", help="seconds to wait (default: 60)")
    parser.add_argument("--retries", type=int, default=3, metavar="N", help="of a request that failed (default: 3)")
    parser.add_argument("--trust", metavar="PEM", help="certificates that sign that of the server")
    parser.add_argument("--json", action="store_true", help="print JSON, a line each")
    parser.set_defaults(run=lambda arguments: _with_client(f"web {name}", arguments, run))
    return parser


def _with_client(command: str, arguments: argparse.Namespace, run: Callable[[argparse.Namespace, Client], int]) -> int:
    """Run an action with a client, and report what goes wrong."""
    from dicomcore.errors import DicomError

    try:
        from dicomcore import web

        with web.Client(arguments.url, **_options_of(arguments)) as client:
            return run(arguments, client)
    except DicomError as error:
        return report_problem(command, "", str(error), FAILED)
    except (ValueError, OSError) as error:
        return report_problem(command, "", error, WRONG_USE)


def _options_of(arguments: argparse.Namespace) -> dict[str, Any]:
    """The options of `web.Client`. A bearer token in the environment is used if no user is given."""
    options: dict[str, Any] = {"timeout": arguments.timeout, "retries": arguments.retries}
    if arguments.trust:
        import ssl

        options["verify"] = ssl.create_default_context(cafile=arguments.trust)
    if arguments.user:
        password = os.environ.get(PASSWORD)
        if password is None:
            from getpass import getpass

            password = getpass(f"password of {arguments.user}: ")
        options["auth"] = (arguments.user, password)
    elif os.environ.get(TOKEN):
        options["headers"] = {"Authorization": f"Bearer {os.environ[TOKEN]}"}
    return options


def run_search(arguments: argparse.Namespace, client: Client) -> int:
    """Print the matches; return the exit code."""
    keys = keys_of(arguments.keys)
    if arguments.series and not arguments.study:
        raise ValueError("--series needs --study")
    level = arguments.level or ("instances" if arguments.series else "series" if arguments.study else "studies")
    options = {"fuzzy": arguments.fuzzy, "include": arguments.include, "limit": arguments.limit}
    if level == "studies":
        found = client.studies(keys, **options)
    elif level == "series":
        found = client.series(arguments.study, keys, **options)
    else:
        found = client.instances(arguments.study, arguments.series, keys, **options)
    number = -1
    for number, ds in enumerate(found):
        print_dataset(ds, arguments.json, number)
    if number < 0 and not arguments.json:
        print("nothing matches")
    return DONE


def run_retrieve(arguments: argparse.Namespace, client: Client) -> int:
    """Retrieve; return the exit code."""
    with _reporting("web retrieve", arguments.json) as each:
        result = client.retrieve(
            arguments.study,
            arguments.series,
            arguments.instance,
            into=arguments.output,
            transfer_syntax=arguments.transfer_syntax,
            each=each,
        )
    if not arguments.json:
        parts = [f"{counted(result.received, 'instance')} retrieved"]
        parts += [f"{result.present:,} there before"] if result.present else []
        parts += [f"{len(result.failures):,} failed"] if result.failures else []
        print(", ".join(parts))
    return DONE if result else FAILED


def run_store(arguments: argparse.Namespace, client: Client) -> int:
    """Store; return the exit code."""
    from dicomcore.archive.sources.sources import named_sources

    sources = named_sources(arguments.sources)
    with _reporting("web store", arguments.json) as each:
        result = client.store(sources, study=arguments.study, each=each)
    if not arguments.json:
        parts = [f"{counted(result.stored, 'instance')} stored"]
        parts += [f"{result.warnings:,} with a warning"] if result.warnings else []
        parts += [f"{len(result.failures):,} failed"] if result.failures else []
        parts += [not_dicom(result.passed_over)] if result.passed_over else []
        print(", ".join(parts))
    return DONE if result else FAILED


def run_render(arguments: argparse.Namespace, client: Client) -> int:
    """Write a picture; return the exit code."""
    ending = os.path.splitext(arguments.output)[1].lower()
    if ending not in TYPES:
        raise ValueError(f"a picture ends in {', '.join(TYPES)}, not {ending or 'nothing'!r}")
    picture = client.rendered(
        arguments.study,
        arguments.series,
        arguments.instance,
        arguments.frame,
        accept=TYPES[ending],
        window=_numbers("--window", arguments.window, float),
        viewport=_numbers("--size", arguments.size, int),
    )
    write_bytes(arguments.output, picture)
    if arguments.json:
        print(json.dumps({"path": arguments.output, "bytes": len(picture)}))
    return DONE


def _numbers(option: str, text: str | None, kind: Callable[[str], Any]) -> Any:
    """Two numbers with a comma between."""
    if text is None:
        return None
    try:
        first, second = map(kind, text.split(","))
    except ValueError:
        raise ValueError(f"{option} takes two numbers with a comma between, not {text!r}") from None
    return first, second


@contextmanager
def _reporting(command: str, as_json: bool) -> Iterator[Callable[[Outcome], None]]:
    """What tells of each instance: a line of JSON, or what failed on stderr, and on a terminal how far it is."""
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    console = Console(stderr=True)
    text = TextColumn("{task.completed:,} instances")
    bar = Progress(
        SpinnerColumn(), text, TimeElapsedColumn(), console=console, transient=True, disable=not console.is_terminal
    )
    with bar:
        task = bar.add_task("", total=None)

        def each(outcome: Outcome) -> None:
            bar.advance(task)
            if as_json:
                print(json.dumps(outcome._asdict()))
            elif outcome.error:
                subject = outcome.path or outcome.sop_instance
                report_problem(command, subject, outcome.error, FAILED)

        yield each

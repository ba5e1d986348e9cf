"""`dicomcore serve`: a node that stores, answers queries, and sends."""

from __future__ import annotations

import argparse
import logging
import os
import sqlite3
from contextlib import ExitStack
from functools import partial
from typing import Any

from dicomcore.cli.auditing import AUDIT_OPTIONS, add_audit_arguments, trail_of
from dicomcore.cli.console import add_command, report_problem
from dicomcore.cli.departments import DEPARTMENT_OPTIONS, add_department_arguments, departments_over
from dicomcore.cli.network import check_files, toml_of
from dicomcore.cli.serving import WEB_OPTIONS, add_web_arguments, web_beside

__all__ = ["add_parser"]

DONE, FAILED, WRONG_USE = 0, 1, 2
LOOPBACK = "127.0.0.1"
PORT = 11112
DESCRIPTION = """Serve storage, query, retrieval and verification over a folder (PS3.4 A, B, C), storage commitment,
performed procedure steps, workitems and availability (J, F, CC, R), a worklist (K), and printing to files (H). The
node listens on this machine alone unless --bind says otherwise. A TOML file may hold the same options: ae, bind, port,
store, index, deep, retry, worklist, duplicates, durability, certificate, key, trust, http, cors, base_url, proxied,
delete, viewer, http_token, http_anyone, deid_key, sheets, notify, audit, audit_trust, audit_site, and a table [peers]
of addresses by AE title."""
EXAMPLES = (
    "dicomcore serve --ae PACS --port 11112 --store archive/",
    "dicomcore serve --ae PACS --store archive/ --peer WORKSTATION@192.0.2.7:104 --bind 0.0.0.0",
    "dicomcore serve --store archive/ --http 8080",
    "dicomcore serve --config node.toml",
)
CODES = "0 stopped by an interrupt, 1 it could not listen, 2 wrong use."
OPTIONS = (
    *("ae", "bind", "port", "store", "worklist", "duplicates", "durability"),
    *("certificate", "key", "trust", "peers", "index", "deep", "retry"),
    *WEB_OPTIONS,
    *DEPARTMENT_OPTIONS,
    *AUDIT_OPTIONS,
)
SWITCHES = frozenset({"deep", "retry", "proxied", "delete", "http_anyone"})
PORTS = frozenset({"port", "http"})
LISTS = frozenset({"cors", "notify", "audit"})


def add_parser(subparsers: Any) -> None:
    """Add the subcommand."""
    parser = add_command(
        subparsers,
        "serve",
        help="store, answer queries, and send",
        description=DESCRIPTION,
        examples=EXAMPLES,
        codes=CODES,
    )
    parser.add_argument("--config", metavar="TOML", help="a file with options; those of the command line count more")
    parser.add_argument("--ae", metavar="AET", help="the AE title that peers call (default: DICOMCORE)")
    parser.add_argument("--bind", metavar="HOST", help=f"the address to listen at (default: {LOOPBACK})")
    parser.add_argument("--port", type=int, metavar="N", help=f"the port (default: {PORT}; 0 takes a free one)")
    parser.add_argument("--store", metavar="DIR", help="the folder of instances and their catalogue")
    parser.add_argument("--index", metavar="FILE", help="serve what an index of `dicomcore index` lists, read only")
    parser.add_argument("--deep", action="store_true", default=None, help="look into files for what the store lacks")
    parser.add_argument("--retry", action="store_true", default=None, help="send later what C-MOVE could not deliver")
    parser.add_argument("--worklist", metavar="DIR", help="a folder of worklist items, *.wl or *.dcm")
    parser.add_argument("--peer", action="append", default=[], metavar="AET@HOST:PORT", help="a destination of C-MOVE")
    parser.add_argument("--duplicates", choices=("keep", "replace", "reject", "version"), help="default: keep")
    parser.add_argument("--durability", choices=("none", "group", "each"), metavar="none|group|each",
                        help="answer when the disk has it, with one flush for what came meanwhile or for each instance "
                        "(default: none)")  # fmt: skip
    parser.add_argument("--durable", dest="durability", action="store_const", const="group", help="--durability group")
    parser.add_argument("--certificate", metavar="PEM", help="speak TLS with this certificate")
    parser.add_argument("--private-key", dest="key", metavar="PEM", help="its key")
    parser.add_argument("--trust", metavar="PEM", help="certificates that sign those of peers, which TLS then demands")
    parser.add_argument("-v", "--verbose", action="store_true", help="log associations on stderr")
    add_department_arguments(parser)
    add_web_arguments(parser)
    add_audit_arguments(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Serve until interrupted; return the exit code."""
    from dicomcore.errors import NetworkError

    options: dict[str, Any] = {}
    try:
        options = _options(arguments)
        return _serve(options, arguments.verbose)
    except NetworkError as error:
        return report_problem("serve", "", str(error), FAILED)
    except sqlite3.Error as error:  # the disk is full, or its file is no catalogue
        return report_problem("serve", str(options.get("store") or ""), str(error), FAILED)
    except (ValueError, OSError) as error:
        return report_problem("serve", "", error, WRONG_USE)


def _options(arguments: argparse.Namespace) -> dict[str, Any]:
    options: dict[str, Any] = {}
    if arguments.config:
        options = toml_of(arguments.config)
        unknown = sorted(set(options) - set(OPTIONS))
        if unknown:
            raise ValueError(f"{arguments.config}: {unknown[0]} is no option; they are {', '.join(OPTIONS)}")
        options = {name: _checked(arguments.config, name, value) for name, value in options.items()}
    for name in OPTIONS:
        value = getattr(arguments, name, None)
        if value is not None:
            options[name] = value
    peers = dict(options.get("peers", {}))
    for one in arguments.peer:
        title, sign, place = one.partition("@")
        if not sign or not title or not place:
            raise ValueError(f"--peer {one}: a destination is AET@HOST:PORT")
        peers[title] = place
    options["peers"] = peers
    for title in (options.get("ae", "DICOMCORE"), *peers):
        if not _is_title(str(title)):
            raise ValueError(f"{title!r} is no AE title: 1 to 16 characters of ASCII, without backslash (PS3.5 6.2)")
    if bool(options.get("store")) == bool(options.get("index")):
        raise ValueError("--store, the folder of instances, or --index is needed")
    return options


def _checked(path: str, name: str, value: Any) -> Any:
    """An option of a file; ValueError if it is of another kind: "no" is a text, and would allow what it forbids."""
    if name in LISTS:
        value = [value] if isinstance(value, str) else value
        if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
            raise ValueError(f"{path}: {name} is a text, or a list of texts")
        return value
    if name == "peers":
        if not isinstance(value, dict) or not all(isinstance(one, str) for one in value.values()):
            raise ValueError(f"{path}: peers is a table of texts, addresses by AE title")
        return value
    kind, said = (
        (bool, "true or false") if name in SWITCHES else (int, "a number") if name in PORTS else (str, "a text")
    )
    if type(value) is not kind:
        raise ValueError(f"{path}: {name} is {said}, not {value!r}")
    return value


def _is_title(text: str) -> bool:
    """Whether peers can call it."""
    return 1 <= len(text) <= 16 and bool(text.strip()) and text.isascii() and text.isprintable() and "\\" not in text


def _opened(options: dict[str, Any]) -> Any:
    from dicomcore import catalogue

    if options.get("index"):
        return catalogue.TableCatalogue(options["index"])
    return catalogue.open(options["store"], durable=options.get("durability", "none"))


def _serve(options: dict[str, Any], verbose: bool) -> int:
    from dicomcore import net, services
    from dicomcore.services.worklist import read_items

    if verbose:
        logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    tls = None
    check_files(options.get("certificate"), options.get("key"), options.get("trust"))
    if options.get("certificate"):
        tls = net.tls_context(
            server=True,
            certificate=options["certificate"],
            key=options.get("key"),
            trust=options.get("trust"),
            mutual=bool(options.get("trust")),
        )
    host = options.get("bind", LOOPBACK)
    place = f"[{host}]" if ":" in host else host
    with ExitStack() as stack:
        trail = stack.enter_context(trail_of(options))
        server = net.Server(
            options.get("ae", "DICOMCORE"), f"{place}:{options.get('port', PORT)}", tls=tls, audit=trail
        )
        store = stack.enter_context(_opened(options))
        added, gone = (0, 0) if store.is_read_only else store.renew()
        forwarding = services.Forwarding(store, options["peers"], calling=options.get("ae", "DICOMCORE"), audit=trail)
        if not store.is_read_only:
            server.add(services.Storage(store, duplicates=options.get("duplicates", "keep")))
            stack.enter_context(forwarding)
        failed = forwarding.later if options.get("retry") and not store.is_read_only else None
        server.add(
            services.Query(store, deep=bool(options.get("deep"))),
            services.Retrieve(store, options["peers"], failed=failed),
        )
        departments = stack.enter_context(departments_over(options, server, store))
        if options.get("worklist"):
            if not os.path.isdir(options["worklist"]):
                raise ValueError(f"{options['worklist']}: no such folder")
            items = partial(read_items, options["worklist"])
            server.add(services.Worklist(items if departments is None else departments.applied_to(items)))

        def listening() -> None:
            said = f"{server.address}: {len(store):,} instances"
            said += f", {added:,} new" if added else ""
            print(said + (f", {gone:,} gone" if gone else ""), flush=True)
            if running is not None:
                print(running.url, flush=True)

        workitems = None if departments is None else departments.workitems
        with web_beside(options, store, host, workitems, trail) as running:
            server.serve(listening)
    return DONE

"""`dicomcore query`: run SQL over an index, and print a table or write CSV, JSON or Parquet."""

from __future__ import annotations

import argparse
import csv
import io
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from math import isfinite
from typing import Any, TextIO

from dicomcore.cli.console import add_command, reason_of, report_problem, word
from dicomcore.files import placed

__all__ = ["add_parser"]

ANSWERED, FAILED, WRONG_USE = 0, 1, 2
WIDEST, WIDEST_PIPED = 60, 1000  # characters of a value in a table, on a terminal and elsewhere
DESCRIPTION = """Run one SQL statement over an index, which is the table `files`, with DuckDB:
"SELECT Modality, count(*) FROM files GROUP BY ALL". The statement can read the index, and can reach no other file."""
EXAMPLES = (
    'dicomcore query index.parquet "SELECT Modality, count(*) FROM files GROUP BY ALL"',
    'dicomcore query index.parquet "SELECT path FROM files WHERE error IS NOT NULL" --csv bad.csv',
)
CODES = "0 answered, 1 the answer could not be written, 2 wrong use or wrong SQL."


def add_parser(subparsers: Any) -> None:
    """Add the subcommand."""
    parser = add_command(
        subparsers, "query", help="SQL over an index", description=DESCRIPTION, examples=EXAMPLES, codes=CODES
    )
    parser.add_argument(
        "index", type=word, metavar="INDEX", help="a Parquet or Arrow file, or a folder of Parquet files"
    )
    parser.add_argument("sql", metavar="SQL", help="one statement; - reads it from standard input")
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--csv", metavar="FILE", help="write CSV with a header; - is standard output")
    how.add_argument(
        "--json", metavar="FILE", help="write JSON, one object and line for each row; - is standard output"
    )
    how.add_argument("--parquet", metavar="FILE", help="write a Parquet file")
    parser.add_argument(
        "--rows", type=int, default=50, metavar="N", help="show at most N rows in the table (default: 50; 0: all)"
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Run the query; return the exit code."""
    from dicomcore.archive.reporting.sql import connected, run_sql

    if arguments.rows < 0:
        return report_problem("query", "", "--rows must be 0 or more", WRONG_USE)
    sql = sys.stdin.read() if arguments.sql == "-" else arguments.sql
    try:
        with connected(arguments.index) as database:
            reader = run_sql(database, sql)
            try:
                return _give(reader, arguments)
            except BrokenPipeError:
                raise
            except OSError as error:
                return report_problem("query", _output(arguments), error, FAILED)
    except BrokenPipeError:
        raise
    except OSError as error:
        return report_problem("query", arguments.index, error, WRONG_USE)
    except ValueError as error:
        return report_problem("query", "", reason_of(error), WRONG_USE)


def _give(reader: Any, arguments: argparse.Namespace) -> int:
    if arguments.parquet:
        from dicomcore.archive.tables.output import OutputFile
        from dicomcore.archive.tables.stored import PARQUET

        with OutputFile(arguments.parquet, reader.schema, kind=PARQUET) as parquet:
            for batch in reader:
                parquet.write(batch)
    elif arguments.csv:
        with _opened(arguments.csv) as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(reader.schema.names)
            for row in _rows(reader):
                writer.writerow([_cell(value) for value in row])
    elif arguments.json:
        names = reader.schema.names
        with _opened(arguments.json) as file:
            for row in _rows(reader):
                plain = dict(zip(names, map(_plain, row), strict=True))
                file.write(json.dumps(plain, ensure_ascii=False, allow_nan=False) + "\n")
    else:
        _show(reader, arguments.rows)
    return ANSWERED


def _output(arguments: argparse.Namespace) -> str:
    path = arguments.csv or arguments.json or arguments.parquet or "-"
    return "standard output" if path == "-" else str(path)


def _rows(reader: Any) -> Iterator[tuple[Any, ...]]:
    for batch in reader:
        yield from zip(*(column.to_pylist() for column in batch.columns), strict=True)


@contextmanager
def _opened(path: str) -> Iterator[TextIO]:
    """Standard output, or a file that appears complete or not at all."""
    if path == "-":
        yield sys.stdout
        return
    with placed(path, durable=False) as handle, open(handle, "w", encoding="utf-8", newline="", closefd=False) as file:
        yield file


def _plain(value: Any) -> Any:
    """The value for JSON: dates as text, bytes in hexadecimal, NaN and infinity as text."""
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, float):
        return value if isfinite(value) else str(value)
    if isinstance(value, (list, tuple)):
        return [_plain(one) for one in value]
    if isinstance(value, dict):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, bytes):
        return value.hex()
    if hasattr(value, "isoformat"):
        return value.isoformat()
    whole = hasattr(value, "as_integer_ratio") and value.is_finite() and value == int(value)  # Decimal
    return int(value) if whole else str(value)


def _cell(value: Any) -> str:
    """The value for CSV: lists as JSON, null as an empty cell."""
    plain = _plain(value)
    if plain is None:
        return ""
    return plain if isinstance(plain, str) else json.dumps(plain, ensure_ascii=False)


def _show(reader: Any, most: int) -> None:
    """Print a table for people, as wide as the terminal, with control characters of values as escapes."""
    from dicomcore.archive.extra import needs_extra

    with needs_extra("rich"):
        from rich.box import ASCII, SIMPLE_HEAD
        from rich.console import Console
        from rich.table import Table
        from rich.text import Text
    import pyarrow.types as kinds

    terminal = sys.stdout.isatty()
    widest = WIDEST if terminal else WIDEST_PIPED
    table = Table(box=SIMPLE_HEAD if _has_lines() else ASCII, show_edge=False, pad_edge=False)
    for field in reader.schema:
        number = kinds.is_integer(field.type) or kinds.is_floating(field.type) or kinds.is_decimal(field.type)
        name = Text(_visible(field.name, widest))
        table.add_column(name, justify="right" if number else "left", overflow="fold")
    count = 0
    for row in _rows(reader):
        count += 1
        if not most or count <= most:
            table.add_row(*(Text(_visible(_cell(value), widest)) for value in row))
    if terminal:
        Console(highlight=False).print(table)
    else:
        held = io.StringIO()
        Console(file=held, width=WIDEST_PIPED * len(reader.schema), highlight=False).print(table)
        sys.stdout.writelines(f"{line.rstrip()}\n" for line in held.getvalue().splitlines())
    shown = f"; the first {most} are shown, --rows 0 shows all" if most and count > most else ""
    print(f"({count:,} row{'' if count == 1 else 's'}{shown})")


def _has_lines() -> bool:
    """Whether standard output's encoding has the characters that draw lines."""
    try:
        "─…".encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _visible(text: str, widest: int) -> str:
    text = text if len(text) <= widest else text[: widest - 1] + "…"
    return "".join(one if one.isprintable() else repr(one)[1:-1] for one in text)

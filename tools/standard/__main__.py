"""Write the native tables of PS3.3, PS3.15 and PS3.16: ``python -m tools.standard``, or ``--check`` to compare only."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tools.standard import checked, deid
from tools.standard.build import build
from tools.standard.contexts import read_vocabulary
from tools.standard.headers import Tables
from tools.standard.pixel_masks import table as mask_table
from tools.standard.place import folder
from tools.standard.pool import read_conditions
from tools.standard.relations import relation_header
from tools.standard.templates import TemplateTables, read_templates

TABLES = Path(__file__).resolve().parents[2] / "src/dicomcore/_native/rules/tables"


def headers(sources: Path) -> dict[str, str]:
    """The text of every generated file, by its path from the tables."""
    made = Tables(build(sources).standard, read_conditions(sources)).headers()
    made |= {"checked.h": checked.header(sources), "../../check/slots.pxd": checked.slots()}
    made["../../../deid/pixels/mask_table.py"] = mask_table(sources)
    return {**made, **coded_headers(sources), **deid.headers(sources)}


def coded_headers(sources: Path) -> dict[str, str]:
    """The same of PS3.16 alone."""
    vocabulary = read_vocabulary(sources)
    templates = read_templates(sources, vocabulary)  # adds its codes
    made = {"templates.h": TemplateTables(templates, vocabulary).header(), "relations.h": relation_header(sources)}
    return {**vocabulary.headers(), **made}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if a table is out of date")
    parser.add_argument("--sources", type=Path, default=folder(), help="the folder of the standard's tables as JSON")
    args = parser.parse_args()
    stale = 0
    for name, made in headers(args.sources).items():
        path = TABLES / name
        if path.exists() and path.read_text(encoding="ascii") == made:
            continue
        stale = 1
        print(f"{'out of date' if args.check else 'written'}: {name}")
        if not args.check:
            path.write_text(made, encoding="ascii")
    return stale if args.check else 0


if __name__ == "__main__":
    sys.exit(main())

"""All of the engine's races: `python -m benches.run [--quick] [--room ROOM]` prints the ratios beside their aims.

A full run also writes engine.md and results/engine.json beside this file.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from benches import bench_header, bench_import, bench_values, bench_walk
from benches.table import Row, machine, markdown

ROOMS = {"header": bench_header, "walk": bench_walk, "values": bench_values, "import": bench_import}
PACKAGES = ("numpy", "pydicom", "fastdicom", "dicomsdl", "python-gdcm")
HERE = Path(__file__).parent

HEAD = """# The engine beside its peers

Written by `python -m benches.run`. All contestants took turns on the same input in one run; the best of each
counts, and none before its results agreed with ours. Figures are for ratios: other machines give other times.

{processor}, {cores} cores, {system}, Python {python}; {packages}.

"""


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--room", action="append", choices=list(ROOMS), help="run only this room; may be repeated")
    arguments.add_argument("--quick", action="store_true", help="small inputs, few rounds, nothing written")
    chosen = arguments.parse_args()
    rows: list[Row] = []
    for room in chosen.room or ROOMS:
        rows += ROOMS[room].rows(chosen.quick)
    about = machine(PACKAGES)
    packages = ", ".join(f"{name} {number}" for name, number in about["versions"].items())
    table = HEAD.format(**about, packages=packages) + markdown(rows)
    print(table)
    short = [f"{row.work}: {reach}" for row in rows for reach in row.reaches if not reach.met]
    print("Short of its reach:", *(short or ["nothing"]), sep="\n  ")
    if not chosen.quick and not chosen.room:
        (HERE / "results").mkdir(exist_ok=True)
        record = {"machine": about, "rows": [row.record() for row in rows]}
        (HERE / "results/engine.json").write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n")
        (HERE / "engine.md").write_text(table)


if __name__ == "__main__":
    main()

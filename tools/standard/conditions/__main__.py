"""Write the tables of conditions again: `python -m tools.standard.conditions`, or `--check` to compare only."""

from __future__ import annotations

import argparse
import sys

from tools.standard.conditions import comparison, sources, tables


def main() -> int:
    """Write or compare the tables, and print the counts; 1 if something is left to be done."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare with the committed tables only")
    check = parser.parse_args().check
    if sources.ABSENT:
        print(sources.ABSENT)
        return 1
    results = list(comparison.compared())
    unlike = comparison.differences(results)
    made = {
        "coverage.csv": tables.coverage(),
        "usages.csv": tables.usage_coverage(),
        "differences.csv": tables.as_csv(comparison.COLUMNS, unlike),
    }
    stale = [name for name, text in made.items() if (tables.HERE / name).read_text(encoding="utf-8") != text]
    if not check:
        for name in stale:
            (tables.HERE / name).write_text(made[name], encoding="utf-8")
    rows, usages = tables.row_decisions(), tables.usage_decisions()
    print("rows", dict(tables.counts(rows)))
    for kind in ("module", "group"):
        print(f"{kind}s", dict(tables.counts({key: one for key, one in usages.items() if key[1] == kind})))
    agreed, decided = sum(one.agreed for one in results), sum(one.decided for one in results)
    alike = len(results) - len(unlike)
    print(f"second source: {alike} of {len(results)} rows alike, {agreed / decided:.2%} of data sets")
    unexplained = [line[:3] for line in unlike if not line[-1]]
    if unexplained:
        print("no explanation of", *unexplained)
    if check and stale:
        print("not as committed:", *stale)
    left = [one for one in (*rows.values(), *usages.values()) if one.kind == tables.OPEN]
    return int(bool(unexplained or left or (check and stale)))


if __name__ == "__main__":
    sys.exit(main())

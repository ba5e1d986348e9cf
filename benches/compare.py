"""Find works that became slower beside the peers: ``python -m benches.compare FRESH.json [KEPT.json] [--margin 0.25]``.

FRESH.json is the output of ratios.py; KEPT.json is by default the newest release's in history/. Ratios are compared,
not times, as times depend more on the machine than on dicomcore. The change of a work is the median over its peers of
new ratio by old: when dicomcore becomes slower all ratios of a work fall, when one peer becomes faster only its own. A
work is lost where that change is below 1 - margin, or where it is no longer measured; the exit code is 1 then, and 2
where there is nothing to compare.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HISTORY = Path(__file__).parent / "history"
# history/README.md describes the measured noise.
MARGIN = 0.25


@dataclass(frozen=True)
class Change:
    """One work: the kept and the fresh ratio by peer; no peers if it isn't measured any more."""

    work: str
    peers: Mapping[str, tuple[float, float]]

    @property
    def factor(self) -> float:
        """The fresh ratio as a multiple of the kept one; 0 if nothing was measured."""
        return statistics.median(new / old for old, new in self.peers.values()) if self.peers else 0.0

    def lost(self, margin: float) -> bool:
        return self.factor < 1 - margin

    def line(self, margin: float) -> str:
        """A line of text: the verdict, the work, its change and each peer's."""
        verdict = "LOST" if self.lost(margin) else "well"
        if not self.peers:
            return f"{verdict}  {self.work}: not measured any more"
        each = ", ".join(f"{peer} {old:.2f} → {new:.2f}" for peer, (old, new) in self.peers.items())
        return f"{verdict}  {self.factor:5.2f}  {self.work}: {each}"


def changes(kept: Mapping[str, Any], fresh: Mapping[str, Any]) -> list[Change]:
    """Every kept work, with its fresh figures; new works can't be compared."""
    now = fresh["ratios"]
    return [
        Change(
            work,
            {
                peer: (one["median"], now[work][peer]["median"])
                for peer, one in peers.items()
                if peer in now.get(work, {})
            },
        )
        for work, peers in kept["ratios"].items()
    ]


def newest(history: Path) -> Path | None:
    """The file of the highest version."""

    def number(path: Path) -> tuple[int, ...]:
        return tuple(int(part) for part in path.stem.split("."))

    return max(history.glob("[0-9]*.json"), key=number, default=None)


def versions(kept: Mapping[str, Any], fresh: Mapping[str, Any]) -> list[str]:
    """Peers of other versions than those of the kept run."""
    then, now = kept["machine"]["versions"], fresh["machine"]["versions"]
    return [f"{name} {old} → {now[name]}" for name, old in then.items() if now.get(name, old) != old]


def read(path: Path) -> dict[str, Any]:
    """The output of ratios.py; a ValueError if the file is something else."""
    told = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(told, dict) or not told.get("ratios") or "versions" not in told.get("machine", {}):
        raise ValueError(f"{path} is not what ratios.py writes")
    return told


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("fresh", type=Path)
    parser.add_argument("kept", type=Path, nargs="?", default=newest(HISTORY))
    parser.add_argument("--margin", type=float, default=MARGIN, help="the tolerated noise (default: %(default)s)")
    chosen = parser.parse_args(arguments)
    if chosen.kept is None:
        print(f"nothing is kept in {HISTORY}", file=sys.stderr)
        return 2
    try:
        kept, fresh = read(chosen.kept), read(chosen.fresh)
    except (OSError, ValueError) as error:
        print(error, file=sys.stderr)
        return 2
    found = changes(kept, fresh)
    print(f"dicomcore {fresh['dicomcore']} beside {kept['dicomcore']}, ratios to peers; noise: {chosen.margin:.0%}")
    print(*(change.line(chosen.margin) for change in sorted(found, key=lambda change: change.factor)), sep="\n")
    print("peers of other versions:", ", ".join(versions(kept, fresh)) or "none")
    lost = [change.work for change in found if change.lost(chosen.margin)]
    print(f"lost: {', '.join(lost) or 'nothing'}")
    return int(bool(lost))


if __name__ == "__main__":
    sys.exit(main())

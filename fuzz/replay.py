"""Run a target on files, in plain Python without clang or atheris: ``python -m fuzz.replay FILE… TARGET``.

Without a file the target runs on its seeds; ``python -m fuzz.replay all`` runs every target on its seeds.
"""

from __future__ import annotations

import hashlib
import sys
import traceback
import warnings
from pathlib import Path

from fuzz.targets import TARGETS


def main(arguments: list[str]) -> int:
    *paths, name = arguments or ["--help"]
    if name not in TARGETS and name != "all":
        print(__doc__, "Targets:", " ".join(TARGETS), sep="\n")
        return 2
    warnings.simplefilter("ignore")
    failed = 0
    for chosen in TARGETS if name == "all" else [name]:
        target = TARGETS[chosen]
        inputs = [Path(path).read_bytes() for path in paths] or [one[: target.most] for one in target.seeds()]
        for data in inputs:
            try:
                target(data)
            except Exception:
                failed += 1
                digest = hashlib.sha1(data).hexdigest()
                print(f"{chosen}: finding {digest}, {len(data)} bytes", file=sys.stderr)
                traceback.print_exc(limit=-6)
        print(f"{chosen}: {len(inputs)} inputs")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

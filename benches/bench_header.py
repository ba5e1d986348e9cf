"""dcmread and seven attributes, over every real file that all peers read alike."""

from __future__ import annotations

import sys
from pathlib import Path

from benches.inputs import real_files
from benches.passes import race_over
from benches.peers import SEVEN_TAGS, head_alone, plain, survivors
from benches.table import OURS, Row, markdown

HEAD = "open+pread+close"


def agreed(files: list[Path]) -> tuple[list[Path], list[str]]:
    """The files that every contestant reads to equal values; and a sentence about the others.

    Names in other character sets don't count: fastdicom and GDCM leave some of them undecoded.
    """
    good, notes = set(files), []
    for name in SEVEN_TAGS:
        read, failed = survivors(name, files)
        good &= set(read)
        ended = [path.name for path, why in failed.items() if why.startswith("its process")]
        notes.append(
            f"{name} can't read {len(failed)} of {len(files)} files" + f"; its process ends on {ended}" * bool(ended)
        )
    alike = []
    for path in sorted(good):
        answers = {name: [plain(value) for value in read(str(path))] for name, read in SEVEN_TAGS.items()}
        mine = answers[OURS]
        others = [
            name for name, theirs in answers.items()
            if any(a != b for a, b in zip(mine, theirs, strict=True) if a.isascii())
        ]  # fmt: skip
        if others:
            notes.append(f"{path.name} is left out: {', '.join(others)} gives other values")
        else:
            alike.append(path)
    return alike, notes


def rows(quick: bool = False) -> list[Row]:
    """The row of the table: the mean over files of each file's best time."""
    files, notes = agreed(real_files())
    contestants = {**SEVEN_TAGS, HEAD: head_alone}
    total = race_over(files, contestants, rounds=2 if quick else 9)
    size = sum(path.stat().st_size for path in files) / len(files)
    row = Row("dcmread + 7 tags", total, len(files), "file")
    row.notes = [f"{len(files)} files of {size / 1e3:.0f} KB on average", *notes]
    row.at_least(50, "pydicom")
    row.at_least(6, "fastdicom")
    row.at_least(20, "dicomsdl")
    row.at_most(10, "µs a file", total[OURS] / len(files) * 1e6)
    row.at_most(4, f"× {HEAD}", total[OURS] / total[HEAD])
    return [row]


if __name__ == "__main__":
    print(markdown(rows("--quick" in sys.argv)))

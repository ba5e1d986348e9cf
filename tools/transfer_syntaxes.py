"""Write docs/transfer-syntaxes.md from the codec registry: ``python tools/transfer_syntaxes.py``."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from dicomcore.pixels import codecs
from dicomcore.pixels.coding.video import VIDEO_SYNTAXES
from dicomcore.uids import UID

TARGET = Path(__file__).resolve().parents[1] / "docs" / "transfer-syntaxes.md"
PROJECT = tomllib.loads((TARGET.parents[1] / "pyproject.toml").read_text(encoding="utf-8"))["project"]
DEPENDENCIES = {re.split(r"[\[<>=! ]", one)[0] for one in PROJECT["dependencies"]}
HEAD = """# Transfer syntaxes

The decoder of each transfer syntax; all decoders come with dicomcore, except video. `python tools/transfer_syntaxes.py`
makes the table from the codec registry; don't edit it.

| transfer syntax | UID | decoded by | install |
|---|---|---|---|
"""


def page() -> str:
    """The page's text."""
    rows = [(codec.uid, codec.name, _needed(codec.requires.install) if codec.requires else "") for codec in codecs()]
    rows += [(uid, f"PyAV ({name})", "`pip install 'dicomcore[video]'`") for uid, name in VIDEO_SYNTAXES.items()]
    rows.sort(key=lambda row: [int(part) for part in row[0].split(".")])
    return HEAD + "".join(f"| {UID(uid).name} | {uid} | {name} | {needs} |\n" for uid, name, needs in rows)


def _needed(command: str) -> str:
    """The command that installs a further library; empty for dicomcore's own dependencies."""
    return "" if command.split()[-1] in DEPENDENCIES else f"`{command}`"


if __name__ == "__main__":
    TARGET.write_text(page(), encoding="utf-8")

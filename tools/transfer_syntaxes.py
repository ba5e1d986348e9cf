"""Writes docs/transfer-syntaxes.md from the codec registry: ``python tools/transfer_syntaxes.py``."""

from __future__ import annotations

from pathlib import Path

from dicomcore.pixels import codecs
from dicomcore.pixels.video import VIDEO_SYNTAXES
from dicomcore.uids import UID

TARGET = Path(__file__).resolve().parents[1] / "docs" / "transfer-syntaxes.md"
HEAD = """# Transfer syntaxes

Made from the codec registry by `python tools/transfer_syntaxes.py`; not to be edited.

| transfer syntax | UID | decoded by | needs |
|---|---|---|---|
"""


def page() -> str:
    """The page's text."""
    rows = [(codec.uid, codec.name, f"`{codec.requires.install}`" if codec.requires else "") for codec in codecs()]
    rows += [(uid, f"PyAV ({name})", "`pip install 'dicomcore[video]'`") for uid, name in VIDEO_SYNTAXES.items()]
    rows.sort(key=lambda row: [int(part) for part in row[0].split(".")])
    return HEAD + "".join(f"| {UID(uid).name} | {uid} | {name} | {needs} |\n" for uid, name, needs in rows)


if __name__ == "__main__":
    TARGET.write_text(page(), encoding="utf-8")

"""Draw docs/ratios.svg from the last results of the benches: `python tools/make_chart.py`. Needs Matplotlib."""

from __future__ import annotations

import json
import re
from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt

ROOT = Path(__file__).parents[1]
BENCHES = ROOT / "benches"
GEOMETRIC = re.compile(r"^geometric mean ([\d.]+) × ([\w-]+), least", re.M)
COLOURS = {
    "pydicom": "#4477aa",
    "fastdicom": "#66ccee",
    "dicomsdl": "#228833",
    "GDCM": "#ccbb44",
    "libjpeg-turbo": "#ee6677",
    "pylibjpeg": "#aa3377",
}


def engine() -> list[tuple[str, dict[str, float]]]:
    """Each peer's time as a multiple of ours, by work, from engine.json."""
    rows = {row["work"]: row["seconds"] for row in json.loads((BENCHES / "results/engine.json").read_text())["rows"]}
    shown = {
        "dcmread + 7 tags": "open a file, read 7 values",
        "dcmread + every value of the real files": "decode every value of a file",
        "RTSTRUCT to arrays, 2 or 3 decimals a value": "2.1 M decimal strings to arrays",
        "dcmread + iterall() with .tag and .VR, 12000-frame SEG": "walk 216 000 elements",
    }
    names = {"gdcm": "GDCM"}
    return [
        (title, {names.get(who, who): spent / rows[work]["dicomcore"] for who, spent in rows[work].items()})
        for work, title in shown.items()
    ]


def archive() -> tuple[str, dict[str, float]]:
    """The same for the bulk index, from index.json."""
    rates = json.loads((BENCHES / "results/index.json").read_text())["files_per_second"]
    ours = rates["dicomcore, 2 threads, to Parquet"]
    return (
        "index 20 000 files to Parquet",
        {"pydicom": ours / rates["pydicom, 2 processes"], "fastdicom": ours / rates["fastdicom, 1 process"]},
    )


def codecs() -> tuple[str, dict[str, float]]:
    """The same for JPEG lossless, from the table of its bench (its first three means are the decoders')."""
    table = (BENCHES / "pixels-codecs.md").read_text(encoding="utf-8")
    return "decode JPEG lossless", {who: float(ratio) for ratio, who in GEOMETRIC.findall(table)[:3]}


def main() -> None:
    mpl.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "dicomcore", "font.family": "sans-serif"})
    bars = [
        (title, who, ratio)
        for title, ratios in (*engine(), archive(), codecs())
        for who, ratio in sorted(ratios.items(), key=lambda one: -one[1])
        if who in COLOURS
    ]
    figure, axes = plt.subplots(figsize=(6.6, 0.25 * len(bars) + 1.1))
    seen = ""
    place = 0.0
    for title, who, ratio in bars:
        place -= 1.5 if title != seen else 1.0
        axes.barh(place, ratio, height=0.85, color=COLOURS[who])
        axes.text(ratio * 1.06, place, f"{ratio:.0f}×" if ratio >= 10 else f"{ratio:.1f}×", va="center", fontsize=8)
        axes.text(1.06, place, who, va="center", fontsize=7.5, color="white")
        if title != seen:
            axes.text(0.93, place, title, va="center", ha="right", fontsize=9)
            seen = title
    axes.set_xscale("log")
    axes.set_xlim(1, 400)
    axes.set_yticks([])
    axes.set_xticks([1, 3, 10, 30, 100, 300], ["1×", "3×", "10×", "30×", "100×", "300×"], fontsize=8)
    axes.set_xlabel("times as long as dicomcore takes", fontsize=9)
    axes.spines[["top", "right", "left"]].set_visible(False)
    figure.subplots_adjust(left=0.36, right=0.96, top=0.99, bottom=0.12)
    figure.savefig(ROOT / "docs/ratios.svg", metadata={"Date": None, "Creator": None})


if __name__ == "__main__":
    main()

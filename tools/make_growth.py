"""Draw docs/growth.svg from benches/results/growth.json: `python tools/make_growth.py`. Needs Matplotlib."""

from __future__ import annotations

import json
from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt

ROOT = Path(__file__).parents[1]
WITHIN = 1.2
TITLES = {
    "index": "index of files",
    "segmentation": "scan of a segmentation",
    "volume": "volume of slices",
    "data set": "all values of a data set",
}
COLOUR, SHADE = "#4477aa", "#dddddd"


def draw(axes: plt.Axes, title: str, unit: str, points: list[dict[str, float]]) -> None:
    """One work: the time of a unit by the number of units, and the band within 1.2 of the least."""
    sizes = [point["size"] for point in points]
    each = [point["seconds"] / point["size"] * 1e6 for point in points]
    least = min(each)
    axes.axhspan(least, WITHIN * least, color=SHADE, lw=0)
    axes.plot(sizes, each, "o-", color=COLOUR, lw=1.2, ms=4)
    axes.set_xscale("log")
    axes.set_ylim(0, max(min(max(each), 5 * least), 1.5 * WITHIN * least) * 1.05)
    axes.set_title(title, fontsize=9, loc="left")
    axes.set_xlabel(f"{unit}s", fontsize=8)
    axes.set_ylabel(f"µs a {unit}", fontsize=8)
    axes.tick_params(labelsize=7)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for size, value in zip(sizes, each, strict=True):
        if value > axes.get_ylim()[1]:
            axes.annotate(f"{value:.3g}", (size, axes.get_ylim()[1]), fontsize=7, ha="left", va="top")


def main() -> None:
    mpl.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "dicomcore", "font.family": "sans-serif"})
    works = json.loads((ROOT / "benches/results/growth.json").read_text())["works"]
    figure, panels = plt.subplots(2, 2, figsize=(7.2, 4.8), layout="constrained")
    for axes, (name, work) in zip(panels.flat, works.items(), strict=False):
        draw(axes, TITLES[name], work["unit"], work["points"])
    figure.savefig(ROOT / "docs/growth.svg", metadata={"Date": None})


if __name__ == "__main__":
    main()

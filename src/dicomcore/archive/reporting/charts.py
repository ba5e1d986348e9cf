"""Charts of a report: small SVG pictures, drawn by matplotlib, in the colours of the page's style sheet."""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from dicomcore.archive.extra import needs_extra

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["bars", "columns"]

WIDTH = 4.6  # inches
COLOURS = {"#010101": "var(--ink)", "#020202": "var(--faint)", "#030303": "var(--accent)", "#040404": "var(--line)"}
INK, FAINT, ACCENT, LINE = COLOURS
LONGEST = 42  # characters of a label at most
LARGE = 9.8  # font size in points


def bars(title: str, counts: Sequence[tuple[str, int]]) -> str:
    """A bar chart with the name above and the number beside each bar, as an inline SVG element."""
    with _figure(title, 0.38 * max(len(counts), 1) + 0.08) as (axes, done):
        most = max((count for _, count in counts), default=0) or 1
        axes.set(xlim=(0, most * 1.0), ylim=(len(counts) - 0.42, -0.62))
        axes.axis("off")
        for place, (name, count) in enumerate(counts):
            axes.barh(place + 0.17, most, 0.2, color=LINE)
            axes.barh(place + 0.17, max(count, most * 0.004), 0.2, color=ACCENT)
            axes.text(0, place - 0.06, _label(name), fontsize=LARGE, color=INK, va="baseline", parse_math=False)
            axes.text(most, place - 0.06, f"{count:,}", fontsize=LARGE, color=FAINT, ha="right", va="baseline")
        done.append(None)
    return str(done[-1])


def columns(title: str, counts: Sequence[tuple[str, int]]) -> str:
    """A column chart in the order of `counts`, with as many names below as fit, as an inline SVG element."""
    with _figure(title, 3.2) as (axes, done):
        places = range(len(counts))
        axes.bar(places, [count for _, count in counts], 0.78, color=ACCENT)
        every = max(1, -(-len(counts) // 7))
        shown = [place for place in places if place % every == 0]
        axes.set_xticks(shown, [_label(counts[place][0]) for place in shown], fontsize=LARGE, color=FAINT)
        axes.set_xlim(-0.6, len(counts) - 0.4)
        axes.margins(y=0.08)
        axes.yaxis.set_major_locator(_locator())
        axes.yaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
        axes.tick_params(axis="both", length=0, labelsize=LARGE, labelcolor=FAINT)
        axes.tick_params(axis="x", pad=7)
        axes.grid(axis="y", color=LINE, linewidth=0.7)
        axes.set_axisbelow(True)
        axes.spines[:].set_visible(False)
        done.append(None)
    return str(done[-1])


def _locator() -> Any:
    from matplotlib.ticker import MaxNLocator

    return MaxNLocator(4, integer=True)


@contextmanager
def _figure(title: str, height: float) -> Iterator[tuple[Any, list[str | None]]]:
    """Axes that fill a figure, and a list that receives the figure's SVG at the end of the context."""
    with needs_extra("matplotlib", "report"):
        import matplotlib
        from matplotlib.figure import Figure
        from matplotlib.layout_engine import ConstrainedLayoutEngine
    settings: Any = {"svg.fonttype": "none", "svg.hashsalt": title, "font.family": "sans-serif"}
    done: list[str | None] = []
    with matplotlib.rc_context(settings), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # warnings of glyphs missing here: the browser has other fonts
        layout = ConstrainedLayoutEngine(w_pad=0.02, h_pad=0.02)
        figure = Figure(figsize=(WIDTH, height), layout=layout)
        axes = figure.add_subplot()
        yield axes, done
        document = io.StringIO()
        figure.savefig(document, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    done.append(_inline(document.getvalue(), title))


def _inline(svg: str, title: str) -> str:
    """The SVG element of a document, as wide as its container, in the page's colours and font. `title` is not escaped,
    so it must not come from a file."""
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r'(<svg [^>]*?)\s+width="[^"]*"', rf'\1 role="img" aria-label="{title}"', svg, count=1)
    svg = re.sub(r'(<svg [^>]*?)\s+height="[^"]*"', r"\1", svg, count=1)
    svg = re.sub(r"font: ([\d.]+px)[^;\"]*", r"font-size: \1", svg)
    svg = re.sub(r"font-family: [^;\"]*;?", "", svg)
    for colour, variable in COLOURS.items():
        svg = svg.replace(colour, variable)
    return svg


def _label(text: str) -> str:
    """A label of at most LONGEST characters, without those that XML does not allow."""
    text = "".join(character if character.isprintable() else "\ufffd" for character in text)
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"

"""A hook of MkDocs: adds pages from outside docs/ to the site, and corrects the links to them.

The tables of benches/, CHANGELOG.md, CONTRIBUTING.md and SECURITY.md stay where readers of the repository look for
them. Links between pages are written for the repository.
"""

from __future__ import annotations

import contextlib
import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

from dicomcore.cli import main

ROOT = Path(__file__).resolve().parents[1]
PAPERS = ("CHANGELOG", "CONTRIBUTING", "SECURITY")
LINK = re.compile(r"\]\((?!\w+:)([^)#\s]+)([^)\s]*)\)")


def outside() -> dict[str, str]:
    """The path in the site of each page from outside docs/, by its path in the repository."""
    tables = {f"benches/{path.name}": f"benches/{path.name}" for path in sorted((ROOT / "benches").glob("*.md"))}
    return tables | {f"{name}.md": f"{name.lower()}.md" for name in PAPERS}


def on_files(files: Files, config: Any) -> Files:
    """Add the pages from outside docs/."""
    for source, place in outside().items():
        files.append(File.generated(config, place, abs_src_path=str(ROOT / source)))
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Turn links between paths in the repository into links in the site, and insert the commands' help."""
    if page.file.src_uri == "reference/cli.md":
        return markdown + "".join(command_pages())
    places = {place: source for source, place in outside().items()}
    here = places.get(page.file.src_uri, f"docs/{page.file.src_uri}")
    return LINK.sub(lambda found: f"]({in_site(here, page.file.src_uri, found[1])}{found[2]})", markdown)


def command_pages(*above: str) -> Iterator[str]:
    """The --help of a command, then that of each of its subcommands."""
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.suppress(SystemExit):
        main([*above, "--help"])
    yield f"\n## {' '.join(('dicomcore', *above))}\n\n```text\n{said.getvalue()}```\n"
    for name in re.findall(r"^    (\w+)(?:  |$)", re.split(r"\n  (?:COMMAND|ACTION)\n", said.getvalue())[-1], re.M):
        yield from command_pages(*above, name)


def in_site(here: str, page: str, link: str) -> str:
    """A link in the site, on the page at `here` in the repository and at `page` in the site."""
    target = (ROOT / here).parent.joinpath(link).resolve()
    if not target.is_relative_to(ROOT):
        return link
    inside = target.relative_to(ROOT).as_posix()
    place = outside().get(inside, inside.removeprefix("docs/") if inside.startswith("docs/") else "")
    if not place:
        return link
    return "../" * page.count("/") + place

"""A text on its way to a condition: what is known of the row, and what was noted on the way."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from tools.standard.conditions.tree import LOGIC, Tree
from tools.standard.conditions.words import Token

ScopeOf = Callable[[str], "str | None"]
"""The scope of an attribute by its tag, None where there is none."""


class Unread(ValueError):
    """A text, or a clause of it, that has no known shape."""


@dataclass
class Reading:
    """One text on its way to a condition."""

    scope_of: ScopeOf
    inside: str = ""
    """The sequence that the attribute stands in."""
    own: str = ""
    """Its tag."""
    modules: Callable[[str], Tree | None] = lambda name: None
    """The test of a module or macro by its name."""
    tokens: list[Token] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)
    """Why what isn't decided isn't."""

    def scope(self, tag: str) -> str:
        """The scope of an attribute."""
        scope = self.scope_of(tag)
        if scope is None:
            raise Unread(f"nowhere: {tag}")
        return scope

    def settle(self, tree: Tree) -> Tree:
        """A tree with the scope of the tables in place of each ``*``."""
        if tree[0] in LOGIC:
            return (tree[0], *[self.settle(part) for part in tree[1:]])
        if len(tree) > 2 and tree[1] == "*":
            return (tree[0], self.scope(tree[2]), *tree[2:])
        return tree


def plain(text: str) -> str:
    """A marked text with ``#`` for each attribute, code and UID."""
    return re.sub(r"[¤¬]\d+[¤¬]", "#", text)

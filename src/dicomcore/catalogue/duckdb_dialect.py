"""DuckDB's way of saying what queries need."""

from __future__ import annotations

import re

__all__ = ["DUCKDB"]


class _DuckDB:
    def like(self, column: str) -> str:
        return f"regexp_matches({column}, ?)"

    def any_like(self, column: str) -> str:
        return f"regexp_matches({column}, ?)"

    def pattern(self, text: str) -> str:
        """A pattern that matches one of the values that backslashes divide."""
        parts = {"*": r"[^\\]*", "?": r"[^\\]"}
        inner = "".join(parts.get(one) or re.escape(one) for one in re.sub(r"\*+", "*", text))
        return rf"(^|\\){inner}(\\|$)"

    def contains(self, column: str) -> str:
        return f"contains({column}, ?)"

    def number(self, column: str) -> str:
        return f"COALESCE(TRY_CAST({column} AS BIGINT), 0)"


DUCKDB = _DuckDB()

"""When a request is sent again, and after how long (RFC 9110 10.2.3)."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

__all__ = ["Retries"]

BUSY = (429, 503)  # the server did not begin
GONE = (408, 500, 502, 504)  # it may have


@dataclass(frozen=True, slots=True, kw_only=True)
class Retries:
    """How often a request that failed is sent again, and how long the client pauses before.

    A request that could do harm twice is sent again only if the server says that it did not begin (429, 503), or could
    not be reached.
    """

    count: int = 3
    """Tries after the first one."""
    pause: float = 0.5
    """Seconds before the second try; each pause is twice the one before."""
    longest: float = 60.0
    """The longest pause in seconds. A server that asks for a longer one (Retry-After) is not asked again."""

    def after(
        self, tries: int, status: int, headers: Mapping[str, str], *, is_repeatable: bool, reached: bool = True
    ) -> float | None:
        """Seconds to wait after this many tries; None to give up. `status` is 0 if no answer came."""
        if tries > self.count:
            return None
        if status:
            if status not in BUSY and not (status in GONE and is_repeatable):
                return None
        elif reached and not is_repeatable:
            return None
        pause = min(self.pause * 2 ** (tries - 1), self.longest)
        asked = _asked(headers)
        if asked is None:
            return pause
        return None if asked > self.longest else max(asked, 0.0)


def _asked(headers: Mapping[str, str]) -> float | None:
    """Retry-After in seconds; a date counts from the answer's own Date. None without one, or if it is neither."""
    text = headers.get("retry-after", "").strip()
    if text.isascii() and text.isdecimal():
        return float(text[:9])
    try:
        until = parsedate_to_datetime(text)
    except (ValueError, TypeError):
        return None
    try:
        now = parsedate_to_datetime(headers.get("date", "")).timestamp()
    except (ValueError, TypeError):
        now = time.time()
    return until.timestamp() - now

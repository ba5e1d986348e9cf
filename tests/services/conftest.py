"""What tests of several services take."""

from __future__ import annotations

import pytest

from tests.support import servers


@pytest.fixture
def free_port() -> int:
    """A port of this machine at which nobody listens now."""
    return servers.free_port()

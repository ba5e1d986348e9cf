"""A server with the files of `calling.FILES`, for tests that change nothing."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.web.calling import FILES, Caller, calling


@pytest.fixture(scope="module")
def caller(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Caller]:
    with calling(tmp_path_factory.mktemp("store")) as (made, _):
        answer = made.store(FILES.values())
        assert answer.status_code == 200, answer.text
        yield made

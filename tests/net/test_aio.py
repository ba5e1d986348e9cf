"""The asyncio face: the same operations, tasks that share an association, and leaving early."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from dicomcore import Dataset, net
from dicomcore.errors import AssociationRejected, NetworkError
from dicomcore.net import aio
from tests.net.test_server import FILES, QUICK, body, identity, stored


def test_store_echo_and_find(tmp_path: Path) -> None:
    server = net.Server(ae="SERVER", folder=tmp_path)
    server.find(lambda request: [request.dataset] * 10)

    async def work() -> list[net.Outcome]:
        async with aio.associate(server.address, timeouts=QUICK) as association:
            assert (await association.echo()).status == 0
            found = [ds async for ds in association.find({"PatientName": "A*"}, level="STUDY")]
            assert len(found) == 10
            return [one async for one in association.store(FILES)]

    with server:
        outcomes = asyncio.run(work())
    assert [one.status for one in outcomes] == [0] * len(FILES)
    assert {identity(path): body(path) for path in FILES} == {uid: body(path) for uid, path in stored(tmp_path).items()}


def test_tasks_share_an_association() -> None:
    server = net.Server(ae="SERVER")

    async def work() -> None:
        async with aio.associate(server.address, timeouts=QUICK) as association:
            answers = await asyncio.gather(*(association.echo() for _ in range(300)))
            assert [one.status for one in answers] == [0] * 300

    with server:
        asyncio.run(work())


def test_leaving_early_cancels() -> None:
    def answer(request: net.Request) -> Iterator[Dataset]:
        for number in range(1_000_000):
            ds = Dataset()
            ds.PatientName = str(number)
            yield ds

    server = net.Server(ae="SERVER")
    server.find(answer)

    async def work() -> None:
        async with aio.associate(server.address, timeouts=QUICK) as association:
            found = association.find({"PatientName": "*"}, level="STUDY")
            async for ds in found:
                if str(ds.PatientName) == "100":
                    break
            await found.aclose()  # type: ignore[attr-defined]
            assert (await association.echo()).status == 0

    with server:
        asyncio.run(work())


def test_get(tmp_path: Path) -> None:
    server = net.Server(ae="SERVER")
    server.get(lambda request: FILES[:3])

    async def work() -> list[net.Outcome]:
        async with aio.associate(server.address, timeouts=QUICK) as association:
            return [one async for one in association.get({"StudyInstanceUID": "1"}, into=tmp_path)]

    with server:
        outcomes = asyncio.run(work())
    assert [one.status for one in outcomes] == [0, 0, 0]


def test_errors() -> None:
    async def work(address: str) -> None:
        async with aio.associate(address, timeouts=QUICK):
            pass

    with net.Server(ae="SERVER") as server:
        with pytest.raises(AssociationRejected):
            asyncio.run(work(f"OTHER@127.0.0.1:{server.port}"))
        port = server.port
    with pytest.raises(NetworkError):
        asyncio.run(work(f"SERVER@127.0.0.1:{port}"))

"""Workitems, their events and storage commitment, between our client and our server."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dicomcore import Dataset, catalogue, dcmread, services, web
from dicomcore.errors import WebError
from dicomcore.services.ledger import Ledger
from dicomcore.uids import generate_uid
from tests.web.calling import FILES
from tests.web.faces import FACES, Script, answer
from tests.web.serving import serving
from tests.web.test_client_retrieve import uids
from tests.web.test_workitems import step

CT = FILES["CT_small.dcm"]


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("node")
    with (
        Ledger(folder / "ledger.sqlite") as ledger,
        catalogue.open(folder / "store") as held,
        serving(web.app(held, workitems=services.Workitems(ledger))) as made,
    ):
        yield made


@pytest.fixture(params=FACES.values(), ids=FACES)
def face(request: pytest.FixtureRequest, url: str) -> Any:
    return lambda: request.param(None, url=url)


def test_the_life_of_a_workitem(face):
    uid = face().run("workitems.create", step())
    owner = str(generate_uid())
    assert face().run("workitems.retrieve", uid).ProcedureStepState == "SCHEDULED"
    assert uid in [ds.SOPInstanceUID for ds in face().run("workitems.search", ProcedureStepState="SCHEDULED")]
    face().run("workitems.state", uid, "IN PROGRESS", owner)
    assert face().run("workitems.retrieve", uid).ProcedureStepState == "IN PROGRESS"
    change = Dataset()
    change.ProcedureStepLabel = "Read it again"
    face().run("workitems.update", uid, change, transaction=owner)
    assert face().run("workitems.retrieve", uid).ProcedureStepLabel == "Read it again"
    with pytest.raises(WebError):
        face().run("workitems.update", uid, change, transaction=str(generate_uid()))
    with pytest.raises(WebError, match="subscribed"):  # nobody would hear of it
        face().run("workitems.cancel", uid)
    with pytest.raises(WebError):
        face().run("workitems.create", step(), uid)


def test_events(url):
    with web.Client(url) as client:
        channel = client.workitems.subscribe("WATCHER")
        uid = client.workitems.create(step())
        events = client.workitems.events("WATCHER", channel)
        assert next(events).AffectedSOPInstanceUID == uid
        events.close()
        client.workitems.unsubscribe("WATCHER")

    async def watch() -> Any:
        async with web.AsyncClient(url) as client:
            channel = await client.workitems.subscribe("OTHER")
            made = await client.workitems.create(step())
            async for event in client.workitems.events("OTHER", channel):
                return made, event.AffectedSOPInstanceUID

    made, seen = asyncio.run(watch())
    assert made == seen


def test_a_channel_at_another_server_is_refused(face):
    for elsewhere in ("wss://other.example.org/x", "https://other.example.org/x"):
        with pytest.raises(WebError, match="another server"):
            face().run("workitems.events", "ME", elsewhere)


def test_commitment(face):
    assert face().run("store", CT)
    asked = face().run("commit", [dcmread(CT), (dcmread(CT).SOPClassUID, "1.2.3")])
    for _ in range(100):
        if asked.is_done:
            break
        asked = face().run("commitment", asked.transaction)
    assert {one.sop_instance: one.state for one in asked.outcomes} == {uids(CT)[2]: "stored", "1.2.3": "failed"}
    assert not asked


def test_a_workitem_is_named_in_the_query(tmp_path: Path):
    script = Script(lambda request: answer(201))
    FACES["blocking"](script).run("workitems.create", step(), "1.2")
    assert script.paths == ["workitems?workitem=1.2"]

"""Notifications (PS3.18 8.10): reports on workitems, sent over a WebSocket as soon as they are there."""

from __future__ import annotations

import asyncio
from typing import Any

from dicomcore.dataset import Dataset
from dicomcore.forms import to_json
from dicomcore.web.node import Node

__all__ = ["notify"]

POLICY_VIOLATION, NOT_FOUND = 1008, 4404
AT_A_TIME = 100


def _message(event: Any) -> str:
    """A report as a data set in JSON, with the elements of its N-EVENT-REPORT (PS3.18 8.10.5.1.1)."""
    ds: Dataset = event.dataset if event.dataset is not None else Dataset()
    text = to_json(ds)
    command = (
        f'"00000002":{{"vr":"UI","Value":["{event.sop_class}"]}},'
        f'"00001000":{{"vr":"UI","Value":["{event.instance}"]}},'
        f'"00001002":{{"vr":"US","Value":[{int(event.type)}]}}'
    )
    return "{" + command + ("," if len(text) > 2 else "") + text[1:]


async def notify(node: Node, title: str, receive: Any, send: Any) -> None:
    """Serve a connection that was asked for: reports for an AE title, the oldest first, each once."""
    items = node.workitems
    loop = asyncio.get_running_loop()
    wake = asyncio.Event()
    stop = items.listen(lambda event: loop.call_soon_threadsafe(wake.set) if event.aet == title else None)
    await send({"type": "websocket.accept"})
    left = asyncio.ensure_future(_left(receive))
    try:
        while not left.done():
            wake.clear()
            while not left.done():
                events = await node.work(_some, items, title)
                for event in events:
                    await send({"type": "websocket.send", "text": _message(event)})
                    await node.work(items.acknowledge, event.number)
                if len(events) < AT_A_TIME:
                    break
            waiting = asyncio.ensure_future(wake.wait())
            await asyncio.wait([waiting, left], return_when=asyncio.FIRST_COMPLETED)
            waiting.cancel()
    finally:
        stop()
        left.cancel()


def _some(items: Any, title: str) -> list[Any]:
    found = []
    for event in items.events(title):
        found.append(event)
        if len(found) == AT_A_TIME:
            break
    return found


async def _left(receive: Any) -> None:
    """Return when the client is gone; what it says is passed over."""
    while (await receive())["type"] != "websocket.disconnect":
        pass

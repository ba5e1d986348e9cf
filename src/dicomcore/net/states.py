"""The state table of the upper layer (PS3.8 9.2.3, Table 9-10): what each event does in each state.

A cell is an action and the state after it; an empty cell is an event that cannot occur there. Two cells depend on more
than the table: AE-6 goes to Sta13 if it refuses the association, AR-8 to Sta10 on the acceptor's side.
"""

from __future__ import annotations

from enum import IntEnum

__all__ = ["TABLE", "Happening", "State", "cell"]


class State(IntEnum):
    """States of an association (PS3.8 9.2.1)."""

    IDLE = 1
    AWAITING_REQUEST = 2  # connected, for the A-ASSOCIATE-RQ PDU
    AWAITING_LOCAL_RESPONSE = 3
    AWAITING_CONNECTION = 4
    AWAITING_ACCEPT = 5  # or the A-ASSOCIATE-RJ PDU
    ESTABLISHED = 6
    AWAITING_RELEASE = 7  # for the A-RELEASE-RP PDU
    AWAITING_LOCAL_RELEASE = 8
    COLLISION_REQUESTOR = 9  # awaiting the local release response
    COLLISION_ACCEPTOR = 10  # awaiting the A-RELEASE-RP PDU
    COLLISION_REQUESTOR_LAST = 11  # awaiting the A-RELEASE-RP PDU
    COLLISION_ACCEPTOR_LAST = 12  # awaiting the local release response
    AWAITING_CLOSE = 13


class Happening(IntEnum):
    """Events, in the order of the table's rows."""

    ASSOCIATE = 1
    CONNECTED = 2
    ACCEPT_PDU = 3
    REJECT_PDU = 4
    ACCEPTED_CONNECTION = 5
    REQUEST_PDU = 6
    ACCEPT = 7
    REJECT = 8
    DATA = 9
    DATA_PDU = 10
    RELEASE = 11
    RELEASE_PDU = 12
    RELEASED_PDU = 13
    RELEASE_ANSWER = 14
    ABORT = 15
    ABORT_PDU = 16
    CLOSED = 17
    EXPIRED = 18
    INVALID_PDU = 19


# A row for each event, a column for each state, Sta1 to Sta13.
ROWS = """
AE-1:4 | | | | | | | | | | | |
 | | |AE-2:5| | | | | | | | |
 |AA-1:13|AA-8:13| |AE-3:6|AA-8:13|AA-8:13|AA-8:13|AA-8:13|AA-8:13|AA-8:13|AA-8:13|AA-6:13
 |AA-1:13|AA-8:13| |AE-4:1|AA-8:13|AA-8:13|AA-8:13|AA-8:13|AA-8:13|AA-8:13|AA-8:13|AA-6:13
AE-5:2| | | | | | | | | | | |
 |AE-6:3|AA-8:13| |AA-8:13|AA-8:13|AA-8:13|AA-8:13|AA-8:13|AA-8:13|AA-8:13|AA-8:13|AA-7:13
 | |AE-7:6| | | | | | | | | |
 | |AE-8:13| | | | | | | | | |
 | | | | |DT-1:6| |AR-7:8| | | | |
 |AA-1:13|AA-8:13| |AA-8:13|DT-2:6|AR-6:7|AA-8:13|AA-8:13|AA-8:13|AA-8:13|AA-8:13|AA-6:13
 | | | | |AR-1:7| | | | | | |
 |AA-1:13|AA-8:13| |AA-8:13|AR-2:8|AR-8:9|AA-8:13|AA-8:13|AA-8:13|AA-8:13|AA-8:13|AA-6:13
 |AA-1:13|AA-8:13| |AA-8:13|AA-8:13|AR-3:1|AA-8:13|AA-8:13|AR-10:12|AR-3:1|AA-8:13|AA-6:13
 | | | | | | |AR-4:13|AR-9:11| | |AR-4:13|
 | |AA-1:13|AA-2:1|AA-1:13|AA-1:13|AA-1:13|AA-1:13|AA-1:13|AA-1:13|AA-1:13|AA-1:13|
 |AA-2:1|AA-3:1| |AA-3:1|AA-3:1|AA-3:1|AA-3:1|AA-3:1|AA-3:1|AA-3:1|AA-3:1|AA-2:1
 |AA-5:1|AA-4:1|AA-4:1|AA-4:1|AA-4:1|AA-4:1|AA-4:1|AA-4:1|AA-4:1|AA-4:1|AA-4:1|AR-5:1
 |AA-2:1| | | | | | | | | | |AA-2:1
 |AA-1:13|AA-8:13| |AA-8:13|AA-8:13|AA-8:13|AA-8:13|AA-8:13|AA-8:13|AA-8:13|AA-8:13|AA-7:13
"""


def _read(rows: str) -> dict[tuple[Happening, State], tuple[str, State]]:
    table = {}
    for happening, row in zip(Happening, rows.strip("\n").split("\n"), strict=True):
        for state, text in zip(State, row.split("|"), strict=True):
            if text.strip():
                action, after = text.strip().split(":")
                table[happening, state] = action, State(int(after))
    return table


TABLE = _read(ROWS)


def cell(happening: Happening, state: State) -> tuple[str, State] | None:
    """The action and the next state, or None for an event that cannot occur in this state."""
    return TABLE.get((happening, state))

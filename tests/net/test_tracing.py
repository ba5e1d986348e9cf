"""What captures say: associations recorded byte by byte, packed as several link types, in pieces and out of order."""

from __future__ import annotations

import json
import random
import shutil
import struct
import subprocess
from collections.abc import Iterable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from dicomcore import Dataset
from dicomcore.cli.program import main
from dicomcore.encoding import encode
from dicomcore.errors import ParseError
from dicomcore.net.captures import MOST_HELD, Flow, Segment
from dicomcore.net.commands import Field
from dicomcore.net.commands import encode as command_bytes
from dicomcore.net.items import ContextAnswer, ContextOffer, Identity, UserInformation
from dicomcore.net.pdu import Abort, Accept, Reject, Release, Released, Request, encode_pdu
from dicomcore.net.tracing import trace
from tests.net.raw_peer import data_pdu, pdv

pytest.importorskip("dpkt", reason="dpkt is not installed")

FIND, IMPLICIT = "1.2.840.10008.5.1.4.1.2.2.1", "1.2.840.10008.1.2"
CLIENT, SERVER = ("10.0.0.1", 40_000), ("10.0.0.2", 104)
NAME = "Doe^John"


def identifier() -> bytes:
    ds = Dataset()
    ds.PatientName, ds.QueryRetrieveLevel = NAME, "STUDY"
    return encode(ds, IMPLICIT)


USER = UserInformation(16384, "1.2.3", "SOMEONE", (8, 1), identity=Identity(2, b"nurse", b"secret"))
ASKED = {Field.AFFECTED_SOP_CLASS: FIND, Field.COMMAND: 0x20, Field.MESSAGE_ID: 7, Field.DATA_SET_TYPE: 0}
PENDING = {Field.AFFECTED_SOP_CLASS: FIND, Field.COMMAND: 0x8020, Field.RESPONDED_TO: 7, Field.STATUS: 0xFF00,
           Field.DATA_SET_TYPE: 0}  # fmt: skip
LAST = {**PENDING, Field.STATUS: 0xC000, Field.DATA_SET_TYPE: 0x0101, Field.ERROR_COMMENT: f"no {NAME}"}
TALK = [  # whether the client sends it, and what
    (True, encode_pdu(Request("SERVER", "CLIENT", (ContextOffer(1, FIND, (IMPLICIT,)),), USER))),
    (False, encode_pdu(Accept("SERVER", "CLIENT", (ContextAnswer(1, 0, IMPLICIT),), UserInformation(16384, "1.2")))),
    (True, data_pdu(pdv(1, 3, command_bytes(ASKED)))),
    (True, data_pdu(pdv(1, 0, identifier()[:8]), pdv(1, 2, identifier()[8:]))),
    (False, data_pdu(pdv(1, 3, command_bytes(PENDING))) + data_pdu(pdv(1, 2, identifier()))),
    (False, data_pdu(pdv(1, 3, command_bytes(LAST)))),
    (True, encode_pdu(Release())),
    (False, encode_pdu(Released())),
]  # fmt: skip
WHAT = ["A-ASSOCIATE-RQ", "A-ASSOCIATE-AC", "C-FIND-RQ", "C-FIND-RSP", "C-FIND-RSP", "A-RELEASE-RQ", "A-RELEASE-RP"]


def ip(data: bytes, source: tuple[str, int], target: tuple[str, int], sequence: int, flags: int = 0x18) -> bytes:
    tcp = struct.pack(">HHIIBBHHH", source[1], target[1], sequence & 0xFFFFFFFF, 0, 0x50, flags, 8192, 0, 0) + data
    ends = bytes(map(int, source[0].split("."))) + bytes(map(int, target[0].split(".")))
    return struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(tcp), 0, 0, 64, 6, 0) + ends + tcp


def packets(talk: Iterable[tuple[bool, bytes]], size: int = 1400, first: int = 1000) -> Iterator[bytes]:
    """A connection as IP packets, from its SYN on."""
    sequence = {True: first, False: first + 77}
    for by_client in (True, False):
        ends = (CLIENT, SERVER) if by_client else (SERVER, CLIENT)
        yield ip(b"", *ends, sequence[by_client], 2 if by_client else 0x12)
        sequence[by_client] += 1
    for by_client, data in talk:
        ends = (CLIENT, SERVER) if by_client else (SERVER, CLIENT)
        for at in range(0, len(data), size):
            yield ip(data[at : at + size], *ends, sequence[by_client] + at)
        sequence[by_client] += len(data)


LINKS = {  # name: number, what stands in front of each IP packet
    "Ethernet": (1, bytes(12) + b"\x08\x00"),
    "VLAN": (1, bytes(12) + b"\x81\x00\x00\x05\x08\x00"),
    "raw IP": (101, b""),
    "loopback": (0, struct.pack("<I", 2)),
    "cooked": (113, struct.pack(">HHHQH", 0, 1, 6, 0, 0x0800)),
}


def pcap(some: Iterable[bytes], link: str = "Ethernet", order: str = "<") -> bytes:
    number, front = LINKS[link]
    made = [struct.pack(order + "IHHIIII", 0xA1B2C3D4, 2, 4, 0, 0, 1 << 18, number)]
    for at, packet in enumerate(some):
        whole = front + packet
        made += struct.pack(order + "IIII", 1_700_000_000 + at, 0, len(whole), len(whole)), whole
    return b"".join(made)


def pcapng(some: Iterable[bytes]) -> bytes:
    def block(kind: int, body: bytes) -> bytes:
        body += bytes(-len(body) % 4)
        return struct.pack("<II", kind, len(body) + 12) + body + struct.pack("<I", len(body) + 12)

    made = [block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1)), block(1, struct.pack("<HHI", 101, 0, 0))]
    for at, packet in enumerate(some):
        made.append(block(6, struct.pack("<IIIII", 0, 0, at, len(packet), len(packet)) + packet))
    return b"".join(made)


def facts(tmp_path: Path, data: bytes, **options: Any) -> list[dict[str, Any]]:
    path = tmp_path / "capture"
    path.write_bytes(data)
    return list(trace(path, **options))


def what(found: list[dict[str, Any]]) -> list[str]:
    return [one["what"] for one in found]


CAPTURES = {
    **{f"pcap, {link}": pcap(packets(TALK), link) for link in LINKS},
    "pcap, big endian": pcap(packets(TALK), "raw IP", ">"),
    "pcapng": pcapng(packets(TALK)),
    "a byte a packet": pcapng(packets(TALK, 1)),
    "sequence numbers that wrap": pcap(packets(TALK, 50, 0xFFFFFFF0)),
    "each packet twice": pcap(one for packet in packets(TALK, 100) for one in (packet, packet)),
    "no beginning": pcap(list(packets(TALK))[2:]),
}


@pytest.mark.parametrize("data", CAPTURES.values(), ids=CAPTURES)
def test_an_association(tmp_path: Path, data: bytes) -> None:
    found = facts(tmp_path, data)
    assert what(found) == WHAT
    assert {one["connection"] for one in found} == {1}
    request, accept, query, pending, last = found[:5]
    assert (request["called"], request["calling"], request["identity"]) == ("SERVER", "CLIENT", 2)
    assert request["contexts"][0]["transfer_syntaxes"] == ["Implicit VR Little Endian"]
    assert accept["contexts"] == [{"number": 1, "transfer_syntax": "Implicit VR Little Endian"}]
    assert (query["source"], query["message"], query["data_set_bytes"]) == ("10.0.0.1:40000", 7, len(identifier()))
    assert (pending["status"], pending["meaning"], last["status"]) == (0xFF00, "pending", 0xC000)
    assert pending["seconds"] >= 0


def test_values_only_if_they_are_asked_for(tmp_path: Path) -> None:
    data = pcap(packets(TALK))
    said = json.dumps(facts(tmp_path, data))
    assert "Doe" not in said
    assert "secret" not in said
    assert "nurse" not in said
    found = facts(tmp_path, data, values=True)
    assert found[2]["data_set"].PatientName == NAME
    assert found[4]["command"]["ErrorComment"] == f"no {NAME}"


def test_packets_out_of_order(tmp_path: Path) -> None:
    """Within a flight: an answer can't come before what it answers."""
    shuffled: list[bytes] = list(packets([]))
    mixed = random.Random(1)
    sequence = {True: 1001, False: 1078}
    for by_client, data in TALK:
        ends = (CLIENT, SERVER) if by_client else (SERVER, CLIENT)
        flight = [ip(data[at : at + 30], *ends, sequence[by_client] + at) for at in range(0, len(data), 30)]
        mixed.shuffle(flight)
        shuffled += flight
        sequence[by_client] += len(data)
    assert what(facts(tmp_path, pcap(shuffled))) == WHAT


def test_a_port_that_is_used_again(tmp_path: Path) -> None:
    talk = [TALK[0], (False, encode_pdu(Reject(1, 1, 7)))]
    again = [TALK[0], (False, encode_pdu(Abort(2, 1)))]
    found = facts(tmp_path, pcap([*packets(talk), *packets(again, first=90_000)]))
    assert [(one["connection"], one["what"]) for one in found] == [
        (1, "A-ASSOCIATE-RQ"), (1, "A-ASSOCIATE-RJ"), (2, "A-ASSOCIATE-RQ"), (2, "A-ABORT"),
    ]  # fmt: skip
    assert found[1]["meaning"] == "the called AE title is not recognized"


STRANGE = {
    "HTTP": ([(True, b"GET / HTTP/1.1\r\n")], []),
    "TLS": ([(True, b"\x16\x03\x01\0\x05hello")], ["TLS"]),
    "no PDU behind one": ([TALK[0], (True, b"\x42\0\0\0\0\0")], ["A-ASSOCIATE-RQ", "unreadable"]),
    "a value that lies": ([TALK[0], TALK[1], (True, data_pdu(b"\0\0\0\x20\1\3ab"))],
                          ["A-ASSOCIATE-RQ", "A-ASSOCIATE-AC", "unreadable"]),
    "a command set that lies": ([TALK[0], TALK[1], (True, data_pdu(pdv(1, 3, b"\0\0\0\1\xff\xff\xff\xff")))],
                                ["A-ASSOCIATE-RQ", "A-ASSOCIATE-AC", "unreadable"]),
    "a request that lies": ([(True, b"\1\0\0\0\0\4abcd")], ["A-ASSOCIATE-RQ"]),
    "4 GiB of a request": ([(True, b"\1\0\xff\xff\xff\xff")], ["unreadable"]),
}  # fmt: skip


@pytest.mark.parametrize(("talk", "names"), STRANGE.values(), ids=STRANGE)
def test_what_is_no_association(tmp_path: Path, talk: list[tuple[bool, bytes]], names: list[str]) -> None:
    found = facts(tmp_path, pcap(packets(talk)))
    assert what(found) == names
    assert not names or "error" in found[-1]


def test_bytes_that_are_missing(tmp_path: Path) -> None:
    talk = [TALK[0], TALK[1], (True, TALK[2][1] + bytes(MOST_HELD + 100_000))]
    some = list(packets(talk, 60_000))
    del some[4]  # the first of the long flight
    found = facts(tmp_path, pcap(some))
    assert what(found) == ["A-ASSOCIATE-RQ", "A-ASSOCIATE-AC", "unreadable"]
    assert "missing" in found[-1]["error"]


def test_every_truncation_and_every_byte(tmp_path: Path) -> None:
    for whole in (pcap(packets(TALK)), pcapng(packets(TALK))):
        for end in range(0, len(whole), 7):
            try:
                assert what(facts(tmp_path, whole[:end])) == WHAT[: len(what(facts(tmp_path, whole[:end])))]
            except ParseError:
                assert end < 80
        for at in range(24, len(whole), 3):
            changed = bytearray(whole)
            changed[at] ^= 0xFF
            try:
                facts(tmp_path, bytes(changed), values=True)
            except ParseError:
                continue


def test_a_flow_gives_each_byte_once() -> None:
    data = bytes(range(256)) * 8
    mixed = random.Random(2)
    for _ in range(50):
        flow = Flow()
        flow.take(Segment(0.0, "a", "b", 99, 2, b""))
        cuts = sorted(mixed.sample(range(len(data)), 20))
        pieces = [(a, data[a : b + mixed.randrange(40)]) for a, b in zip([0, *cuts], [*cuts, len(data)], strict=True)]
        mixed.shuffle(pieces)
        out = b"".join(flow.take(Segment(0.0, "a", "b", 100 + at, 0, piece)) for at, piece in pieces)
        assert out == data
        assert not flow.is_broken


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "capture.pcap"
    path.write_bytes(pcap(packets(TALK)))
    assert main(["trace", str(path)]) == 0
    said = capsys.readouterr().out
    assert "10.0.0.1:40000 > 10.0.0.2:104 C-FIND-RQ context=1" in said
    assert "Doe" not in said
    assert main(["trace", str(path), "--json", "--values"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert lines[2]["data_set"]["00100010"]["Value"] == [{"Alphabetic": NAME}]
    path.write_bytes(pcap(packets(STRANGE["a value that lies"][0])))
    assert main(["trace", str(path)]) == 1
    capsys.readouterr()
    path.write_bytes(b"no capture, and long enough for its header")
    assert main(["trace", str(path)]) == 2
    assert "is no capture" in capsys.readouterr().err
    assert main(["trace", str(tmp_path / "nowhere")]) == 2


@pytest.mark.skipif(shutil.which("text2pcap") is None, reason="text2pcap is not installed")
def test_what_wireshark_writes(tmp_path: Path) -> None:
    dump = tmp_path / "dump.txt"
    dump.write_text("\n".join(f"{at:06x} {byte:02x}" for at, byte in zip(count(), TALK[0][1], strict=False)))
    for options in ([], ["-F", "pcap"]):
        made = tmp_path / "made"
        subprocess.run(["text2pcap", "-q", *options, "-T", "50000,104", dump, made], check=True, capture_output=True)
        assert what(list(trace(made))) == ["A-ASSOCIATE-RQ"]

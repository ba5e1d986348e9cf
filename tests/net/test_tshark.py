"""Every kind of message that is written, read by tshark's dissector: nothing malformed, and the fields as sent."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dicomcore import Dataset
from dicomcore.encoding import encode
from dicomcore.net import commands
from dicomcore.net.commands import Field, Kind
from dicomcore.net.exchange import Context, Exchange
from dicomcore.net.items import Common, ContextAnswer, ContextOffer, Extended, Identity, Role, UserInformation
from dicomcore.net.pdu import Abort, Accept, Pdu, Reject, Release, Released, Request, encode_pdu
from tests.net.raw_peer import CT, IMPLICIT, OFFERS, STUDY_FIND, USER, VERIFICATION, Face, asking, data_pdu, pdv

pytestmark = pytest.mark.skipif(
    shutil.which("tshark") is None or shutil.which("text2pcap") is None, reason="tshark is not installed"
)

EXPLICIT = "1.2.840.10008.1.2.1"
PORTS = (50000, 11112)
ELEMENT = re.compile(r"\(([0-9a-f]{4},[0-9a-f]{4})\) +[0-9]+ \S.*?(?:  +(\S.*)?)?")
WRONG = (".invalid", ".missing", "no_abstract_syntax", "no_transfer_syntax", "multiple_abstract_syntax")
FULL = UserInformation(
    maximum_length=262144,
    implementation_class_uid="1.2.826.0.1",
    implementation_version_name="SOMEONE_1.0",
    window=(8, 4),
    roles=(Role(CT, False, True),),
    extended=(Extended(STUDY_FIND, b"\1\0\1"),),
    common=(Common(CT, "1.2.840.10008.4.2", ("1.2.3",)),),
    identity=Identity(2, b"user", b"secret", wants_answer=True),
)


def dissected(folder: Path, *frames: bytes) -> list[dict[str, list[str]]]:
    """The fields of each frame, one after the other on one connection."""
    lines = []
    for data in frames:
        rows = [data[at : at + 16] for at in range(0, len(data), 16)]
        lines += [f"{16 * at:06x} {row.hex(' ')}" for at, row in enumerate(rows)]
    (folder / "hex").write_text("\n".join(lines) + "\n")
    ports = f"{PORTS[0]},{PORTS[1]}"
    subprocess.run(
        ["text2pcap", "-q", "-T", ports, folder / "hex", folder / "pcap"], check=True, capture_output=True, timeout=60
    )
    command = [
        "tshark",
        "-r",
        folder / "pcap",
        "-d",
        f"tcp.port=={PORTS[1]},dicom",
        "-T",
        "json",
        "--no-duplicate-keys",
    ]
    done = subprocess.run(command, check=True, capture_output=True, timeout=60)
    found = []
    for packet in json.loads(done.stdout):
        fields: dict[str, list[str]] = {}
        layers = packet["_source"]["layers"]
        for name, value in walk(layers):
            fields.setdefault(name, []).append(value)
        found.append(fields)
    return found


def walk(node: Any, name: str = "") -> Iterator[tuple[str, str]]:
    """All fields with their values."""
    if isinstance(node, dict):
        for key, value in node.items():
            yield from walk(value, key)
    elif isinstance(node, list):
        for value in node:
            yield from walk(value, name)
    else:
        yield name, str(node)
    if isinstance(node, dict) and name:
        yield name, ""


def is_faultless(fields: dict[str, list[str]]) -> bool:
    """Whether the dissector has no complaint."""
    if any(name.startswith("_ws.malformed") or (name.startswith("dicom") and name.endswith(WRONG)) for name in fields):
        return False
    return not any("Malformed" in one for one in fields.get("_ws.expert.message", ()))


def plain(text: str) -> str:
    """A number in decimal, and a UID without the name that the dissector puts before it."""
    if text.startswith("0x"):
        return str(int(text, 16))
    return re.sub(r"^.* \(([0-9.]+)\)$", r"\1", text).strip()


UNITS: dict[str, tuple[Pdu, dict[str, list[str]]]] = {
    "a request": (
        Request("SERVER", "CLIENT", (ContextOffer(1, VERIFICATION, (IMPLICIT, EXPLICIT)),
                                     ContextOffer(3, CT, (EXPLICIT,))), FULL),
        {
            "dicom.pdu.type": ["0x01"],
            "dicom.assoc.version": ["1"],
            "dicom.assoc.ae.called": ["SERVER"],
            "dicom.assoc.ae.calling": ["CLIENT"],
            "dicom.actx": ["1.2.840.10008.3.1.1.1"],
            "dicom.pctx.id": ["0x01", "0x03"],
            "dicom.pctx.abss.syntax": [VERIFICATION, CT],
            "dicom.pctx.xfer.syntax": [IMPLICIT, EXPLICIT, EXPLICIT],
            "dicom.max_pdu_len": ["262144"],
            "dicom.userinfo.uid": ["1.2.826.0.1"],
            "dicom.userinfo.version": ["SOMEONE_1.0"],
            "dicom.userinfo.asyncneg.maxnumopsinv": ["8"],
            "dicom.userinfo.asyncneg.maxnumopsper": ["4"],
            "dicom.userinfo.rolesel.sopclassuid": [CT],
            "dicom.userinfo.rolesel.scurole": ["0"],
            "dicom.userinfo.rolesel.scprole": ["1"],
            "dicom.userinfo.extneg.sopclassuid": [STUDY_FIND],
            "dicom.userinfo.extneg.relational": ["1"],
            "dicom.userinfo.extneg.datetimematching": ["0"],
            "dicom.userinfo.extneg.fuzzymatching": ["1"],
            "dicom.userinfo.user_identify.type": ["2"],
            "dicom.userinfo.user_identify.response_requested": ["1"],
            "dicom.userinfo.user_identify.primary_field": ["user"],
            "dicom.userinfo.user_identify.secondary_field": ["secret"],
        },
    ),
    "an acceptance": (
        Accept("SERVER", "CLIENT", (ContextAnswer(1, 0, IMPLICIT), ContextAnswer(3, 4, IMPLICIT)), USER),
        {
            "dicom.pdu.type": ["0x02"],
            "dicom.pctx.id": ["0x01", "0x03"],
            "dicom.pctx.result": ["0x00", "0x04"],
            "dicom.max_pdu_len": ["16384"],
        },
    ),
    "a rejection": (
        Reject(2, 3, 2),
        {"dicom.assoc.reject.result": ["2"], "dicom.assoc.reject.source": ["3"], "dicom.assoc.reject.reason": ["2"]},
    ),
    "a release": (Release(), {"dicom.pdu.type": ["0x05"]}),
    "its answer": (Released(), {"dicom.pdu.type": ["0x06"]}),
    "an abort": (Abort(2, 6), {"dicom.assoc.abort.source": ["2"], "dicom.assoc.abort.reason": ["6"]}),
}  # fmt: skip


@pytest.mark.parametrize(("pdu", "wanted"), UNITS.values(), ids=UNITS)
def test_pdus(tmp_path: Path, pdu: Pdu, wanted: dict[str, list[str]]) -> None:
    (fields,) = dissected(tmp_path, encode_pdu(pdu))
    assert is_faultless(fields), fields
    for name, values in wanted.items():
        assert [plain(value) for value in fields.get(name, [])] == [plain(value) for value in values], name


def commands_of(kind: Kind) -> tuple[dict[int, Any], dict[int, Any]]:
    """A request and a response of a kind, with all that they may hold."""
    request: dict[int, Any] = {
        Field.COMMAND: int(kind),
        Field.MESSAGE_ID: 258,
        Field.AFFECTED_SOP_CLASS: CT,
        Field.PRIORITY: 0,
    }
    response: dict[int, Any] = {
        Field.COMMAND: kind | 0x8000,
        Field.RESPONDED_TO: 258,
        Field.STATUS: 0xB000,
        Field.AFFECTED_SOP_CLASS: CT,
        Field.AFFECTED_SOP_INSTANCE: "1.2.3",
        Field.ERROR_COMMENT: "odd",
        Field.OFFENDING_ELEMENT: (0x00100010, 0x00200020),
        Field.REMAINING: 4,
        Field.COMPLETED: 3,
        Field.FAILED: 2,
        Field.WARNING: 1,
    }
    if kind in (Kind.N_GET, Kind.N_SET, Kind.N_ACTION, Kind.N_DELETE):
        del request[Field.AFFECTED_SOP_CLASS]
        request |= {Field.REQUESTED_SOP_CLASS: CT, Field.REQUESTED_SOP_INSTANCE: "1.2.3"}
    request |= {
        Kind.C_STORE: {Field.AFFECTED_SOP_INSTANCE: "1.2.3", Field.ORIGINATOR: "AE", Field.ORIGINATOR_MESSAGE_ID: 7},
        Kind.C_MOVE: {Field.MOVE_DESTINATION: "THERE"},
        Kind.N_GET: {Field.ATTRIBUTES: (0x00100010, 0x00100020)},
        Kind.N_ACTION: {Field.ACTION_TYPE: 5},
        Kind.N_EVENT_REPORT: {Field.EVENT_TYPE: 6, Field.AFFECTED_SOP_INSTANCE: "1.2.3"},
    }.get(kind, {})
    return request, response


ASKED = [kind for kind in Kind if kind != Kind.C_CANCEL]
Case = tuple[Kind, int, dict[int, Any], bool]


@pytest.fixture(scope="module")
def read(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[Case, dict[str, list[str]]]]:
    """Requests and responses of all kinds, with a data set and without, of one fragment and of many."""
    context = Context(3, CT, IMPLICIT)
    ds = Dataset()
    ds.PatientName, ds.PatientID = "Name^Of", "12345678"
    data = encode(ds, IMPLICIT)
    cases: list[Case] = []
    frames = [asking(offers=OFFERS), encode_pdu(Accept("SERVER", "PEER", (ContextAnswer(3, 0, IMPLICIT),), USER))]
    for kind in ASKED:
        for maximum in (16384, 32):
            exchange = Exchange({3: context}, peer_maximum=maximum)
            for values in commands_of(kind):
                for has_data in (False, True):
                    cases.append((kind, maximum, values, has_data))
                    frames.append(b"".join(map(bytes, exchange.message(3, dict(values), data if has_data else None))))
    cancel = {Field.COMMAND: int(Kind.C_CANCEL), Field.RESPONDED_TO: 258}
    cases.append((Kind.C_CANCEL, 16384, cancel, False))
    frames.append(b"".join(map(bytes, Exchange({3: context}).message(3, dict(cancel)))))
    return list(zip(cases, dissected(tmp_path_factory.mktemp("tshark"), *frames)[2:], strict=True))


@pytest.mark.parametrize("kind", Kind, ids=lambda kind: kind.name)
def test_messages(read: list[tuple[Case, dict[str, list[str]]]], kind: Kind) -> None:
    count = 0
    for (one, maximum, values, has_data), fields in read:
        if one != kind:
            continue
        count += 1
        assert is_faultless(fields), (maximum, values, fields)
        assert set(map(plain, fields["dicom.pdv.ctx"])) == {"3"}
        if maximum == 32:  # tags are shown where the last fragment is
            assert len(fields["dicom.pdu.type"]) == len(fields["dicom.pdv.flags"]) > 1
            continue
        assert [plain(flags) for flags in fields["dicom.pdv.flags"]] == (["3", "2"] if has_data else ["3"])
        elements = dict(found.groups() for name in fields if (found := ELEMENT.fullmatch(name)))
        wanted = [0, *sorted([*values, Field.DATA_SET_TYPE])]
        data_tags = ["0010,0010", "0010,0020"] if has_data else []
        assert list(elements) == [*(f"0000,{number:04x}" for number in wanted), *data_tags]
        for number, value in values.items():
            shown = elements[f"0000,{number:04x}"]
            if isinstance(value, str):
                assert shown.split(" ")[0] == value
            elif number in (Field.MESSAGE_ID, Field.RESPONDED_TO, Field.REMAINING, Field.FAILED, Field.ACTION_TYPE):
                assert shown == str(value)
        assert not has_data or elements["0010,0010"].strip() == "Name^Of"
    assert count == (1 if kind == Kind.C_CANCEL else 8)


def test_what_a_server_and_its_peer_say(tmp_path: Path) -> None:
    """A whole association, as it went over the wire."""
    face = Face(request=asking())
    parts = [
        commands.encode({Field.COMMAND: 0x30, Field.MESSAGE_ID: 1, Field.DATA_SET_TYPE: 0x0101,
                         Field.AFFECTED_SOP_CLASS: VERIFICATION}),
        commands.encode({Field.COMMAND: 0x1234, Field.MESSAGE_ID: 2, Field.DATA_SET_TYPE: 0x0101}),
        commands.encode({Field.COMMAND: 0x30, Field.DATA_SET_TYPE: 0x0101}),
    ]  # fmt: skip
    frames = [face.answer, *(face.send(data_pdu(pdv(1, 3, part))) for part in parts), face.send(encode_pdu(Release()))]
    for fields in dissected(tmp_path, *frames):
        assert is_faultless(fields)
    rejected = Face(request=asking(application_context="1.2"))
    aborted = Face(request=asking())
    for frame in (rejected.answer, aborted.send(b"\4\0\0\0\0\0")):
        (fields,) = dissected(tmp_path, frame)
        assert is_faultless(fields)


def test_the_dissector_would_complain(tmp_path: Path) -> None:
    """What is damaged is no longer faultless, so that the tests above say something."""
    data = bytearray(asking())
    data[74 + 2 : 74 + 4] = b"\xff\xff"
    (fields,) = dissected(tmp_path, bytes(data))
    assert not is_faultless(fields)

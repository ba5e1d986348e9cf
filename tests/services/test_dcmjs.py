"""DIMSE-N with dcmjs-dimse, in both roles. It is found by Node.js: NODE_PATH, or a node_modules above this folder."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dicomcore import catalogue, net, services
from dicomcore.services.ups import PULL, PUSH
from tests.net.test_server import QUICK
from tests.services.test_procedure_step import STEP, done, step

NODE = shutil.which("node")


def has_dcmjs() -> bool:
    if NODE is None:
        return False
    found = subprocess.run([NODE, "-e", "require('dcmjs-dimse')"], capture_output=True, timeout=60, check=False)
    return found.returncode == 0


pytestmark = pytest.mark.skipif(not has_dcmjs(), reason="dcmjs-dimse is not installed (npm, NODE_PATH)")

USER = """
const dimse = require('dcmjs-dimse');
const { Client, Dataset, log } = dimse;
const { NCreateRequest, NSetRequest, NGetRequest, NActionRequest, NDeleteRequest } = dimse.requests;
const { NEventReportResponse } = dimse.responses;
dimse.log.level = 'error';
const [port, wanted] = JSON.parse(process.argv[1]);
const client = new Client(), answers = [];
for (const [kind, args, values] of wanted) {
  const request = new (eval(kind))(...args);
  if (values) request.setDataset(new Dataset(values));
  request.on('response', (response) => {
    const ds = response.getDataset();
    answers.push([response.getStatus(), response.getErrorComment() || '', ds ? ds.getElements() : null]);
  });
  client.addRequest(request);
}
client.on('nEventReportRequest', (request, callback) => {
  answers.push(['event', request.getEventTypeId(), request.getDataset().getElements()]);
  callback(NEventReportResponse.fromRequest(request));
});
client.on('networkError', (error) => { console.error(error); process.exit(1); });
client.on('closed', () => { console.log(JSON.stringify(answers)); process.exit(0); });
client.send('127.0.0.1', port, 'THEM', 'NODE', { associationLingerTimeout: 1500 });
"""

PROVIDER = """
const dimse = require('dcmjs-dimse');
const { Dataset, Server, Scp } = dimse;
const { NCreateResponse, NSetResponse, NGetResponse, NActionResponse, CEchoResponse } = dimse.responses;
const { PresentationContextResult, TransferSyntax, Status } = dimse.constants;
dimse.log.level = 'error';
const kept = {};
class Ours extends Scp {
  associationRequested(association) {
    this.association = association;
    for (const { id } of association.getPresentationContexts()) {
      const context = association.getPresentationContext(id);
      const syntax = context.getTransferSyntaxUids()[0];
      context.setResult(PresentationContextResult.Accept, syntax);
    }
    this.sendAssociationAccept();
  }
  nCreateRequest(request, callback) {
    kept[request.getAffectedSopInstanceUid()] = request.getDataset().getElements();
    const response = NCreateResponse.fromRequest(request);
    response.setStatus(Status.Success);
    callback(response);
  }
  nSetRequest(request, callback) {
    Object.assign(kept[request.getRequestedSopInstanceUid()], request.getDataset().getElements());
    const response = NSetResponse.fromRequest(request);
    response.setStatus(Status.Success);
    callback(response);
  }
  nGetRequest(request, callback) {
    const response = NGetResponse.fromRequest(request);
    response.setDataset(new Dataset(kept[request.getRequestedSopInstanceUid()]));
    response.setStatus(Status.Success);
    callback(response);
  }
  nActionRequest(request, callback) {
    const response = NActionResponse.fromRequest(request);
    response.setStatus(0xc301);
    callback(response);
  }
  associationReleaseRequested() { this.sendAssociationReleaseResponse(); }
}
const server = new Server(Ours);
server.listen(Number(process.argv[1]));
console.log('listening');
"""


@pytest.fixture
def node(tmp_path: Path) -> Iterator[net.Server]:
    server = net.Server(ae="NODE", timeouts=QUICK)
    with catalogue.open(tmp_path / "store") as store, services.Ledger() as ledger:
        services.add_all(server, store, ledger, {})
        with server:
            yield server


def asked(server: net.Server, wanted: list[Any]) -> list[Any]:
    assert NODE is not None
    told = json.dumps([server.port, wanted])
    ran = subprocess.run([NODE, "-e", USER, told], capture_output=True, text=True, timeout=60, check=False)
    assert ran.returncode == 0, ran.stderr
    answers: list[Any] = json.loads(ran.stdout.splitlines()[-1])
    return answers


def test_a_workitem(node: net.Server) -> None:
    item = {
        "ProcedureStepState": "SCHEDULED", "ScheduledProcedureStepPriority": "HIGH", "ProcedureStepLabel": "Read",
        "ScheduledProcedureStepStartDateTime": "20250101120000", "InputReadinessState": "READY", "PatientID": "7",
    }  # fmt: skip
    claim = {"ProcedureStepState": "IN PROGRESS", "TransactionUID": "1.2.9"}
    answers = asked(node, [
        ["NCreateRequest", [PUSH, "1.2.3"], item],
        ["NCreateRequest", [PUSH, "1.2.3"], item],
        ["NActionRequest", [PUSH, "1.2.3", 1, PULL], claim],
        ["NActionRequest", [PUSH, "1.2.3", 1, PULL], claim],
        ["NSetRequest", [PUSH, "1.2.3", PULL], {"WorklistLabel": "B"}],
        ["NSetRequest", [PUSH, "1.2.3", PULL], {"WorklistLabel": "B", "TransactionUID": "1.2.9"}],
        ["NGetRequest", [PUSH, "1.2.3", ["PatientID", "WorklistLabel"], PULL], None],
    ])  # fmt: skip
    assert [answer[0] for answer in answers] == [0, 0x0111, 0, 0xC302, 0xC301, 0, 0]
    assert (answers[-1][2]["PatientID"], answers[-1][2]["WorklistLabel"]) == ("7", "B")


def test_a_performed_step(node: net.Server) -> None:
    def plain(ds: Any) -> Any:
        return {
            element.keyword: [plain(item) for item in element.value] if element.VR == "SQ" else str(element.value)
            for element in ds
        }

    answers = asked(node, [
        ["NCreateRequest", [STEP, "1.2.3"], plain(step())],
        ["NSetRequest", [STEP, "1.2.3"], plain(done())],
        ["NSetRequest", [STEP, "1.2.3"], plain(done())],
    ])  # fmt: skip
    assert [answer[:2] for answer in answers] == [
        [0, ""], [0, ""], [0x0110, "Performed Procedure Step Object may no longer be updated"],
    ]  # fmt: skip


def test_a_commitment_over_the_same_association(node: net.Server) -> None:
    push, instance = "1.2.840.10008.1.20.1", "1.2.840.10008.1.20.1.1"
    refers = {"ReferencedSOPClassUID": "1.2.840.10008.5.1.4.1.1.2", "ReferencedSOPInstanceUID": "1.2.3"}
    values = {"TransactionUID": "1.2.9", "ReferencedSOPSequence": [refers]}
    answers = asked(node, [["NActionRequest", [push, instance, 1], values]])
    assert answers[0][0] == 0
    assert answers[1][:2] == ["event", 2]
    told = answers[1][2]
    assert told["TransactionUID"] == "1.2.9"
    failed = told["FailedSOPSequence"]
    assert (failed[0] if isinstance(failed, list) else failed)["FailureReason"] == 0x0112


def test_their_manager(free_port: int) -> None:
    assert NODE is not None
    there = subprocess.Popen([NODE, "-e", PROVIDER, str(free_port)], stdout=subprocess.PIPE, text=True)
    try:
        assert there.stdout is not None
        assert there.stdout.readline() == "listening\n"
        with net.associate(f"THEM@127.0.0.1:{free_port}", contexts=[STEP, PUSH], timeouts=QUICK) as association:
            assert association.n_create(STEP, step(), instance="1.2.3").status == 0
            assert association.n_set(STEP, "1.2.3", done()).status == 0
            found = association.n_get(STEP, "1.2.3").dataset
            assert found is not None
            assert (found.PerformedProcedureStepStatus, str(found.PatientName)) == ("COMPLETED", "DOE^JANE")
            assert association.n_action(PUSH, "1.2.3", 1, step()).status == 0xC301
    finally:
        there.kill()
        there.communicate()

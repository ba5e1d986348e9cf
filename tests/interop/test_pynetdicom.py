"""pynetdicom on converted data sets: stored, found and fetched over a loopback association."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pydicom
import pytest
from pydicom._uid_dict import UID_dictionary

import dicomcore as dc
from tests.support.corpus import real

_pydicoms_own = dict(UID_dictionary)
pytest.importorskip("pynetdicom", reason="pynetdicom is not installed: its side of the bridge is not tested")
# pynetdicom adds newer UIDs to pydicom's dictionary, which other tests of this process compare with ours.
UID_dictionary.clear()
UID_dictionary.update(_pydicoms_own)

from pynetdicom import AE, build_role, evt  # noqa: E402
from pynetdicom.sop_class import (  # type: ignore[attr-defined]  # noqa: E402
    PatientRootQueryRetrieveInformationModelFind as FIND,
)
from pynetdicom.sop_class import PatientRootQueryRetrieveInformationModelGet as GET  # noqa: E402

pytestmark = pytest.mark.thread_unsafe(reason="opens sockets and starts threads")

STORED = (
    "CT_small.dcm",
    "MR_small_RLE.dcm",
    "JPEG2000.dcm",
    "SC_rgb_jpeg_dcmtk.dcm",
    "rtplan.dcm",
    "MR_small_bigendian.dcm",
)
PENDING, SUCCESS = 0xFF00, 0x0000


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@contextmanager
def associated(handlers: list[Any], *contexts: tuple[str, str], **more: Any) -> Iterator[Any]:
    """An association with a server that has these handlers, for (SOP class, transfer syntax) of each context."""
    server, client = AE(), AE()
    for ae in (server, client):
        ae.acse_timeout = ae.dimse_timeout = ae.network_timeout = 20
    for sop_class, syntax in contexts:
        server.add_supported_context(sop_class, syntax, scu_role=True, scp_role=True)
        client.add_requested_context(sop_class, syntax)
    listening = server.start_server(("127.0.0.1", 0), block=False, evt_handlers=handlers)
    try:
        association = client.associate("127.0.0.1", listening.socket.getsockname()[1], **more)
        assert association.is_established
        try:
            yield association
        finally:
            association.release()
    finally:
        listening.shutdown()


def context_of(data_set: Any) -> tuple[str, str]:
    return data_set.SOPClassUID, data_set.file_meta.TransferSyntaxUID


@pytest.mark.parametrize("name", STORED)
def test_store(name: str):
    ours, received = dc.dcmread(real(name)), []

    def store(event: Any) -> int:
        theirs = event.dataset
        theirs.file_meta = event.file_meta
        received.append(dc.from_pydicom(theirs))
        return SUCCESS

    sent = ours.to_pydicom()
    with associated([(evt.EVT_C_STORE, store)], context_of(sent)) as association:
        assert association.send_c_store(sent).Status == SUCCESS
    assert received == [ours]
    assert received[0].file_meta.TransferSyntaxUID == ours.file_meta.TransferSyntaxUID
    if "PixelData" in ours:
        assert np.array_equal(received[0].pixel_array, ours.pixel_array)
        assert received[0]["PixelData"].raw == ours["PixelData"].raw


def queried() -> dc.Dataset:
    query = dc.Dataset()
    query.SpecificCharacterSet = "ISO_IR 192"
    query.QueryRetrieveLevel = "PATIENT"
    query.PatientName, query.PatientID, query.PatientBirthDate = "Mü*", "", ""
    return query


def answer() -> dc.Dataset:
    found = queried()
    found.PatientName, found.PatientID, found.PatientBirthDate = "Müller^Jörg=山田", "1", "19700102"
    item = dc.Dataset()
    item.PatientID = "ä"
    found.OtherPatientIDsSequence = [item]
    return found


def test_find():
    """The query and the answers are converted at both ends."""
    asked = []

    def find(event: Any) -> Iterator[tuple[int, Any]]:
        asked.append(dc.from_pydicom(event.identifier))
        yield PENDING, answer().to_pydicom()

    with associated([(evt.EVT_C_FIND, find)], (FIND, dc.uids.ExplicitVRLittleEndian)) as association:
        answers = [(status.Status, found) for status, found in association.send_c_find(queried().to_pydicom(), FIND)]
    assert [status for status, _ in answers] == [PENDING, SUCCESS]
    assert asked == [queried()]
    assert dc.from_pydicom(answers[0][1]) == answer()


def test_get():
    ours, received = dc.dcmread(real("MR_small_RLE.dcm")), []

    def get(event: Any) -> Iterator[Any]:
        yield 1
        yield PENDING, ours.to_pydicom()

    def store(event: Any) -> int:
        theirs = event.dataset
        theirs.file_meta = event.file_meta
        received.append(dc.from_pydicom(theirs))
        return SUCCESS

    image = context_of(ours)
    role = build_role(ours.SOPClassUID, scp_role=True)
    more = {"ext_neg": [role], "evt_handlers": [(evt.EVT_C_STORE, store)]}
    with associated([(evt.EVT_C_GET, get)], (GET, dc.uids.ExplicitVRLittleEndian), image, **more) as association:
        statuses = [status.Status for status, _ in association.send_c_get(queried().to_pydicom(), GET)]
    assert statuses[-1] == SUCCESS
    assert received == [ours]
    assert np.array_equal(received[0].pixel_array, pydicom.dcmread(real("MR_small_RLE.dcm")).pixel_array)


def test_a_data_set_that_was_not_converted_is_refused():
    ours = dc.dcmread(real("CT_small.dcm"))
    with associated([], context_of(ours)) as association, pytest.raises((TypeError, ValueError, AttributeError)):
        association.send_c_store(ours)

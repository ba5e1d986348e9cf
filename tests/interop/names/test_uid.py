"""pydicom.uid under install(), against pydicom itself."""

from __future__ import annotations

import pytest

from tests.interop.names.both import Both

SETUP = """
import copy, pickle
import pydicom.uid
from pydicom.uid import *
from pydicom import config
def private(uid, *encoding):
    uid = UID(uid)
    uid.set_private_encoding(*encoding)
    return uid
def facts(uid):
    names = "is_transfer_syntax is_implicit_VR is_little_endian is_deflated is_encapsulated is_compressed"
    return [getattr(uid, name) for name in names.split()]
"""
SAME = {
    "in all protocols of pickle": '[pickle.loads(pickle.dumps(UID("1.2.3"), protocol)) for protocol in range(6)]',
    "properties": 'UID("1.2.840.10008.1.2.1").name, UID("1.2.840.10008.1.2.2").is_retired, UID("1.2.3").keyword,'
    ' UID("1.2.3").name, UID("1.2.3").is_private, UID("1.2.3").is_valid, CTImageStorage.type, CTImageStorage.keyword',
    "encodings": '[facts(uid) for uid in AllTransferSyntaxes if not uid.endswith(".4.205")]',
    "no transfer syntax": 'UID("1.2.3").is_implicit_VR',
    "not a UID": 'UID("abc"), UID("1.02.3").is_valid',
    "not a UID in mode RAISE": 'UID("abc", config.RAISE)',
    "not text": "UID(3)",
    "lists of transfer syntaxes": "[AllTransferSyntaxes, JPEGTransferSyntaxes, JPEGLSTransferSyntaxes,"
    " PrivateTransferSyntaxes,"
    " JPEG2000TransferSyntaxes, MPEGTransferSyntaxes, RLETransferSyntaxes, UncompressedTransferSyntaxes]",
    "constants": "PYDICOM_ROOT_UID, RE_VALID_UID.pattern, RE_VALID_UID_PREFIX.pattern",
    "names from import *": "ExplicitVRLittleEndian, MRImageStorage, RLELossless,"
    " pydicom.uid.SecondaryCaptureImageStorage",
    "a name that is none": "pydicom.uid.NoSuchStorage",
    "entries": 'UID_dictionary["1.2.840.10008.1.2"], UID_dictionary["1.2.840.10008.1.2.2"]',
    "generate_uid": 'generate_uid(entropy_srcs=["a"]), generate_uid("1.2.3.", ["a"]), generate_uid(None)[:5]',
    "generate_uid of a wrong prefix": 'generate_uid("1..2")',
    "a private transfer syntax": 'facts(private("1.2.3.4", False, True)), facts(private("1.2.3.4", True, False))',
    "a private transfer syntax again": 'facts(UID(private("1.2.3.4", False, True))),'
    ' facts(copy.deepcopy(private("1.2.3", True, True))), facts(pickle.loads(pickle.dumps(private("1.2.3",'
    " True, True))))",
    "register_transfer_syntax": 'register_transfer_syntax("1.2.3.5", True, False), PrivateTransferSyntaxes,'
    " facts(PrivateTransferSyntaxes[0]), PrivateTransferSyntaxes.clear()",
    "register_transfer_syntax without an encoding": 'register_transfer_syntax("1.2.3.6")',
}
BOTH = Both(SETUP, SAME)


@pytest.mark.parametrize("name", SAME)
def test_as_in_pydicom(name):
    BOTH.check(name)

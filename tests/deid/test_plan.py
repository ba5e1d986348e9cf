"""Plans and keys: what is refused before the first file, and what they tell of themselves."""

from __future__ import annotations

import hmac
import os
import pickle
import stat
from pathlib import Path
from typing import Any

import pytest

import dicomcore as dc
from dicomcore import deid
from tests.deid.objects import file_of, text

SECRET = bytes(range(32))
KEY = deid.Key(SECRET)
REFUSED: dict[str, tuple[dict[str, Any], type[Exception], str]] = {
    "no key": ({}, ValueError, "need a key"),
    "no key for dates": (
        {"options": ["retain_uids", "retain_longitudinal_modified_dates"]}, ValueError, "need a key",
    ),
    "no key for an override": ({"options": ["retain_uids"], "overrides": {"StudyID": "P"}}, ValueError, "need a key"),
    "no key for a dummy UID": (
        {"options": ["retain_uids"], "overrides": {"SeriesInstanceUID": "D"}}, ValueError, "need a key",
    ),
    "path as key": ({"key": "key.toml"}, TypeError, "not str"),
    "unknown option": ({"options": ["retain_all"], "key": KEY}, ValueError, "'retain_all' is no option"),
    "one name": ({"options": "retain_uids", "key": KEY}, ValueError, "a list of names"),
    "two ways of dates": (
        {"options": ["retain_longitudinal_full_dates", "retain_longitudinal_modified_dates"], "key": KEY},
        ValueError, "exclude each other",
    ),
    "unknown action": ({"overrides": {"StudyID": "Q"}, "key": KEY}, ValueError, "'Q'"),
    "unknown attribute": ({"overrides": {"StudyIdentifier": "X"}, "key": KEY}, ValueError, "'StudyIdentifier'"),
    "unknown way": ({"unknown": "drop", "key": KEY}, ValueError, "'drop'"),
    "pseudonym of another character set": ({"pseudonyms": {"1": "Müller"}, "key": KEY}, ValueError, "ASCII"),
    "two pseudonyms": ({"pseudonyms": {"1": "A\\B"}, "key": KEY}, ValueError, "backslash"),
    "window upside down": ({"window": (0, -1), "key": KEY}, ValueError, "lower to a higher"),
}  # fmt: skip


@pytest.mark.parametrize(("given", "error", "message"), REFUSED.values(), ids=REFUSED)
def test_refused(given: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        deid.Plan(**given)


def test_twelve_options() -> None:
    assert len(deid.OPTIONS) == 12
    assert deid.Plan(set(deid.OPTIONS) - {"retain_longitudinal_full_dates"}, KEY)


def test_plan_tells_no_secret() -> None:
    plan = deid.Plan(key=KEY, pseudonyms={"PATIENT-1": "A"})
    told = f"{plan!r} {plan.summary} {KEY!r}"
    assert "PATIENT" not in told
    assert not any(part in told for part in (SECRET.hex(), str(SECRET), "AAECAw"))
    with pytest.raises(AttributeError):
        plan.key = None  # type: ignore[misc]


def test_plan_is_a_value() -> None:
    plan = deid.Plan(["retain_uids"], KEY, {"StudyID": "D"}, allow=["PatientSex", (0x0019, "ACME", 0x01)])
    again = pickle.loads(pickle.dumps(plan))
    assert again == plan
    assert hash(again) == hash(plan)
    assert deid.Plan(["retain_uids"], KEY) != plan
    assert again.summary == plan.summary


def test_key_file(tmp_path: Path) -> None:
    path = tmp_path / "key.toml"
    key = deid.Key.generate()
    key.save(path)
    assert deid.Key.load(path) == key != KEY
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600 or os.name != "posix"
    with pytest.raises(FileExistsError):
        key.save(path)
    for content in ("", "[key]\n", '[key]\nversion = 1\nsecret = "AAA="\n', "secret", "\0"):
        other = tmp_path / "other.toml"
        other.write_text(content)
        with pytest.raises(ValueError, match=r"is no key|another version"):
            deid.Key.load(other)


def test_digest_is_hmac() -> None:
    message = b"uid" + b"\0\0\0\1a" + b"\0\0\0\0" + b"\0\0\0\2bc"
    assert KEY.digest(b"uid", b"a", b"", b"bc") == hmac.digest(SECRET, message, "sha256")


def uids(plan: deid.Plan, *, study: str = "1.2.3") -> list[str]:
    ds = dc.dcmread(file_of(text(0x0020000D, "UI", study), text(0x00200052, "UI", "1.2.3.4")))
    made = deid.deidentify(ds, plan)
    return [str(made.SOPInstanceUID), str(made.StudyInstanceUID), str(made.FrameOfReferenceUID)]


def test_uids() -> None:
    plan = deid.Plan(key=KEY)
    made = uids(plan)
    assert made == uids(deid.Plan(key=KEY)) == uids(plan, study="1.2.3")
    assert made[2] == uids(plan, study="1.2.9")[2]
    assert not set(made) & set(uids(deid.Plan(key=deid.Key.generate())))
    for uid in made:
        number = int(uid.removeprefix("2.25."))
        assert number >> 76 & 15 == 8
        assert number >> 62 & 3 == 2
        assert len(uid) <= 64
    assert dc.dcmread(file_of()).SOPClassUID == deid.deidentify(dc.dcmread(file_of()), plan).SOPClassUID


def test_uids_of_each_study() -> None:
    plan = deid.Plan(key=KEY, uid_domain="study")
    assert uids(plan)[2] != uids(plan, study="1.2.9")[2]
    assert uids(plan) == uids(deid.Plan(key=KEY, uid_domain="study"))


def test_uids_that_stay() -> None:
    plan = deid.Plan(key=KEY, keep_uids=["1.2.3"])
    assert uids(plan)[1:] == ["1.2.3", "1.2.3.4"]
    assert uids(plan, study="1.2.30")[1] != "1.2.30"
    assert uids(deid.Plan(["retain_uids"])) == ["1.2.3.4.5", "1.2.3", "1.2.3.4"]


def patient(patient_id: str, plan: deid.Plan, issuer: str = "") -> dc.Dataset:
    elements = [text(0x00100020, "LO", patient_id), text(0x00100010, "PN", "DOE^JANE")]
    return deid.deidentify(dc.dcmread(file_of(*elements, text(0x00100021, "LO", issuer))), plan)


def test_pseudonyms() -> None:
    plan = deid.Plan(key=KEY, pseudonyms={"P7": "STUDY-007"})
    one, same, other = patient("P1", plan), patient("P1 ", plan), patient("P2", plan)
    assert one.PatientID == same.PatientID == str(one.PatientName) != other.PatientID
    assert len(one.PatientID) == 16
    assert patient("P1", plan, "HOSPITAL").PatientID == one.PatientID
    apart = deid.Plan(key=KEY, issuers=True)
    assert patient("P1", apart, "HOSPITAL").PatientID != patient("P1", apart).PatientID == one.PatientID
    assert patient("P7", plan).PatientID == "STUDY-007"


def test_overrides() -> None:
    plan = deid.Plan(
        key=KEY,
        overrides={
            "StudyID": "P", "AccessionNumber": "K", "Modality": "X", 0x00081030: lambda value: value.upper(),
            "SeriesDescription": lambda value: None,
        },
    )  # fmt: skip
    elements = [
        text(0x00100020, "LO", "P1"), text(0x00200010, "SH", "S1"), text(0x00080050, "SH", "A1"),
        text(0x00080060, "CS", "CT"), text(0x00081030, "LO", "head"), text(0x0008103E, "LO", "axial"),
    ]  # fmt: skip
    made = deid.deidentify(dc.dcmread(file_of(*elements)), plan)
    assert made.StudyID == made.PatientID
    assert made.AccessionNumber == "A1"
    assert made.StudyDescription == "HEAD"
    assert "Modality" not in made
    assert "SeriesDescription" not in made


def test_unknown_attributes() -> None:
    elements = [text(0x00080060, "CS", "CT"), text(0x0014401A, "LO", "probe"), text(0x00180010, "LO", "x")]
    plan = deid.Plan(key=KEY, unknown="remove")
    made = deid.deidentify(dc.dcmread(file_of(*elements)), plan)
    assert made.Modality == "CT"
    assert 0x0014401A not in made
    assert 0x0014401A in deid.deidentify(dc.dcmread(file_of(*elements)), deid.Plan(key=KEY))
    allowed = deid.Plan(key=KEY, unknown="remove", allow=[0x0014401A])
    assert made != deid.deidentify(dc.dcmread(file_of(*elements)), allowed)
    with pytest.raises(deid.DeidError, match="not known"):
        deid.deidentify(dc.dcmread(file_of(sop_class="1.2.3")), plan)


def test_marks() -> None:
    options = ["retain_longitudinal_modified_dates", "clean_descriptors", "clean_pixel_data"]
    made = deid.deidentify(dc.dcmread(file_of()), deid.Plan(options, KEY))
    assert made.PatientIdentityRemoved == "YES"
    assert made.LongitudinalTemporalInformationModified == "MODIFIED"
    codes = [item.CodeValue for item in made.DeidentificationMethodCodeSequence]
    assert codes == ["113100", "113105", "113107"]  # no pixel data was cleaned
    assert "BurnedInAnnotation" not in made


def test_data_set_in_memory() -> None:
    ds = dc.Dataset()
    ds.PatientID = "P1"
    ds.StudyDescription = "of Jane Doe"
    ds.Rows = 3
    made = deid.deidentify(ds, deid.Plan(key=KEY))
    assert made.Rows == 3
    assert "StudyDescription" not in made
    assert ds.PatientID == "P1"

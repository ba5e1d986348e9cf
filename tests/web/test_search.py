"""Searches: keys by keyword and tag, pages, what is included, and what is wrong with a query."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from dicomcore import Dataset, dcmread, new_uid
from dicomcore.web.rows import attribute_json
from tests.catalogue.test_zones import STUDIES, made_files
from tests.web.calling import FILES, Caller, calling, place_of

CT = dcmread(FILES["CT_small.dcm"])
STUDY, SERIES = f"/studies/{CT.StudyInstanceUID}", f"/studies/{CT.StudyInstanceUID}/series/{CT.SeriesInstanceUID}"


def uids(answer: Any, tag: str = "00080018") -> set[str]:
    assert answer.status_code in (200, 204), answer.text
    return {row[tag]["Value"][0] for row in answer.json()} if answer.status_code == 200 else set()


FOUND = {  # name: (path, whether the CT is found)
    "all studies": ("/studies", True),
    "by keyword": (f"/studies?PatientID={quote(CT.PatientID)}", True),
    "by tag": (f"/studies?00100020={quote(CT.PatientID)}", True),
    "by tag in lower case": (f"/studies?0020000d={CT.StudyInstanceUID}", True),
    "by a list of UIDs": (f"/studies?StudyInstanceUID=1.2,{CT.StudyInstanceUID}", True),
    "by a wildcard": (f"/studies?PatientName={CT.PatientName.family_name[:3]}*", True),
    "by a range": (f"/studies?StudyDate={CT.StudyDate}-", True),
    "by another range": (f"/studies?StudyDate=-{int(CT.StudyDate) - 1}", False),
    "by modality": ("/studies?ModalitiesInStudy=CT", True),
    "by modality of its series": ("/studies?Modality=CT", True),
    "by another patient": ("/studies?PatientID=nobody", False),
    "fuzzy": (f"/studies?PatientName={CT.PatientName.family_name[:4].lower()}&fuzzymatching=true", True),
    "several values": ("/studies?ModalitiesInStudy=XX,CT&multiplevaluematching=true", True),
    "one of both keys": (f"/studies?PatientID={quote(CT.PatientID)}&StudyDate=19000101", False),
    "its series": (f"{STUDY}/series", True),
    "all series": ("/series?Modality=CT", True),
    "its instances": (f"{STUDY}/instances", True),
    "instances of its series": (f"{SERIES}/instances", True),
    "all instances": (f"/instances?SOPInstanceUID={CT.SOPInstanceUID}", True),
    "of another class": (f"{SERIES}/instances?SOPClassUID=1.2.3", False),
    "empty keys": ("/studies?PatientID=&AccessionNumber=", True),
    "a study that is none": ("/studies/1.2.3/series", False),
    "several modalities": ("/studies?ModalitiesInStudy=XX,CT", True),
    "several modalities with a backslash": ("/studies?ModalitiesInStudy=XX%5CCT", True),
    "other modalities": ("/studies?ModalitiesInStudy=XX%5CYY", False),
    "a keyword in lower case": ("/studies?patientname=Compressed*", True),
    "a keyword in upper case": ("/studies?PATIENTNAME=nobody", False),
    "a time": (f"/studies?StudyTime={CT.StudyTime[:4]}", True),
    "a time with colons": (f"/studies?StudyTime={CT.StudyTime[:2]}:{CT.StudyTime[2:4]}", True),
    "a date in the old form": (f"/studies?StudyDate={CT.StudyDate[:4]}.{CT.StudyDate[4:6]}.{CT.StudyDate[6:]}-", True),
    "any date": ("/studies?StudyDate=*", True),
    "several dates": (f"/studies?StudyDate=19000101%5C{CT.StudyDate}", True),
    "a caret in a name": (f"/studies?PatientName={quote(str(CT.PatientName))}", True),
    "with a cache buster": ("/studies?_=123&access_token=x", True),
}


@pytest.mark.parametrize(("path", "found"), FOUND.values(), ids=FOUND)
def test_what_is_found(caller: Caller, path: str, found: bool) -> None:
    assert (str(CT.StudyInstanceUID) in uids(caller.get(path), "0020000D")) is found


@pytest.mark.parametrize("path", [
    "/studies?limit=a", "/studies?limit=-1", "/studies?offset=1.5", "/studies?NoSuchKeyword=1", "/studies?0010=1",
    "/studies?StudyDate=2004-01-19", "/studies?StudyDate=2004", "/studies?StudyDate=today", "/studies?StudyTime=7:30",
    "/studies?StudyDate=20040101-20050101-20060101", "/studies?AccessionNumber=%00", "/studies?PatientID=a%01b",
    "/studies?-0100010=1", "/studies?%200100010=1",
    "/studies?fuzzymatching=maybe", "/studies?limit=1&limit=2", "/studies?PatientID=1&PatientID=2",
    "/studies?PatientName.PatientID=1", "/studies?includefield=NoSuchThing", "/studies?PatientID=%ff",
    "/studies?SOPInstanceUID=1", "/studies?" + "&".join(f"a{n}=1" for n in range(600)),
    "/studies?" + ".".join(["RequestAttributesSequence"] * 20) + "=1",
])  # fmt: skip
def test_queries_that_are_wrong(caller: Caller, path: str) -> None:
    answer = caller.get(path)
    assert answer.status_code == 400, answer.text[:200]
    assert answer.json()["detail"]


def test_every_required_attribute_is_there(caller: Caller) -> None:
    """PS3.18 Tables 10.6.3-3 to 10.6.3-5."""
    required = {
        "/studies": "00080020 00080030 00080050 00080061 00080090 00100010 00100020 00100030 00100040 0020000D "
                    "00200010 00201206 00201208 00081190",
        f"{STUDY}/series": "00080060 0008103E 0020000E 00200011 00201209 00400244 00400245 00400275 00081190",
        f"{SERIES}/instances": "00080016 00080018 00200013 00280010 00280011 00280100 00280008 00081190",
    }  # fmt: skip
    for path, tags in required.items():
        for row in caller.get(path).json():
            assert set(tags.split()) <= set(row), path
            assert list(row) == sorted(row)
            assert all(set(value) <= {"vr", "Value"} for value in row.values())


def test_values(caller: Caller) -> None:
    (row,) = [one for one in caller.get(f"{SERIES}/instances").json()
              if one["00080018"]["Value"] == [str(CT.SOPInstanceUID)]]  # fmt: skip
    assert row["00280010"] == {"vr": "US", "Value": [CT.Rows]}
    assert row["00200013"] == {"vr": "IS", "Value": [CT.InstanceNumber]}
    assert row["00081190"]["Value"] == [f"http://node{place_of(FILES['CT_small.dcm'])}"]
    (study,) = caller.get(f"/studies?StudyInstanceUID={CT.StudyInstanceUID}").json()
    assert study["00100010"]["Value"] == [{"Alphabetic": str(CT.PatientName)}]


def test_included_attributes(caller: Caller) -> None:
    plain = caller.get(f"{SERIES}/instances").json()[0]
    assert "00080008" not in plain
    for name in ("ImageType", "00080008", "ImageType,AcquisitionDate"):
        row = caller.get(f"{SERIES}/instances?includefield={name}").json()[0]
        assert row["00080008"]["Value"] == list(CT.ImageType)
    deep = caller.get(f"{SERIES}/instances?includefield=KVP").json()[0]
    assert deep["00180060"] == {"vr": "DS", "Value": [float(CT.KVP)]}
    everything = caller.get(f"{SERIES}/instances?includefield=all").json()[0]
    assert len(everything) > len(plain)


def test_keys_that_are_not_kept_are_said(caller: Caller) -> None:
    answer = caller.get("/studies?KVP=120")
    assert answer.status_code == 200
    assert "KVP" in answer.headers["warning"]


def test_pages(tmp_path: Path) -> None:
    with calling(tmp_path) as (caller, _):
        made = []
        for number in range(7):
            ds = dcmread(FILES["CT_small.dcm"])
            ds.SOPInstanceUID = new_uid()
            ds.InstanceNumber = number
            made.append(ds.to_bytes())
        assert caller.store(made).status_code == 200
        whole = [row["00080018"]["Value"][0] for row in caller.get("/instances").json()]
        paged = []
        for offset in range(0, 9, 2):
            answer = caller.get(f"/instances?limit=2&offset={offset}")
            remaining = max(7 - offset - 2, 0)
            if remaining:
                assert f"There are {remaining} additional results" in answer.headers["warning"]
                assert answer.headers["x-total-count"] == "7"
            else:
                assert "warning" not in answer.headers
            paged += [row["00080018"]["Value"][0] for row in answer.json()] if answer.status_code == 200 else []
        assert paged == whole
        assert len(set(whole)) == 7
        assert caller.get("/instances?limit=0").status_code == 204


def test_xml(caller: Caller) -> None:
    answer = caller.get("/studies", 'multipart/related; type="application/dicom+xml"')
    assert answer.headers["content-type"].startswith('multipart/related; type="application/dicom+xml"')
    assert answer.text.count("<NativeDicomModel") == len(caller.get("/studies").json())
    assert caller.get("/studies", "image/png").status_code == 406


JSON_OF = {
    "empty": ("PatientID", "", '{"vr":"LO"}'),
    "numbers": ("ImageOrientationPatient", "1\\0.5\\x", '{"vr":"DS","Value":[1.0,0.5,"x"]}'),
    "no number": ("InstanceNumber", "one", '{"vr":"IS","Value":["one"]}'),
    "not finite": ("PatientSize", "inf", '{"vr":"DS","Value":["inf"]}'),
    "a name in two scripts": ("PatientName", "A^B=山",
                              '{"vr":"PN","Value":[{"Alphabetic":"A^B","Ideographic":"山"}]}'),
    "a missing value": ("ImageType", "A\\\\B", '{"vr":"CS","Value":["A",null,"B"]}'),
    "quotes and markup": ("PatientID", '"</script>', '{"vr":"LO","Value":["\\"</script>"]}'),
    "items": ("RequestAttributesSequence", [{"ScheduledProcedureStepID": "1"}],
              '{"vr":"SQ","Value":[{"00400009":{"vr":"SH","Value":["1"]}}]}'),
}  # fmt: skip


@pytest.mark.parametrize(("keyword", "value", "text"), JSON_OF.values(), ids=JSON_OF)
def test_rows_as_json(keyword: str, value: Any, text: str) -> None:
    assert attribute_json(keyword, value).partition(":")[2] == text


def test_an_answer_without_a_body_has_no_length(caller: Caller) -> None:
    answer = caller.get("/studies?PatientID=nobody")
    assert answer.status_code == 204
    assert "content-length" not in answer.headers


@pytest.mark.parametrize("sign", ["%2B", "+"], ids=["escaped", "not escaped"])
def test_dates_and_times_are_of_the_time_zone_that_is_asked_for(tmp_path: Path, sign: str) -> None:
    """PS3.18 8.3.4.1.1; a client that does not escape its plus sign sends a blank."""
    with calling(tmp_path / "store") as (caller, store):
        store.add_all(made_files(tmp_path))
        found = caller.get(f"/studies?StudyDate=20240106&StudyTime=1330&TimezoneOffsetFromUTC={sign}0900")
        assert "warning" not in found.headers
        assert {one["0020000D"]["Value"][0] for one in found.json()} == {"1.1", "1.2"}
        for one in found.json():
            assert [one[tag]["Value"][0] for tag in ("00080020", "00080030", "00080201")] == [
                "20240106", "133000", "+0900",
            ]  # fmt: skip
        series = caller.get(f"/series?StudyDate=20240106&StudyTime=1330&00080201={sign}0900&includefield=SeriesTime")
        assert [one["00080031"]["Value"] for one in series.json()] == [["133000"], ["133000"]]
        page = caller.get(f"/studies?StudyDate=20240106&TimezoneOffsetFromUTC={sign}0900&limit=3")
        assert page.headers["x-total-count"] == "4"
        refused = caller.get("/studies?TimezoneOffsetFromUTC=Europe/Berlin")
        assert refused.status_code == 400


def test_an_answer_says_the_time_zone_that_is_known(tmp_path: Path) -> None:
    """PS3.18 Table 10.6.3-3: present if it is known."""
    with calling(tmp_path / "store") as (caller, store):
        store.add_all(made_files(tmp_path))
        for path in ("/studies", "/series", "/instances"):
            said = {one["0020000D"]["Value"][0]: one.get("00080201") for one in caller.get(path).json()}
            assert said == {
                uid: {"vr": "SH", "Value": [zone]} if zone else None for uid, (zone, _, _) in STUDIES.items()
            }


def test_an_answer_has_the_items_that_match(tmp_path: Path) -> None:
    """PS3.4 C.2.2.2.6, as C-FIND does; the items are whole (PS3.18 Table 10.6.3-4)."""
    ds = dcmread(FILES["CT_small.dcm"])
    ds.RequestAttributesSequence = []
    for number in ("1", "2"):
        item = Dataset()
        item.RequestedProcedureID, item.ScheduledProcedureStepID = f"R{number}", f"S{number}"
        ds.RequestAttributesSequence.append(item)
    ds.save_as(tmp_path / "one.dcm")
    steps = {"R1": "S1", "R2": "S2"}
    with calling(tmp_path / "store") as (caller, store):
        store.add(tmp_path / "one.dcm").result()
        for wanted, shown in (("R2", ["R2"]), ("R*", ["R1", "R2"]), ("", ["R1", "R2"])):
            (row,) = caller.get(f"/series?RequestAttributesSequence.RequestedProcedureID={wanted}").json()
            assert [(one["00401001"]["Value"][0], one["00400009"]["Value"][0]) for one in row["00400275"]["Value"]] == [
                (one, steps[one]) for one in shown
            ]
        assert caller.get("/series?RequestAttributesSequence.RequestedProcedureID=R3").status_code == 204


def test_private_attributes(tmp_path: Path) -> None:
    """PS3.18 8.3.4.1: a tag with the creator of its block, whatever block the file has."""
    ds = dcmread(FILES["MR_small.dcm"])
    ds.StudyInstanceUID, ds.SeriesInstanceUID, ds.SOPInstanceUID = new_uid(), new_uid(), new_uid()
    ds.add_new(0x00190011, "LO", "SIEMENS MR HEADER")
    ds.add_new(0x0019110C, "IS", "1000")  # B_value
    ds.add_new(0x00230010, "LO", "ACME")
    ds.add_new(0x00231002, "LO", "x")
    ds.save_as(tmp_path / "one.dcm")
    with calling(tmp_path / "store") as (caller, store):
        store.add(tmp_path / "one.dcm").result()
        answer = caller.get("/instances?00190010=SIEMENS%20MR%20HEADER&includefield=0019100C")
        (found,) = answer.json()
        assert found["00190010"] == {"vr": "LO", "Value": ["SIEMENS MR HEADER"]}
        assert found["0019100C"] == {"vr": "IS", "Value": [1000]}
        assert list(found) == sorted(found)
        assert "warning" not in answer.headers
        answer = caller.get("/studies?00230010=ACME&00231002=y&includefield=00231003")
        (found,) = answer.json()
        assert found["00231002"] == {"vr": "UN"}, "a VR that nobody knows"
        assert "00231002" in answer.headers["warning"]
        for query in ("00231002=y", "includefield=00231002", "00190010=&0019100C=1"):
            refused = caller.get(f"/studies?{query}")
            assert refused.status_code == 400
            assert "creator" in refused.json()["detail"]

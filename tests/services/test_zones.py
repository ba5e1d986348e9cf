"""The time zone of queries over associations and the web: negotiated, not negotiated, and what answers say of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dicomcore import Dataset, catalogue, net, services
from dicomcore.errors import NetworkError
from dicomcore.net.models import MODELS
from tests.catalogue.test_zones import STUDIES, made_files
from tests.net.test_server import QUICK
from tests.services.test_ups import step
from tests.web.calling import calling

ADJUSTED = b"\1\1\0\1"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[net.Server]:
    with catalogue.open(tmp_path_factory.mktemp("store")) as store:
        store.add_all(made_files(tmp_path_factory.mktemp("files")))
        made = net.Server("NODE", timeouts=QUICK)
        made.add(services.Query(store))
        with made:
            yield made


def asked(zone: str | None = None, **keys: Any) -> Dataset:
    made = Dataset()
    for keyword, value in {"StudyInstanceUID": "", **keys}.items():
        setattr(made, keyword, value)
    if zone is not None:
        made.TimezoneOffsetFromUTC = zone
    return made


def found(
    server: net.Server, keys: Dataset, information: bytes = ADJUSTED, model: str = "study", **options: Any
) -> list[Dataset]:
    uid = MODELS[model].find
    with net.associate(server.address, contexts=[uid], timeouts=QUICK,
                       extended=(net.Extended(uid, information),) if information else ()) as association:  # fmt: skip
        return list(association.find(keys, model=model, **options))


def test_an_agreed_zone_is_that_of_keys_and_answers(server: net.Server) -> None:
    keys = asked("-0500", StudyDate="20240105", StudyTime="2300-2359")
    rows = {str(ds.StudyInstanceUID): ds for ds in found(server, keys)}
    assert set(rows) == {"1.1", "1.2"}
    for ds in rows.values():
        assert (ds.StudyDate, ds.StudyTime, ds.TimezoneOffsetFromUTC) == ("20240105", "233000", "-0500")


def test_moments_over_midnight_are_combined_in_the_zone(server: net.Server) -> None:
    keys = asked("+0000", StudyDate="20240105-20240106", StudyTime="2345-0445")
    assert {str(ds.StudyInstanceUID) for ds in found(server, keys)} == {"1.1", "1.2", "1.3"}


@pytest.mark.parametrize("information", [b"", b"\1", b"\1\1\1", b"\1\1\1\0"], ids=["nothing", "one", "three", "zero"])
def test_what_is_not_agreed_says_nothing(server: net.Server, information: bytes) -> None:
    """C.5.1.1: the adjustment is unspecified then; values are matched and answered as they stand."""
    keys = asked("-0500", StudyDate="20240105", StudyTime="233000")
    rows = {str(ds.StudyInstanceUID): ds for ds in found(server, keys, information)}
    assert set(rows) == {"1.1", "1.4"}
    assert rows["1.1"].TimezoneOffsetFromUTC == "-0500"
    assert rows["1.4"].TimezoneOffsetFromUTC == "+0000"
    assert found(server, asked("nonsense", StudyDate="20240105"), information)


def test_answers_with_times_say_their_zone(server: net.Server) -> None:
    """C.4.1.1.3.2: whether it was asked for or not, and never of zero length."""
    rows = {str(ds.StudyInstanceUID): ds for ds in found(server, asked(StudyTime=""), b"")}
    assert {uid: ds.get("TimezoneOffsetFromUTC", "") for uid, ds in rows.items()} == {
        uid: zone for uid, (zone, _, _) in STUDIES.items()
    }
    assert "TimezoneOffsetFromUTC" not in rows["1.3"]
    for keys in (asked(), asked(PatientBirthDate="", PatientID="")):
        assert all("TimezoneOffsetFromUTC" not in ds for ds in found(server, keys, b""))
    empty = {str(ds.StudyInstanceUID): ds for ds in found(server, asked("", StudyTime=""))}
    assert "TimezoneOffsetFromUTC" not in empty["1.3"]
    assert empty["1.1"].TimezoneOffsetFromUTC == "-0500"


def test_a_zone_that_is_none_is_refused(server: net.Server) -> None:
    with pytest.raises(NetworkError, match="C000"):
        found(server, asked("+2500", StudyDate="20240105"))


def test_a_worklist_in_the_zone_of_the_query() -> None:
    inner, item = Dataset(), Dataset()
    inner.ScheduledProcedureStepStartDate, inner.ScheduledProcedureStepStartTime = "20240105", "2330"
    inner.ScheduledProcedureStepID = "1"
    item.PatientName, item.TimezoneOffsetFromUTC, item.ScheduledProcedureStepSequence = "A", "-0500", [inner]
    server = net.Server("RIS", timeouts=QUICK)
    server.add(services.Worklist(lambda: [item]))

    def asked_for(date: str, time: str, zone: str) -> Dataset:
        key = Dataset()
        key.ScheduledProcedureStepStartDate, key.ScheduledProcedureStepStartTime = date, time
        return asked(zone, ScheduledProcedureStepSequence=[key])

    with server:
        assert found(server, asked_for("20240105", "2330", "+0000"), model="worklist") == []
        (there,) = found(server, asked_for("20240106", "0400-0500", "+0000"), model="worklist")
        (plain,) = found(server, asked_for("20240105", "2330", "+0000"), b"", model="worklist")
        with pytest.raises(NetworkError, match="C000"):
            found(server, asked_for("20240106", "", "-2500"), model="worklist")
    (moved,) = there.ScheduledProcedureStepSequence
    assert (moved.ScheduledProcedureStepStartDate, moved.ScheduledProcedureStepStartTime) == ("20240106", "0430")
    assert there.TimezoneOffsetFromUTC == "+0000"
    assert (plain.TimezoneOffsetFromUTC, plain.ScheduledProcedureStepSequence[0].ScheduledProcedureStepStartTime) == (
        "-0500", "2330",
    )  # fmt: skip


def test_workitems_in_the_zone_of_the_query(tmp_path: Path) -> None:
    items = services.Workitems()
    ds = step()
    ds.ScheduledProcedureStepStartDateTime, ds.TimezoneOffsetFromUTC = "20240105233000", "-0500"
    assert items.create(ds, "1.2.3").status == 0
    key = "ScheduledProcedureStepStartDateTime"
    (there,) = items.search(asked("+0100", **{key: "20240106053000"}))
    assert (there[key].value, there.TimezoneOffsetFromUTC) == ("20240106053000", "+0100")
    (plain,) = items.search(asked(**{key: "20240105233000"}))
    assert (plain[key].value, plain.TimezoneOffsetFromUTC) == ("20240105233000", "-0500")
    with pytest.raises(ValueError, match="no offset from UTC"):
        list(items.search(asked("x")))
    with calling(tmp_path, workitems=items) as (caller, _):
        (made,) = caller.get(f"/workitems?{key}=20240106053000&TimezoneOffsetFromUTC=%2B0100").json()
        assert made["00404005"]["Value"] == ["20240106053000"]
        assert made["00080201"]["Value"] == ["+0100"]
        (also,) = caller.get(f"/workitems?{key}=20240105-20240106").json()
        assert also["00404005"]["Value"] == ["20240105233000"], "a range is one over the web, too"
        assert caller.get(f"/workitems?{key}=20240107-").status_code == 204
        assert caller.get("/workitems?TimezoneOffsetFromUTC=x").status_code == 400

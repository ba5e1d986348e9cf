"""Metadata: that of the file, with the transfer syntax of its frames, kept and forgotten at the right time."""

from __future__ import annotations

from pathlib import Path

import pytest

from dicomcore import dcmread
from dicomcore.forms import to_json
from dicomcore.web import metadata
from tests.web.calling import FILES, Caller, calling, place_of


@pytest.mark.parametrize("name", FILES)
def test_the_transfer_syntax_is_in_its_place(name: str) -> None:
    ds = dcmread(FILES[name])
    syntax = str(ds.transfer_syntax)
    text = metadata._text(ds, "", syntax)
    whole = dcmread(FILES[name])
    whole.AvailableTransferSyntaxUID = syntax
    handler = metadata._handler("")
    assert text == to_json(whole, bulk_data_threshold=1024, bulk_data_element_handler=handler)


@pytest.mark.parametrize("name", FILES)
def test_attributes_are_those_of_the_file(caller: Caller, name: str) -> None:
    (model,) = caller.get(f"{place_of(FILES[name])}/metadata").json()
    own = dcmread(FILES[name])
    assert model.pop("00083002")["Value"] == [str(own.transfer_syntax)]
    assert list(model) == sorted(model)
    for tag, value in own.to_json_dict(bulk_data_threshold=1 << 30).items():
        if "InlineBinary" not in value:
            assert model[tag] == value or "BulkDataURI" in str(model[tag])


def test_what_is_kept_is_forgotten_when_something_is_added(tmp_path: Path) -> None:
    ct = FILES["CT_small.dcm"]
    other = dcmread(ct)
    other.SOPInstanceUID = "1.2.3.4.5"
    series = place_of(ct).partition("/instances")[0]
    with calling(tmp_path) as (caller, _):
        caller.store([ct])
        first = caller.get(f"{series}/metadata")
        tag = first.headers["etag"]
        assert caller.get(f"{series}/metadata", if_none_match=tag).status_code == 304
        caller.store([FILES["MR_small.dcm"]])
        assert caller.get(f"{series}/metadata", if_none_match=tag).status_code == 304, "another series"
        caller.store([other.to_bytes()])
        second = caller.get(f"{series}/metadata", if_none_match=tag)
        assert len(second.json()) == 2
        packed = caller.get(f"{series}/metadata", accept_encoding="gzip")
        plain = caller.get(f"{series}/metadata", accept_encoding="identity")
        assert packed.headers["content-encoding"] == "gzip"
        assert packed.json() == plain.json() == second.json()
        study = caller.get(series.partition("/series")[0] + "/metadata").json()
        assert len(study) == 2
        assert study[0]["7FE00010"]["BulkDataURI"].startswith("series/")

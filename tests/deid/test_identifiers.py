"""What identifies the patient, the study and the staff of a data set."""

from __future__ import annotations

import pickle
from datetime import date

import pytest

import dicomcore as dc
from dicomcore.dataset import Dataset
from dicomcore.deid.identifiers import KINDS, Identifiers, gather
from tests.support.corpus import real, small_files

WHO = Identifiers(names=["Doe^Jane"], ids=["1234", "9"], dates=[date(1970, 1, 2)], uids=["1.2.3"])


def made() -> Dataset:
    ds = Dataset()
    ds.SpecificCharacterSet = "ISO_IR 192"
    ds.SOPClassUID = "1.2.840.10008.5.1.4.1.1.2"
    ds.SOPInstanceUID = "1.2.3.4"
    ds.StudyDate = "20190304"
    ds.SeriesDate = "2019.03.05"
    ds.AcquisitionDateTime = "20190306101500.5+0100"
    ds.ContentDate = "20191399"  # no date
    ds.AccessionNumber = "A1"
    ds.InstitutionName = "Zürich"
    ds.InstitutionAddress = "12 Main Street\r\nSpringfield"
    ds.StationName = "CT01"
    ds.OperatorsName = ["Li^Wei", "Brown^Mary"]
    ds.PatientName = "Müller^Hans"
    ds.PatientID = " 4711 "
    ds.OtherPatientNames = "Anonymous"
    ds.PatientBirthDate = "19700102"
    operator = Dataset()
    operator.PersonIdentificationCodeSequence = [Dataset()]
    operator.PersonIdentificationCodeSequence[0].CodeValue = "E77"
    operator.PersonIdentificationCodeSequence[0].CodeMeaning = "Employee Doe"
    operator.InstitutionName = "Mayo"
    ds.OperatorIdentificationSequence = [operator]
    other = Dataset()
    other.PatientID = "0815"
    ds.OtherPatientIDsSequence = [other]
    ds.ProcedureCodeSequence = [Dataset()]
    ds.ProcedureCodeSequence[0].CodeMeaning = "CT of head"
    return ds


def test_gather_at_every_depth():
    found = gather(made())
    assert found.names == {"Müller^Hans"}
    assert found.staff == {"Li^Wei", "Brown^Mary", "E77", "Employee Doe"}
    assert found.ids == {"A1", "4711", "0815"}
    assert found.dates == {date(1970, 1, 2), date(2019, 3, 4), date(2019, 3, 5), date(2019, 3, 6)}
    assert found.institutions == {"Zürich", "Mayo"}
    assert found.contacts == {"12 Main Street\r\nSpringfield"}
    assert found.devices == {"CT01"}
    assert found.uids == {"1.2.3.4"}


def test_ids_that_are_names_of_protocols_identify_nobody():
    ds = Dataset()
    ds.RequestedProcedureID = "CTABD"
    ds.PerformedProcedureStepID = "PPS20774455"
    assert gather(ds).ids == {"PPS20774455"}


def test_gather_from_a_file_and_after_changes():
    ds = dc.dcmread(real("CT_small.dcm"))
    found = gather(ds)
    assert found.names == {"CompressedSamples^CT1"}
    assert {"CLUNIE1"} < found.devices
    ds.PatientName = "Doe^Jane"
    del ds.InstitutionName
    changed = gather(ds)
    assert changed.names == {"Doe^Jane"}
    assert changed.institutions == set()
    assert changed.uids == found.uids


def test_of_frames_the_first_is_looked_at():
    frames = [Dataset(), Dataset(), Dataset()]
    for number, frame in enumerate(frames):
        frame.FrameContentSequence = [Dataset()]
        frame.FrameContentSequence[0].FrameAcquisitionDateTime = f"2019030{number + 1}101500"
    ds = Dataset()
    ds.PerFrameFunctionalGroupsSequence = frames
    ds.AcquisitionContextSequence = [Dataset()]
    ds.PatientName = "Doe"
    after = Dataset()
    after.PersonName = "Roe"
    ds[0x5600, 0x0020] = dc.DataElement(0x56000020, "SQ", [after])  # behind the frames
    assert gather(ds).dates == {date(2019, 3, 1)}
    assert gather(ds).staff == {"Roe"}


@pytest.mark.parametrize("name", ["chrH31.dcm", "chrKoreanMulti.dcm", "chrX1.dcm", "chrGreek.dcm", "chrArab.dcm"])
def test_names_are_decoded(name: str) -> None:
    ds = dc.dcmread(real(name))
    assert gather(ds).names == {str(ds.PatientName)}


def test_every_real_file_has_identifiers_or_none():
    for one in small_files(200_000):
        try:
            ds = dc.dcmread(one.path)
        except ValueError:
            continue
        found = gather(ds)
        assert all(isinstance(value, (str, date)) for kind in KINDS for value in getattr(found, kind))


def test_they_join():
    other = Identifiers(names=["Roe^Jane"], ids=["9"])
    both = WHO | other
    assert both.names == {"Doe^Jane", "Roe^Jane"}
    assert both.ids == {"1234", "9"}
    assert both == other | WHO
    assert hash(both) == hash(other | WHO)
    assert len({both, other | WHO, WHO}) == 2
    assert both.only("ids") == Identifiers(ids=["9", "1234"])


def test_they_do_not_show_themselves():
    assert repr(WHO) == str(WHO) == "<Identifiers: 1 names, 2 ids, 1 dates, 1 uids>"
    assert repr(Identifiers()) == "<Identifiers: none>"
    assert not Identifiers()
    assert len(WHO) == 5


def test_they_are_frozen_and_travel():
    assert pickle.loads(pickle.dumps(WHO)) == WHO
    with pytest.raises(AttributeError, match="do not change"):
        WHO.names = frozenset()
    with pytest.raises(TypeError, match="several texts"):
        Identifiers(names="Doe^Jane")
    with pytest.raises(ValueError, match="no kind of identifiers"):
        WHO.only("colours")

"""Recipes of the fourth de-identification set: other languages, vendors' private blocks and free text of other forms.

Public reports that they follow: private data in UN and unknown creators (pydicom/deid 102, 147; fo-dicom 610), dates
and names in free text (MIDI-B), times in Siemens' private groups (mmiv-center/DICOMAnonymizer 20), references beside
the root (pydicom/deid 153), locations in the headers of compressed frames, and names as the languages inflect them.
"""

from __future__ import annotations

import io
import struct
import unicodedata
from datetime import date
from random import Random

import imagecodecs
import numpy as np
from PIL import Image, ImageDraw
from pydicom.encaps import encapsulate
from pydicom.sequence import Sequence

from benches.deid_files import Maker, code, item
from benches.deid_objects import content
from benches.deid_people import Named, Person, UidMaker, da
from benches.deid_pixels import font
from benches.deid_third import MONTHS, set_again, set_all

NAMES = (
    Named("Al-Fayyadi^Mohannad=الفياضي^مهند", ("ISO_IR 192",), ("Al-Fayyadi", "الفياضي"), ("Mohannad", "مهند")),
    Named("Rozenkrants^Yehudit=רוזנקרנץ^יהודית", ("ISO_IR 192",), ("Rozenkrants", "רוזנקרנץ"), ("Yehudit", "יהודית")),
    Named("Işıkçıoğlu^Tülin", ("ISO_IR 148",), ("Işıkçıoğlu", "Isikcioglu"), ("Tülin", "Tulin")),
    Named("Wiśniewolska^Małgorzata", ("ISO_IR 101",), ("Wiśniewolska", "Wisniewolska"), ("Małgorzata", "Malgorzata")),
    Named("Nguyễn^Thị Hồng Nhung", ("ISO_IR 192",), ("Nguyễn", "Nguyen"), ("Hồng", "Hong")),
    Named("van der Meulenkamp^Sjoerd^^^", (), ("Meulenkamp",), ("Sjoerd",)),
    Named("欧阳^静怡", ("GB18030",), ("欧阳",), ("静怡",)),
    Named("สุวรรณภักดี^อัญชลี", ("ISO_IR 166",), ("สุวรรณภักดี",), ("อัญชลี",)),
)
STAFF = ("Bassompierre^Aurélien^^Dr", "Tikhvinskaya^Zoya", "Okafor-Blessing^Chidi", "Lindqvister^Maj", "Ferrarin^Ugo",
         "Halloran^Siobhan")  # fmt: skip
SITES = ("Hôpital Sainte-Ursule", "Brackenridge Imaging Partners", "Szpital Wojewódzki Lipowa")


def people(seed: int, count: int, uid: UidMaker) -> list[Person]:
    """The first patients of a seed."""
    random = Random(seed)
    return [_person(random, number, uid) for number in range(count)]


def _person(random: Random, number: int, uid: UidMaker) -> Person:
    studied = date(random.randrange(2012, 2024), random.randrange(1, 13), random.randrange(13, 28))
    years = random.randrange(25, 85)
    birth = date(studied.year - years, random.randrange(1, 13), random.randrange(13, 28))
    latin = NAMES[number % len(NAMES)].charset in (("ISO_IR 192",), ("GB18030",))  # they have letters with marks
    staff = STAFF if latin else tuple(without_marks(one) for one in STAFF)
    sites = SITES if latin else ("Brackenridge Imaging Partners",)
    phone = f"+33 {random.randrange(1, 6)} {random.randrange(10, 99)} {random.randrange(10, 99)} 81"
    return Person(
        number=number, named=NAMES[number % len(NAMES)], birth=birth, sex="FM"[number % 2], age=f"{years:03}Y",
        id=f"{random.randrange(100, 999)}/{random.randrange(10**4, 10**5)}", study_date=studied,
        other_id=f"{random.randrange(10**10, 10**11)}", phone=f"{phone} {random.randrange(10, 99)}",
        mail=f"{random.choice('klmnop')}{random.randrange(10**4, 10**5)}@courriel.example",
        address=f"{random.randrange(10, 99)} rue des Amandiers",
        accession=f"R{studied.year % 100}{random.randrange(10**5, 10**6)}", institution=sites[number % len(sites)],
        department="Radiology Pavilion Sequoia", staff=tuple(random.sample(staff, len(staff))),
        serial=f"{random.choice('KLMN')}{random.randrange(10**5, 10**6)}", station=f"SEQUOIA{random.randrange(10, 99)}",
        study_uid=uid(), frame_of_reference=uid(),
    )  # fmt: skip


def without_marks(text: str) -> str:
    return unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()


def written(who: Person) -> str:
    """The family name in letters of ASCII, else the ID."""
    return who.latin if who.latin.isascii() else who.id


def surname(one: str) -> str:
    return one.split("^")[0]


def own(who: Person) -> str:
    """The family name as the data set writes it, in its own script."""
    return who.spelled[-1]


def inflected(m: Maker, who: Person) -> None:
    """Names as their language joins and inflects them, in the script of the data set."""
    file = m.open("693_J2KR.dcm", who, "inflected")
    name = own(who)
    form, needle = {
        "الفياضي": (f"للمريض وال{name[2:]} صورة", name[2:]), "רוזנקרנץ": (f"ל{name} תמונה", name),
        "Işıkçıoğlu": ("Işıkçıoğlu'nun görüntü", "Işıkçıoğlu"),
        "Wiśniewolska": ("pani Wiśniewolskiej obraz", "Wiśniewolsk"),
        "Nguyễn": (unicodedata.normalize("NFD", "Nguyễn Thị Hồng Nhung") + " abdomen", "Nguy"),
        "Meulenkamp": ("Meulenkamps abdomen", "Meulenkamp"), "欧阳": ("患者欧阳静怡女士腹部", "欧阳"),
        "สุวรรณภักดี": ("คุณสุวรรณภักดีช่องท้อง", "สุวรรณภักดี"),
    }[name]  # fmt: skip
    for keyword in ("ImageComments", "StudyDescription"):
        set_all(file, "names as languages inflect them", (keyword, form, (needle,), ()))
    latin = who.named.family[-1] if who.named.family[-1].isascii() else ""
    if latin:
        for keyword, text in (
            ("SeriesDescription", f"{latin.upper()} T1 AX"),
            ("ProtocolName", f"T1_{latin.lower()}_AX"),
        ):
            set_all(file, "names without their marks", (keyword, text, (latin,), ("T1", "AX")))
    m.write(file)


def free_text(m: Maker, who: Person) -> None:
    """Histories as people dictate them in several languages, in characters of ASCII."""
    file = m.open("CT1_JLSL", who, "dictated")
    doctor, other = surname(who.staff[0]), surname(who.staff[3])
    doctor = without_marks(doctor)
    born = who.birth
    place = "free text in several languages"
    name = who.latin if who.latin.isascii() else "Zhjqvar"
    if not who.latin.isascii():
        file.ds.OtherPatientNames = name
        file.removed(place, "OtherPatientNames", name)
    rows = [
        (
            "AdditionalPatientHistory",
            f"Pat. geb. {born.day}.{born.month}.{born.year % 100:02}, Fr. {name}, Zn. TEP links",
            (name, f"{born.day}.{born.month}.{born.year % 100:02}"),
            ("TEP links",),
        ),
        (
            "PatientComments",
            f"Patient vu par le Dr {doctor} le {born.day:02}/{born.month:02}/{born.year}; tel {who.phone}",
            (doctor, f"{born.day:02}/{born.month:02}/{born.year}", who.phone),
            ("vu par",),
        ),
        (
            "ImageComments",
            f"Paciente: {name}, nacido el {born.day} de {_spanish(born.month)} de {born.year}. Dolor lumbar",
            (name, f"de {_spanish(born.month)} de {born.year}"),
            ("Dolor lumbar",),
        ),
        (
            "StudyComments",
            f"Ref: DR {other.upper()} / {who.accession} / lumbar pain",
            (other, who.accession),
            ("lumbar pain",),
        ),
        ("ReasonForStudy", f"per {other}, pain; cc {who.mail}", (other, who.mail), ("pain",)),
        ("AcquisitionComments", f"Technologist {other} repeated the scan, motion", (other,), ("motion",)),
        ("VisitComments", f"Bed 12 {who.department}, call {who.phone}", (who.phone,), ()),
        ("MedicalAlerts", f"Allergy. Next of kin {name} {who.phone}", (name, who.phone), ("Allergy",)),
        (
            "RequestedProcedureComments",
            f"d.o.b.{born.day:02}{born.month:02}{born.year} sex F; pelvis",
            (f"{born.day:02}{born.month:02}{born.year}",),
            ("pelvis",),
        ),
        ("InterpretationText", f"{name.upper()}{born.year}: no fracture", (name,), ("no fracture",)),
        ("ResultsComments", f"Seen with {doctor}. No fracture", (doctor,), ("No fracture",)),
        ("Impressions", f"{name}: no fracture", (name,), ("no fracture",)),
    ]
    set_all(file, place, *rows)
    m.write(file)


SPANISH = (
    "enero", "febrero", "marzo", "abril", "mayo", "junio", "julio", "agosto", "septiembre", "octubre", "noviembre",
    "diciembre",
)  # fmt: skip


def _spanish(month: int) -> str:
    return SPANISH[month - 1]


def machine_dates(m: Maker, who: Person) -> None:
    """Dates as machines write them, and numbers and words that are no dates."""
    file = m.open("emri_small_big_endian.dcm", who, "machine")
    d = who.study_date
    weekday = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")[d.weekday()]
    month = MONTHS[d.month - 1]
    for keyword, said in (
        ("StudyDescription", f"{d.isoformat()}T10:15:00Z"), ("SeriesDescription", f"{d:%Y%m%d}T101500"),
        ("ProtocolName", f"{d:%Y_%m_%d}"), ("ImageComments", f"{weekday} {month} {d.day:2} 10:15:00 {d.year}"),
        ("AcquisitionComments", f"{d.day:02}-{d.month:02}-{d.year} 10.15"),
        ("DerivationDescription", f"D:{d:%Y%m%d}101500+01'00'"),
        ("PatientComments", f"{d.year}.{d.month}.{d.day}"), ("ReasonForStudy", f"{d.month}/{d.day}/{d.year % 100:02}"),
        ("StudyComments", f"{weekday}, {d.day:02} {month} {d.year} 10:15:00 GMT"),
        ("RequestedProcedureDescription", f"{d.day:02}/{month}/{d.year}"),
        ("PerformedProcedureStepDescription", f"{d.year}{month}{d.day:02}"),
        ("AdditionalPatientHistory", f"{d.year}-W{d.isocalendar()[1]:02}-{d.isocalendar()[2]}"),
        ("AdmittingDiagnosesDescription", f"{d.year}-{d.timetuple().tm_yday:03}"),
        ("CommentsOnThePerformedProcedureStep", f"{d.day:02}/{d.month:02}/{d.year + 543}"),
    ):  # fmt: skip
        set_all(file, "dates as machines write them", (keyword, f"liver {said}", (said,), ("liver",)))
    set_all(
        file, "numbers that are no dates",
        ("VisitComments", "T1 TR/TE 500/12 FA 90, 3.0.1 mm, 10/12 gating, 5/8 NEX, 2019 kernel", (),
         ("TR/TE 500/12", "3.0.1 mm", "10/12 gating", "5/8 NEX")),
        ("RequestedProcedureComments", "ADC 1.25e-3, b 0/500/1000, 256x256/512, ASSET 2.00, VB17A 11.1.2", (),
         ("1.25e-3", "b 0/500/1000", "256x256/512", "VB17A")),
    )  # fmt: skip
    m.write(file)


def vendors(m: Maker, who: Person) -> None:
    """Private blocks of several vendors, each with something that names the patient, the day or the site."""
    file = m.open("MR1_JLSL", who, "vendors")
    name = written(who)
    for group, creator, low, vr, value in (
        (0x0009, "GEMS_IDEN_01", 0x1A, "US", 7), (0x0009, "GEMS_PETD_01", 0x01, "LO", who.id),
        (0x0009, "GEMS_PETD_01", 0x0D, "DT", da(who.study_date) + "101112"),
        (0x0019, "SIEMENS MR HEADER", 0x08, "CS", name.upper()[:12]),
        (0x0021, "SIEMENS MR SDI 02", 0x58, "SH", f"{name}"[:16]), (0x2001, "Philips Imaging DD 001", 0xF1, "LO", name),
        (0x2005, "Philips MR Imaging DD 005", 0x35, "CS", name.upper()[:12]),
        (0x7005, "TOSHIBA_MEC_CT3", 0x16, "LO", who.id), (0x01F1, "ELSCINT1", 0x26, "DS", "1.5"),
        (0x0021, "AGFA", 0x20, "ST", f"{name} {who.accession}"), (0x0025, "FDMS 1.0", 0x10, "US", 3),
        (0x0009, "FDMS 1.0", 0x91, "LO", f"{name}/{who.id}"), (0x0029, "HOLOGIC, Inc.", 0x01, "LO", who.id),
        (0x0065, "UIH 1.0", 0x0A, "ST", f"{name} {who.department}"), (0x3287, "ViewRay PRIVATE", 0x01, "LO", name),
        (0x00E1, "ELSCINT1", 0x07, "UI", f"1.2.3.{da(who.birth)}"), (0x0021, "SPI-P Release 1;1", 0x10, "LO", name),
        (0x5533, "Visus Change", 0x33, "LO", who.mail), (0x0043, "GEMS_PARM_01", 0x39, "IS", [1000, 8, 0, 0]),
    ):  # fmt: skip
        file.private(group, creator, low, vr, value)
    file.removed("vendors' private blocks", "", name, who.id, who.mail, da(who.birth))
    file.tag("safe private elements of vendors", "(0043,GEMS_PARM_01,39)", "1000\\8\\0\\0")
    m.write(file)


def odd_blocks(m: Maker, who: Person) -> None:
    """Elements of odd groups without a creator, creators twice, and a creator that is a person."""
    file = m.open("JPEG2000.dcm", who, "blocks")
    name = written(who)
    file.add(0x00191023, "LO", f"{name} without creator")
    file.add(0x00110101, "UN", f"{name} {who.id}".ljust(40).encode())
    file.add(0x00130010, "LO", f"{name.upper()} 1.0")
    file.add(0x00130011, "LO", "GEMS_PARM_01")
    file.add(0x00131101, "LO", who.id)
    file.add(0x00430010, "LO", "GEMS_PARM_01 ")
    file.add(0x00430011, "LO", "gems_parm_01")
    file.add(0x00431139, "LO", who.id)
    file.removed("odd private blocks", "", name, who.id)
    m.write(file)


def typed(m: Maker, who: Person) -> None:
    """Text where a number, a code or a time belongs."""
    file = m.open("OsirixFake16BitsStoredFakeSpacing.dcm", who, "typed")
    name = (who.latin if who.latin.isascii() else "ZHJQVAR").upper()[:12]
    keywords = (
        "SliceThickness", "ExposureTime", "BodyPartExamined", "PatientOrientation", "Laterality", "KVP", "ScanOptions",
        "FilterType", "ConvolutionKernel",
    )  # fmt: skip
    if not who.latin.isascii():
        file.ds.OtherPatientNames = "ZHJQVAR"
    held = {}
    for number, keyword in enumerate(keywords):
        hold = f"{number}77777777777"
        set_again(file, keyword)
        setattr(file.ds, keyword, hold)
        held[hold.encode()] = name.ljust(12)[:12].encode()
        file.removed("text where numbers and codes belong", keyword, name)
    file.edits.append(lambda data: _swapped(data, held))
    m.write(file)


def _swapped(data: bytes, held: dict[bytes, bytes]) -> bytes:
    for old, new in held.items():
        assert data.count(old) == 1, old
        data = data.replace(old, new)
    return data


def references(m: Maker, who: Person) -> None:
    """UIDs beside the root: related series, pertinent evidence, in ST and in coded items."""
    file = m.open("test-SR.dcm", who, "references")
    ds = file.ds
    file.lines = [one for one in file.lines if one.place != "geometry and technique"]
    study, series, image = who.study_uid, m.uid(), m.uid()
    ds.RelatedSeriesSequence = [item(StudyInstanceUID=study, SeriesInstanceUID=series)]
    file.uid("related series", "RelatedSeriesSequence#0/StudyInstanceUID", study)
    file.uid("related series", "RelatedSeriesSequence#0/SeriesInstanceUID", series)
    ds.CurrentRequestedProcedureEvidenceSequence = [
        item(StudyInstanceUID=study, ReferencedSeriesSequence=[
            item(SeriesInstanceUID=series, ReferencedSOPSequence=[
                item(ReferencedSOPClassUID="1.2.840.10008.5.1.4.1.1.2", ReferencedSOPInstanceUID=image)])])
    ]  # fmt: skip
    at = "CurrentRequestedProcedureEvidenceSequence#0/ReferencedSeriesSequence#0/"
    file.uid("evidence", at + "SeriesInstanceUID", series)
    file.uid("evidence", at + "ReferencedSOPSequence#0/ReferencedSOPInstanceUID", image)
    concept = code("121071", "DCM", "Finding")
    doctor = surname(who.staff[2])
    name = written(who)
    day = who.study_date
    ds.ContentSequence = [
        content("TEXT", concept, TextValue=f"Comparison: CT of {day:%d.%m.%Y}. {name} has a 4 mm nodule, seen by Dr. "
                                           f"{doctor}."),
        content("DATE", code("111526", "DCM", "DateTime Started"), Date=da(day)),
        content("DATETIME", code("111526", "DCM", "DateTime Started"), DateTime=da(day) + "101112"),
        content("UIDREF", code("121012", "DCM", "Device Observer UID"), UID=series),
        content("PNAME", code("121008", "DCM", "Person Observer Name"), PersonName=who.staff[2]),
        content("TEXT", code("121013", "DCM", "Device Observer Name"), TextValue=who.station),
        content("TEXT", code("121016", "DCM", "Device Observer Serial Number"), TextValue=who.serial),
        content("NUM", code("103339001", "SCT", "Long axis"), MeasuredValueSequence=[
            item(NumericValue="4.2", MeasurementUnitsCodeSequence=[code("mm", "UCUM", "mm")])]),
        content("CODE", concept, ConceptCodeSequence=[code("27925004", "SCT", f"Nodule {name}")]),
        content("IMAGE", code("121112", "DCM", "Source"), ReferencedSOPSequence=[
            item(ReferencedSOPClassUID="1.2.840.10008.5.1.4.1.1.2", ReferencedSOPInstanceUID=image)]),
    ]  # fmt: skip
    file.removed("reports", "ContentSequence", name, doctor, f"{day:%d.%m.%Y}", who.station, who.serial)
    file.kept("reports", "ContentSequence", "Comparison", "4 mm nodule", "Nodule", "4.2", "Long axis")
    file.uid("reports", "ContentSequence#9/ReferencedSOPSequence#0/ReferencedSOPInstanceUID", image, optional=True)
    m.write(file)


def treatments(m: Maker, who: Person) -> None:
    """Records of treatments: approvals, machines, times."""
    file = m.open("rtplan.dcm", who, "treated")
    ds, doctor = file.ds, surname(who.staff[1])
    name = written(who)
    set_again(file, "ApprovalStatus")
    ds.ApprovalStatus, ds.ReviewDate, ds.ReviewTime = "APPROVED", da(who.study_date), "101112"
    ds.ReviewerName = who.staff[1]
    file.removed("approvals", "ReviewerName", doctor)
    file.shifted("approvals", "ReviewDate", da(who.study_date))
    ds.TreatmentDate = da(who.study_date)
    file.shifted("approvals", "TreatmentDate", da(who.study_date))
    beam = ds.BeamSequence[0]
    beam.DeviceSerialNumber, beam.InstitutionName, beam.ManufacturerModelName = who.serial, who.institution, "Clinac"
    beam.BeamDescription = f"{name} left lateral"
    file.removed("machines of beams", "BeamSequence#0", who.serial, who.institution, name)
    file.kept("machines of beams", "BeamSequence#0/BeamDescription", "left lateral")
    set_all(
        file,
        "labels of plans",
        ("RTPlanDescription", f"3 fld {name} {who.birth:%d%m%y}", (name, f"{who.birth:%d%m%y}"), ("3 fld",)),
    )
    m.write(file)


def slides(m: Maker, who: Person) -> None:
    """A slide: label, specimens, how they were prepared, the optical path."""
    file = m.made("1.2.840.10008.5.1.4.1.1.77.1.6", "SM", who, "slide")
    ds, name = file.ds, written(who)
    pathologist = surname(who.staff[4])
    ds.ImageType = ["DERIVED", "PRIMARY", "VOLUME", "RESAMPLED"]
    set_all(
        file, "slides",
        ("LabelText", f"{name} {who.accession} HE", (name, who.accession), ()),
        ("BarcodeValue", who.accession, (who.accession,), ()),
        ("ContainerIdentifier", f"{who.accession}-A1", (who.accession,), ()),
    )  # fmt: skip
    specimen, person = code("121041", "DCM", "Specimen Identifier"), code("121008", "DCM", "Person Observer Name")
    step = item(SpecimenPreparationStepContentItemSequence=[
        item(ValueType="TEXT", ConceptNameCodeSequence=[specimen], TextValue=f"{who.accession}-A"),
        item(ValueType="PNAME", ConceptNameCodeSequence=[person], PersonName=who.staff[4]),
        item(ValueType="DATETIME", ConceptNameCodeSequence=[code("111702", "DCM", "DateTime of processing")],
             DateTime=da(who.study_date) + "0900"),
        item(ValueType="TEXT", ConceptNameCodeSequence=[code("111703", "DCM", "Processing step description")],
             TextValue=f"Cut by {pathologist} for {name}, formalin"),
        item(ValueType="CODE", ConceptNameCodeSequence=[code("111701", "DCM", "Processing type")],
             ConceptCodeSequence=[code("127790008", "SCT", "Staining")])])  # fmt: skip
    ds.SpecimenDescriptionSequence = [item(
        SpecimenIdentifier=f"{who.accession}-A", SpecimenUID=m.uid(), SpecimenShortDescription=f"Skin {name}"[:64],
        SpecimenDetailedDescription=f"Skin of {name}, left arm", SpecimenPreparationSequence=[step])]  # fmt: skip
    file.removed("specimens", "SpecimenDescriptionSequence", name, who.accession, pathologist)
    file.kept("specimens", "SpecimenDescriptionSequence", "Skin", "left arm", "Staining")
    ds.OpticalPathSequence = [item(OpticalPathIdentifier="1", OpticalPathDescription=f"path {who.serial}",
                                   ICCProfile=b"\0" * 64)]  # fmt: skip
    file.removed("specimens", "OpticalPathSequence", who.serial)
    m.write(file)


def keys(m: Maker, who: Person) -> None:
    """A key object selection, and a presentation state with a compound graphic."""
    name = written(who)
    file = m.made("1.2.840.10008.5.1.4.1.1.88.59", "KO", who, "keys")
    ds = file.ds
    ds.ValueType, ds.ContinuityOfContent = "CONTAINER", "SEPARATE"
    ds.ConceptNameCodeSequence = [code("113000", "DCM", "Of Interest")]
    ds.ContentSequence = [
        content(
            "TEXT",
            code("113012", "DCM", "Key Object Description"),
            TextValue=f"For Dr {surname(who.staff[5])}: {name}, hilum",
        )
    ]
    file.removed("key objects", "ContentSequence", name, surname(who.staff[5]))
    file.kept("key objects", "ContentSequence", "hilum")
    m.write(file)
    file = m.made("1.2.840.10008.5.1.4.1.1.11.1", "PR", who, "compound")
    ds = file.ds
    ds.ContentLabel, ds.ContentDescription = "MARKS", f"{name}: marks"
    file.removed("presentation states", "ContentDescription", name)
    ds.GraphicAnnotationSequence = [item(GraphicLayer="L1", CompoundGraphicSequence=[
        item(CompoundGraphicInstanceID=1, CompoundGraphicType="ARROW",
             MajorTicksSequence=[item(TickPosition=1.0, TickLabel=name[:16])])])]  # fmt: skip
    file.removed("presentation states", "GraphicAnnotationSequence", name[:16])
    ds.GraphicGroupSequence = [
        item(GraphicGroupID=1, GraphicGroupLabel=f"{name} group", GraphicGroupDescription=f"of {name}, lesion")
    ]
    file.removed("presentation states", "GraphicGroupSequence", name)
    ds.GraphicLayerSequence = [
        item(GraphicLayer="L1", GraphicLayerOrder=1, GraphicLayerDescription=f"{who.accession} arrows")
    ]
    file.removed("presentation states", "GraphicLayerSequence", who.accession)
    m.write(file)


def retired(m: Maker, who: Person) -> None:
    """Attributes that older editions had, and command elements in a file."""
    file = m.open("693_UNCI.dcm", who, "retired")
    name = written(who)
    for tag, vr, value in (
        (0x00080010, "SH", name[:16]), (0x00084000, "LT", name), (0x00104000, "LT", name), (0x00204000, "LT", name),
        (0x00284000, "LT", name), (0x40000010, "LT", name), (0x40004000, "LT", name), (0x40080040, "SH", who.accession),
        (0x00203401, "CS", name.upper()[:12]), (0x00203404, "LO", name), (0x00880904, "LO", name),
        (0x00880906, "ST", name),
        (0x00880910, "LO", name), (0x00880912, "LO", name), (0x20300020, "LO", name), (0x21000140, "AE", who.station),
        (0x21000070, "AE", who.station), (0x00080201, "SH", "+0130"), (0x00321070, "LO", name),
        (0x00380500, "LO", name),
        (0x00102180, "SH", name[:16]), (0x001021B0, "LT", name), (0x00321032, "PN", who.staff[0]),
        (0x0040A075, "PN", who.staff[0]),
    ):  # fmt: skip
        file.add(tag, vr, value)
    file.removed("retired attributes", "", name, who.station, surname(who.staff[0]))
    m.write(file)


def headers(m: Maker, who: Person) -> None:
    """Texts in the headers of compressed frames: EXIF, comments between scans, boxes of JP2, what follows a frame."""
    name = written(who)
    text = f"{name} {who.id} 48.8566N".encode()
    image = np.add.outer(np.arange(96), np.arange(96)).astype(np.uint8)
    exif = Image.Exif()
    exif[0x013B], exif[0x010E] = name, f"{who.id} scan"
    out = io.BytesIO()
    Image.fromarray(image).save(out, "JPEG", exif=exif.tobytes(), progressive=False)
    baseline = out.getvalue()
    out = io.BytesIO()
    Image.fromarray(np.dstack([image] * 3)).save(out, "JPEG", progressive=True)
    progressive = out.getvalue()
    scan = progressive.rindex(b"\xff\xda")
    between = progressive[:scan] + b"\xff\xfe" + struct.pack(">H", len(text) + 2) + text + progressive[scan:]
    boxed = bytes(imagecodecs.jpeg2k_encode(image, codecformat="jp2", level=0, reversible=True))
    at = boxed.index(b"jp2c") - 4
    xml = b"<name>" + text + b"</name>"
    boxed = boxed[:at] + struct.pack(">I", len(xml) + 8) + b"xml " + xml + boxed[at:]
    plain = bytes(imagecodecs.jpeg2k_encode(image, codecformat="j2k", level=0, reversible=True))
    part = plain.index(b"\xff\x93", plain.index(b"\xff\x90"))
    inside = b"\xff\x64" + struct.pack(">HH", len(text) + 4, 1) + text
    begin = plain.index(b"\xff\x90")
    psot = struct.unpack(">I", plain[begin + 6 : begin + 10])[0]
    tiled = (
        plain[: begin + 6]
        + struct.pack(">I", psot + len(inside) if psot else 0)
        + plain[begin + 10 : part]
        + inside
        + plain[part:]
    )
    for number, (syntax, frame, place) in enumerate((
        ("1.2.840.10008.1.2.4.50", baseline, "EXIF of frames"),
        ("1.2.840.10008.1.2.4.50", between, "comments between scans"),
        ("1.2.840.10008.1.2.4.90", boxed, "boxes of JP2"),
        ("1.2.840.10008.1.2.4.90", tiled, "comments of tile-parts"),
        ("1.2.840.10008.1.2.4.50", baseline[: -2] + b"\xff\xd9" + text, "text behind frames"),
        ("1.2.840.10008.1.2.4.90", plain + text, "text behind frames"),
    )):  # fmt: skip
        file = m.open("SC_rgb_small_odd.dcm", who, f"header{number}")
        ds = file.ds
        grey = b"\xff\xc2" not in frame[:700]
        file.lines = [one for one in file.lines if not one.path.startswith("0028") and one.action != "pixels_retained"]
        ds.Rows = ds.Columns = 96
        ds.SamplesPerPixel, ds.PhotometricInterpretation = (1, "MONOCHROME2") if grey else (3, "YBR_FULL_422")
        ds.BitsAllocated = ds.BitsStored = 8
        ds.HighBit = 7
        if grey and "PlanarConfiguration" in ds:
            del ds.PlanarConfiguration
        ds.PixelData = encapsulate([frame])
        ds["PixelData"].VR, ds["PixelData"].is_undefined_length = "OB", True
        ds.file_meta.TransferSyntaxUID = syntax
        file.removed(place, "", name, who.id, "48.8566N")
        m.write(file)


def behind_pixels(m: Maker, who: Person) -> None:
    """What is behind the last frame of native pixel data, and in fragments that are no frame."""
    name = written(who)
    text = f"{name} {who.id} ".encode()
    text += b" " * (len(text) % 2)
    file = m.open("CT_small.dcm", who, "behind")
    set_again(file)
    file.lines = [one for one in file.lines if one.action != "pixels_retained"]
    file.ds.PixelData = file.ds.PixelData + text
    file.removed("text behind the last frame", "", name, who.id)
    m.write(file)
    file = m.open("emri_small_RLE.dcm", who, "rle")
    file.lines = [one for one in file.lines if one.action != "pixels_retained"]
    data = bytes(file.ds.PixelData)
    end = data.rindex(b"\xfe\xff\xdd\xe0") if b"\xfe\xff\xdd\xe0" in data else len(data)
    file.ds.PixelData = data[:end] + b"\xfe\xff\x00\xe0" + len(text).to_bytes(4, "little") + text + data[end:]
    file.removed("text in fragments", "", name, who.id)
    m.write(file)


def nested(m: Maker, who: Person) -> None:
    """Names in every kind of text, items down, where nothing is expected."""
    file = m.open("liver.dcm", who, "deep")
    name = written(who)
    leaf = item(UnformattedTextValue=name, TextValue=name, CodeMeaning=name, ContentDescription=name,
                PatientName=who.named.name, Date=da(who.study_date), InstitutionName=who.institution)  # fmt: skip
    if who.named.charset:
        leaf.SpecificCharacterSet = list(who.named.charset)
    ds = leaf
    for keyword in ("ReferencedSeriesSequence", "SourceImageSequence", "PurposeOfReferenceCodeSequence",
                    "DerivationCodeSequence", "ReferencedImageSequence"):  # fmt: skip
        ds = item(**{keyword: Sequence([ds])})
    file.ds.DerivationImageSequence = [ds]
    file.removed("values items down", "DerivationImageSequence", name, who.institution)
    m.write(file)


def device_words(m: Maker, who: Person) -> None:
    """Sites and devices in texts that describe how an image was made; what has to stay is protocol."""
    file = m.open("examples_overlay.dcm", who, "devices")
    place = who.institution
    set_all(
        file, "sites and devices in texts",
        ("SoftwareVersions", f"syngo MR E11 {who.serial}", (who.serial,), ()),
        ("ProtocolName", f"{place} KNEE PD FS", (place,), ("KNEE PD FS",)),
        ("SeriesDescription", f"KNEE SAG {who.station}", (who.station,), ("KNEE SAG",)),
        ("AcquisitionDeviceProcessingDescription", f"{who.department} sharpen", ("Sequoia",), ("sharpen",)),
        ("DerivationDescription", f"Loaded from \\\\pacs01\\{who.accession}\\im1, MIP", (who.accession,), ("MIP",)),
        ("ImageComments", f"file://{who.station.lower()}/export/{who.accession}/1.dcm coronal",
         (who.station, who.accession), ("coronal",)),
    )  # fmt: skip
    m.write(file)


def burnt_odd(m: Maker, who: Person) -> None:
    """Text in palette colours, in 16 bits of MONOCHROME1, upright beside the picture, and dark on light."""
    name = f"{who.latin.upper() if who.latin.isascii() else 'ZHJQVAR'} {who.id}"
    random = np.random.default_rng(who.number + 5)
    slope = np.add.outer(np.hypot(np.linspace(-1, 1, 256), 1) * 40, np.linspace(30, 90, 320))
    smooth = np.clip(slope + random.normal(0, 3, (256, 320)), 0, 200)
    for number, (turn, dark, photometric, bits) in enumerate(
        (
            (0, False, "MONOCHROME1", 16),
            (1, False, "MONOCHROME2", 8),
            (0, True, "MONOCHROME2", 8),
            (0, False, "PALETTE COLOR", 8),
        )
    ):
        file = m.open("CT_small.dcm", who, f"burnt-odd{number}")
        ds = file.ds
        picture = Image.new("L", (320, 256) if not turn else (256, 320), 0)
        ImageDraw.Draw(picture).text((10, 10), name, fill=255, font=font(20))
        mask = np.rot90(np.array(picture), turn) / 255.0 if turn else np.array(picture) / 255.0
        level = 5 if dark else 250
        frame = (smooth + 100 if dark else smooth) * (1 - mask) + level * mask
        rows = np.argwhere(mask > 0.5)
        top, left = rows.min(axis=0)
        height, width = rows.max(axis=0) - rows.min(axis=0) + 1
        scale = 1 if bits == 8 else 250
        file.lines = [one for one in file.lines if not one.path.startswith("0028") and one.action != "pixels_retained"]
        ds.Rows, ds.Columns, ds.PhotometricInterpretation = 256, 320, photometric
        ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = bits, bits, bits - 1, 0
        for keyword in ("RescaleSlope", "RescaleIntercept", "PixelPaddingValue", "SmallestImagePixelValue",
                        "LargestImagePixelValue", "WindowCenter", "WindowWidth"):  # fmt: skip
            if keyword in ds:
                tag = f"{int(ds.data_element(keyword).tag):08X}"
                file.lines = [one for one in file.lines if one.path != tag]
                del ds[keyword]
        if photometric == "PALETTE COLOR":
            for colour in ("Red", "Green", "Blue"):
                setattr(ds, f"{colour}PaletteColorLookupTableDescriptor", [256, 0, 16])
                setattr(ds, f"{colour}PaletteColorLookupTableData", (np.arange(256) * 256).astype("<u2").tobytes())
        ds.PixelData = (np.clip(frame, 0, 255) * scale).astype("<u2" if bits == 16 else "u1").tobytes()
        ds["PixelData"].VR = "OW"
        place = f"text burnt in, {('plain', 'upright')[turn]}, {photometric}{', dark' * dark}"
        file.line("pixels_hidden", place, "PixelData", box=(int(top), int(left), int(height), int(width)))
        file.line("pixels_retained", "pixels beside burnt text", box=(150, 120, 60, 150))
        m.write(file)


def untouched(m: Maker, who: Person) -> None:
    """Real files of other vendors, of which all pixels and descriptions of protocols have to stay."""
    for number, base in enumerate(("MAROTECH_CT_JP2Lossy.dcm", "ELSCINT1_JP2vsJ2K.dcm", "TOSHIBA_J2K_SIZ0_PixRep1.dcm",
                                   "701-ADCb500/000001.dcm", "JPEG2KLossless_1s_1f_u_16_16.dcm")):  # fmt: skip
        if who.number % 5 != number:
            continue
        file = m.open(base, who, "untouched")
        for keyword, text in (
            ("SeriesDescription", "Ax T2 FRFSE fs 3mm pre/post Gd"), ("ProtocolName", "1.1 CTA AORTA 1.0 B26f"),
            ("StudyDescription", "MR BRAIN W/WO CONTRAST"), ("ImageComments", "MIP thick 10 mm, L/R, A>>P"),
        ):  # fmt: skip
            set_all(file, "protocols", (keyword, text, (), (text,)))
        m.write(file)


RECIPES = (
    inflected, free_text, machine_dates, vendors, odd_blocks, typed, references, treatments, slides, keys, retired,
    headers, behind_pixels, nested, device_words, burnt_odd, untouched,
)  # fmt: skip

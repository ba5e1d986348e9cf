"""Recipes of the de-identification set: objects that have places of their own, from reports to overlays."""

from __future__ import annotations

import struct
from dataclasses import replace
from typing import Any

import numpy as np
import pydicom
from pydicom.dataset import Dataset
from pydicom.tag import Tag

from benches.deid_files import File, Maker, code, item, plain
from benches.deid_people import Person, da, spellings
from benches.deid_pixels import draw


def frames(m: Maker, who: Person) -> None:
    """Functional groups."""
    file = m.open("23x38x3/multiframe/mf.dcm", who, "frames")
    ds, day = file.ds, da(who.study_date)
    content = "PerFrameFunctionalGroupsSequence#{}/FrameContentSequence#0/"
    for number in range(0, len(ds.PerFrameFunctionalGroupsSequence)):
        inner = ds.PerFrameFunctionalGroupsSequence[number].FrameContentSequence[0]
        inner.FrameAcquisitionDateTime = day + f"1011{number:02}"
        inner.FrameComments = f"frame of {who.latin}, motion"
        path = content.format(number)
        file.shifted("functional groups", path + "FrameAcquisitionDateTime", day + f"1011{number:02}")
        file.removed("functional groups", path + "FrameComments", who.latin)
        file.kept("functional groups", path + "FrameComments", "motion")
    shared = ds.SharedFunctionalGroupsSequence[0]
    shared.private_block(0x2005, "ACME 3.1", create=True).add_new(0x01, "LO", who.latin)
    file.removed("private elements in functional groups", "SharedFunctionalGroupsSequence", who.latin)
    for number in (0, 2):
        position = ds.PerFrameFunctionalGroupsSequence[number].PlanePositionSequence[0].ImagePositionPatient
        path = f"PerFrameFunctionalGroupsSequence#{number}/PlanePositionSequence#0/ImagePositionPatient"
        file.tag("geometry in functional groups", path, plain(position))
    uid = m.uid()
    ds.DimensionOrganizationSequence = [item(DimensionOrganizationUID=uid)]
    file.uid("functional groups", "DimensionOrganizationSequence#0/DimensionOrganizationUID", uid)
    m.write(file)


def segments(m: Maker, who: Person) -> None:
    """A segmentation: labels, and references that have to resolve."""
    file = m.open("liver_1frame.dcm", who, "segments")
    ds = file.ds
    segment = ds.SegmentSequence[0]
    segment.SegmentLabel, segment.SegmentDescription = f"Liver {who.latin}", f"Liver of {who.id}"
    file.removed("segment labels", "SegmentSequence#0/SegmentLabel", who.latin)
    file.removed("segment labels", "SegmentSequence#0/SegmentDescription", who.id)
    file.kept("segment labels", "SegmentSequence#0/SegmentLabel", "Liver")
    file.filled("segment labels", "SegmentSequence#0/SegmentLabel")
    segment.TrackingUID, segment.TrackingID = m.uid(), who.id
    file.uid("segment labels", "SegmentSequence#0/TrackingUID", segment.TrackingUID)
    file.removed("segment labels", "SegmentSequence#0/TrackingID", who.id)
    ds.ContentCreatorName = who.staff[0]
    file.removed("staff", "ContentCreatorName", who.staff[0].split("^")[0])
    uid = m.uid()
    ds.ReferencedSeriesSequence[0].SeriesInstanceUID = uid
    file.uid("referenced studies, series and instances", "ReferencedSeriesSequence#0/SeriesInstanceUID", uid)
    uid = m.uid()
    ds.ReferencedSeriesSequence[0].ReferencedInstanceSequence[0].ReferencedSOPInstanceUID = uid
    path = "ReferencedSeriesSequence#0/ReferencedInstanceSequence#0/ReferencedSOPInstanceUID"
    file.uid("referenced studies, series and instances", path, uid)
    groups = ds.PerFrameFunctionalGroupsSequence[0]
    groups.DerivationImageSequence[0].SourceImageSequence[0].ReferencedSOPInstanceUID = uid
    path = "PerFrameFunctionalGroupsSequence#0/DerivationImageSequence#0/SourceImageSequence#0/ReferencedSOPInstanceUID"
    file.uid("functional groups", path, uid, optional=True)
    m.write(file)


def report(m: Maker, who: Person) -> None:
    """Content items of a report."""
    file = m.open("test-SR.dcm", who, "report")
    ds, stamp = file.ds, da(who.study_date)
    staff, image = who.staff[2], m.uid()
    ds.CurrentRequestedProcedureEvidenceSequence = [
        item(
            StudyInstanceUID=who.study_uid,
            ReferencedSeriesSequence=[
                item(
                    SeriesInstanceUID=m.uid(),
                    ReferencedSOPSequence=[
                        item(ReferencedSOPClassUID="1.2.840.10008.5.1.4.1.1.2", ReferencedSOPInstanceUID=image)
                    ],
                )
            ],
        )
    ]
    path = "CurrentRequestedProcedureEvidenceSequence#0/"
    file.uid("references of reports", path + "StudyInstanceUID", who.study_uid)
    path += "ReferencedSeriesSequence#0/ReferencedSOPSequence#0/ReferencedSOPInstanceUID"
    file.uid("references of reports", path, image)
    finding = f"{who.latin} was seen on {spellings(who.study_date)[3]}: mass of 3 cm in the left lobe, MRN {who.id}"
    own = [
        content("IMAGE", code("121112", "DCM", "Source of Measurement"), ReferencedSOPSequence=[
            item(ReferencedSOPClassUID="1.2.840.10008.5.1.4.1.1.2", ReferencedSOPInstanceUID=image)]),
        content("DATE", code("111018", "DCM", "Content Date"), Date=stamp),
        content("DATETIME", code("111526", "DCM", "DateTime Started"), DateTime=stamp + "101112"),
        content("NUM", code("103355008", "SCT", "Width"), MeasuredValueSequence=[
            item(NumericValue="31.5", MeasurementUnitsCodeSequence=[code("mm", "UCUM", "mm")])]),
        content("TEXT", code("121071", "DCM", "Finding"), TextValue=finding),
        content("CODE", code("121071", "DCM", "Finding"), ConceptCodeSequence=[
            code("F7", "99LOCAL", f"Nodule, see {who.latin}")]),
        content("PNAME", code("121008", "DCM", "Person Observer Name"), PersonName=staff),
        content("UIDREF", code("121018", "DCM", "Procedure Study Instance UID"), UID=who.study_uid),
        content("TEXT", code("121022", "DCM", "Accession Number"), TextValue=who.accession),
        content("TEXT", code("121013", "DCM", "Device Observer Name"), TextValue="OBSERVER-4471"),
    ]  # fmt: skip
    ds.ContentSequence = own + list(ds.ContentSequence)
    tree = "ContentSequence"
    file.uid("references of reports", "ContentSequence#0/ReferencedSOPSequence#0/ReferencedSOPInstanceUID", image)
    file.shifted("dates in reports", "ContentSequence#1/Date", stamp)
    file.shifted("dates in reports", "ContentSequence#2/DateTime", stamp + "101112")
    file.tag("numbers in reports", "ContentSequence#3/MeasuredValueSequence#0/NumericValue", "31.5")
    file.removed("text in reports", tree, who.latin, spellings(who.study_date)[3], who.id, who.accession)
    file.kept("text in reports", tree, "mass of 3 cm in the left lobe")
    file.removed("code meanings in reports", tree, f"see {who.latin}")
    file.kept("code meanings in reports", tree, "Nodule")
    file.removed("persons in reports", tree, staff.split("^")[0])
    file.line("uid_changed", "UIDs in reports", tree, who.study_uid)
    file.removed("devices in reports", tree, "OBSERVER-4471")
    observer = ds.VerifyingObserverSequence[0]
    observer.VerifyingObserverName, observer.VerifyingOrganization = who.staff[3], who.institution
    observer.VerificationDateTime = stamp + "111213"
    path = "VerifyingObserverSequence#0/"
    file.removed("persons in reports", path + "VerifyingObserverName", who.staff[3].split("^")[0])
    file.filled("persons in reports", path + "VerifyingObserverName")
    file.shifted("dates in reports", path + "VerificationDateTime", stamp + "111213")
    m.write(file)


def content(value_type: str, concept: Dataset, **value: Any) -> Dataset:
    made = item(RelationshipType="CONTAINS", ValueType=value_type, ConceptNameCodeSequence=[concept])
    for keyword, one in value.items():
        setattr(made, keyword, one)
    return made


def structures(m: Maker, who: Person) -> None:
    """A structure set."""
    file = m.open("rtstruct.dcm", who, "structures")
    ds, frame = file.ds, who.frame_of_reference
    ds.StructureSetLabel, ds.StructureSetName = f"{who.latin}"[:16], f"Plan {who.latin}"
    file.removed("structure set labels", "StructureSetLabel", who.latin[:10])
    file.filled("structure set labels", "StructureSetLabel")
    file.removed("structure set labels", "StructureSetName", who.latin)
    ds.StructureSetDate = da(who.study_date)
    file.shifted("dates at the root", "StructureSetDate", ds.StructureSetDate)
    roi = ds.StructureSetROISequence[1]
    roi.ROIName = f"PTV {who.latin} {who.id}"
    file.removed("names of regions", "StructureSetROISequence#1/ROIName", who.latin, who.id)
    file.kept("names of regions", "StructureSetROISequence#1/ROIName", "PTV")
    file.kept("names of regions", "StructureSetROISequence#2/ROIName", "Isocenter 2")
    for number, one in enumerate(ds.StructureSetROISequence):
        one.ReferencedFrameOfReferenceUID = frame
        path = f"StructureSetROISequence#{number}/ReferencedFrameOfReferenceUID"
        file.uid("references of structure sets", path, frame)
    ds.ReferencedFrameOfReferenceSequence[0].FrameOfReferenceUID = frame
    file.uid("references of structure sets", "ReferencedFrameOfReferenceSequence#0/FrameOfReferenceUID", frame)
    ds.RTROIObservationsSequence[0].ROIInterpreter = who.staff[1]
    path = "RTROIObservationsSequence#0/ROIInterpreter"
    file.removed("staff", path, who.staff[1].split("^")[0])
    contour = ds.ROIContourSequence[0].ContourSequence[0].ContourData
    file.tag("contours", "ROIContourSequence#0/ContourSequence#0/ContourData", plain(contour))
    m.write(file)


def plans(m: Maker, who: Person) -> None:
    """A treatment plan."""
    file = m.open("rtplan.dcm", who, "plan")
    ds = file.ds
    ds.RTPlanLabel, ds.RTPlanName, ds.RTPlanDescription = who.id, f"Boost {who.latin}", f"3D-CRT for {who.latin}"
    ds.RTPlanDate = da(who.study_date)
    file.shifted("dates at the root", "RTPlanDate", ds.RTPlanDate)
    file.removed("labels of plans", "RTPlanLabel", who.id)
    file.filled("labels of plans", "RTPlanLabel")
    file.removed("labels of plans", "RTPlanName", who.latin)
    file.removed("labels of plans", "RTPlanDescription", who.latin)
    file.kept("labels of plans", "RTPlanDescription", "3D-CRT")
    ds.BeamSequence[0].TreatmentMachineName = "LINAC-OST-7"
    file.removed("device", "BeamSequence#0/TreatmentMachineName", "LINAC-OST-7")
    file.tag("geometry and technique", "DoseReferenceSequence#1/TargetPrescriptionDose", "30.826203")
    m.write(file)


def presentation(m: Maker, who: Person) -> None:
    """A presentation state: text beside graphics."""
    file = m.made("1.2.840.10008.5.1.4.1.1.11.1", "PR", who, "presentation")
    ds, image = file.ds, m.uid()
    ds.ContentLabel, ds.ContentDescription = "ANNOTATED", f"Marks for {who.latin}"
    file.removed("texts that no rule names", "ContentDescription", who.latin)
    ds.ContentCreatorName = who.staff[0]
    file.removed("staff", "ContentCreatorName", who.staff[0].split("^")[0])
    ds.PresentationCreationDate, ds.PresentationCreationTime = da(who.study_date), "101112"
    file.shifted("dates at the root", "PresentationCreationDate", da(who.study_date))
    ds.ReferencedSeriesSequence = [
        item(
            SeriesInstanceUID=m.uid(),
            ReferencedImageSequence=[
                item(ReferencedSOPClassUID="1.2.840.10008.5.1.4.1.1.2", ReferencedSOPInstanceUID=image)
            ],
        )
    ]
    path = "ReferencedSeriesSequence#0/ReferencedImageSequence#0/ReferencedSOPInstanceUID"
    file.uid("referenced studies, series and instances", path, image)
    text = item(
        BoundingBoxAnnotationUnits="PIXEL",
        UnformattedTextValue=f"{who.latin}: lesion 12 mm",
        BoundingBoxTopLeftHandCorner=[10.0, 10.0],
        BoundingBoxBottomRightHandCorner=[90.0, 30.0],
        BoundingBoxTextHorizontalJustification="LEFT",
    )
    ds.GraphicAnnotationSequence = [item(GraphicLayer="LAYER1", TextObjectSequence=[text])]
    path = "GraphicAnnotationSequence#0/TextObjectSequence#0/"
    file.removed("text of graphic annotations", path + "UnformattedTextValue", who.latin)
    file.kept("text of graphic annotations", path + "UnformattedTextValue", "lesion 12 mm")
    file.tag("text of graphic annotations", path + "BoundingBoxTopLeftHandCorner", "10\\10")
    ds.GraphicLayerSequence = [
        item(GraphicLayer="LAYER1", GraphicLayerOrder=1, GraphicLayerDescription=f"for {who.id}")
    ]
    file.removed("texts that no rule names", "GraphicLayerSequence#0/GraphicLayerDescription", who.id)
    m.write(file)


def waveform(m: Maker, who: Person) -> None:
    """A waveform with annotations."""
    file = m.open("waveform_ecg.dcm", who, "waveform")
    ds = file.ds
    note = item(AnnotationGroupNumber=1, UnformattedTextValue=f"{who.latin_given} {who.latin}: sinus rhythm")
    ds.WaveformAnnotationSequence = [note, *(ds.get("WaveformAnnotationSequence") or [])]
    path = "WaveformAnnotationSequence#0/UnformattedTextValue"
    file.removed("waveform annotations", path, who.latin, who.latin_given)
    file.kept("waveform annotations", path, "sinus rhythm")
    channel = ds.WaveformSequence[0].ChannelDefinitionSequence[0]
    channel.ChannelLabel = f"Lead I {who.latin}"[:16]
    path = "WaveformSequence#0/ChannelDefinitionSequence#0/ChannelLabel"
    file.removed("waveform annotations", path, f"Lead I {who.latin}"[:16])
    file.tag(
        "samples of waveforms", "WaveformSequence#0/SamplingFrequency", plain(ds.WaveformSequence[0].SamplingFrequency)
    )
    file.tag("samples of waveforms", "WaveformSequence#0/WaveformData", plain(ds.WaveformSequence[0].WaveformData))
    m.write(file)


def overlays(m: Maker, who: Person) -> None:
    """Overlays and curves."""
    file = m.open("MR_small.dcm", who, "overlays")
    bits = np.zeros((64, 64), np.uint8)
    box = (4, 2, 14, 60)
    drawn = draw(np.zeros((64, 64), np.uint8), who.latin[:9].upper(), box, 12)
    bits[drawn > 100] = 1
    for tag, vr, value in (
        (0x60000010, "US", 64), (0x60000011, "US", 64), (0x60000040, "CS", "G"), (0x60000050, "SS", [1, 1]),
        (0x60000100, "US", 1), (0x60000102, "US", 0), (0x60000022, "LO", f"Overlay {who.latin}"),
        (0x60001500, "LO", who.id), (0x60003000, "OW", np.packbits(bits.ravel(), bitorder="little").tobytes()),
        (0x60004000, "LT", f"{who.latin} commented"),
    ):  # fmt: skip
        file.add(tag, vr, value)
    file.removed("overlay labels", "60000022", who.latin)
    file.removed("overlay labels", "60001500", who.id)
    file.removed("overlay labels", "60004000", who.latin)
    file.line("pixels_hidden", "text drawn in overlays", "60003000", box=box)
    points = struct.pack("<8h", *range(8))
    for tag, vr, value in (
        (0x50000005, "US", 2), (0x50000010, "US", 4), (0x50000020, "CS", "ECG"),
        (0x50000022, "LO", f"Curve {who.latin}"),
        (0x50000103, "US", 1), (0x50002500, "LO", who.id), (0x50003000, "OW", points),
    ):  # fmt: skip
        file.add(tag, vr, value)
    file.removed("curve data", "50000022", who.latin)
    file.removed("curve data", "50002500", who.id)
    m.write(file)


def document(m: Maker, who: Person) -> None:
    """An encapsulated document."""
    file = m.made("1.2.840.10008.5.1.4.1.1.104.1", "DOC", who, "document")
    ds = file.ds
    text = f"%PDF-1.4\n% {who.latin} {who.id} {who.phone}\n%%EOF\n".encode()
    ds.EncapsulatedDocument = text + b"\0" * (len(text) % 2)
    ds.DocumentTitle, ds.MIMETypeOfEncapsulatedDocument = f"Letter about {who.latin}", "application/pdf"
    ds.BurnedInAnnotation = "YES"
    file.removed("encapsulated documents", "EncapsulatedDocument", who.id, who.phone)
    file.removed("titles of documents", "DocumentTitle", who.latin)
    file.tag("encapsulated documents", "MIMETypeOfEncapsulatedDocument", "application/pdf")
    m.write(file)


def icon(m: Maker, who: Person) -> None:
    """An icon with the name in it."""
    file = m.open("CT_small.dcm", who, "icon")
    box = (2, 2, 14, 60)
    picture = draw(np.full((64, 64), 20, np.uint8), who.latin[:9].upper(), box, 12)
    file.ds.IconImageSequence = [
        item(
            SamplesPerPixel=1, PhotometricInterpretation="MONOCHROME2", Rows=64, Columns=64, BitsAllocated=8,
            BitsStored=8, HighBit=7, PixelRepresentation=0, PixelData=picture.tobytes(),
        )
    ]  # fmt: skip
    file.ds.IconImageSequence[0]["PixelData"].VR = "OB"
    file.line("pixels_hidden", "icon images", "IconImageSequence#0/PixelData", box=box)
    m.write(file)


def specimen(m: Maker, who: Person) -> None:
    """A slide."""
    file = m.open("SC_rgb_rle.dcm", who, "specimen")
    ds = file.ds
    ds.SOPClassUID, ds.Modality = "1.2.840.10008.5.1.4.1.1.77.1.2", "SM"
    ds.file_meta.MediaStorageSOPClassUID = ds.SOPClassUID
    as_class(file)
    file.hide("specimens", "", "ContainerIdentifier", f"S19-{who.id[2:]}")
    file.filled("specimens", "ContainerIdentifier")
    uid = m.uid()
    inner = item(SpecimenIdentifier=f"S19-{who.id[2:]}-A", SpecimenUID=uid,
                 SpecimenShortDescription=f"Biopsy liver {who.latin}")  # fmt: skip
    ds.SpecimenDescriptionSequence = [inner]
    path = "SpecimenDescriptionSequence#0/"
    file.removed("specimens", path + "SpecimenIdentifier", who.id[2:])
    file.filled("specimens", path + "SpecimenIdentifier")
    file.uid("specimens", path + "SpecimenUID", uid)
    file.removed("specimens", path + "SpecimenShortDescription", who.latin)
    file.kept("specimens", path + "SpecimenShortDescription", "Biopsy liver")
    file.hide("specimens", "", "BarcodeValue", f"BC{who.id[2:]}")
    file.hide("specimens", "", "LabelText", f"{who.latin} S19", who.latin)
    m.write(file)


def photo(m: Maker, who: Person) -> None:
    """A photograph: places on earth, owner of the camera."""
    file = m.open("SC_rgb_small_odd.dcm", who, "photo")
    for keyword, value in (
        ("GPSLatitude", "52\\31\\12.0"), ("GPSLongitude", "13\\24\\18.4"), ("CameraOwnerName", "Wolstenholme"),
        ("LensSerialNumber", "LSN-8820"), ("MakerNote", None),
    ):  # fmt: skip
        if value:
            tag = Tag(keyword)
            file.add(int(tag), pydicom.datadict.dictionary_VR(tag), value.split("\\"))
            file.removed("photographs", keyword, value.split("\\")[-1])
    m.write(file)


def as_class(file: File) -> None:
    """Lines that were written before the object got another SOP class and modality."""
    sop_class = str(file.ds.SOPClassUID)
    file.lines = [replace(one, sop_class=sop_class) for one in file.lines if one.path != "00080060"]


def nuclear(m: Maker, who: Person) -> None:
    """Positron emission: the tracer's times, and private times."""
    file = m.open("CT_small.dcm", who, "nuclear")
    ds, stamp = file.ds, da(who.study_date)
    ds.SOPClassUID, ds.Modality = "1.2.840.10008.5.1.4.1.1.128", "PT"
    ds.file_meta.MediaStorageSOPClassUID = ds.SOPClassUID
    as_class(file)
    tracer = item(RadiopharmaceuticalStartDateTime=stamp + "091011", RadionuclideTotalDose="370500000",
                  RadionuclideHalfLife="6586.2", Radiopharmaceutical="FDG")  # fmt: skip
    ds.RadiopharmaceuticalInformationSequence = [tracer]
    path = "RadiopharmaceuticalInformationSequence#0/"
    file.shifted("times of tracers", path + "RadiopharmaceuticalStartDateTime", stamp + "091011")
    file.tag("geometry and technique", path + "RadionuclideTotalDose", plain(370500000.0))
    file.tag("geometry and technique", path + "RadionuclideHalfLife", plain(6586.2))
    ds.DecayFactor = "1.1234"
    file.tag("geometry and technique", "DecayFactor", "1.1234")
    path = file.private(0x0071, "SIEMENS MED PT", 0x22, "DT", stamp + "091011")
    file.removed("dates in private elements", path, stamp + "091011")
    m.write(file)


def registered(m: Maker, who: Person) -> None:
    """UIDs that name things of the standard stay."""
    file = m.open("MR_small.dcm", who, "registered")
    ds = file.ds
    ds.FrameOfReferenceUID = "1.2.840.10008.1.4.1.1"
    file.lines = [one for one in file.lines if one.path != "FrameOfReferenceUID"]
    file.tag("registered UIDs", "FrameOfReferenceUID", "1.2.840.10008.1.4.1.1")
    file.tag("registered UIDs", "SOPClassUID", ds.SOPClassUID)
    ds.CodingSchemeIdentificationSequence = [
        item(CodingSchemeDesignator="SCT", CodingSchemeUID="2.16.840.1.113883.6.96")
    ]
    path = "CodingSchemeIdentificationSequence#0/CodingSchemeUID"
    file.tag("registered UIDs", path, "2.16.840.1.113883.6.96")
    ds.PerformedProtocolCodeSequence = [
        item(CodeValue="1", CodingSchemeDesignator="DCM", CodeMeaning="x", ContextUID="1.2.840.10008.6.1.1")
    ]
    file.tag("registered UIDs", "PerformedProtocolCodeSequence#0/ContextUID", "1.2.840.10008.6.1.1")
    m.write(file)

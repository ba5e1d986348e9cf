"""Documents that highdicom writes, with every option that it has: what its templates of 2026 allow."""

from __future__ import annotations

import io

import highdicom as hd
import numpy as np
import pydicom
from pydicom.data import get_testdata_file
from pydicom.sr.codedict import codes
from pydicom.uid import generate_uid

import dicomcore as dc

SITE = [
    hd.sr.FindingSite(
        anatomic_location=codes.SCT.Lung, laterality=codes.SCT.Right, topographical_modifier=codes.SCT.Apical
    )
]
MM = codes.UCUM.Millimeter
POPULATION_MEAN = hd.sr.CodedConcept("373098007", "SCT", "Mean Value of population")
UPPER_LIMIT = hd.sr.CodedConcept("371933006", "SCT", "Normal Range Upper Limit")


def algorithm() -> hd.sr.AlgorithmIdentification:
    return hd.sr.AlgorithmIdentification(
        "one", "1.0", parameters=["a", "b"], family=codes.DCM.ArtificialIntelligence, manufacturer="Maker"
    )


def properties() -> hd.sr.MeasurementProperties:
    value = hd.sr.NumContentItem(UPPER_LIMIT, 5.0, MM, relationship_type=hd.sr.RelationshipTypeValues.HAS_PROPERTIES)
    statistics = hd.sr.NumContentItem(
        POPULATION_MEAN, 5.0, MM, relationship_type=hd.sr.RelationshipTypeValues.HAS_PROPERTIES
    )
    return hd.sr.MeasurementProperties(
        normality=codes.SCT.Normal,
        selection_status=codes.DCM.MeanValueChosen,
        measurement_statistical_properties=hd.sr.MeasurementStatisticalProperties([statistics], "words", "somebody"),
        normal_range_properties=hd.sr.NormalRangeProperties([value], "words", "somebody"),
        upper_measurement_uncertainty=1,
        lower_measurement_uncertainty=2,
    )


def measurement(image: pydicom.Dataset, full: bool) -> hd.sr.Measurement:
    source = hd.sr.SourceImageForMeasurement(image.SOPClassUID, image.SOPInstanceUID)
    return hd.sr.Measurement(
        codes.SCT.Diameter, 5.0, MM,
        tracking_identifier=hd.sr.TrackingIdentifier(generate_uid(), "two"),
        algorithm_id=algorithm(),
        derivation=codes.SCT.Maximum,
        finding_sites=SITE,
        method=codes.SCT.AreaOfDefinedRegion,
        properties=properties() if full else None,
        referenced_images=[source],
        referenced_real_world_value_map=hd.sr.RealWorldValueMap(image.SOPInstanceUID),
    )  # fmt: skip


def report(kind: str, *, properties_too: bool = False) -> dc.Dataset:
    """A document of TID 1500 with a group of TID 1410, 1411 or 1501."""
    image = pydicom.dcmread(get_testdata_file("CT_small.dcm"))
    person = hd.sr.PersonObserverIdentifyingAttributes(
        "Foo^Bar",
        "login",
        "place",
        codes.DCM.Resident,
        codes.DCM.Attending if hasattr(codes.DCM, "Attending") else None,
    )
    device = hd.sr.DeviceObserverIdentifyingAttributes(generate_uid(), "name", "maker", "model", "1", "here")
    subject = hd.sr.SubjectContext(codes.DCM.Fetus, hd.sr.SubjectContextFetus("1"))
    context = hd.sr.ObservationContext(
        hd.sr.ObserverContext(codes.DCM.Person, person), hd.sr.ObserverContext(codes.DCM.Device, device), subject
    )
    common = {
        "tracking_identifier": hd.sr.TrackingIdentifier(generate_uid(), "one"),
        "referenced_real_world_value_map": hd.sr.RealWorldValueMap(image.SOPInstanceUID),
        "time_point_context": hd.sr.TimePointContext(
            "T1", codes.DCM.Baseline, 1, "subject", "protocol",
            hd.sr.LongitudinalTemporalOffsetFromEvent(5, codes.UCUM.Day, codes.DCM.Enrollment)
            if hasattr(codes.DCM, "Enrollment") else None,
        ),
        "finding_type": codes.SCT.Nodule,
        "finding_category": codes.SCT.MorphologicallyAbnormalStructure,
        "method": codes.SCT.AreaOfDefinedRegion,
        "algorithm_id": algorithm(),
        "finding_sites": SITE,
        "session": "first",
        "measurements": [measurement(image, properties_too)],
        "qualitative_evaluations": [hd.sr.QualitativeEvaluation(codes.DCM.LevelOfSignificance, codes.SCT.Normal)],
    }  # fmt: skip
    region = hd.sr.ImageRegion(
        hd.sr.GraphicTypeValues.CIRCLE, np.array([[30.0, 30.0], [40.0, 30.0]]),
        hd.sr.SourceImageForRegion.from_source_image(image),
    )  # fmt: skip
    if kind == "planar":
        purpose = codes.DCM.Center if hasattr(codes.DCM, "Center") else None
        group = hd.sr.PlanarROIMeasurementsAndQualitativeEvaluations(
            referenced_region=region, geometric_purpose=purpose, **common
        )
    elif kind == "volumetric":
        group = hd.sr.VolumetricROIMeasurementsAndQualitativeEvaluations(referenced_regions=[region], **common)
    else:
        sources = [hd.sr.SourceImageForMeasurementGroup(image.SOPClassUID, image.SOPInstanceUID)]
        group = hd.sr.MeasurementsAndQualitativeEvaluations(source_images=sources, **common)
    content = hd.sr.MeasurementReport(
        context, codes.LN.CTUnspecifiedBodyRegion, imaging_measurements=[group],
        title=codes.DCM.ImagingMeasurementReport, referenced_images=[image],
    )  # fmt: skip
    document = hd.sr.Comprehensive3DSR([image], content, generate_uid(), 1, generate_uid(), 1, "M", is_complete=True)
    buffer = io.BytesIO()
    document.save_as(buffer, enforce_file_format=True)
    return dc.dcmread(buffer.getvalue())

"""Directory record types: the parents, the keys and the SOP classes of each (PS3.3 F.4, F.5)."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

from dicomcore.dictionary import tag_for_keyword
from dicomcore.uids import UID, uid_for_keyword

__all__ = ["LEAVES", "LEVELS", "RECORD_TYPES", "RETIRED_TYPES", "ROOT", "Key", "RecordType", "record_type_of"]


class Key(NamedTuple):
    """A record selection key. `type` is its type in the record: 1, 1C, 2, 2C or 3 (PS3.5 7.4).

    A key of type 1C is taken as required if the instance has a value for it.
    """

    keyword: str
    type: str

    @property
    def tag(self) -> int:
        """The element's tag."""
        found = tag_for_keyword(self.keyword)
        assert found is not None, self.keyword
        return int(found)


class RecordType(NamedTuple):
    """One row of PS3.3 Table F.4-1: the type's `name`, its `parents` (ROOT for the root entity) and its keys."""

    name: str
    parents: tuple[str, ...]
    keys: tuple[Key, ...]


def _keys(text: str) -> tuple[Key, ...]:
    pairs = (word.partition(":") for word in text.split())
    return tuple(Key(keyword, type_) for keyword, _, type_ in pairs)


ROOT = ""
LEVELS = ("PATIENT", "STUDY", "SERIES")
"""The record types above most leaf records, from the top."""

_DATED = "InstanceNumber:1 ContentDate:1 ContentTime:1"
_SERIES = "SERIES"
# The Content Identification Macro (PS3.3 Table 10-12).
_CONTENT = "InstanceNumber:1 ContentLabel:1 ContentDescription:2 ContentCreatorName:2"
_MADE = f"ContentDate:1 ContentTime:1 {_CONTENT}"
_TABLE = (
    ("PATIENT", ROOT, "PatientName:2 PatientID:1"),
    (
        "STUDY",
        "PATIENT",
        "StudyDate:1 StudyTime:1 AccessionNumber:2 StudyDescription:2 StudyInstanceUID:1 StudyID:1",
    ),
    ("SERIES", "STUDY", "Modality:1 SeriesInstanceUID:1 SeriesNumber:1 IconImageSequence:3"),
    ("IMAGE", _SERIES, "InstanceNumber:1 IconImageSequence:3"),
    ("RT DOSE", _SERIES, "InstanceNumber:1 IconImageSequence:3 DoseComment:3 DoseSummationType:1"),
    ("RT STRUCTURE SET", _SERIES, "InstanceNumber:1 StructureSetLabel:1 StructureSetDate:2 StructureSetTime:2"),
    ("RT PLAN", _SERIES, "InstanceNumber:1 RTPlanLabel:1 RTPlanDate:2 RTPlanTime:2"),
    ("RT TREAT RECORD", _SERIES, "InstanceNumber:1 TreatmentDate:2 TreatmentTime:2"),
    (
        "PRESENTATION",
        _SERIES,
        f"{_CONTENT} ReferencedSeriesSequence:1C PresentationCreationDate:1 PresentationCreationTime:1"
        " BlendingSequence:1C",
    ),
    ("WAVEFORM", _SERIES, _DATED),
    (
        "SR DOCUMENT",
        _SERIES,
        f"{_DATED} VerificationDateTime:1C ConceptNameCodeSequence:1 CompletionFlag:1 VerificationFlag:1"
        " ContentSequence:1C",
    ),
    ("KEY OBJECT DOC", _SERIES, f"{_DATED} ConceptNameCodeSequence:1 ContentSequence:1C"),
    (
        "SPECTROSCOPY",
        _SERIES,
        "ImageType:1 ContentDate:1 ContentTime:1 ReferencedImageEvidenceSequence:1C InstanceNumber:1 NumberOfFrames:1"
        " Rows:1 Columns:1 DataPointRows:1 DataPointColumns:1 IconImageSequence:3",
    ),
    ("RAW DATA", _SERIES, "ContentDate:1 ContentTime:1 InstanceNumber:2 IconImageSequence:3"),
    ("REGISTRATION", _SERIES, _MADE),
    ("FIDUCIAL", _SERIES, _MADE),
    (
        "HANGING PROTOCOL",
        ROOT,
        "HangingProtocolName:1 HangingProtocolDescription:1 HangingProtocolLevel:1 HangingProtocolCreator:1"
        " HangingProtocolCreationDateTime:1 HangingProtocolDefinitionSequence:1"
        " HangingProtocolUserIdentificationCodeSequence:2 NumberOfPriorsReferenced:1",
    ),
    (
        "ENCAP DOC",
        _SERIES,
        "ContentDate:2 ContentTime:2 InstanceNumber:1 ConceptNameCodeSequence:2 HL7InstanceIdentifier:1C"
        " DocumentTitle:2 MIMETypeOfEncapsulatedDocument:1",
    ),
    ("VALUE MAP", _SERIES, _MADE),
    ("STEREOMETRIC", _SERIES, ""),
    ("PALETTE", ROOT, "ContentLabel:1 ContentDescription:2"),
    ("IMPLANT", ROOT, "Manufacturer:1 ImplantName:1 ImplantPartNumber:1 ImplantSize:1C"),
    ("IMPLANT ASSY", ROOT, "Manufacturer:1 ImplantAssemblyTemplateName:1 ProcedureTypeCodeSequence:1"),
    (
        "IMPLANT GROUP",
        ROOT,
        "ImplantTemplateGroupName:1 ImplantTemplateGroupDescription:3 ImplantTemplateGroupIssuer:1",
    ),
    ("PLAN", _SERIES, ""),
    ("MEASUREMENT", _SERIES, _MADE),
    ("SURFACE", _SERIES, _MADE),
    ("SURFACE SCAN", _SERIES, "ContentDate:1 ContentTime:1"),
    ("TRACT", _SERIES, _MADE),
    ("ASSESSMENT", _SERIES, "InstanceCreationDate:1 InstanceCreationTime:2 InstanceNumber:1"),
    (
        "RADIOTHERAPY",
        _SERIES,
        "InstanceNumber:1 ContentDescription:2 ContentCreatorName:2 UserContentLabel:1C UserContentLongLabel:1C",
    ),
    ("ANNOTATION", _SERIES, _MADE),
    ("INVENTORY", ROOT, "ContentDate:1 ContentTime:1 InventoryPurpose:2"),
)


@cache
def _table() -> dict[str, RecordType]:
    return {name: RecordType(name, (parent,), _keys(keys)) for name, parent, keys in _TABLE}


RECORD_TYPES = _table()
LEAVES = frozenset(RECORD_TYPES) - frozenset(LEVELS)
"""Types of the records that refer to an instance."""

RETIRED_TYPES = frozenset(
    (
        "OVERLAY",
        "MODALITY LUT",
        "VOI LUT",
        "CURVE",
        "TOPIC",
        "VISIT",
        "RESULTS",
        "INTERPRETATION",
        "STUDY COMPONENT",
        "STORED PRINT",
        "PRINT QUEUE",
        "FILM SESSION",
        "FILM BOX",
        "IMAGE BOX",
        "HL7 STRUC DOC",
        "MRDR",
    )
)
"""Types of earlier editions, which are read and never written."""

# The SOP classes of each record type, by their keywords in PS3.6. All others are images (PS3.3 F.5.4).
_SOP_CLASSES = {
    "RT DOSE": "RTDoseStorage",
    "RT STRUCTURE SET": "RTStructureSetStorage",
    "RT PLAN": "RTPlanStorage RTIonPlanStorage",
    "RT TREAT RECORD": "RTBeamsTreatmentRecordStorage RTBrachyTreatmentRecordStorage RTTreatmentSummaryRecordStorage"
    " RTIonBeamsTreatmentRecordStorage",
    "PRESENTATION": "GrayscaleSoftcopyPresentationStateStorage ColorSoftcopyPresentationStateStorage"
    " PseudoColorSoftcopyPresentationStateStorage BlendingSoftcopyPresentationStateStorage"
    " XAXRFGrayscaleSoftcopyPresentationStateStorage GrayscalePlanarMPRVolumetricPresentationStateStorage"
    " CompositingPlanarMPRVolumetricPresentationStateStorage AdvancedBlendingPresentationStateStorage"
    " VolumeRenderingVolumetricPresentationStateStorage"
    " SegmentedVolumeRenderingVolumetricPresentationStateStorage"
    " MultipleVolumeRenderingVolumetricPresentationStateStorage"
    " VariableModalityLUTSoftcopyPresentationStateStorage BasicStructuredDisplayStorage",
    "WAVEFORM": "TwelveLeadECGWaveformStorage GeneralECGWaveformStorage AmbulatoryECGWaveformStorage"
    " General32bitECGWaveformStorage HemodynamicWaveformStorage CardiacElectrophysiologyWaveformStorage"
    " BasicVoiceAudioWaveformStorage GeneralAudioWaveformStorage ArterialPulseWaveformStorage"
    " RespiratoryWaveformStorage MultichannelRespiratoryWaveformStorage"
    " RoutineScalpElectroencephalogramWaveformStorage ElectromyogramWaveformStorage"
    " ElectrooculogramWaveformStorage SleepElectroencephalogramWaveformStorage BodyPositionWaveformStorage",
    "SR DOCUMENT": "BasicTextSRStorage EnhancedSRStorage ComprehensiveSRStorage Comprehensive3DSRStorage"
    " ExtensibleSRStorage ProcedureLogStorage MammographyCADSRStorage ChestCADSRStorage XRayRadiationDoseSRStorage"
    " RadiopharmaceuticalRadiationDoseSRStorage ColonCADSRStorage ImplantationPlanSRStorage"
    " AcquisitionContextSRStorage SimplifiedAdultEchoSRStorage PatientRadiationDoseSRStorage"
    " PlannedImagingAgentAdministrationSRStorage PerformedImagingAgentAdministrationSRStorage"
    " EnhancedXRayRadiationDoseSRStorage WaveformAnnotationSRStorage SpectaclePrescriptionReportStorage"
    " MacularGridThicknessAndVolumeReportStorage",
    "KEY OBJECT DOC": "KeyObjectSelectionDocumentStorage",
    "SPECTROSCOPY": "MRSpectroscopyStorage",
    "RAW DATA": "RawDataStorage",
    "REGISTRATION": "SpatialRegistrationStorage DeformableSpatialRegistrationStorage",
    "FIDUCIAL": "SpatialFiducialsStorage",
    "HANGING PROTOCOL": "HangingProtocolStorage",
    "ENCAP DOC": "EncapsulatedPDFStorage EncapsulatedCDAStorage EncapsulatedSTLStorage EncapsulatedOBJStorage"
    " EncapsulatedMTLStorage",
    "VALUE MAP": "RealWorldValueMappingStorage",
    "STEREOMETRIC": "StereometricRelationshipStorage",
    "PALETTE": "ColorPaletteStorage",
    "IMPLANT": "GenericImplantTemplateStorage",
    "IMPLANT ASSY": "ImplantAssemblyTemplateStorage",
    "IMPLANT GROUP": "ImplantTemplateGroupStorage",
    "PLAN": "RTBeamsDeliveryInstructionStorage RTBrachyApplicationSetupDeliveryInstructionStorage"
    " CTDefinedProcedureProtocolStorage CTPerformedProcedureProtocolStorage ProtocolApprovalStorage"
    " XADefinedProcedureProtocolStorage XAPerformedProcedureProtocolStorage",
    "MEASUREMENT": "LensometryMeasurementsStorage AutorefractionMeasurementsStorage KeratometryMeasurementsStorage"
    " SubjectiveRefractionMeasurementsStorage VisualAcuityMeasurementsStorage OphthalmicAxialMeasurementsStorage"
    " IntraocularLensCalculationsStorage OphthalmicVisualFieldStaticPerimetryMeasurementsStorage",
    "SURFACE": "SurfaceSegmentationStorage",
    "SURFACE SCAN": "SurfaceScanMeshStorage SurfaceScanPointCloudStorage",
    "TRACT": "TractographyResultsStorage",
    "ASSESSMENT": "ContentAssessmentResultsStorage",
    "RADIOTHERAPY": "RTPhysicianIntentStorage RTSegmentAnnotationStorage RTRadiationSetStorage"
    " CArmPhotonElectronRadiationStorage TomotherapeuticRadiationStorage RoboticArmRadiationStorage"
    " RTRadiationRecordSetStorage RTRadiationSalvageRecordStorage TomotherapeuticRadiationRecordStorage"
    " CArmPhotonElectronRadiationRecordStorage RoboticRadiationRecordStorage"
    " RTRadiationSetDeliveryInstructionStorage RTTreatmentPreparationStorage"
    " RTPatientPositionAcquisitionInstructionStorage",
    "ANNOTATION": "MicroscopyBulkSimpleAnnotationsStorage",
    "INVENTORY": "InventoryStorage",
}


@cache
def _types_by_class() -> dict[str, str]:
    found = {}
    for name, keywords in _SOP_CLASSES.items():
        for keyword in keywords.split():
            uid = uid_for_keyword(keyword)
            if uid is not None:  # None in an edition of PS3.6 without the class
                found[str(uid)] = name
    return found


def record_type_of(sop_class: str, *, has_pixels: bool) -> str | None:
    """The type of the record for an instance of `sop_class`; None if PS3.3 has none for it.

    An unlisted SOP class is an image if the instance has pixels or the name of the class in PS3.6 says so.
    """
    found = _types_by_class().get(sop_class)
    if found is None and (has_pixels or "Image Storage" in UID(sop_class).name):
        return "IMAGE"
    return found

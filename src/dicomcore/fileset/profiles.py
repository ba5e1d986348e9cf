"""The application profiles of PS3.11 as data: the contents that each allows, and the keys that records must have."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

from dicomcore import uids
from dicomcore.fileset.keys import Key
from dicomcore.uids import uid_for_keyword

__all__ = ["ANY", "DEFAULT_PROFILE", "MULTI_FRAME", "PROFILES", "Content", "Profile", "Values", "profile_named"]

ANY = "any"
"""Every composite storage SOP class."""
MULTI_FRAME = "multi-frame"
"""Every storage SOP class of multi-frame images."""


class Content(NamedTuple):
    """SOP classes (UIDs, ANY or MULTI_FRAME) and the transfer syntaxes allowed for them; an empty tuple allows all."""

    sop_classes: tuple[str, ...]
    syntaxes: tuple[str, ...]


class Values(NamedTuple):
    """A rule for an attribute of instances of some SOP classes: its value is one of `allowed`, or at most `most`.

    `required`: the attribute must be present. `only_if`: the rule applies only if another attribute has this value.
    """

    sop_classes: tuple[str, ...]
    keyword: str
    allowed: tuple[object, ...] = ()
    most: int | None = None
    required: bool = True
    only_if: tuple[str, object] | None = None


class Profile(NamedTuple):
    """One application profile.

    `clause` is the annex of PS3.11 that defines it. `keys` are the keys that it adds to PS3.3 F.5, with their record
    types. `icon_size` is the size in pixels of the icons that image records must have, 0 if it requires none;
    `icon_fixed` is the size of optional icons. `secure`: files must be Secure DICOM Files (PS3.10 7.4). `directory`: a
    DICOMDIR with records is required. `one_record_a_patient`: no two PATIENT records may have the same Patient ID.
    """

    name: str
    clause: str
    media: str
    contents: tuple[Content, ...]
    keys: tuple[tuple[str, Key], ...] = ()
    values: tuple[Values, ...] = ()
    icon_size: int = 0
    icon_fixed: int = 0
    secure: bool = False
    directory: bool = True
    one_record_a_patient: bool = False

    def keys_by_type(self) -> dict[str, tuple[Key, ...]]:
        """The added keys of each record type."""
        found: dict[str, list[Key]] = {}
        for kind, key in self.keys:
            found.setdefault(kind, []).append(key)
        return {kind: tuple(keys) for kind, keys in found.items()}


def _uids(keywords: str) -> tuple[str, ...]:
    found = [uid_for_keyword(keyword) for keyword in keywords.split()]
    return tuple(str(uid) for uid in found if uid is not None)


def _keys(kinds: str, text: str) -> tuple[tuple[str, Key], ...]:
    pairs = [word.split(":") for word in text.split()]
    return tuple((kind, Key(keyword, type_)) for kind in kinds.split("+") for keyword, type_ in pairs)


EXPLICIT = (str(uids.ExplicitVRLittleEndian),)
LOSSLESS = (str(uids.JPEGLosslessSV1),)
JPEG = (*EXPLICIT, *LOSSLESS, str(uids.JPEGBaseline8Bit), str(uids.JPEGExtended12Bit))
J2K = (*EXPLICIT, str(uids.JPEG2000Lossless), str(uids.JPEG2000))
US_SYNTAXES = (*EXPLICIT, str(uids.RLELossless), str(uids.JPEGBaseline8Bit))

XA = _uids("XRayAngiographicImageStorage")
SC = _uids("SecondaryCaptureImageStorage")
GSPS = _uids("GrayscaleSoftcopyPresentationStateStorage")
US = _uids("UltrasoundImageStorage")
US_MULTI = _uids("UltrasoundMultiFrameImageStorage")
CT, MR = _uids("CTImageStorage"), _uids("MRImageStorage")
DENTAL = _uids("DigitalIntraOralXRayImageStorageForPresentation DigitalXRayImageStorageForPresentation")

# PS3.11 Tables A.3-2 and B.3-2, without the contents of sequences.
CARDIAC = (
    *_keys("PATIENT", "PatientBirthDate:2 PatientSex:2"),
    *_keys("SERIES", "InstitutionName:2 InstitutionAddress:2 PerformingPhysicianName:2"),
)
XABC_KEYS = (*CARDIAC, *_keys("IMAGE", "ImageType:1 CalibrationImage:2 ReferencedImageSequence:1C"))
XA1K_KEYS = (
    *CARDIAC,
    *_keys("IMAGE", "ImageType:1C CalibrationImage:2 ReferencedImageSequence:1C LossyImageCompressionRatio:1C"),
)
GEN_KEYS = _keys("IMAGE", "ImageType:1C ReferencedImageSequence:1C")  # Table D.3-2
CTMR_KEYS = _keys(  # Table E.3-2
    "IMAGE",
    "ReferencedImageSequence:1C ImagePositionPatient:1C ImageOrientationPatient:1C FrameOfReferenceUID:1C Rows:1"
    " Columns:1 PixelSpacing:1C",
)
WITH_PERSON = (
    *_keys("PATIENT", "PatientBirthDate:1C PatientSex:1C"),
    *_keys("SERIES", "InstitutionName:1C InstitutionAddress:1C PerformingPhysicianName:1C"),
)
DVD_KEYS = (  # Tables H.3-2, J.3-2 and M.3-2
    *WITH_PERSON,
    *_keys("IMAGE", "ImageType:1C CalibrationImage:1C LossyImageCompressionRatio:1C"),
    *_keys(
        "IMAGE+SPECTROSCOPY",
        "ReferencedImageSequence:1C Rows:1 Columns:1 FrameOfReferenceUID:1C SynchronizationFrameOfReferenceUID:1C"
        " NumberOfFrames:1C AcquisitionTimeSynchronized:1C AcquisitionDateTime:1C ImagePositionPatient:1C"
        " ImageOrientationPatient:1C PixelSpacing:1C",
    ),
)
VIDEO_KEYS = (*WITH_PERSON, *_keys("IMAGE", "ImageType:1C LossyImageCompressionRatio:1C Rows:1 Columns:1"))  # I.3-2

XABC_VALUES = (  # Table A.3-3
    Values(XA, "Modality", ("XA",)),
    Values(XA, "Rows", most=512),
    Values(XA, "Columns", most=512),
    Values(XA, "BitsAllocated", (8,)),
    Values(XA, "BitsStored", (8,)),
)
XA1K_VALUES = (  # Tables B.3-3 and B.3-4
    Values(XA, "Modality", ("XA",)),
    Values(XA, "Rows", most=1024),
    Values(XA, "Columns", most=1024),
    Values(XA, "BitsStored", (8, 10, 12)),
    Values(SC, "Rows", most=1024),
    Values(SC, "Columns", most=1024),
    Values(SC, "SamplesPerPixel", (1,)),
    Values(SC, "PhotometricInterpretation", ("MONOCHROME2",)),
    Values(SC, "BitsAllocated", (8,)),
    Values(SC, "BitsStored", (8,)),
    Values(SC, "HighBit", (7,)),
    Values(SC, "PixelRepresentation", (0,)),
)
CTMR_VALUES = (  # Tables E.3-3 to E.3-6
    Values(CT, "Modality", ("CT",)),
    Values(CT, "PhotometricInterpretation", ("MONOCHROME2",)),
    Values(MR, "Modality", ("MR",)),
    Values(MR, "PhotometricInterpretation", ("MONOCHROME2",)),
    Values(MR, "BitsStored", (8, 12, 13, 14, 15, 16)),
    Values(SC, "SamplesPerPixel", (1,)),
    Values(SC, "PhotometricInterpretation", ("MONOCHROME2", "PALETTE COLOR")),
    Values(SC, "BitsAllocated", (8, 16)),
    Values(SC, "BitsAllocated", (8,), only_if=("PhotometricInterpretation", "PALETTE COLOR")),
)
DENTAL_VALUES = (  # Tables K.3-3 and L.3-3
    Values(DENTAL, "BitsStored", (8, 10, 12, 16)),
    Values(DENTAL, "BitsAllocated", (8,), only_if=("BitsStored", 8)),
    Values(DENTAL, "BitsAllocated", (16,), only_if=("BitsStored", 10)),
    Values(DENTAL, "BitsAllocated", (16,), only_if=("BitsStored", 12)),
    Values(DENTAL, "BitsAllocated", (16,), only_if=("BitsStored", 16)),
)
US_COLOURS = (  # Table C.3-2
    Values((*US, *US_MULTI), "PhotometricInterpretation",
           ("MONOCHROME2", "RGB", "PALETTE COLOR", "YBR_FULL", "YBR_FULL_422")),
)  # fmt: skip
US_REGIONS = (Values((*US, *US_MULTI), "SequenceOfUltrasoundRegions"),)  # C.4, C.5

DEFAULT_PROFILE = "STD-GEN-CD"


def profile_named(name: str | Profile) -> Profile:
    """The profile with a name of PS3.11, such as ``"STD-CTMR-CD"``. Raises ValueError for an unknown name."""
    if isinstance(name, Profile):
        return name
    found = PROFILES.get(name.upper())
    if found is None:
        near = [one for one in PROFILES if one.startswith(name.upper()[:7])] or list(PROFILES)
        raise ValueError(f"{name!r} is no application profile of PS3.11; similar names: {', '.join(near[:8])}")
    return found


def _cardiac() -> list[Profile]:
    xabc = (Content(XA, LOSSLESS),)
    others = (Content(SC, EXPLICIT), Content(GSPS, EXPLICIT))
    jpeg = (*LOSSLESS, str(uids.JPEGBaseline8Bit), str(uids.JPEGExtended12Bit))
    return [
        Profile("STD-XABC-CD", "A", "CD-R", xabc, XABC_KEYS, XABC_VALUES, icon_size=128),
        Profile("STD-XA1K-CD", "B", "CD-R", (Content(XA, LOSSLESS), *others), XA1K_KEYS, XA1K_VALUES, icon_size=128),
        Profile("STD-XA1K-DVD", "B", "DVD", (Content(XA, jpeg), *others), XA1K_KEYS, XA1K_VALUES, icon_size=128),
    ]


def _ultrasound() -> list[Profile]:
    found = []
    media = {"MOD23-90": "2.3 GB 90 mm MOD", "CDR": "CD-R", "DVD-RAM": "DVD-RAM", "DVD": "DVD"}
    for kind, values in (("ID", ()), ("SC", US_REGIONS), ("CC", US_REGIONS)):
        for frames, classes in (("SF", US), ("MF", (*US, *US_MULTI))):
            for code, name in media.items():
                found.append(
                    Profile(
                        f"STD-US-{kind}-{frames}-{code}",
                        "C",
                        name,
                        (Content(classes, US_SYNTAXES),),
                        values=(*US_COLOURS, *values),
                        one_record_a_patient=True,
                    )
                )
    return found


def _ct_mr() -> list[Profile]:
    contents = (
        Content((*CT, *MR, *SC), (*LOSSLESS, *EXPLICIT)),
        Content((*GSPS, *_uids("XRayRadiationDoseSRStorage")), EXPLICIT),
    )
    media = {"MOD41": "4.1 GB MOD", "CD": "CD-R", "DVD-RAM": "DVD-RAM", "DVD": "DVD"}
    return [
        Profile(f"STD-CTMR-{code}", "E", name, contents, CTMR_KEYS, CTMR_VALUES, icon_fixed=64)
        for code, name in media.items()
    ]


def _general() -> list[Profile]:
    found = []
    for secure in (False, True):
        sec = "SEC-" if secure else ""
        for code, name in (("CD", "CD-R"), ("DVD-RAM", "DVD-RAM"), ("BD", "BD")):
            found.append(_open(f"STD-GEN-{sec}{code}", "D", name, EXPLICIT, GEN_KEYS, secure))
        for code, clause, name in (
            ("DVD", "H", "DVD"),
            ("USB", "J", "USB device"),
            ("MMC", "J", "MultiMedia card"),
            ("CF", "J", "CompactFlash card"),
            ("SD", "J", "SD card"),
            ("BD", "M", "BD"),
        ):
            found.append(_open(f"STD-GEN-{sec}{code}-JPEG", clause, name, JPEG, DVD_KEYS, secure))
            found.append(_open(f"STD-GEN-{sec}{code}-J2K", clause, name, J2K, DVD_KEYS, secure))
        for code, syntax in (
            ("MPEG2-MPML", uids.MPEG2MPML),
            ("MPEG2-MPHL", uids.MPEG2MPHL),
            ("MPEG4-HPLV41", uids.MPEG4HP41),
            ("MPEG4-HPLV41BD", uids.MPEG4HP41BD),
            ("MPEG4-HPLV42-2D", uids.MPEG4HP422D),
            ("MPEG4-HPLV42-3D", uids.MPEG4HP423D),
            ("MPEG4-SHPLV42", uids.MPEG4HP42STEREO),
        ):
            clause = "N" if "LV42" in code else "M"
            found.append(_video(f"STD-GEN-{sec}BD-{code}", clause, "BD", str(syntax), DVD_KEYS, secure))
        found.append(_video(f"STD-DVD-{sec}MPEG2-MPML", "I", "DVD", str(uids.MPEG2MPML), VIDEO_KEYS, secure))
    return found


def _open(
    name: str, clause: str, media: str, syntaxes: tuple[str, ...], keys: tuple[tuple[str, Key], ...], secure: bool
) -> Profile:
    contents = (Content((ANY,), syntaxes),)
    return Profile(name, clause, media, contents, keys, secure=secure, one_record_a_patient=True)


def _video(name: str, clause: str, media: str, syntax: str, keys: tuple[tuple[str, Key], ...], secure: bool) -> Profile:
    contents = (Content((MULTI_FRAME,), (syntax,)),)
    return Profile(name, clause, media, contents, keys, secure=secure, one_record_a_patient=True)


def _others() -> list[Profile]:
    anything = (Content((ANY,), ()),)
    shown = _uids("BasicStructuredDisplayStorage GrayscaleSoftcopyPresentationStateStorage")
    dental = (Content((*DENTAL, *shown), EXPLICIT),)
    return [
        Profile("STD-GEN-MIME", "G", "DICOM MIME", anything, directory=False),
        Profile("STD-DEN-CD", "K", "CD-R", dental, values=DENTAL_VALUES, one_record_a_patient=True),
        Profile("STD-GEN-ZIP-MAIL", "L", "ZIP file by e-mail", anything),
        Profile("STD-GEN-SEC-ZIP-MAIL", "L", "ZIP file by encrypted e-mail", anything),
        Profile(
            "STD-DTL-SEC-ZIP-MAIL",
            "L",
            "ZIP file by encrypted e-mail",
            (Content(DENTAL, EXPLICIT),),
            values=DENTAL_VALUES,
        ),
    ]


@cache
def _table() -> dict[str, Profile]:
    every = [*_cardiac(), *_ultrasound(), *_general(), *_ct_mr(), *_others()]
    return {profile.name: profile for profile in sorted(every, key=lambda one: (one.clause, one.name))}


PROFILES = _table()
"""All application profiles, by name."""

"""Why a condition, or a part of it, is none that a machine can tell from a data set, by words that it has."""

from __future__ import annotations

import re

from tools.standard.conditions.tree import UNDECIDED, Tree

REASONS = {
    "making": "depends on how the object was made",
    "intent": "depends on what the creator wants to say or show",
    "knowledge": "depends on what the creator knows",
    "reference": "depends on another object",
    "lookup": "depends on an item of this object that a number or a UID names",
    "device": "depends on the device",
    "subject": "depends on the patient or the specimen",
    "pixels": "depends on what pixel data or a document holds",
    "course": "depends on what changes from item to item",
    "text": "depends on the characters of texts",
    "exchange": "depends on how the object was asked for, or is sent",
    "meaning": "depends on the meaning of values",
    "rules": "depends on rules outside the standard",
    "default": "its absence stands for a value",
    "elsewhere": "names an attribute that its IODs do not have",
    "cut": "the text is cut, and no source has the rest",
}

PHRASES: tuple[tuple[str, str], ...] = (
    ("cut", r"^(if )?the conditions in( section .*)?$"),
    ("default", r"^the (value|constraint may) (is )?not (TIME|be modified)$|^type of framing is not time forward"),
    ("default", r"^this differs from the natural|^the Z offset is not zero|^the starting Image Frame number|^different from #$"),
    ("course", r"^(any )?[\w# -]* changes? during (the )?(beam|setup)|^beam limiting device angle changes during"),
    ("course", r"^the depth values change during movement$"),
    # What the creator drew on.
    ("reference", r"in the contributing SOP Instances$|present in the source images|an? Performed Procedure Step SOP Class was"),
    ("reference", r"^(the )?instances? referenced (in|by) .*(contains the device that corresponds|is tiled|contains a # Item)"),
    ("reference", r"^the (device|values are present).* consistent in the contributing|^the referenced SOP instance (is|has) "),
    ("reference", r"of the (range modulator|wedge|RT Plan|referenced RT Plan)? ?(referenced )?(by|in) # is|^# of the \w+ \w* ?referenced by"),
    ("reference", r"in the RT Ion Plan referenced within #$|was present in #$|in the referenced RT Radiation (Set|SOP Instance)$"),
    ("reference", r"^the (current )?instance was derived from|^the information model of the referenced|referenced # Instance"),
    ("reference", r"^the current Frame was acquired at a position|the referenced (plan|RT Accessory Holder Device|beam) "),
    ("reference", r"^the recorded # corresponds|^the scope is limited to|^the referenced (acquisition|Waveform|Inventory)"),
    ("reference", r"^# Value of the Images referenced by .* does not match #|^segments that do not have the same"),
    ("reference", r"^any Item in # (combines segments|references a)|^Group 60xx is present|corresponds to a Control Point in #$"),
    ("reference", r"^the current SOP Instance was|^the Directory Record references|equal to the Meterset of the last RT Control"),
    ("reference", r"^the result is used for|^this (Document|document) (fulfills|pertains|includes|is stored)|^the same Multiplex"),
    ("reference", r"^this (SOP )?Instance (replaces|references|is created|was created|has been created)|^the Instance replaces"),
    ("reference", r"^this (RT Physician Intent replaces|Key Object|instance is a Performed)|^references more than one SOP"),
    ("reference", r"^more than one Optical Path|^there is more than one Optical Path|^RT Radiation Set, RT Radiation Instances or"),
    ("reference", r"^one or more (RT Radiation SOP Instances|channels of any)|^an? RT Radiation (Set|SOP) Instance"),
    ("reference", r"^the alternate representation is in a different|^another Series was used|^unencapsulated HL7"),
    ("reference", r"^the (series has been|reconstruction is) created (as|from)|^derived from one or more|^# is DICOM and the Inf"),
    ("reference", r"^was not issued, but read from another|, but read from another SOP Instance$|a Group of Multi-frame Image SOP"),
    ("reference", r"^the violation corresponds to|^a related Performed|^Ophthalmic Photography Reference Image|^# is included in the"),
    ("reference", r"^(the )?image is part of a Series in which|^SOP Instances for this Study may be|^the referenced image"),
    ("reference", r"^the Attribute referenced by #|^# is a Code Sequence$|^# is an? .* that is contained within a Functional"),
    # What the creator means.
    ("intent", r"^[^.]*\bin this Item (does|do) not apply to (all|the (entire|complete))|^the (VOI LUT|dose) [\w ]*does not apply|do not apply to all|^the (reference|registration|concept) (does|applies)"),
    ("intent", r"(is|are|needs) to be (applied|displayed|used|performed|recorded|defined|blended|subtracted|transferred)"),
    ("intent", r"^(rotation|graphic|synchronized display|presentation controls|pixel padding|the geometry of)|to be applied"),
    ("intent", r"^needed to fully|does not fully (specify|describe)|^used as a dimension index|^the input is|^the selected content"),
    ("intent", r"^(this|SOP) (SOP )?(Instance|Series|Study) is (not )?(to be|suitable)|^this (Series|Study) is not to be|is associated with"),
    ("intent", r"^the storage request only|^the Target Content Item|^shutters|^display sequences|^beam shall be|^# is nested in"),
    ("intent", r"^there is a one-way|^additional RT Accessory|^application level|^certain recipients|^a special delivery mode"),
    ("intent", r"^Measurement Values stored in # |^a central beam axis|^a fraction pattern|^segmentation is used to select"),
    ("intent", r"^the Dosimetric Objective applies|^the Meterset to dose mapping|^expected values are calculated|^dose is calculated"),
    ("intent", r"^# is a reference to a standard|^the (size number is not|component exists)|^the (Conceptual Volume|protocol) is not"),
    ("intent", r"^the Frame is related to|^# is only significant|^the dose delivered is|^RT Dose is being|^this Patient Setup Photo"),
    ("intent", r"^the Image is to be|^the violation|^all time points|^a standard color space|^the enclosing Content Item has rel"),
    ("making", r"(was|were|has been|have been) (applied|used|performed|calibrated|excluded|converted|compressed|administered)"),
    ("making", r"^lossy compression|acquired (in|while|simultaneously|using)|^the acquisition is not taken|^deformation is|is measured"),
    ("making", r"^(near|intermediate) point refraction|^refraction is done|part of a refraction|^detector binning|^samples represent"),
    ("making", r"^waveform(s| acquisition)|^rotational catheter|^the filter is|^image was acquired|^the IOD stores data|^synchronization ch"),
    ("making", r"^the device calculated|^a (Protocol is|matrix|normative|quality rating|low-pass|high-pass)|^procedure was scheduled"),
    ("making", r"^Inventory creation was|^(the )?object extraction|^Presentation State is created|^this Instance was created by conv"),
    ("making", r"^image does not require|^secondary positioner|^the transducer position|^the image (has been|was)|^the assessor used"),
    ("making", r"^any unassigned|^time synchronization|^contrast (media|was)|^Image is created with table|^(X-Ray|the X-Ray) "),
    ("making", r"^the referenced beam describes|^the compensator pattern|^the source is not|^only some of the beams"),
    ("knowledge", r"^it is known|^the creator is aware|^a template defined|a Template defined|the identity of a CDA|^Coding Scheme is"),
    ("knowledge", r"numeric value,? (has a unit|cannot)|are numeric values|^have (units|the same)|numeric value|^the unit is not"),
    ("device", r"^required by treatment delivery|^the system is|^X-Ray source can|^the X-Ray source can|^the detector can"),
    ("device", r"^there are multiple devices|^acquisition equipment inserts|SOP Class is supported$|^treatment technique requires"),
    ("subject", r"the patient is|^patient is|^the body part examined|^the left (eye|lens)|^the right (eye|lens)|^the implant (has|is)"),
    ("subject", r"^astigmatic|^prism is|^(one or more )?biopsy targets|^multiple specimens|^a single lens|^Add \w+ is|frame of reference is not"),
    ("subject", r"^such information has been issued|^the imaging subject|^imaging subject"),
    ("pixels", r"^the FOR PROCESSING image contains|^encapsulated document is|^the encapsulated document|^# contains a reference to"),
    ("pixels", r"^Frames are parallel|^the image pixel data|^pixel component calibration|^all points in # or # are in|^the first data p"),
    ("pixels", r"contains multiplexed|^at least one leaf|^the pixel shift|^the aspect ratio values"),
    ("text", r"character set"),
    ("meaning", r"is not sufficient to identify|has insufficient precision|^the code value is|^the length of the code value"),
    ("meaning", r"^# is (not )?a URN or URL|contains a parameter which represents|^the date and time are different"),
    ("exchange", r"^(List of UID|Range|Single Value, Multiple|Empty Value|extended) Matching|^extended matching|is applied to any Key"),
    ("exchange", r"^the Instance has ever been converted|^the image is to be transferred"),
    ("rules", r"^required by law"),
    # Modules and functional groups of IODs.
    ("exchange", r"created in response to a Frame-Level retrieve"),
    ("pixels", r"^pixel data is|^Multi-frame image is|^Overlay data contains|^dose data contains|^(64|32) bit floating|^integer pixels"),
    ("intent", r"the VOI LUT stage|^the Image may be|^annotation is present|not conveyed by|^other Instances are referenced|is to be"),
    ("intent", r"^the Frame of Reference is defined in|^not empty$|for the purpose of|^Graphic Annotations|^an Overlay|^Overlay"),
    ("making", r"^multiple images are obtained|sequential temporal relationship|^system time is|^time sync|^multiple Instances are sp"),
    ("making", r"^(bulk motion|cardiac|respiratory) synchronization (was|is)|^contrast |^created by conversion|^the system is able"),
    ("making", r"^cardiac rest|^cutaneous|^slide microscopy|^Frames are temporally|not temporally referenced|^X-Ray|^all Frames or the"),
    ("making", r"^the current Frame was acquired|plane is not normal|reconstructed from a system|^the image pixel data|^device calculates"),
    ("making", r"^a quality rating|^graphic annotation is present"),
    ("reference", r"^the image or Frame has been (planned|derived)|has been derived from another|was present in any of the Classic"),
    ("reference", r"^(no )?Ophthalmic Photography Reference|^(the )?referenced images? (is|are|contain)|contains a Value defined in"),
)



def _any(*trees: Tree) -> Tree:
    return ("or", *trees)


def _uids(tag: str, scope: str, *uids: str) -> Tree:
    return ("in", scope, tag, 0, tuple(f"1.2.840.10008.{uid}" for uid in uids))


# Transfer syntaxes that always lose something; of others (JPEG-LS near-lossless, JPEG 2000) it can't be told.
LOSSY = ("1.2.4.50", "1.2.4.51", *(f"1.2.4.{n}" for n in range(100, 109)))
HUMAN = (("SCT", "337915000"), ("SRT", "L-85B00"), ("SNM3", "L-85B00"))
SEGMENTATIONS = ("5.1.4.1.1.66.4", "5.1.4.1.1.66.7", "5.1.4.1.1.66.8")
SURFACES = ("5.1.4.1.1.66.5",)
WAVEFORMS = tuple(
    f"5.1.4.1.1.9.{n}"
    for n in ("1.1", "1.2", "1.3", "1.4", "2.1", "3.1", "4.1", "4.2", "5.1", "6.1", "6.2", "7.1", "7.2", "7.3", "7.4", "8.1")
)

# Phrases of which something can be told all the same; `*` is the scope where the tables have the attribute.
TESTS: tuple[tuple[str, str, Tree], ...] = (
    (
        "subject",
        r"(the )?patient is a non-human organism",
        _any(("and", ("items", ".", "00102202", ">", 0), ("not", ("code", ".", "00102202", HUMAN))), UNDECIDED),
    ),
    ("making", r"lossy compression has been performed on the images?", _any(_uids("00020010", "/", *LOSSY), UNDECIDED)),
    ("making", r"this (IOD|SOP) Instance has been compressed", _any(_uids("00020010", "/", *LOSSY), UNDECIDED)),
    (
        "making",
        r"it is known whether or not lossy compression has been performed on the images",
        _any(_uids("00020010", "/", *LOSSY), UNDECIDED),
    ),
    ("", r"the Referenced SOP Instance is a Segmentation", _uids("00081150", "*", *SEGMENTATIONS)),
    ("", r"the Referenced SOP Instance is a Segmentation or Surface Segmentation",
        _uids("00081150", "*", *SEGMENTATIONS, *SURFACES)),
    ("", r"the Referenced SOP Instance is a Waveform", _uids("00081150", "*", *WAVEFORMS)),
    (
        "reference",
        r"the Referenced SOP Instance is a Waveform that contains multiple Channels",
        ("and", _uids("00081150", "*", *WAVEFORMS), UNDECIDED),
    ),
    ("", r"the source is not a gamma-emitting source", ("cmp", "*", "300A022A", 0, "==", 0)),
    ("text", r"an (expanded|extended) or replacement character set is used( in one of the Keys)?",
        _any(("wide", "."), UNDECIDED)),
    ("text", r"Attributes within the Sequence Item use an expanded or replacement character set",
        _any(("wide", "."), UNDECIDED)),
)  # fmt: skip


def test_of(phrase: str) -> tuple[str, Tree] | None:
    """The tree of a phrase with no attribute, and the reason for what of it can't be told."""
    for reason, pattern, tree in TESTS:
        if re.fullmatch(pattern, phrase, re.I):
            return reason, tree
    return None


def reason_of(phrase: str) -> str | None:
    """The reason why a phrase, with ``#`` for each attribute, can't be told, if it is one that can't."""
    for reason, pattern in PHRASES:
        if re.search(pattern, phrase, re.I):
            return reason
    return None

"""Conditions of attributes and modules: texts to trees, trees over data sets, trees to bytes."""

import random

import pytest

pytest.importorskip("pydicom.sr._snomed_dict")

from dicomcore import Dataset, Sequence
from tests.support.conditions import Spot, execute
from tools.standard.conditions import Condition, Pool, comparison, decode, decode_condition, encode, encode_condition
from tools.standard.conditions.code import parts_of_scope
from tools.standard.conditions.reading import Reading, Unread
from tools.standard.conditions.sentences import read
from tools.standard.conditions.tree import ABSENT, FORBIDDEN, FREE, NO, UNDECIDED, UNKNOWN, YES, evaluate, leaves, reach
from tools.standard.conditions.words import equal_codes

# Texts in the shapes of the standard's tables, but not its own.
TEXTS = {
    "a value": (
        "Required if Modality (0008,0060) is MR.",
        Condition(("in", ".", "00080060", 0, ("MR",))),
    ),
    "values, and free otherwise": (
        "Required if Modality (0008,0060) equals CT, MR or PT. May be present otherwise.",
        Condition(("in", ".", "00080060", 0, ("CT", "MR", "PT")), FREE),
    ),
    "free after a semicolon": (
        "Required if Laterality (0020,0060) is present; may be present otherwise",
        Condition(("has", ".", "00200060"), FREE),
    ),
    "forbidden otherwise": (
        "Required if Laterality (0020,0060) is absent. It shall not be present otherwise.",
        Condition(("not", ("has", ".", "00200060")), FORBIDDEN),
    ),
    "the third value": (
        "Required if Image Type (0008,0008), Value 3 is AXIAL,GATED TOMO, or LOCALIZER.",
        Condition(("in", ".", "00080008", 3, ("AXIAL", "GATED TOMO", "LOCALIZER"))),
    ),
    "the ordinal before": (
        "Required if Value 1 of Image Type (0008,0008) has the Value DERIVED.",
        Condition(("in", ".", "00080008", 1, ("DERIVED",))),
    ),
    "another value is one that is there": (
        "Required if Scan Options (0018,0022) is other than NONE or FC.",
        Condition(("other", ".", "00180022", 0, ("NONE", "FC"))),
    ),
    "absent or a value": (
        "Required if Scan Options (0018,0022) is absent, or is present and has the Value FC.",
        Condition(("or", ("not", ("has", ".", "00180022")), ("in", ".", "00180022", 0, ("FC",)))),
    ),
    "a value says more of the attribute before it": (
        "Required if Modality (0008,0060) is MR and Scan Options (0018,0022) is absent or has a Value of FC or SP.",
        Condition(
            (
                "and",
                ("in", ".", "00080060", 0, ("MR",)),
                ("or", ("not", ("has", ".", "00180022")), ("in", ".", "00180022", 0, ("FC", "SP"))),
            )
        ),
    ),
    "both are absent": (
        "Required if Rows (0028,0010) and Columns (0028,0011) are not present.",
        Condition(("and", ("not", ("has", ".", "00280010")), ("not", ("has", ".", "00280011")))),
    ),
    "either is absent": (
        "Required if either Rows (0028,0010) or Columns (0028,0011) is not present.",
        Condition(("or", ("not", ("has", ".", "00280010")), ("not", ("has", ".", "00280011")))),
    ),
    "numbers": (
        "Required if Rows (0028,0010) has a Value greater than 1, and Columns (0028,0011) is non-zero.",
        Condition(("and", ("cmp", ".", "00280010", 0, ">", 1), ("cmp", ".", "00280011", 0, "!=", 0))),
    ),
    "a comma before `and` joins last": (
        "Required if Rows (0028,0010) is present, or Columns (0028,0011) is present, and Modality (0008,0060) is CT.",
        Condition(
            (
                "and",
                ("or", ("has", ".", "00280010"), ("has", ".", "00280011")),
                ("in", ".", "00080060", 0, ("CT",)),
            )
        ),
    ),
    "`and` joins before `or`": (
        "Required if Rows (0028,0010) is present and Columns (0028,0011) is present or Modality (0008,0060) is CT.",
        Condition(
            (
                "or",
                ("and", ("has", ".", "00280010"), ("has", ".", "00280011")),
                ("in", ".", "00080060", 0, ("CT",)),
            )
        ),
    ),
    "a second clause": (
        "Required if Modality (0008,0060) is CT. May be present if Modality (0008,0060) is MR or PT.",
        Condition(("in", ".", "00080060", 0, ("CT",)), ABSENT, ("in", ".", "00080060", 0, ("MR", "PT"))),
    ),
    "forbidden by another": (
        "Required if Modality (0008,0060) is CT. Shall not be present if Rows (0028,0010) is present. May be present "
        "otherwise.",
        Condition(("in", ".", "00080060", 0, ("CT",)), FREE, None, ("has", ".", "00280010")),
    ),
    "free unless": (
        "Required if Modality (0008,0060) is CT. May be present otherwise unless Modality (0008,0060) is US.",
        Condition(("in", ".", "00080060", 0, ("CT",)), FREE, None, ("in", ".", "00080060", 0, ("US",))),
    ),
    "mutually exclusive": (
        "Mutually exclusive with Rows (0028,0010).",
        Condition(("not", ("has", ".", "00280010")), ABSENT, None, ("has", ".", "00280010")),
    ),
    "a SOP class": (
        'Required if SOP Class UID (0008,0016) is not "1.2.840.10008.5.1.4.1.1.2" (Some Storage), may be present '
        "otherwise.",
        Condition(("other", ".", "00080016", 0, ("1.2.840.10008.5.1.4.1.1.2",)), FREE),
    ),
    "a code": (
        'Required if View Code Sequence (0054,0220) contains an item with the value (111111, DCM, "Something").',
        Condition(("code", ".", "00540220", (("DCM", "111111"),))),
    ),
    "items": (
        "Required if View Code Sequence (0054,0220) contains more than one Item.",
        Condition(("items", ".", "00540220", ">", 1)),
    ),
    "an empty sequence": (
        "Required if View Code Sequence (0054,0220) is empty.",
        Condition(("and", ("has", ".", "00540220"), ("not", ("items", ".", "00540220", ">", 0)))),
    ),
    "an empty value": (
        "Required if Material ID (300A,00E1) is zero length.",
        Condition(("and", ("has", ".", "300A00E1"), ("not", ("val", ".", "300A00E1", 0)))),
    ),
    "a pointer": (
        "Required if Frame Increment Pointer (0028,0009) points to Frame Time (0018,1063).",
        Condition(("tag", ".", "00280009", 0, "00181063")),
    ),
    "a private pointer": (
        "Required if the Selector Attribute (0072,0026) Value is the Data Element Tag of a Private Attribute.",
        Condition(("odd", ".", "00720026")),
    ),
    "a name without a tag": (
        "Required if Rescale Intercept is present.",
        Condition(("has", ".", "00281052")),
    ),
    "remarks": (
        "Only a single Item shall be present. Required if Rows (0028,0010) is present. One or more Items are there.",
        Condition(("has", ".", "00280010")),
    ),
    "a phrase that can't be told": (
        "Required if Rows (0028,0010) is present and the left eye is measured.",
        Condition(("and", ("has", ".", "00280010"), UNDECIDED)),
    ),
    "required twice": (
        "Required if Rows (0028,0010) is sent. May be present otherwise. Required if Columns (0028,0011) is sent.",
        Condition(("or", ("has", ".", "00280010"), ("has", ".", "00280011")), FREE),
    ),
}


@pytest.mark.parametrize(("text", "condition"), TEXTS.values(), ids=TEXTS)
def test_text_becomes_tree(text, condition):
    assert read(text, Reading(lambda tag: ".")) == condition


UNREADABLE = {
    "prose of no known shape": "Required if Rows (0028,0010) looks good.",
    "a mixed list": "Required if Rows (0028,0010) or Columns (0028,0011) and Modality (0008,0060) are present.",
    "a sentence of no known shape": "Rows (0028,0010) is nice.",
    "nothing": "See elsewhere.",
    "half a value": "Required if Modality (0008,0060) is",
}


@pytest.mark.parametrize("text", UNREADABLE.values(), ids=UNREADABLE)
def test_what_cannot_be_read_exactly_is_not_guessed(text):
    with pytest.raises(Unread):
        read(text, Reading(lambda tag: "."))


def test_attribute_that_is_nowhere_is_not_guessed():
    with pytest.raises(Unread, match="nowhere"):
        read("Required if Rows (0028,0010) is present.", Reading(lambda tag: None))


def test_first_control_point():
    text = "Required for first Item of Control Point Sequence, or if Gantry Angle changes during Beam."
    reading = Reading(lambda tag: ".", inside="300A0111")
    assert read(text, reading) == Condition(("or", ("place", 1), UNDECIDED))
    assert reading.reasons == ["course"]
    with pytest.raises(Unread):
        read(text, Reading(lambda tag: ".", inside="00081140"))


def test_codes_of_former_schemes_have_those_of_today():
    assert equal_codes("SRT", "G-A186") == (("SCT", "103340004"), ("SRT", "G-A186"), ("SNM3", "G-A186"))
    assert equal_codes("DCM", "111111") == (("DCM", "111111"),)


CLASSES = {  # name: (condition, may it require or forbid, does it always know)
    "a test": (Condition(("has", ".", "00280010")), True, True),
    "unknown": (Condition(UNDECIDED), False, False),
    "never required, but forbidden": (Condition(("and", ("has", ".", "00280010"), UNDECIDED)), True, False),
    "neither required nor forbidden": (Condition(("and", ("has", ".", "00280010"), UNDECIDED), FREE), False, False),
    "required at times": (Condition(("or", ("place", 1), UNDECIDED), FREE), True, False),
    "permitted by what is unknown": (
        Condition(("and", ("place", 1), UNDECIDED), ABSENT, UNDECIDED), False, False,
    ),
    "forbidden alone": (Condition(("false",), FREE, None, ("has", ".", "00280010")), True, True),
}  # fmt: skip


@pytest.mark.parametrize(("condition", "machine", "whole"), CLASSES.values(), ids=CLASSES)
def test_what_counts_as_machine(condition, machine, whole):
    assert (condition.machine, condition.whole) == (machine, whole)


# Trees over data sets.


def item(**values):
    made = Dataset()
    for keyword, value in values.items():
        setattr(made, keyword, value)
    return made


def code(value, scheme):
    return item(CodeValue=value, CodingSchemeDesignator=scheme)


ROOT = item(
    ImageType=["ORIGINAL", "PRIMARY", "AXIAL"],
    Rows=3,
    PatientID="",
    PixelSpacing=["1.5", "2"],
    FrameIncrementPointer=0x00181063,
    ViewCodeSequence=Sequence([code("1", "SCT"), code("2", "DCM")]),
    ReferencedImageSequence=Sequence(),
    BeamSequence=Sequence(
        [item(BeamNumber=1, ControlPointSequence=Sequence([item(ControlPointIndex=n) for n in range(3)]))]
    ),
)
POINT = ((0x300A00B0, 0), (0x300A0111, 2))
TESTS = {  # name: (tree, steps, value)
    "has": (("has", ".", "00280010"), (), YES),
    "has, empty": (("has", ".", "00100020"), (), YES),
    "val, empty": (("val", ".", "00100020", 0), (), NO),
    "val, the third": (("val", ".", "00080008", 3), (), YES),
    "val, the fourth": (("val", ".", "00080008", 4), (), NO),
    "in, any": (("in", ".", "00080008", 0, ("AXIAL",)), (), YES),
    "in, the first": (("in", ".", "00080008", 1, ("AXIAL",)), (), NO),
    "in, missing": (("in", ".", "00080060", 0, ("CT",)), (), NO),
    "other, each": (("other", ".", "00080008", 0, ("AXIAL",)), (), NO),
    "other, the first": (("other", ".", "00080008", 1, ("AXIAL",)), (), YES),
    "other, missing": (("other", ".", "00080060", 0, ("CT",)), (), UNKNOWN),
    "other, empty": (("other", ".", "00100020", 0, ("CT",)), (), UNKNOWN),
    "cmp": (("cmp", ".", "00280010", 0, ">", 2), (), YES),
    "cmp, cut": (("cmp", ".", "00280030", 1, "==", 1), (), YES),
    "cmp, missing": (("cmp", ".", "00280011", 0, "!=", 0), (), NO),
    "tag": (("tag", ".", "00280009", 0, "00181063"), (), YES),
    "odd": (("odd", ".", "00280009"), (), NO),
    "code": (("code", ".", "00540220", (("DCM", "2"),)), (), YES),
    "code of another item's scheme": (("code", ".", "00540220", (("DCM", "1"),)), (), NO),
    "items": (("items", ".", "00540220", ">", 1), (), YES),
    "items, none": (("items", ".", "00081140", "==", 0), (), YES),
    "items, missing": (("items", ".", "00081199", "==", 0), (), YES),
    "module": (("module", "C.7-17"), (), YES),
    "module, missing": (("module", "C.7-16"), (), NO),
    "an item's own": (("has", ".", "300A0112"), POINT, YES),
    "around it": (("cmp", "..", "300A00C0", 0, "==", 1), POINT, YES),
    "around that": (("has", "../..", "00280010"), POINT, YES),
    "above the root": (("has", "../../..", "00280010"), POINT, NO),
    "the root": (("has", "/", "00280010"), POINT, YES),
    "the nearest": (("cmp", "^", "300A00C0", 0, "==", 1), POINT, YES),
    "the nearest, nowhere": (("has", "^", "00080060"), POINT, NO),
    "items of a sequence": (("in", "./00540220", "00080100", 0, ("2",)), (), YES),
    "items of items": (("cmp", "/300A00B0/300A0111", "300A0112", 0, "==", 2), POINT, YES),
    "first place": (("place", 1), POINT, NO),
    "last place": (("place", -1), POINT, YES),
    "no place": (("place", 1), (), NO),
    "unknown": (("?",), (), UNKNOWN),
    "and with unknown": (("and", ("?",), ("has", ".", "00080060")), (), NO),
    "or with unknown": (("or", ("?",), ("has", ".", "00280010")), (), YES),
    "not unknown": (("not", ("?",)), (), UNKNOWN),
    "xor": (("xor", ("has", ".", "00280010"), ("has", ".", "00080060")), (), YES),
}  # fmt: skip


@pytest.mark.parametrize(("tree", "steps", "value"), TESTS.values(), ids=TESTS)
def test_tree_over_data_set(tree, steps, value):
    spot = Spot(ROOT, steps, frozenset({"C.7-17"}))
    assert spot.value(tree) == value
    pool = Pool()
    assert execute(encode(tree, pool), pool, spot.test) == value
    assert decode(encode(tree, pool), pool) == tree


def framed(*types, shared=None):
    frames = [item(MRImageFrameTypeSequence=Sequence([item(FrameType=[kind])])) if kind else item() for kind in types]
    made = item(PerFrameFunctionalGroupsSequence=Sequence(frames))
    if shared:
        group = item(MRImageFrameTypeSequence=Sequence([item(FrameType=[shared])]))
        made.SharedFunctionalGroupsSequence = Sequence([group])
    return made


ORIGINAL = ("in", "@", "00089007", 1, ("ORIGINAL",))
FRAMES = {  # name: (data set, steps, value)
    "this frame": (framed("ORIGINAL", "DERIVED"), ((0x52009230, 0),), YES),
    "the other frame": (framed("ORIGINAL", "DERIVED"), ((0x52009230, 1),), NO),
    "all frames": (framed("ORIGINAL", "ORIGINAL"), (), YES),
    "no frame": (framed("DERIVED", "DERIVED"), (), NO),
    "some frames": (framed("ORIGINAL", "DERIVED"), (), UNKNOWN),
    "shared": (framed("", "", shared="ORIGINAL"), ((0x52009230, 1),), YES),
    "shared, from the shared item": (framed("", "", shared="ORIGINAL"), ((0x52009229, 0),), YES),
    "frames, from the shared item": (framed("ORIGINAL", "DERIVED", shared=""), (), UNKNOWN),
    "no frames": (item(Rows=1), (), NO),
}


@pytest.mark.parametrize(("data_set", "steps", "value"), FRAMES.values(), ids=FRAMES)
def test_tree_over_functional_groups(data_set, steps, value):
    assert Spot(data_set, steps).value(ORIGINAL) == value


def test_wide_text():
    plain, wide = item(PatientName="A^B"), item(SpecificCharacterSet="ISO_IR 192", PatientName="Ä^B")
    inside = item(ReferencedImageSequence=Sequence([wide]))
    assert Spot(plain).value(("wide", ".")) == NO
    assert Spot(wide).value(("wide", ".")) == YES
    assert Spot(inside).value(("wide", ".")) == NO  # the item has its own character set


VERDICTS = {  # name: (condition, verdict)
    "met": (Condition(("has", ".", "00280010")), "required"),
    "not met": (Condition(("has", ".", "00280011")), "forbidden"),
    "not met, free": (Condition(("has", ".", "00280011"), FREE), "free"),
    "unknown": (Condition(UNDECIDED), "unknown"),
    "permitted": (Condition(("has", ".", "00280011"), ABSENT, ("has", ".", "00280010")), "free"),
    "not permitted": (Condition(("has", ".", "00280011"), ABSENT, ("has", ".", "00080060")), "forbidden"),
    "perhaps permitted": (Condition(("has", ".", "00280011"), ABSENT, UNDECIDED), "unknown"),
    "forbidden": (Condition(("false",), FREE, None, ("has", ".", "00280010")), "forbidden"),
}


@pytest.mark.parametrize(("condition", "verdict"), VERDICTS.values(), ids=VERDICTS)
def test_verdict(condition, verdict):
    assert Spot(ROOT).verdict(condition) == verdict
    pool = Pool()
    assert decode_condition(encode_condition(condition, pool), pool) == condition


SCOPES = {
    ".": (".", ()),
    "../..": ("../..", ()),
    "/": ("/", ()),
    "/00400260/00400441": ("/", ("00400260", "00400441")),
    "./00540220": (".", ("00540220",)),
    "../../300A03AA": ("../..", ("300A03AA",)),
    "@/00540220": ("@", ("00540220",)),
}


@pytest.mark.parametrize(("scope", "parts"), SCOPES.items())
def test_parts_of_scope(scope, parts):
    assert parts_of_scope(scope) == parts
    pool, tree = Pool(), ("has", scope, "00280010")
    assert decode(encode(tree, pool), pool) == tree


def test_integers_of_any_size():
    pool = Pool()
    for number in (0, 255, 256, -1, 70000):
        tree = ("cmp", ".", "00280010", 0, "<=", number)
        assert decode(encode(tree, pool), pool) == tree


def random_tree(dice, depth=0):
    kind = dice.choice(("and", "or", "not", "has", "in", "other", "cmp", "items", "place", "?", "val", "tag", "code"))
    if kind in ("and", "or") and depth < 4:
        return (kind, *[random_tree(dice, depth + 1) for _ in range(dice.randint(2, 4))])
    if kind == "not":
        return ("not", random_tree(dice, depth + 1)) if depth < 5 else ("?",)
    scope, tag, n = dice.choice(list(SCOPES)), f"{dice.randrange(1 << 32):08X}", dice.randrange(5)
    return {
        "has": ("has", scope, tag),
        "val": ("val", scope, tag, n),
        "in": ("in", scope, tag, n, ("A", "B")),
        "other": ("other", scope, tag, n, ("A",)),
        "cmp": ("cmp", scope, tag, n, dice.choice(("==", ">=")), dice.randrange(-500, 500)),
        "items": ("items", scope, tag, ">", dice.randrange(400)),
        "tag": ("tag", scope, tag, n, "00181063"),
        "code": ("code", scope, tag, (("DCM", "1"), ("SCT", "2"))),
        "place": ("place", dice.choice((1, -1))),
    }.get(kind, ("?",))


def test_random_trees_survive_their_code():
    dice, pool = random.Random(14), Pool()
    for _ in range(500):
        tree = random_tree(dice)
        data = encode(tree, pool)
        assert decode(data, pool) == tree

        def test(leaf):
            return hash(leaf) % 3

        assert execute(data, pool, test) == evaluate(tree, test)
        assert evaluate(tree, test) in reach(tree) | {UNKNOWN}
        assert {leaf[0] for leaf in leaves(tree)} & {"and", "or", "not"} == set()


def test_comparison_sees_a_difference():
    class Made:
        module, number, path = "X", 1, ("00280010",)

    alike = comparison.compare(Made, ("has", ".", "00280011"), ("has", "/", "00280011"), there=frozenset())
    assert (alike.agreed, alike.unknown, alike.same_scopes) == (alike.decided, 0, True)
    unlike = comparison.compare(Made, ("has", ".", "00280011"), ("val", ".", "00280011", 0), there=frozenset())
    assert unlike.agreed < unlike.decided
    assert unlike.verdicts == (1, 0)

"""UID and the transfer syntaxes; pydicom is the reference, and each deviation from it is explained."""

import pickle
import re

import pytest

from dicomcore import uids
from dicomcore._native.base import dictionary
from dicomcore.uids import UID, generate_uid, uid_for_keyword

pydicom_uid = pytest.importorskip("pydicom.uid")
REGISTERED = pydicom_uid.UID_dictionary
SYNTAXES = [uid for uid in REGISTERED if REGISTERED[uid][1] == "Transfer Syntax"]
GE = "1.2.840.113619.5.2"

# pydicom 3 says otherwise: it inflates only one of the deflated syntaxes, and takes Papyrus 3 for explicit VR and
# encapsulated, though its name says what it is.
CORRECTED = {
    ("1.2.840.10008.1.2.4.95", "is_deflated"): True,
    ("1.2.840.10008.1.2.4.205", "is_deflated"): True,
    ("1.2.840.10008.1.20", "is_implicit_VR"): True,
    ("1.2.840.10008.1.20", "is_compressed"): False,
    ("1.2.840.10008.1.20", "is_encapsulated"): False,
}

VALIDITY = {  # name: (UID, is_valid)
    "plain": ("1.2.840.10008.1.2", True),
    "zero component": ("1.0.3", True),
    "one number": ("2", True),
    "64 characters": ("1." + "2" * 62, True),
    "65 characters": ("1." + "2" * 63, False),
    "leading zero": ("1.02.3", False),
    "empty component": ("1..2", False),
    "dot at the end": ("1.2.", False),
    "letter": ("1.2.a", False),
    "newline inside": ("1.2\n.3", False),
    "digits of another script": ("1.٢", False),
    "empty": ("", False),
}


@pytest.mark.parametrize("uid", [*REGISTERED, "1.2.3.4", "1.2.840.10008.9.9", ""])
def test_entry_is_pydicoms(uid):
    ours, theirs = UID(uid), pydicom_uid.UID(uid)
    for part in ("name", "type", "info", "is_retired", "keyword", "is_private", "is_transfer_syntax"):
        assert getattr(ours, part) == getattr(theirs, part), part
    assert dictionary.uid_entry(uid) == REGISTERED.get(uid)


@pytest.mark.parametrize("uid", SYNTAXES)
def test_encoding_is_pydicoms_or_corrected(uid):
    for part in ("is_implicit_VR", "is_little_endian", "is_deflated", "is_encapsulated", "is_compressed"):
        theirs = getattr(pydicom_uid.UID(uid), part)
        assert getattr(UID(uid), part) == CORRECTED.get((uid, part), theirs), part


@pytest.mark.parametrize("uid", ["1.2.840.10008.1.1", "1.2.3", ""])
@pytest.mark.parametrize(
    "part", ["is_implicit_VR", "is_little_endian", "is_deflated", "is_encapsulated", "is_compressed"]
)
def test_only_transfer_syntaxes_have_an_encoding(uid, part):
    with pytest.raises(ValueError, match="not a transfer syntax"):
        getattr(UID(uid), part)


def test_transfer_syntaxes_by_name():
    for uid in SYNTAXES:
        assert vars(uids)[REGISTERED[uid][4]] == uid
    named = [name for name, value in vars(pydicom_uid).items() if type(value) is pydicom_uid.UID and value in SYNTAXES]
    assert len(named) > 30
    for name in named:
        assert getattr(uids, name) == getattr(pydicom_uid, name)


@pytest.mark.parametrize(
    ("name", "uid"),
    [
        ("JPEGXLLossless", "1.2.840.10008.1.2.4.110"),
        ("JPEGXLJPEGRecompression", "1.2.840.10008.1.2.4.111"),
        ("JPEGXL", "1.2.840.10008.1.2.4.112"),
        ("DeflatedImageFrameCompression", "1.2.840.10008.1.2.8.1"),
    ],
)
def test_syntaxes_newer_than_the_dictionary_source(name, uid):
    syntax = getattr(uids, name)
    assert syntax == uid
    assert (syntax.keyword, syntax.is_transfer_syntax, syntax.is_encapsulated, syntax.is_deflated) == (
        name,
        True,
        True,
        False,
    )


def test_ge_private_syntax():
    syntax = UID(GE)
    assert syntax.is_transfer_syntax
    assert syntax.is_private
    assert syntax.is_implicit_VR
    assert syntax.is_little_endian
    assert not syntax.is_encapsulated
    assert syntax.name == "GE private: implicit VR little endian header, big endian pixels"
    assert syntax == uids.GEPrivateImplicitVRBigEndianPixels


@pytest.mark.parametrize("uid", REGISTERED)
def test_keyword_finds_the_uid(uid):
    keyword = REGISTERED[uid][4]
    if keyword:
        assert uid_for_keyword(keyword) == uid
        assert type(getattr(uids, keyword)) is UID


def test_unknown_keyword():
    assert uid_for_keyword("CTImageStorag") is None
    assert uid_for_keyword("") is None
    with pytest.raises(AttributeError, match="CTImageStorag"):
        uids.CTImageStorag  # noqa: B018


@pytest.mark.parametrize(("uid", "valid"), VALIDITY.values(), ids=VALIDITY)
def test_validity(uid, valid):
    assert UID(uid).is_valid is valid


def test_made_from_text_only():
    assert UID(" 1.2.3\0") == "1.2.3"
    for wrong in (b"1.2.3", 12, None):
        with pytest.raises(TypeError):
            UID(wrong)
    uid = UID("1.2.3")
    assert type(pickle.loads(pickle.dumps(uid))) is UID
    assert not hasattr(uid, "__dict__")


def test_generated():
    assert re.fullmatch(r"2\.25\.[1-9][0-9]{0,38}", generate_uid())
    assert len({generate_uid() for _ in range(100)}) == 100
    assert generate_uid(entropy_srcs=["a"]) == generate_uid(entropy_srcs=["a"]) != generate_uid(entropy_srcs=["b"])
    for prefix in ("1.2.3.", "1." + "2" * 51 + "."):
        assert generate_uid(prefix).is_valid
        assert generate_uid(prefix).startswith(prefix)
        assert generate_uid(prefix, ["a", "bc"]) == pydicom_uid.generate_uid(prefix, ["a", "bc"])


@pytest.mark.parametrize("prefix", ["", "1.2", "1.02.", "1..", "1.2.\n", "a.", "1." + "2" * 52 + "."])
def test_generated_needs_a_prefix(prefix):
    with pytest.raises(ValueError, match="does not begin a UID"):
        generate_uid(prefix)


@pytest.mark.parametrize(
    ("keyword", "uid"),
    [
        ("LabelMapSegmentationStorage", "1.2.840.10008.5.1.4.1.1.66.7"),
        ("HeightMapSegmentationStorage", "1.2.840.10008.5.1.4.1.1.66.8"),
    ],
)
def test_classes_newer_than_the_dictionary_source(keyword, uid):
    named = uids.UID(uid)
    assert (named.keyword, named.type, named.is_transfer_syntax) == (keyword, "SOP Class", False)
    assert named.name == " ".join(re.findall("[A-Z][a-z]+", keyword))


NAMED = {  # text: the transfer syntax it stands for
    "rle": "1.2.840.10008.1.2.5",
    "JPEG-LS": "1.2.840.10008.1.2.4.80",
    " explicit ": "1.2.840.10008.1.2.1",
    "JPEG2000Lossless": "1.2.840.10008.1.2.4.90",
    "1.2.840.10008.1.2.4.70\0": "1.2.840.10008.1.2.4.70",
    "1.2.3.4": "1.2.3.4",
    "1.2.840.10008.1.2.4.999": "1.2.840.10008.1.2.4.999",
}


@pytest.mark.parametrize(("text", "uid"), NAMED.items(), ids=NAMED)
def test_transfer_syntax_by_name(text, uid):
    assert uids.syntax_named(text) == uid


@pytest.mark.parametrize("text", ["", "gif", "CTImageStorage", "1.2.840.10008.1.1", "1.2.", "01.2"])
def test_no_transfer_syntax(text):
    with pytest.raises(ValueError, match="no transfer syntax; names are implicit, explicit"):
        uids.syntax_named(text)


def test_short_names_are_of_registered_syntaxes():
    assert all(REGISTERED[uid][1] == "Transfer Syntax" for uid in uids.NAMES.values() if uid in REGISTERED)
    assert all(UID(uid).is_transfer_syntax for uid in uids.NAMES.values())
    assert len(set(uids.NAMES.values())) == len(uids.NAMES)

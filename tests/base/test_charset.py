"""Character sets: the standard's own examples, misspelt and broken ones, round trips, and a comparison with pydicom."""

import importlib.util
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dicomcore.charset import NAME_DELIMITERS, TEXT_DELIMITERS, charset_for
from dicomcore.errors import EncodeError

NAMES = {  # name: (terms, bytes, text): PS3.5 annexes H to K, and pydicom's charset_files/FileInfo.txt
    "arabic": (("ISO_IR 127",), b"\xe2\xc8\xc7\xe6\xea^\xe4\xe6\xd2\xc7\xd1", "قباني^لنزار"),
    "french": (("ISO_IR 100",), b"Buc^J\xe9r\xf4me", "Buc^Jérôme"),
    "german": (("ISO_IR 100",), b"\xc4neas^R\xfcdiger", "Äneas^Rüdiger"),
    "greek": (("ISO_IR 126",), b"\xc4\xe9\xef\xed\xf5\xf3\xe9\xef\xf2", "Διονυσιος"),
    "hebrew": (("ISO_IR 138",), b"\xf9\xf8\xe5\xef^\xe3\xe1\xe5\xf8\xe4", "שרון^דבורה"),
    "russian": (("ISO_IR 144",), b"\xbb\xee\xdace\xdc\xd1yp\xd3", "Люкceмбypг"),
    "latin 9": (("ISO_IR 203",), b"\xa4\xbc\xbd", "€Œœ"),
    "thai": (("ISO_IR 166",), b"\xca\xc1\xaa\xd2\xc2", "สมชาย"),
    "japanese H.3.1": (
        ("", "ISO 2022 IR 87"),
        b"Yamada^Tarou=\x1b$B;3ED\x1b(B^\x1b$BB@O:\x1b(B=\x1b$B$d$^$@\x1b(B^\x1b$B$?$m$&\x1b(B",
        "Yamada^Tarou=山田^太郎=やまだ^たろう",
    ),
    "japanese H.3.2": (
        ("ISO 2022 IR 13", "ISO 2022 IR 87"),
        b"\xd4\xcf\xc0\xde^\xc0\xdb\xb3=\x1b$B;3ED\x1b(J^\x1b$BB@O:\x1b(J=\x1b$B$d$^$@\x1b(J^\x1b$B$?$m$&\x1b(J",
        "ﾔﾏﾀﾞ^ﾀﾛｳ=山田^太郎=やまだ^たろう",
    ),
    "japanese supplementary": (("", "ISO 2022 IR 87", "ISO 2022 IR 159"), b"\x1b$(D\x30\x21\x1b(B", "丂"),
    "korean I.2": (
        ("", "ISO 2022 IR 149"),
        b"Hong^Gildong=\x1b$)C\xfb\xf3^\x1b$)C\xd1\xce\xd4\xd7=\x1b$)C\xc8\xab^\x1b$)C\xb1\xe6\xb5\xbf",
        "Hong^Gildong=洪^吉洞=홍^길동",
    ),
    "chinese J.3 utf-8": (("ISO_IR 192",), b"Wang=\xe7\x8e\x8b^\xe5\xb0\x8f\xe6\x9d\xb1", "Wang=王^小東"),
    "chinese J.4 gb18030": (("GB18030",), b"Wang^XiaoDong=\xcd\xf5^\xd0\xa1\xb6\xab", "Wang^XiaoDong=王^小东"),
    "chinese gbk": (("GBK",), b"Wang^XiaoDong=\xcd\xf5^\xd0\xa1\xb6\xab", "Wang^XiaoDong=王^小东"),
    "chinese K.2 gb2312": (
        ("", "ISO 2022 IR 58"),
        b"Zhang^XiaoDong=\x1b$)A\xd5\xc5^\x1b$)A\xd0\xa1\xb6\xab",
        "Zhang^XiaoDong=张^小东",
    ),
}


@pytest.mark.parametrize(("terms", "data", "text"), NAMES.values(), ids=NAMES)
def test_names_of_the_standard_decode_and_encode(terms, data, text):
    charset = charset_for(terms)
    assert charset.problems == ()
    assert charset.decode_person_name(data) == (text, True)
    assert charset.encode(text, delimiters=NAME_DELIMITERS) == data


TERMS = {  # name: (terms, names, decoded sample, number of problems)
    "none": ((), ("ISO_IR 6",), b"\xe9", "é", 0),
    "empty": (("",), ("ISO_IR 6",), b"\xe9", "é", 0),
    "blanks": ((" ISO_IR 100 \0",), ("ISO_IR 100",), b"\xe9", "é", 0),
    "space for underscore": (("ISO IR 100",), ("ISO_IR 100",), b"\xe9", "é", 1),
    "underscores": (("ISO_IR_192",), ("ISO_IR 192",), b"\xc3\xa9", "é", 1),
    "hyphens": (("ISO-IR 192",), ("ISO_IR 192",), b"\xc3\xa9", "é", 1),
    "hyphens, extended": (("", "ISO-2022-IR 149"), ("ISO_IR 6", "ISO 2022 IR 149"), b"\x1b$)C\xc8\xab", "홍", 1),
    "lower case": (("iso_ir 144",), ("ISO_IR 144",), b"\xbb", "Л", 1),
    "gb2312 of CP-1234": (("ISO 2022 58",), ("ISO 2022 IR 58",), b"\xd5\xc5", "张", 0),
    "a Python codec": (("UTF-8",), ("utf-8",), b"\xc3\xa9", "é", 1),
    "a Windows code page": (("windows-1251",), ("cp1251",), b"\xc0", "А", 1),
    "unknown": (("ISO_IR 9999",), ("ISO_IR 6",), b"\xe9", "é", 1),
    "a codec's name with NUL in it": (("UTF\0-8",), ("ISO_IR 6",), b"abc", "abc", 1),
    "a codec that isn't text": (("rot13",), ("ISO_IR 6",), b"abc", "abc", 1),
    "a codec over ASCII": (("unicode_escape",), ("ISO_IR 6",), rb"\u0041", r"\u0041", 1),
    "EBCDIC": (("cp037",), ("ISO_IR 6",), b"abc", "abc", 1),
    "alone, then others": (("ISO_IR 192", "ISO 2022 IR 87"), ("ISO_IR 192",), b"\xc3\xa9", "é", 1),
    "alone, but second": (("ISO_IR 100", "GB18030"), ("ISO_IR 100",), b"\xe9", "é", 1),
    "said twice": (("ISO 2022 IR 100", "ISO 2022 IR 100"), ("ISO 2022 IR 100",), b"\xe9", "é", 0),
}


@pytest.mark.parametrize(("terms", "names", "data", "text", "problems"), TERMS.values(), ids=TERMS)
def test_terms(terms, names, data, text, problems):
    charset = charset_for(terms)
    assert charset.names == names
    assert len(charset.problems) == problems
    assert charset.decode(data)[0] == text
    assert charset_for(terms) is charset_for(terms)


BROKEN = {  # name: (terms, delimiters, bytes, text): text that breaks the rules is still read, and reported
    "high bytes without a set": ((), TEXT_DELIMITERS, b"\xc7\xe0", "Çà"),
    "utf-8 cut short": (("ISO_IR 192",), TEXT_DELIMITERS, b"a\xc3", "a\ufffd"),
    "a byte the set hasn't": (("ISO_IR 127",), TEXT_DELIMITERS, b"\xa1a", "\ufffda"),
    "a set not declared": (("",), TEXT_DELIMITERS, b"\x1b$B;3\x1b(B", "山"),
    "an unknown escape sequence": (("", "ISO 2022 IR 87"), TEXT_DELIMITERS, b"a\x1b%Gb", "a\x1b%Gb"),
    "escape at the end": (("", "ISO 2022 IR 87"), TEXT_DELIMITERS, b"a\x1b", "a\x1b"),
    "half a kanji": (("", "ISO 2022 IR 87"), TEXT_DELIMITERS, b"\x1b$B;3E", "山\ufffd"),
    "korean not designated again": (("", "ISO 2022 IR 149"), NAME_DELIMITERS, b"\x1b$)C\xfb\xf3^\xd1\xce", "洪^吉"),
}


@pytest.mark.parametrize(("terms", "delimiters", "data", "text"), BROKEN.values(), ids=BROKEN)
def test_broken_text_is_read_and_reported(terms, delimiters, data, text):
    assert charset_for(terms).decode(data, delimiters=delimiters) == (text, False)


SWITCHES = {  # name: (terms, delimiters, bytes, text): correct text
    "first set back after a line": (
        ("ISO_IR 100", "ISO 2022 IR 144"), TEXT_DELIMITERS, b"\x1b-L\xbb\r\n\xe9", "Л\r\né",
    ),
    "first set back after a caret": (("ISO_IR 100", "ISO 2022 IR 126"), NAME_DELIMITERS, b"\x1b-F\xc4^\xe9", "Δ^é"),
    "caret is no delimiter in LT": (("ISO_IR 100", "ISO 2022 IR 126"), TEXT_DELIMITERS, b"\x1b-F\xc4^\xc4", "Δ^Δ"),
    "caret and backslash within kana": (("", "ISO 2022 IR 87"), NAME_DELIMITERS, b"\x1b$B$^$\\$=\x1b(B", "まぼそ"),
    "space within kanji": (("", "ISO 2022 IR 87"), NAME_DELIMITERS, b"\x1b$B;3 ED\x1b(B", "山 田"),
    "ASCII needs no declaration": (("ISO_IR 100",), NAME_DELIMITERS, b"\x1b(Ba\xe9", "aé"),
    "katakana beside kanji": (("", "ISO_IR 13", "ISO 2022 IR 87"), NAME_DELIMITERS, b"\x1b)I\xd4\x1b$B;3\x1b(B", "ﾔ山"),
}  # fmt: skip


@pytest.mark.parametrize(("terms", "delimiters", "data", "text"), SWITCHES.values(), ids=SWITCHES)
def test_character_sets_switch_and_return_to_the_first(terms, delimiters, data, text):
    assert charset_for(terms).decode(data, delimiters=delimiters) == (text, True)


def test_kana_with_backslash_byte_is_not_divided():
    assert charset_for(("", "ISO 2022 IR 87")).decode_values(b"\x1b$B$\\\x1b(B\\b ", "LO") == (["ぼ", "b"], True)


@pytest.mark.parametrize("term", ["GBK", "GB18030", "ISO_IR 13"])
def test_trail_byte_backslash_is_not_divided(term):
    data = b"\x95\x5c\\b"  # 0x5C is the second byte of the first character
    assert len(charset_for((term,)).decode_values(data, "LO")[0]) == 2


def test_values_are_divided_and_trimmed_by_vr():
    charset = charset_for()
    assert charset.decode_values(b"a \\b\0", "LO") == (["a", "b"], True)
    assert charset.decode_values(b"a \\b ", "LT") == (["a \\b"], True)
    assert charset.decode_values(b"Doe^John==\\Roe ", "PN") == (["Doe^John", "Roe"], True)
    assert charset.decode_values(b"", "SH") == ([""], True)


@pytest.mark.parametrize("terms", [("ISO_IR 100",), ("", "ISO 2022 IR 149"), ("GB18030",), ()])
def test_a_character_that_cannot_be_encoded_is_named(terms):
    with pytest.raises(EncodeError, match=r"U\+"):
        charset_for(terms).encode("\ud800" if terms == ("GB18030",) else "ไ")


REPERTOIRE = {
    ("", "ISO 2022 IR 87"): "山田やまだタ",
    ("ISO 2022 IR 13", "ISO 2022 IR 87"): "ﾔﾏﾀ山田",
    ("", "ISO 2022 IR 87", "ISO 2022 IR 159"): "山丂",
    ("ISO 2022 IR 100", "ISO 2022 IR 144", "ISO 2022 IR 126"): "éЛΔ",
    ("ISO 2022 IR 6", "ISO 2022 IR 149"): "홍길洪",
    ("", "ISO 2022 IR 58", "ISO 2022 IR 87"): "张东ま",
    ("ISO_IR 192",): "é山😀",
    ("GB18030",): "é山😀",
}


@given(st.data())
def test_encode_then_decode_is_the_identity(data):
    terms = data.draw(st.sampled_from(sorted(REPERTOIRE)))
    text = data.draw(st.text(st.sampled_from(REPERTOIRE[terms] + "ab ^=\\~\r\n\t")))
    charset = charset_for(terms)
    assert charset.decode_person_name(charset.encode(text, delimiters=NAME_DELIMITERS)) == (text, True)


@given(st.binary(), st.lists(st.text(max_size=3) | st.sampled_from(sum(REPERTOIRE, ())), max_size=3))
def test_any_bytes_decode(data, terms):
    text, ok = charset_for(tuple(terms)).decode_person_name(data)
    assert isinstance(text, str)
    assert isinstance(ok, bool)


PIECES = [b"\x1b$", b";3", b"\xb0\xa1", *(bytes([byte]) for byte in b"\x1b$()BDJIAC-^\\=\n ")]


@given(st.sampled_from(sorted(REPERTOIRE)), st.lists(st.sampled_from(PIECES)))
def test_any_escapes_decode(terms, pieces):
    assert isinstance(charset_for(terms).decode_person_name(b"".join(pieces))[0], str)


def texts_of(dataset, encodings=()):
    """Terms, VR and bytes of every text element, as pydicom left them undecoded, and pydicom's own text."""
    if "SpecificCharacterSet" in dataset:
        stated = dataset.SpecificCharacterSet
        encodings = tuple([stated] if isinstance(stated, str) else stated or ())
    for tag in dataset.keys():  # noqa: SIM118, iterating the data set itself would decode it
        raw = dataset.get_item(tag)
        data, element = raw.value, dataset[tag]
        if element.VR == "SQ":
            for item in element.value:
                yield from texts_of(item, encodings)
        elif element.VR in {"SH", "LO", "ST", "LT", "PN", "UC", "UT"} and isinstance(data, bytes):
            several = element.VM > 1
            yield encodings, element.VR, data, [str(v or "") for v in (element.value if several else [element.value])]


def charset_files():
    package = importlib.util.find_spec("pydicom")
    folder = Path(package.origin).parent / "data" / "charset_files" if package else Path("missing")
    return sorted(folder.glob("*.dcm"))


@pytest.mark.parametrize("path", charset_files(), ids=lambda path: path.name)
def test_text_equals_pydicom(path):
    pydicom = pytest.importorskip("pydicom")
    seen = 0
    for terms, vr, data, expected in texts_of(pydicom.dcmread(path, force=True)):
        values, ok = charset_for(terms).decode_values(data, vr)
        assert ok, (terms, data)
        assert [value.rstrip() for value in values] == [value.rstrip() for value in expected]
        seen += 1
    assert seen


def test_names_that_pydicom_decodes_wrongly():
    """PS3.5 K.2: pydicom 3.0.2 leaves the escape sequence of ISO 2022 IR 58 in the text; it has no ISO-IR 203."""
    charset = pytest.importorskip("pydicom.charset")
    data = b"\x1b$)A\xd5\xc5"
    assert charset.decode_bytes(data, charset.convert_encodings(["", "ISO 2022 IR 58"]), set()) == "\x1b$)A张"
    assert charset_for(("", "ISO 2022 IR 58")).decode(data) == ("张", True)
    assert "ISO_IR 203" not in charset.python_encoding
